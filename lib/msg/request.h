/* request.h: encoders: each appends one whole request envelope (header with stream 0, body) to a
 * writer. The stream id is patched when the request is given to a connection. */
#ifndef CQLN_MSG_REQUEST_H
#define CQLN_MSG_REQUEST_H

#include "wire/frame.h"
#include "wire/notation.h"

enum { CQLN_FRAME_FLAGS_AT = 1, CQLN_FRAME_STREAM_AT = 2, CQLN_FRAME_OPCODE_AT = 4 }; /* offsets in an envelope */

/* Options that QUERY, EXECUTE and BATCH share (native_protocol section 4.1.4). */
typedef struct cqln_query_options {
    uint16_t consistency;
    uint16_t serial_consistency; /* 0: not sent */
    bool skip_metadata;
    bool tracing;
    bool has_timestamp;
    int32_t page_size; /* 0: not sent; -1: unpaged */
    int64_t timestamp;
    cql_str paging_state; /* empty: not sent */
    cql_str keyspace;     /* empty: not sent; v5 only, ignored below */
    bool has_now;         /* v5 only, ignored below */
    bool named;           /* each value has its name, a [string], in front */
    int32_t now_in_seconds;
    uint16_t payload_count; /* entries of the custom payload; 0: none */
    cql_str payload;        /* that many [string] [bytes] */
} cqln_query_options;

/* Values in wire form: `count` [value]s one behind the other. */
typedef struct cqln_values_bytes {
    uint16_t count;
    cql_str bytes;
} cqln_values_bytes;

/* Each returns wr->status. `version` is 4 or 5. */
cql_status cqln_encode_options(cqln_writer *wr, uint8_t version);
/* compression: NULL or "lz4". */
cql_status cqln_encode_startup(cqln_writer *wr, uint8_t version, const char *compression,
                               const char *driver_name, const char *driver_version);
/* token.ptr NULL: null token. */
cql_status cqln_encode_auth_response(cqln_writer *wr, uint8_t version, cql_str token);
/* Any of the three event kinds by bit. */
enum { CQLN_EVENT_TOPOLOGY = 1, CQLN_EVENT_STATUS = 2, CQLN_EVENT_SCHEMA = 4 };
cql_status cqln_encode_register(cqln_writer *wr, uint8_t version, unsigned kinds);
cql_status cqln_encode_query(cqln_writer *wr, uint8_t version, cql_str cql,
                             const cqln_query_options *o, const cqln_values_bytes *values);
/* keyspace: empty for none; sent on v5 only. */
cql_status cqln_encode_prepare(cqln_writer *wr, uint8_t version, cql_str cql, cql_str keyspace);
/* metadata_id is sent on v5 only. */
cql_status cqln_encode_execute(cqln_writer *wr, uint8_t version, cql_str id, cql_str metadata_id,
                               const cqln_query_options *o, const cqln_values_bytes *values);
/* A batch: `entries` holds `count` entries in wire form, made by the two _entry functions. */
void cqln_encode_batch_query_entry(cqln_writer *entries, cql_str cql, const cqln_values_bytes *v);
void cqln_encode_batch_prepared_entry(cqln_writer *entries, cql_str id, const cqln_values_bytes *v);
cql_status cqln_encode_batch(cqln_writer *wr, uint8_t version, uint8_t type, uint16_t count,
                             cql_str entries, const cqln_query_options *o);

#endif
