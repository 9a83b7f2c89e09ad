/* type.h: type descriptors: what a column holds. */
#ifndef CQLN_TYPES_TYPE_H
#define CQLN_TYPES_TYPE_H

#include "base/arena.h"
#include "base/bytes.h"

#include <cqlnative/types.h>

enum { CQLN_TYPE_DEPTH = 32 }; /* deepest nesting that is decoded */

struct cql_type {
    uint16_t id;        /* cql_type_id */
    uint8_t fixed;      /* bytes on the wire when always the same, else 0 */
    uint8_t plain;      /* the same when any such bytes are a good value, else 0 */
    bool empty_ok;      /* servers take zero bytes as a value that is neither null nor unset */
    uint32_t packed;    /* bytes of an element in a vector when it has no length there, else 0 */
    uint32_t count;     /* entries in `items` */
    uint32_t dimension; /* vector */
    const cql_type **items;
    const cql_str *fields; /* UDT: names of the `count` fields */
    cql_str name;          /* UDT name, class of a custom type */
    cql_str keyspace;      /* UDT */
};

/* The descriptor of a type without parameters; static. NULL for ids that have parameters or are
 * unknown. */
const cql_type *cqln_type_scalar(uint16_t id);

/* Which field of a user type has that name, its count when none has. In quotes: the very name; else as CQL reads it, where
 * capitals may stand for small letters, after the very name. */
uint32_t cqln_type_field(const cql_type *type, cql_str name, bool quoted);

/* Reads an [option] (native_protocol section 3) into the arena. All strings are copied. An unknown
 * id gives a custom type without a name, so that the column is opaque bytes. CQL_MALFORMED for
 * truncated input and for nesting deeper than CQLN_TYPE_DEPTH, CQL_NO_MEMORY. A custom class string
 * that names a known type (DurationType, VectorType(…), ListType(…) …) gives that type; others stay
 * custom. */
cql_status cqln_type_read(cqln_reader *rd, cqln_arena *a, const cql_type **out);
/* The same without building anything: steps over it. False when malformed. */
bool cqln_type_skip(cqln_reader *rd);
/* Do both describe the same values? Depth is bounded, since decoding bounds it. */
bool cqln_type_same(const cql_type *a, const cql_type *b);
/* Do bytes of one mean the same to the other? User types may have got fields or other names, but none in another
 * place; of custom types nothing is known. */
bool cqln_type_fits(const cql_type *a, const cql_type *b);
/* A class string of the server ("org.apache.cassandra.db.marshal.VectorType(…)"). Never fails on
 * unknown text: that gives a custom type. CQL_NO_MEMORY only. Linear in its length. */
cql_status cqln_type_parse_class(cqln_arena *a, cql_str text, const cql_type **out);
/* A type in CQL text as system_schema prints it ("map<text, frozen<list<int>>>"). Unknown names
 * give a UDT of that name without fields. CQL_MALFORMED for unbalanced text. */
cql_status cqln_type_parse_cql(cqln_arena *a, cql_str text, const cql_type **out);

#endif
