/* The command line of cqljobs, its times, and the commands it runs for jobs. */
#include "unit.h"

#include "tools_capture.h"

#include "common/exit_code.h"
#include "jobcli/cli.h"
#include "jobcli/exec.h"
#include "jobcli/lines.h"
#include "jobcli/run.h"

#include <signal.h>
#include <unistd.h>

#include "jobs/worker.h"
#include "jobstore.h"

/* --- times ------------------------------------------------------------------------------------ */
static void times_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01", 0},
        {"2026-05-01T12:00:00Z", 1777636800000},
        {"2026-05-01 12:00", 1777636800000},
        {"2024-02-29T23:59:59.999Z", 1709251199999},
        {"2024-02-29T23:59:59.9", 1709251199900},
        {"2000-03-01T00:00:00.0004Z", 951868800000},
        {"9999-12-31T23:59:59Z", 253402300799000},
        {"1777636800000", 1777636800000},
    };
    static const char *const bad[] = {"",
                                      "x",
                                      "2026",
                                      "2026-5-1",
                                      "2026-13-01",
                                      "2026-00-01",
                                      "2026-02-30",
                                      "2025-02-29",
                                      "1900-02-29",
                                      "2026-05-01T24:00:00Z",
                                      "2026-05-01T12:60",
                                      "2026-05-01T12:00:60Z",
                                      "2026-05-01T12:00:00+02:00",
                                      "2026-05-01T12:00:00.Z",
                                      "2026-05-01T",
                                      "2026-05-01Zx",
                                      "-5",
                                      "1777636800",
                                      "999999999999999999",
                                      "2026-05-01T12"};
    int64_t ms;
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(good); i++) {
        ms = -1;
        assert_true(jobs_parse_time(good[i].text, &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < CQL_COUNT(bad); i++)
        assert_false(jobs_parse_time(bad[i], &ms));
}

static void times_are_printed_as_they_are_read(void **state)
{
    char text[JOBS_TIME_SIZE];
    (void)state;
    jobs_print_time(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    jobs_print_time(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    jobs_print_time(CQL_JOB_NO_TIME, text);
    assert_string_equal(text, "");
    jobs_print_time(INT64_MAX, text);
    assert_string_equal(text, "292278994-08-17T07:12:55.807Z");
    jobs_print_time(INT64_MIN + 1, text); /* whatever stands in a row fits */
    assert_true(strlen(text) < JOBS_TIME_SIZE);
    for (int64_t ms = 0; ms < INT64_C(250000000000000); ms += INT64_C(98765432109)) {
        int64_t again = -1;
        jobs_print_time(ms, text);
        assert_true(jobs_parse_time(text, &again));
        assert_int_equal(again, ms);
    }
}

/* --- the command line ------------------------------------------------------------------------- */
static jobs_cli cli;

/* Words separated by blanks. */
static bool read_line(const char *line)
{
    static char text[1024], name[] = "cqljobs";
    static char *argv[64];
    int argc = 1;
    snprintf(text, sizeof text, "%s", line);
    argv[0] = name;
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return jobs_cli_read(&cli, argc, argv) && jobs_cli_is_sound(&cli);
}

static void refused(const char *line, const char *part)
{
    const char *said;
    capture_begin();
    assert_false(read_line(line));
    said = capture_end();
    assert_int_equal(cli.args.exit_code, TOOL_EXIT_USAGE);
    if (!strstr(said, part))
        print_error("'%s' said: %s", line, said);
    assert_non_null(strstr(said, part));
    jobs_cli_free(&cli);
}

static void words_find_their_places(void **state)
{
    (void)state;
    assert_true(read_line("init 10.0.0.1"));
    assert_int_equal(cli.command, JOBS_INIT);
    assert_int_equal(cli.connection.words.count, 1);
    assert_string_equal(cli.connection.words.items[0], "10.0.0.1");
    jobs_cli_free(&cli);
    assert_true(read_line("10.0.0.1:9043 --json enqueue mail {}"));
    assert_int_equal(cli.command, JOBS_ENQUEUE);
    assert_string_equal(cli.connection.words.items[0], "10.0.0.1:9043");
    assert_string_equal(cli.words[0], "mail");
    assert_string_equal(cli.words[1], "{}");
    assert_true(cli.json);
    jobs_cli_free(&cli);
    assert_true(read_line("enqueue 10.0.0.1 mail {} --max-retries 0"));
    assert_string_equal(cli.connection.words.items[0], "10.0.0.1");
    assert_string_equal(cli.words[0], "mail");
    assert_int_equal(cli.max_retries, -1);
    jobs_cli_free(&cli);
    assert_true(read_line("enqueue mail --lines -"));
    assert_int_equal(cli.word_count, 1);
    jobs_cli_free(&cli);
    assert_true(read_line("delete cql://h/ks 11111111-2222-4333-8444-555555555555 "
                          "21111111-2222-4333-8444-555555555555"));
    assert_int_equal(cli.connection.words.count, 1);
    assert_int_equal(cli.word_count, 2);
    jobs_cli_free(&cli);
    assert_true(read_line("list --state 3 -n 7"));
    assert_int_equal(cli.connection.words.count, 0);
    assert_int_equal(cli.state, CQL_JOB_SUCCEEDED);
    assert_int_equal(cli.limit, 7);
    jobs_cli_free(&cli);
    assert_true(read_line("work --exec cat -j 4 --lease 2 --poll 0.25 --retry-delay .001 --drain"));
    assert_int_equal(cli.concurrency, 4);
    assert_int_equal(cli.lease_ms, 2000);
    assert_int_equal(cli.poll_ms, 250);
    assert_int_equal(cli.retry_delay_ms, 1);
    assert_true(cli.drain);
    jobs_cli_free(&cli);
}

static void what_cannot_be_followed_is_said(void **state)
{
    (void)state;
    refused("", "a command is needed");
    refused("wrok", "did you mean 'work'?");
    refused("recurring", "recurring needs add, list, remove, enable or disable");
    refused("recurring fire", "recurring fire: add, list");
    refused("recurring add a", "needs ID CRON TYPE");
    refused("recurring add a 61 t", "is no cron expression: the minute (first field)");
    refused("recurring remove", "recurring remove needs ID...");
    refused("cleanup", "cleanup needs --older-than SECONDS");
    refused("cleanup --older-than 1 --state scheduled", "have ended");
    refused("batch t", "batch needs --lines FILE");
    refused("retry 7", "is not the id of a job");
    refused("enqueue t 1 --after x", "--after: 'x' is not a UUID");
    refused("enqueue t 1 --jitter 5", "need --backoff KIND");
    refused("enqueue t 1 --backoff often", "neither fixed nor exponential");
    refused("enqueue mail", "enqueue needs TYPE JSON");
    refused("enqueue mail {", "not JSON");
    refused("enqueue mail {}x", "not JSON");
    refused("enqueue abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
            "abcdefghijklmnopqrstuvwxyz {}",
            "the type of the job has 260 bytes");
    refused("enqueue mail {} --id 7", "not a UUID");
    refused("enqueue mail --lines f --id 11111111-2222-4333-8444-555555555555",
            "exclude each other");
    refused("enqueue mail {} --in 5", "--in is not an option of enqueue");
    refused("schedule mail {}", "schedule needs --in SECONDS or --at TIME");
    refused("schedule mail {} --in 5 --at 2026-01-01", "exclude each other");
    refused("schedule mail {} --at tomorrow", "is no time");
    refused("get", "get needs ID");
    refused("get 17", "not the id of a job");
    refused("cancel 11111111-2222-4333-8444-555555555555 17", "not the id of a job");
    refused("list", "list needs --state STATE");
    refused("list --state finished", "is no state");
    refused("list --state 3 --exec cat", "--exec is not an option of list");
    refused("list --state 3 --limit 0", "--limit");
    refused("work", "work needs --exec COMMAND");
    refused("work --exec cat --lease 0.5", "whole seconds");
    refused("work --exec cat --concurrency 0", "--concurrency");
    refused("init --consistency SERIAL", "--consistency");
    refused("init --serial-consistency QUORUM", "SERIAL or LOCAL_SERIAL");
    refused("init --consistency many", "no consistency level");
}

/* --- commands --------------------------------------------------------------------------------- */
typedef struct shop {
    jobstore *db;
    jobstore_client client;
    cql_jobs *jobs;
    cql_worker *w;
    uv_loop_t loop;
    jobs_exec_settings exec;
    char reason[512];
    int lost;
} shop;

static void on_event(void *user, const cql_worker_event *e)
{
    shop *s = user;
    snprintf(s->reason, sizeof s->reason, "%s", e->text);
}

static void on_job(cql_job *job, void *user)
{
    shop *s = user;
    jobs_exec_start(&s->exec, job);
}

static const char shop_id[] = "aaaaaaaa-1111-4222-8333-444455556666";

static void shop_open(shop *s, const char *command, const char *arguments, size_t output_max)
{
    cql_worker_options o = {.size = sizeof o, .on_event = on_event, .user = s, .retry_delay_ms = 1};
    cql_job_spec spec = {.size = sizeof spec, .type = "mail", .id = shop_id, .max_retries = -1};
    memset(s, 0, sizeof *s);
    s->db = jobstore_new(0);
    jobstore_client_init(&s->client, s->db);
    s->jobs = jobstore_open(&s->client, NULL);
    s->exec = (jobs_exec_settings){&s->loop, command, output_max, 100};
    assert_int_equal(uv_loop_init(&s->loop), 0);
    spec.arguments = cql_str_of(arguments);
    assert_int_equal(cql_jobs_enqueue_wait(s->jobs, &spec, NULL, NULL), CQL_OK);
    assert_int_equal(cql_jobs_handle(s->jobs, NULL, on_job, s), CQL_OK);
    assert_int_equal(cql_worker_new(s->jobs, &o, &s->w, NULL), CQL_OK);
}

/* Turns both worlds until the job is in another state than 1 and 2, at most for some seconds. */
static const cql_job_info *shop_run(shop *s)
{
    for (int i = 0; i < 2000; i++) {
        const cql_job_info *job = jobstore_job(s->db, shop_id);
        if (job->state > CQL_JOB_PROCESSING && cql_worker_running(s->w) == 0)
            break;
        (void)cql_worker_step(s->w);
        jobstore_run_until(s->db, jobstore_time(s->db) + 10000);
        (void)uv_run(&s->loop, UV_RUN_NOWAIT);
        uv_sleep(5);
    }
    while (uv_run(&s->loop, UV_RUN_DEFAULT))
        ;
    return jobstore_job(s->db, shop_id);
}

static void shop_close(shop *s)
{
    cql_worker_free(s->w);
    cql_jobs_free(s->jobs);
    jobstore_free(s->db);
    assert_int_equal(uv_loop_close(&s->loop), 0);
}

static void succeeds(const char *command, const char *arguments, const char *result)
{
    shop s;
    const cql_job_info *job;
    shop_open(&s, command, arguments, 1000000);
    job = shop_run(&s);
    assert_int_equal(job->state, CQL_JOB_SUCCEEDED);
    assert_string_equal(job->result.ptr, result);
    shop_close(&s);
}

static void fails(const char *command, size_t output_max, const char *reason)
{
    shop s;
    const cql_job_info *job;
    shop_open(&s, command, "{}", output_max);
    capture_begin();
    job = shop_run(&s);
    (void)capture_end();
    assert_int_equal(job->state, CQL_JOB_ABANDONED);
    assert_string_equal(job->error_message.ptr, reason);
    shop_close(&s);
}

static void input_and_output_of_a_command(void **state)
{
    static char big[200001];
    (void)state;
    succeeds("cat", "{\"a\":  1}", "{\"a\":  1}");
    succeeds("echo; echo two; echo; echo", "", "\ntwo");
    succeeds("true", "unread", "");
    succeeds("exec 0<&-; sleep 0.1; echo deaf", "unread", "deaf");
    succeeds("echo \"$CQL_JOB_ID $CQL_JOB_TYPE $CQL_JOB_ATTEMPT\"", "",
             "aaaaaaaa-1111-4222-8333-444455556666 mail 1");
    succeeds("test \"$CQL_JOB_TOKEN\" -gt 1600000000000 && echo yes", "", "yes");
    memset(big, 'x', sizeof big - 1); /* more than a pipe holds, both ways */
    succeeds("cat", big, big);
    /* Somebody that the command left behind holds its output open. */
    succeeds("(sleep 5 & ) ; echo gone", "", "gone");
}

static void failures_say_why(void **state)
{
    (void)state;
    fails("exit 3", 1000, "exit status 3");
    fails("echo first >&2; echo 'the last line' >&2; echo >&2; exit 1", 1000,
          "exit status 1: the last line");
    fails("kill -9 $$", 1000, "ended by signal 9 (Killed)");
    fails("nonexistent-command 2>/dev/null", 1000, "exit status 127");
    fails("echo 12345; echo 67890", 10, "the output is larger than 10 bytes");
    fails("yes", 100000, "the output is larger than 100000 bytes");
    fails("printf '\\377'", 1000, "the output cannot be stored: it is not UTF-8");
}

/* The lease runs out while the command works: it is ended, with what it has started. */
static void command_of_a_lost_job_is_ended(void **state)
{
    shop s;
    (void)state;
    shop_open(&s, "trap '' TERM; sleep 1000 & wait; wait", "{}", 1000);
    for (int i = 0; i < 50 && cql_worker_running(s.w) == 0; i++) {
        (void)cql_worker_step(s.w);
        jobstore_run_until(s.db, jobstore_time(s.db) + 10000);
        (void)uv_run(&s.loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(cql_worker_running(s.w), 1);
    jobstore_run_until(s.db, jobstore_time(s.db) + 299 * 1000000LL);
    (void)cql_worker_step(s.w);
    while (uv_run(&s.loop, UV_RUN_DEFAULT)) /* it does not listen to SIGTERM, so it is killed */
        ;
    for (int i = 0; i < 50 && cql_worker_running(s.w); i++) {
        (void)cql_worker_step(s.w);
        jobstore_run_until(s.db, jobstore_time(s.db) + 10000);
    }
    /* Nobody had taken it: given back, not counted as a failure. */
    assert_int_equal(jobstore_job(s.db, shop_id)->retry_count, 0);
    cql_worker_stop(s.w);
    shop_close(&s);
}

static void expect_line(const char *given, bool first, const char *wanted)
{
    char line[64];
    size_t n = strlen(given);
    (void)snprintf(line, sizeof line, "%s", given);
    const char *got = jobs_trim_line(line, &n, first);
    assert_int_equal(n, strlen(wanted));
    assert_memory_equal(got, wanted, n);
}

static void lines_of_files_come_without_what_editors_put_around_them(void **state)
{
    (void)state;
    expect_line("{\"a\":1}\n", true, "{\"a\":1}");
    expect_line("{\"a\":1}\r\n", false, "{\"a\":1}");
    expect_line("\xef\xbb\xbf[1]", true, "[1]");
    expect_line("\xef\xbb\xbf[1]", false, "\xef\xbb\xbf[1]");
    expect_line("\xef\xbb\xbf\r\n", true, "");
    expect_line(" [1]\t\n", true, " [1]\t");
    expect_line(" \t\r\n", false, "");
    expect_line("\n", true, "");
    expect_line("", true, "");
}

static void warnings_of_one_kind_are_told_once_in_a_while(void **state)
{
    jobs_warned warned = {0};
    (void)state;
    assert_true(jobs_warning_is_new(&warned, "Read 100 live rows and 1017 tombstone cells", 1000));
    assert_false(jobs_warning_is_new(&warned, "Read 2 live rows and 99 tombstone cells", 2000));
    assert_true(jobs_warning_is_new(&warned, "Aggregation query used without partition key", 2000));
    assert_false(jobs_warning_is_new(&warned, "Read 3 live rows and 5 tombstone cells", 600999));
    assert_true(jobs_warning_is_new(&warned, "Read 3 live rows and 5 tombstone cells", 601000));
    assert_false(jobs_warning_is_new(&warned, "Read 3 live rows and 5 tombstone cells", 601001));
    for (char kind = 'a'; kind < 'k'; kind++) { /* more kinds than are kept */
        char text[] = {kind, '1', '\0'};
        assert_true(jobs_warning_is_new(&warned, text, 700000));
    }
    assert_true(jobs_warning_is_new(&warned, "Read 3 live rows and 5 tombstone cells", 700000));
}

static void assert_line(jobs_lines *l, const char *expected)
{
    size_t n = 0;
    const char *line = jobs_lines_next(l, &n);
    assert_string_equal(line, expected);
    assert_int_equal(n, strlen(expected));
}

/* What came in one piece is had without waiting for the next piece. */
static void lines_of_a_pipe_are_ready_when_they_have_come(void **state)
{
    int ends[2];
    jobs_lines l = {.fd = -1};
    size_t n;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    l.fd = ends[0];
    assert_false(jobs_lines_are_ready(&l));
    assert_int_equal(write(ends[1], "1\n22\n\n3", 7), 7);
    assert_line(&l, "1");
    assert_true(jobs_lines_are_ready(&l));
    assert_line(&l, "22");
    assert_line(&l, "");
    assert_false(jobs_lines_are_ready(&l)); /* the last one has no end yet */
    assert_int_equal(write(ends[1], "4", 1), 1);
    assert_false(jobs_lines_are_ready(&l)); /* nor now */
    assert_int_equal(write(ends[1], "\n5", 2), 2);
    assert_true(jobs_lines_are_ready(&l));
    assert_line(&l, "34");
    close(ends[1]);
    assert_true(jobs_lines_are_ready(&l));
    assert_line(&l, "5");
    assert_null(jobs_lines_next(&l, &n));
    assert_int_equal(l.error, 0);
    close(ends[0]);
    jobs_lines_free(&l);
    l = (jobs_lines){.fd = ends[0]};
    assert_null(jobs_lines_next(&l, &n));
    assert_int_equal(l.error, EBADF);
    jobs_lines_free(&l);
}

static void answers_are_printed_in_the_order_of_their_lines(void **state)
{
    static const unsigned order[] = {2, 0, 3, 1};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    (void)state;
    jobs_in_order o = {.first = 0};
    for (int round = 0; round < 100; round++) {
        unsigned place[4];
        for (int i = 0; i < 4; i++)
            place[i] = jobs_in_order_add(&o);
        for (int i = 0; i < 4; i++) {
            char digit[] = {(char)('0' + order[i]), '\0'};
            assert_int_equal(jobs_in_order_count(&o), i < 2 ? 4 : 3);
            jobs_in_order_come(&o, place[order[i]], order[i] == 3 ? NULL : strdup(digit), out);
        }
        assert_int_equal(jobs_in_order_count(&o), 0);
    }
    fclose(out);
    assert_int_equal(size, 300);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(text[i], '0' + i % 3);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(times_are_printed_as_they_are_read),
        cmocka_unit_test(words_find_their_places),
        cmocka_unit_test(what_cannot_be_followed_is_said),
        cmocka_unit_test(lines_of_files_come_without_what_editors_put_around_them),
        cmocka_unit_test(warnings_of_one_kind_are_told_once_in_a_while),
        cmocka_unit_test(lines_of_a_pipe_are_ready_when_they_have_come),
        cmocka_unit_test(answers_are_printed_in_the_order_of_their_lines),
        cmocka_unit_test(input_and_output_of_a_command),
        cmocka_unit_test(failures_say_why),
        cmocka_unit_test(command_of_a_lost_job_is_ended),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the tool does: a command need not read */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
