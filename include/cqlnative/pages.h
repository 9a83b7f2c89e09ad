/* pages.h: all rows of a statement, page after page, without thinking of pages.
 *
 *   st = cql_pages_new(s, stmt, 5000, &pages);
 *   while ((st = cql_pages_next_wait(pages, &rows, &err)) == CQL_OK)
 *       while (cql_rows_next(&rows))
 *           use(&rows);
 *   cql_pages_free(pages);
 *
 * While one page is read the next one is on its way already; never more than one. Each page is a request
 * of its own, with its own time-out, its own node and its own retries; the rows of all pages together are
 * each row once. A page may be empty although more follow. */
#ifndef CQLNATIVE_PAGES_H
#define CQLNATIVE_PAGES_H

#include <cqlnative/session.h>

CQL_BEGIN

/* [one at a time]; must be freed before its session. */
typedef struct cql_pages cql_pages;

/* The statement is copied, with its values (borrowed ones too) and its paging state, from where it goes
 * on. page_size: rows per page; 0: the statement's, then the session's. Nothing is sent yet. Yours: free
 * with cql_pages_free. CQL_BAD_ARGUMENT, CQL_UNBOUND, CQL_NO_MEMORY. */
CQL_API cql_status cql_pages_new(cql_session *s, const cql_statement *stmt, int32_t page_size,
                                 cql_pages **out);
/* Drops the pages that were not read; one that is on its way is cancelled. NULL is fine. In a callback
 * of these pages it is allowed too; on another thread than the loop's one that has begun may still run. */
CQL_API void cql_pages_free(cql_pages *pages);

/* The next page: a cursor before its first row, good until the next call or the free. CQL_DONE after the
 * last one. Any failure leaves the pages where they were: calling again asks for the same page again.
 * CQL_UNEXPECTED when the server gives the same paging state twice or no rows in the middle.
 * CQL_WRONG_THREAD where blocking is not possible. */
CQL_API cql_status cql_pages_next_wait(cql_pages *pages, cql_rows *rows, cql_error **err);
/* The page that the cursor walks over, borrowed until the next call; cql_result_ref keeps it. Its paging
 * state is where another program can go on. NULL before the first and after the last page. */
CQL_API const cql_result *cql_pages_result(const cql_pages *pages);

/* The same with callbacks, on the loop's thread. A page that finds the queue full when it is to be asked for waits
 * for room, which is kept for it. */
typedef enum cql_pages_step {
    CQL_PAGES_GO_ON = 0,
    CQL_PAGES_PAUSE = 1, /* no further call until cql_pages_resume */
    CQL_PAGES_STOP = 2   /* no further call at all */
} cql_pages_step;

/* Called for each page, borrowed for the call; then once with page and err both NULL at the end, or
 * once with err. Its answer counts for pages only. */
typedef cql_pages_step (*cql_page_cb)(cql_session *s, const cql_error *err, const cql_result *page,
                                      void *user);
/* Starts; once. CQL_BAD_STATE when it was started before or pages were read by waiting. Other statuses
 * as for cql_session_execute (CQL_WOULD_BLOCK: try again later); then cb is not called. */
CQL_API cql_status cql_pages_run(cql_pages *pages, cql_page_cb cb, void *user);
/* Goes on after a CQL_PAGES_PAUSE; the callback comes from the loop, never from inside this call.
 * CQL_BAD_STATE when it is not paused, or the session is closed. [any thread] */
CQL_API cql_status cql_pages_resume(cql_pages *pages);

CQL_END
#endif
