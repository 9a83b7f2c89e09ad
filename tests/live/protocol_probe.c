/* protocol_probe.c: what the protocol can say beyond questions and answers, against a real node.
 *
 *   protocol_probe URL CASE
 *
 * alter: a table that changes under prepared statements is never decoded wrongly, and one that is made anew takes no
 * values for the old one. use: prepared statements mean what they meant, also when the session has another keyspace and
 * the node has forgotten them. options: keyspace, clock, payload, names, borrowed values, tracing of batches. large: answers
 * over max_response_bytes. Ends with 1 and a line for the first thing that is not so. */
#include <cqlnative/cql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KS "proto_probe"

static cql_error *err;

#define CHECK(holds)                                                                               \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "line %d: not so: %s%s%s\n", __LINE__, #holds, err ? ": " : "",        \
                    err ? cql_error_text(err) : "");                                               \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static void run(cql_session *s, const char *cql)
{
    CHECK(cql_session_query_wait(s, cql, NULL, &err) == CQL_OK);
}

/* One row; the named int column of it, -1 for null, -2 when there is no such column. */
static int column_of(const cql_result *res, const char *name)
{
    cql_rows rows;
    size_t i;
    if (cql_result_column_index(res, name, &i) != CQL_OK)
        return -2;
    cql_rows_init(&rows, res);
    CHECK(cql_rows_next(&rows));
    int v = cql_rows_is_null(&rows, i) ? -1 : cql_rows_int32(&rows, i);
    CHECK(cql_rows_status(&rows) == CQL_OK);
    return v;
}

/* --- a table that changes ------------------------------------------------------------------------------ */

static void expect_row(cql_session *s, const cql_statement *stmt, int k, int m, int z, int a)
{
    cql_result *res = NULL;
    CHECK(cql_session_execute_wait(s, stmt, &res, &err) == CQL_OK);
    CHECK(column_of(res, "k") == k);
    CHECK(column_of(res, "m") == m);
    CHECK(column_of(res, "z") == z);
    CHECK(column_of(res, "a") == a);
    cql_result_unref(res);
}

/* The new column comes in front of the others: whoever believes the old list reads every cell wrong. */
static void alter(cql_session *mine, cql_session *other)
{
    cql_prepared *star = NULL, *theirs = NULL, *named = NULL;
    run(other, "DROP TABLE IF EXISTS " KS ".changing");
    run(other, "CREATE TABLE " KS ".changing (k int PRIMARY KEY, m int, z int)");
    run(other, "INSERT INTO " KS ".changing (k, m, z) VALUES (1, 2, 3)");
    CHECK(cql_session_prepare_wait(mine, "SELECT * FROM " KS ".changing WHERE k = 1", &star,
                                   &err) == CQL_OK);
    CHECK(cql_session_prepare_wait(mine, "SELECT z, k, m FROM " KS ".changing WHERE k = 1", &named,
                                   &err) == CQL_OK);
    cql_statement *stmt = cql_prepared_bind(star);
    cql_statement *some = cql_prepared_bind(named);
    expect_row(mine, stmt, 1, 2, 3, -2);
    run(other, "ALTER TABLE " KS ".changing ADD a int");
    run(other, "INSERT INTO " KS ".changing (k, a) VALUES (1, 4)");
    /* Somebody else prepares it again, so that the server knows the id and does not ask us to. */
    CHECK(cql_session_prepare_wait(other, "SELECT * FROM " KS ".changing WHERE k = 1", &theirs,
                                   &err) == CQL_OK);
    for (int i = 0; i < 3; i++) {
        expect_row(mine, stmt, 1, 2, 3, 4);
        expect_row(mine, some, 1, 2, 3, -2);
    }
    run(other, "ALTER TABLE " KS ".changing DROP a");
    cql_prepared_unref(theirs);
    CHECK(cql_session_prepare_wait(other, "SELECT * FROM " KS ".changing WHERE k = 1", &theirs,
                                   &err) == CQL_OK);
    for (int i = 0; i < 3; i++)
        expect_row(mine, stmt, 1, 2, 3, -2);
    cql_statement_free(stmt);
    cql_statement_free(some);
    cql_prepared_unref(star);
    cql_prepared_unref(theirs);
    cql_prepared_unref(named);
}

/* What was bound for the old table would be stored as what it is not. */
static void make_anew(cql_session *mine, cql_session *other)
{
    cql_prepared *p = NULL;
    cql_result *res = NULL;
    run(other, "DROP TABLE IF EXISTS " KS ".anew");
    run(other, "CREATE TABLE " KS ".anew (k int PRIMARY KEY, v int)");
    CHECK(cql_session_prepare_wait(mine, "INSERT INTO " KS ".anew (k, v) VALUES (1, ?)", &p, &err) == CQL_OK);
    cql_statement *stmt = cql_prepared_bind(p);
    CHECK(cql_statement_bind_int32(stmt, 0, 65) == CQL_OK);
    CHECK(cql_session_execute_wait(mine, stmt, NULL, &err) == CQL_OK);
    run(other, "DROP TABLE " KS ".anew");
    run(other, "CREATE TABLE " KS ".anew (k int PRIMARY KEY, v text)");
    for (int i = 0; i < 3; i++)
        CHECK(cql_session_execute_wait(mine, stmt, NULL, NULL) == CQL_PREPARED_CHANGED);
    CHECK(cql_session_query_wait(mine, "SELECT * FROM " KS ".anew", &res, &err) == CQL_OK);
    CHECK(cql_result_row_count(res) == 0);
    cql_result_unref(res);
    cql_statement_free(stmt);
    cql_prepared_unref(p);
    CHECK(cql_session_prepare_wait(mine, "INSERT INTO " KS ".anew (k, v) VALUES (1, ?)", &p, &err) == CQL_OK);
    stmt = cql_prepared_bind(p);
    CHECK(cql_statement_bind_text(stmt, 0, "A") == CQL_OK);
    CHECK(cql_session_execute_wait(mine, stmt, NULL, &err) == CQL_OK);
    cql_prepared_unref(p);
    run(other, "DROP TABLE " KS ".anew");
    run(other, "CREATE TABLE " KS ".anew (k int PRIMARY KEY, v int)");
    CHECK(cql_session_prepare_wait(mine, "INSERT INTO " KS ".anew (k, v) VALUES (1, ?)", &p, &err) == CQL_OK);
    CHECK(cql_session_execute_wait(mine, stmt, NULL, NULL) == CQL_PREPARED_CHANGED); /* no node asks for it now */
    cql_statement_free(stmt);
    cql_prepared_unref(p);
}

/* --- another keyspace -------------------------------------------------------------------------------- */

static void make_two(cql_session *s)
{
    run(s, "CREATE KEYSPACE IF NOT EXISTS " KS
           "2 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(s, "DROP TABLE IF EXISTS " KS ".twice");
    run(s, "DROP TABLE IF EXISTS " KS "2.twice");
    run(s, "CREATE TABLE " KS ".twice (k int PRIMARY KEY, v int)");
    run(s, "CREATE TABLE " KS "2.twice (k int PRIMARY KEY, v int)");
    run(s, "INSERT INTO " KS ".twice (k, v) VALUES (1, 1)");
    run(s, "INSERT INTO " KS "2.twice (k, v) VALUES (1, 2)");
}

static cql_statement *prepared(cql_session *s, const char *cql)
{
    cql_prepared *p = NULL;
    CHECK(cql_session_prepare_wait(s, cql, &p, &err) == CQL_OK);
    cql_statement *stmt = cql_prepared_bind(p);
    CHECK(cql_statement_bind_int32(stmt, 0, 1) == CQL_OK);
    cql_prepared_unref(p);
    return stmt;
}

static void expect_value(cql_session *s, const cql_statement *stmt, int v)
{
    for (int i = 0; i < 3; i++) {
        cql_result *res = NULL;
        CHECK(cql_session_execute_wait(s, stmt, &res, &err) == CQL_OK);
        CHECK(column_of(res, "v") == v);
        cql_result_unref(res);
    }
}

/* An ALTER makes the server forget what was prepared for a table. On v4 the text means another table then. */
static void use(cql_session *s, cql_session *other)
{
    bool v5 = cql_session_protocol_version(s) == 5;
    make_two(other);
    run(s, "USE " KS);
    cql_statement *full = prepared(s, "SELECT v FROM " KS ".twice WHERE k = ?");
    cql_statement *bare = prepared(s, "SELECT v FROM twice WHERE k = ?");
    run(s, "USE " KS "2");
    expect_value(s, full, 1);
    expect_value(s, bare, 1);
    run(other, "ALTER TABLE " KS ".twice ADD w int");
    expect_value(s, full, 1);
    if (v5)
        expect_value(s, bare, 1);
    else
        CHECK(cql_session_execute_wait(s, bare, NULL, NULL) == CQL_PREPARED_CHANGED);
    cql_statement *anew = prepared(s, "SELECT v FROM twice WHERE k = ?");
    expect_value(s, anew, 2);
    cql_statement_free(full);
    cql_statement_free(bare);
    cql_statement_free(anew);
}

/* --- options --------------------------------------------------------------------------------------------- */

static cql_statement *plain(const char *cql, size_t markers)
{
    cql_statement *stmt = NULL;
    CHECK(cql_statement_new(cql, markers, NULL, &stmt) == CQL_OK);
    return stmt;
}

static cql_result *answer(cql_session *s, const cql_statement *stmt)
{
    cql_result *res = NULL;
    CHECK(cql_session_execute_wait(s, stmt, &res, &err) == CQL_OK);
    return res;
}

static void keyspace_of_one_request(cql_session *s)
{
    bool v5 = cql_session_protocol_version(s) == 5;
    cql_statement *stmt = plain("SELECT v FROM plain WHERE k = 1", 0);
    cql_prepared *p = NULL;
    CHECK(cql_statement_set_keyspace(stmt, KS) == CQL_OK);
    if (!v5) {
        CHECK(cql_session_execute_wait(s, stmt, NULL, NULL) == CQL_UNSUPPORTED);
        CHECK(cql_session_prepare_in_wait(s, KS, "SELECT v FROM plain", &p, NULL) ==
              CQL_UNSUPPORTED);
        cql_statement_free(stmt);
        return;
    }
    cql_result *res = answer(s, stmt);
    CHECK(column_of(res, "v") == 7);
    cql_result_unref(res);
    cql_statement_free(stmt);
    CHECK(cql_session_prepare_in_wait(s, KS, "SELECT v FROM plain WHERE k = ?", &p, &err) == CQL_OK);
    stmt = cql_prepared_bind(p);
    CHECK(cql_statement_bind_int32(stmt, 0, 1) == CQL_OK);
    res = answer(s, stmt);
    CHECK(column_of(res, "v") == 7);
    cql_result_unref(res);
    cql_statement_free(stmt);
    cql_prepared_unref(p);
}

/* A cell that lives ten seconds, read with a clock that is an hour ahead, is gone. */
static void clock_of_one_request(cql_session *s)
{
    int64_t now = cql_time_next_us() / 1000000;
    cql_statement *stmt = plain("SELECT v FROM " KS ".plain WHERE k = 2", 0);
    run(s, "INSERT INTO " KS ".plain (k, v) VALUES (2, 8) USING TTL 1000");
    CHECK(cql_statement_set_now(stmt, now + 3600) == CQL_OK);
    if (cql_session_protocol_version(s) < 5) {
        CHECK(cql_session_execute_wait(s, stmt, NULL, NULL) == CQL_UNSUPPORTED);
    } else {
        cql_result *res = answer(s, stmt);
        CHECK(cql_result_row_count(res) == 0);
        cql_result_unref(res);
        CHECK(cql_statement_set_now(stmt, now) == CQL_OK);
        res = answer(s, stmt);
        CHECK(column_of(res, "v") == 8);
        cql_result_unref(res);
    }
    cql_statement_free(stmt);
}

static void names_and_payload(cql_session *s)
{
    cql_statement *stmt = plain("INSERT INTO " KS ".plain (k, v) VALUES (:key, :value)", 2);
    CHECK(cql_statement_bind_name(stmt, "value", cql_value_int32(9)) == CQL_OK);
    CHECK(cql_statement_bind_name(stmt, "key", cql_value_int32(3)) == CQL_OK);
    CHECK(cql_statement_add_payload(stmt, "hint", "x", 1) == CQL_OK);
    cql_result *res = answer(s, stmt);
    CHECK(cql_result_payload_count(res) == 0); /* the stock server sends none back */
    cql_result_unref(res);
    cql_statement_free(stmt);
    CHECK(cql_session_query_wait(s, "SELECT v FROM " KS ".plain WHERE k = 3", &res, &err) == CQL_OK);
    CHECK(column_of(res, "v") == 9);
    cql_result_unref(res);
}

static void borrowed_values(cql_session *s)
{
    enum { SIZE = 1 << 20 };
    char *large = malloc(SIZE);
    cql_prepared *p = NULL;
    cql_result *res = NULL;
    cql_rows rows;
    CHECK(large != NULL);
    memset(large, 'b', SIZE);
    CHECK(cql_session_prepare_wait(s, "INSERT INTO " KS ".blobs (k, b, n) VALUES (?, ?, ?)", &p,
                                   &err) == CQL_OK);
    cql_statement *stmt = cql_prepared_bind(p);
    CHECK(cql_statement_bind_int32(stmt, 0, 1) == CQL_OK);
    CHECK(cql_statement_bind_borrowed(stmt, 1, cql_value_blob(large, SIZE)) == CQL_OK);
    CHECK(cql_statement_bind_int32(stmt, 2, 5) == CQL_OK);
    cql_result_unref(answer(s, stmt));
    CHECK(cql_session_query_wait(s, "SELECT b, n FROM " KS ".blobs WHERE k = 1", &res, &err) ==
          CQL_OK);
    cql_rows_init(&rows, res);
    CHECK(cql_rows_next(&rows));
    cql_str b = cql_rows_str(&rows, 0);
    CHECK(b.len == SIZE && memcmp(b.ptr, large, SIZE) == 0);
    CHECK(cql_rows_int32(&rows, 1) == 5);
    cql_result_unref(res);
    cql_statement_free(stmt);
    cql_prepared_unref(p);
    free(large);
}

static void traced_batch(cql_session *s)
{
    cql_batch *batch = NULL;
    cql_result *res = NULL;
    cql_trace *trace = NULL;
    cql_trace_info info;
    cql_uuid id;
    cql_statement *stmt = plain("INSERT INTO " KS ".plain (k, v) VALUES (4, 4)", 0);
    CHECK(cql_batch_new(CQL_BATCH_UNLOGGED, NULL, &batch) == CQL_OK);
    CHECK(cql_batch_add(batch, stmt) == CQL_OK);
    cql_batch_set_tracing(batch, true);
    CHECK(cql_session_execute_batch_wait(s, batch, &res, &err) == CQL_OK);
    CHECK(cql_result_tracing_id(res, &id));
    CHECK(cql_session_trace_wait(s, id, 20000, &trace, &err) == CQL_OK);
    cql_trace_info_of(trace, &info);
    CHECK(memcmp(&info.id, &id, sizeof id) == 0 && info.duration_us > 0);
    CHECK(info.coordinator.len == 4 && info.started_at_ms > INT64_C(1600000000000));
    CHECK(cql_trace_event_count(trace) > 0);
    cql_trace_free(trace);
    CHECK(cql_session_trace_wait(s, cql_uuid_random(), 50, &trace, NULL) == CQL_NOT_FOUND);
    CHECK(!trace);
    cql_result_unref(res);
    cql_batch_free(batch);
    cql_statement_free(stmt);
}

static void options(cql_session *s)
{
    run(s, "CREATE TABLE IF NOT EXISTS " KS ".plain (k int PRIMARY KEY, v int)");
    run(s, "CREATE TABLE IF NOT EXISTS " KS ".blobs (k int PRIMARY KEY, b blob, n int)");
    run(s, "INSERT INTO " KS ".plain (k, v) VALUES (1, 7)");
    keyspace_of_one_request(s);
    clock_of_one_request(s);
    names_and_payload(s);
    borrowed_values(s);
    traced_batch(s);
    CHECK(cql_session_query_wait(s, "CREATE TABLE " KS ".plain (k int PRIMARY KEY)", NULL, &err) ==
          CQL_SERVER_ALREADY_EXISTS);
    CHECK(strcmp(cql_error_keyspace(err), KS) == 0 && strcmp(cql_error_table(err), "plain") == 0);
}

/* --- answers that are too large ------------------------------------------------------------------------ */

enum { WIDE_ROWS = 20, WIDE_BYTES = 20000, AROUND = 100 };

/* Partition 1 of bytes that lz4 cannot make smaller, partition 2 of bytes that it can. */
static void fill_wide(cql_session *s)
{
    cql_prepared *p = NULL;
    uint32_t seed = 1;
    char *v = malloc(WIDE_BYTES);
    CHECK(v != NULL);
    run(s, "CREATE TABLE IF NOT EXISTS " KS ".wide (k int, c int, v blob, PRIMARY KEY (k, c))");
    CHECK(cql_session_prepare_wait(s, "INSERT INTO " KS ".wide (k, c, v) VALUES (?, ?, ?)", &p, &err) ==
          CQL_OK);
    for (int i = 0; i < 2 * WIDE_ROWS; i++) {
        cql_statement *stmt = cql_prepared_bind(p);
        for (size_t at = 0; at < WIDE_BYTES; at++) {
            seed = seed * 1664525 + 1013904223;
            v[at] = i % 2 ? (char)(seed >> 24) : 'b';
        }
        CHECK(cql_statement_bind_int32(stmt, 0, i % 2 ? 1 : 2) == CQL_OK);
        CHECK(cql_statement_bind_int32(stmt, 1, i) == CQL_OK);
        CHECK(cql_statement_bind_blob(stmt, 2, v, WIDE_BYTES) == CQL_OK);
        cql_result_unref(answer(s, stmt));
        cql_statement_free(stmt);
    }
    cql_prepared_unref(p);
    free(v);
}

typedef struct outcome {
    unsigned ok;
    unsigned too_large;
    unsigned other;
} outcome;

static void note(cql_session *s, const cql_error *e, const cql_result *res, void *user)
{
    outcome *o = user;
    (void)s;
    (void)res;
    if (!e)
        o->ok++;
    else if (cql_error_status(e) == CQL_TOO_LARGE && strstr(cql_error_text(e), "max_response_bytes"))
        o->too_large++;
    else
        o->other++;
}

/* Only they fail: what is beside them on the one connection is answered, and that stays. */
static void too_large(const char *url, const char *compression)
{
    char full[400];
    cql_session *s = NULL;
    outcome o = {0, 0, 0};
    snprintf(full, sizeof full, "%s&max_response_bytes=65536&max_connections_per_host=1&compression=%s", url,
             compression);
    CHECK(cql_session_open_wait(full, &s, &err) == CQL_OK);
    for (int i = 0; i < AROUND; i++) {
        CHECK(cql_session_query(s, "SELECT c FROM " KS ".wide WHERE k = 1", note, &o) == CQL_OK);
        if (i % 10 == 0)
            CHECK(cql_session_query(s, i % 20 ? "SELECT v FROM " KS ".wide WHERE k = 1"
                                              : "SELECT v FROM " KS ".wide WHERE k = 2",
                                    note, &o) == CQL_OK);
    }
    while (o.ok + o.too_large + o.other < AROUND + AROUND / 10)
        run(s, "SELECT c FROM " KS ".wide WHERE k = 2");
    if (o.other)
        fprintf(stderr, "%s: well %u, too large %u, else %u\n", compression, o.ok, o.too_large, o.other);
    CHECK(o.ok == AROUND && o.too_large == AROUND / 10);
    cql_metrics *m = cql_session_metrics(s);
    CHECK(m && cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_LOST) == 0);
    CHECK(cql_metrics_value(m, CQL_METRICS_SESSION, CQL_METRIC_OPENED) == 1);
    cql_metrics_free(m);
    cql_session_free(s);
}

int main(int argc, char **argv)
{
    cql_session *a = NULL, *b = NULL;
    if (argc < 3) {
        fprintf(stderr, "usage: protocol_probe URL alter|use|options|large\n");
        return 2;
    }
    CHECK(cql_session_open_wait(argv[1], &a, &err) == CQL_OK);
    CHECK(cql_session_open_wait(argv[1], &b, &err) == CQL_OK);
    run(a, "CREATE KEYSPACE IF NOT EXISTS " KS
           " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    if (strcmp(argv[2], "alter") == 0) {
        alter(a, b);
        make_anew(a, b);
    } else if (strcmp(argv[2], "use") == 0) {
        use(a, b);
    } else if (strcmp(argv[2], "options") == 0) {
        options(a);
    } else {
        fill_wide(a);
        too_large(argv[1], "none");
        too_large(argv[1], "lz4");
    }
    printf("%s holds on v%d\n", argv[2], cql_session_protocol_version(a));
    cql_session_free(a);
    cql_session_free(b);
    cql_error_unref(err);
    return 0;
}
