/* team.h: several clusters behind one session, each on a loop and a thread of its own. The first leads: it
 * alone has a control connection, hears events and tells the program of nodes. What it knows of the nodes
 * goes to the others as pictures, immutable and counted; all that passes between loops is mail.
 *
 * Everything that requests touch belongs to one loop, as ever: there is no lock between them. */
#ifndef CQLN_CLUSTER_TEAM_H
#define CQLN_CLUSTER_TEAM_H

#include "cluster/cluster.h"

/* Loops of one session at most, and where the number of its loop stands in a request's handle: above
 * every index that max_pending_requests allows. */
enum { CQLN_TEAM_MAX = 64, CQLN_TEAM_SHIFT = 24 };

typedef struct cqln_picture cqln_picture;

/* Another loop's place for what the leader sends it. */
typedef struct cqln_inbox {
    cqln_mail mail;
    cqln_cluster *to;
    _Atomic(bool) mailed;
    _Atomic(cqln_picture *) newest; /* that was not looked at yet */
} cqln_inbox;

struct cqln_team {
    uint32_t count;
    cqln_cluster *members[CQLN_TEAM_MAX]; /* 0 leads */
    cqln_inbox inboxes[CQLN_TEAM_MAX];
    cqln_deferred sharing;                /* the leader's: a picture is due */
};

/* Clusters that were made, before their loops turn; the team outlives them. */
void cqln_team_init(cqln_team *t, cqln_cluster **members, uint32_t count);
/* Pictures that nobody looked at; the loops are at their end. */
void cqln_team_fini(cqln_team *t);

static inline bool cqln_team_follows(const cqln_cluster *c)
{
    return c->number > 0;
}

/* The leader sends a picture to all others, now. Those that did not connect yet do: their connect_cb comes
 * once each, on their own loop. False when memory is out: nothing was sent. */
bool cqln_team_share(cqln_cluster *lead);
/* The same in a later turn; nothing where there is no team, or it does not lead. */
void cqln_team_share_soon(cqln_cluster *c);
/* The ring and the placements of the picture that is looked at. */
void cqln_team_adopt(cqln_cluster *c);

/* A USE was answered on this link of one loop: all others change their keyspace too, in the same order
 * everywhere, and the request is answered when they have. False when that is not to be waited for: there
 * is no team. */
bool cqln_team_use(cqln_request *req, cqln_link *link, const cql_result *res);

/* The session's clock: write times rise over all loops. */
static inline cqln_clock *cqln_team_clock(cqln_cluster *c)
{
    return c->team ? &c->team->members[0]->clock : &c->clock;
}

/* Would it take a request now, and send it? [any thread] */
static inline bool cqln_team_open(cqln_cluster *c)
{
    return cqln_cluster_state_of(c) == CQLN_CLUSTER_CONNECTED &&
           atomic_load_explicit(&c->able, memory_order_relaxed) &&
           atomic_load_explicit(&c->pending, memory_order_relaxed) <
               c->config->max_pending_requests &&
           atomic_load_explicit(&c->pending_bytes, memory_order_relaxed) <
               c->config->max_pending_bytes;
}

#endif
