/* The rules of jobs: buckets, tokens, write times, plans, what a row of the queue means. */
#include "unit.h"

#include "jobs/memory.h"
#include "jobs/record.h"
#include "jobs/rules.h"
#include "jobs/watch.h"

enum { NOW = 1000000, LEASE = 300000 };

static cql_str str(const char *text)
{
    return cql_str_of(text);
}

static cql_job_info job_in(int32_t state, int64_t executed_at)
{
    cql_job_info job;

    cqljob_info_init(&job);
    job.id = str("2f1f8f9e-1111-4222-8333-444455556666");
    job.type = str("t");
    job.state = state;
    job.created_at = 1000;
    job.scheduled_at = 5000;
    job.executed_at = executed_at;
    job.max_retry_count = 3;
    return job;
}

/* These numbers must never change: workers of all versions look for jobs where they were put. */
static void buckets_are_the_same_for_ever(void **state)
{
    (void)state;
    assert_int_equal(cqljob_bucket(str(""), 10), 14695981039346656037ULL % 10);
    assert_int_equal(cqljob_bucket(str("a"), 1000), 0xaf63dc4c8601ec8cULL % 1000);
    assert_int_equal(cqljob_bucket(str("foobar"), 1000), 0x85944171f73967e8ULL % 1000);
    assert_int_equal(cqljob_bucket(str("2f1f8f9e-1111-4222-8333-444455556666"), 1), 0);
}

static void buckets_are_used_evenly(void **state)
{
    size_t count[10] = {0};
    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        char text[40];
        int32_t bucket;
        snprintf(text, sizeof text, "%08x-0000-4000-8000-%012x", i * 2654435761U, i);
        bucket = cqljob_bucket(str(text), 10);
        assert_in_range(bucket, 0, 9);
        count[bucket]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(count[i], 850, 1150);
}

static void tokens_rise_whatever_the_clock_does(void **state)
{
    cql_job_info job = job_in(CQL_JOB_SCHEDULED, CQL_JOB_NO_TIME);
    int64_t token;
    (void)state;
    assert_true(cqljob_next_token(&job, NOW, &token));
    assert_int_equal(token, NOW);
    assert_true(cqljob_next_token(&job, 500, &token)); /* behind the clock that created it */
    assert_int_equal(token, 1001);
    job.executed_at = NOW + 50;
    assert_true(cqljob_next_token(&job, NOW, &token));
    assert_int_equal(token, NOW + 51);
    assert_true(cqljob_next_token(&job, NOW + 50, &token));
    assert_int_equal(token, NOW + 51);
    assert_true(cqljob_next_token(&job, NOW + 52, &token));
    assert_int_equal(token, NOW + 52);
    job.executed_at = INT64_MAX;
    assert_false(cqljob_next_token(&job, NOW, &token));
    job.executed_at = INT64_MAX / 1000 - 1;
    assert_false(cqljob_next_token(&job, NOW, &token));
}

/* One history of a job: each step's index rows are written later than all before. */
static void write_times_follow_the_history(void **state)
{
    cql_job_info job = job_in(CQL_JOB_SCHEDULED, CQL_JOB_NO_TIME);
    int64_t times[8];
    size_t n = 0;
    (void)state;
    times[n++] = cqljob_write_time(&job);
    job.state = CQL_JOB_PROCESSING;
    job.executed_at = 1001;
    times[n++] = cqljob_write_time(&job);
    job.state = CQL_JOB_SCHEDULED;
    times[n++] = cqljob_write_time(&job);
    job.state = CQL_JOB_PROCESSING;
    job.executed_at = 1002;
    times[n++] = cqljob_write_time(&job);
    job.state = CQL_JOB_SCHEDULED;
    times[n++] = cqljob_write_time(&job);
    job.state = CQL_JOB_CANCELLED;
    times[n++] = cqljob_write_time(&job);
    for (size_t i = 1; i < n; i++)
        assert_true(times[i] > times[i - 1]);
    job.state = CQL_JOB_SUCCEEDED;
    assert_int_equal(cqljob_write_time(&job), 1002001);
    job.executed_at = INT64_MAX;
    assert_true(cqljob_write_time(&job) > 0);
    job.executed_at = INT64_MIN + 1;
    assert_true(cqljob_write_time(&job) < 0);
}

static const cqljob_index *find(const cqljob_indexes *rows, cqljob_index_kind kind, int32_t part,
                                int64_t at)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->rows[i].kind == kind && rows->rows[i].part == part && rows->rows[i].at == at)
            return &rows->rows[i];
    return NULL;
}

static void claim_is_conditional_on_state_and_token(void **state)
{
    cql_job_info job = job_in(CQL_JOB_SCHEDULED, 700);
    cqljob_move m;
    (void)state;
    cqljob_plan_claim(&m, &job, 2000, str("note"));
    assert_int_equal(m.before.count, 0);
    assert_int_equal(m.change.from_state, CQL_JOB_SCHEDULED);
    assert_int_equal(m.change.from_token, 700);
    assert_int_equal(m.change.state, CQL_JOB_PROCESSING);
    assert_int_equal(m.change.sets, CQLJOB_SET_TOKEN | CQLJOB_SET_RESULT);
    assert_int_equal(m.change.token, 2000);
    assert_int_equal(m.after.count, 2);
    assert_int_equal(find(&m.after, CQLJOB_PUT_STATE, 2, 1000)->write_us, 2000000);
    assert_int_equal(find(&m.after, CQLJOB_DROP_STATE, 1, 1000)->write_us, 2000000);
}

static void success_leaves_no_row_in_the_queue(void **state)
{
    cql_job_info job = job_in(CQL_JOB_PROCESSING, 2000);
    cqljob_facts facts = {NOW * 1000LL, 10, 7, false};
    cqljob_move m;
    (void)state;
    job.claim = str("note");
    job.error_message = str("first run failed");
    cqljob_plan_complete(&m, &job, str("42"), &facts);
    assert_int_equal(m.before.count, 1);
    assert_non_null(find(&m.before, CQLJOB_PUT_STATE, 3, 1000));
    assert_int_equal(m.change.from_state, 2);
    assert_int_equal(m.change.from_token, 2000);
    assert_int_equal(m.change.state, 3);
    assert_int_equal(m.change.sets, CQLJOB_SET_RESULT | CQLJOB_SET_ERROR);
    assert_null(m.change.error_message.ptr);
    assert_int_equal(m.after.count, 2);
    assert_non_null(find(&m.after, CQLJOB_DROP_STATE, 2, 1000));
    /* From the bucket where it was found, and at least as late as the clock says. */
    assert_int_equal(find(&m.after, CQLJOB_DROP_DUE, 7, 5000)->write_us, NOW * 1000LL);
    facts.index_behind = true;
    cqljob_plan_complete(&m, &job, str("42"), &facts);
    assert_non_null(find(&m.after, CQLJOB_DROP_STATE, 1, 1000));
}

static void failure_comes_back_later_then_never(void **state)
{
    cql_job_info job = job_in(CQL_JOB_PROCESSING, 2000);
    cqljob_facts facts = {NOW * 1000LL, 10, 7, false};
    int32_t home = cqljob_bucket(job.id, 10);
    cqljob_move m;
    int runs = 1;
    (void)state;
    assert_true(cqljob_plan_fail(&m, &job, str("no"), 30000, &facts));
    assert_int_equal(m.change.state, CQL_JOB_SCHEDULED);
    assert_int_equal(m.change.scheduled_at, NOW + 30000);
    assert_int_equal(m.change.retry_count, 1);
    assert_null(m.change.result.ptr);
    assert_int_equal(find(&m.before, CQLJOB_PUT_DUE, home, NOW + 30000)->write_us, 2000001);
    assert_non_null(find(&m.before, CQLJOB_PUT_STATE, 1, 1000));
    assert_int_equal(find(&m.after, CQLJOB_DROP_DUE, 7, 5000)->write_us, 2000001);
    assert_non_null(find(&m.after, CQLJOB_DROP_STATE, 2, 1000));
    while (cqljob_plan_fail(&m, &job, str("no"), 30000, &facts)) {
        job.retry_count = m.change.retry_count;
        runs++;
    }
    assert_int_equal(runs, 4);
    assert_int_equal(m.change.state, CQL_JOB_ABANDONED);
    assert_false(m.change.sets & CQLJOB_SET_RETRIES);
    assert_string_equal(m.change.error_message.ptr, "no");
    assert_non_null(find(&m.after, CQLJOB_DROP_DUE, 7, 5000));
}

/* Putting and removing one and the same row in one move would leave it to chance which wins. */
static void retry_never_removes_the_row_it_puts(void **state)
{
    cql_job_info job = job_in(CQL_JOB_PROCESSING, 2000);
    cqljob_facts facts = {4000 * 1000LL, 10, -1, false};
    int32_t home = cqljob_bucket(job.id, 10);
    cqljob_move m;
    (void)state;
    assert_true(cqljob_plan_fail(&m, &job, str("no"), 1000, &facts));
    assert_int_equal(m.change.scheduled_at, 5001);
    assert_non_null(find(&m.before, CQLJOB_PUT_DUE, home, 5001));
    assert_non_null(find(&m.after, CQLJOB_DROP_DUE, home, 5000));
}

static void giving_back_counts_nothing(void **state)
{
    cql_job_info job = job_in(CQL_JOB_PROCESSING, 2000);
    cqljob_facts facts = {NOW * 1000LL, 10, 7, false};
    cqljob_move m;
    (void)state;
    cqljob_plan_give_back(&m, &job, &facts);
    assert_int_equal(m.change.state, CQL_JOB_SCHEDULED);
    assert_int_equal(m.change.sets, CQLJOB_SET_RESULT | CQLJOB_SET_TIME);
    assert_int_equal(m.change.scheduled_at, NOW); /* always a time that it has not had */
    assert_non_null(find(&m.before, CQLJOB_PUT_DUE, cqljob_bucket(job.id, 10), NOW));
    assert_non_null(find(&m.after, CQLJOB_DROP_DUE, 7, 5000));
    facts.now_us = 1;
    cqljob_plan_give_back(&m, &job, &facts);
    assert_int_equal(m.change.scheduled_at, 5001);
}

/* What is released keeps a time that has yet to come. */
static void a_released_job_is_due_when_it_was_or_now(void **state)
{
    cql_job_info job = job_in(CQL_JOB_AWAITING_CONTINUATION, 2000);
    cqljob_facts facts = {NOW * 1000LL, 10, 7, false};
    cqljob_move m;
    (void)state;
    job.scheduled_at = NOW + 5000;
    cqljob_plan_release(&m, &job, &facts);
    assert_int_equal(m.change.state, CQL_JOB_SCHEDULED);
    assert_int_equal(m.change.scheduled_at, NOW + 5000);
    assert_non_null(find(&m.before, CQLJOB_PUT_DUE, cqljob_bucket(job.id, 10), NOW + 5000));
    job.scheduled_at = NOW - 5000;
    cqljob_plan_release(&m, &job, &facts);
    assert_int_equal(m.change.scheduled_at, NOW);
    assert_non_null(find(&m.before, CQLJOB_PUT_DUE, cqljob_bucket(job.id, 10), NOW));
}

static void reclaiming_counts_as_a_retry(void **state)
{
    cql_job_info job = job_in(CQL_JOB_PROCESSING, 2000);
    cqljob_facts facts = {NOW * 1000LL, 10, 7, false};
    cqljob_move m;
    (void)state;
    assert_true(cqljob_plan_reclaim(&m, &job, str("lease"), &facts));
    assert_int_equal(m.change.from_token, 2000);
    assert_int_equal(m.change.retry_count, 1);
    assert_int_equal(m.change.state, CQL_JOB_SCHEDULED);
    assert_false(m.change.sets & CQLJOB_SET_TOKEN);
    assert_int_equal(m.change.scheduled_at, NOW);
    job.retry_count = 3;
    assert_false(cqljob_plan_reclaim(&m, &job, str("lease"), &facts));
    assert_int_equal(m.change.state, CQL_JOB_ABANDONED);
    assert_string_equal(m.change.error_message.ptr, "lease");
}

static void change_is_recognised_in_the_row(void **state)
{
    cql_job_info job = job_in(CQL_JOB_SCHEDULED, 700);
    cqljob_move m;
    (void)state;
    cqljob_plan_claim(&m, &job, 2000, str("mine"));
    assert_true(cqljob_change_can_be(&m.change, &job));
    assert_false(cqljob_change_is_done(&m.change, &job));
    job.state = CQL_JOB_PROCESSING;
    job.executed_at = 2000;
    job.claim = str("theirs"); /* the same millisecond, another worker */
    assert_false(cqljob_change_is_done(&m.change, &job));
    assert_false(cqljob_change_can_be(&m.change, &job));
    job.claim = str("mine");
    assert_true(cqljob_change_is_done(&m.change, &job));
    job.executed_at = 2001;
    assert_false(cqljob_change_is_done(&m.change, &job));
    assert_false(cqljob_change_is_done(&m.change, NULL));
    assert_false(cqljob_change_can_be(&m.change, NULL));
    m.change.remove = true;
    assert_true(cqljob_change_is_done(&m.change, NULL));
    assert_false(cqljob_change_is_done(&m.change, &job));
}

static void every_column_of_a_change_is_compared(void **state)
{
    cql_job_info job = job_in(CQL_JOB_PROCESSING, 2000);
    cqljob_facts facts = {NOW * 1000LL, 10, 7, false};
    cql_job_info after;
    cqljob_move m;
    (void)state;
    cqljob_plan_fail(&m, &job, str("no"), 30000, &facts);
    after = job;
    after.state = CQL_JOB_SCHEDULED;
    after.scheduled_at = NOW + 30000;
    after.retry_count = 1;
    after.error_message = str("no");
    assert_true(cqljob_change_is_done(&m.change, &after));
    after.scheduled_at++;
    assert_false(cqljob_change_is_done(&m.change, &after));
    after.scheduled_at--;
    after.retry_count = 2;
    assert_false(cqljob_change_is_done(&m.change, &after));
    after.retry_count = 1;
    after.error_message = str("other");
    assert_false(cqljob_change_is_done(&m.change, &after));
    after.error_message = str("no");
    after.result = str("");
    assert_false(cqljob_change_is_done(&m.change, &after)); /* empty is not null */
}

static void rows_of_the_queue_are_judged_by_the_job(void **state)
{
    cql_job_info job = job_in(CQL_JOB_SCHEDULED, CQL_JOB_NO_TIME);
    (void)state;
    assert_int_equal(cqljob_look(NULL, 5000, NOW, LEASE, 0), CQLJOB_SEE_ORPHAN);
    assert_int_equal(cqljob_look(&job, 5000, NOW, LEASE, 0), CQLJOB_SEE_CLAIM);
    assert_int_equal(cqljob_look(&job, 5000, 4999, LEASE, 0), CQLJOB_SEE_RUNNING);
    assert_int_equal(cqljob_look(&job, 4000, NOW, LEASE, 0), CQLJOB_SEE_STALE);
    job.state = CQL_JOB_PROCESSING;
    job.executed_at = NOW - LEASE + 1;
    assert_int_equal(cqljob_look(&job, 5000, NOW, LEASE, 0), CQLJOB_SEE_RUNNING);
    job.executed_at = NOW - LEASE;
    assert_int_equal(cqljob_look(&job, 5000, NOW, LEASE, 0), CQLJOB_SEE_EXPIRED);
    assert_int_equal(cqljob_look(&job, 4000, NOW, LEASE, 0), CQLJOB_SEE_STALE);
    job.executed_at = NOW + 86400000; /* a clock far ahead: only watching it helps */
    assert_int_equal(cqljob_look(&job, 5000, NOW, LEASE, LEASE - 1), CQLJOB_SEE_RUNNING);
    assert_int_equal(cqljob_look(&job, 5000, NOW, LEASE, LEASE), CQLJOB_SEE_EXPIRED);
    job.executed_at = CQL_JOB_NO_TIME;
    assert_int_equal(cqljob_look(&job, 5000, NOW, LEASE, LEASE - 1), CQLJOB_SEE_RUNNING);
    assert_int_equal(cqljob_look(&job, 5000, NOW, LEASE, LEASE), CQLJOB_SEE_EXPIRED);
    for (int32_t st = 0; st <= 8; st++) {
        bool final = st == 3 || st == 5 || st == 6;
        job.state = st;
        if (st != CQL_JOB_SCHEDULED && st != CQL_JOB_PROCESSING)
            assert_int_equal(cqljob_look(&job, 5000, NOW, LEASE, LEASE),
                             final ? CQLJOB_SEE_ENDED : CQLJOB_SEE_RUNNING);
    }
}

static void sweeping_puts_what_a_waiting_job_needs(void **state)
{
    cql_job_info job = job_in(CQL_JOB_SCHEDULED, 2000);
    int32_t home = cqljob_bucket(job.id, 10);
    cqljob_indexes rows;
    (void)state;
    cqljob_plan_sweep(&rows, &job, 3, 4000, NOW * 1000LL, 10);
    assert_int_equal(rows.count, 2);
    assert_int_equal(find(&rows, CQLJOB_PUT_DUE, home, 5000)->write_us, 2000001);
    assert_int_equal(find(&rows, CQLJOB_DROP_DUE, 3, 4000)->write_us, 2000001);
    job.state = CQL_JOB_SUCCEEDED;
    cqljob_plan_sweep(&rows, &job, 3, 5000, NOW * 1000LL, 10);
    assert_int_equal(rows.count, 3);
    assert_non_null(find(&rows, CQLJOB_DROP_DUE, 3, 5000));
    assert_non_null(find(&rows, CQLJOB_DROP_STATE, 1, job.created_at));
    assert_non_null(find(&rows, CQLJOB_DROP_STATE, 2, job.created_at));
    cqljob_plan_sweep(&rows, NULL, 3, 5000, 1, 10);
    assert_int_equal(rows.count, 3);
    assert_true(find(&rows, CQLJOB_DROP_DUE, 3, 5000)->write_us > 5000 * 1000);
    assert_true(find(&rows, CQLJOB_DROP_STATE, 1, 5000)->write_us > 5000 * 1000);
    assert_int_equal(rows.rows[2].kind, CQLJOB_DROP_BACKOFF);
    cqljob_plan_sweep_state(&rows, NULL, CQL_JOB_AWAITING_BATCH, 5000, 1);
    assert_int_equal(rows.count, 2);
    assert_non_null(find(&rows, CQLJOB_DROP_STATE, CQL_JOB_AWAITING_BATCH, 5000));
    assert_int_equal(rows.rows[1].kind, CQLJOB_DROP_BACKOFF);
}

/* A retry under way has put its new row already: a sweeper that still sees the run must not win. */
static void sweeper_cannot_remove_what_a_later_step_put(void **state)
{
    cql_job_info job = job_in(CQL_JOB_PROCESSING, 2000);
    cqljob_facts facts = {NOW * 1000LL, 10, 7, false};
    int32_t home = cqljob_bucket(job.id, 10);
    cqljob_indexes rows;
    cqljob_move m;
    (void)state;
    cqljob_plan_fail(&m, &job, str("no"), 30000, &facts);
    cqljob_plan_sweep(&rows, &job, home, NOW + 30000, NOW * 1000LL, 10);
    assert_true(find(&rows, CQLJOB_DROP_DUE, home, NOW + 30000)->write_us <
                find(&m.before, CQLJOB_PUT_DUE, home, NOW + 30000)->write_us);
    cqljob_plan_sweep_state(&rows, &job, 1, 1000, NOW * 1000LL);
    assert_true(find(&rows, CQLJOB_DROP_STATE, 1, 1000)->write_us <
                find(&m.before, CQLJOB_PUT_STATE, 1, 1000)->write_us);
}

static void jobs_without_times_have_no_index_rows(void **state)
{
    cql_job_info job = job_in(CQL_JOB_PROCESSING, CQL_JOB_NO_TIME);
    cqljob_facts facts = {NOW * 1000LL, 10, 7, false};
    cqljob_move m;
    (void)state;
    job.created_at = job.scheduled_at = CQL_JOB_NO_TIME;
    cqljob_plan_complete(&m, &job, str("42"), &facts);
    assert_int_equal(m.before.count, 0);
    assert_int_equal(m.after.count, 0);
}

static void states_have_names(void **state)
{
    cql_job_state out = CQL_JOB_CREATED;
    (void)state;
    for (int i = 0; i <= 8; i++) {
        char digit[2] = {(char)('0' + i), 0};
        assert_int_equal(cql_job_state_parse(str(cql_job_state_name(i)), &out), CQL_OK);
        assert_int_equal(out, i);
        assert_int_equal(cql_job_state_parse(str(digit), &out), CQL_OK);
        assert_int_equal(out, i);
    }
    assert_int_equal(cql_job_state_parse(str("SucceedeD"), &out), CQL_OK);
    assert_int_equal(out, CQL_JOB_SUCCEEDED);
    assert_int_equal(cql_job_state_parse(str("9"), &out), CQL_NO_SUCH_NAME);
    assert_int_equal(cql_job_state_parse(str(""), &out), CQL_NO_SUCH_NAME);
    assert_int_equal(cql_job_state_parse(str("succeed"), &out), CQL_NO_SUCH_NAME);
    assert_string_equal(cql_job_state_name(9), "unknown");
    assert_string_equal(cql_job_state_name(-1), "unknown");
}

static void text_is_checked_and_mended(void **state)
{
    char text[] = "a\xff\xc3\xa9\xed\xa0\x80z\xc3";
    (void)state;
    assert_true(cqljob_is_utf8(str("")));
    assert_true(
        cqljob_is_utf8(str("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf")));
    assert_false(cqljob_is_utf8(str("\xc0\xaf")));
    assert_false(cqljob_is_utf8(str("\xe0\x80\xaf")));
    assert_false(cqljob_is_utf8(str("\xf0\x80\x80\xaf")));
    assert_false(cqljob_is_utf8(str("\xed\xa0\x80")));
    assert_false(cqljob_is_utf8(str("\xf4\x90\x80\x80")));
    assert_false(cqljob_is_utf8(str("\xf5\x80\x80\x80")));
    assert_false(cqljob_is_utf8(str("\xe2\x82")));
    assert_false(cqljob_is_utf8(str("\xe2\x82z")));
    assert_false(cqljob_is_utf8(str("\x80")));
    cqljob_mend_utf8(text, sizeof text - 1);
    assert_string_equal(text, "a?\xc3\xa9???z?");
    assert_int_equal(cqljob_cut_utf8(str("a\xc3\xa9z"), 2), 1);
    assert_int_equal(cqljob_cut_utf8(str("a\xc3\xa9z"), 3), 3);
    assert_int_equal(cqljob_cut_utf8(str("a\xc3\xa9z"), 9), 4);
}

static void copies_of_jobs_are_whole(void **state)
{
    failmalloc f;
    cql_job_info job = job_in(CQL_JOB_SUCCEEDED, 2000);
    cql_job_info *copy;
    (void)state;
    failmalloc_init(&f);
    job.result = (cql_str){"a\0b", 3};
    job.arguments = str("");
    copy = cqljob_info_new(&f.al, &job);
    assert_ptr_not_equal(copy->id.ptr, job.id.ptr);
    assert_string_equal(copy->id.ptr, job.id.ptr);
    assert_int_equal(copy->result.len, 3);
    assert_memory_equal(copy->result.ptr, "a\0b", 4);
    assert_non_null(copy->arguments.ptr);
    assert_int_equal(copy->arguments.len, 0);
    assert_null(copy->error_message.ptr);
    assert_int_equal(copy->executed_at, 2000);
    cql_job_info_free(copy);
    cql_job_info_free(NULL);
    assert_int_equal(atomic_load(&f.live), 0);
}

static void watching_counts_from_the_first_sight(void **state)
{
    cqljob_watch *watch = calloc(1, sizeof *watch);
    (void)state;
    assert_int_equal(cqljob_watch_see(watch, str("a"), 1, 100), 0);
    assert_int_equal(cqljob_watch_see(watch, str("b"), 1, 150), 0);
    assert_int_equal(cqljob_watch_see(watch, str("a"), 1, 300), 200);
    assert_int_equal(cqljob_watch_see(watch, str("a"), 2, 400), 0); /* another token */
    assert_int_equal(cqljob_watch_see(watch, str("b"), 1, 450), 300);
    for (int i = 0; i < 5 * CQLJOB_WATCH_SIZE; i++) { /* many others: at worst it starts anew */
        char text[16];
        snprintf(text, sizeof text, "x%d", i);
        assert_int_equal(cqljob_watch_see(watch, str(text), 1, 500), 0);
    }
    assert_true(cqljob_watch_see(watch, str("a"), 2, 600) <= 200);
    free(watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_the_same_for_ever),
        cmocka_unit_test(buckets_are_used_evenly),
        cmocka_unit_test(tokens_rise_whatever_the_clock_does),
        cmocka_unit_test(write_times_follow_the_history),
        cmocka_unit_test(claim_is_conditional_on_state_and_token),
        cmocka_unit_test(success_leaves_no_row_in_the_queue),
        cmocka_unit_test(failure_comes_back_later_then_never),
        cmocka_unit_test(retry_never_removes_the_row_it_puts),
        cmocka_unit_test(giving_back_counts_nothing),
        cmocka_unit_test(a_released_job_is_due_when_it_was_or_now),
        cmocka_unit_test(reclaiming_counts_as_a_retry),
        cmocka_unit_test(change_is_recognised_in_the_row),
        cmocka_unit_test(every_column_of_a_change_is_compared),
        cmocka_unit_test(rows_of_the_queue_are_judged_by_the_job),
        cmocka_unit_test(sweeping_puts_what_a_waiting_job_needs),
        cmocka_unit_test(sweeper_cannot_remove_what_a_later_step_put),
        cmocka_unit_test(jobs_without_times_have_no_index_rows),
        cmocka_unit_test(states_have_names),
        cmocka_unit_test(text_is_checked_and_mended),
        cmocka_unit_test(copies_of_jobs_are_whole),
        cmocka_unit_test(watching_counts_from_the_first_sight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
