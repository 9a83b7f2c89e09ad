/* init: keyspace and tables, with as many copies as the local data centre has nodes for. */
#include "jobcli/run.h"

#include "common/exit_code.h"
#include "common/interrupt.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/report.h"
#include "jobcli/jobsharp_cql.h"

#include <cqlnative/schema.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define COPIES_MOST 3
#define SETTLE_MS   2000 /* for connections to the nodes that were discovered */
#define STEP_MS     50

/* --- copies ----------------------------------------------------------------------------------- */
/* The data centre of the first node that is up, and how many of its nodes are. False while some are
 * neither up nor known to be down. */
static bool count_nodes(cql_session *s, char **data_center, size_t *live)
{
    cql_hosts *hosts = cql_session_hosts(s);
    cql_host_info host;
    bool all_known = true;

    *live = 0;
    for (size_t i = 0; cql_hosts_at(hosts, i, &host); i++) {
        if (!*data_center && host.up)
            *data_center = tool_copy(host.data_center);
        all_known = all_known && (host.up || *host.reason);
    }
    for (size_t i = 0; *data_center && cql_hosts_at(hosts, i, &host); i++)
        *live += host.up && strcmp(host.data_center, *data_center) == 0;
    cql_hosts_free(hosts);
    return all_known && *data_center;
}

/* "datacenter1:1", and a line that says why. */
static char *choose_replication(jobs_run *run)
{
    char *data_center = NULL, *replication;
    size_t live = 0, copies;

    for (int waited = 0; !count_nodes(run->s, &data_center, &live) && waited < SETTLE_MS;
         waited += STEP_MS)
        (void)cql_session_drive(run->s, STEP_MS);
    copies = live < COPIES_MOST ? live : COPIES_MOST;
    replication =
        tool_format("%s:%zu", data_center ? data_center : "datacenter1", copies ? copies : 1);
    if (run->cli->json) {
        cJSON *line = tool_json_object("replication");

        tool_json_text(line, "replication", replication);
        tool_json_int(line, "live_nodes", (int64_t)live);
        tool_json_line(stdout, line);
    } else {
        printf("replication %s: data centre %s has %zu live %s (--replication sets another)\n",
               replication, data_center ? data_center : "datacenter1", live,
               live == 1 ? "node" : "nodes");
    }
    free(data_center);
    return replication;
}

/* --- the text --------------------------------------------------------------------------------- */
static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* The schema's text for another keyspace: the word jobsharp becomes its quoted name. */
static char *text_for(const char *keyspace)
{
    static const char own[] = "jobsharp";
    size_t size = sizeof jobs_schema_cql, name = strlen(keyspace) + 2, n = 0;
    char *out = tool_alloc(size * (name + 1), 1);

    for (const char *at = jobs_schema_cql; *at;) {
        bool starts = at == jobs_schema_cql || !is_word(at[-1]);

        if (starts && strncmp(at, own, sizeof own - 1) == 0 && !is_word(at[sizeof own - 1])) {
            n += (size_t)snprintf(out + n, name + 1, "\"%s\"", keyspace);
            at += sizeof own - 1;
        } else {
            out[n++] = *at++;
        }
    }
    out[n] = '\0';
    return out;
}

/* --- telling ---------------------------------------------------------------------------------- */
static void on_object(const cql_schema_object *object, void *user)
{
    const jobs_run *run = user;

    if (run->cli->json) {
        cJSON *line = tool_json_object(object->word);

        tool_json_text(line, "kind", object->kind);
        tool_json_text(line, "name", object->name);
        for (size_t i = 0; i < object->difference_count; i++)
            tool_json_text(line, "difference", object->differences[i].text);
        tool_json_line(stdout, line);
        return;
    }
    printf("%-8s %s %s\n", object->word, object->kind, object->name);
    for (size_t i = 0; i < object->difference_count; i++)
        printf("  %s%s\n", object->differences[i].note ? "note: " : "",
               object->differences[i].text);
}

static void on_message(const cql_schema_message *message, void *user)
{
    (void)user;
    if (message->kind == CQL_SCHEMA_MESSAGE_WARNING)
        tool_remark(JOBS_NAME, "warning of the server: %s", message->text);
}

int jobs_init(jobs_run *run)
{
    const char *given = run->cli->replication;
    char *chosen = given ? NULL : choose_replication(run);
    bool standard = strcmp(run->keyspace, "jobsharp") == 0;
    char *text = standard ? NULL : text_for(run->keyspace);
    cql_error *err = NULL;
    int code = TOOL_EXIT_OK;
    /* A keyspace that is there keeps its copies unless others are asked for. */
    cql_schema_options o = {.size = sizeof o,
                            .replication = given ? given : chosen,
                            .verify = given ? CQL_SCHEMA_VERIFY_FULL : CQL_SCHEMA_VERIFY_SHAPE,
                            .reached = true,
                            .on_object = on_object,
                            .on_message = on_message,
                            .user = run};

    if (cql_schema_apply_wait(run->s, text ? text : jobs_schema_cql, &o, &err)) {
        tool_report(JOBS_NAME, err, NULL);
        code = (int)tool_exit_of_statement(err);
    }
    cql_error_unref(err);
    free(text);
    free(chosen);
    return code;
}
