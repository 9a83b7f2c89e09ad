/* Reading DDL: every object kind, types in one form, ALTER and DROP, and what is not understood. */
#include "schema_help.h"

#include "schema/typetext.h"

#include "unit.h"

static void expect(const char *cql, const char *objects)
{
    cqlsch_mem mem;
    cqlsch_model m;
    cqlsch_mem_init(&mem, NULL);
    schema_read(&mem, cql, &m);
    assert_string_equal(schema_print_all(&mem, &m), objects);
    cqlsch_mem_fini(&mem);
}

static void keyspaces_with_their_options(void **state)
{
    (void)state;
    expect("CREATE KEYSPACE IF NOT EXISTS a WITH replication = {'class': 'SimpleStrategy', "
           "'replication_factor': 1} AND durable_writes = false",
           "keyspace a replication={'class': 'SimpleStrategy', 'replication_factor': '1'} "
           "durable_writes=false\n");
    expect("create schema \"A b\" with "
           "REPLICATION={'class':'org.x.NetworkTopologyStrategy','dc-1':'3'}",
           "keyspace \"A b\" replication={'class': 'NetworkTopologyStrategy', 'dc-1': '3'}\n");
}

static void tables_with_every_kind_of_column(void **state)
{
    (void)state;
    expect("CREATE TABLE t (a int PRIMARY KEY, \"B\" TEXT, s set<text> static)",
           "table ks.t [a int pk0] [B text] [s set<text> static]\n");
    expect("CREATE COLUMNFAMILY IF NOT EXISTS k.\"T\" (PRIMARY KEY ((a, b), c, D), a int, b int, c "
           "int, d "
           "int) WITH CLUSTERING ORDER BY (c DESC, d asc)",
           "table k.\"T\" [a int pk0] [b int pk1] [c int ck0 desc] [d int ck1]\n");
    expect("CREATE TABLE t (a int, key int, primary_x int, PRIMARY KEY (a, key))",
           "table ks.t [a int pk0] [key int ck0] [primary_x int]\n");
}

static void table_options_of_every_form(void **state)
{
    (void)state;
    expect(
        "CREATE TABLE t (a int PRIMARY KEY) WITH comment = 'it''s AND so' AND Gc_Grace_Seconds=-5 "
        "AND compaction = {'class' : 'X', 'min_threshold' : 4, 'enabled': TRUE} AND "
        "bloom_filter_fp_chance = 1e-2 AND caching = {} AND id = "
        "5a1c395e-b41f-11e5-9f22-ba0be0483c18 "
        "AND cdc = true",
        "table ks.t [a int pk0] comment=it's AND so gc_grace_seconds=-5 compaction={'class': 'X', "
        "'min_threshold': '4', 'enabled': 'TRUE'} bloom_filter_fp_chance=1e-2 caching={} "
        "id=5a1c395e-b41f-11e5-9f22-ba0be0483c18 cdc=true\n");
}

static void types_and_indexes(void **state)
{
    (void)state;
    expect("CREATE TYPE IF NOT EXISTS addr (street text, \"No\" int, tags frozen<set<text>>)",
           "type ks.addr [street text] [No int] [tags frozen<set<text>>]\n");
    expect("CREATE INDEX i ON t (a); CREATE INDEX ON k.t (keys(\"M\")); CREATE INDEX IF NOT EXISTS "
           "j ON t "
           "(full(f)); CREATE CUSTOM INDEX c ON t (a) USING 'org.x.Y' WITH OPTIONS = {'a': 'b'}",
           "index ks.i on t(a) \nindex k.\"\" on t(keys(\"M\")) \nindex ks.j on t(full(f)) \nindex "
           "ks.c on "
           "t(a) org.x.Y options={'a': 'b'}\n");
}

static void other_objects_are_known_by_name(void **state)
{
    (void)state;
    expect(
        "CREATE MATERIALIZED VIEW v AS SELECT * FROM t; CREATE OR REPLACE FUNCTION k.f (x int) "
        "RETURNS "
        "int LANGUAGE java AS $$ return x; $$; CREATE AGGREGATE g (int) SFUNC f STYPE int; CREATE "
        "TRIGGER tr ON k.t USING 'x'",
        "view ks.v unread: PRIMARY was expected (line 1, column 46 of the statement)\n"
        "function k.f unread: NULL was expected (line 1, column 48 of the statement)\n"
        "aggregate ks.g state_func=f state_type=int final_func null initcond null\n"
        "trigger k.tr class=x\n");
    expect("CREATE MATERIALIZED VIEW v AS SELECT a, \"B\" FROM k.t WHERE a IS NOT NULL PRIMARY KEY (c, a) "
           "WITH comment = 'x'; CREATE FUNCTION f (x int, \"Y\" u) CALLED ON NULL INPUT RETURNS set<u> "
           "LANGUAGE Java AS 'a''b'",
           "view ks.v [a  ck0] [B ] [c  pk0] include_all_columns=false base_table_name=t "
           "where_clause=a IS NOT NULL comment=x\n"
           "function ks.f argument_names=x, Y called_on_null_input=true return_type=set<u> "
           "language=java body=a'b\n");
}

static void statements_about_nothing_tracked_leave_no_object(void **state)
{
    (void)state;
    expect("CREATE ROLE r; GRANT x TO y; INSERT INTO t (a) VALUES (1); SELECT 1; TRUNCATE t; ALTER "
           "ROLE "
           "x; DROP ROLE y; USE b; CREATE",
           "");
}

static void use_and_qualified_names(void **state)
{
    (void)state;
    expect("USE b; CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE c.t (a int PRIMARY KEY); use "
           "\"D\"; "
           "CREATE TABLE t (a int PRIMARY KEY)",
           "table b.t [a int pk0]\ntable c.t [a int pk0]\ntable \"D\".t [a int pk0]\n");
}

static void alters_change_what_is_expected(void **state)
{
    (void)state;
    expect("CREATE TABLE t (a int PRIMARY KEY, b int, c int) WITH comment='x'; ALTER TABLE t ADD d "
           "varchar; ALTER TABLE t ADD IF NOT EXISTS (e int, f int static); ALTER TABLE t DROP b; "
           "ALTER "
           "TABLE t DROP (c, e); ALTER TABLE t RENAME a TO z; ALTER TABLE t WITH comment='y' AND "
           "cdc=true; "
           "ALTER TABLE nosuch ADD q int",
           "table ks.t [z int pk0] [f int static] [d text] comment=y cdc=true\n");
    expect("CREATE TYPE u (a int); ALTER TYPE u ADD b text; ALTER TYPE u RENAME a TO x AND b TO y",
           "type ks.u [x int] [y text]\n");
    expect("CREATE KEYSPACE k WITH replication={'class':'S','replication_factor':1}; ALTER "
           "KEYSPACE k WITH "
           "replication={'class':'S','replication_factor':2}",
           "keyspace k replication={'class': 'S', 'replication_factor': '2'}\n");
    expect("CREATE TABLE t (a int PRIMARY KEY); ALTER TABLE t ALTER a TYPE bigint",
           "table ks.t unread: an ALTER of this form (line 1, column 15 of the statement)\n");
}

static void drops_take_what_is_inside(void **state)
{
    (void)state;
    expect(
        "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE INDEX i ON t (b); CREATE TABLE u (a int "
        "PRIMARY KEY); DROP TABLE IF EXISTS t",
        "table ks.u [a int pk0]\n");
    expect("CREATE KEYSPACE ks WITH replication={'class':'S'}; CREATE TABLE t (a int PRIMARY KEY); "
           "CREATE "
           "TABLE o.t (a int PRIMARY KEY); DROP KEYSPACE ks; CREATE TABLE t (b int PRIMARY KEY)",
           "table o.t [a int pk0]\ntable ks.t [b int pk0]\n");
    expect("CREATE FUNCTION f (x int) A; CREATE FUNCTION f (x text) A; CREATE FUNCTION g (x int) A; "
           "CREATE FUNCTION g (x text) A; DROP FUNCTION f (varchar); DROP FUNCTION IF EXISTS g",
           "function ks.f unread: RETURNS was expected (line 1, column 27 of the statement)\n");
}

static void what_is_not_understood_is_left_uncompared_with_its_place(void **state)
{
    (void)state;
    expect("CREATE TABLE t (a int PRIMARY KEY,\n  b text MASKED WITH DEFAULT)",
           "table ks.t unread: ')' was expected (line 2, column 10 of the statement)\n");
    expect("CREATE TABLE t (a int PRIMARY KEY, b int) WITH COMPACT STORAGE",
           "table ks.t unread: COMPACT STORAGE\n");
    expect("CREATE TABLE t (a int)",
           "table ks.t unread: there is no primary key (line 1, column 23 of the statement)\n");
    expect("CREATE TABLE t (a int, PRIMARY KEY (x))",
           "table ks.t unread: the primary key names a column that is not there (line 1, column 40 "
           "of the "
           "statement)\n");
    expect("CREATE TABLE t (a int PRIMARY KEY) WITH x 5",
           "table ks.t unread: '=' was expected (line 1, column 43 of the statement)\n");
    expect("CREATE INDEX i ON t (a, b)",
           "index ks.i unread: an index on several columns (line 1, column 25 of the statement)\n");
}

static void expect_type(const char *text, const char *canonical)
{
    cqlsch_mem mem;
    cqlsch_mem_init(&mem, NULL);
    cql_str out = cqlsch_type_text(&mem, cql_str_of("ks"), cql_str_of(text));
    assert_int_equal(out.len, strlen(canonical));
    assert_memory_equal(out.ptr, canonical, out.len);
    cqlsch_mem_fini(&mem);
}

/* The right column is also what makes the server's own spelling and a file's one and the same. */
static void types_have_one_spelling(void **state)
{
    (void)state;
    expect_type("VARCHAR", "text");
    expect_type("BigInt", "bigint");
    expect_type("map< text,LIST<int> >", "map<text, list<int>>");
    expect_type("list<frozen<list<int>>>", "list<list<int>>");
    expect_type("frozen<list<list<int>>>", "frozen<list<list<int>>>");
    expect_type("frozen<list<frozen<list<int>>>>", "frozen<list<list<int>>>");
    expect_type("map<text, frozen<map<int, frozen<set<text>>>>>", "map<text, map<int, set<text>>>");
    expect_type("frozen<tuple<int, frozen<list<text>>>>", "tuple<int, list<text>>");
    expect_type("tuple<int, list<varchar>>", "tuple<int, list<text>>");
    expect_type("vector<float,3>", "vector<float, 3>");
    expect_type("frozen<vector<vector<float, 2>, 2>>", "vector<vector<float, 2>, 2>");
    expect_type("frozen<addr>", "frozen<addr>");
    expect_type("addr", "addr");
    expect_type("list<frozen<ks.Addr>>", "list<addr>");
    expect_type("other.addr", "other.addr");
    expect_type("frozen<\"Addr X\">", "frozen<\"Addr X\">");
    expect_type("\"addr\"", "addr");
    expect_type("'org.apache.cassandra.db.marshal.UTF8Type'", "text");
    expect_type(
        "'org.apache.cassandra.db.marshal.DynamicCompositeType(a=>org.apache.cassandra.db.marshal."
        "UTF8Type, b=>x.Y)'",
        "'DynamicCompositeType(a=>UTF8Type,b=>Y)'");
}

static void what_is_no_type_stays_as_it_is(void **state)
{
    (void)state;
    expect_type("list<", "list<");
    expect_type("map<int>>", "map<int>>");
    expect_type("foo<int>", "foo<int>");
    expect_type("", "");
    char deep[400] = "";
    for (int i = 0; i < 40; i++)
        memcpy(deep + i * 5, "list<", 6);
    expect_type(deep, deep);
}

static void read_one(const uint8_t *bytes, size_t len, void *user)
{
    cqlsch_mem mem;
    cqlsch_ddl ddl;
    cqlsch_model m;
    (void)user;
    cqlsch_mem_init(&mem, NULL);
    cqlsch_model_init(&m, &mem);
    assert_int_equal(cqlsch_ddl_read(&mem, (cql_str){(const char *)bytes, len}, &ddl), CQL_OK);
    assert_int_equal(cqlsch_model_take(&m, &ddl, cql_str_of("ks"), 0), CQL_OK);
    cqlsch_mem_fini(&mem);
}

static void prefixes_of_statements_are_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "CREATE TABLE IF NOT EXISTS k.\"T\" (a frozen<map<int, text>>, b 'org.x.Y', c int static, "
        "PRIMARY KEY ((a, b), c)) WITH CLUSTERING ORDER BY (c DESC) AND compaction = {'class': "
        "'X', "
        "'y': -4} AND comment = $$x$$",
        "CREATE CUSTOM INDEX IF NOT EXISTS i ON k.t (values(\"M\")) USING 'x'",
        "ALTER TYPE k.u RENAME a TO b AND c TO d",
        "ALTER TABLE t ADD IF NOT EXISTS (a int, b list<int>)",
        "DROP MATERIALIZED VIEW IF EXISTS k.v",
    };
    for (size_t i = 0; i < CQL_COUNT(texts); i++)
        guard_each_cut(texts[i], strlen(texts[i]), read_one, NULL);
}

static cql_status read_wide_table(const cql_allocator *al, void *user)
{
    cqlsch_mem mem;
    cqlsch_ddl ddl;
    cqlsch_model m;
    cqlsch_mem_init(&mem, al);
    cqlsch_model_init(&m, &mem);
    cql_status st = cqlsch_ddl_read(&mem, cql_str_of(user), &ddl);
    if (st == CQL_OK)
        st = cqlsch_model_take(&m, &ddl, cql_str_of("ks"), 0);
    cqlsch_mem_fini(&mem);
    return st;
}

static void no_memory_is_reported_at_every_step(void **state)
{
    (void)state;
    char cql[20000] = "CREATE TABLE t (a int PRIMARY KEY";
    for (int i = 0; i < 800; i++)
        (void)snprintf(cql + strlen(cql), sizeof cql - strlen(cql), ", c%d list<text>", i);
    (void)snprintf(cql + strlen(cql), sizeof cql - strlen(cql), ")");
    assert_true(failmalloc_each(read_wide_table, cql, false) > 3);
}

static void files_of_the_tree_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        size_t objects;
    } files[] = {{"cql/dataflow.cql", 9},
                 {"cql/jobsharp.cql", 8},
                 {"cql/chatbattle.cql", 2},
                 {"cql/habit.cql", 2},
                 {"cql/cascor.cql", 4}};
    for (size_t i = 0; i < CQL_COUNT(files); i++) {
        cqlsch_mem mem;
        cqlsch_model m;
        cqlsch_mem_init(&mem, NULL);
        schema_read(&mem, schema_slurp(&mem, files[i].path).ptr, &m);
        assert_int_equal(cqlsch_model_count(&m), files[i].objects);
        for (size_t k = 0; k < files[i].objects; k++) {
            const cqlsch_object *o = cqlsch_model_at(&m, k);
            assert_null(o->unread);
            if (o->kind == CQLSCH_KEYSPACE)
                assert_non_null(cqlsch_option_find(o, cql_str_of("replication")));
        }
        cqlsch_mem_fini(&mem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keyspaces_with_their_options),
        cmocka_unit_test(tables_with_every_kind_of_column),
        cmocka_unit_test(table_options_of_every_form),
        cmocka_unit_test(types_and_indexes),
        cmocka_unit_test(other_objects_are_known_by_name),
        cmocka_unit_test(statements_about_nothing_tracked_leave_no_object),
        cmocka_unit_test(use_and_qualified_names),
        cmocka_unit_test(alters_change_what_is_expected),
        cmocka_unit_test(drops_take_what_is_inside),
        cmocka_unit_test(what_is_not_understood_is_left_uncompared_with_its_place),
        cmocka_unit_test(types_have_one_spelling),
        cmocka_unit_test(what_is_no_type_stays_as_it_is),
        cmocka_unit_test(prefixes_of_statements_are_read),
        cmocka_unit_test(no_memory_is_reported_at_every_step),
        cmocka_unit_test(files_of_the_tree_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
