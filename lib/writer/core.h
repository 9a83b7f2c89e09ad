/* core.h: the buffered writer from the inside.
 *
 * A group is a batch with the acknowledgements of its rows. Its way:
 *   OPEN      takes rows; found by partition key; the oldest first in `open`
 *   READY     full or old enough; waits for its turn in `ready`
 *   SENT      a request is under way
 *   WAITING   failed, and is sent again at `due`
 *   STALE     its statements are prepared anew, then as WAITING
 *   ENDED     cannot be sent; is acknowledged by the next timer call
 * Then it is delivered, without the lock, and goes back to the free ones. All lists and counts are under
 * the lock; no function of the program is called with it. */
#ifndef CQLWR_CORE_H
#define CQLWR_CORE_H

#include "seat/memory.h"
#include "seat/wait.h"

#include <cqlnative/writer.h>
#include <pthread.h>

enum { CQLWR_KEY_MAX = 256, CQLWR_BUCKETS = 1024, CQLWR_UNSURE_TRIES = 5, CQLWR_CHANGES = 8 };

/* What the writer stands on: a session, or a test. */
typedef struct cqlwr_port {
    cqlseat_port seat;
    cql_status (*send)(void *self, const cql_batch *batch, cql_result_cb cb, void *user);
    cql_status (*prepare)(void *self, const cql_prepared *old, cql_prepared_cb cb, void *user);
} cqlwr_port;

typedef struct cqlwr_ack {
    cql_writer_cb cb;
    void *user;
} cqlwr_ack;

typedef struct cqlwr_group cqlwr_group;
struct cqlwr_group {
    cqlwr_group *next; /* in whichever queue it is */
    cqlwr_group *prev;
    cqlwr_group *same_hash;
    cql_writer *w;
    cql_batch *batch;
    cqlwr_ack *acks;
    size_t ack_cap;
    size_t count;
    uint64_t seq;
    uint64_t opened;
    uint64_t due;
    uint64_t hash;
    unsigned attempts;
    unsigned renewals; /* how often it was STALE */
    size_t member;     /* STALE: which of its statements comes next */
    bool news;  /* STALE: one of them has another id */
    bool keyed; /* OPEN and in the table */
    bool timed; /* has its write time */
    cql_error *err;
    size_t key_len;
    uint8_t key[CQLWR_KEY_MAX];
};

typedef struct cqlwr_queue {
    cqlwr_group *first;
    cqlwr_group *last;
} cqlwr_queue;

/* Somebody to tell when the groups of now are gone. */
typedef struct cqlwr_flusher cqlwr_flusher;
struct cqlwr_flusher {
    cqlwr_flusher *next;
    uint64_t seq;
    size_t remaining;
    cql_writer_cb done;
    void *user;
};

/* A statement that has another id now. */
typedef struct cqlwr_change {
    cql_prepared *old;
    cql_prepared *now;
} cqlwr_change;

struct cql_writer {
    bool freed;
    bool closing;
    bool gave_up;   /* nothing is sent any more */
    bool want_room; /* somebody was told CQL_WOULD_BLOCK */
    uint64_t close_at;
    uint64_t seq;
    size_t live;      /* groups that hold rows */
    size_t in_flight; /* sent or waiting */
    size_t spare_count;
    cqlwr_flusher *flushers;
    cqlseat seat; /* changed: room, or a flush came to its end */
    cql_status (*send)(void *self, const cql_batch *batch, cql_result_cb cb, void *user);
    cql_status (*prepare)(void *self, const cql_prepared *old, cql_prepared_cb cb, void *user);
    cql_writer_options o; /* with the defaults filled in */
    int64_t last_us;
    cqlwr_queue open;
    cqlwr_queue ready;
    cqlwr_queue waiting;
    cqlwr_queue stale;       /* the first one's statement is being prepared, if any is */
    cql_prepared *preparing; /* NULL: none */
    cqlwr_change changes[CQLWR_CHANGES]; /* the oldest first */
    size_t change_count;
    cqlwr_queue ended;
    cqlwr_queue spare;
    cql_writer_stats stats;
    cqlwr_group *table[CQLWR_BUCKETS];
};

/* open.c */
cql_status cqlwr_new(const cqlwr_port *port, const cql_writer_options *options, cql_writer **out,
                     cql_error **err);
void cqlwr_destroy(cql_writer *w);

/* group.c; under the lock */
void cqlwr_push(cqlwr_queue *q, cqlwr_group *g);
void cqlwr_push_first(cqlwr_queue *q, cqlwr_group *g);
void cqlwr_remove(cqlwr_queue *q, cqlwr_group *g);
cqlwr_group *cqlwr_pop(cqlwr_queue *q);
/* The group that takes this row; a new one is OPEN and empty. NULL: no memory. */
cqlwr_group *cqlwr_group_for(cql_writer *w, const cql_statement *row);
/* Adds to a group; CQL_NO_MEMORY and what cql_batch_add gives leave it as it was. */
cql_status cqlwr_group_add(cqlwr_group *g, const cql_statement *row, cql_writer_cb cb, void *user);
/* From OPEN to READY, or to the free ones when it is empty. */
void cqlwr_group_seal(cqlwr_group *g);
/* Empties it and keeps it for later. */
void cqlwr_group_release(cqlwr_group *g);
void cqlwr_group_free(cqlwr_group *g);

/* core.c; under the lock */
bool cqlwr_has_room(const cql_writer *w);
void cqlwr_seal_all(cql_writer *w);
/* Sends as much as may be under way. */
void cqlwr_pump(cql_writer *w);
/* Sets the timer for what comes next. */
void cqlwr_arm(cql_writer *w);
/* All that is due. */
void cqlwr_do_due(cqlseat *seat);

/* answer.c */
void cqlwr_on_answer(cql_session *s, const cql_error *err, const cql_result *res, void *user);
/* Trouble that passes. A server error and a failed write may be for good: those have few tries. */
bool cqlwr_may_pass(cql_status st, unsigned attempts);
/* Sent again after a pause, which grows with `tries` (from 1). With the lock. */
void cqlwr_send_later(cqlwr_group *g, unsigned tries);
/* Acknowledges the rows of a group that is in no queue, then frees its place. With the lock, which it
 * gives back meanwhile. */
void cqlwr_deliver(cql_writer *w, cqlwr_group *g, const cql_error *err, const cql_result *res);
/* Calls those whose groups are gone, as above. */
void cqlwr_call_flushers(cql_writer *w);

/* anew.c; under the lock */
/* Its request ended with CQL_PREPARED_CHANGED, or could not begin for that. */
void cqlwr_prepare_anew(cqlwr_group *g);
/* Puts the new ids in place of the old ones that are known. True: there were some. */
bool cqlwr_renew(cqlwr_group *g);
void cqlwr_forget_changes(cql_writer *w);

#endif
