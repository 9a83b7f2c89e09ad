/* print.h: what a run says: lines for people, JSON lines, or one line for Nagios. */
#ifndef PING_PRINT_H
#define PING_PRINT_H

#include "ping/node.h"

void ping_print_connected(const ping_node *n);
void ping_print_answer(const ping_node *n);
void ping_print_lost(const ping_node *n, const cql_error *err);
/* The first connection failed for good. */
void ping_print_unreached(const ping_node *n, const cql_error *err);
/* An attempt of --wait failed; there is time for another. */
void ping_print_waiting(const ping_node *n, const cql_error *err);
void ping_print_summary(const ping_node *n);

/* Why a probe was lost, in few words: a session of one node has one reason. Borrowed from err. */
const char *ping_loss_reason(const cql_error *err);

#endif
