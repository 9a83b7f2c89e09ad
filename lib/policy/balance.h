/* balance.h: the order in which nodes are tried for a request. A pure decision over what is known of the
 * nodes: no clock, no randomness but what is handed in.
 *
 *   replicas in the own rack, replicas in the own data centre, other nodes of the rack, of the data centre;
 *   the slow ones of these in the same order; then, where they may be used, the remote data centres.
 *
 * The order is made as far as it is asked for: mostly its first node is the only one that is needed. */
#ifndef CQLN_POLICY_BALANCE_H
#define CQLN_POLICY_BALANCE_H

#include <stdbool.h>
#include <stdint.h>

typedef enum cqln_near {
    CQLN_NEAR_RACK = 0,
    CQLN_NEAR_LOCAL = 1,
    CQLN_NEAR_REMOTE = 2,
    CQLN_NEAR_IGNORED = 3
} cqln_near;

typedef struct cqln_peer {
    uint8_t near; /* cqln_near */
    bool up;      /* takes requests */
    bool slow;
    uint32_t room; /* with so many requests in flight it counts as slow; 0: with no number */
} cqln_peer;

/* The nodes by index, as they are now. */
typedef struct cqln_peers {
    uint32_t count;
    cqln_peer *peer;
    uint16_t *ready;  /* those that are up and not ignored: of the rack, local, remote */
    uint32_t ends[3]; /* where in `ready` each of the three ends */
    uint32_t (*load)(const void *context, uint32_t node); /* requests in flight */
    const void *context;
} cqln_peers;

typedef enum cqln_replica_choice {
    CQLN_CHOICE_LEAST_BUSY = 0, /* the less busy of two drawn at random, again and again */
    CQLN_CHOICE_SHUFFLE = 1,
    CQLN_CHOICE_RING = 2 /* as on the ring, the same for every client; racks do not matter */
} cqln_replica_choice;

typedef struct cqln_wish {
    const uint16_t *replicas; /* ends at `replica_count` or at the first index that is no node */
    uint32_t replica_count;   /* 0: not known */
    cqln_replica_choice choice;
    bool local_only; /* no remote node, whatever is allowed */
    uint64_t random;
    uint32_t turn; /* of the round robin among the others */
} cqln_wish;

/* Replicas behind these count as other nodes. */
enum { CQLN_PLAN_REPLICAS = 32 };

/* Why a node stands where it does. */
typedef struct cqln_reason {
    bool replica;
    bool slow;
    cqln_near near;
} cqln_reason;

typedef struct cqln_plan {
    const cqln_peers *peers;
    const cqln_wish *wish;
    uint32_t replica_count;
    uint32_t stage;
    uint32_t left; /* in this stage: held replicas, or places of the round robin */
    uint32_t at;
    uint64_t random;
    uint16_t held[CQLN_PLAN_REPLICAS];
} cqln_plan;

/* Both must live as long as the plan is used, and not change. */
void cqln_plan_begin(cqln_plan *p, const cqln_peers *peers, const cqln_wish *wish);
/* The next node to try; false at the end. Each node comes once at most. why may be NULL. */
bool cqln_plan_next(cqln_plan *p, uint32_t *node, cqln_reason *why);

#endif
