/* Lists of failed attempts. */
#include "cluster/tries.h"

#include <string.h>

static cqln_try *make(const cql_allocator *al, cql_str host, cql_status status, cql_str reason)
{
    cqln_try *t = cqln_alloc(al, sizeof *t + host.len + reason.len);
    if (!t)
        return NULL;
    char *at = (char *)(t + 1);
    t->next = NULL;
    t->status = status;
    t->host = (cql_str){at, host.len};
    t->reason = (cql_str){at + host.len, reason.len};
    if (host.len)
        memcpy(at, host.ptr, host.len);
    if (reason.len)
        memcpy(at + host.len, reason.ptr, reason.len);
    return t;
}

void cqln_tries_add(const cql_allocator *al, cqln_try **list, cql_str host, cql_status status,
                    cql_str reason)
{
    size_t count = 0;
    cqln_try *t = make(al, host, status, reason);
    if (!t)
        return;
    while (*list && !cql_str_equal((*list)->host, host)) {
        list = &(*list)->next;
        count++;
    }
    if (*list) {
        cqln_try *old = *list;
        t->next = old->next;
        cqln_free(al, old);
    } else if (count >= CQLN_TRIES_MAX) {
        cqln_free(al, t);
        return;
    }
    *list = t;
}

void cqln_tries_free(const cql_allocator *al, cqln_try *list)
{
    while (list) {
        cqln_try *next = list->next;
        cqln_free(al, list);
        list = next;
    }
}

size_t cqln_tries_rows(const cqln_try *list, cqln_tried rows[CQLN_TRIES_MAX])
{
    size_t n = 0;
    for (; list && n < CQLN_TRIES_MAX; list = list->next)
        rows[n++] = (cqln_tried){list->host, list->status, list->reason};
    return n;
}
