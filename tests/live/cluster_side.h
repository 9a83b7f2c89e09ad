/* What cluster_probe sees beside the answers to its load: when and to whom each request was sent, what the session
 * holds, when a node takes connections again, and what the servers themselves say. */
#ifndef CLUSTER_SIDE_H
#define CLUSTER_SIDE_H

#include <cqlnative/cql.h>

enum { SIDE_NODES = 16, SIDE_TEXT = 64 };

/* The way of one request: written on the session's thread, to be read when it has ended. */
typedef struct side_way {
    uint32_t sent_us; /* since the session took it, until its last attempt was handed to a connection */
    uint8_t attempts;
    uint8_t node; /* of the last attempt, for side_node */
} side_way;

/* Before the session is made; then before each execute, on its thread, NULL for one that does not count. */
void side_watch(cql_options *o);
void side_next(side_way *way);
/* "address:port"; "" when the request went nowhere. */
const char *side_node(uint8_t node);

/* The memory of a session that is given this allocator, in bytes, and the open descriptors of the program. */
extern const cql_allocator side_counted;
uint64_t side_memory(void);
unsigned side_descriptors(void);

/* From now on side_accepts looks, at most every 10 ms, whether "address:port" takes connections again after it
 * refused one: true once, when it does. */
void side_dial(const char *address);
bool side_accepts(void);

/* A question to each of the nodes, by a session of its own that uses that node alone, on a thread beside
 * the load. What comes of it goes to `say`, a line each. */
typedef struct side_question {
    const char *url;
    const char *keyspace; /* NULL: how many connections of the load the node counts, "clients ADDRESS N", and
                           * "counted" at the end; else whether it reads that keyspace's rows at ALL, asked
                           * until it does, and "whole" at the end */
    char nodes[SIDE_NODES][SIDE_TEXT];
    char data_centers[SIDE_NODES][SIDE_TEXT];
    size_t count;
    void (*say)(void *user, const char *line);
    void *user;
} side_question;

/* Copies *q. One at a time: waits for the one before it; NULL only waits. */
void side_ask(const side_question *q);

#endif
