/* address.h: the address of a node: IP and port, compared and printed; host names stay text. */
#ifndef CQLN_META_ADDRESS_H
#define CQLN_META_ADDRESS_H

#include "base/alloc.h"

#include <cqlnative/uuid.h>

enum { CQLN_ADDRESS_TEXT = 64 }; /* "[ffff:…:ffff]:65535" and the NUL */

/* An IPv4-mapped IPv6 address is kept as IPv4, so that equal nodes compare equal. */
typedef struct cqln_address {
    uint8_t len; /* 4 or 16; 0: no address */
    bool is_id;  /* the bytes are a node's host id: it is reached through a proxy, by that */
    uint8_t bytes[16];
    uint16_t port; /* 0 with a host id */
    uint32_t zone; /* of a link-local one: by which interface, when that is known; else 0. Not a part of equality */
} cqln_address;

/* A node that is known by its host id alone. */
cqln_address cqln_address_of_id(const cql_uuid *host_id);

/* From 4 or 16 bytes in network order. False for other lengths. */
bool cqln_address_from_bytes(cqln_address *out, const void *bytes, size_t len, uint16_t port);
/* From "127.0.0.1" or "::1" (no brackets); false when text is not a literal address. */
bool cqln_address_parse(cqln_address *out, cql_str text, uint16_t port);
bool cqln_address_equal(const cqln_address *a, const cqln_address *b);
/* False for 0.0.0.0, ::, multicast, port 0 and a host id of zeros: never to be dialled. */
bool cqln_address_usable(const cqln_address *a);
bool cqln_address_loopback(const cqln_address *a);
/* "127.0.0.1:9042", "[::1]:9042"; a host id as UUIDs are written. */
void cqln_address_print(const cqln_address *a, char out[CQLN_ADDRESS_TEXT]);

/* Splits "host", "host:port", "[v6]:port" or a bare v6 literal. port is 0 when absent. False for an
 * empty host, a bad port or text behind the bracket. */
bool cqln_split_host_port(cql_str text, cql_str *host, uint16_t *port);

#endif
