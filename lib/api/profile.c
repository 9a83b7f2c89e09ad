/* Profiles: what they say, set on statements and batches. */
#include "api/statement.h"
#include "cluster/policy.h"

#include <cqlnative/profile.h>
#include <stddef.h>

static bool is_level(int level)
{
    return level >= 0 && level <= CQL_CONSISTENCY_LOCAL_ONE;
}

static bool is_serial(int level)
{
    return !level || level == CQL_CONSISTENCY_SERIAL || level == CQL_CONSISTENCY_LOCAL_SERIAL;
}

static bool is_sound(const cql_profile *p)
{
    size_t known = offsetof(cql_profile, balancing) + sizeof p->balancing;
    return p->size >= known && is_level(p->consistency) && is_serial(p->serial_consistency) &&
           p->page_size >= -1 && !(p->balancing && (p->local_dc || !p->balancing->plan));
}

cql_status cqln_execution_set_profile(cqln_execution *ex, const cql_profile *p)
{
    if (p && !is_sound(p))
        return CQL_BAD_ARGUMENT;
    if (p && p->balancing && !cqln_policy_available())
        return CQL_UNSUPPORTED;
    cqln_execution_say(ex, CQLN_SAID_RARE);
    ex->place = p && (p->local_dc || p->balancing) ? p : NULL;
    if (!p)
        return CQL_OK;
    if (p->consistency)
        ex->consistency = p->consistency;
    if (p->serial_consistency)
        ex->serial_consistency = p->serial_consistency;
    if (p->timeout_ms)
        ex->timeout_ms = p->timeout_ms;
    if (p->page_size)
        ex->page_size = p->page_size;
    if (p->idempotent)
        ex->idempotent = p->idempotent > 0 ? CQLN_IDEMPOTENT_YES : CQLN_IDEMPOTENT_NO;
    if (p->speculative)
        ex->steady = p->speculative < 0;
    if (p->retry)
        ex->retry_policy = p->retry;
    return CQL_OK;
}

cql_status cql_statement_set_profile(cql_statement *s, const cql_profile *profile)
{
    return s ? cqln_execution_set_profile(&s->ex, profile) : CQL_BAD_ARGUMENT;
}
