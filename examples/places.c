/* places.c: a user type and a vector, written and read back. Vectors need Cassandra 5.0.
 *
 *   places [cql://HOST[:PORT]/?loop_threads=0] */
#include <cqlnative/cql.h>
#include <stdio.h>

#define DIMENSION 1536

static const char *const schema[] = {
    "CREATE KEYSPACE IF NOT EXISTS cql_examples"
    " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    "CREATE TYPE IF NOT EXISTS cql_examples.address"
    " (street text, number int, floors frozen<list<int>>)",
    "CREATE TABLE IF NOT EXISTS cql_examples.places"
    " (name text PRIMARY KEY, at frozen<address>, embedding vector<float, 1536>)",
};

/* A value of the type address, its fields by name; the parts are copied into the builders. */
static cql_status build_address(const cql_type *type, cql_collection **floors, cql_collection **address)
{
    cql_status st = cql_collection_new(CQL_TYPE_LIST, NULL, floors);
    if (st == CQL_OK)
        st = cql_collection_new(CQL_TYPE_UDT, NULL, address);
    for (int32_t i = 0; st == CQL_OK && i < 3; i++)
        st = cql_collection_add(*floors, cql_value_int32(i));
    if (st == CQL_OK)
        st = cql_collection_set_field(*address, type, "number", cql_value_int32(7));
    if (st == CQL_OK)
        st = cql_collection_set_field(*address, type, "street", cql_value_text("Long Street"));
    if (st == CQL_OK)
        st = cql_collection_set_field(*address, type, "floors", cql_value_collection(*floors));
    return st;
}

static cql_status write_place(cql_session *s, cql_error **err)
{
    float numbers[DIMENSION];
    cql_prepared *insert = NULL;
    cql_statement *stmt = NULL;
    cql_collection *floors = NULL, *address = NULL, *embedding = NULL;
    for (int i = 0; i < DIMENSION; i++)
        numbers[i] = (float)i / DIMENSION;
    cql_status st = cql_session_prepare_wait(
        s, "INSERT INTO cql_examples.places (name, at, embedding) VALUES (?, ?, ?)", &insert, err);
    if (st == CQL_OK)
        st = build_address(cql_prepared_marker_type(insert, 1), &floors, &address);
    if (st == CQL_OK)
        st = cql_collection_new(CQL_TYPE_VECTOR, NULL, &embedding);
    if (st == CQL_OK)
        st = cql_collection_add_floats(embedding, numbers, DIMENSION);
    if (st == CQL_OK && !(stmt = cql_prepared_bind(insert)))
        st = CQL_NO_MEMORY;
    if (st == CQL_OK)
        st = cql_statement_bind(stmt,
                                CQL_VALUES(cql_value_text("library"), cql_value_collection(address),
                                           cql_value_collection(embedding)),
                                err);
    if (st == CQL_OK)
        st = cql_session_execute_wait(s, stmt, NULL, err);
    cql_statement_free(stmt);
    cql_collection_free(embedding);
    cql_collection_free(address);
    cql_collection_free(floors);
    cql_prepared_unref(insert);
    return st;
}

/* Fields of a user type come in their order; a field that is missing is null. */
static void print_fields(const cql_type *type, const cql_value *v)
{
    cql_items it;
    cql_value field;
    char text[200];
    if (cql_items_init(&it, type, v) != CQL_OK)
        return;
    for (size_t i = 0; cql_items_next(&it, NULL, &field); i++) {
        cql_str name = cql_type_field(type, i);
        if (cql_value_print(&field, cql_type_at(type, i), text, sizeof text, NULL) == CQL_OK)
            printf("%.*s=%s ", (int)name.len, name.ptr, text);
    }
}

/* One field by its name. */
static void print_street(const cql_type *type, const cql_value *v)
{
    cql_value street;
    cql_str text;
    if (cql_value_field(v, type, "street", &street) == CQL_OK && cql_value_as_str(&street, &text) == CQL_OK)
        printf("%.*s: ", (int)text.len, text.ptr);
}

static cql_status read_place(cql_session *s, cql_error **err)
{
    static float numbers[DIMENSION];
    cql_result *res = NULL;
    cql_rows rows;
    cql_status st = cql_session_query_wait(
        s, "SELECT at, embedding FROM cql_examples.places WHERE name = 'library'", &res, err);
    cql_rows_init(&rows, res);
    if (st == CQL_OK && cql_rows_next(&rows)) {
        cql_value at = cql_rows_value(&rows, 0);
        cql_value embedding = cql_rows_value(&rows, 1);
        print_street(cql_result_column_type(res, 0), &at);
        print_fields(cql_result_column_type(res, 0), &at);
        st = cql_value_as_floats(&embedding, cql_result_column_type(res, 1), numbers, DIMENSION);
        if (st == CQL_OK)
            printf("and %d numbers from %.3f to %.3f\n", DIMENSION, (double)numbers[0],
                   (double)numbers[DIMENSION - 1]);
    }
    cql_result_unref(res);
    return st;
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "cql://127.0.0.1/?loop_threads=0";
    cql_error *err = NULL;
    cql_session *s = NULL;

    cql_status st = cql_session_open_wait(url, &s, &err);
    for (size_t i = 0; st == CQL_OK && i < CQL_COUNT(schema); i++)
        st = cql_session_query_wait(s, schema[i], NULL, &err);
    if (st == CQL_OK)
        st = write_place(s, &err);
    if (st == CQL_OK)
        st = read_place(s, &err);
    if (st != CQL_OK)
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
    cql_session_free(s);
    cql_error_unref(err);
    return st != CQL_OK;
}
