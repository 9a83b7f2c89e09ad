/* memory.h: memory for the tools: small amounts, and no way to go on without them.
 *
 *   char *line = tool_format("%s:%u", host, port);
 *   free(line);
 *
 * Each function ends the program with a message and TOOL_EXIT_FAILED when memory is out. */
#ifndef TOOL_MEMORY_H
#define TOOL_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

#include <cqlnative/base.h>

/* Zeroed; yours: free(). */
void *tool_alloc(size_t count, size_t size);
/* An array that grows to at least `wanted` elements; *capacity is what it has room for. */
void *tool_grow(void *block, size_t *capacity, size_t wanted, size_t size);
/* A NUL-terminated copy; yours: free(). */
char *tool_copy(const char *text);
char *tool_copy_str(cql_str text);
/* printf into a block of its own; yours: free(). */
char *tool_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Overwrites a secret; not optimised away. NULL is fine. */
void tool_wipe(void *block, size_t size);

#endif
