/* DESCRIBE for people. Statements come out as the server wrote them, so that they can be applied
 * again; on a terminal what could control it is made visible. */
#include "init/describe.h"

#include "common/escape.h"
#include "common/memory.h"
#include "common/rows.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { DISPLAY_WIDTH = 80 };

struct init_describe {
    FILE *out;
    char *in_use;   /* keyspace of the session */
    char *keyspace; /* of the names collected; NULL: none yet */
    char **names;
    size_t count;
    size_t capacity;
    bool is_list; /* names, not statements */
    bool of_keyspaces;
};

bool init_is_describe(const char *statement)
{
    size_t length = strspn(statement, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    return (length == 8 && strncasecmp(statement, "DESCRIBE", length) == 0) ||
           (length == 4 && strncasecmp(statement, "DESC", length) == 0);
}

/* --- columns -------------------------------------------------------------------------------------
 */

static size_t width_of(char *const *names, size_t count, size_t rows, size_t column)
{
    size_t width = 0;
    for (size_t i = column * rows; i < count && i < (column + 1) * rows; i++) {
        size_t one = tool_text_width(names[i]);
        width = one > width ? one : width;
    }
    return width;
}

static bool fits(char *const *names, size_t count, size_t rows)
{
    size_t total = 0;
    for (size_t column = 0; column * rows < count; column++)
        total += width_of(names, count, rows, column) + 2;
    return total <= DISPLAY_WIDTH + 2;
}

void init_print_columns(FILE *out, char *const *names, size_t count)
{
    size_t rows = 1;
    if (count == 0) {
        fputs("<empty>\n", out);
        return;
    }
    while (rows < count && !fits(names, count, rows))
        rows++;
    for (size_t row = 0; row < rows; row++) {
        for (size_t column = 0; column * rows + row < count; column++) {
            const char *name = names[column * rows + row];
            size_t width = rows == count && rows > 1 ? 0 : width_of(names, count, rows, column);
            size_t own = tool_text_width(name);
            fprintf(out, "%s%s%*s", column ? "  " : "", name,
                    (int)(width > own && count > 1 ? width - own : 0), "");
        }
        fputc('\n', out);
    }
}

/* --- rows ----------------------------------------------------------------------------------------
 */

init_describe *init_describe_new(FILE *out, const char *keyspace)
{
    init_describe *d = tool_alloc(1, sizeof *d);
    d->out = out;
    d->in_use = tool_copy(keyspace);
    return d;
}

static void print_names(init_describe *d)
{
    if (!d->keyspace)
        return;
    fputc('\n', d->out);
    if (!d->of_keyspaces && !*d->in_use) {
        size_t width = tool_text_width(d->keyspace) + strlen("Keyspace ");
        fprintf(d->out, "Keyspace %s\n", d->keyspace);
        while (width--)
            fputc('-', d->out);
        fputc('\n', d->out);
    }
    init_print_columns(d->out, d->names, d->count);
    for (size_t i = 0; i < d->count; i++)
        free(d->names[i]);
    d->count = 0;
    free(d->keyspace);
    d->keyspace = NULL;
}

static void add_name(init_describe *d, cql_str keyspace, cql_str name)
{
    char *safe = tool_escaped(keyspace);
    if (!d->of_keyspaces && d->keyspace && strcmp(d->keyspace, safe) != 0)
        print_names(d);
    if (!d->keyspace)
        d->keyspace = tool_copy(safe);
    free(safe);
    d->names = tool_grow(d->names, &d->capacity, d->count + 1, sizeof *d->names);
    d->names[d->count++] = tool_escaped(name);
}

/* A statement of many lines: line ends stay, the rest of what controls a terminal does not. */
static void print_statement(FILE *out, cql_str text)
{
    size_t from = 0;
    fputc('\n', out);
    if (!isatty(fileno(out))) {
        fwrite(text.ptr, 1, text.len, out);
        fputc('\n', out);
        return;
    }
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != '\n')
            continue;
        cql_str line = {text.ptr + from, i - from};
        tool_put_escaped(out, line);
        fputc('\n', out);
        from = i + 1;
    }
}

static cql_str cell(cql_rows *rows, const cql_result *res, const char *name)
{
    size_t i;
    cql_str none = {"", 0};
    if (cql_result_column_index(res, name, &i) != CQL_OK || cql_rows_is_null(rows, i))
        return none;
    return cql_rows_str(rows, i);
}

void init_describe_add(init_describe *d, const cql_result *res)
{
    cql_rows rows;
    size_t i;
    if (cql_result_column_index(res, "create_statement", &i) != CQL_OK &&
        cql_result_column_index(res, "name", &i) != CQL_OK) {
        /* DESCRIBE CLUSTER and what later servers may bring. */
        (void)tool_print_rows(d->out, res);
        return;
    }
    bool statements = cql_result_column_index(res, "create_statement", &i) == CQL_OK;
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows)) {
        if (statements) {
            print_statement(d->out, cell(&rows, res, "create_statement"));
            continue;
        }
        d->is_list = true;
        d->of_keyspaces = cql_str_equal(cell(&rows, res, "type"), cql_str_of("keyspace"));
        add_name(d, cell(&rows, res, "keyspace_name"), cell(&rows, res, "name"));
    }
}

void init_describe_end(init_describe *d)
{
    print_names(d);
    if (d->is_list)
        fputc('\n', d->out);
    free(d->names);
    free(d->in_use);
    free(d->keyspace);
    free(d);
}
