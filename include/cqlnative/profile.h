/* profile.h: how requests of one kind are executed, said once: their level, time-out, retries, and the nodes that they
 * go to.
 *
 *   static const cql_profile reports = {.size = sizeof reports, .consistency = CQL_CONSISTENCY_LOCAL_QUORUM,
 *                                       .timeout_ms = 60000, .idempotent = 1, .local_dc = "analytics"};
 *   st = cql_statement_set_profile(stmt, &reports);
 *
 * A profile is a table of the program's own, usually constant: nothing to make, nothing to free. */
#ifndef CQLNATIVE_PROFILE_H
#define CQLNATIVE_PROFILE_H

#include <cqlnative/policy.h>
#include <cqlnative/routing.h>

CQL_BEGIN

/* What is 0 or NULL is not said: it stays as it is. */
typedef struct cql_profile {
    size_t size;                 /* sizeof(cql_profile) */
    int consistency;             /* cql_consistency; ANY, which is 0, has to be set on the statement */
    int serial_consistency;      /* SERIAL or LOCAL_SERIAL */
    uint32_t timeout_ms;
    int32_t page_size;           /* rows; -1 for all in one; of no meaning to a batch */
    int idempotent;              /* 1: yes, -1: no */
    int speculative;             /* 1: yes, -1: no */
    const cql_retry_policy *retry;
    /* The data centre whose nodes alone get the requests, those with the row first, whatever the level and the session's
     * local_dc are: LOCAL_QUORUM is then that of this data centre. The session has connections there by its options:
     * used_hosts_per_remote_dc says to how many nodes of each other data centre, 100 to as many as all. */
    const char *local_dc;
    /* In place of that: its `plan` chooses among the nodes that the session uses. `distance` is not asked. */
    const cql_balancing_policy *balancing;
} cql_profile;

/* Sets on a statement or batch what the profile says, each as its own setter would: what was said before and is said by
 * the profile too is replaced, and what is set afterwards counts. Of a member of a batch only idempotence counts.
 * The nodes are looked at when requests are sent: the table, and what it points at, is borrowed until the statement
 * is freed and all requests made from it, and plans asked for with it, have ended. NULL takes back what a profile said of the nodes, no more.
 * Requests whose profile has no node that the session uses fail with CQL_NO_HOST and the reason. The `host` of
 * cql_execute_options counts more.
 * CQL_BAD_ARGUMENT, and nothing is set, for a table that is too small, a level that is none and a page size below -1;
 * for `local_dc` beside `balancing`, and for `balancing` without `plan`; CQL_UNSUPPORTED for `balancing` in a build
 * that asks no policies (configure --disable-routing). */
CQL_API cql_status cql_statement_set_profile(cql_statement *stmt, const cql_profile *profile);
CQL_API cql_status cql_batch_set_profile(cql_batch *batch, const cql_profile *profile);

CQL_END
#endif
