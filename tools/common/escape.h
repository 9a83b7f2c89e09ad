/* escape.h: text of a server, made safe for a terminal: it can contain anything.
 *
 *   tool_put_escaped(stdout, cql_str_of(cql_error_server_message(err)));
 *   char *safe = tool_escaped(cql_rows_str(&rows, 0)); ... free(safe);
 *
 * Control characters (C0, DEL, C1), marks that turn the direction of writing, line and paragraph
 * separators, tags and bytes that are not UTF-8 become visible (\n, \t, \x1b, \u202e); the rest is
 * kept. */
#ifndef TOOL_ESCAPE_H
#define TOOL_ESCAPE_H

#include <cqlnative/base.h>
#include <stdio.h>

void tool_put_escaped(FILE *out, cql_str text);
/* The same as a NUL-terminated block; yours: free(). */
char *tool_escaped(cql_str text);
/* Columns that escaped text takes on a terminal: wide characters count two, combining marks none.
 */
size_t tool_text_width(const char *text);
/* A copy in which every byte that is not UTF-8 became U+FFFD; yours: free(). */
char *tool_valid_utf8(cql_str text);

/* Reads one character: its code point, and its length in bytes in *length; -1 with length 1 when
 * the bytes are not UTF-8. `left` is at least 1. */
int32_t tool_read_utf8(const char *at, size_t left, size_t *length);

#endif
