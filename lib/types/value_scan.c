/* value_scan.c: whole values from text: scalars as they are, collections as CQL writes them.
 *
 *   [1, 2]   {'a', 'b'}   {'k': 1}   (1, 'a', null)   {street: 'x', number: 5}   vector [1, 2]
 */
#include "types/coll.h"
#include "types/items.h"
#include "types/scan.h"
#include "wire/notation.h"

enum { ELEMENTS_MAX = 1 << 24 };

typedef struct scan {
    const char *at;
    const char *end;
    cqln_writer *out;
    cqln_writer quoted; /* a string without its quotes */
} scan;

static cql_status any(scan *s, const cql_type *type, unsigned depth);

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void blanks(scan *s)
{
    while (s->at < s->end && is_blank(*s->at))
        s->at++;
}

static bool take(scan *s, char c)
{
    blanks(s);
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

/* 'it''s' or "a ""b""" into s->quoted. False when it does not end. */
static bool take_quoted(scan *s, char quote)
{
    cqln_writer_reset(&s->quoted);
    s->at++;
    while (s->at < s->end) {
        if (*s->at == quote) {
            s->at++;
            if (s->at == s->end || *s->at != quote)
                return s->quoted.status == CQL_OK;
        }
        cqln_write_u8(&s->quoted, (uint8_t)*s->at++);
    }
    return false;
}

static bool ends_token(char c)
{
    return c == ',' || c == ':' || c == ']' || c == '}' || c == ')' || is_blank(c);
}

static cql_str token(scan *s)
{
    const char *from = s->at;
    while (s->at < s->end && !ends_token(*s->at))
        s->at++;
    return (cql_str){from, (size_t)(s->at - from)};
}

/* Times, addresses and durations of ISO 8601 have colons, moments a blank between date and time: a colon ends them when
 * something other than one of theirs follows, a blank when no digit does. */
static cql_str token_with_colons(scan *s)
{
    const char *from = s->at;
    for (; s->at < s->end; s->at++) {
        char next = s->at + 1 < s->end ? s->at[1] : '\0';
        bool digit = next >= '0' && next <= '9';
        bool hex = digit || next == ':' || (next >= 'a' && next <= 'f') || (next >= 'A' && next <= 'F');
        if (*s->at == ':' ? !hex && next != '\0' : *s->at == ' ' ? !digit : ends_token(*s->at))
            break;
    }
    return (cql_str){from, (size_t)(s->at - from)};
}

static cql_status scalar(scan *s, const cql_type *type)
{
    bool is_text = type->id == CQL_TYPE_TEXT || type->id == CQL_TYPE_ASCII;
    blanks(s);
    if (s->at < s->end && *s->at == '\'') {
        if (!take_quoted(s, '\''))
            return s->quoted.status ? s->quoted.status : CQL_BAD_VALUE;
        return cqln_scan_scalar(type, (cql_str){(const char *)s->quoted.data, s->quoted.len},
                                s->out);
    }
    if (is_text)
        return CQL_BAD_VALUE;
    bool colons = type->id == CQL_TYPE_TIME || type->id == CQL_TYPE_TIMESTAMP ||
                  type->id == CQL_TYPE_INET || type->id == CQL_TYPE_DURATION;
    return cqln_scan_scalar(type, colons ? token_with_colons(s) : token(s), s->out);
}

static bool take_null(scan *s)
{
    blanks(s);
    if (s->end - s->at < 4 || memcmp(s->at, "null", 4) != 0 ||
        (s->end - s->at > 4 && !ends_token(s->at[4])))
        return false;
    s->at += 4;
    return true;
}

/* A value with its length in front. */
static cql_status measured(scan *s, const cql_type *type, unsigned depth)
{
    size_t at = s->out->len;
    cqln_write_u32(s->out, 0);
    cql_status st = any(s, type, depth);
    if (st)
        return st;
    size_t len = s->out->len - at - 4;
    if (len > INT32_MAX)
        return CQL_TOO_LARGE;
    cqln_writer_patch_u32(s->out, at, (uint32_t)len);
    return s->out->status;
}

/* Elements (and what stands behind a colon) up to the closing bracket. */
static cql_status elements(scan *s, const cql_type *type, char close, unsigned depth)
{
    size_t at = s->out->len;
    uint32_t count = 0;
    cqln_write_u32(s->out, 0);
    if (take(s, close))
        return s->out->status;
    do {
        cql_status st = measured(s, type->items[0], depth);
        if (st == CQL_OK && type->id == CQL_TYPE_MAP)
            st = take(s, ':') ? measured(s, type->items[1], depth) : CQL_BAD_VALUE;
        if (st)
            return st;
        if (++count > ELEMENTS_MAX)
            return CQL_TOO_LARGE;
    } while (take(s, ','));
    cqln_writer_patch_u32(s->out, at, count);
    return take(s, close) ? s->out->status : CQL_BAD_VALUE;
}

/* In a vector, elements of a fixed size have no length; others a variable one, which is known behind
 * them. */
static cql_status vector_element(scan *s, const cql_type *of, unsigned depth)
{
    size_t at = s->out->len;
    cql_status st = any(s, of, depth);
    if (st || of->packed)
        return st;
    uint8_t length[9];
    size_t len = s->out->len - at;
    size_t n = cqln_store_uvint(length, len);
    if (!cqln_writer_reserve(s->out, n))
        return s->out->status;
    memmove(s->out->data + at + n, s->out->data + at, len);
    memcpy(s->out->data + at, length, n);
    s->out->len += n;
    return CQL_OK;
}

static cql_status vector(scan *s, const cql_type *type, unsigned depth)
{
    for (uint32_t i = 0; i < type->dimension; i++) {
        if (i > 0 && !take(s, ','))
            return CQL_BAD_VALUE;
        cql_status st = vector_element(s, type->items[0], depth);
        if (st)
            return st;
    }
    return take(s, ']') ? CQL_OK : CQL_BAD_VALUE;
}

static cql_status field(scan *s, const cql_type *type, unsigned depth)
{
    if (!take_null(s))
        return measured(s, type, depth);
    cqln_write_u32(s->out, UINT32_MAX);
    return s->out->status;
}

static cql_status tuple(scan *s, const cql_type *type, unsigned depth)
{
    for (uint32_t i = 0; i < type->count; i++) {
        if (i > 0 && !take(s, ','))
            return CQL_BAD_VALUE;
        cql_status st = field(s, type->items[i], depth);
        if (st)
            return st;
    }
    return take(s, ')') ? CQL_OK : CQL_BAD_VALUE;
}

/* Which field the next name is, in double quotes or plain, where capitals may stand for small letters; the number of
 * fields when it is none of them or no colon follows. */
static uint32_t take_name(scan *s, const cql_type *type)
{
    blanks(s);
    bool quoted = s->at < s->end && *s->at == '"';
    cql_str name = {NULL, 0};
    if (!quoted)
        name = token(s);
    else if (take_quoted(s, '"'))
        name = (cql_str){(const char *)s->quoted.data, s->quoted.len};
    uint32_t i = cqln_type_field(type, name, quoted);
    return take(s, ':') ? i : type->count;
}

/* Where field i begins, of those that begin at `at`. */
static size_t field_at(const cqln_writer *out, size_t at, uint32_t i)
{
    while (i-- > 0)
        at += cqln_bytes_size(out->data + at);
    return at;
}

/* Fields by their names in any order; those that are left out are null. */
static cql_status user_type(scan *s, const cql_type *type, unsigned depth)
{
    size_t at = s->out->len;
    for (uint32_t i = 0; i < type->count; i++)
        cqln_write_u32(s->out, UINT32_MAX);
    if (take(s, '}'))
        return s->out->status;
    do {
        uint32_t i = take_name(s, type);
        size_t value = s->out->len;
        cql_status st = i < type->count ? field(s, type->items[i], depth) : CQL_BAD_VALUE;
        if (st == CQL_OK && s->out->status == CQL_OK) {
            size_t place = field_at(s->out, at, i);
            cqln_writer_move_back(s->out, place, cqln_bytes_size(s->out->data + place), value);
        }
        if (st || s->out->status)
            return st ? st : s->out->status;
    } while (take(s, ','));
    return take(s, '}') ? CQL_OK : CQL_BAD_VALUE;
}

static cql_status any(scan *s, const cql_type *type, unsigned depth)
{
    if (depth > CQLN_TYPE_DEPTH)
        return CQL_TOO_LARGE;
    switch (type->id) {
    case CQL_TYPE_LIST:
        return take(s, '[') ? elements(s, type, ']', depth + 1) : CQL_BAD_VALUE;
    case CQL_TYPE_SET:
    case CQL_TYPE_MAP:
        return take(s, '{') ? elements(s, type, '}', depth + 1) : CQL_BAD_VALUE;
    case CQL_TYPE_TUPLE:
        return take(s, '(') ? tuple(s, type, depth + 1) : CQL_BAD_VALUE;
    case CQL_TYPE_UDT:
        return take(s, '{') ? user_type(s, type, depth + 1) : CQL_BAD_VALUE;
    case CQL_TYPE_VECTOR:
        return take(s, '[') ? vector(s, type, depth + 1) : CQL_BAD_VALUE;
    default:
        return scalar(s, type);
    }
}

cql_status cqln_value_scan(const cql_type *type, cql_str text, cqln_writer *out)
{
    if (type->id < CQL_TYPE_LIST)
        return cqln_scan_scalar(type, text, out); /* the whole text, whatever stands in it */
    scan s = {text.ptr, text.ptr + text.len, out, {0}};
    cqln_writer_init(&s.quoted, out->al, INT32_MAX);
    cql_status st = any(&s, type, 0);
    blanks(&s);
    if (st == CQL_OK && s.at != s.end)
        st = CQL_BAD_VALUE;
    cqln_writer_fini(&s.quoted);
    return st;
}

cql_status cql_value_parse(const cql_type *type, cql_str text, void *buf, size_t cap, size_t *len)
{
    cqln_writer out;
    if (!type || (!text.ptr && text.len) || (!buf && cap) || !len)
        return CQL_BAD_ARGUMENT;
    cqln_writer_init(&out, cqln_alloc_default(), INT32_MAX);
    cql_status st = cqln_value_scan(type, text, &out);
    if (st == CQL_OK) {
        *len = out.len;
        if (out.len > cap)
            st = CQL_TOO_LARGE;
        else if (out.len)
            memcpy(buf, out.data, out.len);
    }
    cqln_writer_fini(&out);
    return st;
}
