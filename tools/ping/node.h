/* node.h: one target of a run: its session, its probes, what became of them. */
#ifndef PING_NODE_H
#define PING_NODE_H

#include "common/exit_code.h"
#include "ping/config.h"
#include "ping/stats.h"

#include <cqlnative/session.h>

typedef enum ping_state {
    PING_RESTING,    /* until due_us */
    PING_CONNECTING, /* a session is being set up */
    PING_PROBING,    /* a query is on its way */
    PING_FINISHED
} ping_state;

/* What a node says of itself in system.local. */
typedef struct ping_identity {
    char *cluster, *release, *data_center, *rack;
} ping_identity;

typedef struct ping_node {
    const ping_config *config;
    char *target;         /* as the user named it */
    char *address;        /* "address:port" that answered; the target before the first answer */
    cql_options *options; /* owned */
    cql_session *session; /* NULL while there is none */
    ping_state state;
    ping_identity identity;
    ping_stats stats;
    int protocol;

    uint64_t due_us;       /* resting: when to go on */
    uint64_t began_us;     /* when the probe or the connection under way began */
    uint64_t limit_us;     /* connecting: when to give it up */
    uint64_t wait_ends_us; /* of --wait */
    uint64_t denied_us;    /* first refused log-in while waiting; 0: none yet */
    uint64_t rtt_us;       /* of the last answer */
    bool was_connected;    /* at least once */
    bool given_up;
    char *reason;      /* of the last failure; NULL: none yet */
    tool_exit failure; /* exit code of the last failure, OK when there was none */

    /* Left by the library's callbacks for ping_node_step. */
    bool answered;
    uint64_t answered_us;
    cql_error *error;
} ping_node;

/* Takes options over; target is copied. */
void ping_node_init(ping_node *n, const ping_config *config, const char *target,
                    cql_options *options);
void ping_node_free(ping_node *n);
/* Does what is to be done now; call it after every turn of the session and when ping_node_due_us
 * has come. */
void ping_node_step(ping_node *n);
/* When ping_node_step wants to be called at the latest; UINT64_MAX: only after the session's turn.
 */
uint64_t ping_node_due_us(const ping_node *n);
/* The user wants to end: a probe under way does not count as lost. */
void ping_node_stop(ping_node *n);

#endif
