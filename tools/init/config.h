/* config.h: what the command line of cqlinit asks for. */
#ifndef INIT_CONFIG_H
#define INIT_CONFIG_H

#include "common/connection.h"

#include <cqlnative/schema.h>

#define INIT_NAME "cqlinit"

typedef enum init_mode {
    INIT_APPLY,
    INIT_VERIFY, /* only compare */
    INIT_RESET,  /* drop and apply */
    INIT_STATUS, /* show cluster and objects */
    INIT_PRINT,  /* show the statements; no server */
    INIT_MIGRATE /* apply what of a folder was not applied yet */
} init_mode;

/* A file ("-": standard input) or the text of -e, in the order of the command line. */
typedef struct init_input {
    bool is_statement;
    const char *text;
} init_input;

typedef struct init_config {
    init_mode mode;
    bool json;
    bool quiet;
    bool verbose;
    bool confirmed; /* --yes */
    bool dry_run;
    bool keyspaces_only;
    cql_schema_verify verify;
    const char *folder;   /* of --migrate */
    const char *baseline;
    const char *kept_in;  /* keyspace of the record; NULL: the usual one */
    const char *scope;
    uint64_t lease_ms;    /* 0: the usual ones */
    uint64_t lock_wait_ms;
    const char *replication;
    const char *consistency;
    uint64_t wait_ms;
    uint64_t interval_ms;
    init_input *inputs;
    size_t input_count;
    size_t input_capacity;
    const char **settings; /* K.T.OPT=VALUE */
    size_t setting_count;
    size_t setting_capacity;
} init_config;

#endif
