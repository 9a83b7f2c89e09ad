/* config.h: the settings of the training store: environment, else file, else default.
 *
 * Both shapes of the file are read: root `cassandra:`, and `backend:` with `cassandra:` in it. A value may
 * hold ${NAME}, taken from the environment. What is unknown or cannot be is named and fatal. */
#ifndef TRAINMETRICS_CONFIG_H
#define TRAINMETRICS_CONFIG_H

#include <cqlnative/statement.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct train_config {
    bool enabled;
    char contact_points[1024]; /* with commas */
    char keyspace[64];
    char username[256], password[256];
    int auth; /* 0 and 1 as the file says, -1: it does not */
    long port, pool_size, connect_timeout, request_timeout, batch_size, flush_interval;
    long ttl_metrics, ttl_topology, ttl_runs;
    cql_consistency write, read;
    char why[400]; /* what is wrong */
} train_config;

/* path NULL: no file. False with c->why. */
bool train_config_load(train_config *c, const char *path);
bool train_config_has_login(const train_config *c);

#endif
