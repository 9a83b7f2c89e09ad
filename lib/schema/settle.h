/* settle.h: a plan made ready for one run. */
#ifndef CQLSCH_SETTLE_H
#define CQLSCH_SETTLE_H

#include "schema/plan.h"

/* Copies the steps of `from` (whose memory must outlive *out), puts replication and settings in,
 * and builds the model of expected objects. *out is to be released with cqlsch_mem_fini(&out->mem)
 * in every case. CQL_BAD_ARGUMENT, CQL_NO_MEMORY. */
cql_status cqlsch_settle(const cql_schema_plan *from, const cql_schema_options *opts,
                         cql_schema_plan *out, cql_error **err);

#endif
