/* router.h: where requests go: what is known of tokens and replicas, how far each node is, and the choice
 * for each attempt. Belongs to the loop's thread but what is tagged [any thread]. */
#ifndef CQLN_CLUSTER_ROUTER_H
#define CQLN_CLUSTER_ROUTER_H

#include "base/rand.h"
#include "cluster/request.h"
#include "meta/tokenmap.h"
#include "policy/balance.h"
#include "policy/pace.h"

#include <cqlnative/routing.h>

/* A node of the allow or deny list. */
typedef struct cqln_host_rule {
    cqln_address address; /* port 0: any port */
} cqln_host_rule;

typedef struct cqln_host_rules {
    cqln_host_rule *rules;
    size_t count;
} cqln_host_rules;

/* The one connection of a node that is as near as nodes can be, takes requests and is not slow. It may be about to
 * end: then it refuses what is submitted. */
typedef struct cqln_head {
    cqln_link *link;           /* NULL: the node is not that simple a choice */
    const uint32_t *in_flight; /* on it; without a link none, so that no node is taken for less busy */
} cqln_head;

typedef struct cqln_router {
    _Atomic(uint8_t) partitioner; /* for which keys have tokens that are of use; 0: none [any thread] */
    cqln_partitioner ring_partitioner;
    uint64_t ring_mark;     /* of what the ring was built from */
    uint64_t keyspace_mark; /* and the map */
    cqln_ring *ring;        /* NULL: no tokens are known; replaced under view_lock */
    cqln_tokenmap *map;     /* NULL: no placement is known */
    cql_result *keyspaces;  /* the rows it is built from */
    cqln_node **nodes;      /* by index, which is also that of the ring's members */
    uint32_t node_cap;
    cqln_peers peers;
    cql_balancing_node *shown; /* for a policy of the program; as many as nodes */
    cqln_head *heads;
    cqln_head *near; /* those of the first `near_count` of `peers.ready`; one without a link where none is near */
    cqln_link *lone; /* the one connection of the one node that takes requests, where nothing else could be
                      * wanted; NULL: it is not that simple */
    bool quick;      /* the placement and the load of replicas decide alone where most requests go */
    uint64_t last_mark;             /* the keyspace that was looked up last, */
    const cqln_placement *last;     /* its placement */
    uint32_t age;      /* rises when the way of a statement (holds.h) may be another */
    bool levels;       /* requests differ by their consistency level, or a policy of the program decides */
    _Atomic(bool) single; /* one node is known and all go to it: tokens are of no use [any thread] */
    _Atomic(uint64_t) whole_mark; /* a keyspace of which every node has every row: tokens say nothing of where its
                                   * requests should go; 0: none [any thread] */
    uint32_t near_count; /* in `near`, at least 1: as near as nodes can be */
    uint64_t random;
    uint32_t turn;
    uint32_t next_id;
    uint64_t paced_us; /* when slow nodes were last looked for */
    cqln_host_rules allow, deny;
} cqln_router;

cql_status cqln_router_init(cqln_cluster *c);
void cqln_router_fini(cqln_cluster *c);

/* --- what discovery found; the router looks at all of it in cqln_router_refresh ------------------- */
void cqln_router_take_partitioner(cqln_cluster *c, cql_str class_name);
/* The column `tokens` of a node. Texts that are no tokens are left out. */
void cqln_router_take_tokens(cqln_cluster *c, cqln_node *n, const cql_value *tokens,
                             const cql_type *type);
/* Rows of keyspace_name and replication; kept by a reference or copy. */
void cqln_router_take_keyspaces(cqln_cluster *c, const cql_result *res);
/* The ring and the placements, as far as they are not what they were (replicas.c). */
void cqln_router_place(cqln_cluster *c);
/* The list of nodes is complete: distances, ring, placements. */
void cqln_router_refresh(cqln_cluster *c);
/* The way of a statement may be another from now on. */
void cqln_router_turn(cqln_cluster *c);
/* Nodes came up or went down. */
void cqln_router_recount(cqln_cluster *c);
/* The list of nodes has changed: until it is complete nothing is chosen by index. */
void cqln_router_unlist(cqln_cluster *c);
/* The ring and the map from now on, both taken over; NULL: not known. */
void cqln_router_use(cqln_cluster *c, cqln_ring *ring, cqln_tokenmap *map);
/* The map of the ring that is used; taken over. */
void cqln_router_set_map(cqln_cluster *c, cqln_tokenmap *map);
/* The ring that is used, held; NULL: no tokens are known. [any thread] */
cqln_ring *cqln_router_ring(cqln_cluster *c);
/* How slow nodes are has changed. */
void cqln_router_set_heads(cqln_cluster *c);
/* Is it left out by the allow or deny list? */
bool cqln_router_denied(const cqln_cluster *c, const cqln_address *a);
/* Does this build know of such lists? */
bool cqln_rules_available(void);
cql_status cqln_rules_read(cqln_cluster *c);
void cqln_rules_free(cqln_cluster *c);

/* --- data centres (centers.c) --------------------------------------------------------------------- */
bool cqln_node_in(const cqln_node *n, const char *data_center);
/* How far a node is, as the options say. */
cqln_near cqln_center_distance(cqln_cluster *c, const cqln_node *n);
/* The nodes that are up in one: those with the row, then the others; the slow ones in the same order behind them. */
size_t cqln_center_order(cqln_cluster *c, const cqln_route *route, const char *data_center,
                         uint16_t *order, size_t cap);
/* Why it has no node for a request; NULL: it has some that the session uses. */
const char *cqln_center_lacks(const cqln_cluster *c, const char *data_center);

/* NULL when there is a node that may be used, else an error that says why none may. */
cql_error *cqln_router_check(cqln_cluster *c);
/* The nodes are about to be freed. */
void cqln_router_forget(cqln_cluster *c);

/* --- the choice (quick.h: the same for most requests) --------------------------------------------- */
/* The less busy of two nodes of which one has no head, perhaps since it has several connections. NULL: the choice is
 * not that simple either. */
cqln_link *cqln_router_of_two(cqln_cluster *c, uint32_t one, uint32_t other);
/* cqln_router_first, as a function. */
cqln_link *cqln_router_first_of(cqln_cluster *c, const cqln_route *route);
/* A link for the next attempt of a request, NULL when no node of its plan has a free stream. Nodes that
 * had it are passed over while there are others. */
cqln_link *cqln_router_pick(cqln_request *req);
/* The same for one more attempt beside those that run: only nodes that did not have it. */
cqln_link *cqln_router_pick_other(cqln_request *req);
/* It was sent there. */
static inline void cqln_request_note_node(cqln_request *req, uint32_t id)
{
    uint32_t at = req->tried_count++;
    req->tried[at < CQLN_ASKED_MAX ? at : at % CQLN_ASKED_MAX] = id; /* a division is dear */
}
/* Is there a node with a connection that did not have it? */
bool cqln_router_other(const cqln_request *req);
/* May it have to wait although another request in its place would not? */
bool cqln_router_picky(const cqln_request *req);
/* May a stream become free for it, or a node come up? */
bool cqln_router_hope(cqln_request *req);
/* The request was answered, or given up; and what that says of a node. */
void cqln_router_note_request(const cqln_request *req, const cqln_link *link);
void cqln_router_note_answer(cqln_cluster *c, cqln_node *n, uint64_t took_us, uint64_t now_us);

/* --- explaining (explain.c) ----------------------------------------------------------------------- */
cql_plan *cqln_router_explain(cqln_cluster *c, const cqln_route *route, const cql_profile *profile);

/* For explain.c: the placement of a route, and its replicas at most. */
const cqln_keyspace *cqln_router_keyspace(cqln_cluster *c, const cqln_route *route);
void cqln_router_wish(cqln_cluster *c, const cqln_route *route, cqln_wish *out);
/* What a profile says (NULL: the policy of the session) of the order of nodes. */
size_t cqln_router_ask(cqln_cluster *c, const cql_profile *profile, const cqln_route *route,
                       unsigned attempt, uint16_t *order, size_t cap);
uint32_t cqln_router_load(const void *cluster, uint32_t node);

#endif
