/* mocksession.h: the mock nodes of a test program on the loopback, and sessions with them. What cannot be
 * made fails the test that wants it. */
#ifndef TESTS_SUPPORT_MOCKSESSION_H
#define TESTS_SUPPORT_MOCKSESSION_H

#include "mockserver.h"
#include "unit.h"

#include <cqlnative/cql.h>
#include <stdatomic.h>

enum { PATIENCE_MS = 60000 /* for what should happen at once; no test takes that long */ };

extern mockserver server;

/* For cmocka: before and after a test, or all of them. */
int start_two(void **state);
int start_three(void **state);
int stop_server(void **state);

/* Contact point is the first node. `more` is "name=value&name=value"; time-outs are generous without it. */
cql_options *options(const char *more);
/* Connected. The options are freed. */
cql_session *open_with(cql_options *o);
cql_session *open_session(const char *more);
/* Of a session with threads, or driven. */
void close_session(cql_session *s);

/* Until it is that, which other threads see to. */
void wait_for(const atomic_uint *n, unsigned wanted);
uint64_t metric_of(cql_session *s, cql_metric which);
/* Until the session has so many to nodes. */
void wait_connections(cql_session *s, unsigned n);

/* The nodes take nothing in and answer nothing until they are let go; in between only what needs no node is called,
 * and by the same thread. However long the machine stands still, no answer comes before its time. */
void hold_nodes(void);
void let_nodes_go(void);

/* As after an upgrade of all nodes: they forget what was prepared, and know it by another id. */
void change_ids(uint8_t salt);
/* How many PREPARE all nodes have had. */
uint64_t prepares(void);

#endif
