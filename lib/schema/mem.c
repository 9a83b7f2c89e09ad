/* Memory, lists and texts of the schema module: a block chain over the session's allocator. */
#include "schema/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16384, FIRST_ITEMS = 8, FIRST_TEXT = 128 };

typedef struct cqlsch_block {
    struct cqlsch_block *next;
} block;

static void *plain_malloc(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void *plain_realloc(void *context, void *old, size_t size)
{
    (void)context;
    return realloc(old, size);
}

static void plain_free(void *context, void *old)
{
    (void)context;
    free(old);
}

void cqlsch_mem_init(cqlsch_mem *m, const cql_allocator *al)
{
    static const cql_allocator plain = {NULL, plain_malloc, plain_realloc, plain_free};
    memset(m, 0, sizeof *m);
    m->al = al ? *al : plain;
}

void cqlsch_mem_fini(cqlsch_mem *m)
{
    block *b = m->blocks;
    while (b) {
        block *next = b->next;
        m->al.free_fn(m->al.context, b);
        b = next;
    }
    m->blocks = NULL;
    m->at = m->end = NULL;
}

cql_status cqlsch_mem_status(const cqlsch_mem *m)
{
    return m->failed ? CQL_NO_MEMORY : CQL_OK;
}

static size_t aligned(size_t size)
{
    const size_t unit = _Alignof(max_align_t);
    return (size + unit - 1) / unit * unit;
}

/* A new block; what is left of the last one is given up, which large requests avoid by taking a
 * block of their own behind the current one. */
static void *alloc_slow(cqlsch_mem *m, size_t size)
{
    size_t head = aligned(sizeof(block));
    bool own = size > BLOCK_SIZE / 4;
    block *b = m->al.malloc_fn(m->al.context, head + (own ? size : BLOCK_SIZE));
    if (!b) {
        m->failed = true;
        return NULL;
    }
    b->next = m->blocks;
    m->blocks = b;
    char *start = (char *)b + head;
    if (!own) {
        m->at = start + size;
        m->end = start + BLOCK_SIZE;
    }
    return start;
}

void *cqlsch_alloc(cqlsch_mem *m, size_t size)
{
    if (size > SIZE_MAX / 2) {
        m->failed = true;
        return NULL;
    }
    size = aligned(size ? size : 1);
    void *out;
    if (m->at && size <= (size_t)(m->end - m->at)) {
        out = m->at;
        m->at += size;
    } else {
        out = alloc_slow(m, size);
    }
    if (out)
        memset(out, 0, size);
    return out;
}

cql_str cqlsch_copy(cqlsch_mem *m, cql_str text)
{
    char *copy = cqlsch_alloc(m, text.len + 1);
    if (!copy)
        return CQLSCH_NONE;
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    return (cql_str){copy, text.len};
}

const char *cqlsch_format_v(cqlsch_mem *m, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *out = len < 0 ? NULL : cqlsch_alloc(m, (size_t)len + 1);
    if (!out) {
        m->failed = true;
        return "";
    }
    (void)vsnprintf(out, (size_t)len + 1, format, args);
    return out;
}

const char *cqlsch_format(cqlsch_mem *m, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *out = cqlsch_format_v(m, format, args);
    va_end(args);
    return out;
}

void *cqlsch_push(cqlsch_mem *m, cqlsch_list *list, size_t item_size)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : FIRST_ITEMS;
        if (capacity > SIZE_MAX / 2 / item_size) {
            m->failed = true;
            return NULL;
        }
        void *items = cqlsch_alloc(m, capacity * item_size);
        if (!items)
            return NULL;
        if (list->count)
            memcpy(items, list->items, list->count * item_size);
        list->items = items;
        list->capacity = capacity;
    }
    return (char *)list->items + list->count++ * item_size;
}

cqlsch_list cqlsch_list_copy(cqlsch_mem *m, const cqlsch_list *from, size_t item_size)
{
    cqlsch_list out = {NULL, 0, 0};
    if (from->count == 0)
        return out;
    out.items = cqlsch_alloc(m, from->count * item_size);
    if (!out.items)
        return out;
    memcpy(out.items, from->items, from->count * item_size);
    out.count = out.capacity = from->count;
    return out;
}

void cqlsch_take_sized(void *out, size_t size, const void *given)
{
    size_t known = given ? *(const size_t *)given : 0;
    memset(out, 0, size);
    if (given)
        memcpy(out, given, known < size ? known : size);
}

void cqlsch_text_init(cqlsch_text *t, cqlsch_mem *m)
{
    *t = (cqlsch_text){.mem = m};
}

static bool text_room(cqlsch_text *t, size_t more)
{
    if (more > SIZE_MAX / 4 - t->len) {
        t->mem->failed = true;
        return false;
    }
    size_t need = t->len + more + 1;
    if (need <= t->capacity)
        return true;
    size_t capacity = t->capacity ? t->capacity * 2 : FIRST_TEXT;
    if (capacity < need)
        capacity = need;
    char *ptr = cqlsch_alloc(t->mem, capacity);
    if (!ptr)
        return false;
    if (t->len)
        memcpy(ptr, t->ptr, t->len);
    t->ptr = ptr;
    t->capacity = capacity;
    return true;
}

void cqlsch_text_add(cqlsch_text *t, cql_str piece)
{
    if (!text_room(t, piece.len))
        return;
    if (piece.len)
        memcpy(t->ptr + t->len, piece.ptr, piece.len);
    t->len += piece.len;
    t->ptr[t->len] = '\0';
}

void cqlsch_text_add_c(cqlsch_text *t, const char *nul_terminated)
{
    cqlsch_text_add(t, cql_str_of(nul_terminated));
}

cql_str cqlsch_text_str(cqlsch_text *t)
{
    if (!t->ptr)
        return (cql_str){"", 0};
    return (cql_str){t->ptr, t->len};
}

char cqlsch_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool cqlsch_same_nocase(cql_str a, cql_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (cqlsch_lower(a.ptr[i]) != cqlsch_lower(b.ptr[i]))
            return false;
    }
    return true;
}

bool cqlsch_is(cql_str a, const char *what)
{
    return cql_str_equal(a, cql_str_of(what));
}

bool cqlsch_same_word(cql_str a, const char *word)
{
    return cqlsch_same_nocase(a, cql_str_of(word));
}

cql_str cqlsch_sub(cql_str a, size_t from, size_t to)
{
    if (!a.ptr)
        return CQLSCH_NONE;
    if (to > a.len)
        to = a.len;
    if (from > to)
        from = to;
    return (cql_str){a.ptr + from, to - from};
}
