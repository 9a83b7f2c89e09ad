/* files.h: what the outbox needs of a file system. files_posix.c is one side of it, the simulated disk of
 * the tests the other. Everything returns 0 (or a handle, a size) or a negative errno.
 *
 * What the outbox relies on: bytes that were written are there after the process ended; bytes that were
 * synced are there after the machine ended; a rename happens whole or not at all, and is there after the
 * machine ended once the folder was synced. */
#ifndef CQLOX_FILES_H
#define CQLOX_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum cqlox_how {
    CQLOX_EXISTING, /* -ENOENT when it is not there */
    CQLOX_MAKE,     /* made when it is not there */
    CQLOX_FRESH,    /* made, or emptied */
    CQLOX_NEW       /* -EEXIST when it is there */
} cqlox_how;

typedef struct cqlox_files {
    void *self;
    int (*open)(void *self, const char *path, cqlox_how how);
    void (*close)(void *self, int fd);
    int64_t (*size)(void *self, int fd);
    /* All len bytes at this place; fewer only at the end of the file. */
    int64_t (*read)(void *self, int fd, uint64_t at, void *bytes, size_t len);
    /* All of them, or an error: then some may have been written. */
    int (*write)(void *self, int fd, uint64_t at, const void *bytes, size_t len);
    int (*sync)(void *self, int fd);
    int (*truncate)(void *self, int fd, uint64_t len);
    int (*rename)(void *self, const char *from, const char *to);
    int (*remove)(void *self, const char *path);
    /* The folder in which this path is: what was renamed and made there stays. */
    int (*sync_folder)(void *self, const char *path);
    /* For this handle alone, until it is closed or the process ends. -EWOULDBLOCK: somebody has it. */
    int (*lock)(void *self, int fd);
} cqlox_files;

extern const cqlox_files cqlox_files_posix;

enum { CQLOX_PATH = 4096 };
/* The file's one name, whatever the current folder will be and through which links it was named; path itself
 * where that cannot be told. Good as long as both live. */
const char *cqlox_real_path(const char *path, char out[CQLOX_PATH]);

#endif
