/* misfit.h: a value that was refused, in words. */
#ifndef CQLN_API_MISFIT_H
#define CQLN_API_MISFIT_H

#include "api/statement.h"

enum { CQLN_TYPE_SHOWN = 200, CQLN_VALUE_SHOWN = 48, CQLN_LENGTH_SHOWN = 64 };

typedef struct cqln_shown {
    char taken[CQLN_TYPE_SHOWN]; /* the marker's type */
    char given[CQLN_TYPE_SHOWN]; /* the value's, or what it is without one */
    char value[CQLN_VALUE_SHOWN + 16];
    char length[CQLN_LENGTH_SHOWN];
    const char *advice;
} cqln_shown;

/* wanted: the marker's type, NULL when none is known: then `taken` stays. The rest of *out is zero. (misfit_show.c) */
void cqln_show(cqln_shown *out, const cql_statement *s, const cql_type *wanted, const cql_value *v, cql_status st);
/* "null" and its like, of a value that is none. */
const char *cqln_state_name(const cql_value *v);

#endif
