/* take.c: rows of system_schema into a snapshot. Columns are found by name; one that a server does not have
 * counts as null, so that one reader serves all versions. */
#include "metadata/model.h"

#include <string.h>

typedef struct reader {
    cql_metadata *m;
    const cql_result *res;
    cql_rows rows;
    cql_status status;
} reader;

/* --- cells ---------------------------------------------------------------------------------------- */

static bool cell_at(reader *r, const char *name, size_t *i)
{
    return cql_result_column_index(r->res, name, i) == CQL_OK && !cql_rows_is_null(&r->rows, *i);
}

static const char *text_cell(reader *r, const char *name)
{
    size_t i;
    return cell_at(r, name, &i) ? cqlmd_copy(&r->m->arena, cql_rows_str(&r->rows, i)) : "";
}

static bool bool_cell(reader *r, const char *name)
{
    size_t i;
    return cell_at(r, name, &i) && cql_rows_bool(&r->rows, i);
}

static int32_t int_cell(reader *r, const char *name, int32_t otherwise)
{
    size_t i;
    return cell_at(r, name, &i) ? cql_rows_int32(&r->rows, i) : otherwise;
}

/* A map or list as cqlsh prints it. */
static const char *printed_cell(reader *r, const char *name)
{
    size_t i, len = 0;
    if (!cell_at(r, name, &i))
        return "";
    const cql_type *type = cql_result_column_type(r->res, i);
    cql_value cell = cql_rows_value(&r->rows, i);
    cql_status st = cql_value_print(&cell, type, NULL, 0, &len);
    char *text = st == CQL_OK ? cqlmd_room(&r->m->arena, len + 1) : NULL;
    if (text)
        st = cql_value_print(&cell, type, text, len + 1, &len);
    if (st != CQL_OK)
        r->status = st;
    return text && st == CQL_OK ? text : "";
}

/* --- rows ----------------------------------------------------------------------------------------- */

static void push(reader *r, cqlmd_list *list, const void *item, size_t size)
{
    if (!cqlmd_push(&r->m->arena, list, item, size))
        r->status = CQL_NO_MEMORY;
}

static void keyspace_row(reader *r)
{
    cql_keyspace_info k = {text_cell(r, "keyspace_name"), printed_cell(r, "replication"),
                           bool_cell(r, "durable_writes")};
    push(r, &r->m->keyspaces, &k, sizeof k);
}

static void table_row(reader *r, const char *name_column)
{
    cql_table_info t = {.keyspace = text_cell(r, "keyspace_name"),
                        .name = text_cell(r, name_column),
                        .comment = text_cell(r, "comment"),
                        .base_table = text_cell(r, "base_table_name"),
                        .where_clause = text_cell(r, "where_clause"),
                        .default_ttl = int_cell(r, "default_time_to_live", 0)};
    size_t i;
    if (cell_at(r, "id", &i))
        t.id = cql_rows_uuid(&r->rows, i);
    push(r, &r->m->tables, &t, sizeof t);
}

static cql_column_kind kind_of(const char *text)
{
    static const char *const kinds[] = {"partition_key", "clustering", "static"};
    for (int i = 0; i < 3; i++)
        if (strcmp(text, kinds[i]) == 0)
            return (cql_column_kind)i;
    return CQL_COLUMN_REGULAR;
}

static void column_row(reader *r)
{
    cql_column_info c = {.keyspace = text_cell(r, "keyspace_name"),
                         .table = text_cell(r, "table_name"),
                         .name = text_cell(r, "column_name"),
                         .type = text_cell(r, "type"),
                         .kind = kind_of(text_cell(r, "kind")),
                         .position = int_cell(r, "position", -1),
                         .descending = strcmp(text_cell(r, "clustering_order"), "desc") == 0};
    push(r, &r->m->columns, &c, sizeof c);
}

static void index_row(reader *r)
{
    cql_index_info i = {text_cell(r, "keyspace_name"), text_cell(r, "table_name"),
                        text_cell(r, "index_name"), text_cell(r, "kind"), printed_cell(r, "options")};
    push(r, &r->m->indexes, &i, sizeof i);
}

/* Two lists of the same length. */
static void type_row(reader *r)
{
    size_t names_at, types_at;
    cql_items names, types;
    cql_value name, type;
    cqlmd_udt u = {{text_cell(r, "keyspace_name"), text_cell(r, "type_name"), 0}, r->m->fields.count};
    if (!cell_at(r, "field_names", &names_at) || !cell_at(r, "field_types", &types_at)) {
        r->status = CQL_MALFORMED;
        return;
    }
    cql_value names_cell = cql_rows_value(&r->rows, names_at);
    cql_value types_cell = cql_rows_value(&r->rows, types_at);
    r->status = cql_items_init(&names, cql_result_column_type(r->res, names_at), &names_cell);
    if (r->status == CQL_OK)
        r->status = cql_items_init(&types, cql_result_column_type(r->res, types_at), &types_cell);
    while (r->status == CQL_OK && cql_items_next(&names, NULL, &name) &&
           cql_items_next(&types, NULL, &type)) {
        cqlmd_field f = {cqlmd_copy(&r->m->arena, cql_value_bytes(&name)),
                         cqlmd_copy(&r->m->arena, cql_value_bytes(&type))};
        push(r, &r->m->fields, &f, sizeof f);
        u.info.fields++;
    }
    push(r, &r->m->udts, &u, sizeof u);
}

static void function_row(reader *r)
{
    cql_function_info f = {.keyspace = text_cell(r, "keyspace_name"),
                           .name = text_cell(r, "function_name"),
                           .argument_names = printed_cell(r, "argument_names"),
                           .argument_types = printed_cell(r, "argument_types"),
                           .return_type = text_cell(r, "return_type"),
                           .language = text_cell(r, "language"),
                           .body = text_cell(r, "body"),
                           .called_on_null = bool_cell(r, "called_on_null_input")};
    push(r, &r->m->functions, &f, sizeof f);
}

static void aggregate_row(reader *r)
{
    cql_aggregate_info a = {.keyspace = text_cell(r, "keyspace_name"),
                            .name = text_cell(r, "aggregate_name"),
                            .argument_types = printed_cell(r, "argument_types"),
                            .return_type = text_cell(r, "return_type"),
                            .state_type = text_cell(r, "state_type"),
                            .state_function = text_cell(r, "state_func"),
                            .final_function = text_cell(r, "final_func"),
                            .initial = text_cell(r, "initcond")};
    push(r, &r->m->aggregates, &a, sizeof a);
}

static void take_row(reader *r, cqlmd_step step)
{
    switch (step) {
    case CQLMD_KEYSPACES:
        keyspace_row(r);
        break;
    case CQLMD_TABLES:
        table_row(r, "table_name");
        break;
    case CQLMD_VIEWS:
        table_row(r, "view_name");
        break;
    case CQLMD_COLUMNS:
        column_row(r);
        break;
    case CQLMD_INDEXES:
        index_row(r);
        break;
    case CQLMD_TYPES:
        type_row(r);
        break;
    case CQLMD_FUNCTIONS:
        function_row(r);
        break;
    case CQLMD_AGGREGATES:
        aggregate_row(r);
        break;
    default:
        break;
    }
}

cql_status cqlmd_take(cql_metadata *m, cqlmd_step step, const cql_result *res)
{
    reader r = {.m = m, .res = res};
    cql_rows_init(&r.rows, res);
    while (r.status == CQL_OK && cql_rows_next(&r.rows))
        take_row(&r, step);
    if (m->arena.failed)
        return CQL_NO_MEMORY;
    return r.status != CQL_OK ? r.status : cql_rows_status(&r.rows);
}
