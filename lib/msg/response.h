/* response.h: decoders of response bodies. A body is always whole here; views borrow from it. Every
 * decoder gives CQL_OK or CQL_MALFORMED (and CQL_NO_MEMORY where it builds something); bytes behind the
 * end of a message are ignored, as the protocol asks. */
#ifndef CQLN_MSG_RESPONSE_H
#define CQLN_MSG_RESPONSE_H

#include "base/arena.h"
#include "types/type.h"
#include "wire/frame.h"
#include "wire/notation.h"

/* What may stand before any message, by header flags: trace id, warnings, custom payload. */
typedef struct cqln_prefix {
    const uint8_t *trace_id;   /* 16 bytes or NULL */
    uint16_t warnings;         /* number of them */
    cql_str warnings_bytes;    /* that many [string]s */
    uint16_t payload_entries;  /* number of them */
    cql_str payload_bytes;     /* that many [string] [bytes] */
} cqln_prefix;
/* The parts that the flags name; at least one is set. */
cql_status cqln_decode_prefix_parts(cqln_reader *rd, uint8_t flags, cqln_prefix *out);
/* Leaves rd at the message. Costs one compare when no flag is set. */
static inline cql_status cqln_decode_prefix(cqln_reader *rd, uint8_t flags, cqln_prefix *out)
{
    if (flags & (CQLN_FLAG_TRACING | CQLN_FLAG_WARNING | CQLN_FLAG_PAYLOAD))
        return cqln_decode_prefix_parts(rd, flags, out);
    *out = (cqln_prefix){0};
    return CQL_OK;
}

/* --- ERROR (section 9) --------------------------------------------------------------------------- */
typedef struct cqln_server_error {
    uint32_t code;
    cql_str message;
    uint16_t consistency;
    int32_t required; /* block for */
    int32_t received; /* or alive */
    int32_t failures;
    bool data_present;
    cql_str write_type;
    uint16_t contentions;
    cql_str keyspace; /* already exists, function failure */
    cql_str table;    /* or function */
    uint16_t argument_count;
    cql_str arguments; /* of the function: that many [string]s */
    cql_str unprepared_id;
    cql_str reasons;  /* v5 failure map: `failures` entries of [inetaddr][short] */
} cqln_server_error;
/* Fields that the code does not have stay zero. An unknown code keeps code and message. */
cql_status cqln_decode_error(cqln_reader *rd, uint8_t version, cqln_server_error *out);
/* The status of a code; codes that do not fit one (a hostile server's) give CQL_SERVER_ERROR. */
static inline cql_status cqln_server_status(uint32_t code)
{
    return code <= 0x7ffeffffu ? CQL_STATUS_OF_SERVER((int)code) : CQL_SERVER_ERROR;
}

/* --- RESULT (section 4.2.5) ---------------------------------------------------------------------- */
enum {
    CQLN_RESULT_VOID = 1,
    CQLN_RESULT_ROWS = 2,
    CQLN_RESULT_SET_KEYSPACE = 3,
    CQLN_RESULT_PREPARED = 4,
    CQLN_RESULT_SCHEMA_CHANGE = 5
};
enum {
    CQLN_ROWS_GLOBAL_SPEC = 1,
    CQLN_ROWS_HAS_MORE = 2,
    CQLN_ROWS_NO_METADATA = 4,
    CQLN_ROWS_METADATA_CHANGED = 8
};

typedef struct cqln_column {
    cql_str keyspace;
    cql_str table;
    cql_str name;
    const cql_type *type;
    uint64_t type_id; /* of `type`; makes the record 64 bytes, so that a getter finds it with a shift */
} cqln_column;

/* Decoded column descriptions; counted, immutable once built, [any thread]. Everything in one arena. */
typedef struct cqln_metadata cqln_metadata;
struct cqln_metadata {
    _Atomic(uint32_t) refs;
    cqln_arena arena;
    uint32_t count;
    const cqln_column *columns;
    uint32_t pk_count;         /* bind metadata: partition key markers */
    const uint16_t *pk_index;
    cql_str id;                /* result metadata id (v5), copied in; empty when there is none */
};
cqln_metadata *cqln_metadata_ref(cqln_metadata *m);
void cqln_metadata_unref(cqln_metadata *m);
/* The same columns: names and types, in order, and the same key. Ids are not looked at. */
bool cqln_metadata_same(const cqln_metadata *a, const cqln_metadata *b);

/* Head of a ROWS body, without decoding columns. */
typedef struct cqln_rows_head {
    uint32_t flags;
    uint32_t column_count;
    bool has_paging_state;
    cql_str paging_state;
    cql_str new_metadata_id; /* with METADATA_CHANGED */
    cql_str columns;         /* the table spec and column bytes; empty with NO_METADATA */
    uint32_t row_count;
    cql_str rows;            /* the cells: the rest of the body */
} cqln_rows_head;
enum {
    CQLN_COLUMNS_MAX = 65535, /* where the bytes of the descriptions do not bound them */
    CQLN_CELL_MIN = 4,        /* the length of a [bytes] */
    CQLN_ROWS_PLAIN_HEAD = 12 /* flags, columns, rows */
};

/* Can rows times columns cells be in that many bytes? */
static inline bool cqln_cells_fit(uint32_t rows, uint32_t columns, size_t left)
{
    uint64_t cells = (uint64_t)rows * columns;
    if (rows > INT32_MAX)
        return false;
    return rows == 0 || (cells > 0 && cells <= left / CQLN_CELL_MIN);
}

/* A last page without metadata, which is what prepared statements get: three numbers and the cells.
 * p: behind the kind. False, and nothing written, when it is anything else. */
static inline bool cqln_rows_plain_head(const uint8_t *p, size_t len, cqln_rows_head *out)
{
    if (len < CQLN_ROWS_PLAIN_HEAD || cqln_load_u32(p) != CQLN_ROWS_NO_METADATA)
        return false;
    uint32_t columns = cqln_load_u32(p + 4);
    uint32_t rows = cqln_load_u32(p + 8);
    size_t left = len - CQLN_ROWS_PLAIN_HEAD;
    if (columns > CQLN_COLUMNS_MAX || !cqln_cells_fit(rows, columns, left))
        return false;
    out->flags = CQLN_ROWS_NO_METADATA;
    out->column_count = columns;
    out->has_paging_state = false;
    out->paging_state = (cql_str){NULL, 0};
    out->new_metadata_id = (cql_str){NULL, 0};
    out->columns = (cql_str){NULL, 0};
    out->row_count = rows;
    out->rows = (cql_str){(const char *)p + CQLN_ROWS_PLAIN_HEAD, left};
    return true;
}

/* rd behind the kind. Steps over the column specs (checked), reads the row count, and checks that
 * row_count * column_count cells of at least 4 bytes can be there. Fast when NO_METADATA is set. */
cql_status cqln_decode_rows_head(cqln_reader *rd, cqln_rows_head *out);
/* Builds the metadata of a rows head that has columns. The count is checked against the bytes before
 * anything is allocated. */
cql_status cqln_metadata_from_rows(const cql_allocator *al, const cqln_rows_head *head,
                                   cqln_metadata **out);

typedef struct cqln_prepared_head {
    cql_str id;
    cql_str metadata_id; /* v5 */
    cqln_metadata *bind; /* one holder each, the caller's */
    cqln_metadata *result;
} cqln_prepared_head;
/* rd behind the kind. On failure nothing is held. */
cql_status cqln_decode_prepared(cqln_reader *rd, uint8_t version, const cql_allocator *al,
                                cqln_prepared_head *out);

/* SCHEMA_CHANGE result, and the event of that name behind its type. */
typedef struct cqln_schema_change {
    cql_str change; /* CREATED, UPDATED, DROPPED */
    cql_str target; /* KEYSPACE, TABLE, TYPE, FUNCTION, AGGREGATE */
    cql_str keyspace;
    cql_str name; /* empty for a keyspace */
} cqln_schema_change;
cql_status cqln_decode_schema_change(cqln_reader *rd, cqln_schema_change *out);

/* --- EVENT, SUPPORTED, AUTH ---------------------------------------------------------------------- */
typedef struct cqln_event {
    enum { CQLN_EV_UNKNOWN, CQLN_EV_TOPOLOGY, CQLN_EV_STATUS, CQLN_EV_SCHEMA } kind;
    cql_str change; /* NEW_NODE, REMOVED_NODE, UP, DOWN … */
    cqln_inet_port address;
    cqln_schema_change schema;
} cqln_event;
/* Unknown types give CQLN_EV_UNKNOWN and CQL_OK. */
cql_status cqln_decode_event(cqln_reader *rd, cqln_event *out);

typedef struct cqln_supported {
    bool lz4;
    bool versions_known;  /* PROTOCOL_VERSIONS was there */
    unsigned versions;    /* bit n: version n offered and not beta */
    cql_str release_hint; /* CQL_VERSION's first value */
} cqln_supported;
cql_status cqln_decode_supported(cqln_reader *rd, cqln_supported *out);
/* AUTHENTICATE: the class name. AUTH_CHALLENGE and AUTH_SUCCESS: the token, null as ptr NULL. */
cql_status cqln_decode_authenticate(cqln_reader *rd, cql_str *class_name);
cql_status cqln_decode_auth_token(cqln_reader *rd, cql_str *token);

#endif
