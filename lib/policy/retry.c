/* The retry policies of the library, and what stands above all of them. */
#include "policy/retry.h"

enum {
    SERVER_ERROR = 0x0000,
    PROTOCOL_ERROR = 0x000a,
    UNAVAILABLE = 0x1000,
    OVERLOADED = 0x1001,
    IS_BOOTSTRAPPING = 0x1002,
    TRUNCATE_ERROR = 0x1003,
    WRITE_TIMEOUT = 0x1100,
    READ_TIMEOUT = 0x1200,
    READ_FAILURE = 0x1300,
    FUNCTION_FAILURE = 0x1400,
    WRITE_FAILURE = 0x1500,
    CDC_WRITE_FAILURE = 0x1600,
    CAS_WRITE_UNKNOWN = 0x1700,
    SYNTAX_ERROR = 0x2000,
    ALREADY_EXISTS = 0x2400
};

/* --- the policies of the library ------------------------------------------------------------------ */

static cql_retry_verdict once(const cql_retry_info *info, bool when, cql_retry_verdict how)
{
    return info->retries == 0 && when ? how : CQL_RETRY_NO;
}

static cql_retry_verdict decide_standard(void *self, const cql_retry_info *info)
{
    (void)self;
    if (info->status == CQL_CLOSED)
        return info->idempotent ? CQL_RETRY_NEXT_HOST : CQL_RETRY_NO;
    switch (CQL_SERVER_CODE(info->status)) {
    case UNAVAILABLE:
        return once(info, true, CQL_RETRY_NEXT_HOST);
    case READ_TIMEOUT:
        return once(info, info->received >= info->required && !info->data_present,
                    CQL_RETRY_SAME_HOST);
    case WRITE_TIMEOUT:
        return once(info,
                    info->idempotent && cql_str_equal(info->write_type, cql_str_of("BATCH_LOG")),
                    CQL_RETRY_SAME_HOST);
    case READ_FAILURE:
        return once(info, info->idempotent && info->may_pass, CQL_RETRY_NEXT_HOST);
    case OVERLOADED:
    case SERVER_ERROR:
    case TRUNCATE_ERROR:
        return info->idempotent ? CQL_RETRY_NEXT_HOST : CQL_RETRY_NO;
    default:
        return CQL_RETRY_NO;
    }
}

static cql_retry_verdict decide_never(void *self, const cql_retry_info *info)
{
    (void)self;
    (void)info;
    return CQL_RETRY_NO;
}

const cql_retry_policy *cql_retry_default(void)
{
    static const cql_retry_policy policy = {sizeof policy, NULL, decide_standard};
    return &policy;
}

const cql_retry_policy *cql_retry_fall_through(void)
{
    static const cql_retry_policy policy = {sizeof policy, NULL, decide_never};
    return &policy;
}

/* A replica that does not know a new column yet says "incompatible schema" or nothing; elsewhere, or a moment
 * later, it may do. Without reasons (v4) it may as well be tombstones, which are dear to read again. */
static bool may_pass(const cqln_server_error *e)
{
    enum { UNKNOWN = 0, INCOMPATIBLE_SCHEMA = 3 };
    const uint8_t *p = (const uint8_t *)e->reasons.ptr;
    for (size_t at = 0; at < e->reasons.len; at += 2) {
        at += 1 + (size_t)p[at];
        unsigned code = cqln_load_u16(p + at);
        if (code != UNKNOWN && code != INCOMPATIBLE_SCHEMA)
            return false;
    }
    return e->reasons.len > 0;
}

/* --- asking --------------------------------------------------------------------------------------- */

static cqln_retry ask(const cql_retry_policy *policy, const cql_retry_info *info)
{
    cql_retry_verdict verdict = policy->decide(policy->self, info);
    if (!info->idempotent && info->maybe_applied)
        return CQLN_RETRY_NO;
    switch (verdict) {
    case CQL_RETRY_NO:
        return CQLN_RETRY_NO;
    case CQL_RETRY_SAME_HOST:
        return CQLN_RETRY_SAME_HOST;
    case CQL_RETRY_NEXT_HOST:
        return CQLN_RETRY_NEXT_HOST;
    }
    return CQLN_RETRY_NO;
}

cqln_retry cqln_retry_on_error(const cql_retry_policy *policy, const cqln_attempt *a,
                               const cqln_server_error *e)
{
    if (e->code == IS_BOOTSTRAPPING || cqln_error_is_farewell(e))
        return CQLN_RETRY_NEXT_HOST_UNCOUNTED;
    cql_retry_info info = {
        .size = sizeof info,
        .status = cqln_server_status(e->code),
        .idempotent = a->idempotent,
        .maybe_applied = a->maybe_applied || cqln_error_maybe_applied(e, a->conditional),
        .retries = a->retries,
        .consistency = e->consistency,
        .required = e->required,
        .received = e->received,
        .failures = e->failures,
        .data_present = e->data_present,
        .may_pass = e->code == READ_FAILURE && may_pass(e),
        .write_type = e->write_type,
    };
    return ask(policy, &info);
}

cqln_retry cqln_retry_on_lost(const cql_retry_policy *policy, const cqln_attempt *a, bool written)
{
    if (!written)
        return CQLN_RETRY_NEXT_HOST;
    cql_retry_info info = {
        .size = sizeof info,
        .status = CQL_CLOSED,
        .idempotent = a->idempotent,
        .maybe_applied = true,
        .retries = a->retries,
    };
    return ask(policy, &info);
}

bool cqln_error_is_farewell(const cqln_server_error *e)
{
    return e->code == OVERLOADED && cql_str_equal(e->message, cql_str_of("Server is shutting down"));
}

static bool serial(int consistency)
{
    return consistency == CQL_CONSISTENCY_SERIAL || consistency == CQL_CONSISTENCY_LOCAL_SERIAL;
}

bool cqln_error_maybe_applied(const cqln_server_error *e, bool conditional)
{
    switch (e->code) {
    case SERVER_ERROR:
    case TRUNCATE_ERROR:
    case WRITE_TIMEOUT:
    case WRITE_FAILURE:
    case CDC_WRITE_FAILURE:
    case CAS_WRITE_UNKNOWN:
        return true;
    case UNAVAILABLE:
        return conditional && !serial(e->consistency);
    case OVERLOADED: /* refused before it ran, or dropped from the queue */
    case IS_BOOTSTRAPPING:
    case READ_TIMEOUT:
    case READ_FAILURE:
        return false;
    default: /* 0x2xxx and the rest of 0x0xxx are refusals; what we do not know may have run */
        return e->code > SYNTAX_ERROR + 0xfff || (e->code > CAS_WRITE_UNKNOWN && e->code < SYNTAX_ERROR);
    }
}

bool cqln_error_of_statement(uint32_t code)
{
    return code == PROTOCOL_ERROR || code == FUNCTION_FAILURE ||
           (code >= SYNTAX_ERROR && code <= ALREADY_EXISTS);
}

bool cqln_error_code_retriable(uint32_t code)
{
    switch (code) {
    case SERVER_ERROR:
    case UNAVAILABLE:
    case OVERLOADED:
    case IS_BOOTSTRAPPING:
    case TRUNCATE_ERROR:
    case WRITE_TIMEOUT:
    case READ_TIMEOUT:
        return true;
    default:
        return false;
    }
}
