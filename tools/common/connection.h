/* connection.h: the options with which every tool reaches its servers, and the cql_options made of
 * them.
 *
 *   static const tool_option_set sets[] = {
 *       {"Options", own, CQL_COUNT(own)},
 *       {"Connection", tool_connection_options, TOOL_CONNECTION_OPTION_COUNT},
 *   };
 *   tool_connection c;
 *   tool_connection_init(&c);                       (first thing in main: clears CQL_PASSWORD)
 *   while (tool_args_next(&a))
 *       if (tool_connection_take(&c, &a))           (an option of the table above)
 *           continue;
 *       else if (a.id == TOOL_OPT_WORD && !files && tool_word_is_target(a.value))
 *           tool_connection_word(&c, &a);           (a target)
 *       else ...
 *   if (a.ended) ...
 *   cql_options *o = tool_connection_build(&c, &a);  (NULL: a.exit_code says why, message printed)
 *   tool_connection_free(&c);                        (wipes the password)
 *   st = cql_session_new(o, &s, &err); cql_options_free(o);
 *
 * Order, the later wins: --options-file, environment (the file of CQL_OPTIONS_FILE, then CQL_<NAME>),
 * connection string, --option, the other options.
 */
#ifndef TOOL_CONNECTION_H
#define TOOL_CONNECTION_H

#include "common/args.h"
#include "common/credentials.h"
#include "common/target.h"
#include "common/tls.h"

#include <cqlnative/options.h>

#define TOOL_CONNECTION_OPTION_COUNT 20
extern const tool_option tool_connection_options[TOOL_CONNECTION_OPTION_COUNT];

typedef struct tool_connection {
    tool_targets words; /* words and --host; empty: the environment or the default counts */
    tool_targets hosts;
    tool_credentials credentials;
    tool_tls tls;
    char **settings; /* NAME=VALUE of --option, in order */
    size_t setting_count, setting_capacity;
    char *options_file; /* NULL: not given */
    uint64_t port;       /* 0: not given */
    uint64_t protocol;   /* 0: not given */
    uint64_t timeout_ms; /* 0: not given */
} tool_connection;

void tool_connection_init(tool_connection *c);
void tool_connection_free(tool_connection *c);
/* True when the option just read is one of the table (a.ended tells when its value is wrong). */
bool tool_connection_take(tool_connection *c, tool_args *a);
/* Takes the word just read as a target; false after a message. */
bool tool_connection_word(tool_connection *c, tool_args *a);
/* The targets in force: words, else --host, else environment, else default; NULL after a message.
 */
const tool_targets *tool_connection_targets(tool_connection *c, tool_args *a);
/* Options for one session over all targets; yours: cql_options_free. NULL after a message with
 * a->ended and a->exit_code set. */
cql_options *tool_connection_build(tool_connection *c, tool_args *a);
/* The same for one target of several (cqlping has a session for each). */
cql_options *tool_connection_build_for(tool_connection *c, tool_args *a, const char *target);

#endif
