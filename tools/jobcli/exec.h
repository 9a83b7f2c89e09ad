/* exec.h: runs the command of a job: arguments to its standard input, its output kept as result,
 * its standard error passed on and the last line of it kept as the reason of a failure. */
#ifndef JOBS_EXEC_H
#define JOBS_EXEC_H

#include <cqlnative/jobs.h>
#include <uv.h>

typedef struct jobs_exec_settings {
    uv_loop_t *loop;
    const char *command;
    size_t output_max; /* a result larger than this is a failure */
    uint64_t kill_ms;  /* from SIGTERM to SIGKILL, once the job is lost */
} jobs_exec_settings;

/* Runs the command for the job and gives the job up when it ended: complete for exit status 0, fail
 * for any other, for a signal, for output that cannot be stored and for a command that cannot be
 * started, give back when the job was lost in the meantime (the command is then ended). settings
 * must outlive it. */
void jobs_exec_start(const jobs_exec_settings *settings, cql_job *job);

#endif
