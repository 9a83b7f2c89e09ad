/* AUTH_RESPONSE, AUTHENTICATE, AUTH_CHALLENGE, AUTH_SUCCESS (native_protocol sections 4.1.2, 4.2.3,
 * 4.2.7, 4.2.8). */
#include "msg/encode.h"
#include "msg/response.h"

cql_status cqln_encode_auth_response(cqln_writer *wr, uint8_t version, cql_str token)
{
    if (token.len > INT32_MAX)
        return cqln_encode_too_large(wr);
    uint8_t *p = cqln_envelope_open(wr, 4 + (uint64_t)token.len);
    if (!p)
        return wr->status;
    p = token.ptr ? cqln_put_long_string(p, token) : cqln_put_u32(p, UINT32_MAX);
    return cqln_envelope_close(wr, version, 0, CQLN_OP_AUTH_RESPONSE, p);
}

cql_status cqln_decode_authenticate(cqln_reader *rd, cql_str *class_name)
{
    cql_str name = cqln_read_string(rd);
    if (rd->failed)
        return CQL_MALFORMED;
    *class_name = name;
    return CQL_OK;
}

cql_status cqln_decode_auth_token(cqln_reader *rd, cql_str *token)
{
    cql_str bytes = {NULL, 0};
    bool present = cqln_read_nbytes(rd, &bytes);
    if (rd->failed)
        return CQL_MALFORMED;
    if (!present)
        bytes = (cql_str){NULL, 0};
    *token = bytes;
    return CQL_OK;
}
