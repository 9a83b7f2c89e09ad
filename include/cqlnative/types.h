/* types.h: CQL types: their numbers and the descriptors of columns. */
#ifndef CQLNATIVE_TYPES_H
#define CQLNATIVE_TYPES_H

#include <cqlnative/base.h>

CQL_BEGIN

/* The type ids of the protocol (native_protocol_v5 section 6). CQL_TYPE_VECTOR is this library's own
 * number for the vector class that the wire carries as a custom type. */
typedef enum cql_type_id {
    CQL_TYPE_CUSTOM = 0x0000,
    CQL_TYPE_ASCII = 0x0001,
    CQL_TYPE_BIGINT = 0x0002,
    CQL_TYPE_BLOB = 0x0003,
    CQL_TYPE_BOOLEAN = 0x0004,
    CQL_TYPE_COUNTER = 0x0005,
    CQL_TYPE_DECIMAL = 0x0006,
    CQL_TYPE_DOUBLE = 0x0007,
    CQL_TYPE_FLOAT = 0x0008,
    CQL_TYPE_INT = 0x0009,
    CQL_TYPE_TIMESTAMP = 0x000b,
    CQL_TYPE_UUID = 0x000c,
    CQL_TYPE_TEXT = 0x000d,
    CQL_TYPE_VARINT = 0x000e,
    CQL_TYPE_TIMEUUID = 0x000f,
    CQL_TYPE_INET = 0x0010,
    CQL_TYPE_DATE = 0x0011,
    CQL_TYPE_TIME = 0x0012,
    CQL_TYPE_SMALLINT = 0x0013,
    CQL_TYPE_TINYINT = 0x0014,
    CQL_TYPE_DURATION = 0x0015,
    CQL_TYPE_LIST = 0x0020,
    CQL_TYPE_MAP = 0x0021,
    CQL_TYPE_SET = 0x0022,
    CQL_TYPE_UDT = 0x0030,
    CQL_TYPE_TUPLE = 0x0031,
    CQL_TYPE_VECTOR = 0x0100
} cql_type_id;

/* A type with its parameters. Descriptors are immutable and live as long as what they were got from
 * (a result, a prepared statement). [any thread] for all accessors. */
typedef struct cql_type cql_type;

/* Which type it is. */
CQL_API cql_type_id cql_type_of(const cql_type *type);
/* Elements of list and set (1), map (2: key, value), tuple and UDT (fields), vector (1); else 0. */
CQL_API size_t cql_type_count(const cql_type *type);
/* Element i, NULL past the end. */
CQL_API const cql_type *cql_type_at(const cql_type *type, size_t i);
/* Number of elements that a vector has; 0 for others. */
CQL_API uint32_t cql_type_dimension(const cql_type *type);
/* Name: of a UDT without its keyspace, the class of a custom type, else the CQL keyword. */
CQL_API cql_str cql_type_name(const cql_type *type);
CQL_API cql_str cql_type_keyspace(const cql_type *type);
/* Name of field i of a UDT, empty otherwise. */
CQL_API cql_str cql_type_field(const cql_type *type, size_t i);
/* Which field of a UDT has that name, for cql_type_at. The name as the servers have it, "zip" or "Zip"; else as CQL reads
 * it: Zip for zip, and in double quotes ("\"Zip\"") the very name. After ALTER TYPE … RENAME a type that was got before
 * has the old name. CQL_NO_SUCH_NAME, CQL_TYPE_MISMATCH for other types, CQL_BAD_ARGUMENT. */
CQL_API cql_status cql_type_field_index(const cql_type *type, const char *name, size_t *i);
/* Writes the type as CQL prints it ("map<text, frozen<list<int>>>"), always NUL-terminated and cut at
 * cap; *len is the full length without the NUL, so that a second call can bring enough room. */
CQL_API cql_status cql_type_print(const cql_type *type, char *buf, size_t cap, size_t *len);
/* CQL keyword of a type id ("bigint"), "unknown" for a number that is none. Static storage. */
CQL_API const char *cql_type_id_name(cql_type_id id);

CQL_END
#endif
