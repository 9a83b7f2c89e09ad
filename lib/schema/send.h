/* send.h: one statement after the other over the public session. */
#ifndef CQLSCH_SEND_H
#define CQLSCH_SEND_H

#include "schema/mem.h"

#include <cqlnative/schema.h>

/* Everything goes to one node, and every run picks the same one while the same nodes are up: so it
 * is that node that decides which of several runs creates an object, and what a run reads is what
 * the node that changes it has. */
typedef struct cqlsch_sender {
    cql_session *s;
    cqlsch_mem *mem;
    const cql_schema_options *opts;
    cql_schema_summary *summary;
    cql_consistency level; /* for statements of the text, when level_set */
    bool level_set;
    const char *host; /* the node in use, NULL: none picked */
} cqlsch_sender;

/* Waits until the cluster answers a query; reports failed attempts. What ends it at once: refused
 * credentials, TLS, no common protocol version, misuse. */
cql_status cqlsch_reach(cqlsch_sender *sender, cql_error **err);

/* A query of the module's own with at most one text value for its marker. */
cql_status cqlsch_ask(cqlsch_sender *sender, const char *cql, cql_str value, cql_str paging_state,
                      cql_result **res, cql_error **err);
/* A statement of the text. schema_change: it may take long. */
cql_status cqlsch_send(cqlsch_sender *sender, const char *cql, bool schema_change,
                       cql_str paging_state, cql_result **res, cql_error **err);
/* The pause between attempts that the options ask for. */
uint64_t cqlsch_retry_ms(const cqlsch_sender *sender);
/* Sleeps. */
void cqlsch_pause_ms(uint64_t ms);
/* Tells the user. */
void cqlsch_tell(cqlsch_sender *sender, cql_schema_message_kind kind, const char *text,
                 const char *file, uint32_t line);

#endif
