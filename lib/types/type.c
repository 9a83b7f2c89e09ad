/* type.c: type descriptors: the scalars, the [option] of the wire (native_protocol section 3, with
 * the ids of section 6) and the public accessors. Class strings and CQL text are read elsewhere. */
#include "types/type.h"

#include "types/type_parse.h"

/* The two common rows of the table below: a type of changing length, and one of a fixed length
 * whose every value is good. */
#define NAME(text)         .name = {(text), sizeof(text) - 1}
#define VARIES(type, text) [type] = {.id = (type), .empty_ok = true, NAME(text)}
#define FIXED(type, size, text)                                                                    \
    [type] = {.id = (type),                                                                        \
              .fixed = (size),                                                                     \
              .plain = (size),                                                                     \
              .empty_ok = true,                                                                    \
              .packed = (size),                                                                    \
              NAME(text)}

/* Indexed by id. In a vector only the types that the server counts as fixed have no length:
 * smallint, tinyint, date and time are not among them although their size never varies. */
static const cql_type scalars[] = {
    VARIES(CQL_TYPE_ASCII, "ascii"),
    FIXED(CQL_TYPE_BIGINT, 8, "bigint"),
    VARIES(CQL_TYPE_BLOB, "blob"),
    FIXED(CQL_TYPE_BOOLEAN, 1, "boolean"),
    FIXED(CQL_TYPE_COUNTER, 8, "counter"),
    VARIES(CQL_TYPE_DECIMAL, "decimal"),
    FIXED(CQL_TYPE_DOUBLE, 8, "double"),
    FIXED(CQL_TYPE_FLOAT, 4, "float"),
    FIXED(CQL_TYPE_INT, 4, "int"),
    FIXED(CQL_TYPE_TIMESTAMP, 8, "timestamp"),
    FIXED(CQL_TYPE_UUID, 16, "uuid"),
    VARIES(CQL_TYPE_TEXT, "text"),
    VARIES(CQL_TYPE_VARINT, "varint"),
    [CQL_TYPE_TIMEUUID] =
        {.id = CQL_TYPE_TIMEUUID, .fixed = 16, .empty_ok = true, .packed = 16, NAME("timeuuid")},
    VARIES(CQL_TYPE_INET, "inet"),
    [CQL_TYPE_DATE] = {.id = CQL_TYPE_DATE, .fixed = 4, .plain = 4, NAME("date")},
    [CQL_TYPE_TIME] = {.id = CQL_TYPE_TIME, .fixed = 8, NAME("time")},
    [CQL_TYPE_SMALLINT] = {.id = CQL_TYPE_SMALLINT, .fixed = 2, .plain = 2, NAME("smallint")},
    [CQL_TYPE_TINYINT] = {.id = CQL_TYPE_TINYINT, .fixed = 1, .plain = 1, NAME("tinyint")},
    [CQL_TYPE_DURATION] = {.id = CQL_TYPE_DURATION, NAME("duration")},
};

/* What an id that this library does not know becomes: a column of bytes. */
static const cql_type opaque = {.id = CQL_TYPE_CUSTOM, .empty_ok = true};

const cql_type *cqln_type_scalar(uint16_t id)
{
    /* The gaps of the table have id 0, which is that of a custom type. */
    if (id == CQL_TYPE_CUSTOM || id >= CQL_COUNT(scalars) || scalars[id].id != id)
        return NULL;
    return &scalars[id];
}

cql_type *cqln_type_new(cqln_arena *a, uint16_t id, uint32_t count)
{
    cql_type *t = cqln_arena_alloc(a, sizeof *t);
    if (!t)
        return NULL;
    t->id = id;
    t->count = count;
    t->empty_ok = id == CQL_TYPE_UDT || id == CQL_TYPE_TUPLE || id == CQL_TYPE_CUSTOM;
    if (count == 0)
        return t;
    t->items = cqln_arena_array(a, count, sizeof *t->items);
    return t->items ? t : NULL;
}

const cql_type *cqln_type_custom(cqln_arena *a, cql_str name)
{
    cql_type *t = cqln_type_new(a, CQL_TYPE_CUSTOM, 0);
    if (!t)
        return NULL;
    t->name = cqln_arena_str(a, name);
    return t->name.ptr ? t : NULL;
}

cql_status cqln_type_vector(cqln_arena *a, const cql_type *item, uint64_t dimension,
                            const cql_type **out)
{
    /* An element takes a byte at least, and a value has 2^31-1 at most. */
    uint64_t each = item->packed ? item->packed : 1;
    if (dimension == 0 || dimension > INT32_MAX / each)
        return CQL_MALFORMED;
    cql_type *t = cqln_type_new(a, CQL_TYPE_VECTOR, 1);
    if (!t)
        return CQL_NO_MEMORY;
    t->items[0] = item;
    t->dimension = (uint32_t)dimension;
    t->packed = (uint32_t)(dimension * item->packed);
    *out = t;
    return CQL_OK;
}

/* --- [option] --------------------------------------------------------------------------------- */

static cql_status read_option(cqln_reader *rd, cqln_arena *a, unsigned depth, const cql_type **out);

/* [string], borrowed. */
static cql_str read_string(cqln_reader *rd)
{
    uint16_t len = cqln_read_u16(rd);
    const uint8_t *p = cqln_read_bytes(rd, len);
    return p ? (cql_str){(const char *)p, len} : (cql_str){NULL, 0};
}

static cql_status read_items(cqln_reader *rd, cqln_arena *a, unsigned depth, uint16_t id,
                             uint32_t count, const cql_type **out)
{
    /* Each item takes two bytes at least: hostile counts end here, before memory is taken. */
    if (rd->failed || count > cqln_reader_left(rd) / 2)
        return CQL_MALFORMED;
    cql_type *t = cqln_type_new(a, id, count);
    if (!t)
        return CQL_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        cql_status st = read_option(rd, a, depth + 1, &t->items[i]);
        if (st)
            return st;
    }
    *out = t;
    return CQL_OK;
}

static cql_status read_udt(cqln_reader *rd, cqln_arena *a, unsigned depth, const cql_type **out)
{
    cql_str keyspace = read_string(rd);
    cql_str name = read_string(rd);
    uint16_t count = cqln_read_u16(rd);
    if (rd->failed || count > cqln_reader_left(rd) / 4)
        return CQL_MALFORMED;
    cql_type *t = cqln_type_new(a, CQL_TYPE_UDT, count);
    cql_str *fields = t ? cqln_arena_array(a, count, sizeof *fields) : NULL;
    if (!t || (!fields && count))
        return CQL_NO_MEMORY;
    t->keyspace = cqln_arena_str(a, keyspace);
    t->name = cqln_arena_str(a, name);
    if (!t->keyspace.ptr || !t->name.ptr)
        return CQL_NO_MEMORY;
    t->fields = fields;
    for (uint16_t i = 0; i < count; i++) {
        cql_str field = read_string(rd);
        if (rd->failed)
            return CQL_MALFORMED;
        fields[i] = cqln_arena_str(a, field);
        if (!fields[i].ptr)
            return CQL_NO_MEMORY;
        cql_status st = read_option(rd, a, depth + 1, &t->items[i]);
        if (st)
            return st;
    }
    *out = t;
    return CQL_OK;
}

/* Does the option have others inside? */
static bool is_nested(uint16_t id)
{
    return id == CQL_TYPE_LIST || id == CQL_TYPE_SET || id == CQL_TYPE_MAP ||
           id == CQL_TYPE_TUPLE || id == CQL_TYPE_UDT;
}

static cql_status read_option(cqln_reader *rd, cqln_arena *a, unsigned depth, const cql_type **out)
{
    uint16_t id = cqln_read_u16(rd);
    if (rd->failed)
        return CQL_MALFORMED;
    const cql_type *scalar = cqln_type_scalar(id);
    if (scalar) {
        *out = scalar;
        return CQL_OK;
    }
    if (is_nested(id) && depth >= CQLN_TYPE_DEPTH)
        return CQL_MALFORMED;
    switch (id) {
    case CQL_TYPE_CUSTOM: {
        cql_str text = read_string(rd);
        return rd->failed ? CQL_MALFORMED : cqln_type_parse_class_at(a, text, depth, out);
    }
    case CQL_TYPE_LIST:
    case CQL_TYPE_SET:
        return read_items(rd, a, depth, id, 1, out);
    case CQL_TYPE_MAP:
        return read_items(rd, a, depth, id, 2, out);
    case CQL_TYPE_TUPLE: {
        uint16_t count = cqln_read_u16(rd);
        return read_items(rd, a, depth, id, count, out);
    }
    case CQL_TYPE_UDT:
        return read_udt(rd, a, depth, out);
    default:
        *out = &opaque;
        return CQL_OK;
    }
}

cql_status cqln_type_read(cqln_reader *rd, cqln_arena *a, const cql_type **out)
{
    return read_option(rd, a, 0, out);
}

static bool skip_option(cqln_reader *rd, unsigned depth)
{
    uint16_t id = cqln_read_u16(rd);
    uint32_t count = 0;
    switch (id) {
    case CQL_TYPE_CUSTOM:
        read_string(rd);
        return !rd->failed;
    case CQL_TYPE_LIST:
    case CQL_TYPE_SET:
        count = 1;
        break;
    case CQL_TYPE_MAP:
        count = 2;
        break;
    case CQL_TYPE_UDT:
        read_string(rd);
        read_string(rd);
        count = cqln_read_u16(rd);
        break;
    case CQL_TYPE_TUPLE:
        count = cqln_read_u16(rd);
        break;
    default:
        return !rd->failed;
    }
    if (depth >= CQLN_TYPE_DEPTH)
        return false;
    for (uint32_t i = 0; i < count && !rd->failed; i++) {
        if (id == CQL_TYPE_UDT)
            read_string(rd);
        if (!skip_option(rd, depth + 1))
            return false;
    }
    return !rd->failed;
}

bool cqln_type_skip(cqln_reader *rd)
{
    return skip_option(rd, 0);
}

/* --- public accessors ------------------------------------------------------------------------- */

cql_type_id cql_type_of(const cql_type *type)
{
    return type ? (cql_type_id)type->id : CQL_TYPE_CUSTOM;
}

size_t cql_type_count(const cql_type *type)
{
    return type ? type->count : 0;
}

const cql_type *cql_type_at(const cql_type *type, size_t i)
{
    return type && i < type->count ? type->items[i] : NULL;
}

uint32_t cql_type_dimension(const cql_type *type)
{
    return type ? type->dimension : 0;
}

cql_str cql_type_name(const cql_type *type)
{
    if (!type)
        return (cql_str){"", 0};
    if (type->name.ptr)
        return type->name;
    return type->id == CQL_TYPE_CUSTOM ? (cql_str){"", 0}
                                       : cql_str_of(cql_type_id_name((cql_type_id)type->id));
}

cql_str cql_type_keyspace(const cql_type *type)
{
    return type && type->keyspace.ptr ? type->keyspace : (cql_str){"", 0};
}

cql_str cql_type_field(const cql_type *type, size_t i)
{
    return type && type->fields && i < type->count ? type->fields[i] : (cql_str){"", 0};
}

/* Plain: capitals of the name may stand for small letters. */
static bool is_name(cql_str field, cql_str name, bool plain)
{
    for (size_t i = 0; i < name.len && field.len == name.len; i++) {
        char c = name.ptr[i];
        if (field.ptr[i] != c && (!plain || c < 'A' || c > 'Z' || field.ptr[i] != (c | 0x20)))
            return false;
    }
    return field.len == name.len;
}

uint32_t cqln_type_field(const cql_type *type, cql_str name, bool quoted)
{
    for (int plain = 0; plain < 2 - quoted; plain++)
        for (uint32_t i = 0; i < type->count; i++)
            if (is_name(type->fields[i], name, plain))
                return i;
    return type->count;
}

cql_status cql_type_field_index(const cql_type *type, const char *name, size_t *i)
{
    if (!type || !name || !i)
        return CQL_BAD_ARGUMENT;
    if (type->id != CQL_TYPE_UDT)
        return CQL_TYPE_MISMATCH;
    cql_str text = cql_str_of(name);
    bool quoted = text.len > 1 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"';
    if (quoted)
        text = (cql_str){text.ptr + 1, text.len - 2};
    uint32_t found = cqln_type_field(type, text, quoted);
    if (found == type->count)
        return CQL_NO_SUCH_NAME;
    *i = found;
    return CQL_OK;
}

const char *cql_type_id_name(cql_type_id id)
{
    switch (id) {
    case CQL_TYPE_CUSTOM:
        return "custom";
    case CQL_TYPE_LIST:
        return "list";
    case CQL_TYPE_MAP:
        return "map";
    case CQL_TYPE_SET:
        return "set";
    case CQL_TYPE_UDT:
        return "udt";
    case CQL_TYPE_TUPLE:
        return "tuple";
    case CQL_TYPE_VECTOR:
        return "vector";
    default:
        break;
    }
    const cql_type *scalar = (unsigned)id <= UINT16_MAX ? cqln_type_scalar((uint16_t)id) : NULL;
    return scalar ? scalar->name.ptr : "unknown";
}

bool cqln_type_same(const cql_type *a, const cql_type *b)
{
    if (a == b)
        return true;
    if (a->id != b->id || a->count != b->count || a->dimension != b->dimension ||
        !cql_str_equal(a->name, b->name) || !cql_str_equal(a->keyspace, b->keyspace))
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!cqln_type_same(a->items[i], b->items[i]) ||
            (a->fields && b->fields && !cql_str_equal(a->fields[i], b->fields[i])))
            return false;
    return true;
}

static bool names_a_field(const cql_type *t, cql_str name)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (cql_str_equal(t->fields[i], name))
            return true;
    return false;
}

/* A field with another name has got that, unless the name it had is another field's now, or another field had the one it has. */
static bool fields_moved(const cql_type *a, const cql_type *b, uint32_t count)
{
    for (uint32_t i = 0; a->fields && b->fields && i < count; i++)
        if (!cql_str_equal(a->fields[i], b->fields[i]) &&
            (names_a_field(b, a->fields[i]) || names_a_field(a, b->fields[i])))
            return true;
    return false;
}

bool cqln_type_fits(const cql_type *a, const cql_type *b)
{
    uint32_t count = a->count < b->count ? a->count : b->count;
    if (a == b || a->id == CQL_TYPE_CUSTOM || b->id == CQL_TYPE_CUSTOM)
        return true;
    if (a->id != b->id || a->dimension != b->dimension ||
        (a->count != b->count && a->id != CQL_TYPE_UDT) || fields_moved(a, b, count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!cqln_type_fits(a->items[i], b->items[i]))
            return false;
    return true;
}
