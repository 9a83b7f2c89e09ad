/* metadata_probe URL KEYSPACE [more]: the schema as programs see it (metadata.h), against a real server. With
 * `more` the server has materialized views and user functions. Prints what does not hold and ends with 1. */
#include <cqlnative/cql.h>
#include <cqlnative/metadata.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOLDS(what)                                                                                \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "metadata_probe:%d: not so: %s\n", __LINE__, #what);                   \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static const char *keyspace;
static atomic_uint snapshots, events, failing;

/* --- an allocator that can be told to fail -------------------------------------------------------- */

static atomic_long countdown = -1, live;

static bool fails(void)
{
    long left = atomic_load(&countdown);
    return left >= 0 && atomic_fetch_sub(&countdown, 1) == 0;
}

static void *give(void *context, size_t size)
{
    (void)context;
    if (fails())
        return NULL;
    atomic_fetch_add(&live, 1);
    return malloc(size);
}

static void *give_again(void *context, void *block, size_t size)
{
    (void)context;
    if (fails())
        return NULL;
    if (!block)
        atomic_fetch_add(&live, 1);
    return realloc(block, size);
}

static void take(void *context, void *block)
{
    (void)context;
    if (block)
        atomic_fetch_sub(&live, 1);
    free(block);
}

static const cql_allocator allocator = {NULL, give, give_again, take};

/* --- the schema ----------------------------------------------------------------------------------- */

static void check(cql_status st, cql_error *err, const char *what)
{
    if (st == CQL_OK)
        return;
    fprintf(stderr, "metadata_probe: %s: %s\n", what, err ? cql_error_text(err) : cql_status_text(st));
    exit(1);
}

static void run(cql_session *s, const char *before, const char *after)
{
    char cql[512];
    cql_result *res = NULL;
    cql_error *err = NULL;
    snprintf(cql, sizeof cql, "%s%s%s", before, keyspace, after);
    check(cql_session_query_wait(s, cql, &res, &err), err, cql);
    cql_result_unref(res);
}

static void make_schema(cql_session *s, bool more)
{
    run(s, "DROP KEYSPACE IF EXISTS ", "");
    run(s, "CREATE KEYSPACE ", " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1} "
                               "AND durable_writes = false");
    run(s, "CREATE TYPE ", ".place (name text, parts frozen<list<int>>)");
    run(s, "CREATE TABLE ", ".t (b text, a int, d timeuuid, c int, s bigint static, \"Odd\" frozen<place>, "
                            "v map<text, int>, PRIMARY KEY ((b, a), d, c)) WITH CLUSTERING ORDER BY "
                            "(d DESC, c ASC) AND comment = 'it''s \"one\"' AND default_time_to_live = 60");
    run(s, "CREATE INDEX by_v ON ", ".t (values(v))");
    run(s, "CREATE TABLE ", ".empty (k int PRIMARY KEY)");
    if (!more)
        return;
    run(s, "CREATE MATERIALIZED VIEW ", ".w AS SELECT k FROM empty WHERE k IS NOT NULL PRIMARY KEY (k)");
    run(s, "CREATE FUNCTION ", ".twice (state int, n int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS "
                               "'return state + 2 * n;'");
    run(s, "CREATE AGGREGATE ", ".doubled (int) SFUNC twice STYPE int INITCOND 0");
}

static void check_columns(const cql_metadata *m)
{
    static const struct {
        const char *name;
        const char *type;
        cql_column_kind kind;
        int position;
        bool descending;
    } wanted[] = {{"b", "text", CQL_COLUMN_PARTITION_KEY, 0, false},
                  {"a", "int", CQL_COLUMN_PARTITION_KEY, 1, false},
                  {"d", "timeuuid", CQL_COLUMN_CLUSTERING, 0, true},
                  {"c", "int", CQL_COLUMN_CLUSTERING, 1, false},
                  {"s", "bigint", CQL_COLUMN_STATIC, -1, false},
                  {"Odd", "frozen<place>", CQL_COLUMN_REGULAR, -1, false},
                  {"v", "map<text, int>", CQL_COLUMN_REGULAR, -1, false}};
    cql_column_info c;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        HOLDS(cql_metadata_column_at(m, keyspace, "t", i, &c));
        HOLDS(strcmp(c.name, wanted[i].name) == 0 && strcmp(c.type, wanted[i].type) == 0);
        HOLDS(c.kind == wanted[i].kind && c.position == wanted[i].position);
        HOLDS(c.descending == wanted[i].descending && strcmp(c.table, "t") == 0);
    }
    HOLDS(!cql_metadata_column_at(m, keyspace, "t", sizeof wanted / sizeof *wanted, &c));
    HOLDS(cql_metadata_column(m, keyspace, "t", "Odd", &c) && !cql_metadata_column(m, keyspace, "t", "odd", &c));
    HOLDS(!cql_metadata_column_at(m, keyspace, "nothing", 0, &c) && !cql_metadata_column_at(NULL, "a", "b", 0, &c));
}

static void check_more(const cql_metadata *m)
{
    cql_table_info t;
    cql_function_info f;
    cql_aggregate_info a;
    HOLDS(cql_metadata_table(m, keyspace, "w", &t) && strcmp(t.base_table, "empty") == 0);
    HOLDS(strcmp(t.where_clause, "k IS NOT NULL") == 0);
    HOLDS(cql_metadata_function_at(m, keyspace, 0, &f) && !cql_metadata_function_at(m, keyspace, 1, &f));
    HOLDS(strcmp(f.name, "twice") == 0 && strcmp(f.argument_names, "['state', 'n']") == 0);
    HOLDS(strcmp(f.argument_types, "['int', 'int']") == 0 && strcmp(f.return_type, "int") == 0);
    HOLDS(strcmp(f.language, "java") == 0 && strstr(f.body, "2 * n") && f.called_on_null);
    HOLDS(cql_metadata_aggregate_at(m, keyspace, 0, &a) && !cql_metadata_aggregate_at(m, keyspace, 1, &a));
    HOLDS(strcmp(a.name, "doubled") == 0 && strcmp(a.state_function, "twice") == 0);
    HOLDS(strcmp(a.argument_types, "['int']") == 0 && strcmp(a.initial, "0") == 0 && !a.final_function[0]);
}

static void check_all(const cql_metadata *m, bool more)
{
    cql_keyspace_info k;
    cql_table_info t;
    cql_index_info x;
    cql_udt_info u;
    const char *field, *type;
    HOLDS(cql_metadata_keyspace(m, keyspace, &k) && !k.durable_writes && strcmp(k.name, keyspace) == 0);
    HOLDS(strstr(k.replication, "'class': 'org.apache.cassandra.locator.SimpleStrategy'"));
    HOLDS(cql_metadata_table_at(m, keyspace, 0, &t) && strcmp(t.name, "empty") == 0);
    HOLDS(cql_metadata_table_at(m, keyspace, 1, &t) && strcmp(t.name, "t") == 0);
    HOLDS(cql_metadata_table_at(m, keyspace, 2, &t) == more && !cql_metadata_table_at(m, keyspace, 3, &t));
    HOLDS(cql_metadata_table(m, keyspace, "t", &t) && strcmp(t.comment, "it's \"one\"") == 0);
    HOLDS(t.default_ttl == 60 && (t.id.bytes[6] >> 4) == 1 && !t.base_table[0]);
    check_columns(m);
    HOLDS(cql_metadata_index_at(m, keyspace, "t", 0, &x) && strcmp(x.name, "by_v") == 0);
    HOLDS(strstr(x.options, "values(v)") && !cql_metadata_index_at(m, keyspace, "empty", 0, &x));
    HOLDS(cql_metadata_index_at(m, keyspace, NULL, 0, &x) && !cql_metadata_index_at(m, keyspace, NULL, 1, &x));
    HOLDS(cql_metadata_udt_at(m, keyspace, 0, &u) && strcmp(u.name, "place") == 0 && u.fields == 2);
    HOLDS(cql_metadata_udt_field(m, keyspace, "place", 1, &field, &type) && strcmp(field, "parts") == 0);
    HOLDS(strcmp(type, "frozen<list<int>>") == 0);
    HOLDS(!cql_metadata_udt_field(m, keyspace, "place", 2, &field, &type));
    if (more)
        check_more(m);
}

/* --- reading once --------------------------------------------------------------------------------- */

static void read_once(cql_session *s, bool more)
{
    cql_metadata *all = NULL, *one = NULL, *none = NULL;
    cql_keyspace_info k;
    cql_error *err = NULL;
    check(cql_metadata_read_wait(s, NULL, &all, &err), err, "all");
    check(cql_metadata_read_wait(s, keyspace, &one, &err), err, "one");
    check(cql_metadata_read_wait(s, "no_such_keyspace", &none, &err), err, "none");
    check_all(all, more);
    check_all(one, more);
    HOLDS(cql_metadata_keyspace(all, "system_schema", &k) && !cql_metadata_keyspace(one, "system_schema", &k));
    HOLDS(!cql_metadata_keyspace(all, "system_views", &k) && !cql_metadata_keyspace(all, "system_virtual_schema", &k));
    HOLDS(cql_metadata_keyspace_at(one, 0, &k) && !cql_metadata_keyspace_at(one, 1, &k));
    HOLDS(!cql_metadata_keyspace_at(none, 0, &k));
    cql_metadata_unref(one);
    cql_metadata_unref(none);
    cql_metadata_unref(cql_metadata_ref(all));
    cql_metadata_unref(all);
}

/* Each allocation of a reading fails once; the session lives on, and the last reading is whole. */
static void read_without_memory(cql_session *s, bool more)
{
    bool whole = false;
    for (long n = 0; n < 400 && !whole; n++) {
        cql_metadata *m = NULL;
        atomic_store(&countdown, n);
        cql_status st = cql_metadata_read_wait(s, keyspace, &m, NULL);
        whole = atomic_exchange(&countdown, -1) >= 0 && st == CQL_OK;
        HOLDS((m != NULL) == (st == CQL_OK));
        atomic_fetch_add(&failing, st != CQL_OK);
        if (m)
            check_all(m, more);
        cql_metadata_unref(m);
    }
    HOLDS(whole && atomic_load(&failing) > 10);
}

/* --- keeping -------------------------------------------------------------------------------------- */

static void on_changed(void *user, cql_session *s, const cql_error *err, const cql_metadata *m)
{
    (void)s;
    HOLDS((err == NULL) == (m != NULL) && strcmp(user, "mine") == 0);
    atomic_fetch_add(&snapshots, m != NULL);
}

static void on_event(void *user, cql_session *s, const cql_schema_note *note)
{
    (void)s;
    (void)user;
    atomic_fetch_add(&events, note->event != CQL_SCHEMA_MISSED);
}

/* Until the keeper's newest snapshot has the table, or not. */
static void await_table(cql_session *s, cql_metadata_keeper *k, const char *name, bool there)
{
    for (int i = 0; i < 600; i++) {
        cql_table_info t;
        cql_metadata *m = cql_metadata_keeper_get(k);
        bool found = m && cql_metadata_table(m, keyspace, name, &t);
        bool good = m && found == there;
        cql_metadata_unref(m);
        if (good)
            return;
        if (cql_session_fd(s) >= 0)
            cql_session_drive(s, 50);
        else
            usleep(50000);
    }
    fprintf(stderr, "metadata_probe: the keeper did not follow within half a minute\n");
    exit(1);
}

static void follow(cql_session *s, cql_metadata_keeper *k)
{
    HOLDS(cql_metadata_keeper_get(k) == NULL);
    check(cql_metadata_keeper_start(k, s), NULL, "start");
    HOLDS(cql_metadata_keeper_start(k, s) == CQL_BAD_STATE);
    await_table(s, k, "t", true);
    cql_metadata *old = cql_metadata_keeper_get(k);
    run(s, "CREATE TABLE ", ".later (k int PRIMARY KEY)");
    await_table(s, k, "later", true);
    run(s, "DROP TABLE ", ".later");
    await_table(s, k, "later", false);
    cql_table_info t;
    HOLDS(cql_metadata_table(old, keyspace, "t", &t) && !cql_metadata_table(old, keyspace, "later", &t));
    cql_metadata_unref(old);
    HOLDS(atomic_load(&events) >= 2 && atomic_load(&snapshots) >= 3);
}

int main(int argc, char **argv)
{
    cql_options *o = NULL;
    cql_session *s = NULL;
    cql_error *err = NULL;
    cql_metadata_keeper *k = NULL;
    if (argc < 3) {
        fprintf(stderr, "usage: metadata_probe URL KEYSPACE [more]\n");
        return 2;
    }
    keyspace = argv[2];
    check(cql_options_new(&allocator, &o), NULL, "options");
    check(cql_options_parse(o, argv[1], &err), err, argv[1]);
    check(cql_metadata_keeper_new(&allocator, keyspace, on_changed, "mine", &k), NULL, "keeper");
    cql_metadata_keeper_watch(k, o, on_event, NULL);
    check(cql_session_new(o, &s, &err), err, "session");
    check(cql_session_connect_wait(s, &err), err, "connect");
    make_schema(s, argc > 3);
    read_once(s, argc > 3);
    follow(s, k);
    read_without_memory(s, argc > 3);
    check(cql_session_close_wait(s), NULL, "close");
    cql_metadata *m = NULL;
    HOLDS(cql_metadata_read_wait(s, NULL, &m, &err) == CQL_BAD_STATE && !m);
    cql_error_unref(err);
    cql_metadata_keeper_free(k);
    cql_session_free(s);
    cql_options_free(o);
    HOLDS(atomic_load(&live) == 0);
    printf("%u snapshots, %u events, %u readings without memory\n", atomic_load(&snapshots),
           atomic_load(&events), atomic_load(&failing));
    return 0;
}
