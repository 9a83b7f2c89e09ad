/* type_class.c: class strings of the server to descriptors, for example
 * org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal.FloatType , 3).
 *
 * Whatever is not understood stays a custom type with its text, also in the middle of a known type;
 * only unbalanced brackets make the whole string opaque. Each nesting level reads a text at most
 * twice (once to understand it, once to step over it when that failed), and levels are limited, so
 * that the time is linear in the length. */
#include "types/hex.h"
#include "types/type_parse.h"

typedef struct class_parser {
    const char *at;
    const char *end;
    cqln_arena *a;
    unsigned brackets; /* open at this place */
    bool unbalanced;
    bool no_memory;
} class_parser;

typedef struct class_name {
    const char *name;
    uint16_t id;
} class_name;

static const class_name scalar_classes[] = {
    {"AsciiType", CQL_TYPE_ASCII},
    {"LongType", CQL_TYPE_BIGINT},
    {"BytesType", CQL_TYPE_BLOB},
    {"BooleanType", CQL_TYPE_BOOLEAN},
    {"CounterColumnType", CQL_TYPE_COUNTER},
    {"DecimalType", CQL_TYPE_DECIMAL},
    {"DoubleType", CQL_TYPE_DOUBLE},
    {"FloatType", CQL_TYPE_FLOAT},
    {"Int32Type", CQL_TYPE_INT},
    {"TimestampType", CQL_TYPE_TIMESTAMP},
    {"DateType", CQL_TYPE_TIMESTAMP},
    {"UUIDType", CQL_TYPE_UUID},
    {"LexicalUUIDType", CQL_TYPE_UUID},
    {"UTF8Type", CQL_TYPE_TEXT},
    {"IntegerType", CQL_TYPE_VARINT},
    {"TimeUUIDType", CQL_TYPE_TIMEUUID},
    {"InetAddressType", CQL_TYPE_INET},
    {"SimpleDateType", CQL_TYPE_DATE},
    {"TimeType", CQL_TYPE_TIME},
    {"ShortType", CQL_TYPE_SMALLINT},
    {"ByteType", CQL_TYPE_TINYINT},
    {"DurationType", CQL_TYPE_DURATION},
};

/* FROZEN stands for both classes that only wrap another one. */
enum { FROZEN = 0xffff };
static const class_name generic_classes[] = {
    {"ListType", CQL_TYPE_LIST},   {"SetType", CQL_TYPE_SET},  {"MapType", CQL_TYPE_MAP},
    {"TupleType", CQL_TYPE_TUPLE}, {"UserType", CQL_TYPE_UDT}, {"VectorType", CQL_TYPE_VECTOR},
    {"FrozenType", FROZEN},        {"ReversedType", FROZEN},
};

static cql_str without_package(cql_str name)
{
    const cql_str package = {CQLN_TYPE_PACKAGE, sizeof CQLN_TYPE_PACKAGE - 1};
    if (name.len > package.len && memcmp(name.ptr, package.ptr, package.len) == 0)
        return (cql_str){name.ptr + package.len, name.len - package.len};
    return name;
}

static const class_name *find_class(const class_name *table, size_t count, cql_str full)
{
    cql_str name = without_package(full);
    for (size_t i = 0; i < count; i++)
        if (cql_str_equal(name, cql_str_of(table[i].name)))
            return &table[i];
    return NULL;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(class_parser *p)
{
    while (p->at < p->end && is_blank(*p->at))
        p->at++;
}

static cql_str trimmed(const char *from, const char *to)
{
    while (from < to && is_blank(*from))
        from++;
    while (to > from && is_blank(to[-1]))
        to--;
    return (cql_str){from, (size_t)(to - from)};
}

/* Everything up to a bracket, comma, colon or blank. */
static cql_str word(class_parser *p)
{
    skip_blanks(p);
    const char *from = p->at;
    while (p->at < p->end && !is_blank(*p->at) && !memchr("(),:", *p->at, 4))
        p->at++;
    return (cql_str){from, (size_t)(p->at - from)};
}

/* Takes the character if it is the next one behind blanks. */
static bool take(class_parser *p, char c)
{
    skip_blanks(p);
    if (p->at == p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

/* Steps over one argument of any form: to a comma or closing bracket of this level, or the end. */
static void skip_argument(class_parser *p)
{
    size_t open = 0;
    for (; p->at < p->end; p->at++) {
        if (*p->at == '(') {
            open++;
        } else if (*p->at == ')') {
            if (open == 0)
                return;
            open--;
        } else if (*p->at == ',' && open == 0) {
            return;
        }
    }
    if (open > 0)
        p->unbalanced = true;
}

static const cql_type *keep(class_parser *p, const void *made)
{
    if (!made)
        p->no_memory = true;
    return made;
}

static const cql_type *one_class(class_parser *p, unsigned depth);

static const cql_type *items_class(class_parser *p, unsigned depth, uint16_t id, uint32_t count)
{
    cql_type *t = cqln_type_new(p->a, id, count);
    if (!keep(p, t))
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && !take(p, ','))
            return NULL;
        t->items[i] = one_class(p, depth + 1);
        if (!t->items[i])
            return NULL;
    }
    return t;
}

/* Arguments up to the closing bracket of this level, at least one; p stays where it is. */
static uint32_t count_arguments(const class_parser *p)
{
    class_parser ahead = *p;
    uint32_t count = 1;
    skip_argument(&ahead);
    while (ahead.at < ahead.end && *ahead.at == ',') {
        ahead.at++;
        count++;
        skip_argument(&ahead);
    }
    return count;
}

/* A name written as hex digits, decoded into the arena; ptr NULL when it is none. */
static cql_str hex_name(class_parser *p)
{
    const cql_str none = {NULL, 0};
    cql_str hex = word(p);
    if (hex.len % 2)
        return none;
    char *text = cqln_arena_alloc(p->a, hex.len / 2 + 1);
    if (!keep(p, text))
        return none;
    for (size_t i = 0; i < hex.len; i += 2) {
        int high = cqln_hex_digit(hex.ptr[i]);
        int low = cqln_hex_digit(hex.ptr[i + 1]);
        if (high < 0 || low < 0)
            return none;
        text[i / 2] = (char)(high * 16 + low);
    }
    return (cql_str){text, hex.len / 2};
}

/* UserType(keyspace,hexname,hexfield:type,…) */
static const cql_type *user_class(class_parser *p, unsigned depth)
{
    uint32_t arguments = count_arguments(p);
    cql_str keyspace = word(p);
    if (arguments < 2 || !take(p, ','))
        return NULL;
    cql_str name = hex_name(p);
    if (!name.ptr)
        return NULL;
    uint32_t count = arguments - 2;
    cql_type *t = cqln_type_new(p->a, CQL_TYPE_UDT, count);
    cql_str *fields = count ? cqln_arena_array(p->a, count, sizeof *fields) : NULL;
    if (!keep(p, t) || (count && !keep(p, fields)))
        return NULL;
    t->keyspace = cqln_arena_str(p->a, keyspace);
    if (!keep(p, t->keyspace.ptr))
        return NULL;
    t->name = name;
    t->fields = fields;
    for (uint32_t i = 0; i < count; i++) {
        if (!take(p, ','))
            return NULL;
        fields[i] = hex_name(p);
        if (!fields[i].ptr || !take(p, ':'))
            return NULL;
        t->items[i] = one_class(p, depth + 1);
        if (!t->items[i])
            return NULL;
    }
    return t;
}

/* VectorType(type , dimension) */
static const cql_type *vector_class(class_parser *p, unsigned depth)
{
    const cql_type *item = one_class(p, depth + 1);
    if (!item || !take(p, ','))
        return NULL;
    cql_str digits = word(p);
    uint64_t dimension = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9' || dimension > INT32_MAX)
            return NULL;
        dimension = dimension * 10 + (uint64_t)(digits.ptr[i] - '0');
    }
    const cql_type *t = NULL;
    if (cqln_type_vector(p->a, item, dimension, &t) == CQL_NO_MEMORY)
        p->no_memory = true;
    return t;
}

/* The arguments of a known class behind its bracket. NULL when they are not as they should be. */
static const cql_type *arguments_of(class_parser *p, uint16_t id, unsigned depth)
{
    switch (id) {
    case FROZEN:
        return one_class(p, depth);
    case CQL_TYPE_LIST:
    case CQL_TYPE_SET:
        return items_class(p, depth, id, 1);
    case CQL_TYPE_MAP:
        return items_class(p, depth, id, 2);
    case CQL_TYPE_TUPLE:
        return items_class(p, depth, id, count_arguments(p));
    case CQL_TYPE_UDT:
        return user_class(p, depth);
    default:
        return vector_class(p, depth);
    }
}

/* One class with its arguments; what is not understood becomes a custom type of its text. NULL when
 * nothing is there, the brackets do not match or memory is out. */
static const cql_type *one_class(class_parser *p, unsigned depth)
{
    skip_blanks(p);
    const char *from = p->at;
    cql_str name = word(p);
    const class_name *known = NULL;
    if (!take(p, '(')) {
        known = find_class(scalar_classes, CQL_COUNT(scalar_classes), name);
        skip_blanks(p);
        bool whole = p->at == p->end || *p->at == ',' || *p->at == ')';
        if (known && whole)
            return cqln_type_scalar(known->id);
    } else if (p->brackets < CQLN_TYPE_BRACKETS) {
        p->brackets++;
        known = find_class(generic_classes, CQL_COUNT(generic_classes), name);
        bool allowed = known && (known->id == FROZEN || depth < CQLN_TYPE_DEPTH);
        const cql_type *t = allowed ? arguments_of(p, known->id, depth) : NULL;
        p->brackets--;
        if (p->unbalanced || p->no_memory)
            return NULL;
        if (t && take(p, ')'))
            return t;
    }
    p->at = from;
    skip_argument(p);
    if (p->unbalanced)
        return NULL;
    cql_str text = trimmed(from, p->at);
    if (text.len == 0)
        return NULL;
    return keep(p, cqln_type_custom(p->a, text));
}

cql_status cqln_type_parse_class_at(cqln_arena *a, cql_str text, unsigned depth,
                                    const cql_type **out)
{
    class_parser p = {.at = text.ptr, .end = text.ptr + text.len, .a = a};
    const cql_type *t = text.len ? one_class(&p, depth) : NULL;
    skip_blanks(&p);
    if (p.no_memory)
        return CQL_NO_MEMORY;
    if (!t || p.at != p.end)
        t = cqln_type_custom(a, text);
    if (!t)
        return CQL_NO_MEMORY;
    *out = t;
    return CQL_OK;
}

cql_status cqln_type_parse_class(cqln_arena *a, cql_str text, const cql_type **out)
{
    return cqln_type_parse_class_at(a, text, 0, out);
}
