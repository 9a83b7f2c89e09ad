#include "simdisk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- bytes ----------------------------------------------------------------------------------------- */

static void resize(simbytes *b, size_t len)
{
    b->ptr = realloc(b->ptr, len ? len : 1);
    assert(b->ptr);
    if (len > b->len)
        memset(b->ptr + b->len, 0, len - b->len);
    b->len = len;
}

static void change_bytes(simbytes *b, const simchange *c)
{
    if (!c->bytes.ptr) {
        resize(b, (size_t)c->at);
        return;
    }
    if (c->at + c->bytes.len > b->len)
        resize(b, (size_t)c->at + c->bytes.len);
    if (c->bytes.len)
        memcpy(b->ptr + c->at, c->bytes.ptr, c->bytes.len);
}

static void copy_bytes(simbytes *to, const simbytes *from)
{
    resize(to, from->len);
    if (from->len)
        memcpy(to->ptr, from->ptr, from->len);
}

static void forget_changes(simfile *f)
{
    for (size_t i = 0; i < f->change_count; i++)
        free(f->changes[i].bytes.ptr);
    f->change_count = 0;
}

static void note(simfile *f, uint64_t at, const void *bytes, size_t len)
{
    assert(f->change_count < SIMDISK_CHANGES);
    simchange *c = &f->changes[f->change_count++];
    memset(c, 0, sizeof *c);
    c->at = at;
    if (bytes) {
        resize(&c->bytes, len);
        if (len)
            memcpy(c->bytes.ptr, bytes, len);
    }
    change_bytes(&f->now, c);
}

/* --- names ----------------------------------------------------------------------------------------- */

static simname *find(simname *names, const char *path)
{
    for (size_t i = 0; i < SIMDISK_FILES; i++)
        if (strcmp(names[i].path, path) == 0)
            return &names[i];
    return NULL;
}

static simname *free_name(simdisk *d)
{
    simname *n = find(d->names, "");
    assert(n);
    return n;
}

static int new_file(simdisk *d)
{
    for (int i = 0; i < SIMDISK_FILES; i++) {
        simfile *f = &d->files[i];
        if (f->used)
            continue;
        f->used = true;
        resize(&f->now, 0);
        resize(&f->synced, 0);
        return i;
    }
    abort(); /* the test needs more files than there are */
}

static bool is_named(const simname *names, int file)
{
    for (size_t i = 0; i < SIMDISK_FILES; i++)
        if (names[i].path[0] && names[i].file == file)
            return true;
    return false;
}

/* Files that nothing leads to any more. */
static void sweep(simdisk *d)
{
    for (int i = 0; i < SIMDISK_FILES; i++) {
        simfile *f = &d->files[i];
        bool open = false;
        for (size_t h = 0; h < SIMDISK_HANDLES; h++)
            open = open || d->handles[h] == i + 1;
        if (!f->used || open || is_named(d->names, i) || is_named(d->synced_names, i))
            continue;
        forget_changes(f);
        free(f->now.ptr);
        free(f->synced.ptr);
        memset(f, 0, sizeof *f);
    }
}

size_t simdisk_used(const simdisk *d)
{
    size_t used = 0;
    for (int i = 0; i < SIMDISK_FILES; i++)
        used += d->files[i].used ? d->files[i].now.len : 0;
    return used;
}

/* --- operations ------------------------------------------------------------------------------------ */

/* 0: go on. A write that is interrupted by the end leaves its first half: see sim_write. */
static int begin(simdisk *d)
{
    if (d->dead)
        return -EIO;
    d->ops++;
    if (d->ops == d->die_at) {
        d->dead = true;
        return -EIO;
    }
    return d->ops == d->fail_at ? -d->fail_with : 0;
}

static int sim_open(void *self, const char *path, cqlox_how how)
{
    simdisk *d = self;
    int failed = begin(d);
    if (failed)
        return failed;
    simname *n = find(d->names, path);
    if (!n && how == CQLOX_EXISTING)
        return -ENOENT;
    if (n && how == CQLOX_NEW)
        return -EEXIST;
    if (!n) {
        n = free_name(d);
        assert(strlen(path) < sizeof n->path);
        strcpy(n->path, path);
        n->file = new_file(d);
    } else if (how == CQLOX_FRESH) {
        note(&d->files[n->file], 0, NULL, 0);
    }
    for (int h = 0; h < SIMDISK_HANDLES; h++)
        if (!d->handles[h]) {
            d->handles[h] = n->file + 1;
            return h;
        }
    abort(); /* or more handles */
}

static simfile *file_of(simdisk *d, int fd)
{
    assert(fd >= 0 && fd < SIMDISK_HANDLES && d->handles[fd]);
    return &d->files[d->handles[fd] - 1];
}

static void sim_close(void *self, int fd)
{
    simdisk *d = self;
    simfile *f = file_of(d, fd);
    if (f->locked_by == fd + 1)
        f->locked_by = 0;
    d->handles[fd] = 0;
    sweep(d);
}

static int64_t sim_size(void *self, int fd)
{
    simdisk *d = self;
    return d->dead ? -EIO : (int64_t)file_of(d, fd)->now.len;
}

static int64_t sim_read(void *self, int fd, uint64_t at, void *bytes, size_t len)
{
    simdisk *d = self;
    simfile *f = file_of(d, fd);
    if (d->dead)
        return -EIO;
    if (at >= f->now.len)
        return 0;
    if (len > f->now.len - at)
        len = f->now.len - (size_t)at;
    if (len)
        memcpy(bytes, f->now.ptr + at, len);
    return (int64_t)len;
}

static size_t grows_by(const simfile *f, uint64_t at, size_t len)
{
    return at + len > f->now.len ? (size_t)(at + len) - f->now.len : 0;
}

static int sim_write(void *self, int fd, uint64_t at, const void *bytes, size_t len)
{
    simdisk *d = self;
    bool was_dead = d->dead;
    int failed = begin(d);
    if (!failed && d->room && simdisk_used(d) + grows_by(file_of(d, fd), at, len) > d->room)
        failed = -ENOSPC;
    if (!was_dead)
        note(file_of(d, fd), at, bytes, failed ? len / 2 : len);
    return failed;
}

/* A sync that fails may have dropped what it was to write: it can still be read, but no later sync brings it
 * to the disk. */
static int sim_sync(void *self, int fd)
{
    simdisk *d = self;
    simfile *f = file_of(d, fd);
    int failed = begin(d);
    for (size_t i = 0; failed == 0 && i < f->change_count; i++)
        change_bytes(&f->synced, &f->changes[i]);
    if (!d->dead)
        forget_changes(f);
    return failed;
}

static int sim_truncate(void *self, int fd, uint64_t len)
{
    simdisk *d = self;
    int failed = begin(d);
    if (failed == 0)
        note(file_of(d, fd), len, NULL, 0);
    return failed;
}

static int sim_rename(void *self, const char *from, const char *to)
{
    simdisk *d = self;
    int failed = begin(d);
    if (failed)
        return failed;
    simname *n = find(d->names, from);
    simname *there = find(d->names, to);
    if (!n)
        return -ENOENT;
    if (there)
        memset(there, 0, sizeof *there);
    strcpy(n->path, to);
    sweep(d);
    return 0;
}

static int sim_remove(void *self, const char *path)
{
    simdisk *d = self;
    int failed = begin(d);
    if (failed)
        return failed;
    simname *n = find(d->names, path);
    if (!n)
        return -ENOENT;
    memset(n, 0, sizeof *n);
    sweep(d);
    return 0;
}

static int sim_sync_folder(void *self, const char *path)
{
    simdisk *d = self;
    int failed = begin(d);
    (void)path;
    if (failed == 0) {
        memcpy(d->synced_names, d->names, sizeof d->names);
        sweep(d);
    }
    return failed;
}

static int sim_lock(void *self, int fd)
{
    simdisk *d = self;
    simfile *f = file_of(d, fd);
    if (d->dead)
        return -EIO;
    if (f->locked_by)
        return -EWOULDBLOCK;
    f->locked_by = fd + 1;
    return 0;
}

/* --- life ------------------------------------------------------------------------------------------ */

void simdisk_init(simdisk *d)
{
    memset(d, 0, sizeof *d);
    d->fs = (cqlox_files){d,           sim_open,     sim_close,  sim_size,   sim_read,        sim_write,
                          sim_sync,    sim_truncate, sim_rename, sim_remove, sim_sync_folder, sim_lock};
}

void simdisk_fini(simdisk *d)
{
    memset(d->handles, 0, sizeof d->handles);
    memset(d->names, 0, sizeof d->names);
    memset(d->synced_names, 0, sizeof d->synced_names);
    sweep(d);
}

static unsigned roll(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

/* What was synced, and of the changes some, some in part. */
static void lose_some(simfile *f, unsigned *seed)
{
    simbytes left = {NULL, 0};
    copy_bytes(&left, &f->synced);
    for (size_t i = 0; i < f->change_count; i++) {
        simchange c = f->changes[i];
        unsigned chance = roll(seed) % 4;
        if (chance == 0)
            continue;
        if (chance == 1 && c.bytes.ptr)
            c.bytes.len = c.bytes.len ? roll(seed) % c.bytes.len : 0;
        change_bytes(&left, &c);
    }
    copy_bytes(&f->now, &left);
    free(left.ptr);
}

void simdisk_restart(simdisk *d, simdisk_loss loss, unsigned seed)
{
    memset(d->handles, 0, sizeof d->handles);
    if (loss == SIMDISK_LOSE_ALL || (loss == SIMDISK_LOSE_SOME && roll(&seed) % 2))
        memcpy(d->names, d->synced_names, sizeof d->names);
    else if (loss != SIMDISK_KEEP_ALL)
        memcpy(d->synced_names, d->names, sizeof d->names);
    for (size_t i = 0; i < SIMDISK_FILES; i++) {
        simfile *f = &d->files[i];
        f->locked_by = 0;
        if (!f->used || loss == SIMDISK_KEEP_ALL)
            continue;
        if (loss == SIMDISK_LOSE_ALL)
            copy_bytes(&f->now, &f->synced);
        else
            lose_some(f, &seed);
        copy_bytes(&f->synced, &f->now);
        forget_changes(f);
    }
    d->dead = false;
    d->die_at = d->fail_at = d->ops = 0;
    sweep(d);
}

const simbytes *simdisk_file(const simdisk *d, const char *path)
{
    for (size_t i = 0; i < SIMDISK_FILES; i++)
        if (d->names[i].path[0] && strcmp(d->names[i].path, path) == 0)
            return &d->files[d->names[i].file].now;
    return NULL;
}

void simdisk_put(simdisk *d, const char *path, const void *bytes, size_t len)
{
    int fd = sim_open(d, path, CQLOX_FRESH);
    assert(fd >= 0);
    (void)sim_write(d, fd, 0, bytes, len);
    (void)sim_sync(d, fd);
    (void)sim_sync_folder(d, path);
    sim_close(d, fd);
}
