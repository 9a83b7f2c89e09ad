/* cluster.h: the parts of a session below its public face: nodes with their pools, the control
 * connection, requests. Everything belongs to the loop's thread but what is tagged [any thread]. */
#ifndef CQLN_CLUSTER_CLUSTER_H
#define CQLN_CLUSTER_CLUSTER_H

#include "base/pool.h"
#include "cluster/config.h"
#include "cluster/holds.h"
#include "cluster/meter.h"
#include "cluster/request.h"
#include "cluster/router.h"
#include "policy/budget.h"
#include "policy/latency.h"
#include "cluster/secure.h"
#include "policy/reconnect.h"
#include "policy/timestamp.h"

#include <cqlnative/policy.h>
#include <pthread.h>

typedef enum cqln_cluster_state {
    CQLN_CLUSTER_NEW,
    CQLN_CLUSTER_CONNECTING,
    CQLN_CLUSTER_CONNECTED,
    CQLN_CLUSTER_CLOSING,
    CQLN_CLUSTER_CLOSED
} cqln_cluster_state;

typedef struct cqln_leaver cqln_leaver;

/* A place for one connection to a node. */
struct cqln_slot {
    cqln_link *link; /* NULL: none now */
    cqln_node *node;
    uint32_t keyspace_gen; /* version of the session's keyspace that the connection has */
    bool switching;        /* a USE is on its way */
    struct cqln_inner *use;
    cqln_leaver *leaving; /* set: it stands for a connection on its way out (slots.c) */
};

/* A node of the cluster and its connections. */
struct cqln_node {
    cqln_node *next;
    cqln_cluster *cluster;
    char *data_center; /* one block with rack and release; "" when not known */
    char *rack;
    char *release;
    bool seen;     /* by the refresh that is under way */
    bool removed;  /* no longer part of the cluster: freed when its links are gone */
    bool local;    /* connections are wanted: it is in the local data centre */
    bool was_down; /* its last connection was lost, and it has not been taught since */
    bool tried;    /* its first attempt is over, well or not */
    bool reopens;  /* a connection ended, and another is about to take its place */
    bool said_down; /* by the last event about it on this control connection */
    uint32_t usable; /* slots that take requests */
    uint32_t core;   /* connections that it always has, */
    uint32_t want;   /* should have now, */
    uint32_t most;   /* and may have at most */
    uint32_t slot_count;
    cqln_slot *slots;
    cqln_slot *sole; /* the only one that took requests at the last recount; NULL: none or several */
    cqln_leaver *leavers;
    uint64_t busy_at; /* when more than `core` were last needed */
    cqln_list lessons; /* statements that it is being taught */
    uint64_t taught;   /* number of the next one that nobody waits for */
    uint32_t teaching; /* such lessons under way */
    cqln_meter *meter;
    bool told_added; /* tell.c */
    bool told_up;
    bool told_down;
    uint32_t unsaid;  /* failures that were not logged since said_at */
    uint64_t said_at;
    uint32_t index;    /* of the router, */
    uint32_t id;       /* and a number that no other node of this cluster ever has */
    cqln_near near;
    bool slow;
    uint32_t room;     /* it is back: takes so many requests at once, more with each answer; 0: as many as any */
    cqln_pace pace;    /* with latency_awareness */
    cqln_token *tokens;
    uint32_t token_count;
    uint64_t token_mark; /* of their texts */
    cqln_deadline retry; /* next attempt to fill empty slots */
    cqln_backoff backoff;
    cql_status last_status;
    cqln_address address;
    cqln_address heard; /* where address is a host id: what peers and events call it */
    char address_text[CQLN_ADDRESS_TEXT];
    cql_uuid host_id;
    char last_reason[256];
};

typedef struct cqln_control cqln_control;
typedef struct cqln_astra cqln_astra;
typedef struct cqln_gone cqln_gone;
typedef struct cqln_team cqln_team;

/* The prepared statements that are remembered (lessons.c), in the order in which they came: number s is
 * items[s % cap], from end - count on. */
typedef struct cqln_lessons {
    cql_prepared **items;
    uint32_t cap;
    uint32_t count;
    uint64_t end;
} cqln_lessons;

/* What happened so far, for the loop's own decisions; meter.h has what programs see. */
typedef struct cqln_counts {
    uint64_t unaffordable; /* not sent again, since the retry budget was spent */
    uint64_t races_won;   /* requests that a further node answered first */
    uint64_t grown;       /* connections opened for load, */
    uint64_t shrunk;      /* closed at rest, */
    uint64_t replaced;    /* and replaced for too many answers that never came */
} cqln_counts;

/* The place of who is parked first: counted as pending while it is kept. */
enum { CQLN_NOT_KEPT, CQLN_KEPT, CQLN_LENT /* to who is first in the session's line */ };

struct cqln_cluster {
    /* In front what is looked at most: an offset of one byte is the shorter instruction. */
    const cql_allocator *al;
    const cqln_config *config;
    void *session; /* the public object, handed to callbacks */
    cqln_node *nodes;
    cqln_node **ready; /* nodes that take requests */
    uint32_t ready_count;
    uint32_t ready_cap;
    cqln_meter *meter; /* of whole requests */
    cqln_control *control;
    char *keyspace;
    cqln_loop loop;

    cqln_secure *secure; /* the session's; NULL: no TLS */
    cqln_astra *astra;   /* names the nodes to begin with (astra.h); NULL: contact points do */
    _Atomic(int) state; /* cqln_cluster_state */
    _Atomic(int) version; /* protocol version in use, 0 before it is known */
    cqln_rand rand;
    cqln_clock clock;
    uint32_t turn; /* round robin */
    char *local_dc;
    char *cluster_name;
    uint16_t told_port; /* the nodes tell of this port, */
    uint16_t tls_port;  /* and speak TLS on this one; 0: not known */
    uint32_t links;  /* open or opening, control included */
    cqln_deadline idle_check; /* are there connections that are not needed any more? */
    _Atomic(uint32_t) waits; /* work under way that must end before the close is over */
    uint32_t keyspace_gen;

    cqln_lessons lessons;
    cqln_counts counts;
    cqln_budget budget;
    const cql_retry_policy *retry_policy;
    cqln_latency latency;
    struct cqln_race *spare_races;

    cqln_pool requests;
    cqln_request *spare; /* `alone`: records that are free, in front of the pool */
    cqln_holds holds;    /* `alone`: the statements of the requests */
    cqln_list waiting;   /* requests without a stream */
    bool alone;          /* all calls are made on one thread: no locked instruction is needed */
    bool watched;        /* hooks, speculation, the latencies of nodes, or a node that is back want to know of each
                          * attempt */
    uint32_t usual_age;  /* of the router, while usual requests need nothing else looked at: `alone`, connected and not
                          * watched; else 0 */
    cqln_deadline expiry; /* the next look at the time-outs of requests (expiry.h) */
    uint64_t expiry_at;   /* when that is; UINT64_MAX: none is watched for */
    uint64_t turn_us;     /* of the loop's clock, when */
    uint64_t turn_expires; /* the time-out of requests that begin then was found, where they have none of their own */
    _Atomic(uint32_t) pending; /* requests begun and not ended */
    _Atomic(uint64_t) pending_bytes;
    uint64_t max_bytes; /* the option max_pending_bytes, at hand */
    _Atomic(bool) full;  /* a caller was told to wait */
    _Atomic(bool) in_line; /* somebody waits for the next place */
    bool heed; /* `alone`: the end of each request is of interest, as for `full` or a close */
    cqln_deferred pumping; /* a look at `waiting` in the next turn */
    cqln_deferred draining;
    cqln_mail drain_mail;
    _Atomic(bool) drain_mailed;
    cql_drain_cb drain_cb;
    void *drain_user;
    cqln_list parked;       /* who waits for room on this loop, without blocking (api/room.h) */
    _Atomic(uint32_t) kept; /* a place for the first of them */
    const cqln_list *going_on; /* the one of them that tries at the moment */
    bool line_next; /* the last place was for one of them: the next is for who blocks, if anybody does */
    struct cqln_gone *gone; /* nodes that left, to be told (tell.c) */
    cqln_deferred telling;
    cqln_router router;
    cql_session_cb connect_cb;
    void *connect_user;
    cqln_deadline connect_grace;
    cqln_deferred connecting; /* begins or fails a connect in the next turn */
    cql_error *connect_error;
    bool start_wanted; /* a connect that waits for the links of an earlier one to end */

    void (*closed_cb)(void *user);
    void *closed_user;
    cqln_deadline close_deadline;
    cqln_deferred close_step;

    pthread_mutex_t view_lock; /* over `view`, and what other threads read of names, lessons and the ring */
    struct cql_hosts *view;    /* what cql_session_hosts shows; replaced when something changed */

    cqln_team *team;     /* the loops of the session when there are several (team.h); NULL: this one */
    uint32_t number;     /* among them; 0 leads */
    _Atomic(bool) able;  /* some node takes requests [any thread] */
    size_t max_output;   /* bytes that may wait on one connection */
    struct cqln_picture *picture; /* the one that it follows */
};

/* config and io outlive the cluster. */
cql_status cqln_cluster_init(cqln_cluster *c, cqln_io *io, const cql_allocator *al,
                             const cqln_config *config, void *session);
/* Its connections are encrypted from now on; s NULL: they are not. Before the first one is made. */
static inline void cqln_cluster_secure(cqln_cluster *c, cqln_secure *s)
{
    c->secure = s;
    cqln_secure_use(s, &c->loop);
}
/* After closed, or when it never began to connect. */
void cqln_cluster_fini(cqln_cluster *c);
void cqln_cluster_connect(cqln_cluster *c, cql_session_cb cb, void *user);
/* Lets requests finish until the close time-out, ends everything, lets go of the io, then cb. */
void cqln_cluster_close(cqln_cluster *c, void (*cb)(void *user), void *user);

static inline cqln_cluster_state cqln_cluster_state_of(cqln_cluster *c)
{
    return (cqln_cluster_state)atomic_load_explicit(&c->state, memory_order_acquire);
}

/* A caller is told to wait: the drain callback comes when there is room. [any thread] */
void cqln_cluster_mark_full(cqln_cluster *c);
/* Sets `usual_age` and `heed` anew: something that they depend on has changed. Loop's thread. */
void cqln_cluster_settle(cqln_cluster *c);
/* From here on the program makes all its calls on the loop's thread; before the first request. */
void cqln_cluster_alone(cqln_cluster *c);
/* A request's hold on its prepared statement, from where the request is made to its end; alone: c->alone. */
static inline cql_prepared *cqln_cluster_hold(cqln_cluster *c, bool alone, cql_prepared *p)
{
    return alone ? cqln_holds_take(&c->holds, p) : cql_prepared_ref(p);
}
static inline void cqln_cluster_release(cqln_cluster *c, cql_prepared *p)
{
    if (c->alone && p)
        cqln_holds_drop(&c->holds, p);
    else
        cql_prepared_unref(p);
}
bool cqln_cluster_has_room(cqln_cluster *c);
/* Posts a mail whose function ends with cqln_cluster_leave: the close waits for that. False once it is closed:
 * nobody would read it. [any thread] */
bool cqln_cluster_send(cqln_cluster *c, cqln_mail *m);
void cqln_cluster_leave(cqln_cluster *c);
/* The loop looks whether there is room, and whether a close has come to its end. [any thread] */
void cqln_cluster_nudge(cqln_cluster *c);

/* What a connection to this address is to be made with. */
void cqln_cluster_conn_config(cqln_cluster *c, const cqln_address *to, cqln_conn_config *out);
/* A link ended; true when that is because the server does not speak its version, or it was made before that was
 * known of another: a lower one is to be tried at once. */
bool cqln_cluster_step_down(cqln_cluster *c, const cqln_link *link);
/* The first list of nodes is there: a cluster that is being upgraded is spoken to as its oldest node needs it. */
void cqln_cluster_heed_releases(cqln_cluster *c);
/* The first connection is there, or connecting has failed for good (err taken over). */
void cqln_cluster_connect_done(cqln_cluster *c, cql_error *err);
/* Looks whether a connect or a close that is under way has come to its end. */
void cqln_cluster_check(cqln_cluster *c);
/* Fixes the local data centre after the first list of nodes; an error when the one that was asked for
 * does not exist. */
cql_error *cqln_cluster_choose_dc(cqln_cluster *c);
/* The session's keyspace changed by a USE that this link answered. */
void cqln_cluster_use(cqln_cluster *c, cql_str keyspace, cqln_link *by);
/* The same with a text to keep (taken over); by NULL: it was a link of another loop. */
void cqln_cluster_use_copy(cqln_cluster *c, char *keyspace, cqln_link *by);
/* Rebuilds what cql_session_hosts shows (view.c), and the newest such view, counted. */
void cqln_cluster_publish(cqln_cluster *c);
struct cql_hosts *cqln_cluster_view(cqln_cluster *c); /* [any thread] */

/* --- nodes.c: the list of nodes and their pools --------------------------------------------------- */
typedef struct cqln_node_info {
    cqln_address address;
    cqln_address heard;
    cql_uuid host_id;
    cql_str data_center;
    cql_str rack;
    cql_str release;
} cqln_node_info;

/* Adds a node or brings a known one up to date. NULL when memory is out. */
cqln_node *cqln_node_put(cqln_cluster *c, const cqln_node_info *info);
/* What the tables say of a node is incomplete, as while it starts or when it left: as long as it answers it stays. */
void cqln_node_keep(cqln_cluster *c, const cqln_address *address);
/* Clears `seen` of all: a discovery begins. */
void cqln_nodes_unsee(cqln_cluster *c);
/* Removes the nodes whose `seen` is false and clears the mark on the others. */
void cqln_nodes_sweep(cqln_cluster *c);
/* Opens what is missing in the pools of all local nodes. */
void cqln_nodes_fill(cqln_cluster *c);
/* The address by which the cluster speaks of it. */
static inline const cqln_address *cqln_node_heard(const cqln_node *n)
{
    return n->address.is_id ? &n->heard : &n->address;
}
/* Tries all nodes that are down now: there may have been hints that nobody heard. */
void cqln_nodes_try(cqln_cluster *c);
/* Tries a node that is down now: a hint said that it is up. */
void cqln_node_hint_up(cqln_cluster *c, const cqln_address *address);
/* A hint said that it is down; what is known better stays. */
void cqln_node_hint_down(cqln_cluster *c, const cqln_address *address);
/* Events may have been missed. */
void cqln_nodes_forget_hints(cqln_cluster *c);
/* It answered a request; while it is watched for having come back it takes more from then on. */
void cqln_node_answered(cqln_node *n);
void cqln_nodes_close(cqln_cluster *c, const char *reason);
void cqln_nodes_free(cqln_cluster *c);
cqln_node *cqln_node_find(cqln_cluster *c, const char *address_text);
/* The node that a link of a slot goes to. */
static inline cqln_node *cqln_link_node(const cqln_link *link)
{
    return ((const cqln_slot *)link->user)->node;
}
/* A link for the next request: round robin over nodes, the least busy connection of the node. avoid:
 * not this node when there is another. only: this node alone. NULL: none has a free stream now. */
cqln_link *cqln_nodes_pick(cqln_cluster *c, cqln_node *only, cqln_node *avoid);
/* May a stream become free by itself: is there a connection that is open, or about to be? */
bool cqln_nodes_hope(const cqln_cluster *c, const cqln_node *only);
/* Brings every idle connection to the session's keyspace, and recounts who takes requests. */
void cqln_nodes_switch(cqln_cluster *c);
/* The link that answered a USE already has the new keyspace. */
void cqln_nodes_switched(cqln_cluster *c, const cqln_link *by);
/* A request on this link was given up: its stream stays taken. A link with too many such streams is
 * replaced. */
void cqln_slot_orphaned(cqln_link *link);
void cqln_slots_init(cqln_cluster *c);
/* True when every connection to a local node has been tried once. */
bool cqln_nodes_all_tried(const cqln_cluster *c);

/* --- control.c, watch.c -------------------------------------------------------------------------- */
cql_status cqln_control_new(cqln_cluster *c, cqln_control **out);
void cqln_control_start(cqln_control *ctl);
void cqln_control_close(cqln_control *ctl, const char *reason);
void cqln_control_free(cqln_control *ctl);
/* The link to ask system tables on, NULL while there is none. */
cqln_link *cqln_control_link(const cqln_control *ctl);

/* --- agree.c -------------------------------------------------------------------------------------- */
typedef void (*cqln_agree_cb)(void *user, cql_status st); /* CQL_OK, CQL_NOT_AGREED, CQL_CLOSED */
/* Asks on this link (NULL: the control connection's) until all nodes name one schema version. The
 * callback comes once, in a later turn. CQL_NO_MEMORY, CQL_NO_HOST: it does not. */
cql_status cqln_agree(cqln_cluster *c, cqln_link *link, uint32_t timeout_ms, cqln_agree_cb cb,
                      void *user);

/* --- report.c: error objects ---------------------------------------------------------------------- */
cql_error *cqln_report_server(cqln_cluster *c, const cqln_server_error *e, cql_str host,
                              const cqln_request *req);
/* No node takes the request, or (NULL) no connection was made: every node with its last failure. */
cql_error *cqln_report_no_host(cqln_cluster *c, const cqln_request *req);
cql_error *cqln_report_unknown_node(cqln_cluster *c, const char *host);
/* Made on this side: time-out (why NULL: its own words), cancelled, malformed, closed. */
cql_error *cqln_report_local(cqln_cluster *c, cql_status st, const cqln_request *req,
                             const char *why);
/* An answer of this node that cannot be read, or had no room: what was asked may well have been done. */
cql_error *cqln_report_answer(cqln_cluster *c, cql_status st, cql_str host, const cqln_request *req,
                              const char *why);
/* Connecting failed everywhere: the attempts tell why. */
cql_error *cqln_report_connect(cqln_cluster *c, const cqln_try *tries);
/* Warnings of a result go to the log. */
void cqln_report_warnings(cqln_cluster *c, const cqln_prefix *prefix, cql_str host);

#endif
