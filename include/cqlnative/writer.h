/* writer.h: a buffered writer: rows go in one by one, and leave grouped, bounded, repeated where that
 * helps, each with an acknowledgement of its own. It stands on the public headers alone.
 *
 * Rows of one partition are put into one unlogged batch, which a server applies as one mutation (a batch
 * over several partitions costs it more than the same rows by themselves). A group leaves when it has
 * enough rows or bytes or is old enough. Nothing is dropped: a row is acknowledged once, as written or
 * with the error that ended it; while the servers cannot take it, it waits and is sent again, and when
 * too much waits the writer takes no more.
 *
 * The limits of memory are options; once its groups have been used, a row costs no allocation.
 *
 * Works with all three kinds of session (session.h). [any thread] with a session on its own thread.
 * Callbacks come on the session's loop; once the session is closed, in the call that waits or frees. */
#ifndef CQLNATIVE_WRITER_H
#define CQLNATIVE_WRITER_H

#include <cqlnative/session.h>

CQL_BEGIN

typedef struct cql_writer cql_writer;

/* The end of one row. err is NULL when it was written; both are borrowed. On the session's loop, never
 * from inside the call that takes the row. It may add rows. */
typedef void (*cql_writer_cb)(cql_writer *w, const cql_error *err, void *user);

typedef enum cql_writer_grouping {
    CQL_WRITER_BY_PARTITION = 0, /* rows of one partition together; for tables with large partitions */
    CQL_WRITER_BY_ROW = 1        /* each row by itself, sent at once; for tables of single rows */
} cql_writer_grouping;

/* One request ended, for those who count or log. Borrowed for the call, on the session's loop, before the
 * acknowledgements of its rows. */
typedef struct cql_writer_flushed {
    size_t rows;
    unsigned attempts;     /* 1: the first went well */
    bool again;            /* it failed, and is going to be sent again; no row is acknowledged yet */
    const cql_error *err;  /* NULL: written */
    const cql_result *res; /* for the server's warnings; NULL with err */
} cql_writer_flushed;

typedef struct cql_writer_options {
    size_t size;                  /* sizeof(cql_writer_options) */
    cql_writer_grouping grouping;
    uint32_t group_rows;          /* rows of a group that make it leave, 1 to 65,535; 0: 100 */
    uint32_t group_bytes;         /* bytes of a group that make it leave; 0: 64 KiB */
    uint32_t flush_ms;            /* age of a group that makes it leave; 0: 5000 */
    uint32_t max_in_flight;       /* requests under way or waiting to be repeated, 1 to 65,535; 0: 128 */
    uint32_t max_rows;            /* rows taken and not acknowledged; 0: ten groups, at least 1000 */
    size_t max_bytes;             /* the same in bytes, passed by one row at most; 0: 16 MiB */
    uint32_t retry_ms;            /* before the first repetition; doubles each time; 0: 100 */
    uint32_t retry_max_ms;        /* and no more than this; 0: 5000 */
    uint32_t give_up_ms;          /* age of a group after which it is not sent again; 0: no limit */
    uint32_t close_ms;            /* how long a close goes on sending; 0: 30,000 */
    int consistency;              /* cql_consistency; 0: the session's */
    uint32_t timeout_ms;          /* of one request; 0: the session's */
    bool not_idempotent;          /* never send again what may have been applied (counters, lists) */
    void (*on_flushed)(void *user, const cql_writer_flushed *info); /* may be NULL */
    /* There is room again after CQL_WOULD_BLOCK, once for each time it was full. On the session's loop. */
    void (*on_room)(void *user);
    void *user; /* of both */
} cql_writer_options;

/* Makes a writer on a session, which must outlive it. options may be NULL, and are copied. Yours: free
 * with cql_writer_free. CQL_BAD_ARGUMENT names the member; CQL_NO_MEMORY. */
CQL_API cql_status cql_writer_new(cql_session *s, const cql_writer_options *options,
                                  cql_writer **out, cql_error **err);

/* Takes a row: a statement that writes, with all values bound, copied in wire form. CQL_OK: cb (may be
 * NULL) is called once. Any other status: it is not, and the row was not taken. CQL_WOULD_BLOCK: too
 * much is waiting (max_rows, max_bytes); on_room tells when to go on. CQL_UNBOUND, CQL_BAD_STATE
 * (closed), CQL_NO_MEMORY. Rows with one primary key in one group have one write time: if that matters,
 * flush in between, give them a time of their own (USING TIMESTAMP ?) or use CQL_WRITER_BY_ROW. A statement
 * that has another id on the servers now (CQL_PREPARED_CHANGED) is prepared anew by the writer. Only
 * prepared statements with their whole partition key in markers are grouped; others go by themselves. */
CQL_API cql_status cql_writer_add(cql_writer *w, const cql_statement *row, cql_writer_cb cb,
                                  void *user);
/* The same, waiting for room. CQL_WRONG_THREAD where waiting is not possible. */
CQL_API cql_status cql_writer_add_wait(cql_writer *w, const cql_statement *row, cql_writer_cb cb,
                                       void *user, cql_error **err);

/* Sends what is buffered without waiting for more. done (may be NULL) is called once, when every row
 * that was added before has been acknowledged; its err is NULL. CQL_NO_MEMORY. The waiting twin waits as
 * long as that takes, which without give_up_ms is until the servers are back: to end in a known time, flush
 * with `done` and look at a clock, or close (close_ms). */
CQL_API cql_status cql_writer_flush(cql_writer *w, cql_writer_cb done, void *user);
CQL_API cql_status cql_writer_flush_wait(cql_writer *w, cql_error **err);
/* Takes no more rows, sends what is there and, once close_ms have passed, gives up what could not be
 * sent (those rows are acknowledged with the error that kept them, or CQL_CANCELLED). done (may be NULL)
 * is called once, when all rows are acknowledged. CQL_BAD_STATE when it was closed before. */
CQL_API cql_status cql_writer_close(cql_writer *w, cql_writer_cb done, void *user);
CQL_API cql_status cql_writer_close_wait(cql_writer *w, cql_error **err);
/* Frees; NULL is fine. Rows that are not under way are acknowledged with CQL_CANCELLED inside this call;
 * those that are get their acknowledgement when the answer comes, at the latest when the session
 * closes. Close the writer first to lose nothing. May be called from its callbacks. */
CQL_API void cql_writer_free(cql_writer *w);

/* What it did and holds. */
typedef struct cql_writer_stats {
    uint64_t rows_written;
    uint64_t rows_failed;
    uint64_t requests; /* sent, repetitions included */
    uint64_t repeated;
    size_t rows_held; /* taken and not acknowledged */
    size_t bytes_held;
    size_t in_flight; /* groups under way or waiting to be repeated */
} cql_writer_stats;
CQL_API void cql_writer_read_stats(cql_writer *w, cql_writer_stats *out);

CQL_END
#endif
