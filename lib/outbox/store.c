/* store.c: appending, reading on, marking, writing anew. */
#include "outbox/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { COPY = 64 << 10, DEAD_MIN = 4096, DEAD_MAX = 1 << 20 };

/* --- names and failures ---------------------------------------------------------------------------- */

const char *cqlox_store_name(cqlox_store *s, const char *ending, unsigned number)
{
    size_t len = strlen(s->path);
    memcpy(s->spare, s->path, len);
    if (number)
        (void)snprintf(s->spare + len, 32, "%s%u", ending, number);
    else
        (void)snprintf(s->spare + len, 32, "%s", ending);
    return s->spare;
}

cql_status cqlox_store_fail(cqlox_store *s, const char *what, const char *path, int64_t error)
{
    (void)snprintf(s->why, sizeof s->why, "%s %s: %s", what, path,
                   error < 0 ? strerror((int)-error) : "the file ends too early");
    return CQL_SYSTEM;
}

/* --- room ------------------------------------------------------------------------------------------ */

static uint64_t marks(uint64_t statements)
{
    return statements * CQLOX_MARK;
}

cql_status cqlox_store_room(const cqlox_store *s, size_t len)
{
    uint64_t need = len + marks(cqlox_store_count(s) + 1);
    if (CQLOX_HEADER + (uint64_t)len + marks(1) > s->max_bytes)
        return CQL_TOO_LARGE;
    return CQLOX_HEADER + s->live + need > s->max_bytes ? CQL_WOULD_BLOCK : CQL_OK;
}

static bool fits_behind(const cqlox_store *s, size_t len)
{
    return s->end + len + marks(cqlox_store_count(s) + 1) <= s->max_bytes;
}

/* --- reading --------------------------------------------------------------------------------------- */

cql_status cqlox_store_record_at(cqlox_store *s, uint64_t at, uint64_t end, cqlox_buf *b, size_t *size,
                                 cqlox_statement *out)
{
    uint8_t prefix[CQLOX_PREFIX];
    *size = 0;
    if (end - at < CQLOX_MARK)
        return CQL_OK;
    int64_t n = s->fs->read(s->fs->self, s->fd, at, prefix, sizeof prefix);
    if (n != (int64_t)sizeof prefix)
        return cqlox_store_fail(s, "cannot read", s->path, n);
    size_t len = cqlox_prefix_read(prefix);
    if (len == 0 || len > end - at - CQLOX_PREFIX)
        return CQL_OK;
    len += CQLOX_PREFIX;
    cql_status st = cqlox_buf_reserve(b, s->al, len);
    if (st)
        return st;
    n = s->fs->read(s->fs->self, s->fd, at, b->ptr, len);
    if (n != (int64_t)len)
        return cqlox_store_fail(s, "cannot read", s->path, n);
    b->len = len;
    if (cqlox_record_read(b->ptr, len, out))
        *size = len;
    return CQL_OK;
}

/* What was read through when the file was opened must still be there. */
static cql_status read_again(cqlox_store *s, uint64_t at, cqlox_buf *b, size_t *size,
                             cqlox_statement *out)
{
    cql_status st = cqlox_store_record_at(s, at, s->end, b, size, out);
    if (st == CQL_OK && *size == 0) {
        (void)snprintf(s->why, sizeof s->why, "%s was changed while it was in use", s->path);
        st = CQL_SYSTEM;
    }
    s->broken = s->broken || st == CQL_SYSTEM;
    return st;
}

cql_status cqlox_store_next(cqlox_store *s, cqlox_buf *b, cqlox_statement *out)
{
    size_t size;
    while (s->cursor < s->end) {
        cql_status st = s->broken ? CQL_SYSTEM : read_again(s, s->cursor, b, &size, out);
        if (st)
            return st;
        s->cursor += size;
        if (out->kind != CQLOX_STATEMENT || out->seq < s->cursor_seq)
            continue;
        s->cursor_seq = out->seq + 1;
        return CQL_OK;
    }
    return CQL_DONE;
}

/* --- writing anew ---------------------------------------------------------------------------------- */

typedef struct copy {
    int fd;
    uint64_t at;
    uint64_t cursor; /* where the cursor is in the new file */
    const char *name;
} copy;

static cql_status copy_write(cqlox_store *s, copy *c, const void *bytes, size_t len)
{
    int failed = s->fs->write(s->fs->self, c->fd, c->at, bytes, len);
    if (failed)
        return cqlox_store_fail(s, "cannot write", c->name, failed);
    c->at += len;
    return CQL_OK;
}

static cql_status copy_all(cqlox_store *s, copy *c)
{
    uint8_t header[CQLOX_HEADER];
    size_t size;
    cqlox_statement st;
    cqlox_header_write(header, &(cqlox_header){s->first_seq, s->last_us});
    cql_status status = copy_write(s, c, header, sizeof header);
    c->cursor = c->at;
    for (uint64_t at = s->head; at < s->end && status == CQL_OK; at += size) {
        status = read_again(s, at, &s->block, &size, &st);
        if (status || st.kind != CQLOX_STATEMENT || st.seq < s->first_seq)
            continue;
        status = copy_write(s, c, s->block.ptr, size);
        if (st.seq < s->cursor_seq)
            c->cursor = c->at;
    }
    return status;
}

/* The new file in the place of the old one. */
static cql_status put_in_place(cqlox_store *s, const copy *c)
{
    int failed = s->fs->sync(s->fs->self, c->fd);
    if (failed)
        return cqlox_store_fail(s, "cannot sync", c->name, failed);
    failed = s->fs->rename(s->fs->self, c->name, s->path);
    if (failed)
        return cqlox_store_fail(s, "cannot rename to", s->path, failed);
    return CQL_OK;
}

cql_status cqlox_store_rewrite(cqlox_store *s)
{
    copy c = {.name = cqlox_store_name(s, ".new", 0)};
    c.fd = s->fs->open(s->fs->self, c.name, CQLOX_FRESH);
    if (c.fd < 0)
        return cqlox_store_fail(s, "cannot make", c.name, c.fd);
    cql_status st = copy_all(s, &c);
    if (st == CQL_OK)
        st = put_in_place(s, &c);
    if (st) {
        s->fs->close(s->fs->self, c.fd);
        (void)s->fs->remove(s->fs->self, c.name);
        return st;
    }
    if (s->fd >= 0)
        s->fs->close(s->fs->self, s->fd);
    s->fd = c.fd;
    s->head = CQLOX_HEADER;
    s->cursor = c.cursor;
    s->end = c.at;
    s->compactions++;
    s->unsynced = false;
    int failed = s->fs->sync_folder(s->fs->self, s->path);
    s->suspect = failed != 0; /* after a crash the old file may be there again */
    return failed ? cqlox_store_fail(s, "cannot sync the folder of", s->path, failed) : CQL_OK;
}

/* --- appending ------------------------------------------------------------------------------------- */

/* What is written of a record goes away. When there was just no room for it, that was all; else the file is
 * trusted no more. */
static void take_back(cqlox_store *s, int failed)
{
    bool full = failed == -ENOSPC || failed == -EDQUOT;
    int left = s->fs->truncate(s->fs->self, s->fd, s->end);
    s->suspect = s->suspect || !full || left;
}

cql_status cqlox_store_append(cqlox_store *s, const cqlox_buf *record, int64_t timestamp_us, bool sync)
{
    if (s->broken)
        return CQL_SYSTEM;
    cql_status st = cqlox_store_room(s, record->len);
    if (st == CQL_OK && (s->suspect || !fits_behind(s, record->len)))
        st = cqlox_store_rewrite(s);
    if (st)
        return st;
    int failed = s->fs->write(s->fs->self, s->fd, s->end, record->ptr, record->len);
    if (failed) {
        take_back(s, failed);
        return cqlox_store_fail(s, "cannot write", s->path, failed);
    }
    failed = sync ? s->fs->sync(s->fs->self, s->fd) : 0;
    if (failed) {
        take_back(s, -EIO);
        return cqlox_store_fail(s, "cannot sync", s->path, failed);
    }
    s->unsynced = !sync;
    s->end += record->len;
    s->live += record->len;
    s->next_seq++;
    s->last_us = timestamp_us > s->last_us ? timestamp_us : s->last_us;
    return CQL_OK;
}

cql_status cqlox_store_sync(cqlox_store *s)
{
    if (s->suspect)
        return s->broken ? CQL_SYSTEM : cqlox_store_rewrite(s);
    if (!s->unsynced)
        return CQL_OK;
    int failed = s->fs->sync(s->fs->self, s->fd);
    if (failed) {
        s->suspect = true;
        return cqlox_store_fail(s, "cannot sync", s->path, failed);
    }
    s->unsynced = false;
    return CQL_OK;
}

/* --- marking --------------------------------------------------------------------------------------- */

/* The head goes behind what has ended. */
static void move_head(cqlox_store *s)
{
    uint8_t start[CQLOX_MARK];
    while (s->head < s->end) {
        int64_t n = s->fs->read(s->fs->self, s->fd, s->head, start, sizeof start);
        size_t len = n == (int64_t)sizeof start ? cqlox_prefix_read(start) : 0;
        if (len == 0) {
            s->broken = true;
            (void)cqlox_store_fail(s, "cannot read", s->path, n < 0 ? n : 0);
            return;
        }
        if (start[CQLOX_PREFIX] == CQLOX_STATEMENT) {
            if (cqlox_get_be(start + CQLOX_PREFIX + 1, 8) >= s->first_seq)
                return;
            s->live -= CQLOX_PREFIX + len;
        }
        s->head += CQLOX_PREFIX + len;
    }
}

/* Once as much is dead as alive, and it is worth the while. */
static void compact(cqlox_store *s)
{
    uint64_t dead = s->end - CQLOX_HEADER - s->live;
    uint64_t least = s->max_bytes / 4 < DEAD_MAX ? s->max_bytes / 4 : DEAD_MAX;
    if (least < DEAD_MIN)
        least = DEAD_MIN;
    if (dead < least || dead < s->live || dead < s->retry_at)
        return;
    s->retry_at = cqlox_store_rewrite(s) == CQL_OK ? 0 : dead + least;
}

void cqlox_store_done(cqlox_store *s, uint64_t seq)
{
    uint8_t mark[CQLOX_MARK];
    if (seq < s->first_seq || seq >= s->next_seq)
        return;
    s->first_seq = seq + 1;
    if (s->broken)
        return;
    cqlox_done_write(mark, seq);
    move_head(s);
    if (s->broken || s->suspect)
        return;
    int failed = s->fs->write(s->fs->self, s->fd, s->end, mark, sizeof mark);
    if (failed) {
        take_back(s, failed);
        return;
    }
    s->end += sizeof mark;
    compact(s);
}
