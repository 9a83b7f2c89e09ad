/* Replication and options of one installation, put into statements. */
#include "schema/rewrite.h"

#include "unit.h"

static void expect_map(const char *text, const char *map)
{
    cqlsch_mem mem;
    cql_str out;
    const char *why = NULL;
    cqlsch_mem_init(&mem, NULL);
    cql_status st = cqlsch_replication_map(&mem, cql_str_of(text), &out, &why);
    assert_int_equal(st, map ? CQL_OK : CQL_BAD_ARGUMENT);
    if (map)
        assert_string_equal(out.ptr, map);
    else
        assert_non_null(strstr(why, "data centres"));
    cqlsch_mem_fini(&mem);
}

static void replication_is_a_number_or_data_centres(void **state)
{
    (void)state;
    expect_map("3", "{'class': 'SimpleStrategy', 'replication_factor': 3}");
    expect_map(" 1 ", "{'class': 'SimpleStrategy', 'replication_factor': 1}");
    expect_map("dc1:3", "{'class': 'NetworkTopologyStrategy', 'dc1': 3}");
    expect_map("dc1:3, dc-2 : 2", "{'class': 'NetworkTopologyStrategy', 'dc1': 3, 'dc-2': 2}");
    expect_map("o'dc:1", "{'class': 'NetworkTopologyStrategy', 'o''dc': 1}");
    expect_map("a:b:0", "{'class': 'NetworkTopologyStrategy', 'a:b': 0}");
    static const char *const wrong[] = {
        "",   "0",     "x",   "dc1:",   ":3",   "dc1:3,",     "dc1:3,,dc2:1",
        "-1", "dc1:x", "1.5", "dc1:-1", "1001", "99999999999"};
    for (size_t i = 0; i < CQL_COUNT(wrong); i++)
        expect_map(wrong[i], NULL);
}

static void expect_setting(const char *text, const char *table, const char *option,
                           const char *value)
{
    cqlsch_mem mem;
    cqlsch_setting s;
    const char *why = NULL;
    cqlsch_mem_init(&mem, NULL);
    assert_int_equal(cqlsch_setting_read(&mem, cql_str_of(text), &s, &why), CQL_OK);
    const char *full = cqlsch_format(&mem, "%.*s/%.*s", (int)s.keyspace.len, s.keyspace.ptr,
                                     (int)s.table.len, s.table.ptr);
    assert_string_equal(full, table);
    assert_true(cql_str_equal(s.option.name, cql_str_of(option)));
    assert_string_equal(s.text.ptr, value);
    cqlsch_mem_fini(&mem);
}

static void settings_are_read(void **state)
{
    (void)state;
    expect_setting("ks.t.default_time_to_live=60", "ks/t", "default_time_to_live", "60");
    expect_setting("KS.\"T.x\".Comment = it's ", "ks/T.x", "comment", "'it''s'");
    expect_setting("a.b.comment='x'", "a/b", "comment", "'x'");
    expect_setting("a.b.cdc=TRUE", "a/b", "cdc", "TRUE");
    expect_setting("a.b.x=-1.5", "a/b", "x", "-1.5");
    expect_setting("a.b.speculative_retry=99p", "a/b", "speculative_retry", "'99p'");
    expect_setting("a.b.compaction={'class': 'LeveledCompactionStrategy'}", "a/b", "compaction",
                   "{'class': 'LeveledCompactionStrategy'}");
    expect_setting("a.b.comment=x; DROP KEYSPACE y", "a/b", "comment", "'x; DROP KEYSPACE y'");
}

static void settings_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "a.b=1",
                                        "a.b.c",
                                        "a.b.c=",
                                        "a..c=1",
                                        "a.b.c.d=1",
                                        "1.b.c=1",
                                        "a.b.c={'x': 1",
                                        "=1",
                                        "a.b.'c'=1",
                                        "a.b.c={'x': 1} AND d=1"};
    for (size_t i = 0; i < CQL_COUNT(wrong); i++) {
        cqlsch_mem mem;
        cqlsch_setting s;
        const char *why = NULL;
        cqlsch_mem_init(&mem, NULL);
        assert_int_equal(cqlsch_setting_read(&mem, cql_str_of(wrong[i]), &s, &why),
                         CQL_BAD_ARGUMENT);
        assert_non_null(why);
        cqlsch_mem_fini(&mem);
    }
}

static void expect_text(const char *cql, const char *name, const char *value, const char *text)
{
    cqlsch_mem mem;
    cqlsch_step step = {.kind = CQLSCH_STATEMENT};
    cqlsch_mem_init(&mem, NULL);
    step.text = cql_str_of(cql);
    assert_int_equal(cqlsch_ddl_read(&mem, step.text, &step.ddl), CQL_OK);
    assert_int_equal(cqlsch_step_set_option(&mem, &step, cql_str_of(name), cql_str_of(value)),
                     CQL_OK);
    assert_string_equal(step.text.ptr, text);
    assert_true(step.rewritten);
    /* The statement was read anew: its option says the same as its text. */
    const cqlsch_option *option = cqlsch_option_find(&step.ddl.object, cql_str_of(name));
    assert_non_null(option);
    assert_null(step.ddl.object.unread);
    assert_true(cql_str_equal(cqlsch_sub(step.text, option->from, option->to), cql_str_of(value)));
    cqlsch_mem_fini(&mem);
}

static void options_are_replaced_or_added(void **state)
{
    (void)state;
    expect_text(
        "CREATE KEYSPACE k WITH replication = {'class': 'X', 'y': 1} AND durable_writes = true",
        "replication", "{'class': 'Z'}",
        "CREATE KEYSPACE k WITH replication = {'class': 'Z'} AND durable_writes = true");
    expect_text("CREATE KEYSPACE k", "replication", "{'class': 'Z'}",
                "CREATE KEYSPACE k WITH replication = {'class': 'Z'}");
    expect_text("CREATE TABLE t (a int PRIMARY KEY)", "comment", "'x'",
                "CREATE TABLE t (a int PRIMARY KEY) WITH comment = 'x'");
    expect_text(
        "CREATE TABLE t (a int PRIMARY KEY) WITH CLUSTERING ORDER BY (a ASC)", "cdc", "true",
        "CREATE TABLE t (a int PRIMARY KEY) WITH CLUSTERING ORDER BY (a ASC) AND cdc = true");
    expect_text("CREATE TABLE t (a int PRIMARY KEY) WITH x = 1 AND y = 'z' AND w = 5", "y", "'q'",
                "CREATE TABLE t (a int PRIMARY KEY) WITH x = 1 AND y = 'q' AND w = 5");
    expect_text("CREATE TABLE t (a int PRIMARY KEY) WITH y = -3", "y", "4",
                "CREATE TABLE t (a int PRIMARY KEY) WITH y = 4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replication_is_a_number_or_data_centres),
        cmocka_unit_test(settings_are_read),
        cmocka_unit_test(settings_that_make_no_sense_are_refused),
        cmocka_unit_test(options_are_replaced_or_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
