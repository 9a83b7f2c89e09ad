/* store_scan.c: opening: the lock, reading through, and the rest of a damaged file. */
#include "outbox/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { COPY = 64 << 10, ASIDE_MAX = 999, ENDING = 32 };

/* --- reading through ------------------------------------------------------------------------------- */

static void start_fresh(cqlox_store *s)
{
    s->end = s->head = s->cursor = 0;
    s->first_seq = s->next_seq = s->cursor_seq = 1;
    s->last_us = 0;
    s->live = 0;
}

/* Does this record belong here? Numbers follow each other; a mark is for what was there. */
static bool take(cqlox_store *s, const cqlox_statement *st, size_t size)
{
    if (st->kind == CQLOX_DONE) {
        if (st->seq < s->first_seq || st->seq >= s->next_seq)
            return false;
        s->first_seq = st->seq + 1;
        return true;
    }
    if (st->seq != s->next_seq)
        return false;
    s->next_seq++;
    s->live += size;
    s->last_us = st->timestamp_us > s->last_us ? st->timestamp_us : s->last_us;
    return true;
}

/* From the first statement that has not ended: what the marks behind have said is known now. */
static cql_status find_head(cqlox_store *s)
{
    cqlox_statement st;
    size_t size;
    while (s->head < s->end) {
        cql_status status = cqlox_store_record_at(s, s->head, s->end, &s->block, &size, &st);
        if (status)
            return status;
        if (size == 0)
            return cqlox_store_fail(s, "cannot read", s->path, -EIO);
        if (st.kind == CQLOX_STATEMENT && st.seq >= s->first_seq)
            break;
        if (st.kind == CQLOX_STATEMENT)
            s->live -= size;
        s->head += size;
    }
    s->cursor = s->head;
    s->cursor_seq = s->first_seq;
    s->found = cqlox_store_count(s);
    return CQL_OK;
}

cql_status cqlox_store_scan(cqlox_store *s)
{
    uint8_t bytes[CQLOX_HEADER];
    cqlox_header header;
    cqlox_statement st;
    size_t size;
    start_fresh(s);
    int64_t total = s->fs->size(s->fs->self, s->fd);
    if (total < 0)
        return cqlox_store_fail(s, "cannot read", s->path, total);
    if (total < CQLOX_HEADER)
        return CQL_OK;
    int64_t n = s->fs->read(s->fs->self, s->fd, 0, bytes, sizeof bytes);
    if (n != (int64_t)sizeof bytes)
        return cqlox_store_fail(s, "cannot read", s->path, n);
    if (!cqlox_header_read(bytes, &header))
        return CQL_OK;
    s->first_seq = s->next_seq = header.first_seq;
    s->last_us = header.last_us;
    s->head = s->end = CQLOX_HEADER;
    for (;;) {
        cql_status status =
            cqlox_store_record_at(s, s->end, (uint64_t)total, &s->block, &size, &st);
        if (status)
            return status;
        if (size == 0 || !take(s, &st, size))
            return find_head(s);
        s->end += size;
    }
}

/* --- the rest -------------------------------------------------------------------------------------- */

/* A name that is free; the file is made. The last one is written over: a device that nobody looks after goes on. */
static cql_status make_aside(cqlox_store *s, int *out)
{
    int fd = -EEXIST;
    for (unsigned i = 1; i <= ASIDE_MAX && fd == -EEXIST; i++)
        fd = s->fs->open(s->fs->self, cqlox_store_name(s, ".damaged-", i),
                         i < ASIDE_MAX ? CQLOX_NEW : CQLOX_FRESH);
    if (fd < 0)
        return cqlox_store_fail(s, "cannot make", s->spare, fd);
    *out = fd;
    return CQL_OK;
}

static cql_status copy_rest(cqlox_store *s, int to, uint64_t total)
{
    cql_status st = cqlox_buf_reserve(&s->block, s->al, COPY);
    for (uint64_t at = s->end; at < total && st == CQL_OK;) {
        size_t want = total - at < COPY ? (size_t)(total - at) : COPY;
        int64_t n = s->fs->read(s->fs->self, s->fd, at, s->block.ptr, want);
        if (n != (int64_t)want)
            return cqlox_store_fail(s, "cannot read", s->path, n);
        int failed = s->fs->write(s->fs->self, to, at - s->end, s->block.ptr, want);
        if (failed)
            return cqlox_store_fail(s, "cannot write", s->spare, failed);
        at += want;
    }
    if (st)
        return st;
    int failed = s->fs->sync(s->fs->self, to);
    if (failed == 0)
        failed = s->fs->sync_folder(s->fs->self, s->path);
    return failed ? cqlox_store_fail(s, "cannot sync", s->spare, failed) : CQL_OK;
}

/* A copy that stays. */
static cql_status set_aside(cqlox_store *s, uint64_t total)
{
    int fd = -1;
    cql_status st = make_aside(s, &fd);
    if (st)
        return st;
    st = copy_rest(s, fd, total);
    s->fs->close(s->fs->self, fd);
    size_t len = strlen(s->spare) + 1;
    s->aside = cqlseat_zalloc(s->al, len);
    if (st == CQL_OK && !s->aside)
        st = CQL_NO_MEMORY;
    if (st) {
        (void)s->fs->remove(s->fs->self, s->spare);
        return st;
    }
    memcpy(s->aside, s->spare, len);
    s->aside_bytes = total - s->end;
    return CQL_OK;
}

/* Then the file without it. That needs no room; only a file with nothing good in it is made anew, and as long as
 * there is no room for that, the rest stays where it was alone. */
static cql_status cut_off(cqlox_store *s)
{
    if (s->end == 0) {
        cql_status st = cqlox_store_rewrite(s);
        if (s->aside && s->compactions == 0)
            (void)s->fs->remove(s->fs->self, s->aside);
        return st;
    }
    int failed = s->fs->truncate(s->fs->self, s->fd, s->end);
    if (failed == 0)
        failed = s->fs->sync(s->fs->self, s->fd);
    return failed ? cqlox_store_fail(s, "cannot cut the damage off", s->path, failed) : CQL_OK;
}

/* --- opening --------------------------------------------------------------------------------------- */

static cql_status lock(cqlox_store *s)
{
    const char *name = cqlox_store_name(s, ".lock", 0);
    int fd = s->fs->open(s->fs->self, name, CQLOX_MAKE);
    if (fd < 0)
        return cqlox_store_fail(s, "cannot make", name, fd);
    int failed = s->fs->lock(s->fs->self, fd);
    if (failed == 0) {
        s->lock_fd = fd;
        return CQL_OK;
    }
    s->fs->close(s->fs->self, fd);
    if (failed != -EWOULDBLOCK)
        return cqlox_store_fail(s, "cannot lock", name, failed);
    (void)snprintf(s->why, sizeof s->why, "%s is in use by another outbox", s->path);
    return CQL_BAD_STATE;
}

static cql_status read_through(cqlox_store *s)
{
    s->fd = s->fs->open(s->fs->self, s->path, CQLOX_EXISTING);
    start_fresh(s);
    if (s->fd == -ENOENT)
        return cqlox_store_rewrite(s);
    if (s->fd < 0)
        return cqlox_store_fail(s, "cannot open", s->path, s->fd);
    cql_status st = cqlox_store_scan(s);
    if (st)
        return st;
    int64_t total = s->fs->size(s->fs->self, s->fd);
    if (total < 0)
        return cqlox_store_fail(s, "cannot read", s->path, total);
    if ((uint64_t)total == s->end && total > 0)
        return CQL_OK;
    if (total > 0)
        st = set_aside(s, (uint64_t)total);
    return st ? st : cut_off(s);
}

static char *with_room(const cql_allocator *al, const char *path)
{
    size_t len = strlen(path);
    char *text = cqlseat_zalloc(al, len + ENDING);
    if (text)
        memcpy(text, path, len);
    return text;
}

cql_status cqlox_store_open(cqlox_store *s, const cqlox_files *fs, const cql_allocator *al,
                            const char *path, uint64_t max_bytes)
{
    memset(s, 0, sizeof *s);
    s->fs = fs;
    s->al = al;
    s->max_bytes = max_bytes;
    s->fd = s->lock_fd = -1;
    s->path = with_room(al, path);
    s->spare = with_room(al, path);
    cql_status st = s->path && s->spare ? lock(s) : CQL_NO_MEMORY;
    if (st == CQL_OK)
        st = read_through(s);
    if (st == CQL_OK) {
        s->compactions = 0;
        return CQL_OK;
    }
    s->broken = true; /* nothing to sync */
    cqlox_store_close(s);
    return st;
}

void cqlox_store_close(cqlox_store *s)
{
    if (!s->fs)
        return;
    if (!s->broken)
        (void)cqlox_store_sync(s);
    if (s->fd >= 0)
        s->fs->close(s->fs->self, s->fd);
    if (s->lock_fd >= 0)
        s->fs->close(s->fs->self, s->lock_fd);
    cqlseat_free(s->al, s->path);
    cqlseat_free(s->al, s->spare);
    cqlseat_free(s->al, s->aside);
    cqlseat_free(s->al, s->block.ptr);
    s->path = s->spare = s->aside = NULL;
    s->block = (cqlox_buf){NULL, 0, 0};
    s->fd = s->lock_fd = -1;
    s->fs = NULL;
}
