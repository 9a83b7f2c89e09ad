/* The 9-byte envelope header. */
#include "wire/frame.h"

enum { RESPONSE_BIT = 0x80, LENGTH_AT = 5 };

cql_status cqln_frame_decode(const uint8_t header[CQLN_FRAME_HEADER], cqln_frame *out)
{
    uint32_t length = cqln_load_u32(header + LENGTH_AT);
    if (length > INT32_MAX)
        return CQL_MALFORMED;
    out->version = (uint8_t)(header[0] & ~RESPONSE_BIT);
    out->response = (header[0] & RESPONSE_BIT) != 0;
    out->flags = header[1];
    out->stream = (int16_t)cqln_load_u16(header + 2);
    out->opcode = header[4];
    out->length = length;
    return CQL_OK;
}

size_t cqln_frame_begin(cqln_writer *wr, uint8_t version, uint8_t flags, cqln_opcode opcode)
{
    size_t begin = wr->len;
    const uint8_t header[CQLN_FRAME_HEADER] = {version, flags, 0, 0, (uint8_t)opcode, 0, 0, 0, 0};
    cqln_write_bytes(wr, header, sizeof header);
    return begin;
}

void cqln_frame_end(cqln_writer *wr, size_t begin)
{
    if (wr->status != CQL_OK)
        return;
    size_t length = wr->len - begin - CQLN_FRAME_HEADER;
    if (length > INT32_MAX) {
        cqln_writer_fail(wr, CQL_TOO_LARGE);
        return;
    }
    cqln_writer_patch_u32(wr, begin + LENGTH_AT, (uint32_t)length);
}

bool cqln_opcode_is_response(uint8_t opcode)
{
    switch (opcode) {
    case CQLN_OP_ERROR:
    case CQLN_OP_READY:
    case CQLN_OP_AUTHENTICATE:
    case CQLN_OP_SUPPORTED:
    case CQLN_OP_RESULT:
    case CQLN_OP_EVENT:
    case CQLN_OP_AUTH_CHALLENGE:
    case CQLN_OP_AUTH_SUCCESS:
        return true;
    default:
        return false;
    }
}

const char *cqln_opcode_name(uint8_t opcode)
{
    static const char *const names[] = {
        [CQLN_OP_ERROR] = "ERROR",
        [CQLN_OP_STARTUP] = "STARTUP",
        [CQLN_OP_READY] = "READY",
        [CQLN_OP_AUTHENTICATE] = "AUTHENTICATE",
        [CQLN_OP_OPTIONS] = "OPTIONS",
        [CQLN_OP_SUPPORTED] = "SUPPORTED",
        [CQLN_OP_QUERY] = "QUERY",
        [CQLN_OP_RESULT] = "RESULT",
        [CQLN_OP_PREPARE] = "PREPARE",
        [CQLN_OP_EXECUTE] = "EXECUTE",
        [CQLN_OP_REGISTER] = "REGISTER",
        [CQLN_OP_EVENT] = "EVENT",
        [CQLN_OP_BATCH] = "BATCH",
        [CQLN_OP_AUTH_CHALLENGE] = "AUTH_CHALLENGE",
        [CQLN_OP_AUTH_RESPONSE] = "AUTH_RESPONSE",
        [CQLN_OP_AUTH_SUCCESS] = "AUTH_SUCCESS",
    };
    return opcode < CQL_COUNT(names) && names[opcode] ? names[opcode] : "unknown";
}
