/* Errors for people: what failed, every node tried, what to do. */
#include "config.h"

#include "common/report.h"

#include "common/exit_code.h"
#include "common/json.h"
#include "common/progress.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool tool_wants_colour(FILE *out)
{
    const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    return isatty(fileno(out)) && term && strcmp(term, "dumb") != 0 && !(no_colour && *no_colour);
}

/* The most telling status: for a list of failed nodes that of the first one. */
static cql_status cause(const cql_error *err)
{
    cql_status st = cql_error_status(err);
    const char *host, *reason;
    if (st == CQL_NO_HOST && cql_error_tried_count(err) > 0)
        (void)cql_error_tried(err, 0, &host, &st, &reason);
    return st;
}

const char *tool_missing_object(const cql_error *err)
{
    const char *text = cql_error_server_message(err);
    if (cql_error_status(err) != CQL_SERVER_INVALID)
        return NULL;
    bool absent = strstr(text, "does not exist") || strstr(text, "doesn't exist");
    if (strstr(text, "unconfigured table") || (absent && strcasestr(text, "table")))
        return "table not found";
    return absent && strcasestr(text, "keyspace") ? "keyspace not found" : NULL;
}

/* What the metadata service of a bundle does is no matter of nodes and their ports. */
static bool is_of_service(const cql_error *err)
{
    static const char begin[] = "metadata service ";
    const char *host = cql_error_host(err);
    return host && strncmp(host, begin, sizeof begin - 1) == 0;
}

const char *tool_hint(const cql_error *err)
{
    if (is_of_service(err))
        return NULL;
    switch ((int)cause(err)) {
    case CQL_CONNECT_FAILED:
        return "is Cassandra running there, and is the port right?";
    case CQL_RESOLVE_FAILED:
        return "check the name, or give the node's address";
    case CQL_CLOSED:
        return "the node hung up: does it want TLS on this port, or is it being stopped?";
    case CQL_TIMEOUT:
        return "is the node overloaded, paused, or behind a firewall?";
    case CQL_BAD_VERSION:
        return "this version works with Cassandra 4.1 and 5.0";
    case CQL_MALFORMED:
    case CQL_UNEXPECTED:
    case CQL_BAD_CHECKSUM:
        return "is this the port for CQL clients (usually 9042)? does it want TLS?";
    case CQL_AUTH_FAILED:
    case CQL_SERVER_BAD_CREDENTIALS:
        return "check --user and --password-file (or CQL_USERNAME and CQL_PASSWORD)";
    case CQL_TLS_FAILED:
        return "check the certificates on both sides";
    default:
        return NULL;
    }
}

static void print_tried(FILE *out, const cql_error *err)
{
    const char *host, *reason;
    cql_status st;
    for (size_t i = 0; i < cql_error_tried_count(err); i++)
        if (cql_error_tried(err, i, &host, &st, &reason) == CQL_OK &&
            !strstr(cql_error_text(err), host))
            fprintf(out, "  %s: %s\n", host, *reason ? reason : cql_status_text(st));
}

static void print_hint(FILE *out, const cql_error *err, const char *cql_file)
{
    const char *missing = tool_missing_object(err), *hint = tool_hint(err);
    if (missing)
        fprintf(out, "  %s: create it with 'cqlinit HOST %s'\n", missing,
                cql_file ? cql_file : "FILE");
    else if (hint && !strstr(cql_error_text(err), hint) && !strstr(cql_error_text(err), "TLS"))
        fprintf(out, "  %s\n", hint);
}

static void report(FILE *out, bool colour, const char *program, const cql_error *err,
                   const char *cql_file)
{
    fprintf(out, "%s%s:%s %s\n", colour ? "\033[1;31m" : "", program, colour ? "\033[0m" : "",
            cql_error_text(err));
    print_tried(out, err);
    print_hint(out, err, cql_file);
}

void tool_report_to(FILE *out, const char *program, const cql_error *err, const char *cql_file)
{
    report(out, false, program, err, cql_file);
}

static bool as_json;

void tool_report_json(bool json)
{
    as_json = json;
}

static void report_json(const cql_error *err)
{
    cJSON *line = tool_json_object("error");
    tool_json_error(line, err);
    tool_json_line(stdout, line);
}

void tool_report(const char *program, const cql_error *err, const char *cql_file)
{
    tool_progress_clear();
    fflush(stdout);
    if (as_json)
        report_json(err);
    else
        report(stderr, tool_wants_colour(stderr), program, err, cql_file);
}

void tool_report_briefly(const char *program, const cql_error *err)
{
    if (as_json)
        tool_report(program, err, NULL);
    else
        tool_remark(program, "%s", cql_error_text(err));
}

static void remark(const char *program, const char *format, va_list args)
{
    tool_progress_clear();
    fflush(stdout);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void tool_remark(const char *program, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    remark(program, format, args);
    va_end(args);
}

static void fail_json(const char *format, va_list args)
{
    char text[1000];
    cJSON *line = tool_json_object("error"), *inner = tool_json_object(NULL);
    vsnprintf(text, sizeof text, format, args);
    tool_json_text(inner, "status", NULL);
    tool_json_text(inner, "text", text);
    tool_json_bool(inner, "maybe_applied", false);
    tool_json_object_add(line, "error", inner);
    tool_json_line(stdout, line);
}

void tool_fail(const char *program, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tool_progress_clear();
    if (as_json)
        fail_json(format, args);
    else
        remark(program, format, args);
    va_end(args);
}

/* A pipe that nobody reads any longer, which is nothing to complain of. */
static bool is_broken_pipe(int fd)
{
    struct pollfd out = {fd, POLLOUT, 0};
    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

int tool_finish(const char *program, int exit_code)
{
    bool now = fflush(stdout) != 0; /* else errno is not about what failed before */
    if (!now && !ferror(stdout))
        return exit_code;
    if (now && errno != EPIPE)
        fprintf(stderr, "%s: cannot write standard output: %s\n", program, strerror(errno));
    else if (!now && !is_broken_pipe(STDOUT_FILENO))
        fprintf(stderr, "%s: cannot write standard output\n", program);
    return exit_code ? exit_code : TOOL_EXIT_FAILED;
}
