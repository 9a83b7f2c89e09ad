/* inet.h: addresses as text. */
#ifndef CQLN_TYPES_INET_H
#define CQLN_TYPES_INET_H

#include "types/sink.h"

/* 4 bytes: 127.0.0.1; 16 bytes: 2001:db8::1 (RFC 5952), mapped IPv4 addresses as ::ffff:1.2.3.4. */
void cqln_print_inet(cqln_sink *out, cql_str address);

#endif
