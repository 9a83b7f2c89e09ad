/* type_cql.c: types in CQL text, as system_schema has them, to descriptors.
 *
 *   type := name | name '<' type {',' type} '>' | vector '<' type ',' digits '>'
 *         | [name '.'] name | 'class'
 *   name := letters, digits and _ of either case, or anything between double quotes
 *
 * One pass, no step back. */
#include "types/type_parse.h"

#define FROZEN_ID 0xffff

typedef struct cql_parser {
    const char *at;
    const char *end;
    cqln_arena *a;
    unsigned brackets; /* open at this place */
} cql_parser;

typedef struct cql_name {
    cql_str text; /* lower case unless it was quoted; copied */
    bool quoted;
} cql_name;

static void skip_blanks(cql_parser *p)
{
    while (p->at < p->end && memchr(" \t\r\n", *p->at, 4))
        p->at++;
}

static bool take(cql_parser *p, char c)
{
    skip_blanks(p);
    if (p->at == p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool in_name(char c)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static cql_status bare_name(cql_parser *p, cql_str *out)
{
    const char *from = p->at;
    while (p->at < p->end && in_name(*p->at))
        p->at++;
    size_t len = (size_t)(p->at - from);
    char *text = len ? cqln_arena_alloc(p->a, len + 1) : NULL;
    if (!text)
        return len ? CQL_NO_MEMORY : CQL_MALFORMED;
    for (size_t i = 0; i < len; i++)
        text[i] = lower(from[i]);
    *out = (cql_str){text, len};
    return CQL_OK;
}

/* Behind an opening quote: up to the closing one; two of them stand for one. */
static cql_status quoted_name(cql_parser *p, char quote, cql_str *out)
{
    const char *from = p->at;
    size_t len = 0;
    for (;; p->at++, len++) {
        if (p->at == p->end)
            return CQL_MALFORMED;
        if (*p->at != quote)
            continue;
        if (p->end - p->at < 2 || p->at[1] != quote)
            break;
        p->at++;
    }
    p->at++;
    char *text = cqln_arena_alloc(p->a, len + 1);
    if (!text)
        return CQL_NO_MEMORY;
    for (size_t i = 0; i < len; i++, from++) {
        text[i] = *from;
        if (*from == quote)
            from++;
    }
    *out = (cql_str){text, len};
    return CQL_OK;
}

static cql_status read_name(cql_parser *p, cql_name *out)
{
    out->quoted = take(p, '"');
    return out->quoted ? quoted_name(p, '"', &out->text) : bare_name(p, &out->text);
}

static bool is(const cql_name *name, const char *keyword)
{
    return !name->quoted && cql_str_equal(name->text, cql_str_of(keyword));
}

/* The id of a name that takes parameters; 0 for others. */
static uint16_t generic_id(const cql_name *name)
{
    static const cql_type_id ids[] = {CQL_TYPE_LIST, CQL_TYPE_SET, CQL_TYPE_MAP, CQL_TYPE_TUPLE,
                                      CQL_TYPE_VECTOR};
    for (size_t i = 0; i < CQL_COUNT(ids); i++)
        if (is(name, cql_type_id_name(ids[i])))
            return (uint16_t)ids[i];
    return is(name, "frozen") ? FROZEN_ID : 0;
}

static const cql_type *scalar_of(const cql_name *name)
{
    if (name->quoted)
        return NULL;
    if (is(name, "varchar"))
        return cqln_type_scalar(CQL_TYPE_TEXT);
    for (uint16_t id = 1; id < CQL_TYPE_LIST; id++) {
        const cql_type *t = cqln_type_scalar(id);
        if (t && cql_str_equal(t->name, name->text))
            return t;
    }
    return NULL;
}

static cql_status one_type(cql_parser *p, unsigned depth, const cql_type **out);

static cql_status two_types(cql_parser *p, unsigned depth, const cql_type **first,
                            const cql_type **second)
{
    cql_status st = one_type(p, depth, first);
    if (st)
        return st;
    return take(p, ',') ? one_type(p, depth, second) : CQL_MALFORMED;
}

/* Commas of this level ahead and one: how many fields a tuple has. */
static uint32_t count_fields(const cql_parser *p)
{
    uint32_t count = 1;
    size_t open = 0;
    char quote = 0;
    for (const char *c = p->at; c < p->end; c++) {
        if (quote)
            quote = *c == quote ? 0 : quote;
        else if (*c == '"' || *c == '\'')
            quote = *c;
        else if (*c == '<')
            open++;
        else if (*c == '>' && open-- == 0)
            break;
        else if (*c == ',' && open == 0)
            count++;
    }
    return count;
}

static cql_status tuple_type(cql_parser *p, unsigned depth, const cql_type **out)
{
    cql_type *t = cqln_type_new(p->a, CQL_TYPE_TUPLE, count_fields(p));
    if (!t)
        return CQL_NO_MEMORY;
    for (uint32_t i = 0; i < t->count; i++) {
        if (i > 0 && !take(p, ','))
            return CQL_MALFORMED;
        cql_status st = one_type(p, depth, &t->items[i]);
        if (st)
            return st;
    }
    *out = t;
    return CQL_OK;
}

static cql_status vector_type(cql_parser *p, unsigned depth, const cql_type **out)
{
    const cql_type *item = NULL;
    cql_status st = one_type(p, depth, &item);
    if (st)
        return st;
    if (!take(p, ','))
        return CQL_MALFORMED;
    skip_blanks(p);
    uint64_t dimension = 0;
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++) {
        if (dimension > INT32_MAX)
            return CQL_MALFORMED;
        dimension = dimension * 10 + (uint64_t)(*p->at - '0');
    }
    return cqln_type_vector(p->a, item, dimension, out);
}

/* What stands between the brackets of list, set or map. */
static cql_status simple_type(cql_parser *p, unsigned depth, uint16_t id, const cql_type **out)
{
    cql_type *t = cqln_type_new(p->a, id, id == CQL_TYPE_MAP ? 2 : 1);
    if (!t)
        return CQL_NO_MEMORY;
    *out = t;
    if (id == CQL_TYPE_MAP)
        return two_types(p, depth, &t->items[0], &t->items[1]);
    return one_type(p, depth, &t->items[0]);
}

static cql_status generic_type(cql_parser *p, unsigned depth, uint16_t id, const cql_type **out)
{
    cql_status st;
    if (id != FROZEN_ID && depth >= CQLN_TYPE_DEPTH)
        return CQL_MALFORMED;
    if (++p->brackets > CQLN_TYPE_BRACKETS || !take(p, '<'))
        return CQL_MALFORMED;
    if (id == FROZEN_ID)
        st = one_type(p, depth, out);
    else if (id == CQL_TYPE_TUPLE)
        st = tuple_type(p, depth + 1, out);
    else if (id == CQL_TYPE_VECTOR)
        st = vector_type(p, depth + 1, out);
    else
        st = simple_type(p, depth + 1, id, out);
    if (st)
        return st;
    p->brackets--;
    return take(p, '>') ? CQL_OK : CQL_MALFORMED;
}

static cql_status user_type(cql_parser *p, const cql_name *first, const cql_type **out)
{
    cql_name name = *first;
    cql_name keyspace = {{"", 0}, false};
    if (take(p, '.')) {
        keyspace = name;
        cql_status st = read_name(p, &name);
        if (st)
            return st;
    }
    cql_type *t = cqln_type_new(p->a, CQL_TYPE_UDT, 0);
    if (!t)
        return CQL_NO_MEMORY;
    t->keyspace = keyspace.text;
    t->name = name.text;
    *out = t;
    return CQL_OK;
}

/* 'class' in single quotes. */
static cql_status class_type(cql_parser *p, unsigned depth, const cql_type **out)
{
    cql_str text = {NULL, 0};
    cql_status st = quoted_name(p, '\'', &text);
    return st ? st : cqln_type_parse_class_at(p->a, text, depth, out);
}

static cql_status one_type(cql_parser *p, unsigned depth, const cql_type **out)
{
    cql_name name;
    if (take(p, '\''))
        return class_type(p, depth, out);
    cql_status st = read_name(p, &name);
    if (st)
        return st;
    uint16_t id = generic_id(&name);
    if (id)
        return generic_type(p, depth, id, out);
    const cql_type *scalar = scalar_of(&name);
    if (scalar) {
        *out = scalar;
        return CQL_OK;
    }
    if (is(&name, "empty")) { /* the value column of some tables of old times */
        *out = cqln_type_custom(p->a, cql_str_of("org.apache.cassandra.db.marshal.EmptyType"));
        return *out ? CQL_OK : CQL_NO_MEMORY;
    }
    return user_type(p, &name, out);
}

cql_status cqln_type_parse_cql(cqln_arena *a, cql_str text, const cql_type **out)
{
    cql_parser p = {.at = text.ptr, .end = text.ptr + text.len, .a = a};
    const cql_type *t = NULL;
    cql_status st = one_type(&p, 0, &t);
    if (st)
        return st;
    skip_blanks(&p);
    if (p.at != p.end)
        return CQL_MALFORMED;
    *out = t;
    return CQL_OK;
}
