/* The server's side of the codec. */
#include "respond.h"

#include "wire/compress.h"
#include "wire/segment.h"

#include <stdlib.h>

static cql_str str(const char *s)
{
    return cql_str_of(s);
}

size_t respond_begin(cqln_writer *wr, uint8_t version, uint8_t flags, int16_t stream,
                     uint8_t opcode)
{
    size_t at = wr->len;
    cqln_write_u8(wr, (uint8_t)(0x80 | version));
    cqln_write_u8(wr, flags);
    cqln_write_u16(wr, (uint16_t)stream);
    cqln_write_u8(wr, opcode);
    cqln_write_u32(wr, 0);
    return at;
}

void respond_end(cqln_writer *wr, size_t begin)
{
    cqln_writer_patch_u32(wr, begin + 5, (uint32_t)(wr->len - begin - CQLN_FRAME_HEADER));
}

void respond_body(cqln_writer *wr, uint8_t version, int16_t stream, uint8_t opcode,
                  const void *body, size_t len)
{
    size_t at = respond_begin(wr, version, 0, stream, opcode);
    cqln_write_bytes(wr, body, len);
    respond_end(wr, at);
}

/* "a,b,c" as a [string list]. */
static void write_list(cqln_writer *wr, const char *list)
{
    uint16_t count = 1;
    for (const char *p = list; *p; p++)
        count = (uint16_t)(count + (*p == ','));
    cqln_write_u16(wr, *list ? count : 0);
    while (*list) {
        size_t n = strcspn(list, ",");
        cqln_write_string(wr, (cql_str){list, n});
        list += n + (list[n] == ',');
    }
}

void respond_supported(cqln_writer *wr, uint8_t version, int16_t stream, const char *versions,
                       const char *compressions)
{
    size_t at = respond_begin(wr, version, 0, stream, CQLN_OP_SUPPORTED);
    cqln_write_u16(wr, (uint16_t)(1 + (versions != NULL) + (compressions != NULL)));
    if (versions) {
        cqln_write_string(wr, str("PROTOCOL_VERSIONS"));
        write_list(wr, versions);
    }
    if (compressions) {
        cqln_write_string(wr, str("COMPRESSION"));
        write_list(wr, compressions);
    }
    cqln_write_string(wr, str("CQL_VERSION"));
    write_list(wr, "3.4.7");
    respond_end(wr, at);
}

void respond_ready(cqln_writer *wr, uint8_t version, int16_t stream)
{
    respond_body(wr, version, stream, CQLN_OP_READY, NULL, 0);
}

void respond_authenticate(cqln_writer *wr, uint8_t version, int16_t stream, const char *class_name)
{
    size_t at = respond_begin(wr, version, 0, stream, CQLN_OP_AUTHENTICATE);
    cqln_write_string(wr, str(class_name));
    respond_end(wr, at);
}

static void respond_token(cqln_writer *wr, uint8_t version, int16_t stream, uint8_t opcode,
                          const char *token)
{
    size_t at = respond_begin(wr, version, 0, stream, opcode);
    cqln_write_nbytes(wr, str(token));
    respond_end(wr, at);
}

void respond_auth_challenge(cqln_writer *wr, uint8_t version, int16_t stream, const char *token)
{
    respond_token(wr, version, stream, CQLN_OP_AUTH_CHALLENGE, token);
}

void respond_auth_success(cqln_writer *wr, uint8_t version, int16_t stream, const char *token)
{
    respond_token(wr, version, stream, CQLN_OP_AUTH_SUCCESS, token);
}

void respond_error(cqln_writer *wr, uint8_t version, int16_t stream, uint32_t code,
                   const char *text, const void *extra, size_t extra_len)
{
    size_t at = respond_begin(wr, version, 0, stream, CQLN_OP_ERROR);
    cqln_write_u32(wr, code);
    cqln_write_string(wr, str(text));
    if (extra_len)
        cqln_write_bytes(wr, extra, extra_len);
    respond_end(wr, at);
}

static size_t result_begin(cqln_writer *wr, uint8_t version, int16_t stream, uint32_t kind)
{
    size_t at = respond_begin(wr, version, 0, stream, CQLN_OP_RESULT);
    cqln_write_u32(wr, kind);
    return at;
}

void respond_void(cqln_writer *wr, uint8_t version, int16_t stream)
{
    respond_end(wr, result_begin(wr, version, stream, CQLN_RESULT_VOID));
}

void respond_set_keyspace(cqln_writer *wr, uint8_t version, int16_t stream, const char *keyspace)
{
    size_t at = result_begin(wr, version, stream, CQLN_RESULT_SET_KEYSPACE);
    cqln_write_string(wr, str(keyspace));
    respond_end(wr, at);
}

static void write_change(cqln_writer *wr, const char *change, const char *target,
                         const char *keyspace, const char *name)
{
    cqln_write_string(wr, str(change));
    cqln_write_string(wr, str(target));
    cqln_write_string(wr, str(keyspace));
    if (strcmp(target, "KEYSPACE") != 0)
        cqln_write_string(wr, str(name));
    if (strcmp(target, "FUNCTION") == 0 || strcmp(target, "AGGREGATE") == 0)
        cqln_write_u16(wr, 0);
}

void respond_schema_change(cqln_writer *wr, uint8_t version, int16_t stream, const char *change,
                           const char *target, const char *keyspace, const char *name)
{
    size_t at = result_begin(wr, version, stream, CQLN_RESULT_SCHEMA_CHANGE);
    write_change(wr, change, target, keyspace, name);
    respond_end(wr, at);
}

static void write_columns(cqln_writer *wr, const respond_table *t)
{
    if (t->count == 0)
        return;
    cqln_write_string(wr, str(t->keyspace));
    cqln_write_string(wr, str(t->table));
    for (uint32_t i = 0; i < t->count; i++) {
        cqln_write_string(wr, str(t->columns[i].name));
        cqln_write_u16(wr, t->columns[i].type);
        unsigned inner = t->columns[i].type == CQL_TYPE_MAP   ? 2
                         : t->columns[i].type == CQL_TYPE_SET ? 1
                                                              : 0;
        while (inner-- > 0)
            cqln_write_u16(wr, CQL_TYPE_TEXT);
    }
}

static void write_result_metadata(cqln_writer *wr, const respond_table *t, bool metadata,
                                  const char *paging_state)
{
    uint32_t flags = paging_state ? CQLN_ROWS_HAS_MORE : 0;
    metadata = metadata && t->count > 0;
    flags |= metadata ? CQLN_ROWS_GLOBAL_SPEC : CQLN_ROWS_NO_METADATA;
    cqln_write_u32(wr, flags);
    cqln_write_u32(wr, t->count);
    if (paging_state)
        cqln_write_nbytes(wr, str(paging_state));
    if (metadata)
        write_columns(wr, t);
}

void respond_rows(cqln_writer *wr, uint8_t version, int16_t stream, const respond_table *t,
                  bool metadata, const char *paging_state, uint32_t rows, cql_str cells)
{
    size_t at = result_begin(wr, version, stream, CQLN_RESULT_ROWS);
    write_result_metadata(wr, t, metadata, paging_state);
    cqln_write_u32(wr, rows);
    if (cells.len)
        cqln_write_bytes(wr, cells.ptr, cells.len);
    respond_end(wr, at);
}

void respond_rows_changed(cqln_writer *wr, uint8_t version, int16_t stream, const respond_table *t,
                          cql_str new_id, uint32_t rows, cql_str cells)
{
    size_t at = result_begin(wr, version, stream, CQLN_RESULT_ROWS);
    cqln_write_u32(wr, CQLN_ROWS_GLOBAL_SPEC | CQLN_ROWS_METADATA_CHANGED);
    cqln_write_u32(wr, t->count);
    cqln_write_short_bytes(wr, new_id);
    write_columns(wr, t);
    cqln_write_u32(wr, rows);
    if (cells.len)
        cqln_write_bytes(wr, cells.ptr, cells.len);
    respond_end(wr, at);
}

void respond_prepared(cqln_writer *wr, uint8_t version, int16_t stream, cql_str id,
                      cql_str metadata_id, const respond_table *bind, const uint16_t *pk,
                      uint32_t pk_count, const respond_table *result)
{
    size_t at = result_begin(wr, version, stream, CQLN_RESULT_PREPARED);
    cqln_write_short_bytes(wr, id);
    if (version >= 5)
        cqln_write_short_bytes(wr, metadata_id);
    cqln_write_u32(wr, bind->count ? CQLN_ROWS_GLOBAL_SPEC : 0);
    cqln_write_u32(wr, bind->count);
    cqln_write_u32(wr, pk_count);
    for (uint32_t i = 0; i < pk_count; i++)
        cqln_write_u16(wr, pk[i]);
    write_columns(wr, bind);
    write_result_metadata(wr, result, true, NULL);
    respond_end(wr, at);
}

void respond_node_event(cqln_writer *wr, uint8_t version, const char *type, const char *change,
                        const uint8_t *address, uint8_t len, uint16_t port)
{
    size_t at = respond_begin(wr, version, 0, -1, CQLN_OP_EVENT);
    cqln_write_string(wr, str(type));
    cqln_write_string(wr, str(change));
    cqln_write_u8(wr, len);
    cqln_write_bytes(wr, address, len);
    cqln_write_u32(wr, port);
    respond_end(wr, at);
}

void respond_schema_event(cqln_writer *wr, uint8_t version, const char *change, const char *target,
                          const char *keyspace, const char *name)
{
    size_t at = respond_begin(wr, version, 0, -1, CQLN_OP_EVENT);
    cqln_write_string(wr, str("SCHEMA_CHANGE"));
    write_change(wr, change, target, keyspace, name);
    respond_end(wr, at);
}

/* --- framing --------------------------------------------------------------------------------- */

static void fail(cqln_writer *wr)
{
    if (!wr->status)
        wr->status = CQL_NO_MEMORY;
}

void respond_segment(cqln_writer *wr, const uint8_t *payload, size_t n, bool self_contained,
                     bool lz4, bool deflate)
{
    uint8_t header[CQLN_SEGMENT_HEADER_LZ4];
    uint8_t trailer[CQLN_SEGMENT_TRAILER];
    uint8_t *small = lz4 && deflate ? malloc(n + 1) : NULL;
    size_t packed = 0;
    if (lz4 && deflate && !small) {
        fail(wr);
        return;
    }
    if (small && n > 0)
        packed = cqln_lz4_compress(payload, n, small, n);
    const uint8_t *out = packed ? small : payload;
    uint32_t size = (uint32_t)(packed ? packed : n);
    cqln_segment_encode(header, lz4, size, packed ? (uint32_t)n : 0, self_contained);
    cqln_segment_trailer(out, size, trailer);
    cqln_write_bytes(wr, header, lz4 ? CQLN_SEGMENT_HEADER_LZ4 : CQLN_SEGMENT_HEADER);
    if (size)
        cqln_write_bytes(wr, out, size);
    cqln_write_bytes(wr, trailer, sizeof trailer);
    free(small);
}

static void respond_slices(cqln_writer *wr, const uint8_t *envelope, size_t n, bool lz4,
                           size_t slice)
{
    for (size_t at = 0; at < n; at += slice) {
        size_t part = n - at < slice ? n - at : slice;
        respond_segment(wr, envelope + at, part, false, lz4, true);
    }
}

void respond_frame(cqln_writer *wr, const uint8_t *envelopes, size_t n, bool lz4, size_t slice)
{
    size_t limit = slice ? slice : CQLN_SEGMENT_MAX;
    size_t from = 0;
    size_t at = 0;
    while (at < n) {
        size_t len = CQLN_FRAME_HEADER + (size_t)cqln_load_u32(envelopes + at + 5);
        if (at > from && at - from + len > limit) {
            respond_segment(wr, envelopes + from, at - from, true, lz4, true);
            from = at;
        }
        if (len > limit) {
            respond_slices(wr, envelopes + at, len, lz4, limit);
            from = at + len;
        }
        at += len;
    }
    if (at > from)
        respond_segment(wr, envelopes + from, at - from, true, lz4, true);
}

void respond_deflated(cqln_writer *wr, const uint8_t *envelope, size_t n)
{
    size_t len = n - CQLN_FRAME_HEADER;
    size_t bound = cqln_lz4_bound(len);
    uint8_t *out = malloc(bound + 1);
    if (!out) {
        fail(wr);
        return;
    }
    size_t packed = 1;
    out[0] = 0; /* the block of an empty body */
    if (len)
        packed = cqln_lz4_compress(envelope + CQLN_FRAME_HEADER, len, out, bound);
    cqln_write_bytes(wr, envelope, 1);
    cqln_write_u8(wr, (uint8_t)(envelope[1] | CQLN_FLAG_COMPRESSION));
    cqln_write_bytes(wr, envelope + 2, 3);
    cqln_write_u32(wr, (uint32_t)(4 + packed));
    cqln_write_u32(wr, (uint32_t)len);
    cqln_write_bytes(wr, out, packed);
    free(out);
}
