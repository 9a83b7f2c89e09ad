/* load.h: one stream of requests, for --latency (the probe, at a fixed rate) and --load (a statement of
 * the user's, at a rate or as fast as the answers come).
 *
 *   ping_load l;
 *   ping_load_init(&l, &spec, "10.0.0.5", options);      (takes options over)
 *   int code = ping_load_open(&l);                       (connects, prepares; message printed)
 *   while (!ping_load_done(&l)) {
 *       ping_load_step(&l, ping_now_us());
 *       poll cql_session_fd(l.session) until ping_load_due_us(&l), then cql_session_drive
 *   }
 *   ping_load_print(&l);
 *   ping_load_free(&l);
 *
 * With a rate each request has a time at which it is due, whether or not the server keeps up, and its
 * time counts from then: a server that stops for a second shows in all requests of that second, not in
 * the few that happened to be under way (coordinated omission). */
#ifndef PING_LOAD_H
#define PING_LOAD_H

#include "common/exit_code.h"
#include "common/histogram.h"
#include "ping/config.h"

#include <cqlnative/session.h>

typedef struct ping_load_spec {
    const char *statement; /* NULL: the probe */
    uint64_t rate;         /* requests a second; 0: each answer brings the next request */
    uint64_t in_flight;    /* at most so many at once */
    uint64_t duration_us;  /* of sending; 0: until `count` */
    uint64_t count;        /* of requests; 0: until duration_us */
    uint64_t keys;         /* numbers that markers are filled with: 0 to keys - 1 */
    uint64_t drain_us;     /* time for what is late at the end */
    ping_output output;
    bool quiet;
} ping_load_spec;

typedef struct ping_load ping_load;

typedef struct ping_flight {
    ping_load *load;
    uint64_t due_us, sent_us;
    struct ping_flight *next_free;
} ping_flight;

struct ping_load {
    const ping_load_spec *spec;
    char *target;
    cql_options *options;
    cql_session *session;
    cql_prepared *prepared;
    cql_statement *statement;
    ping_flight *flights, *free_flights;
    tool_histogram *waited; /* from the time due to the answer */
    tool_histogram *served; /* from the time sent to the answer */
    uint64_t planned;       /* requests that are due in all; UINT64_MAX without a rate or count */
    uint64_t begin_us, end_us, last_us;
    uint64_t sent, answered, failed, unsent;
    uint64_t under_way;
    cql_error *first_error; /* of the requests that failed */
    bool ended;             /* nothing more is sent */
};

void ping_load_init(ping_load *l, const ping_load_spec *spec, const char *target,
                    cql_options *options);
void ping_load_free(ping_load *l);
/* Exit code of connecting and preparing; a message was printed unless it is 0. */
tool_exit ping_load_open(ping_load *l);
/* Sends what is due. */
void ping_load_step(ping_load *l, uint64_t now);
bool ping_load_done(const ping_load *l);
/* When the next step is due; UINT64_MAX: only after an answer. */
uint64_t ping_load_due_us(const ping_load *l);
/* Sends nothing more, and does not wait for what is under way. */
void ping_load_stop(ping_load *l);
void ping_load_print(const ping_load *l);

/* Is it a statement that a load may repeat: SELECT, INSERT, UPDATE, DELETE? */
bool ping_may_repeat(const char *cql);
/* Fills the markers of a bound statement with values made from `number`: the same number gives the same
 * values. CQL_BAD_ARGUMENT for a type that has none; *type is then its marker's. */
cql_status ping_fill_markers(cql_statement *stmt, const cql_prepared *prepared, uint64_t number,
                             const cql_type **type);
/* Runs them side by side until all are done or a signal comes; their exit code. Prints. */
int ping_run_loads(ping_load *loads, size_t count);

#endif
