/* Hex text to bytes. */
#include "hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static const char *skip_blank(const char *at)
{
    for (;;) {
        at += strspn(at, " \t\r\n");
        if (*at != '#')
            return at;
        at += strcspn(at, "\n");
    }
}

size_t hex_decode(const char *text, uint8_t *out, size_t cap)
{
    size_t len = 0;
    for (const char *at = skip_blank(text); *at; at = skip_blank(at + 2)) {
        int high = digit(at[0]);
        int low = high < 0 ? -1 : digit(at[1]);
        if (low < 0 || len == cap) {
            fprintf(stderr, "hex: %s at \"%.20s\"\n", low < 0 ? "bad digits" : "no room", at);
            exit(99);
        }
        out[len++] = (uint8_t)(high << 4 | low);
    }
    return len;
}

hex hex_bytes(const char *text)
{
    size_t cap = strlen(text) / 2 + 1;
    hex h = {malloc(cap), 0};
    if (!h.data) {
        perror("hex");
        exit(99);
    }
    h.len = hex_decode(text, h.data, cap);
    return h;
}

void hex_free(hex *h)
{
    free(h->data);
    h->data = NULL;
    h->len = 0;
}

static void show(const char *what, const uint8_t *bytes, size_t len)
{
    fprintf(stderr, "%s %zu bytes: ", what, len);
    for (size_t i = 0; i < len && i < 4096; i++)
        fprintf(stderr, "%02x", bytes[i]);
    fprintf(stderr, "\n");
}

bool hex_equal(const void *bytes, size_t len, const char *text)
{
    hex want = hex_bytes(text);
    bool equal = want.len == len && (len == 0 || memcmp(bytes, want.data, len) == 0);
    if (!equal) {
        show("expected", want.data, want.len);
        show("got     ", bytes, len);
    }
    hex_free(&want);
    return equal;
}
