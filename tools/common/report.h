/* report.h: errors and remarks for people, on standard error. With --json an error is a line of standard output
 * instead, {"event":"error","error":{...}}; remarks stay where they are.
 *
 *   tool_report(program.name, err, "/path/file.cql");   NAME: what failed ... / each node tried /
 * hint tool_remark("cqlinit", "waiting for %s", host);      NAME: text return
 * tool_finish(exit_code);                       flushes standard output; a full disk is seen
 *
 * Colour is used on a terminal unless NO_COLOR is set or TERM is dumb. */
#ifndef TOOL_REPORT_H
#define TOOL_REPORT_H

#include <cqlnative/error.h>
#include <stdbool.h>
#include <stdio.h>

/* The error with the nodes that were tried and a hint. cql_file names the file that creates what is
 * missing; NULL when it is not known. */
void tool_report(const char *program, const cql_error *err, const char *cql_file);
/* Only what its text says. */
void tool_report_briefly(const char *program, const cql_error *err);
/* An error that no library gave: "standard input: not JSON". Its JSON has no status. */
void tool_fail(const char *program, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* From now on errors are JSON: what --json does. */
void tool_report_json(bool json);
/* The same on any stream, never coloured: for tests and logs. */
void tool_report_to(FILE *out, const char *program, const cql_error *err, const char *cql_file);
void tool_remark(const char *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* One line that says what can be done, NULL when nothing general can be said. */
const char *tool_hint(const cql_error *err);
/* "keyspace not found" or "table not found" when that is what the server said, else NULL. */
const char *tool_missing_object(const cql_error *err);
/* True when `out` is a terminal that can show colours. */
bool tool_wants_colour(FILE *out);
/* Flushes standard output; exit code 1 instead of 0 when it could not be written. */
int tool_finish(const char *program, int exit_code);

#endif
