/* live.h: the schema that a server has, read from system_schema by column name. */
#ifndef CQLSCH_LIVE_H
#define CQLSCH_LIVE_H

#include "schema/model.h"
#include "schema/send.h"

/* Adds all objects of one keyspace; none when it does not exist. */
cql_status cqlsch_live_read(cqlsch_sender *sender, cqlsch_model *m, cql_str keyspace,
                            cql_error **err);

#endif
