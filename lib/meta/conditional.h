/* conditional.h: is a statement a lightweight transaction, may it run twice? Seen from its text, since servers do not say. */
#ifndef CQLN_META_CONDITIONAL_H
#define CQLN_META_CONDITIONAL_H

#include <cqlnative/base.h>

/* True for INSERT, UPDATE, DELETE and batches of them with the word IF outside of strings, quoted names
 * and comments: IF is reserved, so that it can be nothing else there. */
bool cqln_cql_conditional(cql_str cql);
/* May it run twice where nobody says that it may not? Only what reads or writes rows: two nodes that create one table at
 * the same time make two of it. Nothing conditional, and no batch of counters. */
bool cqln_cql_repeatable(cql_str cql);

#endif
