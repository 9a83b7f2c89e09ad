/* control.h: the two halves of the control connection: control.c gathers addresses and keeps the time, watch.c holds the
 * connection, reads the list of nodes and hears events. */
#ifndef CQLN_CLUSTER_CONTROL_H
#define CQLN_CLUSTER_CONTROL_H

#include "cluster/cluster.h"
#include "cluster/discover.h"

enum { CQLN_TARGETS_MAX = 256 };

typedef struct cqln_contact_lookup {
    cqln_lookup *handle; /* NULL: none under way */
    struct cqln_control *ctl;
    cql_str host;
} cqln_contact_lookup;

struct cqln_control {
    cqln_cluster *c;
    cqln_link *link;
    bool known; /* the list of nodes was read over this link */
    bool was_known; /* the list was read before, over a link that is gone */
    bool stopped;
    bool unresolved; /* a name of this round led nowhere */
    bool failed; /* the round before found no node */
    bool again;  /* something happened while the tables were being read */
    bool open_told; /* that a server lets in who has no password */
    uint64_t known_at; /* when `known` became true */
    cqln_address targets[CQLN_TARGETS_MAX];
    size_t target_count;
    size_t next_target;
    size_t front; /* targets in front: nodes that answered when the round began */
    cqln_contact_lookup *lookups;
    size_t lookups_open;
    cqln_deadline lookup_end;
    cqln_deadline refresh;
    cqln_deadline retry;
    cqln_backoff backoff; /* of rounds without a node, */
    cqln_backoff brief;   /* and of links that did not last */
    cqln_try *tries;
    cqln_discover *discover;
};

/* --- control.c ------------------------------------------------------------------------------------- */
/* A round: addresses anew. */
void cqln_control_begin(cqln_control *ctl);
/* No target is left. */
void cqln_control_fail(cqln_control *ctl);
/* Looks at the list of nodes again then, unless it will earlier. */
void cqln_control_refresh_in(cqln_control *ctl, uint32_t delay);
/* The next round begins later: in so many milliseconds. */
uint32_t cqln_control_retry(cqln_control *ctl, cqln_backoff *backoff);
/* Of an outage the first round is told, and its end. */
cql_log_level cqln_control_loud(const cqln_control *ctl);

/* --- watch.c --------------------------------------------------------------------------------------- */
/* Does the cluster's own list of nodes say which there are? */
bool cqln_watch_wanted(const cqln_cluster *c);
bool cqln_watch_init(cqln_control *ctl); /* false: no memory */
void cqln_watch_fini(cqln_control *ctl);
void cqln_watch_close(cqln_control *ctl, const char *reason);
/* Connects to the next target; without one the round has failed. */
void cqln_watch_next(cqln_control *ctl);
void cqln_watch_refresh(cqln_control *ctl);

#endif
