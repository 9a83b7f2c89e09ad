/* retry.h: what to do after a failed attempt. A pure decision over what is known of it. */
#ifndef CQLN_POLICY_RETRY_H
#define CQLN_POLICY_RETRY_H

#include "msg/response.h"

typedef struct cqln_attempt {
    bool idempotent;
    unsigned retries; /* so far, re-preparations and bootstrapping nodes not counted */
} cqln_attempt;

typedef enum cqln_retry {
    CQLN_RETRY_NO,
    CQLN_RETRY_SAME_HOST,
    CQLN_RETRY_NEXT_HOST,
    CQLN_RETRY_NEXT_HOST_UNCOUNTED
} cqln_retry;

/* After an ERROR answer. The rules are those that the established drivers share: unavailable once on
 * the next node; read time-out once on the same node when enough replicas answered without the data;
 * write time-out of the batch log once when idempotent; overloaded, server error and truncate error on
 * the next node when idempotent; bootstrapping always on the next node. All else is an error. */
cqln_retry cqln_retry_on_error(const cqln_attempt *a, const cqln_server_error *e);
/* After the connection was lost. written: at least one byte may have left. */
cqln_retry cqln_retry_on_lost(const cqln_attempt *a, bool written);
/* May the statement have been applied although this ERROR came? */
bool cqln_error_code_maybe_applied(uint32_t code);
/* May the same request succeed later or elsewhere? */
bool cqln_error_code_retriable(uint32_t code);

#endif
