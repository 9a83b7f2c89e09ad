/* notation.h: the notations of native_protocol section 3 over the reader and the writer. */
#ifndef CQLN_WIRE_NOTATION_H
#define CQLN_WIRE_NOTATION_H

#include "base/bytes.h"

/* Reading; all views borrow from the reader's bytes, all failures are the reader's sticky one. */
cql_str cqln_read_string(cqln_reader *rd);      /* [string] */
cql_str cqln_read_long_string(cqln_reader *rd); /* [long string]; negative length fails */
/* [bytes]: false for null (n < 0) and on failure; *out is empty then. */
bool cqln_read_nbytes(cqln_reader *rd, cql_str *out);
cql_str cqln_read_short_bytes(cqln_reader *rd); /* [short bytes] */
/* [inet]: address of 4 or 16 bytes and an int port in 0..65535; else the reader fails. */
typedef struct cqln_inet_port {
    uint8_t len;
    uint8_t address[16];
    uint16_t port;
} cqln_inet_port;
cqln_inet_port cqln_read_inet(cqln_reader *rd);
/* [inetaddr]: no port. */
cqln_inet_port cqln_read_inetaddr(cqln_reader *rd);
/* [short] count of [string]s: steps over them; the count. A later pass reads them again. */
uint16_t cqln_skip_string_list(cqln_reader *rd);
/* [unsigned vint] and [vint]; over 9 bytes or truncated fails. */
uint64_t cqln_read_uvint(cqln_reader *rd);
int64_t cqln_read_vint(cqln_reader *rd);

/* Writing. */
void cqln_write_string(cqln_writer *wr, cql_str s); /* over 65,535 bytes: CQL_TOO_LARGE */
void cqln_write_long_string(cqln_writer *wr, cql_str s);
void cqln_write_nbytes(cqln_writer *wr, cql_str s); /* ptr NULL with len 0: null */
void cqln_write_short_bytes(cqln_writer *wr, cql_str s);
void cqln_write_uvint(cqln_writer *wr, uint64_t v);
void cqln_write_vint(cqln_writer *wr, int64_t v);
/* The same to plain memory (9 bytes at most); the number of bytes. */
size_t cqln_store_uvint(uint8_t out[9], uint64_t v);
size_t cqln_store_vint(uint8_t out[9], int64_t v);

#endif
