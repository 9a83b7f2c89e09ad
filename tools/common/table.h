/* table.h: text in columns.
 *
 *   tool_table *t = tool_table_new();
 *   tool_table_column(t, "node", TOOL_LEFT);
 *   tool_table_column(t, "ms", TOOL_RIGHT);
 *   tool_table_cell(t, "127.0.0.1:9042");       (row by row, left to right)
 *   tool_table_cellf(t, "%.3f", ms);
 *   tool_table_print(t, stdout);
 *   tool_table_free(t);
 *
 *    node           |    ms
 *   ----------------+-------
 *    127.0.0.1:9042 | 0.412
 *
 * Cells are copied as they are: escape what came from a server (escape.h). */
#ifndef TOOL_TABLE_H
#define TOOL_TABLE_H

#include <stddef.h>
#include <stdio.h>

typedef enum tool_align { TOOL_LEFT, TOOL_RIGHT } tool_align;
typedef struct tool_table tool_table;

tool_table *tool_table_new(void);
void tool_table_free(tool_table *t);
/* All columns come before the first cell. */
void tool_table_column(tool_table *t, const char *title, tool_align align);
void tool_table_cell(tool_table *t, const char *text);
void tool_table_cellf(tool_table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Complete rows so far. */
size_t tool_table_rows(const tool_table *t);
void tool_table_print(const tool_table *t, FILE *out);

#endif
