/* slots.h: the connections of one node: how many there are, what happens to each.
 *
 * A node has places for as many connections as it may ever have. The first `core` of them are always
 * wanted; under load more are, and after a time of rest fewer again. A connection that has to go while
 * requests are in flight on it leaves its place at once, takes no more requests, and is closed when the
 * last of them has ended. */
#ifndef CQLN_CLUSTER_SLOTS_H
#define CQLN_CLUSTER_SLOTS_H

#include "cluster/cluster.h"

/* Makes the places of a new node. False when memory is out. */
bool cqln_slots_make(cqln_node *n);
/* It is known how far the node is: that says how many connections it has and may have. */
void cqln_slots_suit(cqln_node *n);
/* Frees what is left; its links are gone. */
void cqln_slots_free(cqln_node *n);
/* Opens what is missing: one attempt at a time while the node is down, all once it answers. */
void cqln_slots_fill(cqln_node *n);
/* Its server is about to stop: what is in flight may end, nothing new goes there, and it is dialled again as after
 * a loss. */
void cqln_slots_retreat(cqln_node *n);
void cqln_slots_close(cqln_node *n, const char *reason);
/* The same, but what is in flight may end. */
void cqln_slots_leave(cqln_node *n, const char *reason);
/* The version of the cluster became lower while it connects: what was made with a higher one is made anew. */
void cqln_slots_lower(cqln_cluster *c);
bool cqln_slots_any(const cqln_node *n);
/* True when the first attempts of all wanted connections are over, well or not. */
bool cqln_slots_tried(const cqln_node *n);
/* Takes requests, in the keyspace of the session? */
static inline bool cqln_slot_usable(const cqln_slot *slot)
{
    return slot->link && cqln_link_usable(slot->link) && !slot->switching &&
           slot->keyspace_gen == slot->node->cluster->keyspace_gen;
}

/* --- for slots.c, from nodes.c ------------------------------------------------------------------- */
/* Counts the usable slots of all nodes and lists the nodes that have one. Done on changes, so that a
 * pick costs nothing but the pick. */
void cqln_nodes_recount(cqln_cluster *c);
/* Frees a node that was removed from the cluster once its last link is gone. */
void cqln_node_let_go(cqln_node *n);

#endif
