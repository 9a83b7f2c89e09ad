/* coll.h: the builder of collection values and the shape that it keeps of its elements.
 *
 * The bytes of a collection do not tell a float from an int. So that a list of ints is not bound to
 * a list of floats by mistake, a builder keeps the types of what was added in a few bytes, the
 * shape:
 *
 *   scalar             its id
 *   list, set, vector  code, shape of the elements
 *   map                code, shape of the keys, shape of the values
 *   tuple, UDT         code, [short] n, n shapes
 *   CQLN_SHAPE_ANY     nothing is known: a null, the elements of an empty list
 *   CQLN_SHAPE_RAW     code: bytes of that type whose elements are not known */
#ifndef CQLN_TYPES_COLL_H
#define CQLN_TYPES_COLL_H

#include "types/sink.h"
#include "types/value.h"

enum { CQLN_SHAPE_VECTOR = 0x40, CQLN_SHAPE_RAW = 0xfe, CQLN_SHAPE_ANY = 0xff };

struct cql_collection {
    cql_allocator al;
    uint16_t type;
    bool half;       /* a map with a key that has no value yet */
    unsigned depth;  /* levels below this one */
    uint32_t count;  /* elements, pairs or fields */
    uint32_t packed; /* vector: bytes of each element when they have no length, else 0 */
    cqln_writer bytes;
    cqln_writer shape[2]; /* of elements or keys; of a map's values */
};

/* The code of a type id in a shape. */
static inline uint8_t cqln_shape_code(uint16_t id)
{
    return id == CQL_TYPE_VECTOR ? CQLN_SHAPE_VECTOR : (uint8_t)id;
}

/* Does the type take a value with these elements? */
bool cqln_shape_fits(const cql_collection *c, const cql_type *type);
/* Can both be elements of one list? */
bool cqln_shape_match(const uint8_t *a, const uint8_t *b);
/* Bytes of the shape at p. */
size_t cqln_shape_size(const uint8_t *p);
/* What two that match say together; its size, which is at most that of both. */
size_t cqln_shape_merge(uint8_t *out, const uint8_t *a, const uint8_t *b);
/* What a builder holds as the text of a type: list<int>, with ? for what is not known. */
void cqln_shape_print(cqln_sink *out, const cql_collection *c);

#endif
