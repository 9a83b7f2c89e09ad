/* The job store's requests on a real session with a mock node: the statement, values and levels of each on the wire, and
 * what becomes of every kind of answer. What the store does with them is shown by tests/unit/jobs_*.c. */
#include "failmalloc.h"
#include "mocksession.h"
#include "mocktables.h"

#include "base/bytes.h"
#include "jobs/cqlstore.h"

#include <stdlib.h>

/* --- the tables -------------------------------------------------------------------------------------- */

enum { COLUMNS = 16, NAME = 32, LOG = 4096, SESSIONS_PAGE = 5000 /* the usual one, of what asks for none */ };

typedef struct columns {
    char names[COLUMNS][NAME];
    respond_column column[COLUMNS];
    uint32_t count;
} columns;

static uint16_t type_of(const char *name)
{
    static const struct {
        const char *names;
        uint16_t type;
    } types[] = {
        {" state bucket kind part shard retry_count max_retry_count jitter_percent ", CQL_TYPE_INT},
        {" delay_ms most_ms TIMESTAMP ", CQL_TYPE_BIGINT},
        {" created_at scheduled_at executed_at at next_execution last_execution ", CQL_TYPE_TIMESTAMP},
        {" jobs ", CQL_TYPE_COUNTER},
        {" is_enabled [applied] ", CQL_TYPE_BOOLEAN}};
    char word[NAME + 2];
    snprintf(word, sizeof word, " %s ", name);
    for (size_t i = 0; i < CQL_COUNT(types); i++)
        if (strstr(types[i].names, word))
            return types[i].type;
    return CQL_TYPE_TEXT;
}

static void add_column(columns *c, const char *name, size_t len)
{
    assert_true(c->count < COLUMNS && len < NAME);
    snprintf(c->names[c->count], NAME, "%.*s", (int)len, name);
    c->column[c->count] = (respond_column){c->names[c->count], type_of(c->names[c->count])};
    c->count++;
}

/* Names between commas and blanks, up to `end`. */
static void add_names(columns *c, const char *at, const char *end)
{
    while (at < end) {
        size_t len = strcspn(at, ", )");
        if (at + len > end)
            len = (size_t)(end - at);
        if (len)
            add_column(c, at, len);
        at += len + 1;
    }
}

/* The columns that take the markers: those of an INSERT in its list, others right before the mark. */
static void find_markers(columns *c, const char *cql)
{
    const char *values = strstr(cql, "VALUES (");
    const char *list_end = values ? strchr(values, ')') : cql;
    if (values)
        add_names(c, strchr(cql, '(') + 1, values - 2);
    for (const char *at = strchr(list_end, '?'); at; at = strchr(at + 1, '?')) {
        const char *end = at, *begin;
        while (strchr(" =<>+", end[-1]))
            end--;
        for (begin = end; begin[-1] != ' '; begin--)
            continue;
        add_column(c, begin, (size_t)(end - begin));
    }
}

static void shape(void *self, cql_str cql, respond_table *markers, respond_table *result)
{
    static columns of_markers, of_result;
    char text[800];
    (void)self;
    snprintf(text, sizeof text, "%.*s", (int)cql.len, cql.ptr);
    of_markers.count = of_result.count = 0;
    find_markers(&of_markers, text);
    if (strncmp(text, "SELECT ", 7) == 0)
        add_names(&of_result, text + 7, strstr(text, " FROM"));
    *markers = (respond_table){"ks", "t", of_markers.column, of_markers.count};
    *result = (respond_table){"ks", "t", of_result.column, of_result.count};
}

/* --- what was asked, and what is answered ------------------------------------------------------------- */

static char asked_log[LOG];

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    size_t len = strlen(asked_log);
    va_list args;
    va_start(args, format);
    vsnprintf(asked_log + len, sizeof asked_log - len, format, args);
    va_end(args);
}

static void note_value(const respond_column *column, cql_str v)
{
    const uint8_t *bytes = (const uint8_t *)v.ptr;
    if (!v.ptr)
        note("%s", v.len ? "unset" : "null");
    else if (column->type == CQL_TYPE_TEXT)
        note("'%.*s'", (int)v.len, v.ptr);
    else if (column->type == CQL_TYPE_BOOLEAN)
        note("%s", bytes[0] ? "true" : "false");
    else if (v.len == 4)
        note("%d", (int)cqln_load_u32(bytes));
    else
        note("%lld", (long long)cqln_load_u64(bytes));
}

static void note_asked(const mockasked *a)
{
    columns c = {.count = 0};
    char text[800];
    if (a->cql.ptr) {
        snprintf(text, sizeof text, "%.*s", (int)a->cql.len, a->cql.ptr);
        find_markers(&c, text);
        note("%s", text);
        for (uint16_t i = 0; i < a->count; i++) {
            note("%s", i ? ", " : " | ");
            note_value(&c.column[i], a->values[i]);
        }
    }
    if (a->opcode == CQLN_OP_BATCH && !a->cql.ptr)
        note("batch of kind %u", a->kind);
    if (a->opcode != CQLN_OP_BATCH || !a->cql.ptr)
        note(" @%s", cql_consistency_name(a->consistency));
    if (a->serial)
        note("/%s", cql_consistency_name(a->serial));
    if (a->page_size && a->page_size != SESSIONS_PAGE)
        note(" page %d", (int)a->page_size);
    if (a->page.len)
        note(" from %.*s", (int)a->page.len, a->page.ptr);
    note("\n");
}

/* The answer to the next requests: an error, rows, or void. */
static struct {
    uint32_t error;
    bool once; /* then it is void */
    const char *message;
    columns columns;
    cqln_writer cells;
    uint32_t rows;
    const char *page;
    const char *body;    /* of a RESULT, 8 bytes */
    const char *warning; /* with void */
} plan;

static void respond_warned(mockconn *c, int16_t stream, cqln_writer *out)
{
    size_t at = respond_begin(out, c->version, CQLN_FLAG_WARNING, stream, CQLN_OP_RESULT);
    cqln_write_u16(out, 1);
    cqln_write_string(out, cql_str_of(plan.warning));
    cqln_write_u32(out, CQLN_RESULT_VOID);
    respond_end(out, at);
}

static void answer(void *self, mockconn *c, int16_t stream, const mockasked *asked, cqln_writer *out)
{
    (void)self;
    note_asked(asked);
    if (asked->opcode == CQLN_OP_BATCH && asked->cql.ptr)
        return;
    respond_table t = {"ks", "t", plan.columns.column, plan.columns.count};
    if (plan.error)
        respond_error(out, c->version, stream, plan.error, plan.message,
                      "\0\6\0\0\0\1\0\0\0\2\0\11BATCH_LOG", 21);
    else if (plan.warning)
        respond_warned(c, stream, out);
    else if (plan.body)
        respond_body(out, c->version, stream, CQLN_OP_RESULT, plan.body, 8);
    else if (t.count)
        respond_rows(out, c->version, stream, &t, true, plan.page, plan.rows,
                     (cql_str){(const char *)plan.cells.data, plan.cells.len});
    else
        respond_void(out, c->version, stream);
    if (plan.once)
        plan.error = 0;
}

static void plan_nothing(void)
{
    cqln_writer_fini(&plan.cells);
    memset(&plan, 0, sizeof plan);
    cqln_writer_init(&plan.cells, cqln_alloc_default(), 1 << 20);
}

static void plan_error(uint32_t code, const char *message)
{
    plan_nothing();
    plan.error = code;
    plan.message = message;
}

static void plan_columns(const char *names)
{
    plan_nothing();
    add_names(&plan.columns, names, names + strlen(names));
}

static void cell_null(void)
{
    cqln_write_u32(&plan.cells, UINT32_MAX);
}

static void cell_int64(int64_t v)
{
    cqln_write_u32(&plan.cells, 8);
    cqln_write_u64(&plan.cells, (uint64_t)v);
}

static void cell_bool(bool v)
{
    cqln_write_u32(&plan.cells, 1);
    cqln_write_u8(&plan.cells, v);
}

#define cell_text(text) mock_cell_text(&plan.cells, text)
#define cell_int(v) mock_cell_int(&plan.cells, (uint32_t)(v))

/* In the table's order, which is that of names but for the key. */
static const char job_columns[] =
    "id arguments batch_id created_at error_message executed_at max_retry_count parent_job_id result "
    "retry_count scheduled_at state type_name";
static const char refused_columns[] =
    "[applied] id arguments batch_id created_at error_message executed_at max_retry_count parent_job_id "
    "result retry_count scheduled_at state type_name";

static void job_row(int32_t state)
{
    plan.rows++;
    cell_text("j1");
    cell_text("{}");
    cell_null();
    cell_int64(1000);
    cell_null();
    cell_int64(1500);
    cell_int(3);
    cell_text("p1");
    cell_text("note");
    cell_int(2);
    cell_int64(2000);
    if (state)
        cell_int(state);
    else
        cell_null();
    cell_text("mail");
}

/* --- a store ------------------------------------------------------------------------------------------ */

static cql_session *session;
static cqljob_store store;
static char warned[64];

static void on_warning(void *user, cql_str text)
{
    (void)user;
    snprintf(warned, sizeof warned, "%.*s", (int)text.len, text.ptr);
}

static cql_status make_store(const cql_allocator *al, const char *keyspace)
{
    cqljob_settings set;
    const cql_jobs_options o = {.size = sizeof o, .keyspace = keyspace, .on_warning = on_warning};
    assert_int_equal(cqljob_settings_read(&set, &o, NULL), CQL_OK);
    return cqljob_cqlstore_new(session, al, &set, &store);
}

static int start(void **state)
{
    static const mockplay play = {NULL, shape, answer};
    mockserver_start(&server, 1);
    server.mc.play = &play;
    cqln_writer_init(&plan.cells, cqln_alloc_default(), 1 << 20);
    session = open_session("loop_threads=0&consistency=ONE&serial_consistency=SERIAL");
    assert_int_equal(make_store(cqln_alloc_default(), "ks"), CQL_OK);
    (void)state;
    return 0;
}

static int stop(void **state)
{
    store.free(store.self);
    close_session(session);
    plan_nothing();
    cqln_writer_fini(&plan.cells);
    return stop_server(state);
}

static int reset(void **state)
{
    (void)state;
    plan_nothing();
    asked_log[0] = warned[0] = '\0';
    return 0;
}

/* An answer, with what the store would have taken back. */
typedef struct taken {
    bool came;
    cqljob_answer a;
    cql_status st;
    char text[400];
    char page[20];
} taken;

static void on_answer(void *user, cqljob_answer *a)
{
    taken *t = user;
    assert_false(t->came);
    t->came = true;
    t->a = *a;
    t->st = a->err ? cql_error_status(a->err) : CQL_OK;
    snprintf(t->text, sizeof t->text, "%s", a->err ? cql_error_text(a->err) : "");
    snprintf(t->page, sizeof t->page, "%.*s", (int)a->page.len, a->page.len ? a->page.ptr : "");
    a->job = NULL;
    a->keys = NULL;
    a->recurring = NULL;
}

static void drop(taken *t)
{
    cql_job_info_free(t->a.job);
    cqljob_free(cqln_alloc_default(), t->a.keys);
    cql_recurring_list_free(t->a.recurring);
    t->a.job = NULL;
    t->a.keys = NULL;
    t->a.recurring = NULL;
}

static cql_status send_with(const cqljob_store *at, const cqljob_request *rq, taken *t)
{
    memset(t, 0, sizeof *t);
    asked_log[0] = '\0';
    cql_status st = at->send(at->self, rq, on_answer, t);
    while (st == CQL_OK && !t->came)
        assert_int_equal(at->turn(at->self, 1000), CQL_OK);
    return st;
}

static taken ask(const cqljob_request *rq)
{
    taken t;
    assert_int_equal(send_with(&store, rq, &t), CQL_OK);
    return t;
}

/* That request goes out so; void is its answer. */
static void goes_as(const cqljob_request *rq, const char *log)
{
    taken t = ask(rq);
    assert_string_equal(asked_log, log);
    drop(&t);
}

/* --- requests ----------------------------------------------------------------------------------------- */

#define ID .id = {"j1", 2}
#define TEXT(text) {text, sizeof text - 1}

static const cql_job_info job = {.id = TEXT("j1"),
                                 .type = TEXT("mail"),
                                 .arguments = TEXT("{}"),
                                 .state = CQL_JOB_SCHEDULED,
                                 .max_retry_count = 3,
                                 .created_at = 1000,
                                 .scheduled_at = 2000,
                                 .executed_at = CQL_JOB_NO_TIME,
                                 .batch_id = TEXT("b1")};

static void a_job_is_read_and_changed(void **state)
{
    static const cqljob_change claim = {.from_state = 1, .from_token = CQL_JOB_NO_TIME, .state = 2,
                                        .sets = CQLJOB_SET_TOKEN | CQLJOB_SET_RESULT, .token = 1500,
                                        .result = TEXT("note")};
    static const cqljob_change fail = {.from_state = 2, .from_token = 1500, .state = 1,
                                       .sets = CQLJOB_SET_TIME | CQLJOB_SET_RETRIES | CQLJOB_SET_ERROR |
                                               CQLJOB_SET_RESULT,
                                       .scheduled_at = 2500, .retry_count = 2, .error_message = TEXT("why")};
    static const cqljob_change removal = {.from_state = 3, .from_token = 1500, .remove = true};
    (void)state;
    goes_as(&(cqljob_request){.verb = CQLJOB_GET, ID},
            "SELECT id, type_name, arguments, state, created_at, scheduled_at, executed_at, retry_count, "
            "max_retry_count, error_message, result, batch_id, parent_job_id FROM \"ks\".jobs WHERE id = ? "
            "| 'j1' @LOCAL_QUORUM\n");
    taken t = ask(&(cqljob_request){.verb = CQLJOB_GET, ID, .serial = true});
    assert_non_null(strstr(asked_log, "| 'j1' @LOCAL_SERIAL\n"));
    drop(&t);
    goes_as(&(cqljob_request){.verb = CQLJOB_INSERT, ID, .job = &job},
            "INSERT INTO \"ks\".jobs (id, type_name, arguments, state, created_at, scheduled_at, retry_count, "
            "max_retry_count, batch_id, parent_job_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS "
            "| 'j1', 'mail', '{}', 1, 1000, 2000, 0, 3, 'b1', unset @LOCAL_QUORUM/LOCAL_SERIAL\n");
#define UPDATE                                                                                      \
    "UPDATE \"ks\".jobs SET state = ?, executed_at = ?, scheduled_at = ?, retry_count = ?, "           \
    "error_message = ?, result = ? WHERE id = ? IF state = ? AND executed_at = ? "
    goes_as(&(cqljob_request){.verb = CQLJOB_CHANGE, ID, .change = &claim},
            UPDATE "| 2, 1500, unset, unset, unset, 'note', 'j1', 1, null @LOCAL_QUORUM/LOCAL_SERIAL\n");
    goes_as(&(cqljob_request){.verb = CQLJOB_CHANGE, ID, .change = &fail},
            UPDATE "| 1, unset, 2500, 2, 'why', null, 'j1', 2, 1500 @LOCAL_QUORUM/LOCAL_SERIAL\n");
    goes_as(&(cqljob_request){.verb = CQLJOB_CHANGE, ID, .change = &removal},
            "DELETE FROM \"ks\".jobs WHERE id = ? IF state = ? AND executed_at = ? "
            "| 'j1', 3, 1500 @LOCAL_QUORUM/LOCAL_SERIAL\n");
}

/* As one batch each, at the level of the store and not of the session. */
static void index_rows_and_counters_go_as_batches(void **state)
{
    static const cql_job_backoff own = {CQL_BACKOFF_FIXED, 4000000000u, 0, 10};
    static const cqljob_indexes rows = {
        {{CQLJOB_PUT_STATE, 1, 1000, 77, {NULL, 0}, NULL},
         {CQLJOB_DROP_DUE, 4, 2000, 78, {NULL, 0}, NULL},
         {CQLJOB_PUT_LINK, CQLJOB_LINK_MEMBER, 0, 79, {"b1", 2}, NULL},
         {CQLJOB_PUT_BACKOFF, 0, 0, 80, {NULL, 0}, &own}},
        4};
    static const int64_t tally[CQLJOB_STATES] = {[1] = 2, [3] = -1};
    (void)state;
    goes_as(&(cqljob_request){.verb = CQLJOB_INDEX, ID, .indexes = &rows},
            "INSERT INTO \"ks\".jobs_by_state (state, created_at, job_id) VALUES (?, ?, ?) USING TIMESTAMP ? "
            "| 1, 1000, 'j1', 77\n"
            "DELETE FROM \"ks\".scheduled_jobs USING TIMESTAMP ? WHERE bucket = ? AND scheduled_at = ? AND "
            "job_id = ? | 78, 4, 2000, 'j1'\n"
            "INSERT INTO \"ks\".job_links (awaited, kind, job_id) VALUES (?, ?, ?) USING TIMESTAMP ? "
            "| 'b1', 1, 'j1', 79\n"
            "INSERT INTO \"ks\".job_backoff (job_id, kind, delay_ms, most_ms, jitter_percent) "
            "VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ? | 'j1', 1, 4000000000, 0, 10, 80\n"
            "batch of kind 1 @LOCAL_QUORUM\n");
    taken t = ask(&(cqljob_request){.verb = CQLJOB_TALLY, .tally = tally});
    assert_int_equal(t.a.outcome, CQLJOB_DONE);
    const char *second = strchr(asked_log, '\n') + 1;
    static const char update[] =
        "UPDATE \"ks\".job_counts SET jobs = jobs + ? WHERE state = ? AND shard = ? | ";
    assert_int_equal(strncmp(asked_log, update, strlen(update)), 0);
    assert_int_equal(strncmp(asked_log + strlen(update), "2, 1, ", 6), 0);
    assert_int_equal(strncmp(second + strlen(update), "-1, 3, ", 7), 0);
    assert_string_equal(strchr(second, '\n'), "\nbatch of kind 2 @LOCAL_QUORUM\n"); /* states without a change have none */
}

static void pages_are_asked_for(void **state)
{
    (void)state;
    plan_columns("scheduled_at job_id");
    goes_as(&(cqljob_request){.verb = CQLJOB_DUE, .part = 4, .from_ms = 5, .until_ms = 9, .page_size = 10},
            "SELECT scheduled_at, job_id FROM \"ks\".scheduled_jobs WHERE bucket = ? AND scheduled_at >= ? AND "
            "scheduled_at <= ? | 4, 5, 9 @LOCAL_QUORUM page 10\n");
    goes_as(&(cqljob_request){.verb = CQLJOB_LIST, .part = 3, .from_ms = 5, .until_ms = 9, .page_size = 10,
                              .page = TEXT("abc")},
            "SELECT created_at, job_id FROM \"ks\".jobs_by_state WHERE state = ? AND created_at >= ? AND "
            "created_at <= ? | 3, 5, 9 @LOCAL_QUORUM page 10 from abc\n");
    plan_columns("job_id");
    goes_as(&(cqljob_request){.verb = CQLJOB_LINKS, ID, .part = CQLJOB_LINK_THEN, .page_size = 10},
            "SELECT job_id FROM \"ks\".job_links WHERE awaited = ? AND kind = ? | 'j1', 2 @LOCAL_QUORUM page 10\n");
    plan_columns("created_at id");
    goes_as(&(cqljob_request){.verb = CQLJOB_BATCH, .id = TEXT("b1"), .page_size = 10},
            "SELECT created_at, id FROM \"ks\".jobs WHERE batch_id = ? | 'b1' @LOCAL_QUORUM page 10\n");
}

static void the_rest_is_asked_for(void **state)
{
    static const cql_recurring_info r = {.id = TEXT("r1"), .cron = TEXT("* * * * *"), .type = TEXT("mail"),
                                         .arguments = TEXT("{}"), .max_retry_count = 3, .is_enabled = true,
                                         .next_execution = 60000, .last_execution = CQL_JOB_NO_TIME,
                                         .created_at = 1000};
    (void)state;
    goes_as(&(cqljob_request){.verb = CQLJOB_PUT_MARK, .mark = {1, 4, 1000}},
            "INSERT INTO \"ks\".job_marks (kind, part, at) VALUES (?, ?, ?) | 1, 4, 1000 @LOCAL_QUORUM\n");
    goes_as(&(cqljob_request){.verb = CQLJOB_R_INSERT, .recurring = &r},
            "INSERT INTO \"ks\".recurring_jobs (id, cron_expression, job_type_name, job_arguments, max_retry_count, "
            "is_enabled, next_execution, last_execution, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) IF NOT "
            "EXISTS | 'r1', '* * * * *', 'mail', '{}', 3, true, 60000, null, 1000 @LOCAL_QUORUM/LOCAL_SERIAL\n");
    goes_as(&(cqljob_request){.verb = CQLJOB_R_UPDATE, .recurring = &r, .until_ms = CQL_JOB_NO_TIME},
            "UPDATE \"ks\".recurring_jobs SET cron_expression = ?, job_type_name = ?, job_arguments = ?, "
            "max_retry_count = ?, is_enabled = ?, next_execution = ?, last_execution = ?, created_at = ? WHERE id = "
            "? IF next_execution = ? | '* * * * *', 'mail', '{}', 3, true, 60000, null, 1000, 'r1', null "
            "@LOCAL_QUORUM/LOCAL_SERIAL\n");
    goes_as(&(cqljob_request){.verb = CQLJOB_R_NEXT, .recurring = &r, .until_ms = 50000},
            "UPDATE \"ks\".recurring_jobs SET next_execution = ?, last_execution = ? WHERE id = ? IF "
            "next_execution = ? | 60000, null, 'r1', 50000 @LOCAL_QUORUM/LOCAL_SERIAL\n");
    goes_as(&(cqljob_request){.verb = CQLJOB_R_DELETE, .id = TEXT("r1")},
            "DELETE FROM \"ks\".recurring_jobs WHERE id = ? IF EXISTS | 'r1' @LOCAL_QUORUM/LOCAL_SERIAL\n");
}

/* --- answers ------------------------------------------------------------------------------------------ */

static void a_row_becomes_a_job(void **state)
{
    const cqljob_request get = {.verb = CQLJOB_GET, ID};
    (void)state;
    plan_columns(job_columns);
    job_row(CQL_JOB_SUCCEEDED);
    taken t = ask(&get);
    assert_int_equal(t.a.outcome, CQLJOB_DONE);
    assert_string_equal(t.a.job->id.ptr, "j1");
    assert_string_equal(t.a.job->type.ptr, "mail");
    assert_string_equal(t.a.job->arguments.ptr, "{}");
    assert_string_equal(t.a.job->result.ptr, "note");
    assert_string_equal(t.a.job->parent_job_id.ptr, "p1");
    assert_null(t.a.job->batch_id.ptr);
    assert_null(t.a.job->error_message.ptr);
    assert_null(t.a.job->claim.ptr);
    assert_int_equal(t.a.job->created_at, 1000);
    assert_int_equal(t.a.job->executed_at, 1500);
    assert_int_equal(t.a.job->scheduled_at, 2000);
    assert_int_equal(t.a.job->retry_count, 2);
    assert_int_equal(t.a.job->max_retry_count, 3);
    drop(&t);
    plan_columns(job_columns);
    job_row(CQL_JOB_PROCESSING); /* the note is in the column of the result */
    t = ask(&get);
    assert_string_equal(t.a.job->claim.ptr, "note");
    assert_null(t.a.job->result.ptr);
    drop(&t);
    plan_columns(job_columns);
    t = ask(&get);
    assert_int_equal(t.a.outcome, CQLJOB_REFUSED);
    assert_null(t.a.job);
}

/* Of a job that was deleted while it was updated, of other programs' tables, and cut. */
static void a_row_that_is_no_job_is_an_error(void **state)
{
    const cqljob_request get = {.verb = CQLJOB_GET, ID};
    (void)state;
    plan_columns(job_columns);
    job_row(0);
    taken t = ask(&get);
    assert_int_equal(t.a.outcome, CQLJOB_FAILED);
    assert_int_equal(t.st, CQL_MALFORMED);
    assert_non_null(strstr(t.text, "it has no state"));
    plan_columns("id type_name");
    plan.rows = 1;
    cell_text("j1");
    cell_text("mail");
    t = ask(&get);
    assert_int_equal(t.a.outcome, CQLJOB_FAILED);
    assert_int_equal(t.st, CQL_MALFORMED);
    plan_columns(job_columns);
    plan.columns.column[3].type = CQL_TYPE_TEXT; /* created_at */
    job_row(CQL_JOB_SUCCEEDED);
    t = ask(&get);
    assert_int_equal(t.a.outcome, CQLJOB_FAILED);
    assert_null(t.a.job);
}

static void a_conditional_write_says_whether_it_was_applied(void **state)
{
    const cqljob_request insert = {.verb = CQLJOB_INSERT, ID, .job = &job};
    static const cqljob_change change = {.from_state = 1, .state = 2};
    (void)state;
    plan_columns("[applied]");
    plan.rows = 1;
    cell_bool(true);
    taken t = ask(&insert);
    assert_int_equal(t.a.outcome, CQLJOB_DONE);
    assert_null(t.a.job);
    plan_columns(refused_columns);
    cell_bool(false);
    job_row(CQL_JOB_SUCCEEDED);
    t = ask(&insert);
    assert_int_equal(t.a.outcome, CQLJOB_REFUSED);
    assert_int_equal(t.a.job->state, CQL_JOB_SUCCEEDED);
    drop(&t);
    plan_columns(refused_columns); /* whose row is no job: no caller could go on */
    cell_bool(false);
    job_row(0);
    t = ask(&insert);
    assert_int_equal(t.a.outcome, CQLJOB_UNKNOWN);
    assert_int_equal(t.st, CQL_MALFORMED);
    plan_columns("[applied] state");
    plan.rows = 1;
    cell_bool(false);
    cell_int(3);
    t = ask(&(cqljob_request){.verb = CQLJOB_CHANGE, ID, .change = &change});
    assert_int_equal(t.a.outcome, CQLJOB_REFUSED);
}

static void keys_and_marks_are_read(void **state)
{
    const cqljob_request due = {.verb = CQLJOB_DUE, .part = 4, .page_size = 2};
    (void)state;
    plan_columns("scheduled_at job_id");
    plan.rows = 2;
    plan.page = "next";
    cell_int64(100);
    cell_text("j1");
    cell_null();
    cell_text("");
    taken t = ask(&due);
    assert_int_equal(t.a.outcome, CQLJOB_DONE);
    assert_int_equal(t.a.key_count, 2);
    assert_int_equal(t.a.keys[0].at, 100);
    assert_string_equal(t.a.keys[0].id, "j1");
    assert_int_equal(t.a.keys[1].at, CQL_JOB_NO_TIME);
    assert_string_equal(t.a.keys[1].id, "");
    assert_string_equal(t.page, "next");
    drop(&t);
    plan_columns("job_id");
    plan.rows = 1;
    cell_null();
    t = ask(&(cqljob_request){.verb = CQLJOB_LINKS, ID, .page_size = 2});
    assert_int_equal(t.a.keys[0].at, CQL_JOB_NO_TIME);
    assert_string_equal(t.a.keys[0].id, "");
    assert_string_equal(t.page, "");
    drop(&t);
    plan_columns("at part");
    plan.rows = 1;
    cell_int64(100);
    cell_int(7);
    t = ask(&(cqljob_request){.verb = CQLJOB_MARKS, .part = 1});
    assert_int_equal(t.a.keys[0].at, 100);
    assert_int_equal(t.a.keys[0].part, 7);
    drop(&t);
    plan_columns("scheduled_at bucket job_id"); /* not what was asked for */
    t = ask(&due);
    assert_int_equal(t.a.outcome, CQLJOB_FAILED);
    assert_int_equal(t.st, CQL_MALFORMED);
    plan_columns("type_name job_id"); /* a text is no time */
    plan.rows = 1;
    cell_text("soon");
    cell_text("j1");
    t = ask(&due);
    assert_int_equal(t.a.outcome, CQLJOB_FAILED);
    assert_int_equal(t.st, CQL_MALFORMED);
}

static void counters_are_added_up(void **state)
{
    (void)state;
    plan_columns("jobs");
    plan.rows = 3;
    cell_int64(5);
    cell_null();
    cell_int64(-2);
    taken t = ask(&(cqljob_request){.verb = CQLJOB_COUNT, .part = 1});
    assert_int_equal(t.a.outcome, CQLJOB_DONE);
    assert_int_equal(t.a.count, 3);
}

static taken ask_backoff(int kind, int64_t delay, int64_t most, int jitter)
{
    plan_columns("kind delay_ms most_ms jitter_percent");
    plan.rows = 1;
    cell_int(kind);
    cell_int64(delay);
    cell_int64(most);
    cell_int(jitter);
    return ask(&(cqljob_request){.verb = CQLJOB_BACKOFF, ID});
}

static void a_backoff_of_its_own_is_read(void **state)
{
    (void)state;
    taken t = ask_backoff(2, 100, 4000000000, 20);
    assert_int_equal(t.a.outcome, CQLJOB_DONE);
    assert_int_equal(t.a.backoff.kind, CQL_BACKOFF_EXPONENTIAL);
    assert_int_equal(t.a.backoff.delay_ms, 100);
    assert_int_equal(t.a.backoff.most_ms, 4000000000);
    assert_int_equal(t.a.backoff.jitter_percent, 20);
    t = ask_backoff(1, -1, INT64_MAX, -1); /* of another program: nothing beyond what may be */
    assert_int_equal(t.a.backoff.delay_ms, 0);
    assert_int_equal(t.a.backoff.most_ms, 0);
    assert_true(t.a.backoff.jitter_percent <= 100);
    plan_columns("kind delay_ms most_ms jitter_percent");
    t = ask(&(cqljob_request){.verb = CQLJOB_BACKOFF, ID});
    assert_int_equal(t.a.outcome, CQLJOB_REFUSED);
    plan.rows = 1; /* a ghost */
    for (int i = 0; i < 4; i++)
        cell_null();
    t = ask(&(cqljob_request){.verb = CQLJOB_BACKOFF, ID});
    assert_int_equal(t.a.outcome, CQLJOB_REFUSED);
}

static const char recurring_columns[] =
    "id cron_expression job_type_name job_arguments max_retry_count is_enabled next_execution last_execution "
    "created_at";

static void recurring_row(const char *id)
{
    plan.rows++;
    cell_text(id);
    cell_text("* * * * *");
    cell_text("mail");
    cell_null();
    cell_int(3);
    cell_bool(true);
    cell_int64(60000);
    cell_null();
    cell_int64(1000);
}

static void recurring_jobs_are_read(void **state)
{
    (void)state;
    plan_columns(recurring_columns);
    recurring_row("r1");
    recurring_row("r2");
    taken t = ask(&(cqljob_request){.verb = CQLJOB_R_LIST, .page_size = 10});
    assert_non_null(strstr(asked_log, ".recurring_jobs @LOCAL_QUORUM page 10\n"));
    assert_int_equal(cql_recurring_list_count(t.a.recurring), 2);
    const cql_recurring_info *r = cql_recurring_list_at(t.a.recurring, 1);
    assert_string_equal(r->id.ptr, "r2");
    assert_string_equal(r->cron.ptr, "* * * * *");
    assert_int_equal(r->max_retry_count, 3);
    assert_true(r->is_enabled);
    assert_int_equal(r->next_execution, 60000);
    assert_int_equal(r->last_execution, CQL_JOB_NO_TIME);
    assert_int_equal(r->created_at, 1000);
    drop(&t);
    plan_columns(recurring_columns);
    t = ask(&(cqljob_request){.verb = CQLJOB_R_GET, .id = TEXT("r1")});
    assert_non_null(strstr(asked_log, "| 'r1' @LOCAL_SERIAL\n"));
    assert_int_equal(t.a.outcome, CQLJOB_REFUSED);
    drop(&t);
    plan_columns("id");
    plan.rows = 1;
    cell_text("r1");
    t = ask(&(cqljob_request){.verb = CQLJOB_R_GET, .id = TEXT("r1")});
    assert_int_equal(t.a.outcome, CQLJOB_FAILED);
    assert_null(t.a.recurring);
}

/* --- failures ----------------------------------------------------------------------------------------- */

static void an_open_outcome_is_told_from_a_failure(void **state)
{
    static const cqljob_change change = {.from_state = 1, .state = 2};
    const cqljob_request write = {.verb = CQLJOB_CHANGE, ID, .change = &change};
    const cqljob_request read = {.verb = CQLJOB_GET, ID};
    (void)state;
    plan_error(0x1000, "not enough replicas");
    taken t = ask(&write);
    assert_int_equal(t.a.outcome, CQLJOB_UNKNOWN);
    assert_int_equal(t.st, CQL_SERVER_UNAVAILABLE);
    plan_error(0x2000, "line 1:0");
    t = ask(&write);
    assert_int_equal(t.a.outcome, CQLJOB_FAILED);
    assert_int_equal(t.st, CQL_SERVER_SYNTAX_ERROR);
    plan_error(0x1000, "not enough replicas");
    t = ask(&read);
    assert_int_equal(t.a.outcome, CQLJOB_FAILED);
    plan_nothing();
    plan.body = "\0\0\0\2\0\0\0\1"; /* rows that end early */
    t = ask(&write);
    assert_int_equal(t.a.outcome, CQLJOB_UNKNOWN);
}

static unsigned requests_until_it_ends(const cqljob_request *rq)
{
    unsigned count = 0;
    plan_error(0x1100, "too slow"); /* which may be repeated where that does no harm */
    plan.once = true;
    (void)ask(rq);
    for (const char *at = asked_log; (at = strchr(at, '@')) != NULL; at++)
        count++;
    return count;
}

/* A counter that is added to twice, and a condition that is asked twice, are wrong. */
static void only_what_repeats_harmlessly_is_repeated(void **state)
{
    static const cqljob_indexes rows = {{{CQLJOB_PUT_STATE, 1, 1000, 77, {NULL, 0}, NULL}}, 1};
    static const cqljob_change change = {.from_state = 1, .state = 2};
    static const int64_t tally[CQLJOB_STATES] = {[1] = 2};
    (void)state;
    assert_int_equal(requests_until_it_ends(&(cqljob_request){.verb = CQLJOB_INDEX, ID, .indexes = &rows}), 2);
    assert_int_equal(requests_until_it_ends(&(cqljob_request){.verb = CQLJOB_PUT_MARK}), 2);
    assert_int_equal(requests_until_it_ends(&(cqljob_request){.verb = CQLJOB_TALLY, .tally = tally}), 1);
    assert_int_equal(requests_until_it_ends(&(cqljob_request){.verb = CQLJOB_CHANGE, ID, .change = &change}), 1);
}

/* In each of the servers' wordings. */
static void missing_tables_are_explained(void **state)
{
    static const char *const wordings[][2] = {
        {"Keyspace ks does not exist", "keyspace"},       {"keyspace ks doesn't exist", "keyspace"},
        {"unconfigured keyspace ks", "keyspace"},         {"unconfigured table jobs", "table"},
        {"unconfigured columnfamily jobs", "table"},      {"table jobs does not exist", "table"},
        {"Undefined column name", NULL}};
    const cqljob_request read = {.verb = CQLJOB_GET, ID};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(wordings); i++) {
        char wanted[120];
        plan_error(0x2200, wordings[i][0]);
        taken t = ask(&read);
        assert_int_equal(t.st, CQL_SERVER_INVALID);
        assert_non_null(strstr(t.text, wordings[i][0]));
        snprintf(wanted, sizeof wanted, "%s not found: the job tables of keyspace ks",
                 wordings[i][1] ? wordings[i][1] : "");
        assert_int_equal(strstr(t.text, wanted) != NULL, wordings[i][1] != NULL);
        assert_int_equal(strstr(t.text, "make them with `cqljobs init --keyspace ks`") != NULL,
                         wordings[i][1] != NULL);
    }
}

static void warnings_are_passed_on(void **state)
{
    (void)state;
    plan.warning = "tombstones";
    taken t = ask(&(cqljob_request){.verb = CQLJOB_PUT_MARK});
    assert_int_equal(t.a.outcome, CQLJOB_DONE);
    assert_string_equal(warned, "tombstones");
}

/* A store of its own. */
static cqljob_store another(const char *keyspace)
{
    cqljob_store kept = store;
    assert_int_equal(make_store(cqln_alloc_default(), keyspace), CQL_OK);
    cqljob_store made = store;
    store = kept;
    return made;
}

/* Each statement is prepared once; the tables answer. */
static void a_check_prepares_everything(void **state)
{
    const cqljob_request check = {.verb = CQLJOB_CHECK};
    cqljob_store at = another("other");
    taken t;
    (void)state;
    uint64_t before = server.mc.nodes[0].prepares;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(send_with(&at, &check, &t), CQL_OK);
        assert_int_equal(t.a.outcome, CQLJOB_DONE);
        assert_int_equal(server.mc.nodes[0].prepares, before + CQLJOB_STATEMENTS);
    }
    at.free(at.self);
}

static void a_statement_that_cannot_be_prepared_fails_its_request(void **state)
{
    static const cqljob_change change = {.from_state = 1, .state = 2};
    cqljob_store at = another("syntax"); /* the mock refuses it */
    taken t;
    (void)state;
    assert_int_equal(send_with(&at, &(cqljob_request){.verb = CQLJOB_CHANGE, ID, .change = &change}, &t), CQL_OK);
    assert_int_equal(t.a.outcome, CQLJOB_FAILED); /* it was not sent: never open */
    assert_int_equal(t.st, CQL_SERVER_SYNTAX_ERROR);
    assert_string_equal(asked_log, "");
    at.free(at.self);
}

static cql_status use_store(const cql_allocator *al, void *user)
{
    const cqljob_request *rq = user;
    cqljob_store kept = store;
    taken t = {.came = false};
    cql_status st = make_store(al, "ks");
    if (st == CQL_OK) {
        st = send_with(&store, rq, &t);
        st = st ? st : t.st;
        cql_job_info_free(t.a.job);
        cqljob_free(al, t.a.keys);
        cql_recurring_list_free(t.a.recurring);
        store.free(store.self);
    }
    store = kept;
    return st;
}

static void memory_may_run_out_at_any_point(void **state)
{
    static const cqljob_indexes rows = {{{CQLJOB_PUT_STATE, 1, 1000, 77, {NULL, 0}, NULL}}, 1};
    cqljob_request get = {.verb = CQLJOB_GET, ID};
    cqljob_request due = {.verb = CQLJOB_DUE, .page_size = 2};
    cqljob_request list = {.verb = CQLJOB_R_LIST, .page_size = 2};
    cqljob_request index = {.verb = CQLJOB_INDEX, ID, .indexes = &rows};
    (void)state;
    assert_true(failmalloc_each(use_store, &index, false) > CQLJOB_STATEMENTS);
    plan_columns(job_columns);
    job_row(CQL_JOB_SUCCEEDED);
    assert_true(failmalloc_each(use_store, &get, false) > CQLJOB_STATEMENTS);
    plan_columns("scheduled_at job_id");
    plan.rows = 1;
    cell_int64(100);
    cell_text("j1");
    assert_true(failmalloc_each(use_store, &due, false) > CQLJOB_STATEMENTS);
    plan_columns(recurring_columns);
    recurring_row("r1");
    assert_true(failmalloc_each(use_store, &list, false) > CQLJOB_STATEMENTS);
}

/* --- as programs use it ------------------------------------------------------------------------------- */

static void check_on(cql_session *s)
{
    cql_jobs *jobs = NULL;
    cql_error *err = NULL;
    assert_int_equal(cql_jobs_new(s, NULL, &jobs), CQL_OK);
    assert_int_equal(cql_jobs_check_wait(jobs, &err), CQL_OK);
    assert_null(err);
    plan_error(0x2200, "unconfigured table job_counts");
    assert_int_equal(cql_jobs_check_wait(jobs, &err), CQL_SERVER_INVALID);
    assert_non_null(strstr(cql_error_text(err), "make them with `cqljobs init`"));
    cql_error_unref(err);
    cql_jobs_free(jobs);
}

static void a_store_is_checked_on_a_driven_session_and_on_one_with_a_thread(void **state)
{
    (void)state;
    check_on(session);
    plan_nothing();
    cql_session *s = open_session("loop_threads=1");
    check_on(s);
    close_session(s);
}

static void options_that_cannot_be_are_refused(void **state)
{
    const cql_jobs_options o = {.size = sizeof o, .keyspace = "no \"keyspace"};
    cql_jobs *jobs = NULL;
    cql_error *err = NULL;
    (void)state;
    assert_int_equal(cql_jobs_new_with(session, &o, &jobs, &err), CQL_BAD_ARGUMENT);
    assert_null(jobs);
    assert_non_null(strstr(cql_error_text(err), "keyspace: 1 to 48"));
    cql_error_unref(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_job_is_read_and_changed, reset),
        cmocka_unit_test_setup(index_rows_and_counters_go_as_batches, reset),
        cmocka_unit_test_setup(pages_are_asked_for, reset),
        cmocka_unit_test_setup(the_rest_is_asked_for, reset),
        cmocka_unit_test_setup(a_row_becomes_a_job, reset),
        cmocka_unit_test_setup(a_row_that_is_no_job_is_an_error, reset),
        cmocka_unit_test_setup(a_conditional_write_says_whether_it_was_applied, reset),
        cmocka_unit_test_setup(keys_and_marks_are_read, reset),
        cmocka_unit_test_setup(counters_are_added_up, reset),
        cmocka_unit_test_setup(a_backoff_of_its_own_is_read, reset),
        cmocka_unit_test_setup(recurring_jobs_are_read, reset),
        cmocka_unit_test_setup(an_open_outcome_is_told_from_a_failure, reset),
        cmocka_unit_test_setup(only_what_repeats_harmlessly_is_repeated, reset),
        cmocka_unit_test_setup(missing_tables_are_explained, reset),
        cmocka_unit_test_setup(warnings_are_passed_on, reset),
        cmocka_unit_test_setup(a_check_prepares_everything, reset),
        cmocka_unit_test_setup(a_statement_that_cannot_be_prepared_fails_its_request, reset),
        cmocka_unit_test_setup(memory_may_run_out_at_any_point, reset),
        cmocka_unit_test_setup(a_store_is_checked_on_a_driven_session_and_on_one_with_a_thread, reset),
        cmocka_unit_test_setup(options_that_cannot_be_are_refused, reset),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
