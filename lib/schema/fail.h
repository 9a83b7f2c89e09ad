/* fail.h: errors of the schema module, made through the public error object. */
#ifndef CQLSCH_FAIL_H
#define CQLSCH_FAIL_H

#include "schema/mem.h"

#include <cqlnative/error.h>

/* Puts an error with `text` into *err (which may hold the cause) and returns st. */
cql_status cqlsch_fail(cql_error **err, const cql_allocator *al, cql_status st,
                       const cql_error *cause, const char *text);
/* The same with a text of its own, made in mem. */
cql_status cqlsch_failf(cqlsch_mem *mem, cql_error **err, cql_status st, const cql_error *cause,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The out-of-memory error. */
cql_status cqlsch_no_memory(cql_error **err, const cql_allocator *al);

#endif
