/* core.h: the outbox from the inside: which statement is sent when, and what its answer means.
 *
 * Statements under way have a place each, by their number; the first place is that of the first statement
 * that has not ended. A place is
 *   READY     read from the file, to be sent once nothing holds the outbox back
 *   SENT      a request is under way
 *   ENDED     applied, or refused and in the file of the refused
 * When the first places have ended, the file is marked, and then the program told, without the lock.
 * Everything here is under the lock, the file too; no function of the program is called with it. */
#ifndef CQLOX_CORE_H
#define CQLOX_CORE_H

#include "outbox/store.h"
#include "seat/wait.h"

#include <cqlnative/outbox.h>
#include <pthread.h>

/* One place more than statements under way: that of the one that is being told of. */
enum { CQLOX_WINDOW_MAX = 32, CQLOX_PLACES = CQLOX_WINDOW_MAX + 1, CQLOX_UNSURE_TRIES = 10 };

typedef struct cqlox_place cqlox_place;

/* What the outbox stands on: a session, or a test. */
typedef struct cqlox_port {
    cqlseat_port seat;
    const cqlox_files *files;
    /* Sends the place's statement; cqlox_on_answer(place, ...) comes later. With the lock. */
    cql_status (*send)(void *self, cqlox_place *place);
    int (*version)(void *self); /* of the protocol, 0: not known */
} cqlox_port;

typedef enum cqlox_state { CQLOX_READY, CQLOX_SENT, CQLOX_ENDED } cqlox_state;

struct cqlox_place {
    cql_outbox *o;
    cqlox_buf record;
    cqlox_statement st; /* views of the record */
    cqlox_state state;
    bool fresh; /* prepared for this statement, not for one before it */
    unsigned attempts;
    cql_error *refused; /* of a statement that ended so */
    cql_error *why;     /* more about the status that send gave; NULL: nothing */
};

/* Somebody to tell when the statements of now are gone. */
typedef struct cqlox_flusher cqlox_flusher;
struct cqlox_flusher {
    cqlox_flusher *next;
    uint64_t seq;
    cql_outbox_cb done;
    void *user;
};

struct cql_outbox {
    bool freed;
    bool telling;         /* somebody is at telling the program */
    uint32_t pause;       /* the last one; 0: all went well */
    size_t want_room;     /* bytes for which CQL_WOULD_BLOCK was told; 0: nobody */
    uint64_t pause_until; /* nothing is sent before */
    uint64_t sync_at;
    cqlox_flusher *flushers;
    cql_error *last; /* what keeps it, NULL: nothing */
    size_t loaded;   /* places in use, from the one of store.first_seq on */
    cqlseat seat; /* changed: room, or a flush came to its end */
    cql_status (*send)(void *self, cqlox_place *place);
    int (*version)(void *self);
    cql_outbox_options o; /* with the defaults filled in */
    cqlox_store store;
    cqlox_store refusals;   /* zeroed: not open */
    uint64_t sent;
    uint64_t refused;
    uint64_t repeated;
    cqlox_buf record;       /* of the statement that is added */
    cqlox_place places[CQLOX_PLACES];
};

/* open.c */
cql_status cqlox_new(const cqlox_port *port, const cql_outbox_options *options, cql_outbox **out,
                     cql_error **err);
void cqlox_destroy(cql_outbox *o);
cql_status cqlox_fail(const cqlox_port *port, cql_status st, const char *text, cql_error **err);

/* core.c; with the lock */
/* All that is due. */
void cqlox_do_due(cqlseat *seat);
/* Reads on and sends as much as may be under way. */
void cqlox_pump(cql_outbox *o);
void cqlox_arm(cql_outbox *o);
/* Nothing is sent for a while; why is kept. */
void cqlox_hold_back(cql_outbox *o, cql_status st, const cql_error *err, const char *text);
/* All is well again. */
void cqlox_hold_over(cql_outbox *o);
void cqlox_keep_error(cql_outbox *o, cql_status st, const cql_error *err, const char *text);

/* answer.c */
/* The request of this place has ended; err NULL: applied. Without the lock. */
void cqlox_on_answer(cqlox_place *p, const cql_error *err);
/* The same in the middle of things, with the lock. */
void cqlox_settle(cqlox_place *p, const cql_error *err);
/* Marks what has ended and tells the program. With the lock, which it gives back meanwhile. */
void cqlox_finish(cql_outbox *o);
/* Tells those whose statements are gone; all of them with err. The same. */
void cqlox_call_flushers(cql_outbox *o, const cql_error *err);

static inline cqlox_place *cqlox_place_of(cql_outbox *o, uint64_t seq)
{
    return &o->places[seq % CQLOX_PLACES];
}

#endif
