/* Rows of system_schema become a snapshot: what is found in it, in which order, and rows that are not what they should
 * be. How they are read from nodes is shown by tests/loop/loops_schema.c and tests/live/metadata.test. */
#include "unit.h"

#include "cluster/result.h"
#include "metadata/model.h"
#include "respond.h"

enum { COLUMNS = 8, NAME = 32 };

/* Names of columns between blanks. Those that end with "s" are sets of texts, "called_on_null_input" is a boolean,
 * the rest texts. */
static uint32_t read_columns(const char *names, char text[COLUMNS][NAME], respond_column *out)
{
    uint32_t n = 0;
    for (const char *at = names; *at && n < COLUMNS; n++) {
        size_t len = strcspn(at, " ");
        snprintf(text[n], NAME, "%.*s", (int)len, at);
        bool list = at[len - 1] == 's' && strcmp(text[n], "options") != 0;
        out[n] = (respond_column){text[n], list ? CQL_TYPE_SET : CQL_TYPE_TEXT};
        if (strcmp(text[n], "called_on_null_input") == 0)
            out[n].type = CQL_TYPE_BOOLEAN;
        at += len + (at[len] != '\0');
    }
    return n;
}

static void write_bytes(cqln_writer *wr, cql_str s)
{
    cqln_write_u32(wr, (uint32_t)s.len);
    cqln_write_bytes(wr, s.ptr, s.len);
}

/* "a,b" as a set. */
static void write_set(cqln_writer *wr, const char *items)
{
    uint32_t count = 1;
    for (const char *at = items; *at; at++)
        count += *at == ',';
    cqln_write_u32(wr, 4 + 4 * count + (uint32_t)strlen(items) + 1 - count);
    cqln_write_u32(wr, count);
    for (const char *at = items; count-- > 0; at += strcspn(at, ",") + 1)
        write_bytes(wr, (cql_str){at, strcspn(at, ",")});
}

/* Cells of all rows, one after the other; NULL: null. */
static cql_status take(cql_metadata *m, cqlmd_step step, const char *names, const char *const *cells, uint32_t rows)
{
    const cql_allocator *al = cqln_alloc_default();
    char text[COLUMNS][NAME];
    respond_column columns[COLUMNS];
    uint32_t count = read_columns(names, text, columns);
    cqln_writer bytes, out;
    cqln_writer_init(&bytes, al, 1 << 20);
    cqln_writer_init(&out, al, 1 << 20);
    for (uint32_t i = 0; i < rows * count; i++) {
        if (!cells[i])
            cqln_write_u32(&bytes, UINT32_MAX);
        else if (columns[i % count].type == CQL_TYPE_SET)
            write_set(&bytes, cells[i]);
        else if (columns[i % count].type == CQL_TYPE_BOOLEAN)
            write_bytes(&bytes, (cql_str){cells[i][0] == 't' ? "\1" : "\0", 1});
        else
            write_bytes(&bytes, cql_str_of(cells[i]));
    }
    respond_table t = {"system_schema", "t", columns, count};
    respond_rows(&out, 4, 0, &t, true, NULL, rows, (cql_str){(const char *)bytes.data, bytes.len});
    cql_result res;
    cqln_metadata *fresh = NULL;
    assert_int_equal(cqln_result_decode(&res, al, out.data + CQLN_FRAME_HEADER, out.len - CQLN_FRAME_HEADER, 0, NULL,
                                        NULL, &fresh),
                     CQL_OK);
    cql_status st = cqlmd_take(m, step, &res);
    cqln_result_done(&res);
    cqln_metadata_unref(fresh);
    cqln_writer_fini(&bytes);
    cqln_writer_fini(&out);
    return st;
}

#define TAKE(step, names, ...)                                                                     \
    take_all(m, step, names, (const char *const[]){__VA_ARGS__}, CQL_COUNT(((const char *[]){__VA_ARGS__})))

static cql_status take_all(cql_metadata *m, cqlmd_step step, const char *names, const char *const *cells, size_t n)
{
    uint32_t columns = 1;
    for (const char *at = names; *at; at++)
        columns += *at == ' ';
    assert_int_equal(n % columns, 0);
    return take(m, step, names, cells, (uint32_t)n / columns);
}

/* Two keyspaces, the later name first. */
static cql_status fill(cql_metadata *m)
{
    cql_status st = TAKE(CQLMD_KEYSPACES, "keyspace_name", "k2", "k1");
    if (!st)
        st = TAKE(CQLMD_INDEXES, "keyspace_name table_name index_name kind", "k1", "t", "z", "KEYS", "k1", "t", "b",
                  "COMPOSITES", "k1", "s", "c", "CUSTOM", "k2", "t", "a", "KEYS");
    if (!st)
        st = TAKE(CQLMD_TYPES, "keyspace_name type_name field_names field_types", "k2", "v", "x", "int", "k1", "u",
                  "c,d", "text,set<int>", "k1", "a", "e", "uuid");
    if (!st)
        st = TAKE(CQLMD_FUNCTIONS, "keyspace_name function_name argument_names argument_types called_on_null_input",
                  "k1", "f", "n", "text", "t", "k1", "f", "n", "int", "f");
    if (!st)
        st = TAKE(CQLMD_AGGREGATES, "keyspace_name aggregate_name argument_types state_func", "k1", "g", "int", "f",
                  "k1", "a", "int", "f", "k1", "a", "double", "f");
    return st;
}

static cql_metadata *filled(void)
{
    cql_metadata *m = cqlmd_new(cqln_alloc_default());
    assert_non_null(m);
    assert_int_equal(fill(m), CQL_OK);
    cqlmd_sort(m);
    return m;
}

static void keyspaces_and_indexes_are_found_in_order(void **state)
{
    cql_metadata *m = filled();
    cql_keyspace_info k;
    cql_index_info x;
    (void)state;
    assert_true(cql_metadata_keyspace_at(m, 0, &k));
    assert_string_equal(k.name, "k1");
    assert_true(cql_metadata_keyspace_at(m, 1, NULL));
    assert_false(cql_metadata_keyspace_at(m, 2, &k));
    assert_true(cql_metadata_keyspace(m, "k2", &k));
    assert_string_equal(k.name, "k2");
    assert_string_equal(k.replication, ""); /* the server had no such column */
    assert_false(cql_metadata_keyspace(m, "k3", &k));
    assert_false(cql_metadata_keyspace(m, NULL, &k));
    assert_true(cql_metadata_index_at(m, "k1", "t", 0, &x));
    assert_string_equal(x.name, "b");
    assert_string_equal(x.kind, "COMPOSITES");
    assert_true(cql_metadata_index_at(m, "k1", "t", 1, &x));
    assert_string_equal(x.name, "z");
    assert_false(cql_metadata_index_at(m, "k1", "t", 2, &x));
    assert_true(cql_metadata_index_at(m, "k1", NULL, 0, &x));
    assert_string_equal(x.name, "c"); /* that of table s */
    assert_false(cql_metadata_index_at(m, "k1", NULL, 3, &x));
    assert_false(cql_metadata_index_at(m, NULL, NULL, 0, &x));
    cql_metadata_unref(m);
}

static void types_keep_their_fields(void **state)
{
    cql_metadata *m = filled();
    const char *field, *type;
    cql_udt_info u;
    (void)state;
    assert_true(cql_metadata_udt_at(m, "k1", 0, &u));
    assert_string_equal(u.name, "a");
    assert_true(cql_metadata_udt(m, "k1", "u", &u));
    assert_int_equal(u.fields, 2);
    assert_true(cql_metadata_udt_field(m, "k1", "u", 1, &field, &type));
    assert_string_equal(field, "d");
    assert_string_equal(type, "set<int>");
    assert_false(cql_metadata_udt_field(m, "k1", "u", 2, &field, &type));
    assert_true(cql_metadata_udt_field(m, "k2", "v", 0, &field, &type));
    assert_string_equal(field, "x");
    assert_false(cql_metadata_udt(m, "k2", "u", &u));
    assert_false(cql_metadata_udt(m, "k1", NULL, &u));
    assert_false(cql_metadata_udt_at(m, "k1", 2, &u));
    cql_metadata_unref(m);
}

static void functions_are_told_by_their_arguments(void **state)
{
    cql_metadata *m = filled();
    cql_function_info f;
    cql_aggregate_info a;
    (void)state;
    assert_true(cql_metadata_function_at(m, "k1", 0, &f));
    assert_string_equal(f.argument_types, "{'int'}");
    assert_false(f.called_on_null);
    assert_true(cql_metadata_function_at(m, "k1", 1, &f));
    assert_string_equal(f.argument_types, "{'text'}");
    assert_true(f.called_on_null);
    assert_false(cql_metadata_function_at(m, "k1", 2, &f));
    assert_true(cql_metadata_aggregate_at(m, "k1", 0, &a));
    assert_string_equal(a.argument_types, "{'double'}");
    assert_true(cql_metadata_aggregate_at(m, "k1", 2, &a));
    assert_string_equal(a.name, "g");
    assert_string_equal(a.final_function, "");
    assert_false(cql_metadata_aggregate_at(m, "k2", 0, &a));
    cql_metadata_unref(m);
}

static void rows_that_are_no_types_are_refused(void **state)
{
    static const char names[] = "keyspace_name type_name field_names field_types";
    (void)state;
    cql_metadata *m = cqlmd_new(cqln_alloc_default());
    assert_int_equal(TAKE(CQLMD_TYPES, names, "k", "u", NULL, "int"), CQL_MALFORMED);
    cqlmd_clear(m);
    assert_int_equal(TAKE(CQLMD_TYPES, "keyspace_name type_name", "k", "u"), CQL_MALFORMED);
    cql_metadata_unref(m);
}

static cql_status fill_with(const cql_allocator *al, void *user)
{
    (void)user;
    cql_metadata *m = cqlmd_new(al);
    if (!m)
        return CQL_NO_MEMORY;
    cql_status st = fill(m);
    cql_metadata_unref(m);
    return st;
}

static void memory_may_run_out_at_any_point(void **state)
{
    (void)state;
    assert_true(failmalloc_each(fill_with, NULL, false) > 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keyspaces_and_indexes_are_found_in_order),
        cmocka_unit_test(types_keep_their_fields),
        cmocka_unit_test(functions_are_told_by_their_arguments),
        cmocka_unit_test(rows_that_are_no_types_are_refused),
        cmocka_unit_test(memory_may_run_out_at_any_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
