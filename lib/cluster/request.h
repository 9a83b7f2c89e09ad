/* request.h: one request of the program: its bytes, its deadline, who waits for the answer. */
#ifndef CQLN_CLUSTER_REQUEST_H
#define CQLN_CLUSTER_REQUEST_H

#include "cluster/result.h"
#include "meta/token.h"
#include "net/link.h"

#include <cqlnative/profile.h>
#include <cqlnative/session.h>

typedef struct cqln_cluster cqln_cluster;
typedef struct cqln_node cqln_node;
typedef struct cqln_slot cqln_slot;

/* What stands behind a stream id of a link. */
typedef struct cqln_owner cqln_owner;
struct cqln_owner {
    void (*answered)(cqln_owner *o, cqln_link *link, const cqln_conn_event *ev);
    void (*lost)(cqln_owner *o, cqln_link *link); /* the link ended without an answer */
    bool straight; /* a request that needs nothing but its answer, as nearly all do: its record says less
                    * (cqln_request_bend) and is at rest when that is there */
};

typedef enum cqln_request_state {
    CQLN_REQUEST_MAILED,  /* on its way to the loop's thread */
    CQLN_REQUEST_WAITING, /* for a free stream */
    CQLN_REQUEST_SENT,
    CQLN_REQUEST_ASIDE    /* a node learns its statement, the schema is being agreed on, or only its
                           * other attempts are left */
} cqln_request_state;

/* What a request says of where it should go; made where it is encoded. */
typedef struct cqln_route {
    cqln_token token;
    uint64_t keyspace_mark; /* of the table; 0: that of the session */
    bool has_token;
    bool anywhere;    /* every node that is used has its row */
    bool conditional; /* replicas in the order of the ring */
    bool local_only;  /* a level that counts replicas of the local data centre */
    bool batch_if;    /* a batch with a conditional statement */
} cqln_route;

enum { CQLN_ASKED_MAX = 12 };

typedef enum cqln_bound {
    CQLN_BOUND_NOT = 0,
    CQLN_BOUND_HOST = 1,   /* to `only_host` */
    CQLN_BOUND_PROFILE = 2 /* to the nodes of `profile` */
} cqln_bound;

/* What is said of idempotence: the least of several is that of all together. */
enum { CQLN_IDEMPOTENT_NO = -1, CQLN_IDEMPOTENT_UNSAID = 0, CQLN_IDEMPOTENT_YES = 1 };

typedef struct cqln_try cqln_try; /* a failed attempt, for the error's list */

/* In front what every request uses, in few cache lines; behind it what few do. */
typedef struct cqln_request {
    cqln_owner owner; /* first: a sent request owns its stream */
    cqln_cluster *cluster;
    uint64_t expires; /* 0: has no time-out now; loop's thread only (expiry.h) */
    cqln_request_state state;
    uint32_t began_us; /* when the loop took it; wraps */
    int16_t stream;

    /* From here to `env` all is zero in a request that begins: up to `only` it is cleared then (the statement by itself,
     * since most requests have one), the rest is in records that are free. */
    cqln_route route;
    int8_t idempotent; /* CQLN_IDEMPOTENT_ */
    bool is_prepare;
    uint8_t bound; /* cqln_bound: it may not go to any node */
    bool steady;        /* never sent to two nodes at the same time */
    bool in_doubt;      /* an attempt that is over may have been applied */
    uint8_t attempts; /* sent again so often */
    uint8_t retries;  /* those that the retry policy counts */
    uint8_t reprepared;
    uint32_t timeout_ms;
    uint32_t tried_count;
    cqln_link *link; /* while sent */
    cqln_node *last; /* where the last attempt went */
    cql_prepared *prepared;
    cqln_metadata *known; /* of `prepared` when env was made; NULL: the answer brings its own */
    cqln_node *only; /* the one node to use; NULL: any */
    cql_prepared **members; /* batch: the prepared statements in it */
    size_t member_count;
    cqln_try *tries;
    const cql_retry_policy *retry_policy; /* NULL: the session's */
    struct cqln_race *race;   /* other attempts at the same time; NULL: none will be */
    cql_result *held;         /* a schema change that waits for agreement */
    cql_error *error;
    void *hook_slot;       /* a word for the program's hooks */

    cqln_writer env; /* the whole envelope, resent as it is */
    union {
        cql_result_cb result;
        cql_prepared_cb prepared;
    } cb;
    void *user;
    uint64_t mark;   /* cqln_link_written */
    union {
        cqln_mail mail;             /* from another thread to the loop's */
        struct cqln_request *spare; /* free: the next free record */
    } way;

    uint32_t tried[CQLN_ASKED_MAX]; /* ids of the nodes that it was sent to */
    uint64_t sent_us;               /* with latency_awareness: when it was sent last */
    uint64_t began_ms;              /* with hooks: when the loop took it */
    cql_str cql;           /* prepare: the text inside env */
    cql_str in_keyspace;   /* prepare: the keyspace it names (v5), inside env; empty: none */
    cqln_list queue;       /* while waiting, for a stream or for a node to learn a statement */
    cqln_deferred failing; /* carries an error found inside execute to the next turn */
    const cql_profile *profile; /* of those that are bound to one, the program's */
    char only_host[CQLN_ADDRESS_TEXT]; /* name of `only` until the loop's thread looks it up */
} cqln_request;

/* What the next function needs, in the order in which a program calls it. All [any thread]. */

/* A record, its env empty; CQL_WOULD_BLOCK (the drain callback will come), CQL_NO_MEMORY,
 * CQL_BAD_STATE while not connected. */
cql_status cqln_request_begin(cqln_cluster *c, cqln_request **out);
/* Gives a record back that was not started. */
void cqln_request_abandon(cqln_request *req);
/* Starts it: from here on its callback comes once. timeout_ms 0: the session's. */
void cqln_request_start(cqln_request *req);
/* A handle, good until the request ends; and giving it up. */
uint64_t cqln_request_handle(cqln_request *req);
cql_status cqln_request_cancel(cqln_cluster *c, uint64_t handle);

/* --- loop's thread ------------------------------------------------------------------------------- */
/* Sends it to a link with a free stream or lets it wait for one. */
void cqln_request_place(cqln_request *req);
/* Sends what waits for a stream, as far as there are free ones. */
void cqln_requests_pump(cqln_cluster *c);
/* Ends those that wait and that nothing can serve any more. */
void cqln_requests_fail_hopeless(cqln_cluster *c);
/* Ends all that wait (only NULL), or those bound to one node. */
void cqln_requests_fail_waiting(cqln_cluster *c, const cqln_node *only, cql_status st,
                                const char *why);
/* Is it a conditional statement, or a batch with one? */
bool cqln_request_conditional(const cqln_request *req);
/* May it run twice? By what was said of it, else by the option. Looked up where something has failed. */
bool cqln_request_idempotent(const cqln_request *req);
/* Ends a request: callback with the error (taken over), record given back. */
void cqln_request_fail(cqln_request *req, cql_error *err);
/* The same in a later turn, for errors found while the program's call is on the stack. */
void cqln_request_fail_later(cqln_request *req, cql_error *err);
/* Ends a request with a result, or a prepare call with its statement. */
void cqln_request_succeed(cqln_request *req, const cql_result *res);
void cqln_request_succeed_prepared(cqln_request *req, const cql_prepared *prepared);
/* An answer on the link of a node: counted, and handed to its owner (answer.c). */
void cqln_answer_arrived(cqln_link *link, const cqln_conn_event *ev);
/* The answer to a sent request, and the end of its link. */
void cqln_request_answered(cqln_owner *o, cqln_link *link, const cqln_conn_event *ev);
void cqln_request_lost(cqln_owner *o, cqln_link *link);
/* Its env has another length than `before`. */
void cqln_request_resized(cqln_request *req, size_t before);
/* Makes an EXECUTE the QUERY with the same text and parameters (astext.c). False: it stays what it is. */
bool cqln_request_as_text(cqln_request *req, uint8_t version);
/* An attempt that is over for good (answer.c): its error goes to the program unless others still run. */
void cqln_request_failed(cqln_request *req, cql_error *err);
/* An ERROR that says nothing about the statement having run: of a node that did not learn it. */
void cqln_request_refused(cqln_request *req, cqln_link *link, const cqln_server_error *e);
/* It is no straight one any more: what such a one leaves out is said, as where it was sent. Harmless to others. */
void cqln_request_bend(cqln_request *req);
/* Takes it from wherever it is; the server may still answer, then the answer is dropped. */
void cqln_request_detach(cqln_request *req);
/* May the statement have been applied, as far as is known now? */
bool cqln_request_maybe_applied(const cqln_request *req);
/* UNPREPARED came: the node learns the statement with that id, then it is sent again (reprepare.c). */
void cqln_request_reprepare(cqln_request *req, cqln_link *link, const cqln_server_error *e);
/* True: one of its statements is another one by now, and the request has failed for that. */
bool cqln_request_outdated(cqln_request *req);
/* The statement in the request that has this id, NULL: none has. */
cql_prepared *cqln_request_statement(const cqln_request *req, cql_str id);
/* How the lesson that a request waited for came out. */
typedef struct cqln_lesson_end {
    cql_prepared *prepared;
    bool answered;     /* else the link is gone or silent */
    bool refused;      /* by `error` */
    cql_status status; /* CQL_PREPARED_CHANGED: with `new_id`, or markers of other types */
    cql_str new_id;
    cqln_server_error error;
} cqln_lesson_end;
void cqln_request_taught(cqln_request *req, cqln_link *link, const cqln_lesson_end *end);
/* A PREPARED answer to a prepare call. */
void cqln_request_prepared(cqln_request *req, cqln_link *link, cqln_reader *rd);

#endif
