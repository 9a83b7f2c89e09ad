/* Events of nodes and schema. */
#include "ping/watch.h"

#include "common/escape.h"
#include "common/exit_code.h"
#include "common/interrupt.h"
#include "common/json.h"
#include "common/report.h"

#include <cqlnative/events.h>
#include <inttypes.h>
#include <poll.h>
#include <time.h>

typedef struct watch {
    const ping_config *config;
    uint64_t seen;
    bool closing; /* what our own end brings is no event of the cluster */
} watch;

static const char *const node_words[] = {"added", "up", "down", "removed"};
static const char *const schema_words[] = {"created", "updated", "dropped", "changed", "missed"};

static void put(cql_str text)
{
    tool_put_escaped(stdout, text);
}

static void print_time(void)
{
    char text[40] = "";
    time_t now = time(NULL);
    struct tm parts;
    if (localtime_r(&now, &parts))
        strftime(text, sizeof text, "%H:%M:%S ", &parts);
    fputs(text, stdout);
}

static cJSON *json_of(const char *event, const char *change)
{
    char text[40] = "";
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    cJSON *line = tool_json_object(event);
    tool_json_text(line, "time", text);
    tool_json_text(line, "change", change);
    return line;
}

static bool wanted(watch *w)
{
    if (w->closing || (w->config->count && w->seen >= w->config->count))
        return false;
    w->seen++;
    return true;
}

static void node_people(const char *word, const cql_host_info *host)
{
    print_time();
    printf("node %s %s", host->address, word);
    fputs(" (", stdout);
    put(cql_str_of(host->data_center));
    fputs(", ", stdout);
    put(cql_str_of(host->rack));
    fputs(", Cassandra ", stdout);
    put(cql_str_of(host->release_version));
    fputc(')', stdout);
    if (!host->up && *host->reason) {
        fputs(": ", stdout);
        put(cql_str_of(host->reason));
    }
    fputc('\n', stdout);
    fflush(stdout);
}

static void on_node(void *user, cql_session *s, cql_node_event event, const cql_host_info *host)
{
    watch *w = user;
    const char *word = (size_t)event < CQL_COUNT(node_words) ? node_words[event] : "changed";
    (void)s;
    if (!wanted(w))
        return;
    if (w->config->output != PING_JSON) {
        node_people(word, host);
        return;
    }
    cJSON *line = json_of("node", word);
    tool_json_text(line, "node", host->address);
    tool_json_text(line, "data_center", host->data_center);
    tool_json_text(line, "rack", host->rack);
    tool_json_text(line, "release", host->release_version);
    tool_json_text(line, "reason", host->reason);
    tool_json_line(stdout, line);
}

static void schema_people(const char *word, const cql_schema_note *note)
{
    print_time();
    if (note->event == CQL_SCHEMA_MISSED) {
        puts("schema: events may have been missed while the connection that brings them was lost");
    } else {
        fputs("schema ", stdout);
        put(note->target);
        fputc(' ', stdout);
        put(note->keyspace);
        if (note->name.len) {
            fputc('.', stdout);
            put(note->name);
        }
        printf(" %s\n", word);
    }
    fflush(stdout);
}

static void on_schema(void *user, cql_session *s, const cql_schema_note *note)
{
    watch *w = user;
    const char *word =
        (size_t)note->event < CQL_COUNT(schema_words) ? schema_words[note->event] : "changed";
    (void)s;
    if (!wanted(w))
        return;
    if (w->config->output != PING_JSON) {
        schema_people(word, note);
        return;
    }
    cJSON *line = json_of("schema", word);
    tool_json_str(line, "target", note->target);
    tool_json_str(line, "keyspace", note->keyspace);
    tool_json_str(line, "name", note->name);
    tool_json_line(stdout, line);
}

static bool finished(const watch *w)
{
    return tool_interrupted() || ferror(stdout) ||
           (w->config->count && w->seen >= w->config->count);
}

static void turn(cql_session *s)
{
    struct pollfd fd = {cql_session_fd(s), POLLIN, 0};
    int nap = cql_session_deadline(s);
    (void)cql_session_drive(s, 0);
    (void)tool_poll(&fd, 1, nap >= 0 && nap < 1000 ? nap : 1000);
    (void)cql_session_drive(s, 0);
}

int ping_watch(const ping_config *config, cql_options *options)
{
    watch w = {config, 0, false};
    cql_error *err = NULL;
    cql_session *s = NULL;
    int code = TOOL_EXIT_OK;
    cql_options_on_node_event(options, on_node, &w);
    cql_options_on_schema_event(options, on_schema, &w);
    tool_catch_interrupts();
    if (cql_session_new(options, &s, &err) == CQL_OK && cql_session_connect_wait(s, &err) == CQL_OK)
        while (!finished(&w))
            turn(s);
    else
        code = err ? (int)tool_exit_of_connect(err) : TOOL_EXIT_FAILED;
    if (err)
        tool_report(PING_NAME, err, NULL);
    w.closing = true;
    cql_session_free(s);
    cql_error_unref(err);
    return code;
}
