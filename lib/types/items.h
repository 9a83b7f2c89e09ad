/* items.h: walking the elements of a collection in wire form. */
#ifndef CQLN_TYPES_ITEMS_H
#define CQLN_TYPES_ITEMS_H

#include "types/value.h"

/* cql_items_init over bytes that are a value of the type, not null. */
cql_status cqln_items_over(cql_items *it, const cql_type *type, cql_str bytes);
/* The type of element i: for a map that of its values. */
static inline const cql_type *cqln_items_type(const cql_type *type, uint32_t i)
{
    switch (type->id) {
    case CQL_TYPE_MAP:
        return type->items[1];
    case CQL_TYPE_TUPLE:
    case CQL_TYPE_UDT:
        return type->items[i];
    default:
        return type->items[0];
    }
}

#endif
