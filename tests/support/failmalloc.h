/* failmalloc.h: an allocator table that fails where a test tells it to, and counts. Usable from several
 * threads. New memory is filled with 0xa5 and realloc always moves, so that code which relies on luck is
 * found out. */
#ifndef TESTS_SUPPORT_FAILMALLOC_H
#define TESTS_SUPPORT_FAILMALLOC_H

#include <cqlnative/base.h>
#include <stdatomic.h>

typedef struct failmalloc {
    cql_allocator al; /* hand out &f.al */
    atomic_size_t fail_at; /* the number, from 1, of the request for memory that fails; 0: none */
    bool fail_after;  /* and all requests behind it fail too */
    atomic_size_t requests;
    atomic_size_t live;  /* blocks not freed yet, */
    atomic_size_t bytes; /* and what they hold */
} failmalloc;

void failmalloc_init(failmalloc *f);

/* Runs fn again and again, failing the first request for memory, then the second and so on, until a run
 * meets no failure; each also with all later requests failing. Every run must free all it took, else the
 * program ends. A run that met the failure is expected to have noticed (fn returns CQL_NO_MEMORY),
 * unless `may_cope` says that it may do without. Returns the number of requests of a whole run. */
typedef cql_status (*failmalloc_fn)(const cql_allocator *al, void *user);
size_t failmalloc_each(failmalloc_fn fn, void *user, bool may_cope);

#endif
