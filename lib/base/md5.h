/* md5.h: MD5 (RFC 1321), for the tokens of Cassandra's RandomPartitioner; never for secrets. */
#ifndef CQLN_BASE_MD5_H
#define CQLN_BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

void cqln_md5(const void *bytes, size_t len, uint8_t digest[16]);

#endif
