/* print.h: what the two ways of printing share. */
#ifndef CQLN_TYPES_PRINT_H
#define CQLN_TYPES_PRINT_H

#include "types/sink.h"
#include "types/value.h"

/* Fields that a tuple or UDT has in its type but not in its bytes are printed as null. Few bytes
 * can ask for very many of them, so that their number in one value is limited. */
enum { CQLN_PRINT_MISSING_MAX = 1 << 20 };

typedef struct cqln_printer {
    cqln_sink out;
    size_t missing; /* fields printed that had no bytes */
} cqln_printer;

/* Checks the arguments of the public calls and finds the type to print by. */
cql_status cqln_print_type_of(const cql_value *v, const cql_type *type, const char *buf, size_t cap,
                              const cql_type **out);
/* Any scalar but text, ascii, blob and custom, in its plain form. `bytes` is well-formed and not
 * empty. False when a number was too long for digits. */
bool cqln_print_scalar(cqln_sink *out, const cql_type *type, cql_str bytes);
/* A value as cqlsh prints it; nested: inside of a collection, where text has quotes. */
cql_status cqln_print_value(cqln_printer *p, const cql_type *type, const cql_value *v, bool nested);
/* Counts a field without bytes; CQL_TOO_LARGE when it is one too many. */
cql_status cqln_print_missing(cqln_printer *p, const cql_items *it, const cql_value *element);

#endif
