/* What is counted is sorted: latencies and errors. */
#include "cluster/meter.h"

uint64_t cqln_meter_bound(unsigned bucket)
{
    if (bucket < 8)
        return bucket;
    unsigned exponent = bucket / 8 + 2;
    return (uint64_t)(8 + bucket % 8) << (exponent - 3);
}

static cql_metric class_of_server(cql_status st)
{
    switch (st) {
    case CQL_SERVER_OVERLOADED:
    case CQL_SERVER_IS_BOOTSTRAPPING:
        return CQL_METRIC_ERROR_OVERLOADED;
    case CQL_SERVER_UNAVAILABLE:
        return CQL_METRIC_ERROR_UNAVAILABLE;
    case CQL_SERVER_WRITE_TIMEOUT:
    case CQL_SERVER_READ_TIMEOUT:
    case CQL_SERVER_CAS_WRITE_UNKNOWN:
        return CQL_METRIC_ERROR_SERVER_TIMEOUT;
    case CQL_SERVER_READ_FAILURE:
    case CQL_SERVER_WRITE_FAILURE:
    case CQL_SERVER_FUNCTION_FAILURE:
    case CQL_SERVER_CDC_WRITE_FAILURE:
    case CQL_SERVER_TRUNCATE_ERROR:
        return CQL_METRIC_ERROR_SERVER_FAILURE;
    case CQL_SERVER_SYNTAX_ERROR:
    case CQL_SERVER_UNAUTHORIZED:
    case CQL_SERVER_INVALID:
    case CQL_SERVER_CONFIG_ERROR:
    case CQL_SERVER_ALREADY_EXISTS:
    case CQL_SERVER_BAD_CREDENTIALS:
        return CQL_METRIC_ERROR_REFUSED;
    case CQL_SERVER_UNPREPARED:
        return CQL_METRIC_ERROR_UNPREPARED;
    default:
        return CQL_METRIC_ERROR_OTHER;
    }
}

cql_metric cqln_meter_class(cql_status st)
{
    if (CQL_SERVER_CODE(st) >= 0)
        return class_of_server(st);
    switch (st) {
    case CQL_OK:
        return CQL_METRIC_COUNT;
    case CQL_TIMEOUT:
        return CQL_METRIC_ERROR_TIMEOUT;
    case CQL_CLOSED:
    case CQL_NO_HOST:
    case CQL_CONNECT_FAILED:
        return CQL_METRIC_ERROR_CONNECTION;
    case CQL_CANCELLED:
        return CQL_METRIC_ERROR_CANCELLED;
    default:
        return CQL_METRIC_ERROR_OTHER;
    }
}

static void keep(cqln_counter *to, const cqln_counter *from)
{
    cqln_count_add(to, atomic_load_explicit((cqln_counter *)(uintptr_t)from, memory_order_relaxed));
}

void cqln_meter_keep(cqln_meter *session, const cqln_meter *node)
{
    static const cql_metric kept[] = {CQL_METRIC_OPENED, CQL_METRIC_LOST,
                                      CQL_METRIC_CONNECT_FAILED};
    for (size_t i = 0; i < CQL_COUNT(kept); i++)
        keep(&session->values[kept[i]], &node->values[kept[i]]);
    keep(&session->values[CQL_METRIC_BYTES_IN], &node->traffic.in);
    keep(&session->values[CQL_METRIC_BYTES_OUT], &node->traffic.out);
}
