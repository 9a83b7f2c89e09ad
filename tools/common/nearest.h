/* nearest.h: the name that was probably meant.
 *
 *   const char *meant = NULL; size_t best = 0;
 *   for each name: tool_nearest("jsno", name, &best, &meant);
 *   if (meant) fprintf(stderr, "; did you mean '%s'?", meant); */
#ifndef TOOL_NEAREST_H
#define TOOL_NEAREST_H

#include <stddef.h>

/* Number of single-character changes (insert, delete, replace, swap of neighbours) from a to b;
 * names longer than 63 bytes count as far away. */
size_t tool_distance(const char *a, const char *b);
/* Makes *meant this name when it is close enough to `wrong` and closer than *meant so far. Begin
 * with *meant NULL. */
void tool_nearest(const char *wrong, const char *name, size_t *best, const char **meant);

#endif
