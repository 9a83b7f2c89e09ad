/*
 * The benchmark's checksums against vectors and against themselves: a responder and a floor that
 * share a wrong one would agree with each other and with no server.
 */
#include <stdio.h>
#include <stdlib.h>

#include "crc.h"

static int failed;

static void same(const char *what, size_t n, uint32_t got, uint32_t want)
{
    if (got == want)
        return;
    printf("%s of %zu bytes: %08x, not %08x\n", what, n, got, want);
    failed = 1;
}

static void vectors(void)
{
    static const uint8_t header[3] = {0x09, 0x00, 0x02};
    static const uint8_t options[9] = {0x05, 0x00, 0x00, 0x01, 0x05};

    same("CRC24", 3, crc24(header), 0xc1c8a4);
    same("CRC32", 0, crc32_segment(options, 0), 0x44777ed3);
    same("CRC32", 9, crc32_segment(options, 9), 0x867455b5);
}

static void fast_is_portable(const uint8_t *data)
{
    for (size_t n = 0; n < 1500; n++)
        for (size_t at = 0; at < 3; at++)
            same("fast CRC32", n, crc32_segment(data + at, n),
                 crc32_segment_portable(data + at, n));
    same("fast CRC32", SEGMENT_MAX, crc32_segment(data, SEGMENT_MAX),
         crc32_segment_portable(data, SEGMENT_MAX));
}

static void patch_is_recomputed(uint8_t *data)
{
    static const size_t sizes[] = {4, 9, 100, 131054};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        put_u16(data + 2, 0);
        uint32_t before = crc32_segment(data, sizes[i]);
        put_u16(data + 2, 0x12fe);
        same("patched CRC32", sizes[i], before ^ crc32_patch16(sizes[i], 2, 0x12fe),
             crc32_segment_portable(data, sizes[i]));
    }
}

int main(void)
{
    uint8_t *data = malloc(SEGMENT_MAX + 1);
    uint32_t state = 1;

    if (!data)
        return 99;
    for (size_t i = 0; i <= SEGMENT_MAX; i++) {
        state = state * 1664525 + 1013904223;
        data[i] = (uint8_t)(state >> 24);
    }
    crc_init();
    vectors();
    fast_is_portable(data);
    patch_is_recomputed(data);
    free(data);
    return failed;
}
