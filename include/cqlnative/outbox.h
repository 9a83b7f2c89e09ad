/* outbox.h: a durable outbox for links that come and go: statements are appended to a file, and sent in
 * order when the cluster can be reached. It stands on the public headers alone.
 *
 * A statement is taken once it is in the file. It leaves the file when the cluster has applied it, or has
 * refused it for good: then it is put into PATH.refused, so that nothing is lost without a trace. Each has
 * a write time given when it was taken, from a clock that only rises, also over restarts. So sending one
 * twice, as after a crash, is the same as once, and a late one never beats what was written after it.
 * That holds for INSERT, UPDATE and DELETE that set values. It does not for counters, for lists that are
 * appended to, and for conditions (IF): those do not belong here.
 *
 * Order: with a window of 1 (the standard) a statement is sent once the one before it has ended. With a
 * larger one, as many are under way at a time: faster over a slow link, and the same in the end, but
 * meanwhile readers may see a later one without an earlier one.
 *
 * What a crash can take, at every point: nothing that cql_outbox_add has taken with CQL_OUTBOX_SYNC_EACH;
 * with the other rules, nothing when the process ends, and the last moments when the machine does. That a
 * statement was applied is noted without waiting for the disk, so that some may be sent once more. A file
 * that was damaged keeps its good beginning; the rest is put into PATH.damaged-1, -2 ... -999, see
 * cql_outbox_damage. doc/outbox.md tells more.
 *
 * Works with all three kinds of session (session.h), connected or not. [any thread] with a session on its
 * own thread. Callbacks come on the session's loop. Adding writes to the file in the calling thread. */
#ifndef CQLNATIVE_OUTBOX_H
#define CQLNATIVE_OUTBOX_H

#include <cqlnative/session.h>

CQL_BEGIN

typedef struct cql_outbox cql_outbox;

/* When what was added is made to outlive the machine (fsync). */
typedef enum cql_outbox_sync_rule {
    CQL_OUTBOX_SYNC_EACH = 0,  /* before cql_outbox_add returns */
    CQL_OUTBOX_SYNC_TIMED = 1, /* at the latest sync_ms later, and in cql_outbox_sync */
    CQL_OUTBOX_SYNC_NONE = 2   /* when the operating system likes, and in cql_outbox_sync */
} cql_outbox_sync_rule;

/* The end of one statement. Borrowed for the call. */
typedef struct cql_outbox_sent {
    uint64_t seq;
    int64_t timestamp_us; /* its write time */
    cql_str cql;
    unsigned attempts;    /* by this outbox object */
    const cql_error *err; /* NULL: applied. Else it was refused, and is in PATH.refused */
} cql_outbox_sent;

typedef struct cql_outbox_options {
    size_t size;               /* sizeof(cql_outbox_options) */
    const char *path;          /* of the file; it is made when it is not there. PATH.lock stands beside it; of a link,
                                * beside the file that it leads to */
    uint64_t max_bytes;        /* of the file, at least 4096; 0: 16 MiB. The same for PATH.refused */
    cql_outbox_sync_rule sync;
    uint32_t sync_ms;          /* 0: 1000 */
    uint32_t window;           /* statements under way at a time, 1 to 32; 0: 1 */
    uint32_t retry_ms;         /* before the first repetition; doubles each time; 0: 200 */
    uint32_t retry_max_ms;     /* and no more than this; 0: 5000 */
    uint32_t timeout_ms;       /* of one request; 0: the session's */
    int consistency;           /* cql_consistency of those that name none; 0: the session's */
    bool connect;              /* connects the session, again and again, while it is not connected */
    /* Called for every statement that has ended. May be NULL. */
    void (*on_sent)(void *user, const cql_outbox_sent *info);
    /* There is room again after CQL_WOULD_BLOCK, once for each time it was full. May be NULL. */
    void (*on_room)(void *user);
    void *user; /* of both */
} cql_outbox_options;

/* Opens or makes the file, reads it through, and begins to send what is in it. The session must outlive
 * the outbox. Options are copied. Blocks for the disk only. CQL_BAD_STATE: another outbox, here or in
 * another process, has the file. CQL_SYSTEM: the operating system refused, *err says what.
 * CQL_BAD_ARGUMENT names the option. CQL_NO_MEMORY. Yours: free with cql_outbox_free. */
CQL_API cql_status cql_outbox_open(cql_session *s, const cql_outbox_options *options,
                                   cql_outbox **out, cql_error **err);
/* Closes the file; NULL is fine. What was not sent stays in it for the next time. What is under way may
 * be sent once more then. Flushes that wait are told CQL_CANCELLED. May be called from its callbacks. */
CQL_API void cql_outbox_free(cql_outbox *o);

/* What few statements need to say. */
typedef struct cql_outbox_entry {
    size_t size;          /* sizeof(cql_outbox_entry) */
    const char *keyspace; /* of names that the text does not qualify; NULL: the session's. Protocol v5 */
    int64_t timestamp_us; /* write time in microseconds since the epoch; 0: the outbox gives one */
    int consistency;      /* cql_consistency; 0: the outbox's */
} cql_outbox_entry;

/* Takes a statement: its text with `?` markers and their values, in order. more may be NULL. *seq (may be
 * NULL) becomes its number; numbers rise by one and are never given twice for one file. CQL_OK: it is in
 * the file. CQL_WOULD_BLOCK: the file is full (max_bytes); on_room tells when to go on. CQL_TOO_LARGE: it
 * never fits. CQL_UNBOUND: one of the values is unbound. CQL_SYSTEM: the disk refused; it was not taken
 * (should the machine fail in this very moment, it may be in the file all the same).
 * CQL_UNSUPPORTED: a keyspace with protocol v4. CQL_BAD_ARGUMENT, CQL_NO_MEMORY. */
CQL_API cql_status cql_outbox_add(cql_outbox *o, const char *cql, cql_values values,
                                  const cql_outbox_entry *more, uint64_t *seq);
/* The same, waiting for room. CQL_WRONG_THREAD where waiting is not possible. */
CQL_API cql_status cql_outbox_add_wait(cql_outbox *o, const char *cql, cql_values values,
                                       const cql_outbox_entry *more, uint64_t *seq, cql_error **err);

/* Brings all that was added to the disk, whatever the rule. CQL_SYSTEM. */
CQL_API cql_status cql_outbox_sync(cql_outbox *o);

/* done is called once, when every statement added before has ended: err is NULL, or CQL_CANCELLED when
 * the outbox was freed. CQL_NO_MEMORY. */
typedef void (*cql_outbox_cb)(cql_outbox *o, const cql_error *err, void *user);
CQL_API cql_status cql_outbox_flush(cql_outbox *o, cql_outbox_cb done, void *user);
/* The same, waiting up to timeout_ms (0: no limit). CQL_TIMEOUT, with what keeps the outbox in *err. CQL_SYSTEM:
 * the file cannot be read any more, and what was read of it has ended. */
CQL_API cql_status cql_outbox_flush_wait(cql_outbox *o, uint32_t timeout_ms, cql_error **err);

/* What it did and holds. */
typedef struct cql_outbox_stats {
    uint64_t held;        /* statements in the file that have not ended */
    uint64_t held_bytes;
    uint64_t file_bytes;
    uint64_t next_seq;    /* of the statement to come */
    uint64_t found;       /* statements that the file held when it was opened */
    uint64_t sent;        /* applied */
    uint64_t refused;     /* put into PATH.refused */
    uint64_t repeated;    /* requests that were not the first of their statement */
    uint64_t compactions; /* times the file was written anew without what has ended */
} cql_outbox_stats;
CQL_API void cql_outbox_read_stats(cql_outbox *o, cql_outbox_stats *out);
/* The file into which a damaged rest was put when the outbox was opened, and its bytes; NULL and 0 when
 * the file was whole. A crash in the middle of cql_outbox_add leaves such a rest, too, of a statement that
 * was never taken. Borrowed. bytes may be NULL. */
CQL_API const char *cql_outbox_damage(const cql_outbox *o, uint64_t *bytes);
/* Why nothing is sent just now: the last failure since something went well; NULL: none. Yours: release
 * with cql_error_unref. */
CQL_API cql_error *cql_outbox_error(cql_outbox *o);

CQL_END
#endif
