/* guard.h: bytes that end right before a page which cannot be touched, so that reading one byte too many
 * ends the program with or without a sanitizer. */
#ifndef TESTS_SUPPORT_GUARD_H
#define TESTS_SUPPORT_GUARD_H

#include <stddef.h>
#include <stdint.h>

typedef struct guard {
    uint8_t *map;
    size_t map_size;
    uint8_t *end; /* the first byte that cannot be touched */
    size_t max;
} guard;

/* Room for pieces of up to `max` bytes. Ends the program when there is no memory. */
void guard_init(guard *g, size_t max);
void guard_fini(guard *g);
/* Copies the bytes to the end of the room; valid until the next call. */
uint8_t *guard_place(guard *g, const void *bytes, size_t len);

/* Calls fn with every prefix of the bytes, from the empty one to the one that lacks one byte, each of
 * them right before the inaccessible page. */
typedef void (*guard_fn)(const uint8_t *bytes, size_t len, void *user);
void guard_each_cut(const void *bytes, size_t len, guard_fn fn, void *user);

#endif
