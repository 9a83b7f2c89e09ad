/* zip.c: the end record, the directory, one entry. Numbers are little-endian. */
#include "base/zip.h"

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/inflate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    END_SIZE = 22,
    COMMENT_MAX = 65535,
    SIGN_END = 0x06054b50,
    SIGN_DIRECTORY = 0x02014b50,
    SIGN_LOCAL = 0x04034b50,
    STORED = 0,
    DEFLATED = 8,
    ENCRYPTED = 1,
    RATIO_FREE = 1024
};

typedef struct entry {
    cql_str name;
    unsigned flags;
    unsigned method;
    uint32_t crc;
    uint32_t packed;
    uint32_t size;
    uint32_t local; /* where its local header is */
} entry;

__attribute__((format(printf, 2, 3))) static cql_status bad(char *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, CQLN_ZIP_WHY, format, args);
    va_end(args);
    return CQL_MALFORMED;
}

static uint32_t le(cqln_reader *rd, unsigned n)
{
    const uint8_t *p = cqln_read_bytes(rd, n);
    uint32_t v = 0;
    while (p && n-- > 0)
        v = v << 8 | p[n];
    return v;
}

/* --- the end record -------------------------------------------------------------------------------- */

/* It is followed by nothing but its comment. */
static bool find_end(const uint8_t *bytes, size_t len, size_t *at)
{
    if (len < END_SIZE)
        return false;
    size_t lowest = len > END_SIZE + COMMENT_MAX ? len - END_SIZE - COMMENT_MAX : 0;
    for (size_t i = len - END_SIZE + 1; i-- > lowest;) {
        cqln_reader rd;
        cqln_reader_init(&rd, bytes + i, len - i);
        if (le(&rd, 4) != SIGN_END)
            continue;
        (void)cqln_read_bytes(&rd, 16);
        if (le(&rd, 2) == cqln_reader_left(&rd)) {
            *at = i;
            return true;
        }
    }
    return false;
}

cql_status cqln_zip_open(cqln_zip *z, const void *bytes, size_t len, char *why)
{
    cqln_reader rd;
    size_t at;
    const uint8_t *b = bytes;
    if (len > CQLN_ZIP_FILE_MAX)
        return bad(why, "it is larger than %d bytes", CQLN_ZIP_FILE_MAX);
    if (len < 4 || b[0] != 'P' || b[1] != 'K')
        return bad(why, "it is no zip file");
    if (!find_end(b, len, &at))
        return bad(why, "it is cut off, or no zip file: there is no directory at its end");
    cqln_reader_init(&rd, b + at + 4, END_SIZE - 4);
    unsigned disk = le(&rd, 2), first_disk = le(&rd, 2), here = le(&rd, 2), entries = le(&rd, 2);
    uint32_t size = le(&rd, 4), directory = le(&rd, 4);
    if (entries == 0xffff || size == UINT32_MAX || directory == UINT32_MAX)
        return bad(why, "it is of the kind zip64, which is not read");
    if (disk || first_disk || here != entries)
        return bad(why, "it is one part of several");
    if (entries > CQLN_ZIP_ENTRIES_MAX)
        return bad(why, "it has %u entries; at most %d are read", entries, CQLN_ZIP_ENTRIES_MAX);
    if (directory > at || size != at - directory)
        return bad(why, "its directory is not where it should be: it is damaged");
    *z = (cqln_zip){b, len, directory, at, entries};
    return CQL_OK;
}

/* --- the directory --------------------------------------------------------------------------------- */

static bool read_entry(cqln_reader *rd, entry *e)
{
    if (le(rd, 4) != SIGN_DIRECTORY)
        return false;
    (void)cqln_read_bytes(rd, 4); /* versions */
    e->flags = le(rd, 2);
    e->method = le(rd, 2);
    (void)cqln_read_bytes(rd, 4); /* time and date */
    e->crc = le(rd, 4);
    e->packed = le(rd, 4);
    e->size = le(rd, 4);
    size_t name = le(rd, 2), extra = le(rd, 2), comment = le(rd, 2);
    (void)cqln_read_bytes(rd, 8); /* disk and attributes */
    e->local = le(rd, 4);
    e->name.len = name;
    e->name.ptr = (const char *)cqln_read_bytes(rd, name);
    (void)cqln_read_bytes(rd, extra + comment);
    return !rd->failed;
}

static cql_status find(const cqln_zip *z, const char *name, entry *out, char *why)
{
    cqln_reader rd;
    bool found = false;
    cqln_reader_init(&rd, z->bytes + z->directory, z->end - z->directory);
    for (unsigned i = 0; i < z->entries; i++) {
        entry e;
        if (!read_entry(&rd, &e))
            return bad(why, "its directory is damaged");
        if (!cql_str_equal(e.name, cql_str_of(name)))
            continue;
        if (found)
            return bad(why, "it has two entries \"%s\"", name);
        found = true;
        *out = e;
    }
    if (cqln_reader_left(&rd))
        return bad(why, "its directory is damaged");
    (void)snprintf(why, CQLN_ZIP_WHY, "it has no entry \"%s\"", name);
    return found ? CQL_OK : CQL_NO_SUCH_NAME;
}

/* --- one entry ------------------------------------------------------------------------------------- */

/* Where its packed bytes are, by its local header, which must say the same as the directory. */
static const uint8_t *data_of(const cqln_zip *z, const entry *e)
{
    cqln_reader rd;
    if (e->local > z->directory)
        return NULL;
    cqln_reader_init(&rd, z->bytes + e->local, z->directory - e->local);
    if (le(&rd, 4) != SIGN_LOCAL)
        return NULL;
    (void)cqln_read_bytes(&rd, 2);
    unsigned flags = le(&rd, 2), method = le(&rd, 2);
    (void)cqln_read_bytes(&rd, 16); /* time and date; checksum and sizes, which may come behind the data */
    size_t name_len = le(&rd, 2), extra = le(&rd, 2);
    cql_str name = {(const char *)cqln_read_bytes(&rd, name_len), name_len};
    (void)cqln_read_bytes(&rd, extra);
    if (rd.failed || flags != e->flags || method != e->method || !cql_str_equal(name, e->name))
        return NULL;
    return cqln_read_bytes(&rd, e->packed);
}

static cql_status check_limits(const entry *e, const char *name, char *why)
{
    if (e->flags & ENCRYPTED)
        return bad(why, "its entry \"%s\" is encrypted", name);
    if (e->method != STORED && e->method != DEFLATED)
        return bad(why, "its entry \"%s\" is packed by method %u, which is not read", name, e->method);
    if (e->size > CQLN_ZIP_ENTRY_MAX) {
        (void)bad(why, "its entry \"%s\" has %lu bytes; at most %d are read", name,
                  (unsigned long)e->size, CQLN_ZIP_ENTRY_MAX);
        return CQL_TOO_LARGE;
    }
    if (e->size > RATIO_FREE && e->size / CQLN_ZIP_RATIO_MAX > e->packed) {
        (void)bad(why, "its entry \"%s\" would grow from %lu to %lu bytes, more than %d times", name,
                  (unsigned long)e->packed, (unsigned long)e->size, CQLN_ZIP_RATIO_MAX);
        return CQL_TOO_LARGE;
    }
    return CQL_OK;
}

static cql_status unpack(const cql_allocator *al, const entry *e, const uint8_t *data, uint8_t *out)
{
    if (e->method == DEFLATED)
        return cqln_inflate(al, data, e->packed, out, e->size);
    if (e->packed != e->size)
        return CQL_MALFORMED;
    memcpy(out, data, e->size);
    return CQL_OK;
}

cql_status cqln_zip_extract(const cqln_zip *z, const cql_allocator *al, const char *name, char **out,
                            size_t *len, char *why)
{
    entry e = {0};
    *out = NULL;
    cql_status st = find(z, name, &e, why);
    if (st == CQL_OK)
        st = check_limits(&e, name, why);
    if (st)
        return st;
    const uint8_t *data = data_of(z, &e);
    if (!data)
        return bad(why, "its entry \"%s\" is not where the directory says: it is damaged", name);
    uint8_t *text = cqln_alloc(al, (size_t)e.size + 1);
    if (!text)
        return CQL_NO_MEMORY;
    st = unpack(al, &e, data, text);
    if (st == CQL_OK && cqln_crc32(0, text, e.size) == e.crc) {
        text[e.size] = '\0';
        *out = (char *)text;
        *len = e.size;
        return CQL_OK;
    }
    cqln_free(al, text);
    return st == CQL_NO_MEMORY ? st : bad(why, "its entry \"%s\" is damaged", name);
}
