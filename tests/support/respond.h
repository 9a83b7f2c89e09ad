/* respond.h: the server's side of the codec, for tests and the mock node: each function appends one
 * answer as an envelope to a writer; respond_frame turns envelopes into what v5 or lz4 puts on the
 * wire. Failures are the writer's. */
#ifndef TEST_RESPOND_H
#define TEST_RESPOND_H

#include "msg/response.h"

typedef struct respond_column {
    const char *name;
    uint16_t type; /* of a scalar, or a set or map of texts */
} respond_column;

typedef struct respond_table {
    const char *keyspace;
    const char *table;
    const respond_column *columns;
    uint32_t count;
} respond_table;

/* An envelope of any kind: begin, write the body, end. */
size_t respond_begin(cqln_writer *wr, uint8_t version, uint8_t flags, int16_t stream,
                     uint8_t opcode);
void respond_end(cqln_writer *wr, size_t begin);
/* One with that body. */
void respond_body(cqln_writer *wr, uint8_t version, int16_t stream, uint8_t opcode,
                  const void *body, size_t len);

/* versions: "3/v3,4/v4,5/v5", compressions: "lz4,snappy"; NULL leaves the key out. */
void respond_supported(cqln_writer *wr, uint8_t version, int16_t stream, const char *versions,
                       const char *compressions);
void respond_ready(cqln_writer *wr, uint8_t version, int16_t stream);
void respond_authenticate(cqln_writer *wr, uint8_t version, int16_t stream, const char *class_name);
/* token NULL: the null token. */
void respond_auth_challenge(cqln_writer *wr, uint8_t version, int16_t stream, const char *token);
void respond_auth_success(cqln_writer *wr, uint8_t version, int16_t stream, const char *token);
/* Code and text only; what a code adds behind them is put in extra (may be NULL with 0). */
void respond_error(cqln_writer *wr, uint8_t version, int16_t stream, uint32_t code,
                   const char *text, const void *extra, size_t extra_len);
void respond_void(cqln_writer *wr, uint8_t version, int16_t stream);
void respond_set_keyspace(cqln_writer *wr, uint8_t version, int16_t stream, const char *keyspace);
void respond_schema_change(cqln_writer *wr, uint8_t version, int16_t stream, const char *change,
                           const char *target, const char *keyspace, const char *name);
/* ROWS: cells holds rows * columns [bytes]. metadata false: NO_METADATA. paging_state NULL: last
 * page. */
void respond_rows(cqln_writer *wr, uint8_t version, int16_t stream, const respond_table *t,
                  bool metadata, const char *paging_state, uint32_t rows, cql_str cells);
/* v5: the same with other columns than the client knows, under this new id. */
void respond_rows_changed(cqln_writer *wr, uint8_t version, int16_t stream, const respond_table *t,
                          cql_str new_id, uint32_t rows, cql_str cells);
/* PREPARED: pk lists the bind markers of the partition key. */
void respond_prepared(cqln_writer *wr, uint8_t version, int16_t stream, cql_str id,
                      cql_str metadata_id, const respond_table *bind, const uint16_t *pk,
                      uint32_t pk_count, const respond_table *result);
/* EVENT of a node ("STATUS_CHANGE", "UP") at an address of 4 or 16 bytes, and of the schema. */
void respond_node_event(cqln_writer *wr, uint8_t version, const char *type, const char *change,
                        const uint8_t *address, uint8_t len, uint16_t port);
void respond_schema_event(cqln_writer *wr, uint8_t version, const char *change, const char *target,
                          const char *keyspace, const char *name);

/* One v5 segment around a payload of at most CQLN_SEGMENT_MAX bytes. deflate: lz4, where it
 * shrinks. */
void respond_segment(cqln_writer *wr, const uint8_t *payload, size_t n, bool self_contained,
                     bool lz4, bool deflate);
/* Whole envelopes as a v5 server frames them: as many as fit in self-contained segments, larger
 * ones in slices of `slice` bytes (0: 131,071). */
void respond_frame(cqln_writer *wr, const uint8_t *envelopes, size_t n, bool lz4, size_t slice);
/* v4: one envelope with its body as lz4, flag set; always, also when it grows. */
void respond_deflated(cqln_writer *wr, const uint8_t *envelope, size_t n);

#endif
