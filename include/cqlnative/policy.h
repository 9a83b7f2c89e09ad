/* policy.h: decisions of a session that programs may make themselves. A policy is a small table of
 * functions that decide over facts they are given: they are called on the session's loop thread, must
 * not block, and may not call the session. */
#ifndef CQLNATIVE_POLICY_H
#define CQLNATIVE_POLICY_H

#include <cqlnative/options.h>
#include <cqlnative/statement.h>

CQL_BEGIN

/* --- retry: what follows a failed attempt --------------------------------------------------------- */
typedef enum cql_retry_verdict {
    CQL_RETRY_NO = 0,        /* the error goes to the program */
    CQL_RETRY_SAME_HOST = 1, /* once more on the same node */
    CQL_RETRY_NEXT_HOST = 2  /* on another node; without one the error goes to the program */
} cql_retry_verdict;

/* What is known of the attempt. The numbers are those of native_protocol section 9, 0 where the error
 * has no such field. */
typedef struct cql_retry_info {
    size_t size;          /* sizeof(cql_retry_info) of the library that asks */
    cql_status status;    /* CQL_SERVER_…, or CQL_CLOSED: the connection was lost */
    bool idempotent;      /* the statement was marked so, or not at all and the option `idempotent` says so */
    bool maybe_applied;   /* by this attempt or an earlier one */
    unsigned retries;     /* how often it was sent again so far */
    int consistency;      /* cql_consistency that the server names */
    int required;         /* replicas that the level needs */
    int received;         /* those that answered; alive, for unavailable */
    int failures;
    bool data_present;
    bool may_pass;        /* read failure, v5: no replica that failed named a cause that stays, as too many
                           * tombstones are; its schema was another one (after ALTER), or it did not say */
    cql_str write_type;   /* "SIMPLE", "BATCH_LOG", "CAS", … */
} cql_retry_info;

/* Whatever `decide` says, these rules of the library stand: a statement that is not idempotent is not
 * sent again when it may have been applied; all attempts together keep to the time-out of the request,
 * to at most 9, and to the session's retry_budget; a node that is still starting or says that it shuts down,
 * or on which nothing had been written yet, is left for another one without asking. */
typedef struct cql_retry_policy {
    size_t size; /* sizeof(cql_retry_policy) */
    void *self;
    cql_retry_verdict (*decide)(void *self, const cql_retry_info *info);
} cql_retry_policy;

/* The two that come with the library; static storage. The default: unavailable once on the next node;
 * read time-out once on the same node when enough replicas answered without the data; write time-out of
 * the batch log once on the same node when idempotent; read failure that may pass once on the next node
 * when idempotent; overloaded, server error, truncate error and a lost connection on the next node when
 * idempotent; all else is an error. Fall-through: every error goes to the program. [any thread] */
CQL_API const cql_retry_policy *cql_retry_default(void);
CQL_API const cql_retry_policy *cql_retry_fall_through(void);

/* The policy of sessions made with these options, instead of the one that the option `retry` names. The
 * table is copied; what `self` points at must outlive the sessions. NULL: back to that option.
 * CQL_BAD_ARGUMENT for a table without `decide`. */
CQL_API cql_status cql_options_set_retry_policy(cql_options *o, const cql_retry_policy *policy);
/* The policy of one statement or batch, instead of the session's. The table is borrowed until the
 * statement and all requests made from it have ended. NULL: the session's. */
CQL_API void cql_statement_set_retry_policy(cql_statement *stmt, const cql_retry_policy *policy);
CQL_API void cql_batch_set_retry_policy(cql_batch *batch, const cql_retry_policy *policy);

/* --- speculative execution ------------------------------------------------------------------------ */
/* With the option `speculation`, a request that is idempotent and has no answer after a while is sent to
 * another node as well, and the first answer counts. False keeps one statement or batch out of that. */
CQL_API void cql_statement_set_speculative(cql_statement *stmt, bool speculative);
CQL_API void cql_batch_set_speculative(cql_batch *batch, bool speculative);

CQL_END
#endif
