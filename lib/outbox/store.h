/* store.h: the file of an outbox: appended to, read in order, marked as done from its beginning, written
 * anew when much of it is done. No thread, no clock, no session.
 *
 *   header | done ... | head: the first statement that has not ended ... | end
 *
 * What is on the disk is right at every moment:
 *   - a file is made under another name, synced, and renamed; its header is never written again
 *   - records are only appended. One that is cut off or was changed ends the good part; a record counts
 *     when its checksum and its number are right. What comes behind it is cut off when the file is opened
 *   - a failed write or sync is not trusted: the next append writes the file anew first. A write for which
 *     there was no room is only taken back: a full disk has none for a second file
 *   - a lost mark of what is done only means that something is sent again
 *
 * Room for one mark per statement is kept free, so that marking never fails for want of it. */
#ifndef CQLOX_STORE_H
#define CQLOX_STORE_H

#include "outbox/files.h"
#include "outbox/record.h"

enum { CQLOX_WHY = 400 };

typedef struct cqlox_store {
    const cqlox_files *fs;
    const cql_allocator *al;
    char *path;
    char *spare; /* room for path and an ending */
    uint64_t max_bytes;
    int fd;
    int lock_fd;
    uint64_t end;        /* of the good part */
    uint64_t head;       /* at or before the first statement that has not ended */
    uint64_t first_seq;  /* its number; next_seq when there is none */
    uint64_t next_seq;
    uint64_t cursor;     /* where cqlox_store_next reads on */
    uint64_t cursor_seq; /* the statement it gives next */
    uint64_t live;       /* bytes of statements that have not ended */
    int64_t last_us;     /* the highest write time */
    uint64_t found;
    uint64_t compactions;
    uint64_t retry_at;   /* dead bytes at which a rewrite that failed is tried again */
    bool unsynced;       /* something was appended since the last sync */
    bool suspect;        /* a write or sync failed: nothing is appended before a rewrite */
    bool broken;         /* it cannot be read any more */
    char *aside;         /* the damaged rest, NULL: none */
    uint64_t aside_bytes;
    cqlox_buf block;     /* for copying */
    char why[CQLOX_WHY]; /* of the last failure, for people */
} cqlox_store;

/* Opens, locks, reads through; sets a damaged rest aside. path is copied. On failure nothing is left to
 * close, and why says what it was. CQL_BAD_STATE (locked), CQL_SYSTEM, CQL_NO_MEMORY. */
cql_status cqlox_store_open(cqlox_store *s, const cqlox_files *fs, const cql_allocator *al,
                            const char *path, uint64_t max_bytes);
/* Syncs and closes. Zeroed: fine. */
void cqlox_store_close(cqlox_store *s);

/* Statements that have not ended. */
static inline uint64_t cqlox_store_count(const cqlox_store *s)
{
    return s->next_seq - s->first_seq;
}

/* Is there room for a record of this length? CQL_OK, CQL_WOULD_BLOCK, CQL_TOO_LARGE (never). */
cql_status cqlox_store_room(const cqlox_store *s, size_t len);
/* Appends a whole record with the number next_seq, synced if asked for. CQL_SYSTEM: not taken. */
cql_status cqlox_store_append(cqlox_store *s, const cqlox_buf *record, int64_t timestamp_us, bool sync);
cql_status cqlox_store_sync(cqlox_store *s);
/* The next statement behind the cursor, into b, with views of it. CQL_DONE: none; CQL_SYSTEM (broken). */
cql_status cqlox_store_next(cqlox_store *s, cqlox_buf *b, cqlox_statement *out);
/* All up to seq have ended. Not synced: what cannot be written is written later or sent again. */
void cqlox_store_done(cqlox_store *s, uint64_t seq);

/* store_scan.c: reading the file through, and what to do with a rest. */
cql_status cqlox_store_scan(cqlox_store *s);

/* store.c, for the above. */
cql_status cqlox_store_fail(cqlox_store *s, const char *what, const char *path, int64_t error);
/* "PATH" with an ending; good until the next call. */
const char *cqlox_store_name(cqlox_store *s, const char *ending, unsigned number);
/* Writes the file anew with what has not ended. Whole or not at all. */
cql_status cqlox_store_rewrite(cqlox_store *s);
/* A record at this place into b; *size is its length, 0: the end or damage. CQL_SYSTEM, CQL_NO_MEMORY. */
cql_status cqlox_store_record_at(cqlox_store *s, uint64_t at, uint64_t end, cqlox_buf *b, size_t *size,
                                 cqlox_statement *out);

#endif
