/* makezip.h: zip files for tests, right ones and wrong ones. */
#ifndef TESTS_SUPPORT_MAKEZIP_H
#define TESTS_SUPPORT_MAKEZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAKEZIP_ENTRIES = 80, MAKEZIP_MAX = 2 << 20 };

typedef struct makezip_entry {
    char name[40];
    uint32_t crc, packed, size, local;
    uint16_t flags, method;
} makezip_entry;

typedef struct makezip {
    uint8_t *bytes; /* of the whole file once it is finished */
    size_t len;
    makezip_entry entries[MAKEZIP_ENTRIES]; /* may be changed before it is finished */
    size_t count;
    size_t directory;
} makezip;

void makezip_init(makezip *z);
void makezip_fini(makezip *z);
void makezip_add(makezip *z, const char *name, const void *bytes, size_t len, bool deflated);
void makezip_finish(makezip *z, const char *comment);

#endif
