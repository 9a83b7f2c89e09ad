/* Reading system_schema. Columns are looked up by name, and those that a server does not have are
 * passed over, so that one reader serves all versions. */
#include "schema/live.h"

#include "schema/fail.h"
#include "schema/typetext.h"

enum { NO_COLUMN = -1 };

/* Reads one row into the model. */
typedef struct row_reader {
    cqlsch_model *m;
    const cql_result *res;
    cql_rows *rows;
    cql_str keyspace;
} row_reader;

/* A table of system_schema. */
typedef struct source {
    char table[11];
    uint8_t kind; /* of the objects that its rows are; CQLSCH_NO_OBJECT: they are parts of others */
    const char *name;             /* the column of their names; NULL: they have none */
    const char *const *parts;     /* the columns that are parts of them, NULL behind the last; or NULL */
    cql_status (*fn)(row_reader *r, cqlsch_object *o); /* the rest of a row */
} source;

/* --- cells ---------------------------------------------------------------------------------------
 */

static bool column_of(const row_reader *r, const char *name, size_t *i)
{
    return cql_result_column_index(r->res, name, i) == CQL_OK;
}

static cql_str text_cell(row_reader *r, const char *name)
{
    size_t i;
    if (!column_of(r, name, &i) || cql_rows_is_null(r->rows, i))
        return CQLSCH_NONE;
    return cqlsch_copy(r->m->mem, cql_rows_str(r->rows, i));
}

static int32_t int_cell(row_reader *r, const char *name)
{
    size_t i;
    if (!column_of(r, name, &i) || cql_rows_is_null(r->rows, i))
        return NO_COLUMN;
    return cql_rows_int32(r->rows, i);
}

/* A map<text, text> cell into pairs. */
static cql_status map_cell(row_reader *r, size_t i, cqlsch_list *pairs)
{
    cql_items it;
    cql_value key;
    cql_value value;
    cql_value cell = cql_rows_value(r->rows, i);
    cql_status st = cql_items_init(&it, cql_result_column_type(r->res, i), &cell);
    while (st == CQL_OK && cql_items_next(&it, &key, &value)) {
        cqlsch_pair *p = cqlsch_push(r->m->mem, pairs, sizeof *p);
        if (!p)
            return CQL_NO_MEMORY;
        p->key = cqlsch_copy(r->m->mem, cql_value_bytes(&key));
        p->value = cqlsch_copy(r->m->mem, cql_value_bytes(&value));
    }
    return st == CQL_OK ? cql_items_status(&it) : st;
}

/* The texts of a list<text> cell, put in by `set`. */
static cql_status list_cell(row_reader *r, const char *name, cqlsch_object *o,
                            void (*set)(cqlsch_column *, cql_str))
{
    cql_items it;
    cql_value item;
    size_t i;
    if (!column_of(r, name, &i))
        return CQL_OK;
    cql_value cell = cql_rows_value(r->rows, i);
    cql_status st = cql_items_init(&it, cql_result_column_type(r->res, i), &cell);
    for (size_t k = 0; st == CQL_OK && cql_items_next(&it, NULL, &item); k++) {
        if (k == o->columns.count && !cqlsch_push(r->m->mem, &o->columns, sizeof(cqlsch_column)))
            return CQL_NO_MEMORY;
        set(CQLSCH_AT(cqlsch_column, &o->columns, k),
            cqlsch_copy(r->m->mem, cql_value_bytes(&item)));
    }
    return st == CQL_OK ? cql_items_status(&it) : st;
}

/* --- rows ----------------------------------------------------------------------------------------
 */

/* Any cell as an option of the object: maps as pairs, the rest as text. */
static cql_status option_cell(row_reader *r, cqlsch_object *o, size_t i)
{
    const cql_type *type = cql_result_column_type(r->res, i);
    cqlsch_option *option = cqlsch_push(r->m->mem, &o->options, sizeof *option);
    if (!option)
        return CQL_NO_MEMORY;
    option->name = cqlsch_copy(r->m->mem, cql_result_column_name(r->res, i));
    option->is_null = cql_rows_is_null(r->rows, i);
    option->is_map = type && cql_type_of(type) == CQL_TYPE_MAP;
    option->value = CQLSCH_NONE;
    if (option->is_null)
        return CQL_OK;
    if (option->is_map)
        return map_cell(r, i, &option->pairs);
    option->value = cqlsch_copy(r->m->mem, cql_str_of(cql_rows_cstr(r->rows, i)));
    return CQL_OK;
}

static bool is_name_column(cql_str name)
{
    static const char *const names[] = {"keyspace_name", "table_name", "view_name"};
    for (size_t i = 0; i < CQL_COUNT(names); i++) {
        if (cqlsch_is(name, names[i]))
            return true;
    }
    return false;
}

static cql_status options_row(row_reader *r, cqlsch_object *o)
{
    cql_status st = CQL_OK;
    for (size_t i = 0; st == CQL_OK && i < cql_result_column_count(r->res); i++) {
        if (!is_name_column(cql_result_column_name(r->res, i)))
            st = option_cell(r, o, i);
    }
    return st;
}

static cql_status column_row(row_reader *r, cqlsch_object *o)
{
    static const struct {
        const char *name;
        cqlsch_column_kind kind;
    } kinds[] = {{"partition_key", CQLSCH_PARTITION},
                 {"clustering", CQLSCH_CLUSTERING},
                 {"static", CQLSCH_STATIC}};
    cql_str of = text_cell(r, "table_name");
    o = cqlsch_model_find(r->m, CQLSCH_TABLE, r->keyspace, of);
    if (!o)
        o = cqlsch_model_find(r->m, CQLSCH_VIEW, r->keyspace, of);
    if (!o)
        return CQL_OK; /* made just now */
    cqlsch_column *column = cqlsch_push(r->m->mem, &o->columns, sizeof *column);
    if (!column)
        return CQL_NO_MEMORY;
    cql_str kind = text_cell(r, "kind");
    for (size_t i = 0; i < CQL_COUNT(kinds); i++) {
        if (cqlsch_is(kind, kinds[i].name))
            column->kind = kinds[i].kind;
    }
    column->name = text_cell(r, "column_name");
    column->type = cqlsch_type_text(r->m->mem, r->keyspace, text_cell(r, "type"));
    column->position = int_cell(r, "position");
    column->descending = cqlsch_is(text_cell(r, "clustering_order"), "desc");
    return CQL_OK;
}

/* "" when there is none. */
static cql_str pair_value(const cqlsch_option *options, const char *key)
{
    const cqlsch_pair *p = cqlsch_pair_find(options, cql_str_of(key));
    return p ? p->value : CQLSCH_NONE;
}

static cql_status index_row(row_reader *r, cqlsch_object *o)
{
    size_t i;
    o->table = text_cell(r, "table_name");
    if (!column_of(r, "options", &i))
        return CQL_OK;
    cql_status st = option_cell(r, o, i);
    if (st != CQL_OK)
        return st;
    const cqlsch_option *options = o->options.items;
    o->target = pair_value(options, "target");
    o->class_name = pair_value(options, "class_name");
    return st;
}

static void set_field_name(cqlsch_column *field, cql_str text)
{
    field->name = text;
    field->position = NO_COLUMN;
}

static void set_field_type(cqlsch_column *field, cql_str text)
{
    field->type = text;
}

static cql_status type_row(row_reader *r, cqlsch_object *o)
{
    cql_status st = list_cell(r, "field_names", o, set_field_name);
    if (st == CQL_OK)
        st = list_cell(r, "field_types", o, set_field_type);
    for (size_t i = 0; i < o->columns.count; i++) {
        cqlsch_column *field = CQLSCH_AT(cqlsch_column, &o->columns, i);
        field->type = cqlsch_type_text(r->m->mem, r->keyspace, field->type);
    }
    return st;
}

/* Cells as parts of the object. */
static cql_status take_parts(row_reader *r, cqlsch_object *o, const char *const *names)
{
    size_t i;
    for (; names && *names; names++) {
        if (!column_of(r, *names, &i))
            continue;
        cqlsch_pair *part = cqlsch_push(r->m->mem, &o->parts, sizeof *part);
        if (!part)
            return CQL_NO_MEMORY;
        *part = (cqlsch_pair){cql_str_of(*names), {NULL, 0}};
        if (!cql_rows_is_null(r->rows, i))
            part->value = cqlsch_copy(r->m->mem, cql_str_of(cql_rows_cstr(r->rows, i)));
    }
    return CQL_OK;
}

/* The texts of a list<text> cell as "a, b"; *out stays as it is where there is no such column. */
static cql_status joined_cell(row_reader *r, const char *name, cql_str *out)
{
    cqlsch_object o = {.kind = CQLSCH_NO_OBJECT};
    cqlsch_text all;
    size_t i;
    if (!column_of(r, name, &i))
        return CQL_OK;
    cql_status st = list_cell(r, name, &o, set_field_type);
    cqlsch_text_init(&all, r->m->mem);
    for (size_t k = 0; k < o.columns.count; k++) {
        cqlsch_text_add_c(&all, k ? ", " : "");
        cqlsch_text_add(&all, CQLSCH_AT(cqlsch_column, &o.columns, k)->type);
    }
    *out = cqlsch_text_str(&all);
    return st;
}

/* One that has arguments: their types tell overloads apart. */
static cql_status called_row(row_reader *r, cqlsch_object *o)
{
    cql_str types = {NULL, 0};
    cqlsch_pair names = {CQLSCH_TEXT("argument_names"), {NULL, 0}};
    cql_status st = joined_cell(r, "argument_types", &types);
    if (st == CQL_OK)
        st = joined_cell(r, names.key.ptr, &names.value);
    if (types.ptr)
        o->signature = cqlsch_type_text(
            r->m->mem, r->keyspace, cql_str_of(cqlsch_format(r->m->mem, "tuple<%s>", types.ptr)));
    cqlsch_pair *part = names.value.ptr ? cqlsch_push(r->m->mem, &o->parts, sizeof *part) : NULL;
    if (part)
        *part = names;
    return st;
}

static cql_status view_row(row_reader *r, cqlsch_object *o)
{
    o->table = text_cell(r, "base_table_name");
    return options_row(r, o);
}

/* The class that the options of a trigger name. */
static cql_status class_part(row_reader *r, cqlsch_object *o)
{
    cqlsch_option options = {.is_map = true};
    size_t i;
    if (!column_of(r, "options", &i))
        return CQL_OK;
    cql_status st = map_cell(r, i, &options.pairs);
    const cqlsch_pair *found = cqlsch_pair_find(&options, CQLSCH_TEXT("class"));
    cqlsch_pair *part = st == CQL_OK && found ? cqlsch_push(r->m->mem, &o->parts, sizeof *part) : NULL;
    if (part)
        *part = *found;
    return st;
}

static cql_status trigger_row(row_reader *r, cqlsch_object *o)
{
    o->signature = o->table = text_cell(r, "table_name");
    return class_part(r, o);
}

/* --- tables of system_schema ---------------------------------------------------------------------
 */

static const char *const view_parts[] = {"base_table_name", "include_all_columns", "where_clause",
                                         NULL};
static const char *const function_parts[] = {"called_on_null_input", "return_type", "language",
                                             "body", NULL};
static const char *const aggregate_parts[] = {"state_func", "state_type", "final_func", "initcond",
                                              NULL};

static const source sources[] = {
    {"keyspaces", CQLSCH_KEYSPACE, NULL, NULL, options_row},
    {"types", CQLSCH_TYPE, "type_name", NULL, type_row},
    {"tables", CQLSCH_TABLE, "table_name", NULL, options_row},
    {"views", CQLSCH_VIEW, "view_name", view_parts, view_row},
    {"columns", CQLSCH_NO_OBJECT, NULL, NULL, column_row},
    {"indexes", CQLSCH_INDEX, "index_name", NULL, index_row},
    {"functions", CQLSCH_FUNCTION, "function_name", function_parts, called_row},
    {"aggregates", CQLSCH_AGGREGATE, "aggregate_name", aggregate_parts, called_row},
    {"triggers", CQLSCH_TRIGGER, "trigger_name", NULL, trigger_row},
};

static cql_status take_row(row_reader *r, const source *from)
{
    cqlsch_object *o = NULL;
    cql_status st = CQL_OK;
    if (from->kind != CQLSCH_NO_OBJECT) {
        cql_str name = from->name ? text_cell(r, from->name) : CQLSCH_NONE;
        o = cqlsch_model_add(r->m, (cqlsch_kind)from->kind, r->keyspace, name);
        st = o ? take_parts(r, o, from->parts) : CQL_NO_MEMORY;
    }
    return st == CQL_OK ? from->fn(r, o) : st;
}

static cql_status take_page(const cql_result *res, cqlsch_model *m, cql_str keyspace,
                            const source *from)
{
    cql_rows rows;
    row_reader r = {m, res, &rows, keyspace};
    cql_status st = CQL_OK;
    cql_rows_init(&rows, res);
    while (st == CQL_OK && cql_rows_next(&rows))
        st = take_row(&r, from);
    return st == CQL_OK ? cql_rows_status(&rows) : st;
}

static cql_status take_table(cqlsch_sender *sender, cqlsch_model *m, const source *from,
                             cql_str keyspace, cql_error **err)
{
    cql_result *res = NULL;
    bool more = true;
    cql_str state = CQLSCH_NONE;
    const char *cql = cqlsch_format(
        m->mem, "SELECT * FROM system_schema.%s WHERE keyspace_name = ?", from->table);
    cql_status st = cqlsch_mem_status(m->mem);
    while (st == CQL_OK && more) {
        st = cqlsch_ask(sender, cql, keyspace, state, &res, err);
        if (st != CQL_OK)
            break;
        st = take_page(res, m, keyspace, from);
        if (st != CQL_OK)
            (void)cqlsch_fail(err, &m->mem->al, st, NULL,
                              "an answer about system_schema cannot be read");
        more = st == CQL_OK && cql_result_has_more(res);
        state = more ? cqlsch_copy(m->mem, cql_result_paging_state(res)) : state;
        cql_result_unref(res);
        res = NULL;
    }
    return st;
}

cql_status cqlsch_live_read(cqlsch_sender *sender, cqlsch_model *m, cql_str keyspace,
                            cql_error **err)
{
    cql_status st = CQL_OK;
    size_t before = cqlsch_model_count(m);
    for (size_t i = 0; st == CQL_OK && i < CQL_COUNT(sources); i++) {
        st = take_table(sender, m, &sources[i], keyspace, err);
        if (cqlsch_model_count(m) == before)
            break; /* no such keyspace */
    }
    return st == CQL_OK ? cqlsch_mem_status(m->mem) : st;
}
