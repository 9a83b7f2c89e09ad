/* uuid.h: UUIDs as Cassandra stores them (RFC 9562 byte order), versions 1 and 4. */
#ifndef CQLNATIVE_UUID_H
#define CQLNATIVE_UUID_H

#include <cqlnative/base.h>

CQL_BEGIN

/* 16 bytes in the order in which they are printed. */
typedef struct cql_uuid {
    uint8_t bytes[16];
} cql_uuid;

#define CQL_UUID_TEXT_SIZE 37 /* 36 characters and the NUL */

/* A random UUID (version 4), from the system's random source. [any thread] */
CQL_API cql_uuid cql_uuid_random(void);
/* A time UUID (version 1) of now: strictly rising within the process, unique over its threads,
 * with a node id drawn at random once per process (again in a child after fork), so that no
 * hardware address leaks. [any thread] */
CQL_API cql_uuid cql_uuid_time(void);
/* The lowest and the highest version 1 UUID of a millisecond, in the server's own order: bounds for
 * range queries over a timeuuid column. [any thread] */
CQL_API cql_uuid cql_uuid_min_for(int64_t unix_ms);
CQL_API cql_uuid cql_uuid_max_for(int64_t unix_ms);
/* Milliseconds since the epoch held in a version 1 UUID; CQL_BAD_VALUE for other versions. */
CQL_API cql_status cql_uuid_unix_ms(const cql_uuid *uuid, int64_t *unix_ms);
/* The version nibble. [any thread] */
CQL_API int cql_uuid_version(const cql_uuid *uuid);
/* Reads the 36-character form, either case; CQL_BAD_VALUE for anything else. [any thread] */
CQL_API cql_status cql_uuid_parse(cql_str text, cql_uuid *out);
/* Writes the lower-case form and a NUL. [any thread] */
CQL_API void cql_uuid_print(const cql_uuid *uuid, char out[CQL_UUID_TEXT_SIZE]);

CQL_END
#endif
