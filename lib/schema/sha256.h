/* sha256.h: the checksum of a text (FIPS 180-4), as sha256sum prints it. */
#ifndef CQLSCH_SHA256_H
#define CQLSCH_SHA256_H

#include <cqlnative/base.h>

#define CQLSCH_SHA256_TEXT 65

typedef struct cqlsch_sha256 {
    uint32_t state[8];
    uint64_t bits;
    uint8_t block[64];
    size_t used;
} cqlsch_sha256;

void cqlsch_sha256_init(cqlsch_sha256 *h);
void cqlsch_sha256_add(cqlsch_sha256 *h, const void *bytes, size_t len);
/* 64 hexadecimal digits and a NUL. */
void cqlsch_sha256_text(cqlsch_sha256 *h, char out[CQLSCH_SHA256_TEXT]);

#endif
