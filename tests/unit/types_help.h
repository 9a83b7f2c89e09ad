/* types_help.h: what the tests of lib/types share: types written as text, bytes written as hex. */
#ifndef TYPES_HELP_H
#define TYPES_HELP_H

#include "unit.h"

#include "types/type.h"
#include "types/value.h"

static inline cql_str hex_str(hex h)
{
    return (cql_str){(const char *)h.data, h.len};
}

static inline void assert_bytes(cql_str got, const char *text)
{
    assert_hex(got.ptr, got.len, text);
}

static inline void assert_str(cql_str got, const char *want)
{
    if (!cql_str_equal(got, cql_str_of(want)))
        print_error("expected \"%s\", got \"%.*s\"\n", want, (int)got.len, got.ptr ? got.ptr : "");
    assert_true(cql_str_equal(got, cql_str_of(want)));
}

/* A type of CQL text, or of a class string between single quotes. */
static inline const cql_type *cql_text_type(cqln_arena *a, const char *text)
{
    const cql_type *t = NULL;
    assert_int_equal(cqln_type_parse_cql(a, cql_str_of(text), &t), CQL_OK);
    assert_non_null(t);
    return t;
}

#endif
