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

enum { LIST_LIMIT = 1000000, TEXTS = 8 };

void cqljob_info_init(cql_job_info *info)
{
    memset(info, 0, sizeof *info);
    info->created_at = info->scheduled_at = info->executed_at = CQL_JOB_NO_TIME;
}

/* The texts of a job, as places to read or to set. */
static void texts_of(cql_job_info *info, cql_str *places[TEXTS])
{
    places[0] = &info->id;
    places[1] = &info->type;
    places[2] = &info->arguments;
    places[3] = &info->error_message;
    places[4] = &info->result;
    places[5] = &info->claim;
    places[6] = &info->batch_id;
    places[7] = &info->parent_job_id;
}

cql_job_info *cqljob_info_new(const cql_allocator *al, const cql_job_info *from)
{
    cql_job_info copy = *from;
    cql_str *places[TEXTS];
    info_block *block;
    size_t size = sizeof *block;
    char *at;

    texts_of(&copy, places);
    for (int i = 0; i < TEXTS; i++)
        size += places[i]->ptr ? places[i]->len + 1 : 0;
    block = cqljob_alloc(al, size);
    if (!block)
        return NULL;
    block->al = *al;
    at = (char *)(block + 1);
    for (int i = 0; i < TEXTS; i++) {
        size_t len = places[i]->len;

        if (!places[i]->ptr)
            continue;
        if (len)
            memcpy(at, places[i]->ptr, len);
        at[len] = 0;
        places[i]->ptr = at;
        at += len + 1;
    }
    block->info = copy;
    return &block->info;
}

void cql_job_info_free(cql_job_info *info)
{
    info_block *block;
    cql_allocator al;

    if (!info)
        return;
    block = (info_block *)(void *)((char *)info - offsetof(info_block, info));
    al = block->al;
    cqljob_free(&al, block);
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
