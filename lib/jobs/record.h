/* record.h: jobs in memory: one block holds the struct and every text of it. */
#ifndef CQLJOB_RECORD_H
#define CQLJOB_RECORD_H

#include <cqlnative/jobs.h>

/* Copies a struct into a block of its own, with its texts behind it; texts: offsets of its cql_str members.
 * `before` bytes are left free in front of it. NULL when memory is out. */
void *cqljob_pack(const cql_allocator *al, const void *from, size_t size, size_t before,
                  const uint8_t *texts, size_t count);
/* Copies `from` with all its texts; the allocator is remembered. NULL when memory is out. Yours:
 * free with cql_job_info_free. The numbers of the copy may be changed, its texts may not. */
cql_job_info *cqljob_info_new(const cql_allocator *al, const cql_job_info *from);
/* All members as for a job of which nothing is known. */
void cqljob_info_init(cql_job_info *info);

/* An empty list. NULL when memory is out. */
cql_job_list *cqljob_list_new(const cql_allocator *al);
/* Appends info, which is taken (also when it fails). CQL_NO_MEMORY, CQL_TOO_LARGE. */
cql_status cqljob_list_add(cql_job_list *list, cql_job_info *info);

cql_recurring_list *cqljob_recurring_list_new(const cql_allocator *al);
/* Appends a copy with all its texts. CQL_NO_MEMORY, CQL_TOO_LARGE. */
cql_status cqljob_recurring_list_add(cql_recurring_list *list, const cql_recurring_info *from);
/* Appends copies of all of `from`. CQL_NO_MEMORY, CQL_TOO_LARGE. */
cql_status cqljob_recurring_list_join(cql_recurring_list *list, const cql_recurring_list *from);

#endif
