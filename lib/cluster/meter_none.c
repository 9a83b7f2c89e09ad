/* A build without what people look at (configure --disable-insight): nothing is counted (meter.h), as nobody sees it. */
#include "cluster/meter.h"

cql_metric cqln_meter_class(cql_status st)
{
    return st ? CQL_METRIC_ERROR_OTHER : CQL_METRIC_COUNT;
}

void cqln_meter_keep(cqln_meter *session, const cqln_meter *node)
{
    (void)session;
    (void)node;
}
