/* cli.h: the command line of cqljobs: one table of options, a command, and its words. */
#ifndef JOBS_CLI_H
#define JOBS_CLI_H

#include "common/args.h"
#include "common/connection.h"

#include <cqlnative/jobs.h>

#define JOBS_NAME "cqljobs"

typedef enum jobs_command {
    JOBS_INIT,
    JOBS_ENQUEUE,
    JOBS_SCHEDULE,
    JOBS_GET,
    JOBS_LIST,
    JOBS_STATS,
    JOBS_WORK,
    JOBS_CANCEL,
    JOBS_DELETE,
    JOBS_RETRY,
    JOBS_BATCH,
    JOBS_RECURRING,
    JOBS_CLEANUP,
    JOBS_WATCH
} jobs_command;

/* Everything the command line says. Texts are those of argv. */
typedef struct jobs_cli {
    tool_args args;
    tool_connection connection;
    jobs_command command;
    char **words; /* those of the command */
    size_t word_count, word_capacity;
    bool json;
    bool verbose;
    const char *keyspace; /* NULL: not given */
    const char *replication;
    int consistency; /* 0: not given; so for all below */
    int serial_consistency;
    uint64_t buckets;
    uint64_t wait_ms;
    const char *id;
    const char *lines;
    int32_t max_retries; /* as cql_job_spec.max_retries */
    int64_t at_ms;
    uint64_t in_ms;
    bool has_time;
    cql_job_state state;
    uint64_t limit;
    const char *exec;
    const char *name;
    uint64_t concurrency;
    uint64_t lease_ms;
    uint64_t poll_ms;
    uint64_t retry_delay_ms;
    uint64_t stop_ms;
    bool drain;
    const char *after, *batch, *after_batch;
    const char *then, *then_json;
    cql_job_backoff backoff;
    bool recount;
    bool has_state;
    bool disabled;
    bool no_recurring;
    uint64_t recurring_ms;
    uint64_t older_ms;
    bool has_older;
    uint64_t retention_ms;
    uint64_t interval_ms;
    uint64_t count;
} jobs_cli;

/* False when the program is to end with cli->args.exit_code. */
bool jobs_cli_read(jobs_cli *cli, int argc, char **argv);
void jobs_cli_free(jobs_cli *cli);
/* False after a message when the job on the command line is not JSON. */
bool jobs_cli_is_sound(jobs_cli *cli);

/* "2026-05-01T12:00:00Z", the same with a blank and with fractions, or milliseconds since the
 * epoch. False for anything else. */
bool jobs_parse_time(const char *text, int64_t *unix_ms);
/* UTC with milliseconds; "" for CQL_JOB_NO_TIME. */
#define JOBS_TIME_SIZE 40
void jobs_print_time(int64_t unix_ms, char out[JOBS_TIME_SIZE]);

#endif
