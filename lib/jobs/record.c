/* record.c: building, copying and freeing jobs and lists of them; the names of the states. */
#include "jobs/record.h"
#include "jobs/memory.h"

#include <string.h>

/* What stands before a job handed to a program: cql_job_info_free has only the job. */
typedef struct info_block {
    cql_allocator al;
    cql_job_info info;
} info_block;

struct cql_job_list {
    cql_allocator al;
    cql_job_info **items;
    size_t count;
    size_t cap;
};

enum { LIST_LIMIT = 1000000 };

void cqljob_info_init(cql_job_info *info)
{
    memset(info, 0, sizeof *info);
    info->created_at = info->scheduled_at = info->executed_at = CQL_JOB_NO_TIME;
}

static info_block *block_of(cql_job_info *info)
{
    return (info_block *)(void *)((char *)info - offsetof(info_block, info));
}

void *cqljob_pack(const cql_allocator *al, const void *from, size_t size, size_t before,
                  const uint8_t *texts, size_t count)
{
    size_t total = before + size;
    char *block, *at;

    for (size_t i = 0; i < count; i++)
        total += ((const cql_str *)(const void *)((const char *)from + texts[i]))->len + 1;
    block = cqljob_alloc(al, total);
    if (!block)
        return NULL;
    block = memcpy(block + before, from, size);
    at = block + size;
    for (size_t i = 0; i < count; i++) {
        cql_str *text = (cql_str *)(void *)(block + texts[i]);

        if (!text->ptr)
            continue;
        text->ptr = memcpy(at, text->ptr, text->len);
        at[text->len] = 0;
        at += text->len + 1;
    }
    return block;
}

cql_job_info *cqljob_info_new(const cql_allocator *al, const cql_job_info *from)
{
    static const uint8_t texts[] = {
        offsetof(cql_job_info, id),        offsetof(cql_job_info, type),
        offsetof(cql_job_info, arguments), offsetof(cql_job_info, error_message),
        offsetof(cql_job_info, result),    offsetof(cql_job_info, claim),
        offsetof(cql_job_info, batch_id),  offsetof(cql_job_info, parent_job_id)};
    cql_job_info *copy =
        cqljob_pack(al, from, sizeof *from, offsetof(info_block, info), texts, sizeof texts);

    if (copy)
        block_of(copy)->al = *al;
    return copy;
}

void cql_job_info_free(cql_job_info *info)
{
    cql_allocator al;

    if (!info)
        return;
    al = block_of(info)->al;
    cqljob_free(&al, block_of(info));
}

cql_job_list *cqljob_list_new(const cql_allocator *al)
{
    cql_job_list *list = cqljob_zalloc(al, sizeof *list);

    if (list)
        list->al = *al;
    return list;
}

cql_status cqljob_list_add(cql_job_list *list, cql_job_info *info)
{
    void *items = list->items;
    cql_status st = cqljob_grow(&list->al, &items, &list->cap, list->count + 1, LIST_LIMIT,
                                sizeof list->items[0]);

    if (st) {
        cql_job_info_free(info);
        return st;
    }
    list->items = items;
    list->items[list->count++] = info;
    return CQL_OK;
}

size_t cql_job_list_count(const cql_job_list *list)
{
    return list ? list->count : 0;
}

const cql_job_info *cql_job_list_at(const cql_job_list *list, size_t i)
{
    return list && i < list->count ? list->items[i] : NULL;
}

void cql_job_list_free(cql_job_list *list)
{
    cql_allocator al;

    if (!list)
        return;
    al = list->al;
    for (size_t i = 0; i < list->count; i++)
        cql_job_info_free(list->items[i]);
    cqljob_free(&al, list->items);
    cqljob_free(&al, list);
}

/* --- states ----------------------------------------------------------------------------------- */
static const char *const state_names[] = {
    "created",       "scheduled", "processing", "succeeded",
    "failed",        "cancelled", "abandoned",  "awaiting-continuation",
    "awaiting-batch"};

const char *cql_job_state_name(int state)
{
    return state >= 0 && (size_t)state < CQL_COUNT(state_names) ? state_names[state] : "unknown";
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_name(cql_str text, const char *name)
{
    if (text.len != strlen(name))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (lower(text.ptr[i]) != name[i])
            return false;
    return true;
}

cql_status cql_job_state_parse(cql_str text, cql_job_state *out)
{
    for (size_t i = 0; i < CQL_COUNT(state_names); i++) {
        char digit = (char)('0' + i);

        if (same_name(text, state_names[i]) || (text.len == 1 && text.ptr[0] == digit)) {
            *out = (cql_job_state)i;
            return CQL_OK;
        }
    }
    return CQL_NO_SUCH_NAME;
}

bool cql_job_state_is_final(int state)
{
    return state == CQL_JOB_SUCCEEDED || state == CQL_JOB_CANCELLED || state == CQL_JOB_ABANDONED;
}
