/* Results as tables and as JSON lines. */
#include "common/rows.h"

#include "common/escape.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/table.h"

#include <stdlib.h>

typedef cql_status (*print_fn)(const cql_value *, const cql_type *, char *, size_t, size_t *);

/* Prints twice: once for the length, once into a block of that length. NULL for malformed bytes. */
static char *printed(print_fn print, const cql_value *v, const cql_type *type)
{
    size_t length = 0;
    char small[256];
    if (print(v, type, small, sizeof small, &length) != CQL_OK)
        return NULL;
    if (length < sizeof small)
        return tool_copy(small);
    char *large = tool_alloc(length + 1, 1);
    if (print(v, type, large, length + 1, &length) == CQL_OK)
        return large;
    free(large);
    return NULL;
}

char *tool_value_text(const cql_value *v, const cql_type *type)
{
    char *text = printed(cql_value_print, v, type);
    return text ? text : tool_copy("(malformed)");
}

char *tool_value_json(const cql_value *v, const cql_type *type)
{
    char *text = printed(cql_value_print_json, v, type);
    return text ? text : tool_copy("null");
}

static bool is_number(cql_type_id id)
{
    switch ((int)id) {
    case CQL_TYPE_BIGINT:
    case CQL_TYPE_COUNTER:
    case CQL_TYPE_DECIMAL:
    case CQL_TYPE_DOUBLE:
    case CQL_TYPE_FLOAT:
    case CQL_TYPE_INT:
    case CQL_TYPE_VARINT:
    case CQL_TYPE_SMALLINT:
    case CQL_TYPE_TINYINT:
        return true;
    default:
        return false;
    }
}

struct tool_row_table {
    tool_table *table;
    bool has_columns;
};

tool_row_table *tool_row_table_new(void)
{
    tool_row_table *t = tool_alloc(1, sizeof *t);
    t->table = tool_table_new();
    return t;
}

void tool_row_table_free(tool_row_table *t)
{
    if (t)
        tool_table_free(t->table);
    free(t);
}

static void add_columns(tool_row_table *t, const cql_result *res)
{
    for (size_t i = 0; i < cql_result_column_count(res); i++) {
        const cql_type *type = cql_result_column_type(res, i);
        char *title = tool_escaped(cql_result_column_name(res, i));
        tool_table_column(t->table, title, is_number(cql_type_of(type)) ? TOOL_RIGHT : TOOL_LEFT);
        free(title);
        t->has_columns = true;
    }
}

static void add_row(tool_row_table *t, cql_rows *rows, const cql_result *res)
{
    for (size_t i = 0; i < cql_result_column_count(res); i++) {
        cql_value v = cql_rows_value(rows, i);
        char *text = tool_value_text(&v, cql_result_column_type(res, i));
        char *safe = tool_escaped(cql_str_of(text));
        tool_table_cell(t->table, safe);
        free(safe);
        free(text);
    }
}

cql_status tool_row_table_add(tool_row_table *t, const cql_result *res)
{
    cql_rows rows;
    if (!t->has_columns)
        add_columns(t, res);
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows))
        add_row(t, &rows, res);
    return cql_rows_status(&rows);
}

void tool_row_table_print(const tool_row_table *t, FILE *out)
{
    size_t count = tool_table_rows(t->table);
    if (!t->has_columns)
        return;
    tool_table_print(t->table, out);
    fprintf(out, "\n(%zu row%s)\n", count, count == 1 ? "" : "s");
}

cql_status tool_print_rows(FILE *out, const cql_result *res)
{
    tool_row_table *t = tool_row_table_new();
    cql_status st = tool_row_table_add(t, res);
    tool_row_table_print(t, out);
    tool_row_table_free(t);
    return st;
}

cql_status tool_print_rows_json(FILE *out, const cql_result *res)
{
    cql_rows rows;
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows)) {
        cJSON *line = tool_json_object(NULL);
        for (size_t i = 0; i < cql_result_column_count(res); i++) {
            cql_value v = cql_rows_value(&rows, i);
            char *name = tool_valid_utf8(cql_result_column_name(res, i));
            char *json = tool_value_json(&v, cql_result_column_type(res, i));
            tool_json_raw(line, name, json);
            free(json);
            free(name);
        }
        if (!tool_json_line(out, line))
            return CQL_SYSTEM;
    }
    return cql_rows_status(&rows);
}

void tool_print_warnings(const char *program, const cql_result *res)
{
    for (size_t i = 0; i < cql_result_warning_count(res); i++) {
        cql_str text = cql_result_warning(res, i);
        fprintf(stderr, "%s: warning from the server: %.*s\n", program, (int)text.len, text.ptr);
    }
}
