/* mem.h: memory of one schema run: everything is freed together, and a failure to get memory
 * sticks, so that it is checked once where a stage ends. */
#ifndef CQLSCH_MEM_H
#define CQLSCH_MEM_H

#include <cqlnative/base.h>
#include <stdarg.h>

typedef struct cqlsch_mem {
    cql_allocator al;
    struct cqlsch_block *blocks;
    char *at;
    char *end;
    bool failed; /* memory was asked for and not to be had */
} cqlsch_mem;

/* al NULL: the C library's functions. Takes no memory yet. */
void cqlsch_mem_init(cqlsch_mem *m, const cql_allocator *al);
void cqlsch_mem_fini(cqlsch_mem *m);
/* CQL_NO_MEMORY once anything failed. */
cql_status cqlsch_mem_status(const cqlsch_mem *m);
/* Zeroed, aligned for any type; NULL when memory is out. */
void *cqlsch_alloc(cqlsch_mem *m, size_t size);
/* A copy with a NUL behind it; the empty view when memory is out. */
cql_str cqlsch_copy(cqlsch_mem *m, cql_str text);
/* snprintf into memory of m; "" when memory is out. */
const char *cqlsch_format(cqlsch_mem *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

const char *cqlsch_format_v(cqlsch_mem *m, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* A growing array of items of one size. Pushing may move the items: hold indexes, not pointers. */
typedef struct cqlsch_list {
    void *items;
    size_t count;
    size_t capacity;
} cqlsch_list;

/* A new zeroed item at the end; NULL when memory is out. */
void *cqlsch_push(cqlsch_mem *m, cqlsch_list *list, size_t item_size);
/* A list of its own with the same items. */
cqlsch_list cqlsch_list_copy(cqlsch_mem *m, const cqlsch_list *from, size_t item_size);
#define CQLSCH_AT(type, list, i) (&((type *)(list)->items)[i])

/* A growing text. */
typedef struct cqlsch_text {
    cqlsch_mem *mem;
    char *ptr;
    size_t len;
    size_t capacity;
} cqlsch_text;

void cqlsch_text_init(cqlsch_text *t, cqlsch_mem *m);
void cqlsch_text_add(cqlsch_text *t, cql_str piece);
void cqlsch_text_add_c(cqlsch_text *t, const char *nul_terminated);
/* What was added, with a NUL behind it. */
cql_str cqlsch_text_str(cqlsch_text *t);

/* The caller's options, a struct that begins with its size, of whatever size its version knows; the rest, or all
 * where none are given, is zero. */
void cqlsch_take_sized(void *out, size_t size, const void *given);

/* A text that stands in the source, and the empty one. */
#define CQLSCH_TEXT(literal) ((cql_str){literal, sizeof literal - 1})
#define CQLSCH_NONE CQLSCH_TEXT("")
bool cqlsch_is(cql_str a, const char *what);
/* ASCII-only comparison without case: keywords and option names. */
bool cqlsch_same_word(cql_str a, const char *word);
bool cqlsch_same_nocase(cql_str a, cql_str b);
char cqlsch_lower(char c);
/* The bytes of a from `from` to before `to` (not beyond its end). */
cql_str cqlsch_sub(cql_str a, size_t from, size_t to);

#endif
