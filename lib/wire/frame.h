/* frame.h: the envelope header of v3, v4 and v5 (native_protocol section 2): 9 bytes, big-endian.
 *
 *   0        1        2        3        4        5                          9
 *   version  flags    stream (int16)    opcode   length of the body (int32)
 */
#ifndef CQLN_WIRE_FRAME_H
#define CQLN_WIRE_FRAME_H

#include "base/bytes.h"

enum { CQLN_FRAME_HEADER = 9 };

enum {
    CQLN_FLAG_COMPRESSION = 0x01,
    CQLN_FLAG_TRACING = 0x02,
    CQLN_FLAG_PAYLOAD = 0x04,
    CQLN_FLAG_WARNING = 0x08,
    CQLN_FLAG_BETA = 0x10
};

typedef enum cqln_opcode {
    CQLN_OP_ERROR = 0x00,
    CQLN_OP_STARTUP = 0x01,
    CQLN_OP_READY = 0x02,
    CQLN_OP_AUTHENTICATE = 0x03,
    CQLN_OP_OPTIONS = 0x05,
    CQLN_OP_SUPPORTED = 0x06,
    CQLN_OP_QUERY = 0x07,
    CQLN_OP_RESULT = 0x08,
    CQLN_OP_PREPARE = 0x09,
    CQLN_OP_EXECUTE = 0x0a,
    CQLN_OP_REGISTER = 0x0b,
    CQLN_OP_EVENT = 0x0c,
    CQLN_OP_BATCH = 0x0d,
    CQLN_OP_AUTH_CHALLENGE = 0x0e,
    CQLN_OP_AUTH_RESPONSE = 0x0f,
    CQLN_OP_AUTH_SUCCESS = 0x10
} cqln_opcode;

typedef struct cqln_frame {
    uint8_t version; /* with the direction bit taken off */
    bool response;   /* the direction bit */
    uint8_t flags;
    int16_t stream;
    uint8_t opcode;
    uint32_t length; /* of the body */
} cqln_frame;

/* Reads 9 bytes. CQL_MALFORMED for a negative length. The caller judges version, opcode and size. */
cql_status cqln_frame_decode(const uint8_t header[CQLN_FRAME_HEADER], cqln_frame *out);
/* Writes a request header with stream 0 and length 0; _end patches the length of the body written
 * since (CQL_TOO_LARGE through the writer beyond 2^31-1). */
size_t cqln_frame_begin(cqln_writer *wr, uint8_t version, uint8_t flags, cqln_opcode opcode);
void cqln_frame_end(cqln_writer *wr, size_t begin);
/* True for opcodes that a server may send. */
bool cqln_opcode_is_response(uint8_t opcode);
/* "RESULT"; "unknown" for others. Static. */
const char *cqln_opcode_name(uint8_t opcode);

#endif
