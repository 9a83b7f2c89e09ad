/* metadata.h: column descriptions on the wire, as ROWS and PREPARED share them.
 *
 *   [keyspace table, when global]  n x ( [keyspace table, unless global] name [option] )
 */
#ifndef CQLN_MSG_METADATA_H
#define CQLN_MSG_METADATA_H

#include "msg/response.h"

enum { CQLN_COLUMN_MIN = 4 }; /* [string] name, [option] type */

/* Steps over the descriptions; the reader fails when they are not all there. */
void cqln_skip_columns(cqln_reader *rd, bool global, uint32_t count);
/* Empty metadata with one holder, its arena capped for descriptions of `bytes` bytes. NULL when
 * memory is out. */
cqln_metadata *cqln_metadata_new(const cql_allocator *al, size_t bytes);
/* Builds `count` columns from bytes that cqln_skip_columns went over. */
cql_status cqln_metadata_read_columns(cqln_metadata *m, cqln_reader *rd, bool global,
                                      uint32_t count);
/* The head of result metadata, up to and with the descriptions: [int] flags, [int] count, [paging
 * state], [new metadata id], [columns]. Used by ROWS and by the second half of PREPARED. */
void cqln_read_result_metadata(cqln_reader *rd, cqln_rows_head *out);

#endif
