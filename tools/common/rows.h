/* rows.h: the rows of a result for people and for programs.
 *
 *   tool_print_rows(stdout, res);          a table, then "(2 rows)"
 *   tool_print_rows_json(stdout, res);     {"id":"a","n":1} for each row
 *   tool_print_warnings("cqlinit", res);   the server's warnings, to standard error
 *
 * Both take one page and return CQL_OK or what the cursor ended with. Several pages as one table:
 *   tool_row_table *t = tool_row_table_new();
 *   st = tool_row_table_add(t, res);       for each page
 *   tool_row_table_print(t, stdout);
 *   tool_row_table_free(t); */
#ifndef TOOL_ROWS_H
#define TOOL_ROWS_H

#include <cqlnative/result.h>
#include <stdio.h>

typedef struct tool_row_table tool_row_table;
tool_row_table *tool_row_table_new(void);
cql_status tool_row_table_add(tool_row_table *t, const cql_result *res);
/* The table and "(N rows)"; nothing for results without columns. */
void tool_row_table_print(const tool_row_table *t, FILE *out);
void tool_row_table_free(tool_row_table *t);

cql_status tool_print_rows(FILE *out, const cql_result *res);
cql_status tool_print_rows_json(FILE *out, const cql_result *res);
/* A value as cqlsh prints it, or as JSON; yours: free(). */
char *tool_value_text(const cql_value *v, const cql_type *type);
char *tool_value_json(const cql_value *v, const cql_type *type);
void tool_print_warnings(const char *program, const cql_result *res);

#endif
