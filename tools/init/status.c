/* --status: the cluster as the session sees it. */
#include "init/run.h"

#include "common/escape.h"
#include "common/json.h"
#include "common/memory.h"

#include <stdlib.h>

enum { AGREE_MS = 2000 };

static void node_json(const cql_host_info *info)
{
    cJSON *line = tool_json_object("node");
    tool_json_text(line, "address", info->address);
    tool_json_text(line, "data_center", info->data_center);
    tool_json_text(line, "rack", info->rack);
    tool_json_text(line, "release", info->release_version);
    tool_json_bool(line, "up", info->up);
    if (!info->up)
        tool_json_text(line, "reason", info->reason);
    tool_json_line(stdout, line);
}

static void put(const char *text)
{
    tool_put_escaped(stdout, cql_str_of(text));
}

static void node_line(const cql_host_info *info)
{
    fputs("node ", stdout);
    put(info->address);
    fputs(": Cassandra ", stdout);
    put(*info->release_version ? info->release_version : "?");
    fputs(", data centre ", stdout);
    put(info->data_center);
    fputs(", rack ", stdout);
    put(info->rack);
    fputs(info->up ? ", up\n" : ", not up: ", stdout);
    if (!info->up) {
        put(info->reason);
        fputc('\n', stdout);
    }
}

void init_status(const init_config *config, cql_session *s)
{
    cql_host_info info;
    bool agreed = cql_session_agree_wait(s, AGREE_MS, NULL) == CQL_OK;
    int protocol = cql_session_protocol_version(s);
    char *name = tool_escaped(cql_session_cluster_name(s));
    if (config->json) {
        cJSON *line = tool_json_object("cluster");
        tool_json_text(line, "name", name);
        tool_json_int(line, "protocol", protocol);
        tool_json_bool(line, "schema_agreed", agreed);
        tool_json_line(stdout, line);
    } else {
        printf("cluster %s: protocol v%d, the nodes %s on the schema\n", name, protocol,
               agreed ? "agree" : "do not agree");
    }
    free(name);
    cql_hosts *hosts = cql_session_hosts(s);
    for (size_t i = 0; hosts && cql_hosts_at(hosts, i, &info); i++) {
        if (config->json)
            node_json(&info);
        else
            node_line(&info);
    }
    cql_hosts_free(hosts);
}
