/* Comparing what a text says with what is there: each kind of difference, and what is none. */
#include "schema_help.h"

#include "schema/compare.h"

#include "unit.h"

/* Differences of the object at that place of the first text, a line each; notes begin with "note ". The live
 * side is written as a server would describe it. */
static void expect_at(size_t place, cql_schema_verify verify, const char *expected, const char *live,
                      const char *differences)
{
    cqlsch_mem mem;
    cqlsch_model want;
    cqlsch_model has;
    cqlsch_text out;
    cqlsch_mem_init(&mem, NULL);
    cqlsch_text_init(&out, &mem);
    schema_read(&mem, expected, &want);
    schema_read(&mem, live, &has);
    const cqlsch_object *o = cqlsch_model_at(&want, place);
    const cqlsch_object *there = cqlsch_live_of(&has, o);
    cqlsch_comparison c = {.mem = &mem, .verify = verify};
    cqlsch_compare(&c, o, there);
    if (there && o->kind == CQLSCH_TABLE)
        cqlsch_compare_extra_indexes(&c, o, &want, &has);
    size_t real = 0;
    for (size_t i = 0; i < c.differences.count; i++) {
        const cql_schema_difference *d = CQLSCH_AT(cql_schema_difference, &c.differences, i);
        real += d->note ? 0 : 1;
        cqlsch_text_add_c(&out, cqlsch_format(&mem, "%s%s\n", d->note ? "note " : "", d->text));
    }
    assert_string_equal(cqlsch_text_str(&out).ptr, differences);
    assert_int_equal(cqlsch_comparison_count(&c), real);
    cqlsch_mem_fini(&mem);
}

static void expect_as(cql_schema_verify verify, const char *expected, const char *live,
                      const char *differences)
{
    expect_at(0, verify, expected, live, differences);
}

static void expect(const char *expected, const char *live, const char *differences)
{
    expect_as(CQL_SCHEMA_VERIFY_FULL, expected, live, differences);
}

static const char table[] = "CREATE TABLE t (a int, b text, c timestamp, d int static, e "
                            "list<text>, PRIMARY KEY ((a, b), c)) WITH "
                            "CLUSTERING ORDER BY (c DESC)";

static void the_same_is_no_difference(void **state)
{
    (void)state;
    expect(table, table, "");
    expect(
        table,
        "CREATE TABLE ks.t (e list<text>, d int static, c timestamp, b varchar, a int, PRIMARY KEY "
        "((a, b), c)) WITH CLUSTERING ORDER BY (c DESC) AND comment = '' AND default_time_to_live "
        "= 0 AND "
        "gc_grace_seconds = 864000 AND compaction = {'class': 'x.y.SizeTieredCompactionStrategy', "
        "'max_threshold': '32', 'min_threshold': '4'}",
        "");
}

static void what_does_not_exist_is_said(void **state)
{
    (void)state;
    expect(table, "", "the table does not exist\n");
    expect_as(CQL_SCHEMA_VERIFY_OFF, table, "", "the table does not exist\n");
    expect("CREATE KEYSPACE k", "CREATE KEYSPACE \"K\"", "the keyspace does not exist\n");
    expect("CREATE INDEX i ON t (a)", "CREATE INDEX j ON t (a)", "the index does not exist\n");
}

static void columns_differ_in_type_role_order_and_presence(void **state)
{
    (void)state;
    expect(table,
           "CREATE TABLE t (a int, b text, c timestamp, d bigint static, e list<text>, PRIMARY KEY "
           "((a, b), "
           "c)) WITH CLUSTERING ORDER BY (c DESC)",
           "column d: expected int, found bigint\n");
    expect(table,
           "CREATE TABLE t (a int, b text, c timestamp, d int static, e frozen<list<text>>, "
           "PRIMARY KEY ((a, "
           "b), c)) WITH CLUSTERING ORDER BY (c DESC)",
           "column e: expected list<text>, found frozen<list<text>>\n");
    expect(table,
           "CREATE TABLE t (a int, b text, c timestamp, d int static, e list<text>, PRIMARY KEY "
           "((a, b), c))",
           "clustering order of c: expected DESC, found ASC\n");
    expect(table,
           "CREATE TABLE t (a int, b text, c timestamp, e list<text>, \"X\" int, PRIMARY KEY ((a, "
           "b), c)) "
           "WITH CLUSTERING ORDER BY (c DESC)",
           "column d: missing, expected int\ncolumn \"X\": not in the CQL, found int\n");
    expect("CREATE TABLE t (a int, b int, c int, PRIMARY KEY ((a, b), c))",
           "CREATE TABLE t (a int, b int, c int, PRIMARY KEY (b, a, c))",
           "column a: expected partition key 1, found clustering key 1\n"
           "column b: expected partition key 2, found partition key 1\n"
           "column c: expected clustering key 1, found clustering key 2\n");
    expect("CREATE TABLE t (a int PRIMARY KEY, b int, c int)",
           "CREATE TABLE t (a int, b int, c int static, PRIMARY KEY (a, b))",
           "column b: expected regular column, found clustering key 1\n"
           "column c: expected regular column, found static column\n");
}

static void with_options(const char *expected, const char *live, const char *differences)
{
    char want[512];
    char has[512];
    (void)snprintf(want, sizeof want, "CREATE TABLE t (a int PRIMARY KEY) %s", expected);
    (void)snprintf(has, sizeof has, "CREATE TABLE t (a int PRIMARY KEY) %s", live);
    expect(want, has, differences);
}

static void named_options_are_compared_by_what_they_mean(void **state)
{
    (void)state;
    with_options("WITH default_time_to_live = 604800", "WITH default_time_to_live = 604800", "");
    with_options("WITH default_time_to_live = 604800", "WITH default_time_to_live = 3600",
                 "default_time_to_live: expected 604800, found 3600\n");
    with_options("WITH bloom_filter_fp_chance = 1.0E-2", "WITH bloom_filter_fp_chance = 0.01", "");
    with_options("WITH bloom_filter_fp_chance = 0.010", "WITH bloom_filter_fp_chance = 0.1",
                 "bloom_filter_fp_chance: expected 0.010, found 0.1\n");
    with_options("WITH speculative_retry = '99PERCENTILE'", "WITH speculative_retry = '99p'", "");
    with_options("WITH speculative_retry = '99.0p'", "WITH speculative_retry = '95p'",
                 "speculative_retry: expected 99.0p, found 95p\n");
    with_options("WITH speculative_retry = 'NONE'", "WITH speculative_retry = 'NEVER'", "");
    with_options("WITH comment = 'A'", "WITH comment = 'a'", "comment: expected A, found a\n");
    with_options("WITH caching = {'keys': 'all'}",
                 "WITH caching = {'keys': 'ALL', 'rows_per_partition': 'NONE'}", "");
    with_options("WITH no_such_option = 1", "WITH comment = ''",
                 "no_such_option: missing, expected 1\n");
    with_options("WITH id = 5a1c395e-b41f-11e5-9f22-ba0be0483c18", "", "");
}

static void compaction_is_compared_with_its_sub_options(void **state)
{
    (void)state;
    const char *live =
        "WITH compaction = {'class': 'org.x.SizeTieredCompactionStrategy', "
        "'bucket_high': '1.50', 'enabled': 'TRUE', 'max_threshold': '32', 'min_threshold': '4'}";
    with_options("WITH compaction = {'class': 'SizeTieredCompactionStrategy', 'bucket_high': 1.5, "
                 "'enabled': true}",
                 live, "");
    with_options("WITH compaction = {'class': 'LeveledCompactionStrategy', 'bucket_high': 1.6, "
                 "'min_threshold': 8, 'x': 1}",
                 live,
                 "compaction.class: expected LeveledCompactionStrategy, found "
                 "SizeTieredCompactionStrategy\n"
                 "compaction.bucket_high: expected 1.6, found 1.50\n"
                 "compaction.min_threshold: expected 8, found 4\n"
                 "compaction.x: missing, expected 1\n"
                 "compaction.enabled: not in the CQL, found TRUE\n");
    with_options(
        "WITH compaction = {'class': 'SizeTieredCompactionStrategy'}",
        "WITH compaction = {'class': 'SizeTieredCompactionStrategy', 'max_threshold': '16'}",
        "compaction.max_threshold: not in the CQL, found 16\n");
}

static void old_names_of_compression_mean_the_same(void **state)
{
    (void)state;
    const char *live =
        "WITH compression = {'chunk_length_in_kb': '16', 'class': 'org.x.LZ4Compressor'}";
    with_options("WITH compression = {'sstable_compression': 'LZ4Compressor'}", live, "");
    with_options("WITH compression = {'class': 'LZ4Compressor', 'chunk_length_kb': 64}", live,
                 "compression.chunk_length_in_kb: expected 64, found 16\n");
    /* The server keeps no word of what is so anyhow. */
    with_options("WITH compression = {'class': 'LZ4Compressor', 'enabled': true}",
                 "WITH compression = {'class': 'org.apache.cassandra.io.compress.LZ4Compressor', "
                 "'chunk_length_in_kb': '16'}",
                 "");
    with_options("WITH compression = {'enabled': true}", "WITH compression = {'enabled': 'false'}",
                 "compression.enabled: expected true, found false\n");
}

/* What the text leaves open is the operator's, but data that vanishes is not. */
static void unnamed_options_are_left_alone_but_for_the_time_to_live(void **state)
{
    (void)state;
    with_options("", "WITH comment = 'x' AND bloom_filter_fp_chance = 0.1", "");
    with_options("", "WITH default_time_to_live = 60",
                 "default_time_to_live: expected 0, found 60\n");
    with_options("", "WITH gc_grace_seconds = 10",
                 "note gc_grace_seconds: not in the CQL, found 10\n");
}

static void shape_turns_options_and_replication_into_notes(void **state)
{
    (void)state;
    expect_as(CQL_SCHEMA_VERIFY_SHAPE,
              "CREATE TABLE t (a int PRIMARY KEY, b int) WITH gc_grace_seconds = 5",
              "CREATE TABLE t (a int PRIMARY KEY, b text) WITH gc_grace_seconds = 6 AND "
              "default_time_to_live = 7",
              "column b: expected int, found text\n"
              "note gc_grace_seconds: expected 5, found 6\n"
              "note default_time_to_live: expected 0, found 7\n");
    expect_as(
        CQL_SCHEMA_VERIFY_SHAPE,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 2}",
        "note replication: expected {'class': 'SimpleStrategy', 'replication_factor': '1'}, found "
        "{'class': 'SimpleStrategy', 'replication_factor': '2'}\n");
    expect_as(CQL_SCHEMA_VERIFY_OFF, table, "CREATE TABLE t (x int PRIMARY KEY)", "");
}

static void replication(const char *expected, const char *live, bool same)
{
    cqlsch_mem mem;
    cqlsch_model want;
    cqlsch_model has;
    cqlsch_mem_init(&mem, NULL);
    schema_read(&mem, cqlsch_format(&mem, "CREATE KEYSPACE k WITH replication = %s", expected),
                &want);
    schema_read(&mem,
                cqlsch_format(&mem,
                              "CREATE KEYSPACE k WITH replication = %s AND durable_writes = true",
                              live),
                &has);
    cqlsch_comparison c = {.mem = &mem};
    cqlsch_compare(&c, cqlsch_model_at(&want, 0), cqlsch_model_at(&has, 0));
    assert_int_equal(cqlsch_comparison_count(&c), same ? 0 : 1);
    cqlsch_mem_fini(&mem);
}

static void replication_maps_are_compared_by_data_centre(void **state)
{
    (void)state;
    const char *live =
        "{'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', 'dc1': '3', "
        "'dc2': '3'}";
    replication("{'class': 'NetworkTopologyStrategy', 'dc2': 3, 'dc1': 3}", live, true);
    replication("{'class': 'NetworkTopologyStrategy', 'replication_factor': 3}", live, true);
    replication("{'class': 'NetworkTopologyStrategy', 'replication_factor': 2}", live, false);
    replication("{'class': 'NetworkTopologyStrategy', 'replication_factor': 3, 'dc2': 1}", live,
                false);
    replication("{'class': 'NetworkTopologyStrategy', 'dc1': 3}", live, false);
    replication("{'class': 'NetworkTopologyStrategy', 'dc1': 3, 'dc2': 3, 'dc3': 1}", live, false);
    replication("{'class': 'NetworkTopologyStrategy', 'dc1': 3, 'dc2': 3, 'dc3': 0}", live, true);
    replication("{'class': 'SimpleStrategy', 'replication_factor': 3}", live, false);
    replication("{'class': 'SimpleStrategy', 'replication_factor': 3}",
                "{'class': 'org.x.SimpleStrategy', 'replication_factor': '3'}", true);
}

static void durable_writes_count_when_named(void **state)
{
    (void)state;
    expect("CREATE KEYSPACE k WITH durable_writes = true",
           "CREATE KEYSPACE k WITH durable_writes = False",
           "durable_writes: expected true, found False\n");
    expect("CREATE KEYSPACE k WITH replication = {'class': 'S'}",
           "CREATE KEYSPACE k WITH durable_writes = false AND replication = {'class': 'S'}", "");
}

static void types_are_compared_field_by_field_in_order(void **state)
{
    (void)state;
    expect("CREATE TYPE u (a int, b text)", "CREATE TYPE u (a int, b text)", "");
    expect("CREATE TYPE u (a int, b text)", "CREATE TYPE u (b text, a int, c int)",
           "field 1: expected a int, found b text\nfield 2: expected b text, found a int\n"
           "field 3: not in the CQL, found c int\n");
}

static void indexes_are_compared_by_target_and_class(void **state)
{
    (void)state;
    expect("CREATE INDEX i ON t (a)", "CREATE INDEX i ON t (a)", "");
    expect("CREATE INDEX i ON t (m)", "CREATE INDEX i ON t (values(m))", "");
    expect("CREATE INDEX i ON t (a)", "CREATE INDEX i ON t (b)", "target: expected a, found b\n");
    expect("CREATE INDEX i ON t (a)", "CREATE INDEX i ON u (a)", "table: expected t, found u\n");
    expect("CREATE INDEX i ON t (a)", "CREATE CUSTOM INDEX i ON t (a) USING 'x.SASIIndex'",
           "class: expected a plain index, found SASIIndex\n");
    expect("CREATE INDEX i ON t (a) USING 'sai'",
           "CREATE CUSTOM INDEX i ON t (a) USING 'StorageAttachedIndex'", "");
    expect("CREATE INDEX ON t (a)", "CREATE INDEX t_a_idx_1 ON t (a)", "");
    expect("CREATE INDEX ON t (a)", "CREATE INDEX t_a_idx_1 ON t (b)",
           "the index does not exist\n");
}

static void options_of_indexes_are_compared_where_they_are_named(void **state)
{
    static const char index[] = "CREATE CUSTOM INDEX i ON t (a) USING 'sai' WITH OPTIONS = ";
    char want[200];
    char has[200];
    (void)state;
    (void)snprintf(want, sizeof want, "%s{'normalize': 'true', 'case_sensitive': false}", index);
    (void)snprintf(has, sizeof has, "%s{'normalize': true, 'case_sensitive': 'true', 'x': 'y'}", index);
    expect(want, has, "options.case_sensitive: expected false, found true\n"
                      "note options.x: not in the CQL, found y\n");
    expect_as(CQL_SCHEMA_VERIFY_SHAPE, want, has,
              "note options.case_sensitive: expected false, found true\n"
              "note options.x: not in the CQL, found y\n");
    expect(want, want, "");
    (void)snprintf(has, sizeof has, "%s{'normalize': 'true'}", index);
    expect(want, has, "options.case_sensitive: missing, expected false\n");
    expect("CREATE INDEX i ON t (a) USING 'sai'", want,
           "note options.normalize: not in the CQL, found true\n"
           "note options.case_sensitive: not in the CQL, found false\n");
}

static void functions_of_one_name_differ_by_their_arguments(void **state)
{
    static const char rest[] = "CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'return 1;'";
    static const struct {
        const char *want, *has;
        bool same;
    } rows[] = {
        {"f (x int)", "f (X int)", true},
        {"f (x int)", "f (x bigint)", false},
        {"f (x int)", "f (x int, y int)", false},
        {"f ()", "f ()", true},
        {"f ()", "f (x int)", false},
        {"f (x varchar, y list<int>)", "f (x TEXT, y frozen<list<int>>)", true},
        {"f (x ks.addr)", "f (x frozen<addr>)", true},
        {"f (x map<text, frozen<list<int>>>)", "f (x map<text,list<int>>)", true},
    };
    char want[200];
    char has[200];
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        (void)snprintf(want, sizeof want, "CREATE FUNCTION %s %s", rows[i].want, rest);
        (void)snprintf(has, sizeof has, "CREATE FUNCTION %s %s", rows[i].has, rest);
        expect(want, has, rows[i].same ? "" : "the function does not exist\n");
    }
    expect("CREATE AGGREGATE a (int) SFUNC f STYPE int", "CREATE AGGREGATE a (int) SFUNC f STYPE int", "");
    expect("CREATE AGGREGATE a (int) SFUNC f STYPE int",
           "CREATE AGGREGATE a (bigint) SFUNC f STYPE bigint", "the aggregate does not exist\n");
    expect("CREATE TRIGGER x ON t USING 'c'", "CREATE TRIGGER x ON ks.t USING 'c'", "");
    expect("CREATE TRIGGER x ON t USING 'c'", "CREATE TRIGGER x ON u USING 'c'",
           "the trigger does not exist\n");
}

static void views_are_compared_by_all_that_they_say(void **state)
{
    static const char view[] =
        "CREATE MATERIALIZED VIEW v AS SELECT a, b, \"C\" FROM t WHERE a IS NOT NULL AND b > 5 AND "
        "\"C\" IN (1, 2) PRIMARY KEY ((a, b), \"C\") WITH CLUSTERING ORDER BY (\"C\" DESC) AND comment = 'x'";
    (void)state;
    expect(view, view, "");
    expect(view,
           "CREATE MATERIALIZED VIEW ks.v AS SELECT \"C\", b, a FROM ks.t WHERE \"a\" is not null and (B>5) "
           "AND \"C\" IN (1,2)\n PRIMARY KEY ((a, b), \"C\") WITH comment = 'x' AND gc_grace_seconds = 1 AND "
           "CLUSTERING ORDER BY (\"C\" DESC)",
           "");
    expect(view,
           "CREATE MATERIALIZED VIEW v AS SELECT a, b, \"C\", d FROM u WHERE a IS NOT NULL AND b > 6 AND "
           "\"C\" IN (1, 2) PRIMARY KEY (a, b, \"C\") WITH comment = 'y'",
           "table: expected t, found u\n"
           "where: expected a IS NOT NULL AND b > 5 AND \"C\" IN (1, 2), found a IS NOT NULL AND b > 6 "
           "AND \"C\" IN (1, 2)\n"
           "column b: expected partition key 2, found clustering key 1\n"
           "column \"C\": expected clustering key 1, found clustering key 2\n"
           "clustering order of \"C\": expected DESC, found ASC\n"
           "column d: not in the CQL, found \n"
           "comment: expected x, found y\n");
    static const char all[] = "CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE a IS NOT NULL AND s = "
                              "'it''s' PRIMARY KEY (a, s)";
    expect(all, all, "");
    expect(all,
           "CREATE MATERIALIZED VIEW v AS SELECT a, s, d FROM t WHERE a IS NOT NULL AND s = 'it''s' "
           "PRIMARY KEY (a, s)",
           "selection of all columns: expected true, found false\n");
    expect("CREATE MATERIALIZED VIEW v AS SELECT a, s FROM t WHERE a IS NOT NULL PRIMARY KEY (a, s)",
           "CREATE MATERIALIZED VIEW v AS SELECT a FROM t WHERE a IS NOT NULL PRIMARY KEY (a)",
           "column s: missing, expected clustering key 1\n");
    expect("CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE a IS NOT NULL PRIMARY KEY (a); ALTER "
           "MATERIALIZED VIEW v WITH comment = 'z'; ALTER TABLE t RENAME a TO b",
           all, "note the view is not compared: a column of its table gets another name\n");
}

/* Servers leave the rows of a view in the order of its table where nothing else is said. */
static void views_have_the_order_of_their_table(void **state)
{
    static const char key[] = "CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE a IS NOT NULL PRIMARY KEY (a, c)";
    static const char live[] = "CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE a IS NOT NULL PRIMARY KEY (a, c) "
                               "WITH CLUSTERING ORDER BY (c DESC)";
    static const char up[] = "CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE a IS NOT NULL PRIMARY KEY (a, c) "
                             "WITH CLUSTERING ORDER BY (c ASC)";
    static const char *const tables[] = {
        "CREATE TABLE t (a int, c int, PRIMARY KEY (a, c))",
        "CREATE TABLE t (a int, c int, PRIMARY KEY (a, c)) WITH CLUSTERING ORDER BY (c DESC)",
    };
    static const char *const differences[][2] = {
        {"", "clustering order of c: expected ASC, found DESC\n"},
        {"clustering order of c: expected DESC, found ASC\n", ""},
    };
    char text[400];
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(tables); i++) {
        (void)snprintf(text, sizeof text, "%s; %s", tables[i], key);
        expect_at(1, CQL_SCHEMA_VERIFY_FULL, text, up, differences[i][0]);
        expect_at(1, CQL_SCHEMA_VERIFY_FULL, text, live, differences[i][1]);
        (void)snprintf(text, sizeof text, "%s; %s", tables[i], up);
        expect_at(1, CQL_SCHEMA_VERIFY_FULL, text, live, "clustering order of c: expected ASC, found DESC\n");
    }
    expect(key, live, ""); /* a table that the text does not make */
    expect(live, up, "clustering order of c: expected DESC, found ASC\n");
}

static void functions_are_compared_by_all_that_they_say(void **state)
{
    static const char start[] = "CREATE FUNCTION f (x int, y int) ";
    static const char same[] =
        "RETURNS NULL ON NULL INPUT RETURNS frozen<list<int>> LANGUAGE java AS 'return x; // it''s'";
    static const struct {
        const char *live, *differences;
    } rows[] = {
        {"returns null on null input returns list<int> language JAVA as $$return x; // it's$$", ""},
        {"CALLED ON NULL INPUT RETURNS list<int> LANGUAGE java AS $$return x; // it's$$",
         "called on null input: expected false, found true\n"},
        {"RETURNS NULL ON NULL INPUT RETURNS list<text> LANGUAGE javascript AS $$return x; // it's$$",
         "return type: expected frozen<list<int>>, found list<text>\n"
         "language: expected java, found javascript\n"},
        {"RETURNS NULL ON NULL INPUT RETURNS list<int> LANGUAGE java AS 'return y;'",
         "body, line 1: expected return x; // it's, found return y;\n"},
    };
    char want[300];
    char has[300];
    (void)state;
    (void)snprintf(want, sizeof want, "%s%s", start, same);
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        (void)snprintf(has, sizeof has, "%s%s", start, rows[i].live);
        expect(want, has, rows[i].differences);
        expect_as(CQL_SCHEMA_VERIFY_SHAPE, want, has, rows[i].differences);
    }
    (void)snprintf(has, sizeof has, "CREATE FUNCTION f (y int, x int) %s", same);
    expect(want, has, "argument names: expected x, y, found y, x\n");
    expect("CREATE FUNCTION f () CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'a\n  b\r\n  c\n  d'",
           "CREATE FUNCTION f () CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'a\n  b\r\n  e\n  d'",
           "body, line 3: expected c, found e\n");
    expect("CREATE FUNCTION f () CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'a\r\n  b\n'",
           "CREATE FUNCTION f () CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'a\n  b\r\n'", "");
    expect("CREATE FUNCTION f () CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'a'; CREATE OR REPLACE "
           "FUNCTION f () CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'b'",
           "CREATE FUNCTION f () CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'b'", "");
}

static void aggregates_and_triggers_are_compared_by_all_that_they_say(void **state)
{
    static const char start[] = "CREATE AGGREGATE a (int) ";
    static const struct {
        const char *want, *has, *differences;
    } rows[] = {
        {"SFUNC f STYPE int", "SFUNC F STYPE int", ""},
        {"SFUNC f STYPE int", "SFUNC \"F\" STYPE bigint FINALFUNC g INITCOND 0",
         "state function: expected f, found F\nstate type: expected int, found bigint\n"
         "final function: not in the CQL, found g\ninitial condition: not in the CQL, found 0\n"},
        {"SFUNC f STYPE tuple<int, double> INITCOND (0,1)", "SFUNC f STYPE frozen<tuple<int,double>> INITCOND (0, 1.0)",
         ""},
        {"SFUNC f STYPE tuple<int, double> INITCOND (0, 1)", "SFUNC f STYPE tuple<int, double> INITCOND (1, 0)",
         "initial condition: expected (0, 1), found (1, 0)\n"},
        {"SFUNC f STYPE map<text, int> INITCOND {'b':2, 'a':1}",
         "SFUNC f STYPE map<text, int> INITCOND {'a': 1, 'b': 2}", ""},
        {"SFUNC f STYPE map<text, int> INITCOND {'b':2, 'a':1}",
         "SFUNC f STYPE map<text, int> INITCOND {'a': 1, 'B': 2}",
         "initial condition: expected {'b':2, 'a':1}, found {'a': 1, 'B': 2}\n"},
        {"SFUNC f STYPE timestamp INITCOND '2020-01-01'",
         "SFUNC f STYPE timestamp INITCOND '2020-01-01T00:00:00.000Z'", ""},
        {"SFUNC f STYPE int INITCOND null", "SFUNC f STYPE int", ""},
        {"SFUNC f STYPE int INITCOND 0", "SFUNC f STYPE int", "initial condition: missing, expected 0\n"},
    };
    char want[200];
    char has[200];
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(rows); i++) {
        (void)snprintf(want, sizeof want, "%s%s", start, rows[i].want);
        (void)snprintf(has, sizeof has, "%s%s", start, rows[i].has);
        expect(want, has, rows[i].differences);
    }
    expect("CREATE TRIGGER x ON t USING 'c'", "CREATE TRIGGER x ON t USING 'd'",
           "class: expected c, found d\n");
}

static void indexes_that_nothing_expects_are_differences_of_the_table(void **state)
{
    (void)state;
    const char *base = "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE INDEX i ON t (b)";
    expect(base, base, "");
    expect(
        base,
        "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE INDEX i ON t (b); CREATE INDEX j ON t "
        "(keys(b)); CREATE INDEX k ON o (b)",
        "index j: not in the CQL, found an index on keys(b)\n");
}

static void what_was_not_read_is_noted(void **state)
{
    (void)state;
    expect("CREATE TABLE t (a int PRIMARY KEY, b int) WITH COMPACT STORAGE",
           "CREATE TABLE t (a int PRIMARY KEY)",
           "note the table is not compared: COMPACT STORAGE\n");
    expect("CREATE MATERIALIZED VIEW v AS SELECT 1", "CREATE MATERIALIZED VIEW v AS SELECT 2",
           "note the view is not compared: a name was expected (line 1, column 38 of the statement)\n");
    expect("CREATE FUNCTION f (a int) A", "CREATE FUNCTION f (a int) B",
           "note the function is not compared: RETURNS was expected (line 1, column 27 of the "
           "statement)\n");
}

static void names_are_quoted_where_they_must_be(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } rows[] = {{"abc_1", "abc_1"},        {"Abc", "\"Abc\""},     {"1a", "\"1a\""},
                {"a\"b", "\"a\"\"b\""},    {"table", "\"table\""}, {"", "\"\""},
                {"timestamp", "timestamp"}};
    cqlsch_mem mem;
    cqlsch_mem_init(&mem, NULL);
    for (size_t i = 0; i < CQL_COUNT(rows); i++)
        assert_string_equal(cqlsch_identifier(&mem, cql_str_of(rows[i].name)).ptr, rows[i].text);
    cqlsch_mem_fini(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_no_difference),
        cmocka_unit_test(what_does_not_exist_is_said),
        cmocka_unit_test(columns_differ_in_type_role_order_and_presence),
        cmocka_unit_test(named_options_are_compared_by_what_they_mean),
        cmocka_unit_test(compaction_is_compared_with_its_sub_options),
        cmocka_unit_test(old_names_of_compression_mean_the_same),
        cmocka_unit_test(unnamed_options_are_left_alone_but_for_the_time_to_live),
        cmocka_unit_test(shape_turns_options_and_replication_into_notes),
        cmocka_unit_test(replication_maps_are_compared_by_data_centre),
        cmocka_unit_test(durable_writes_count_when_named),
        cmocka_unit_test(types_are_compared_field_by_field_in_order),
        cmocka_unit_test(indexes_are_compared_by_target_and_class),
        cmocka_unit_test(options_of_indexes_are_compared_where_they_are_named),
        cmocka_unit_test(functions_of_one_name_differ_by_their_arguments),
        cmocka_unit_test(views_are_compared_by_all_that_they_say),
        cmocka_unit_test(views_have_the_order_of_their_table),
        cmocka_unit_test(functions_are_compared_by_all_that_they_say),
        cmocka_unit_test(aggregates_and_triggers_are_compared_by_all_that_they_say),
        cmocka_unit_test(indexes_that_nothing_expects_are_differences_of_the_table),
        cmocka_unit_test(what_was_not_read_is_noted),
        cmocka_unit_test(names_are_quoted_where_they_must_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
