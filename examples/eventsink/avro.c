/* An Avro record as the text of a JSON object. A member of a union stands for itself, an enum for its
 * symbol's name, bytes for their hexadecimal digits. */
#include "eventsink/avro.h"

#include "common/json.h"
#include "common/memory.h"
#include "common/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64, FRAME_SIZE = 5, SCHEMA_MAX = 1 << 20, MEMORY_MAX = 64 << 20 };

/* --- memory ---------------------------------------------------------------------------------------- */

/* Avro's reader forgets the block of a string or of bytes that end too early, so each block is numbered,
 * and what a failed read left behind is found. One thread reads. */
typedef struct block block;
struct block {
    block *next;
    block *prev;
    uint64_t number;
    size_t size;
};

static block blocks = {&blocks, &blocks, 0, 0};
static uint64_t last_number;

static void take_out(block *b)
{
    b->next->prev = b->prev;
    b->prev->next = b->next;
}

static void put_in(block *b)
{
    b->next = blocks.next;
    b->prev = &blocks;
    b->next->prev = b;
    blocks.next = b;
}

static void *allocate(void *user, void *at, size_t old, size_t wanted)
{
    (void)user;
    (void)old;
    block *b = at ? (block *)at - 1 : NULL;
    if (wanted > MEMORY_MAX)
        return NULL;
    if (b)
        take_out(b);
    if (wanted == 0) {
        free(b);
        return NULL;
    }
    uint64_t number = b ? b->number : ++last_number;
    block *moved = realloc(b, sizeof *b + wanted);
    if (moved) {
        moved->number = number;
        moved->size = wanted;
        put_in(moved);
        return moved + 1;
    }
    if (b)
        put_in(b); /* as it was */
    return NULL;
}

/* Everything that was asked for after this number and is still there. */
static void sweep(uint64_t number)
{
    for (block *b = blocks.next, *next; b != &blocks; b = next) {
        next = b->next;
        if (b->number > number) {
            take_out(b);
            free(b);
        }
    }
}

size_t avro_event_memory(void)
{
    size_t all = 0;
    for (const block *b = blocks.next; b != &blocks; b = b->next)
        all += b->size;
    return all;
}

void avro_event_limit_memory(void)
{
    avro_set_allocator(allocate, NULL);
    avro_set_error("nothing"); /* the place of its errors stays: before all that is swept */
}

/* --- values ---------------------------------------------------------------------------------------- */

static cJSON *json_of(const avro_value_t *v, unsigned depth);

static cJSON *number_of(int64_t n)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, n);
    return cJSON_CreateRaw(digits); /* whole: cJSON's own numbers are floating point */
}

char *avro_event_bytes(const void *bytes, size_t len)
{
    char *text = tool_alloc(len * 2 + 3, 1);
    memcpy(text, "0x", 2);
    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 + i * 2, 3, "%02x", ((const unsigned char *)bytes)[i]);
    return text;
}

static cJSON *bytes_of(const avro_value_t *v)
{
    const void *bytes = NULL;
    size_t len = 0;
    int bad = avro_value_get_type(v) == AVRO_BYTES ? avro_value_get_bytes(v, &bytes, &len)
                                                   : avro_value_get_fixed(v, &bytes, &len);
    if (bad)
        return NULL;
    char *text = avro_event_bytes(bytes, len);
    cJSON *item = cJSON_CreateString(text);
    free(text);
    return item;
}

/* A text with a NUL in it is no text of the table's. */
static cJSON *text_of(const avro_value_t *v)
{
    const char *text = NULL;
    size_t size = 0; /* with the NUL at the end */
    if (avro_value_get_string(v, &text, &size) || !size || memchr(text, 0, size - 1))
        return NULL;
    return cJSON_CreateString(text);
}

static cJSON *symbol_of(const avro_value_t *v, int n)
{
    const char *name = avro_schema_enum_get(avro_value_get_schema(v), n);
    return name ? cJSON_CreateString(name) : NULL;
}

/* What has a single value. */
static cJSON *simple_of(const avro_value_t *v)
{
    int n = 0;
    int32_t i32 = 0;
    int64_t i64 = 0;
    float f = 0;
    double d = 0;
    switch (avro_value_get_type(v)) {
    case AVRO_STRING:
        return text_of(v);
    case AVRO_BYTES:
    case AVRO_FIXED:
        return bytes_of(v);
    case AVRO_INT32:
        return avro_value_get_int(v, &i32) ? NULL : number_of(i32);
    case AVRO_INT64:
        return avro_value_get_long(v, &i64) ? NULL : number_of(i64);
    case AVRO_FLOAT:
        return avro_value_get_float(v, &f) ? NULL : cJSON_CreateNumber((double)f);
    case AVRO_DOUBLE:
        return avro_value_get_double(v, &d) ? NULL : cJSON_CreateNumber(d);
    case AVRO_BOOLEAN:
        return avro_value_get_boolean(v, &n) ? NULL : cJSON_CreateBool(n);
    case AVRO_ENUM:
        return avro_value_get_enum(v, &n) ? NULL : symbol_of(v, n);
    default:
        return cJSON_CreateNull();
    }
}

/* A record, a map or an array. */
static cJSON *many_of(const avro_value_t *v, unsigned depth)
{
    bool named = avro_value_get_type(v) != AVRO_ARRAY;
    cJSON *all = named ? cJSON_CreateObject() : cJSON_CreateArray();
    size_t count = 0;
    bool fine = all && avro_value_get_size(v, &count) == 0;
    for (size_t i = 0; fine && i < count; i++) {
        avro_value_t child;
        const char *name = NULL;
        cJSON *item =
            avro_value_get_by_index(v, i, &child, &name) ? NULL : json_of(&child, depth + 1);
        fine = item && (named ? cJSON_AddItemToObject(all, name, item)
                              : cJSON_AddItemToArray(all, item));
    }
    if (fine)
        return all;
    cJSON_Delete(all);
    return NULL;
}

static cJSON *json_of(const avro_value_t *v, unsigned depth)
{
    avro_value_t branch;
    if (depth > DEPTH_MAX)
        return NULL;
    switch (avro_value_get_type(v)) {
    case AVRO_UNION:
        return avro_value_get_current_branch(v, &branch) ? NULL : json_of(&branch, depth + 1);
    case AVRO_RECORD:
    case AVRO_MAP:
    case AVRO_ARRAY:
        return many_of(v, depth);
    default:
        return simple_of(v);
    }
}

char *avro_event_json(avro_event *e, const char **why)
{
    cJSON *object = json_of(&e->value, 0);
    char *text = object ? cJSON_PrintUnformatted(object) : NULL;
    cJSON_Delete(object);
    if (!text)
        *why = "has a value that no event can have";
    return text;
}

/* A value as new, and nothing left of what was read into the old one since `number`. */
static bool renew(avro_event *e, uint64_t number)
{
    avro_value_decref(&e->value);
    avro_value_iface_decref(e->iface);
    sweep(number);
    e->value = (avro_value_t){NULL, NULL};
    e->iface = avro_generic_class_from_schema(e->schema);
    return e->iface && avro_generic_value_new(e->iface, &e->value) == 0;
}

char *avro_event_read(avro_event *e, const void *bytes, size_t len, const char **why)
{
    const char *frame = bytes;
    char more;
    if (len < FRAME_SIZE || frame[0] != 0) {
        *why = "does not begin with the five bytes of a schema registry";
        return NULL;
    }
    if (!e->value.iface) {
        *why = "cannot be read: memory was used up before";
        return NULL;
    }
    uint64_t number = last_number;
    avro_reader_t reader = avro_reader_memory(frame + FRAME_SIZE, (int64_t)(len - FRAME_SIZE));
    bool fine = reader && avro_value_reset(&e->value) == 0 && avro_value_read(reader, &e->value) == 0;
    bool whole = fine && avro_read(reader, &more, 1) != 0;
    if (reader)
        avro_reader_free(reader);
    if (whole)
        return avro_event_json(e, why);
    if (!fine)
        (void)renew(e, number); /* without memory the next record says so */
    *why = fine ? "is longer than a record of the schema" : "is not a record of the schema";
    return NULL;
}

/* --- schemas --------------------------------------------------------------------------------------- */

/* A type of this logical name somewhere in the type of a field. */
static const char *logical_name(const cJSON *type)
{
    const cJSON *each;
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(type, "logicalType");
    if (cJSON_IsString(name))
        return name->valuestring;
    if (cJSON_IsObject(type) && (each = cJSON_GetObjectItemCaseSensitive(type, "type")))
        return logical_name(each);
    if (cJSON_IsArray(type))
        cJSON_ArrayForEach(each, type)
        {
            const char *found = logical_name(each);
            if (found)
                return found;
        }
    return NULL;
}

/* The table keeps milliseconds. Avro's own reader knows no logical types: microseconds would be stored as
 * if they were milliseconds, and nobody would notice. */
const char *avro_event_schema_problem(const char *json, size_t len)
{
    const cJSON *field;
    const char *why = NULL;
    cJSON *schema = cJSON_ParseWithLength(json, len);
    const cJSON *fields = cJSON_GetObjectItemCaseSensitive(schema, "fields");
    if (!cJSON_IsArray(fields))
        why = "it is not the schema of a record";
    cJSON_ArrayForEach(field, fields)
    {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(field, "name");
        const char *logical = logical_name(cJSON_GetObjectItemCaseSensitive(field, "type"));
        if (cJSON_IsString(name) && strcmp(name->valuestring, "timestamp") == 0 && logical &&
            strcmp(logical, "timestamp-millis") != 0)
            why = "its field timestamp does not count milliseconds: a plain long or timestamp-millis "
                  "is wanted";
    }
    cJSON_Delete(schema);
    return why;
}

bool avro_event_take(avro_event *e, avro_schema_t schema)
{
    e->schema = schema;
    e->iface = avro_generic_class_from_schema(schema);
    return e->iface && avro_generic_value_new(e->iface, &e->value) == 0;
}

bool avro_event_open(avro_event *e, const char *path, const char *name)
{
    char *json = tool_alloc(SCHEMA_MAX, 1);
    FILE *f = fopen(path, "r");
    size_t len = f ? fread(json, 1, SCHEMA_MAX, f) : 0;
    const char *why = NULL;
    avro_schema_t schema = NULL;
    if (f)
        fclose(f);
    if (!f || !len || len == SCHEMA_MAX)
        why = "it cannot be read, is empty, or longer than 1 MiB";
    else if (!(why = avro_event_schema_problem(json, len)) &&
             avro_schema_from_json_length(json, len, &schema))
        why = avro_strerror();
    if (!why && !avro_event_take(e, schema))
        why = avro_strerror();
    free(json);
    if (why)
        tool_remark(name, "%s: %s", path, why);
    return !why;
}

void avro_event_free(avro_event *e)
{
    if (e->value.iface)
        avro_value_decref(&e->value);
    if (e->iface)
        avro_value_iface_decref(e->iface);
    if (e->schema)
        avro_schema_decref(e->schema);
    *e = (avro_event){.schema = NULL};
}
