/* A table kept in memory until the widths of its columns are known. */
#include "config.h"

#include "common/table.h"

#include "common/escape.h"
#include "common/memory.h"

#include <stdarg.h>
#include <stdlib.h>

typedef struct column {
    char *title;
    size_t width;
    tool_align align;
} column;

struct tool_table {
    column *columns;
    size_t column_count, column_capacity;
    char **cells;
    size_t cell_count, cell_capacity;
};

tool_table *tool_table_new(void)
{
    return tool_alloc(1, sizeof(tool_table));
}

void tool_table_free(tool_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->column_count; i++)
        free(t->columns[i].title);
    for (size_t i = 0; i < t->cell_count; i++)
        free(t->cells[i]);
    free(t->columns);
    free(t->cells);
    free(t);
}

void tool_table_column(tool_table *t, const char *title, tool_align align)
{
    t->columns =
        tool_grow(t->columns, &t->column_capacity, t->column_count + 1, sizeof *t->columns);
    column *c = &t->columns[t->column_count++];
    c->title = tool_copy(title);
    c->width = tool_text_width(title);
    c->align = align;
}

/* Takes text over. */
static void add_cell(tool_table *t, char *text)
{
    if (!t->column_count) {
        free(text);
        return;
    }
    column *c = &t->columns[t->cell_count % t->column_count];
    size_t width = tool_text_width(text);
    if (width > c->width)
        c->width = width;
    t->cells = tool_grow(t->cells, &t->cell_capacity, t->cell_count + 1, sizeof *t->cells);
    t->cells[t->cell_count++] = text;
}

void tool_table_cell(tool_table *t, const char *text)
{
    add_cell(t, tool_copy(text));
}

void tool_table_cellf(tool_table *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        text = tool_copy("");
    va_end(args);
    add_cell(t, text);
}

size_t tool_table_rows(const tool_table *t)
{
    return t->column_count ? t->cell_count / t->column_count : 0;
}

static void print_cell(FILE *out, const column *c, const char *text, bool last)
{
    size_t gap = c->width - tool_text_width(text);
    int before = c->align == TOOL_RIGHT ? (int)gap : 0;
    int after = c->align == TOOL_RIGHT || last ? 0 : (int)gap;
    fprintf(out, " %*s%s%*s%s", before, "", text, after, "", last ? "\n" : " |");
}

static void print_rule(const tool_table *t, FILE *out)
{
    for (size_t i = 0; i < t->column_count; i++) {
        for (size_t dash = 0; dash < t->columns[i].width + 2; dash++)
            fputc('-', out);
        fputc(i + 1 < t->column_count ? '+' : '\n', out);
    }
}

void tool_table_print(const tool_table *t, FILE *out)
{
    for (size_t i = 0; i < t->column_count; i++)
        print_cell(out, &t->columns[i], t->columns[i].title, i + 1 == t->column_count);
    print_rule(t, out);
    for (size_t row = 0; row < tool_table_rows(t); row++)
        for (size_t i = 0; i < t->column_count; i++)
            print_cell(out, &t->columns[i], t->cells[row * t->column_count + i],
                       i + 1 == t->column_count);
}
