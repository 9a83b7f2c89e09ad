/* Lines for people and JSON lines. */
#include "init/say.h"

#include "common/escape.h"
#include "common/exit_code.h"
#include "common/json.h"
#include "common/progress.h"
#include "common/memory.h"
#include "common/report.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

void init_say_init(init_say *say, const init_config *config)
{
    memset(say, 0, sizeof *say);
    say->config = config;
    say->out = stdout;
}

void init_say_fini(init_say *say)
{
    tool_row_table_free(say->table);
    if (say->describe)
        init_describe_end(say->describe);
    say->table = NULL;
    say->describe = NULL;
}

static void put(init_say *say, const char *text)
{
    tool_put_escaped(say->out, cql_str_of(text));
}

/* True when standard output is CQL that could be applied. */
static bool shows_statements(const init_say *say)
{
    return say->config->dry_run || say->config->mode == INIT_PRINT;
}

/* --- objects -------------------------------------------------------------------------------------
 */

static void object_json(init_say *say, const cql_schema_object *o)
{
    cJSON *line = tool_json_object("object");
    tool_json_text(line, "status", o->word);
    tool_json_text(line, "kind", o->kind);
    tool_json_text(line, "name", o->name);
    tool_json_text(line, "file", o->file);
    tool_json_int(line, "line", o->line);
    cJSON *list = o->difference_count ? cJSON_AddArrayToObject(line, "differences") : NULL;
    for (size_t i = 0; list && i < o->difference_count; i++) {
        const cql_schema_difference *d = &o->differences[i];
        cJSON *row = tool_json_object(NULL);
        tool_json_text(row, "subject", d->subject);
        tool_json_text(row, "expected", d->expected);
        tool_json_text(row, "found", d->found);
        tool_json_text(row, "text", d->text);
        tool_json_bool(row, "note", d->note);
        cJSON_AddItemToArray(list, row);
    }
    tool_json_line(say->out, line);
}

static const char *colour_of(const init_say *say, cql_schema_verdict verdict)
{
    if (!tool_wants_colour(say->out))
        return NULL;
    switch (verdict) {
    case CQL_SCHEMA_OBJECT_CREATED:
        return "\033[32m";
    case CQL_SCHEMA_OBJECT_DIFFERS:
        return "\033[1;31m";
    case CQL_SCHEMA_OBJECT_DROPPED:
        return "\033[33m";
    case CQL_SCHEMA_OBJECT_EXISTS:
    case CQL_SCHEMA_OBJECT_ABSENT:
        break;
    }
    return NULL;
}

static void object_line(init_say *say, const cql_schema_object *o)
{
    const char *comment = shows_statements(say) ? "-- " : "";
    const char *colour = *comment ? NULL : colour_of(say, o->verdict);
    fprintf(say->out, "%s%s%s%s %s ", comment, colour ? colour : "", o->word,
            colour ? "\033[0m" : "", o->kind);
    put(say, o->name);
    fputc('\n', say->out);
    for (size_t i = 0; i < o->difference_count; i++) {
        fprintf(say->out, "%s  %s", comment, o->differences[i].note ? "note: " : "");
        put(say, o->differences[i].text);
        fputc('\n', say->out);
    }
    fflush(say->out);
}

void init_say_object(const cql_schema_object *object, void *user)
{
    init_say *say = user;
    tool_progress_clear();
    if (say->config->quiet && object->verdict != CQL_SCHEMA_OBJECT_DIFFERS)
        return;
    if (say->config->json)
        object_json(say, object);
    else if (object->verdict != CQL_SCHEMA_OBJECT_ABSENT)
        object_line(say, object);
}

/* --- messages ------------------------------------------------------------------------------------
 */

static const char *event_of(cql_schema_message_kind kind)
{
    switch (kind) {
    case CQL_SCHEMA_MESSAGE_WAITING:
        return "waiting";
    case CQL_SCHEMA_MESSAGE_WARNING:
        return "warning";
    case CQL_SCHEMA_MESSAGE_NOTE:
        return "note";
    case CQL_SCHEMA_MESSAGE_SENDING:
        return "statement";
    }
    return "message";
}

/* Of the string that begins here, doubled quotes and all; it may be open. 0: none does. */
static size_t string_length(const char *text)
{
    const char *mark = text[0] == '\'' ? "'" : "$$";
    size_t n = strlen(mark), at = 0;
    while (strncmp(text + at, mark, n) == 0) { /* behind a closing quote another one doubles it */
        const char *end = strstr(text + at + n, mark);
        if (!end)
            return strlen(text);
        at = (size_t)(end - text) + n;
        if (n > 1)
            break;
    }
    return at;
}

/* A copy for people and logs, without the text of a string behind the word PASSWORD, as CREATE and ALTER ROLE have
 * it. */
static char *without_passwords(const char *text)
{
    static const char word[] = "password", instead[] = "'***'";
    char *out = tool_alloc(strlen(text) * 2 + sizeof instead, 1);
    bool secret = false;
    for (size_t at = 0, end = 0; text[at];) {
        size_t n = string_length(text + at);
        if (n && secret) {
            memcpy(out + end, instead, sizeof instead);
            end += sizeof instead - 1;
        } else {
            bool meant = strncasecmp(text + at, word, sizeof word - 1) == 0;
            secret = meant || (secret && strchr(" \t\r\n=", text[at]));
            n = n ? n : meant ? sizeof word - 1 : 1;
            memcpy(out + end, text + at, n);
            end += n;
        }
        at += n;
    }
    return out;
}

static void message_json(init_say *say, const cql_schema_message *m)
{
    cJSON *line = tool_json_object(event_of(m->kind));
    bool log = m->kind == CQL_SCHEMA_MESSAGE_SENDING && !shows_statements(say);
    char *text = log ? without_passwords(m->text) : tool_copy(m->text);
    tool_json_text(line, "text", text);
    free(text);
    if (m->line) {
        tool_json_text(line, "file", m->file);
        tool_json_int(line, "line", m->line);
    }
    if (m->kind == CQL_SCHEMA_MESSAGE_WAITING)
        tool_json_int(line, "left_ms", m->left_ms);
    if (m->cause)
        tool_json_error(line, m->cause);
    tool_json_line(say->out, line);
}

/* On a terminal a line that counts down; elsewhere the reason once. */
static void say_waiting(init_say *say, const cql_schema_message *m)
{
    char *text = tool_escaped(cql_str_of(m->text));
    if (isatty(STDERR_FILENO))
        tool_progress("waiting for the cluster, %u s left: %s", m->left_ms / 1000, text);
    else if (!say->waiting_told && !say->config->quiet)
        tool_remark(INIT_NAME, "waiting for the cluster, at most %u s: %s",
                    (m->left_ms + 500) / 1000, text);
    say->waiting_told = true;
    free(text);
}

/* On a terminal: how far a long file is, ten times a second. */
static void say_progress(init_say *say, const cql_schema_message *m)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    uint64_t now = (uint64_t)ts.tv_sec * 10 + (uint64_t)ts.tv_nsec / 100000000;
    say->statements++;
    if (now == say->progress_at || !isatty(STDERR_FILENO))
        return;
    say->progress_at = now;
    char *file = tool_escaped(cql_str_of(m->file));
    tool_progress("statement %zu, %s:%u", say->statements, file, m->line);
    free(file);
}

static void say_sending(init_say *say, const cql_schema_message *m)
{
    if (shows_statements(say)) {
        say->sent++;
        fprintf(say->out, "%s;\n", m->text);
    } else if (say->config->verbose) {
        char *shown = without_passwords(m->text);
        char *text = tool_escaped(cql_str_of(shown));
        tool_remark(INIT_NAME, "%s:%u: sending: %s", m->file, m->line, text);
        free(text);
        free(shown);
    } else if (!say->config->quiet) {
        say_progress(say, m);
    }
}

void init_say_message(const cql_schema_message *message, void *user)
{
    init_say *say = user;
    bool sending = message->kind == CQL_SCHEMA_MESSAGE_SENDING;
    if (say->config->json) {
        if (!sending || shows_statements(say) || say->config->verbose)
            message_json(say, message);
        say->sent += sending ? 1 : 0;
        return;
    }
    if (message->kind == CQL_SCHEMA_MESSAGE_WAITING) {
        say_waiting(say, message);
        return;
    }
    if (sending) {
        say_sending(say, message);
        return;
    }
    char *text = tool_escaped(cql_str_of(message->text));
    const char *what =
        message->kind == CQL_SCHEMA_MESSAGE_WARNING ? "warning from the server" : "note";
    if (message->line)
        tool_remark(INIT_NAME, "%s:%u: %s: %s", message->file, message->line, what, text);
    else
        tool_remark(INIT_NAME, "%s: %s", what, text);
    free(text);
}

/* --- rows ----------------------------------------------------------------------------------------
 */

static void say_description(init_say *say, const cql_schema_rows *rows)
{
    if (!say->describe)
        say->describe = init_describe_new(say->out, rows->keyspace);
    init_describe_add(say->describe, rows->result);
    if (rows->last) {
        init_describe_end(say->describe);
        say->describe = NULL;
    }
}

static void say_table(init_say *say, const cql_schema_rows *rows)
{
    if (!say->table)
        say->table = tool_row_table_new();
    (void)tool_row_table_add(say->table, rows->result);
    if (rows->last) {
        tool_row_table_print(say->table, say->out);
        tool_row_table_free(say->table);
        say->table = NULL;
    }
}

void init_say_rows(const cql_schema_rows *rows, void *user)
{
    init_say *say = user;
    say->had_rows = true;
    tool_progress_clear();
    if (say->config->json)
        (void)tool_print_rows_json(say->out, rows->result);
    else if (init_is_describe(rows->statement))
        say_description(say, rows);
    else
        say_table(say, rows);
    fflush(say->out);
}

/* --- the end -------------------------------------------------------------------------------------
 */

void init_say_error(init_say *say, const cql_error *err)
{
    tool_progress_clear();
    if (!err)
        return;
    if (say->config->json) {
        cJSON *line = tool_json_object("error");
        tool_json_error(line, err);
        tool_json_line(say->out, line);
        return;
    }
    tool_report(INIT_NAME, err, NULL);
}

static void summary_json(init_say *say, int exit_code)
{
    const cql_schema_summary *s = &say->summary;
    cJSON *line = tool_json_object("summary");
    bool compared = say->config->verify != CQL_SCHEMA_VERIFY_OFF && !shows_statements(say) &&
                    s->created + s->existing > 0;
    tool_json_int(line, "created", (int64_t)s->created);
    tool_json_int(line, "exists", (int64_t)s->existing);
    tool_json_int(line, "differs", (int64_t)s->differing);
    tool_json_int(line, "dropped", (int64_t)s->dropped);
    tool_json_int(line, "absent", (int64_t)s->absent);
    tool_json_int(line, "statements", (int64_t)s->statements);
    tool_json_int(line, "differences", (int64_t)s->differences);
    tool_json_int(line, "notes", (int64_t)s->notes);
    tool_json_int(line, "warnings", (int64_t)s->warnings);
    tool_json_bool(line, "verified", compared && exit_code == TOOL_EXIT_OK);
    tool_json_int(line, "exit", exit_code);
    tool_json_line(say->out, line);
}

static void count(init_say *say, const char **separator, size_t number, const char *what)
{
    if (!number)
        return;
    fprintf(say->out, "%s%zu %s", *separator, number, what);
    *separator = ", ";
}

static const char *verdict_of(const init_say *say, int exit_code, bool failed)
{
    if (failed)
        return "stopped";
    if (exit_code == TOOL_EXIT_DIFFERS || say->summary.differing)
        return "not verified";
    return say->config->verify == CQL_SCHEMA_VERIFY_OFF ? "done" : "verified";
}

void init_say_summary(init_say *say, int exit_code, bool failed)
{
    const cql_schema_summary *s = &say->summary;
    size_t objects = s->created + s->existing + s->differing + s->dropped;
    const char *separator = ": ";
    tool_progress_clear();
    if (say->config->json) {
        if (objects || failed || !say->had_rows)
            summary_json(say, exit_code);
        return;
    }
    if (say->config->quiet || (!objects && (say->had_rows || failed)))
        return;
    if (shows_statements(say)) {
        fprintf(say->out, "-- %zu statement%s%s\n", say->sent, say->sent == 1 ? "" : "s",
                say->config->dry_run ? " would be sent" : "");
        return;
    }
    fputs(objects ? verdict_of(say, exit_code, failed) : "done", say->out);
    count(say, &separator, s->dropped, "dropped");
    count(say, &separator, s->created, "created");
    count(say, &separator, s->existing, "existing");
    count(say, &separator, s->differing, "differing");
    count(say, &separator, s->differences, s->differences == 1 ? "difference" : "differences");
    count(say, &separator, s->statements,
          s->statements == 1 ? "other statement" : "other statements");
    fputc('\n', say->out);
}
