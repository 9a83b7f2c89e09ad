/* recurlist.c: lists of recurring jobs; a block for each holds the struct and its texts. */
#include "jobs/memory.h"
#include "jobs/record.h"

enum { LIST_LIMIT = 1000000 };

struct cql_recurring_list {
    cql_allocator al;
    cql_recurring_info **items;
    size_t count;
    size_t cap;
};

cql_recurring_list *cqljob_recurring_list_new(const cql_allocator *al)
{
    cql_recurring_list *list = cqljob_zalloc(al, sizeof *list);

    if (list)
        list->al = *al;
    return list;
}

cql_status cqljob_recurring_list_add(cql_recurring_list *list, const cql_recurring_info *from)
{
    void *items = list->items;
    cql_status st = cqljob_grow(&list->al, &items, &list->cap, list->count + 1, LIST_LIMIT,
                                sizeof list->items[0]);
    static const uint8_t texts[] = {
        offsetof(cql_recurring_info, id), offsetof(cql_recurring_info, cron),
        offsetof(cql_recurring_info, type), offsetof(cql_recurring_info, arguments)};
    cql_recurring_info *copy;

    if (st)
        return st;
    list->items = items;
    copy = cqljob_pack(&list->al, from, sizeof *from, 0, texts, sizeof texts);
    if (!copy)
        return CQL_NO_MEMORY;
    list->items[list->count++] = copy;
    return CQL_OK;
}

cql_status cqljob_recurring_list_join(cql_recurring_list *list, const cql_recurring_list *from)
{
    cql_status st = CQL_OK;

    for (size_t i = 0; i < from->count && !st; i++)
        st = cqljob_recurring_list_add(list, from->items[i]);
    return st;
}

size_t cql_recurring_list_count(const cql_recurring_list *list)
{
    return list ? list->count : 0;
}

const cql_recurring_info *cql_recurring_list_at(const cql_recurring_list *list, size_t i)
{
    return list && i < list->count ? list->items[i] : NULL;
}

void cql_recurring_list_free(cql_recurring_list *list)
{
    cql_allocator al;

    if (!list)
        return;
    al = list->al;
    for (size_t i = 0; i < list->count; i++)
        cqljob_free(&al, list->items[i]);
    cqljob_free(&al, list->items);
    cqljob_free(&al, list);
}
