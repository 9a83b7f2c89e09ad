/* The notations of native_protocol section 3. */
#include "wire/notation.h"

static cql_str view(const uint8_t *p, size_t len)
{
    cql_str s = {(const char *)p, p ? len : 0};
    return s;
}

cql_str cqln_read_string(cqln_reader *rd)
{
    size_t len = cqln_read_u16(rd);
    return view(cqln_read_bytes(rd, len), len);
}

/* A negative length, read as unsigned, is longer than anything but must not be taken for a size on a
 * machine whose size_t has 32 bits. */
cql_str cqln_read_long_string(cqln_reader *rd)
{
    int32_t len = cqln_read_i32(rd);
    if (len < 0) {
        cqln_reader_fail(rd);
        return view(NULL, 0);
    }
    return view(cqln_read_bytes(rd, (size_t)len), (size_t)len);
}

bool cqln_read_nbytes(cqln_reader *rd, cql_str *out)
{
    int32_t len = cqln_read_i32(rd);
    *out = view(NULL, 0);
    if (len < 0)
        return false;
    *out = view(cqln_read_bytes(rd, (size_t)len), (size_t)len);
    return !rd->failed;
}

cql_str cqln_read_short_bytes(cqln_reader *rd)
{
    return cqln_read_string(rd);
}

cqln_inet_port cqln_read_inetaddr(cqln_reader *rd)
{
    cqln_inet_port inet = {0};
    uint8_t len = cqln_read_u8(rd);
    if (len != 4 && len != 16) {
        cqln_reader_fail(rd);
        return inet;
    }
    const uint8_t *address = cqln_read_bytes(rd, len);
    if (!address)
        return inet;
    inet.len = len;
    memcpy(inet.address, address, len);
    return inet;
}

cqln_inet_port cqln_read_inet(cqln_reader *rd)
{
    cqln_inet_port inet = cqln_read_inetaddr(rd);
    uint32_t port = cqln_read_u32(rd);
    if (port > UINT16_MAX)
        cqln_reader_fail(rd);
    if (rd->failed) {
        cqln_inet_port none = {0};
        return none;
    }
    inet.port = (uint16_t)port;
    return inet;
}

uint16_t cqln_skip_string_list(cqln_reader *rd)
{
    uint16_t count = cqln_read_u16(rd);
    for (uint16_t i = 0; i < count && !rd->failed; i++)
        cqln_read_string(rd);
    return rd->failed ? 0 : count;
}

/* The 1 bits that lead the first byte count the bytes that follow it:
 *
 *   0vvvvvvv                    7 bits
 *   10vvvvvv vvvvvvvv          14 bits
 *   ...
 *   11111111 and 8 bytes       64 bits */
uint64_t cqln_read_uvint(cqln_reader *rd)
{
    uint8_t first = cqln_read_u8(rd);
    size_t extra = 0;
    while (extra < 8 && (first << extra & 0x80) != 0)
        extra++;
    const uint8_t *p = cqln_read_bytes(rd, extra);
    if (!p)
        return 0;
    uint64_t v = first & (0xffu >> extra);
    for (size_t i = 0; i < extra; i++)
        v = v << 8 | p[i];
    return v;
}

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

int64_t cqln_read_vint(cqln_reader *rd)
{
    uint64_t v = cqln_read_uvint(rd);
    return (int64_t)(v >> 1 ^ (v & 1 ? UINT64_MAX : 0));
}

void cqln_write_string(cqln_writer *wr, cql_str s)
{
    if (s.len > UINT16_MAX) {
        cqln_writer_fail(wr, CQL_TOO_LARGE);
        return;
    }
    cqln_write_u16(wr, (uint16_t)s.len);
    cqln_write_bytes(wr, s.ptr, s.len);
}

void cqln_write_long_string(cqln_writer *wr, cql_str s)
{
    if (s.len > INT32_MAX) {
        cqln_writer_fail(wr, CQL_TOO_LARGE);
        return;
    }
    cqln_write_u32(wr, (uint32_t)s.len);
    cqln_write_bytes(wr, s.ptr, s.len);
}

void cqln_write_nbytes(cqln_writer *wr, cql_str s)
{
    if (!s.ptr && s.len == 0)
        cqln_write_u32(wr, UINT32_MAX);
    else
        cqln_write_long_string(wr, s);
}

void cqln_write_short_bytes(cqln_writer *wr, cql_str s)
{
    cqln_write_string(wr, s);
}

/* Every byte adds 7 bits of room, the ninth 8, since the first byte is all count then. */
size_t cqln_store_uvint(uint8_t out[9], uint64_t v)
{
    size_t extra = 0;
    while (extra < 8 && v >> (7 * (extra + 1)) != 0)
        extra++;
    for (size_t i = extra; i > 0; i--) {
        out[i] = (uint8_t)v;
        v >>= 8;
    }
    out[0] = (uint8_t)((0xff00u >> extra & 0xff) | v);
    return extra + 1;
}

size_t cqln_store_vint(uint8_t out[9], int64_t v)
{
    return cqln_store_uvint(out, zigzag(v));
}

void cqln_write_uvint(cqln_writer *wr, uint64_t v)
{
    uint8_t bytes[9];
    cqln_write_bytes(wr, bytes, cqln_store_uvint(bytes, v));
}

void cqln_write_vint(cqln_writer *wr, int64_t v)
{
    cqln_write_uvint(wr, zigzag(v));
}
