/* The default retry policy. */
#include "policy/retry.h"

enum {
    SERVER_ERROR = 0x0000,
    UNAVAILABLE = 0x1000,
    OVERLOADED = 0x1001,
    IS_BOOTSTRAPPING = 0x1002,
    TRUNCATE_ERROR = 0x1003,
    WRITE_TIMEOUT = 0x1100,
    READ_TIMEOUT = 0x1200,
    READ_FAILURE = 0x1300,
    WRITE_FAILURE = 0x1500,
    CDC_WRITE_FAILURE = 0x1600,
    CAS_WRITE_UNKNOWN = 0x1700,
    SYNTAX_ERROR = 0x2000
};

static bool is_batch_log(cql_str type)
{
    return cql_str_equal(type, cql_str_of("BATCH_LOG"));
}

cqln_retry cqln_retry_on_error(const cqln_attempt *a, const cqln_server_error *e)
{
    switch (e->code) {
    case IS_BOOTSTRAPPING:
        return CQLN_RETRY_NEXT_HOST_UNCOUNTED;
    case UNAVAILABLE:
        return a->retries == 0 ? CQLN_RETRY_NEXT_HOST : CQLN_RETRY_NO;
    case READ_TIMEOUT:
        return a->retries == 0 && e->received >= e->required && !e->data_present
                   ? CQLN_RETRY_SAME_HOST
                   : CQLN_RETRY_NO;
    case WRITE_TIMEOUT:
        return a->retries == 0 && a->idempotent && is_batch_log(e->write_type)
                   ? CQLN_RETRY_SAME_HOST
                   : CQLN_RETRY_NO;
    case OVERLOADED:
    case SERVER_ERROR:
    case TRUNCATE_ERROR:
        return a->idempotent ? CQLN_RETRY_NEXT_HOST : CQLN_RETRY_NO;
    default:
        return CQLN_RETRY_NO;
    }
}

cqln_retry cqln_retry_on_lost(const cqln_attempt *a, bool written)
{
    return a->idempotent || !written ? CQLN_RETRY_NEXT_HOST : CQLN_RETRY_NO;
}

bool cqln_error_code_maybe_applied(uint32_t code)
{
    switch (code) {
    case SERVER_ERROR:
    case TRUNCATE_ERROR:
    case WRITE_TIMEOUT:
    case WRITE_FAILURE:
    case CDC_WRITE_FAILURE:
    case CAS_WRITE_UNKNOWN:
        return true;
    case OVERLOADED: /* refused before it ran, or dropped from the queue */
    case UNAVAILABLE:
    case IS_BOOTSTRAPPING:
    case READ_TIMEOUT:
    case READ_FAILURE:
        return false;
    default: /* 0x2xxx and the rest of 0x0xxx are refusals; what we do not know may have run */
        return code > SYNTAX_ERROR + 0xfff || (code > CAS_WRITE_UNKNOWN && code < SYNTAX_ERROR);
    }
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
