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

/* A map or list as cqlsh prints it. */
static const char *printed(reader *r, size_t i)
{
    size_t len = 0;
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

static cql_column_kind kind_of(cql_str text)
{
    static const char *const kinds[] = {"partition_key", "clustering", "static"};
    for (int i = 0; i < 3; i++)
        if (cql_str_equal(text, cql_str_of(kinds[i])))
            return (cql_column_kind)i;
    return CQL_COLUMN_REGULAR;
}

/* What a member is made of. */
typedef enum kind { TEXT, PRINTED, BOOL, INT, POSITION, UUID, KIND, DESCENDING } kind;

typedef struct cell {
    const char *column;
    uint8_t kind;
    uint8_t offset; /* of the member */
} cell;

/* What a null, or a column that is not there, is read as. */
static void no_cell(const cell *c, void *to)
{
    if (c->kind == TEXT || c->kind == PRINTED)
        *(const char **)to = "";
    else if (c->kind == POSITION)
        *(int32_t *)to = -1;
    else if (c->kind == KIND)
        *(cql_column_kind *)to = CQL_COLUMN_REGULAR;
}

static void read_cell(reader *r, const cell *c, void *to)
{
    size_t i;
    if (!cell_at(r, c->column, &i)) {
        no_cell(c, to);
        return;
    }
    switch (c->kind) {
    case TEXT:
        *(const char **)to = cqlmd_copy(&r->m->arena, cql_rows_str(&r->rows, i));
        break;
    case PRINTED:
        *(const char **)to = printed(r, i);
        break;
    case BOOL:
        *(bool *)to = cql_rows_bool(&r->rows, i);
        break;
    case INT:
    case POSITION:
        *(int32_t *)to = cql_rows_int32(&r->rows, i);
        break;
    case UUID:
        *(cql_uuid *)to = cql_rows_uuid(&r->rows, i);
        break;
    case KIND:
        *(cql_column_kind *)to = kind_of(cql_rows_str(&r->rows, i));
        break;
    case DESCENDING:
        *(bool *)to = cql_str_equal(cql_rows_str(&r->rows, i), cql_str_of("desc"));
        break;
    }
}

#define CELL(type, kind, member, column) {column, kind, offsetof(type, member)}

#define OF(kind, member, column) CELL(cql_keyspace_info, kind, member, column)
static const cell keyspace_cells[] = {
    OF(TEXT, name, "keyspace_name"),
    OF(PRINTED, replication, "replication"),
    OF(BOOL, durable_writes, "durable_writes"),
};
#undef OF

#define OF(kind, member, column) CELL(cql_table_info, kind, member, column)
#define TABLE_CELLS(name_column)                                                                   \
    OF(TEXT, keyspace, "keyspace_name"), OF(TEXT, name, name_column),                              \
        OF(TEXT, comment, "comment"), OF(TEXT, base_table, "base_table_name"),                     \
        OF(TEXT, where_clause, "where_clause"), OF(INT, default_ttl, "default_time_to_live"),      \
        OF(UUID, id, "id")
static const cell table_cells[] = {TABLE_CELLS("table_name")};
static const cell view_cells[] = {TABLE_CELLS("view_name")};
#undef OF

#define OF(kind, member, column) CELL(cql_column_info, kind, member, column)
static const cell column_cells[] = {
    OF(TEXT, keyspace, "keyspace_name"),
    OF(TEXT, table, "table_name"),
    OF(TEXT, name, "column_name"),
    OF(TEXT, type, "type"),
    OF(KIND, kind, "kind"),
    OF(POSITION, position, "position"),
    OF(DESCENDING, descending, "clustering_order"),
};
#undef OF

#define OF(kind, member, column) CELL(cql_index_info, kind, member, column)
static const cell index_cells[] = {
    OF(TEXT, keyspace, "keyspace_name"),
    OF(TEXT, table, "table_name"),
    OF(TEXT, name, "index_name"),
    OF(TEXT, kind, "kind"),
    OF(PRINTED, options, "options"),
};
#undef OF

#define OF(kind, member, column) CELL(cql_function_info, kind, member, column)
static const cell function_cells[] = {
    OF(TEXT, keyspace, "keyspace_name"),
    OF(TEXT, name, "function_name"),
    OF(PRINTED, argument_names, "argument_names"),
    OF(PRINTED, argument_types, "argument_types"),
    OF(TEXT, return_type, "return_type"),
    OF(TEXT, language, "language"),
    OF(TEXT, body, "body"),
    OF(BOOL, called_on_null, "called_on_null_input"),
};
#undef OF

#define OF(kind, member, column) CELL(cql_aggregate_info, kind, member, column)
static const cell aggregate_cells[] = {
    OF(TEXT, keyspace, "keyspace_name"),
    OF(TEXT, name, "aggregate_name"),
    OF(PRINTED, argument_types, "argument_types"),
    OF(TEXT, return_type, "return_type"),
    OF(TEXT, state_type, "state_type"),
    OF(TEXT, state_function, "state_func"),
    OF(TEXT, final_function, "final_func"),
    OF(TEXT, initial, "initcond"),
};
#undef OF

/* Rows of a step: their cells, the struct of one and the list that takes it. */
#define ROWS(cells, type, list) {cells, CQL_COUNT(cells), sizeof(type), offsetof(cql_metadata, list)}
static const struct rows {
    const cell *cells;
    size_t count;
    size_t size;
    size_t list;
} rows_of[CQLMD_STEPS] = {
    [CQLMD_KEYSPACES] = ROWS(keyspace_cells, cql_keyspace_info, keyspaces),
    [CQLMD_TABLES] = ROWS(table_cells, cql_table_info, tables),
    [CQLMD_VIEWS] = ROWS(view_cells, cql_table_info, tables),
    [CQLMD_COLUMNS] = ROWS(column_cells, cql_column_info, columns),
    [CQLMD_INDEXES] = ROWS(index_cells, cql_index_info, indexes),
    [CQLMD_FUNCTIONS] = ROWS(function_cells, cql_function_info, functions),
    [CQLMD_AGGREGATES] = ROWS(aggregate_cells, cql_aggregate_info, aggregates),
};

static void plain_row(reader *r, const struct rows *of)
{
    union {
        cql_keyspace_info keyspace;
        cql_table_info table;
        cql_column_info column;
        cql_index_info index;
        cql_function_info function;
        cql_aggregate_info aggregate;
    } row;
    memset(&row, 0, sizeof row);
    for (size_t i = 0; i < of->count; i++)
        read_cell(r, &of->cells[i], (char *)&row + of->cells[i].offset);
    push(r, (cqlmd_list *)(void *)((char *)r->m + of->list), &row, of->size);
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

cql_status cqlmd_take(cql_metadata *m, cqlmd_step step, const cql_result *res)
{
    reader r = {.m = m, .res = res};
    cql_rows_init(&r.rows, res);
    while (r.status == CQL_OK && cql_rows_next(&r.rows)) {
        if (step == CQLMD_TYPES)
            type_row(&r);
        else
            plain_row(&r, &rows_of[step]);
    }
    if (m->arena.failed)
        return CQL_NO_MEMORY;
    return r.status != CQL_OK ? r.status : cql_rows_status(&r.rows);
}
