/* loops.h: the further loops of a session that spreads its connections over several threads. The session's
 * own loop is the first of them and leads (team.h). A request stays on the loop that it was given to. */
#ifndef CQLN_API_LOOPS_H
#define CQLN_API_LOOPS_H

#include "api/session.h"
#include "cluster/team.h"

/* One of the further loops. */
typedef struct cqln_hand {
    cqln_cluster cluster;
    cqln_config config; /* its share; the texts are the session's */
    cqln_config quiet;  /* for TLS: what it says of files the first loop says */
    cqln_secure *secure;
    cqln_io *io;
    cql_session *session;
    bool started;
    bool running; /* under the session's lock: the thread has taken the loop over */
    cqln_mail close_mail;
} cqln_hand;

struct cqln_loops {
    uint32_t count;                     /* with the session's own */
    pthread_t threads[CQLN_TEAM_MAX];   /* set before anything is sent */
    _Atomic(uint32_t) turn;             /* whose turn it is to be given requests */
    _Atomic(bool) full;                 /* a caller was told to wait */
    _Atomic(uint32_t) joining; /* loops whose connect is not over */
    _Atomic(uint32_t) open;    /* or whose close */
    cqln_mail joined_mail;
    cqln_mail closed_mail;
    cqln_team team;
    cqln_hand hands[]; /* count - 1 */
};

/* The part of loop `number` of `count` in the limits of the session; each gets one at least. */
void cqln_loops_share(cqln_config *share, const cqln_config *whole, uint32_t count, uint32_t number);
/* Makes the further loops; the session's own cluster is there, with its share. */
cql_status cqln_loops_new(cql_session *s, const cqln_config *whole, uint32_t count, char *why);
/* Starts their threads. What cqln_session_start_thread says; those that have none are at their end then. */
cql_status cqln_loops_start(cql_session *s);
cql_status cqln_hand_start_thread(cqln_hand *h, pthread_t *out);
/* Joins the threads and frees; NULL is fine. The loops are at their end, or about to be. */
void cqln_loops_free(cql_session *s);

/* On the first loop. It has connected: the others do, then the program is told. */
void cqln_loops_connect(cql_session *s);
/* It begins to close, and waits for the others. */
void cqln_loops_close(cql_session *s);

/* Is this one of the further loops' threads? [any thread] */
bool cqln_loops_here(const cql_session *s);
/* Where the next request goes: on a loop's thread to that loop, else to each in turn, those left out that
 * are full or without connections while others are not. [any thread] */
cqln_cluster *cqln_loops_pick(cql_session *s);
/* The same for statements to be prepared: the first loop rather than the others. [any thread] */
cqln_cluster *cqln_loops_pick_first(cql_session *s);
/* A caller is told to wait: the drain callback comes when one of the loops has room. [any thread] */
void cqln_loops_full(cql_session *s);

/* cql_session_execute_with on one loop. (execute.c) [any thread] */
cql_status cqln_execute_on(cqln_cluster *c, const cql_statement *stmt,
                           const cql_execute_options *opts, cql_request *request, cql_result_cb cb,
                           void *user);

/* What more is said of a request that was encoded with st; the outcome of both. (execute.c) */
cql_status cqln_request_say(cqln_request *req, cql_status st, const cql_execute_options *opts,
                            cql_request *request);
/* st of encoding: starts the request or gives it back. timeout_ms 0: what was said so far. (execute.c) */
cql_status cqln_request_go(cqln_request *req, cql_status st, uint32_t timeout_ms, cql_result_cb cb,
                           void *user);

/* The calls of the same names, with a time-out of the call's own; 0: the usual one. (execute.c) [any thread] */
cql_status cqln_query_within(cql_session *s, const char *cql, uint32_t timeout_ms, cql_result_cb cb,
                             void *user);
cql_status cqln_prepare_within(cql_session *s, const char *keyspace, const char *cql,
                               uint32_t timeout_ms, cql_prepared_cb cb, void *user);

/* Without further loops these cost a look at a pointer. */
static inline cqln_cluster *cqln_session_pick(cql_session *s)
{
    return s->loops ? cqln_loops_pick(s) : &s->cluster;
}
static inline cql_status cqln_session_refuse(cql_session *s, cql_status st)
{
    if (st == CQL_WOULD_BLOCK && s->loops)
        cqln_loops_full(s);
    return st;
}
static inline uint32_t cqln_session_loop_count(const cql_session *s)
{
    return s->loops ? s->loops->count : 1;
}
static inline cqln_cluster *cqln_session_cluster(cql_session *s, uint32_t i)
{
    return i ? &s->loops->hands[i - 1].cluster : &s->cluster;
}
static inline cqln_secure *cqln_session_secure(const cql_session *s, uint32_t i)
{
    return i ? s->loops->hands[i - 1].secure : s->secure;
}

#endif
