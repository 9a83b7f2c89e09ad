/* tries.h: the failed attempts of a request or of a connect, for the list in its error. */
#ifndef CQLN_CLUSTER_TRIES_H
#define CQLN_CLUSTER_TRIES_H

#include "base/error.h"

typedef struct cqln_try cqln_try;
struct cqln_try {
    cqln_try *next;
    cql_status status;
    cql_str host; /* both behind the struct */
    cql_str reason;
};

enum { CQLN_TRIES_MAX = 32 };

/* Appends; a list that is full, or memory that is out, loses the entry. An entry with the same host is
 * replaced, so that the list has the last failure of each. */
void cqln_tries_add(const cql_allocator *al, cqln_try **list, cql_str host, cql_status status,
                    cql_str reason);
void cqln_tries_free(const cql_allocator *al, cqln_try *list);
/* Fills rows for cqln_error_make; the number of them. */
size_t cqln_tries_rows(const cqln_try *list, cqln_tried rows[CQLN_TRIES_MAX]);

#endif
