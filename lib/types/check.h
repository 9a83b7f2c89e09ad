/* check.h: pieces of the checks that other files of the layer use. */
#ifndef CQLN_TYPES_CHECK_H
#define CQLN_TYPES_CHECK_H

#include "types/value.h"

/* UTF-8 as the servers take it. */
bool cqln_text_wellformed(cql_str text);
/* Has it the form of its type, or no bytes at all? Unlike cqln_value_wellformed this asks only for
 * what is needed to take the value apart: text may be any bytes. For scalars. */
bool cqln_value_readable(const cql_type *type, cql_str bytes);
/* May a value of type id `value` stand where `column` is asked for? */
bool cqln_type_takes(uint16_t column, uint16_t value);

/* What the commonest values for a type look like, so that those are known by two comparisons: numbers of the
 * very type, text and blobs. */
typedef struct cqln_fit {
    uint32_t head; /* the first word of such a value; one that none has: there are no such values */
    uint8_t len;   /* and its length; 0: any, it is text or a blob */
    bool int64;    /* eight bytes that are whole numbers */
} cqln_fit;

_Static_assert(offsetof(cql_value, len) == sizeof((cqln_fit *)NULL)->head, "the head of a value");

cqln_fit cqln_fit_of(const cql_type *type);

/* True: v may be bound. False: cqln_value_check knows. The fields are loaded in the sizes in which they were
 * stored a moment ago: wider loads would have to wait until they are in the cache. */
static inline bool cqln_fits(const cqln_fit *fit, const cql_value *v)
{
    uint32_t head;
    memcpy(&head, v, sizeof head);
    if (head != fit->head)
        return false;
    if (v->len == fit->len)
        return true;
    if (fit->len || v->len > INT32_MAX)
        return false;
    return v->type == CQL_TYPE_BLOB || cqln_text_wellformed((cql_str){v->u.ptr, v->len});
}

#endif
