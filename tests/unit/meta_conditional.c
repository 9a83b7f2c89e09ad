/* Which texts are conditional statements. */
#include "meta/conditional.h"
#include "unit.h"

static void the_word_if_makes_a_write_conditional(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "INSERT INTO t (k) VALUES (1) IF NOT EXISTS",
        "insert into t (k) values (1) if not exists",
        "UPDATE t SET v = 1 WHERE k = 1 IF v=2",
        "DELETE FROM t WHERE k = 1\nIF EXISTS;",
        "BEGIN BATCH INSERT INTO t (k) VALUES (1) If NOT EXISTS; APPLY BATCH",
        " -- first a remark\n/* and one more */ // and another\nUPDATE t SET v = 'x'IF EXISTS",
        "UPDATE t SET v = 'it''s' WHERE \"a\"\"b\" = $$'$$ IF EXISTS",
    };
    for (size_t i = 0; i < CQL_COUNT(yes); i++)
        if (!cqln_cql_conditional(cql_str_of(yes[i])))
            fail_msg("%s", yes[i]);
}

static void other_texts_are_not_conditional(void **state)
{
    (void)state;
    static const char *const no[] = {
        "",
        "IF",
        "INSERT INTO t (k, id, ig, iff, xif, if_, i) VALUES (1, 2)", /* words like it */
        "UPDATE t SET v = 'IF EXISTS' WHERE k = 1",
        "UPDATE t SET \"IF\" = $$ IF $$ -- IF\nWHERE /* IF */ k = 1 // IF",
        "SELECT IF FROM t",
        "CREATE TABLE IF NOT EXISTS t (k int PRIMARY KEY)",
        "INSERTS IF",
        "UPDATE t SET v = 'IF", /* open ones */
        "UPDATE t /* IF",
        "UPDATE t -- IF",
        "UPDATE t SET v = $$ IF $",
        "DELETE I",
    };
    for (size_t i = 0; i < CQL_COUNT(no); i++)
        if (cqln_cql_conditional(cql_str_of(no[i])))
            fail_msg("%s", no[i]);
}

static void what_reads_or_writes_rows_may_run_twice(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "SELECT * FROM t",
        "-- all\nselect IF FROM t",
        "INSERT INTO t (k) VALUES (1)",
        "UPDATE COUNTERS SET v = 'IF' WHERE k = 1",
        "DELETE FROM t WHERE k = 1",
        "BEGIN BATCH INSERT INTO t (k) VALUES (1); APPLY BATCH",
        "BEGIN UNLOGGED BATCH INSERT INTO t (k) VALUES (1); APPLY BATCH",
    };
    static const char *const no[] = {
        "",
        "CREATE TABLE t (k int PRIMARY KEY)",
        "CREATE TABLE IF NOT EXISTS t (k int PRIMARY KEY)",
        "ALTER TABLE t ADD v int",
        "DROP TABLE t",
        "TRUNCATE t",
        "USE ks",
        "GRANT SELECT ON t TO r",
        "INSERT INTO t (k) VALUES (1) IF NOT EXISTS",
        "BEGIN/**/counter BATCH UPDATE t SET n = n + 1 WHERE k = 1; APPLY BATCH",
    };
    for (size_t i = 0; i < CQL_COUNT(yes); i++)
        if (!cqln_cql_repeatable(cql_str_of(yes[i])))
            fail_msg("%s", yes[i]);
    for (size_t i = 0; i < CQL_COUNT(no); i++)
        if (cqln_cql_repeatable(cql_str_of(no[i])))
            fail_msg("%s", no[i]);
}

/* At the end of memory too. */
static void no_cut_reads_on(void **state)
{
    (void)state;
    static const char text[] = "BEGIN BATCH UPDATE t SET v = 'a' -- b\n, /* c */ w = $$d$$ WHERE \"k\" = 1 IF EXISTS";
    for (size_t n = 0; n < sizeof text; n++) {
        guard g;
        guard_init(&g, n);
        cql_str cut = {(const char *)guard_place(&g, text, n), n};
        assert_int_equal(cqln_cql_conditional(cut), n >= sizeof text - sizeof " EXISTS");
        guard_fini(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_word_if_makes_a_write_conditional),
        cmocka_unit_test(other_texts_are_not_conditional),
        cmocka_unit_test(what_reads_or_writes_rows_may_run_twice),
        cmocka_unit_test(no_cut_reads_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
