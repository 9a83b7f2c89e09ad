/* Asks a cluster for its nodes. */
#include "ping/discover.h"

#include "common/exit_code.h"
#include "common/report.h"
#include "ping/config.h"

#include <cqlnative/session.h>

static int add_hosts(cql_session *s, tool_targets *found)
{
    char why[200];
    cql_host_info host;
    cql_hosts *hosts = cql_session_hosts(s);
    bool fine = hosts != NULL;
    for (size_t i = 0; fine && cql_hosts_at(hosts, i, &host); i++)
        fine = tool_targets_add(found, host.address, why, sizeof why);
    cql_hosts_free(hosts);
    if (fine && found->count)
        return TOOL_EXIT_OK;
    tool_fail(PING_NAME, "the cluster's nodes are not known%s%s", hosts ? ": " : "",
              hosts && !fine ? why : "");
    return TOOL_EXIT_FAILED;
}

int ping_discover(const cql_options *options, tool_targets *found)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    int code;
    if (cql_session_new(options, &s, &err) == CQL_OK && cql_session_connect_wait(s, &err) == CQL_OK)
        code = add_hosts(s, found);
    else
        code = err ? (int)tool_exit_of_connect(err) : TOOL_EXIT_FAILED;
    if (err)
        tool_report(PING_NAME, err, NULL);
    cql_session_free(s);
    cql_error_unref(err);
    return code;
}
