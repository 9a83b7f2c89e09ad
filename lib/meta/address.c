/* Addresses without the socket headers: the layers that do no I/O use them too. */
#include "meta/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool cqln_address_from_bytes(cqln_address *out, const void *bytes, size_t len, uint16_t port)
{
    const uint8_t *p = bytes;
    if (len != 4 && len != 16)
        return false;
    memset(out, 0, sizeof *out);
    if (len == 16 && memcmp(p, mapped_prefix, sizeof mapped_prefix) == 0) {
        p += sizeof mapped_prefix;
        len = 4;
    }
    memcpy(out->bytes, p, len);
    out->len = (uint8_t)len;
    out->port = port;
    return true;
}

bool cqln_address_parse(cqln_address *out, cql_str text, uint16_t port)
{
    char buf[CQLN_ADDRESS_TEXT];
    uint8_t bytes[16];
    if (text.len == 0 || text.len >= sizeof buf)
        return false;
    memcpy(buf, text.ptr, text.len);
    buf[text.len] = '\0';
    if (inet_pton(AF_INET, buf, bytes) == 1)
        return cqln_address_from_bytes(out, bytes, 4, port);
    if (inet_pton(AF_INET6, buf, bytes) == 1)
        return cqln_address_from_bytes(out, bytes, 16, port);
    return false;
}

cqln_address cqln_address_of_id(const cql_uuid *host_id)
{
    cqln_address a = {.len = 16, .is_id = true};
    memcpy(a.bytes, host_id->bytes, sizeof a.bytes);
    return a;
}

bool cqln_address_equal(const cqln_address *a, const cqln_address *b)
{
    return a->len == b->len && a->is_id == b->is_id && a->port == b->port && memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool cqln_address_usable(const cqln_address *a)
{
    static const uint8_t zero[16];
    if (a->len == 0 || memcmp(a->bytes, zero, a->len) == 0 || (a->port == 0 && !a->is_id))
        return false;
    if (a->is_id)
        return true;
    if (a->len == 4)
        return (a->bytes[0] & 0xf0) != 0xe0;
    return a->bytes[0] != 0xff;
}

bool cqln_address_loopback(const cqln_address *a)
{
    static const uint8_t one[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    if (a->len == 4)
        return a->bytes[0] == 127;
    return a->len == 16 && !a->is_id && memcmp(a->bytes, one, sizeof one) == 0;
}

void cqln_address_print(const cqln_address *a, char out[CQLN_ADDRESS_TEXT])
{
    char ip[INET6_ADDRSTRLEN];
    if (a->is_id) {
        cql_uuid id;
        memcpy(id.bytes, a->bytes, sizeof id.bytes);
        cql_uuid_print(&id, out);
        return;
    }
    if (a->len == 0 || !inet_ntop(a->len == 4 ? AF_INET : AF_INET6, a->bytes, ip, sizeof ip)) {
        snprintf(out, CQLN_ADDRESS_TEXT, "(no address)");
        return;
    }
    snprintf(out, CQLN_ADDRESS_TEXT, a->len == 4 ? "%s:%u" : "[%s]:%u", ip, (unsigned)a->port);
}

static bool parse_port(cql_str text, uint16_t *port)
{
    unsigned value = 0;
    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
    }
    if (value == 0 || value > 65535)
        return false;
    *port = (uint16_t)value;
    return true;
}

static bool split_bracketed(cql_str text, cql_str *host, uint16_t *port)
{
    const char *close = memchr(text.ptr, ']', text.len);
    if (!close || close == text.ptr + 1)
        return false;
    size_t inside = (size_t)(close - text.ptr) - 1;
    cql_str rest = {close + 1, text.len - inside - 2};
    *host = (cql_str){text.ptr + 1, inside};
    if (rest.len == 0)
        return true;
    return rest.ptr[0] == ':' && parse_port((cql_str){rest.ptr + 1, rest.len - 1}, port);
}

bool cqln_split_host_port(cql_str text, cql_str *host, uint16_t *port)
{
    *port = 0;
    if (text.len == 0)
        return false;
    if (text.ptr[0] == '[')
        return split_bracketed(text, host, port);
    const char *colon = memchr(text.ptr, ':', text.len);
    *host = text;
    if (!colon)
        return true;
    size_t before = (size_t)(colon - text.ptr);
    if (memchr(colon + 1, ':', text.len - before - 1)) {
        cqln_address literal; /* two colons: a bare IPv6 address, perhaps with a zone, or nothing */
        const char *zone = memchr(text.ptr, '%', text.len);
        cql_str ip = {text.ptr, zone ? (size_t)(zone - text.ptr) : text.len};
        return cqln_address_parse(&literal, ip, 1);
    }
    *host = (cql_str){text.ptr, before};
    return before > 0 && parse_port((cql_str){colon + 1, text.len - before - 1}, port);
}
