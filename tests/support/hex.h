/* hex.h: bytes written in tests as hex text: digits in pairs, blanks between pairs, and comments from a
 * '#' to the end of the line. */
#ifndef TESTS_SUPPORT_HEX_H
#define TESTS_SUPPORT_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hex {
    uint8_t *data;
    size_t len;
} hex;

/* Ends the program when the text is not hex. Free with hex_free. */
hex hex_bytes(const char *text);
void hex_free(hex *h);
/* Into a block of the caller's; the number of bytes. Ends the program when it does not fit. */
size_t hex_decode(const char *text, uint8_t *out, size_t cap);
/* Shows both on standard error when they differ. */
bool hex_equal(const void *bytes, size_t len, const char *text);

#endif
