/* simdisk.h: a disk under the outbox that a test can fail and cut off at every operation. What was not
 * synced is lost, kept, or kept in part when the machine ends, as the test says. */
#ifndef TESTS_SUPPORT_SIMDISK_H
#define TESTS_SUPPORT_SIMDISK_H

#include "outbox/files.h"

enum { SIMDISK_FILES = 24, SIMDISK_HANDLES = 16, SIMDISK_CHANGES = 512 };

typedef struct simbytes {
    uint8_t *ptr;
    size_t len;
} simbytes;

/* A write or a truncation that was not synced. */
typedef struct simchange {
    uint64_t at;
    simbytes bytes; /* ptr NULL: truncated to `at` */
} simchange;

typedef struct simfile {
    bool used;
    simbytes now;
    simbytes synced;
    simchange changes[SIMDISK_CHANGES];
    size_t change_count;
    int locked_by; /* handle + 1 */
} simfile;

typedef struct simname {
    char path[64]; /* "": free */
    int file;
} simname;

typedef struct simdisk {
    cqlox_files fs; /* hand out &d->fs */
    simfile files[SIMDISK_FILES];
    simname names[SIMDISK_FILES];
    simname synced_names[SIMDISK_FILES];
    int handles[SIMDISK_HANDLES]; /* file + 1 */
    unsigned ops;     /* so far */
    unsigned die_at;  /* the operation, from 1, during which the machine ends; 0: none */
    unsigned fail_at; /* the operation that fails by itself */
    int fail_with;    /* its errno */
    size_t room;      /* bytes of all files; 0: as many as there are */
    bool dead;
} simdisk;

typedef enum simdisk_loss {
    SIMDISK_KEEP_ALL, /* the process ended, the machine did not */
    SIMDISK_LOSE_ALL, /* everything that was not synced */
    SIMDISK_LOSE_SOME /* parts, by chance */
} simdisk_loss;

void simdisk_init(simdisk *d);
void simdisk_fini(simdisk *d);
/* Everything is closed and unlocked; goes on with what is left. */
void simdisk_restart(simdisk *d, simdisk_loss loss, unsigned seed);
/* Bytes of all files. */
size_t simdisk_used(const simdisk *d);
/* The bytes of a file, NULL when it is not there; and writing it, synced. */
const simbytes *simdisk_file(const simdisk *d, const char *path);
void simdisk_put(simdisk *d, const char *path, const void *bytes, size_t len);

#endif
