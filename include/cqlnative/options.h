/* options.h: how a session is to be set up. Every option has one row in the table of
 * doc/configuration.md, a name, a kind, a range and a default. */
#ifndef CQLNATIVE_OPTIONS_H
#define CQLNATIVE_OPTIONS_H

#include <cqlnative/error.h>

CQL_BEGIN

/* Settings of a session. [one at a time]. Sessions copy them. */
typedef struct cql_options cql_options;

/* al may be NULL (the C library's malloc); otherwise it is used by every object made with these
 * options. Yours: free with cql_options_free. CQL_NO_MEMORY. */
CQL_API cql_status cql_options_new(const cql_allocator *al, cql_options **out);
CQL_API cql_status cql_options_copy(const cql_options *from, cql_options **out);
CQL_API void cql_options_free(cql_options *o);

/* Sets one option by name. CQL_NO_SUCH_NAME with the nearest name in *err, CQL_BAD_VALUE with the
 * range. Numbers are decimal; booleans true, false, 1, 0; durations are milliseconds or take a unit
 * (10s, 500ms, 5m). */
CQL_API cql_status cql_options_set(cql_options *o, const char *name, const char *value,
                                   cql_error **err);
/* Reads a connection string: cql://[user@]host[:port][,host[:port]…][/keyspace][?name=value&…]. Names
 * are those of cql_options_set; %XX escapes are undone. A password is refused here: use the setter, a
 * file or the environment. CQL_BAD_ARGUMENT, and what cql_options_set gives. */
CQL_API cql_status cql_options_parse(cql_options *o, const char *url, cql_error **err);
/* Takes CQL_CONTACT_POINTS, CQL_USERNAME, CQL_PASSWORD and CQL_<NAME> of other options (upper case)
 * from the environment, where they are set. */
CQL_API cql_status cql_options_from_environment(cql_options *o, cql_error **err);

/* Hosts to begin with: "host[:port],…"; IPv6 in brackets. Replaces those set before. */
CQL_API cql_status cql_options_set_contact_points(cql_options *o, const char *hosts,
                                                  cql_error **err);
/* Adds one host. port 0: the session's `port` option. */
CQL_API cql_status cql_options_add_contact_point(cql_options *o, const char *host, uint16_t port);
/* User and password for PasswordAuthenticator; copied, and wiped when freed. NULL user: none. */
CQL_API cql_status cql_options_set_credentials(cql_options *o, const char *user,
                                               const char *password);
CQL_API cql_status cql_options_set_keyspace(cql_options *o, const char *keyspace);
/* Log sink and the most talkative level it gets. */
CQL_API void cql_options_set_log(cql_options *o, cql_log_fn fn, void *user, cql_log_level level);

/* The current value as text, NUL-terminated, borrowed until o changes; NULL for unknown names and for
 * secrets. */
CQL_API const char *cql_options_value(const cql_options *o, const char *name);
/* The table itself, for tools that list it: row i (false past the end). All static storage. */
typedef struct cql_option_info {
    const char *name;
    const char *kind; /* "count", "duration", "bool", "text", "hosts", "choice", "secret" */
    const char *range;
    const char *standard; /* the default */
    const char *help;
} cql_option_info;
CQL_API bool cql_options_info(size_t i, cql_option_info *out);

CQL_END
#endif
