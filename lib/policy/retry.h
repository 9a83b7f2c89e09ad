/* retry.h: what to do after a failed attempt. A pure decision over what is known of it. */
#ifndef CQLN_POLICY_RETRY_H
#define CQLN_POLICY_RETRY_H

#include "msg/response.h"

#include <cqlnative/policy.h>

typedef enum cqln_retry {
    CQLN_RETRY_NO,
    CQLN_RETRY_SAME_HOST,
    CQLN_RETRY_NEXT_HOST,
    CQLN_RETRY_NEXT_HOST_UNCOUNTED
} cqln_retry;

typedef struct cqln_attempt {
    bool idempotent;
    bool maybe_applied; /* by an attempt before this one */
    bool conditional;
    unsigned retries;   /* so far, re-preparations and bootstrapping nodes not counted */
} cqln_attempt;

/* After an ERROR answer: a node that is bootstrapping or shutting down is left for the next one; for the rest
 * the policy is asked, and overruled where a statement could be applied twice. */
cqln_retry cqln_retry_on_error(const cql_retry_policy *policy, const cqln_attempt *a,
                               const cqln_server_error *e);
/* After the connection was lost. written: at least one byte may have left; when not, the statement goes
 * to the next node whatever the policy. */
cqln_retry cqln_retry_on_lost(const cql_retry_policy *policy, const cqln_attempt *a, bool written);
/* Does a server that is being drained or stopped say so? It refuses all that reaches it then, before it runs. The
 * protocol has no code for it: Cassandra sends OVERLOADED with this very text. */
bool cqln_error_is_farewell(const cqln_server_error *e);
/* May the statement have been applied although this ERROR came? Replicas may be missing for the last phase of a
 * conditional one, when it is decided already: UNAVAILABLE then names the level of the commit, not the serial one. */
bool cqln_error_maybe_applied(const cqln_server_error *e, bool conditional);
/* Does it say something of the statement itself, so that every node would say it? */
bool cqln_error_of_statement(uint32_t code);
/* May the same request succeed later or elsewhere? */
bool cqln_error_code_retriable(uint32_t code);

#endif
