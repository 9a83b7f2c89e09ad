/* types_help.h: bytes written as hex and types written as class strings, for the tests of lib/types. */
#ifndef TYPES_HELP_H
#define TYPES_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "types/type.h"
#include "types/value.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of hex digits (blanks are stepped over) in a block of exactly that size, so that a read behind
 * its end is seen by the address sanitizer. Free `block`. */
typedef struct hex_bytes {
    uint8_t *block;
    size_t len;
} hex_bytes;

static inline int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    assert_in_range(c, 'a', 'f');
    return c - 'a' + 10;
}

static inline hex_bytes unhex(const char *hex)
{
    hex_bytes b = {malloc(strlen(hex) / 2 + 1), 0};
    assert_non_null(b.block);
    while (*hex) {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        b.block[b.len++] = (uint8_t)(hex_value(hex[0]) << 4 | hex_value(hex[1]));
        hex += 2;
    }
    uint8_t *exact = realloc(b.block, b.len ? b.len : 1);
    assert_non_null(exact);
    b.block = exact;
    return b;
}

static inline cql_str hex_str(hex_bytes b)
{
    return (cql_str){(const char *)b.block, b.len};
}

static inline void assert_hex(cql_str got, const char *hex)
{
    hex_bytes want = unhex(hex);
    assert_int_equal(got.len, want.len);
    if (want.len)
        assert_memory_equal(got.ptr, want.block, want.len);
    free(want.block);
}

static inline void assert_str(cql_str got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

static inline const cql_type *class_type(cqln_arena *a, const char *text)
{
    const cql_type *t = NULL;
    assert_int_equal(cqln_type_parse_class(a, cql_str_of(text), &t), CQL_OK);
    assert_non_null(t);
    return t;
}

#endif
