/* value.h: tagged values: one form in which any value can be bound and any cell be looked at. */
#ifndef CQLNATIVE_VALUE_H
#define CQLNATIVE_VALUE_H

#include <cqlnative/types.h>
#include <cqlnative/uuid.h>

CQL_BEGIN

/* Null, "not set" (the column keeps what it has; protocol v4+) and an empty value (zero bytes) are
 * three different things. CQL_VALUE_UNBOUND is what a marker holds before it was bound. */
typedef enum cql_value_state {
    CQL_VALUE_SET = 0,
    CQL_VALUE_NULL = 1,
    CQL_VALUE_UNSET = 2,
    CQL_VALUE_UNBOUND = 3
} cql_value_state;

/* A value in wire form (big-endian). Numbers, uuids, addresses and durations are held inside; the
 * rest is borrowed: `ptr` must stay good until the call that takes the value returns. Make it with
 * the functions below; read it with the cql_value_as_ functions. A plain struct: copy it, drop it,
 * nothing to free. */
typedef struct cql_value {
    uint16_t type;  /* cql_type_id of the bytes */
    uint8_t state;  /* cql_value_state */
    uint8_t inside; /* 1: the bytes are in u.bytes; else at u.ptr, 2 with a builder's shape */
    uint32_t len;
    union {
        uint8_t bytes[24]; /* the longest duration takes 19 */
        const void *ptr;
        struct {
            const void *ptr;
            const void *shape; /* types of the elements, for the check at the bind */
        } built;
    } u;
} cql_value;

/* A span of time that keeps months, days and nanoseconds apart; all three have the same sign. */
typedef struct cql_duration {
    int32_t months;
    int32_t days;
    int64_t nanos;
} cql_duration;

/* An IP address: 4 or 16 bytes in network order. */
typedef struct cql_inet {
    uint8_t len;
    uint8_t bytes[16];
} cql_inet;

/* --- making values; all [any thread], none allocates --------------------------------------------- */
CQL_API cql_value cql_value_null(void);
CQL_API cql_value cql_value_unset(void);
CQL_API cql_value cql_value_bool(bool v);
CQL_API cql_value cql_value_int8(int8_t v);
CQL_API cql_value cql_value_int16(int16_t v);
CQL_API cql_value cql_value_int32(int32_t v);
/* Also binds counter, timestamp (milliseconds since the epoch) and time (nanoseconds of the day). */
CQL_API cql_value cql_value_int64(int64_t v);

CQL_API cql_value cql_value_float(float v);
CQL_API cql_value cql_value_double(double v);
/* Milliseconds since 1970-01-01T00:00:00Z, before it negative. */
CQL_API cql_value cql_value_timestamp(int64_t unix_ms);
/* Days since 1970-01-01, before it negative; the wire form is moved by 2^31. */
CQL_API cql_value cql_value_date(int32_t unix_days);
/* Nanoseconds of the day; the bind refuses what is outside 0..86399999999999 with CQL_BAD_VALUE. */
CQL_API cql_value cql_value_time(int64_t nanos_of_day);

CQL_API cql_value cql_value_duration(cql_duration v);
/* Also binds timeuuid when the version is 1. */
CQL_API cql_value cql_value_uuid(cql_uuid v);

/* The bytes as they are: an IPv4 address within IPv6 (::ffff:1.2.3.4) is not that of four bytes. */
CQL_API cql_value cql_value_inet(cql_inet v);
/* Text for ascii and text columns, borrowed. In all five below a NULL pointer gives a null value,
 * an empty value needs one that is not NULL; more than 2^31-1 bytes are refused by every bind with
 * CQL_TOO_LARGE. */
CQL_API cql_value cql_value_text(const char *nul_terminated);
CQL_API cql_value cql_value_str(cql_str text);
CQL_API cql_value cql_value_blob(const void *bytes, size_t len);
/* Big integers: big-endian two's complement, borrowed, minimal or not. */
CQL_API cql_value cql_value_varint(const void *bytes, size_t len);
/* A varint and a decimal (unscaled / 10^scale: 1.50 is 150 and 2) of 64 bits. Larger ones: bytes, or
 * from text (cql_value_parse). */
CQL_API cql_value cql_value_varint64(int64_t v);
CQL_API cql_value cql_value_decimal64(int64_t unscaled, int32_t scale);
/* Bytes that are already in the wire form of `type`, borrowed. */
CQL_API cql_value cql_value_raw(cql_type_id type, const void *bytes, size_t len);

/* --- reading values -------------------------------------------------------------------------------
 * Integers are read from every shorter integer type too, a double from a float: nothing is lost by it.
 * CQL_TYPE_MISMATCH for another type, CQL_IS_NULL for null, unset and unbound, CQL_BAD_VALUE for
 * bytes that are no value of the type (an empty value of a fixed-size type among them). *out is
 * written only on CQL_OK. [any thread] */
CQL_API bool cql_value_is_null(const cql_value *v);
CQL_API bool cql_value_is_empty(const cql_value *v);
/* The wire bytes, wherever they are. */
CQL_API cql_str cql_value_bytes(const cql_value *v);

CQL_API cql_status cql_value_as_bool(const cql_value *v, bool *out);
CQL_API cql_status cql_value_as_int8(const cql_value *v, int8_t *out);
CQL_API cql_status cql_value_as_int16(const cql_value *v, int16_t *out);
CQL_API cql_status cql_value_as_int32(const cql_value *v, int32_t *out);
/* bigint, counter, timestamp, time; also varint when it fits. */
CQL_API cql_status cql_value_as_int64(const cql_value *v, int64_t *out);

CQL_API cql_status cql_value_as_float(const cql_value *v, float *out);
CQL_API cql_status cql_value_as_double(const cql_value *v, double *out);
CQL_API cql_status cql_value_as_date(const cql_value *v, int32_t *unix_days);
CQL_API cql_status cql_value_as_duration(const cql_value *v, cql_duration *out);
CQL_API cql_status cql_value_as_uuid(const cql_value *v, cql_uuid *out);
CQL_API cql_status cql_value_as_inet(const cql_value *v, cql_inet *out);
/* text, ascii, blob and custom: the bytes as they are; text is not checked to be UTF-8. */
CQL_API cql_status cql_value_as_str(const cql_value *v, cql_str *out);
/* scale and the unscaled big-endian two's complement number (borrowed from the value). */
CQL_API cql_status cql_value_as_decimal(const cql_value *v, int32_t *scale, cql_str *unscaled);
/* The same when the number fits 64 bits; else CQL_BAD_VALUE. */
CQL_API cql_status cql_value_as_decimal64(const cql_value *v, int64_t *unscaled, int32_t *scale);

/* A vector of floats into an array: type is the column's (vector<float, n>), n the room in out.
 * CQL_TYPE_MISMATCH also for another dimension. One pass over the bytes. */
CQL_API cql_status cql_value_as_floats(const cql_value *v, const cql_type *type, float *out,
                                       size_t n);

/* --- collections ----------------------------------------------------------------------------------
 * A builder for list, set, map, tuple, UDT and vector values. */
typedef struct cql_collection cql_collection;

/* type: CQL_TYPE_LIST, _SET, _MAP, _TUPLE, _UDT or _VECTOR. al may be NULL (the C library's). Yours:
 * free with cql_collection_free. CQL_NO_MEMORY, CQL_BAD_ARGUMENT. [one at a time] */
CQL_API cql_status cql_collection_new(cql_type_id type, const cql_allocator *al,
                                      cql_collection **out);
/* Appends an element (copied); for a map key and value in turn. Null is refused in list, set, map
 * and vector (CQL_IS_NULL) since servers fail on it; elements of one list, set or vector, all keys
 * and all values of a map, must have one type (CQL_TYPE_MISMATCH), which the bind compares with
 * the column's: a list of ints is no list of floats. CQL_UNBOUND; CQL_BAD_ARGUMENT for unset, for
 * an unknown type, for c itself, and in a vector for a vector that no builder made; CQL_BAD_VALUE
 * for a number of the wrong length in a vector; CQL_TOO_LARGE beyond 2^31-1 bytes, 65,535 fields
 * or 32 levels; CQL_NO_MEMORY. What was refused leaves c as it was. */
CQL_API cql_status cql_collection_add(cql_collection *c, cql_value element);
/* Key and value at once, both or none. CQL_BAD_STATE for other types than maps and behind a key
 * without value, else as cql_collection_add. */
CQL_API cql_status cql_collection_add_pair(cql_collection *c, cql_value key, cql_value value);
/* Appends n floats at once to a list, set or vector; into a vector in one pass. All or none. Statuses
 * as for cql_collection_add. */
CQL_API cql_status cql_collection_add_floats(cql_collection *c, const float *v, size_t n);
/* A field of a UDT by its name (as cql_type_field_index has it), in any order and again if need be. type: what the value
 * is for, as cql_prepared_marker_type or cql_type_at of that; all its fields are there from the first call on, null until
 * they are set, so that the bytes are those the server makes of the same literal. The value is compared with the field's
 * type at once, and numbers become longer ones as with the binds of a statement. Fields that the server's type has got
 * since stay null. CQL_NO_SUCH_NAME, CQL_BAD_STATE for a builder of another type, CQL_TYPE_MISMATCH also when `type` is no
 * UDT, CQL_BAD_VALUE, else as cql_collection_add. */
CQL_API cql_status cql_collection_set_field(cql_collection *c, const cql_type *type,
                                            const char *name, cql_value value);
/* Empties it for reuse; keeps the memory. */
CQL_API void cql_collection_clear(cql_collection *c);

CQL_API void cql_collection_free(cql_collection *c);
/* The collection as a value, borrowed until c changes; a map with a key but no value yet gives an
 * unbound value, which every bind refuses. */
CQL_API cql_value cql_value_collection(const cql_collection *c);

/* Walks the elements of a list, set, map, tuple, UDT or vector over the same bytes, no copy. */
typedef struct cql_items {
    const cql_type *type;
    const uint8_t *at;
    const uint8_t *end;
    uint32_t count; /* elements (pairs for a map) still to come */
    uint32_t index; /* of the next element */
    cql_status status;
    uint16_t spare[2];
} cql_items;

/* type: the descriptor that belongs to v (a column's, or cql_type_at of an outer one). A null value
 * gives zero items. CQL_TYPE_MISMATCH when v is no collection, CQL_MALFORMED for a count that its
 * bytes cannot hold. A tuple or UDT that is shorter than its type ends in nulls. */
CQL_API cql_status cql_items_init(cql_items *it, const cql_type *type, const cql_value *v);
/* The next element; for a map it is the value and *key its key (key may be NULL for the others). The
 * values borrow from v's bytes. False at the end or at malformed bytes: cql_items_status tells. */
CQL_API bool cql_items_next(cql_items *it, cql_value *key, cql_value *element);
CQL_API cql_status cql_items_status(const cql_items *it);

/* A field of a UDT by its name (as cql_type_field_index has it); it borrows from v's bytes. Null when v is null and when v
 * is shorter than its type, as what was written before ALTER TYPE … ADD is. Fields that v has and the type has not are
 * passed over. CQL_NO_SUCH_NAME; CQL_TYPE_MISMATCH when type or v is none, CQL_MALFORMED, CQL_BAD_ARGUMENT. Reading all
 * fields: cql_items_next, which looks at each once. [any thread] */
CQL_API cql_status cql_value_field(const cql_value *v, const cql_type *type, const char *name,
                                   cql_value *out);

/* --- text -----------------------------------------------------------------------------------------
 * Prints a value as cqlsh does (text without quotes at the top level, with quotes inside
 * collections; blobs as 0x…, null as "null"), floats with the fewest digits that read back as the
 * same. In text, control characters and bytes that are no UTF-8 are escaped (\n, \x1b) and
 * backslashes doubled. A varint or decimal of more than 512 bytes is printed as 0x and hex. type
 * may be NULL for scalars. buf may be NULL with cap 0. Always NUL-terminated and cut at cap, no
 * character in two; *len (may be NULL) is the full length without the NUL. CQL_MALFORMED for bytes
 * that are no value of the type, CQL_TOO_LARGE for more than a million absent fields,
 * CQL_TYPE_MISMATCH, CQL_BAD_ARGUMENT; then the text is empty and *len as it was. */
CQL_API cql_status cql_value_print(const cql_value *v, const cql_type *type, char *buf, size_t cap,
                                   size_t *len);
/* The same as JSON (numbers, true, null, strings with escapes, arrays, objects). NaN and the
 * infinities are null, bytes that are no UTF-8 U+FFFD, what JSON has no form for is a string of
 * the text form; so are the keys of maps. */
CQL_API cql_status cql_value_print_json(const cql_value *v, const cql_type *type, char *buf,
                                        size_t cap, size_t *len);

/* The way back: the wire bytes of a text, for cql_value_raw. A text or ascii value is the whole text as it
 * is; every other type takes what cql_value_print writes (but no empty values, and no hex for varint and decimal) and
 * what CQL takes: 0xcafe, 1.5E+3, true, 2024-02-29 (or days, of which 2^31 is 1970-01-01), 13:30:54.5 (or nanoseconds),
 * 2024-01-02 03:04[:05.678][Z|+0100] (without a zone UTC; or milliseconds), 1y2mo3d4h5m6s7ms8us9ns, P1Y2M3DT4H5M6S,
 * P3W and P0001-02-03T04:05:06 (ISO 8601), 127.0.0.1 (also for ::ffff:127.0.0.1, as the servers have it), and of these
 * [1, 2], {'a', 'b'}, {'k': 1}, (1, null), {field: 1} (fields in any order, those left out null); there texts are in
 * quotes ('it''s') and everything else may be. Backslashes in texts are what they are, as in CQL: the escapes of
 * cql_value_print are not undone. *len is the number of bytes;
 * CQL_TOO_LARGE when there are more than cap. CQL_BAD_VALUE for a text that is no value of the type,
 * CQL_BAD_ARGUMENT, CQL_NO_MEMORY. [any thread] */
CQL_API cql_status cql_value_parse(const cql_type *type, cql_str text, void *buf, size_t cap,
                                   size_t *len);

CQL_END
#endif
