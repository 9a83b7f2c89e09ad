/* files_posix.c: files of the operating system. */
#include "outbox/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int disk_open(void *self, const char *path, cqlox_how how)
{
    static const int flags[] = {0, O_CREAT, O_CREAT | O_TRUNC, O_CREAT | O_EXCL};
    (void)self;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | flags[how], 0600);
    return fd < 0 ? -errno : fd;
}

static void disk_close(void *self, int fd)
{
    (void)self;
    (void)close(fd);
}

static int64_t disk_size(void *self, int fd)
{
    struct stat s;
    (void)self;
    if (fstat(fd, &s) != 0)
        return -errno;
    return S_ISREG(s.st_mode) ? (int64_t)s.st_size : -EINVAL;
}

static int64_t disk_read(void *self, int fd, uint64_t at, void *bytes, size_t len)
{
    size_t done = 0;
    (void)self;
    while (done < len) {
        ssize_t n = pread(fd, (char *)bytes + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (int64_t)done;
}

static int disk_write(void *self, int fd, uint64_t at, const void *bytes, size_t len)
{
    size_t done = 0;
    (void)self;
    while (done < len) {
        ssize_t n = pwrite(fd, (const char *)bytes + done, len - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    return 0;
}

static int disk_sync(void *self, int fd)
{
    (void)self;
    while (fsync(fd) != 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static int disk_truncate(void *self, int fd, uint64_t len)
{
    (void)self;
    return ftruncate(fd, (off_t)len) == 0 ? 0 : -errno;
}

static int disk_rename(void *self, const char *from, const char *to)
{
    (void)self;
    return rename(from, to) == 0 ? 0 : -errno;
}

static int disk_remove(void *self, const char *path)
{
    (void)self;
    return unlink(path) == 0 ? 0 : -errno;
}

/* The folder that a path is in. */
static bool folder_of(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    if (len >= PATH_MAX)
        return false;
    memcpy(out, path, len);
    if (len == 0)
        out[len++] = slash ? '/' : '.';
    out[len] = '\0';
    return true;
}

_Static_assert(CQLOX_PATH >= PATH_MAX, "what realpath wants");

const char *cqlox_real_path(const char *path, char out[CQLOX_PATH])
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (realpath(path, out))
        return out;
    if (errno != ENOENT || !folder_of(path, folder) || !realpath(folder, out))
        return path;
    size_t len = strlen(out);
    if (len + strlen(name) + 2 > CQLOX_PATH)
        return path;
    (void)snprintf(out + len, CQLOX_PATH - len, "%s%s", len > 1 ? "/" : "", name);
    return out;
}

static int disk_sync_folder(void *self, const char *path)
{
    char folder[PATH_MAX];
    if (!folder_of(path, folder))
        return -ENAMETOOLONG;
    int fd = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (fd < 0)
        return -errno;
    int failed = disk_sync(self, fd);
    (void)close(fd);
    return failed == -EINVAL ? 0 : failed; /* file systems that know no such thing */
}

static int disk_lock(void *self, int fd)
{
    (void)self;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
}

const cqlox_files cqlox_files_posix = {
    NULL,       disk_open,     disk_close,  disk_size,   disk_read,        disk_write,
    disk_sync, disk_truncate, disk_rename, disk_remove, disk_sync_folder, disk_lock};
