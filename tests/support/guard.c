/* Bytes before an inaccessible page. */
#define _GNU_SOURCE
#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void give_up(const char *what)
{
    perror(what);
    exit(99);
}

void guard_init(guard *g, size_t max)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (max / page + 1) * page;
    g->max = max;
    g->map_size = room + page;
    g->map = mmap(NULL, g->map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g->map == MAP_FAILED)
        give_up("mmap");
    g->end = g->map + room;
    if (mprotect(g->end, page, PROT_NONE) != 0)
        give_up("mprotect");
}

void guard_fini(guard *g)
{
    munmap(g->map, g->map_size);
}

uint8_t *guard_place(guard *g, const void *bytes, size_t len)
{
    if (len > g->max) {
        fprintf(stderr, "guard_place: %zu bytes in a room of %zu\n", len, g->max);
        exit(99);
    }
    uint8_t *at = g->end - len;
    if (len)
        memcpy(at, bytes, len);
    return at;
}

void guard_each_cut(const void *bytes, size_t len, guard_fn fn, void *user)
{
    guard g;
    guard_init(&g, len);
    for (size_t n = 0; n < len; n++)
        fn(guard_place(&g, bytes, n), n, user);
    guard_fini(&g);
}
