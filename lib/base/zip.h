/* zip.h: small zip files in memory, for bundles of settings. Reads the directory at the end and single
 * entries, stored or deflated; no zip64, no encryption, no second disk.
 *
 *   [local header, name, extra, data]...  [directory entry, name, extra, comment]...  end record
 *
 * A file may come from anybody: sizes are compared with what is there and with the limits before anything is
 * reserved or unpacked, and an entry counts only with the right checksum. */
#ifndef CQLN_BASE_ZIP_H
#define CQLN_BASE_ZIP_H

#include "base/alloc.h"

enum {
    CQLN_ZIP_FILE_MAX = 1 << 20,
    CQLN_ZIP_ENTRIES_MAX = 64,
    CQLN_ZIP_ENTRY_MAX = 256 << 10, /* unpacked */
    CQLN_ZIP_RATIO_MAX = 100,       /* unpacked bytes per packed byte, beyond the first KiB */
    CQLN_ZIP_WHY = 160
};

typedef struct cqln_zip {
    const uint8_t *bytes;
    size_t len;
    size_t directory; /* where it starts */
    size_t end;       /* where it ends: at the end record */
    unsigned entries;
} cqln_zip;

/* bytes are borrowed. CQL_MALFORMED with why (CQLN_ZIP_WHY bytes): no zip file, cut off, of a kind that is not
 * read, or beyond the limits. */
cql_status cqln_zip_open(cqln_zip *z, const void *bytes, size_t len, char *why);
/* The entry of this name, NUL-terminated behind its *len bytes. Yours: cqln_free. CQL_NO_SUCH_NAME,
 * CQL_MALFORMED, CQL_TOO_LARGE (the limits), all with why; CQL_NO_MEMORY. */
cql_status cqln_zip_extract(const cqln_zip *z, const cql_allocator *al, const char *name, char **out,
                            size_t *len, char *why);

#endif
