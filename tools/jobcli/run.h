/* run.h: a command at work: its session, its job store, and the commands themselves. */
#ifndef JOBS_RUN_H
#define JOBS_RUN_H

#include "jobcli/cli.h"

#include <cqlnative/session.h>
#include <stdio.h>

/* Warnings told lately, without their numbers. */
typedef struct jobs_warned {
    char text[8][96];
    uint64_t at_ms[8];
    unsigned next;
} jobs_warned;

typedef struct jobs_run {
    jobs_cli *cli;
    cql_options *options; /* of the session */
    char *keyspace;
    cql_session *s;
    cql_jobs *jobs;
    jobs_warned warned;
} jobs_run;

/* Reads the options for sessions. False with cli->args.exit_code set and a message printed. The
 * keyspace of a connection string or of the environment becomes that of the jobs. */
bool jobs_prepare(jobs_run *run, jobs_cli *cli);
/* A connected session, driven by the calls that wait; tries again until --wait has passed. Gives an
 * exit code, TOOL_EXIT_OK among them. */
int jobs_connect(jobs_run *run);
/* The job store over run->s. */
int jobs_open(jobs_run *run);
void jobs_close(jobs_run *run);

/* Whether none that differs by numbers alone was told in the ten minutes before; notes it if so. */
bool jobs_warning_is_new(jobs_warned *warned, const char *text, uint64_t now_ms);
/* Prints an error for people; the exit code for it. */
int jobs_report(const cql_error *err);

int jobs_init(jobs_run *run);
int jobs_enqueue(jobs_run *run);
int jobs_get(jobs_run *run);
int jobs_list(jobs_run *run);
int jobs_stats(jobs_run *run);
int jobs_each_id(jobs_run *run); /* cancel, delete and retry */
int jobs_batch(jobs_run *run);
int jobs_recurring(jobs_run *run);
int jobs_cleanup(jobs_run *run);
int jobs_watch(jobs_run *run);

/* --- enqueue.c */
#define JOBS_BYTE_ORDER_MARK "\xef\xbb\xbf"
/* A line of a file without its end, and the first without a byte order mark; *n becomes its length, 0
 * for a blank one. Within `line`. */
char *jobs_trim_line(char *line, size_t *n, bool first);
int jobs_work(jobs_run *run);

/* --- show.c */
/* One line of JSON with every column of the job; event may be NULL. */
void jobs_show_json(FILE *out, const char *event, const cql_job_info *job);

#endif
