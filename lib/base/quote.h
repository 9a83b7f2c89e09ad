/* quote.h: names put into CQL text by the library itself. */
#ifndef CQLN_BASE_QUOTE_H
#define CQLN_BASE_QUOTE_H

#include <cqlnative/base.h>

/* prefix and the name as a quoted identifier ("name", quotes doubled), with a NUL. False when it does
 * not fit or the name is empty or holds a NUL; out is empty then. */
bool cqln_quote_name(char *out, size_t cap, const char *prefix, cql_str name);

#endif
