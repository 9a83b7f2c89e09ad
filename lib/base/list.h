/* list.h: intrusive doubly linked list with a head that is a node itself. */
#ifndef CQLN_BASE_LIST_H
#define CQLN_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cqln_list {
    struct cqln_list *next;
    struct cqln_list *prev;
} cqln_list;

#define CQLN_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void cqln_list_init(cqln_list *head)
{
    head->next = head;
    head->prev = head;
}

static inline bool cqln_list_empty(const cqln_list *head)
{
    return head->next == head;
}

/* Before `head` of a list: at its end. */
static inline void cqln_list_push(cqln_list *head, cqln_list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Takes a node out; the node becomes a list of its own, so removing twice is harmless. */
static inline void cqln_list_remove(cqln_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node;
    node->prev = node;
}

/* The first node taken out, NULL when empty. */
static inline cqln_list *cqln_list_pop(cqln_list *head)
{
    if (cqln_list_empty(head))
        return NULL;
    cqln_list *node = head->next;
    cqln_list_remove(node);
    return node;
}

/* Moves all nodes of `from` to the end of `to`. */
static inline void cqln_list_move(cqln_list *to, cqln_list *from)
{
    if (cqln_list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    cqln_list_init(from);
}

#endif
