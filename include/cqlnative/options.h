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

/* Sets one option by name; later calls win. CQL_NO_SUCH_NAME with the nearest name in *err,
 * CQL_BAD_VALUE with the range. Numbers are decimal; booleans true, false, 1, 0, on, off, yes, no;
 * durations are milliseconds or take a unit (10s, 500ms, 5m, 1h). <cqlnative/setters.h> has a function
 * for each option, so that the compiler knows the names. [one at a time] */
CQL_API cql_status cql_options_set(cql_options *o, const char *name, const char *value,
                                   cql_error **err);
/* The same for a number (durations: milliseconds) and a boolean. [one at a time] */
CQL_API cql_status cql_options_set_number(cql_options *o, const char *name, uint64_t value,
                                          cql_error **err);
CQL_API cql_status cql_options_set_bool(cql_options *o, const char *name, bool value,
                                        cql_error **err);
/* Reads a connection string: cql://[user@]host[:port][,host[:port]…][/keyspace][?name=value&…]. Names
 * are those of cql_options_set; %XX escapes are undone, also in hosts: a link-local one is written
 * [fe80::1%25eth0]. A password is refused here, where it would be seen: use the setter, a file or the
 * environment. On a failure o is as it was. CQL_BAD_ARGUMENT, and what cql_options_set gives.
 * [one at a time] */
CQL_API cql_status cql_options_parse(cql_options *o, const char *url, cql_error **err);
/* Takes CQL_<NAME> (the option's name in upper case: CQL_CONTACT_POINTS, CQL_USERNAME, CQL_PASSWORD,
 * CQL_REQUEST_TIMEOUT…) of every option from the environment, where it is set and not empty; before
 * that the file that CQL_OPTIONS_FILE names, if there is one. What would take protection away
 * (cql_option_info, by_hand) is refused: CQL_BAD_VALUE. On a failure o is as it was. What
 * cql_options_set and cql_options_load give. [one at a time, and nobody changes the environment] */
CQL_API cql_status cql_options_from_environment(cql_options *o, cql_error **err);
/* Reads a file of lines `name = value`; blank lines and lines that begin with # are left out; a value
 * in double quotes keeps its blanks. The file must be a regular one (no symbolic link) of the user or
 * of root, writable by its owner alone, at most 64 KiB; with a password in it, readable by its owner
 * alone. What would take protection away is refused as in the environment. On a failure o is as it
 * was, and *err names the line. CQL_SYSTEM, CQL_BAD_ARGUMENT (not to be trusted), and what
 * cql_options_set gives. [one at a time] */
CQL_API cql_status cql_options_load(cql_options *o, const char *path, cql_error **err);

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

/* The current value as text, NUL-terminated, borrowed until the next call with o; NULL for unknown
 * names, for secrets and when memory is out. [one at a time] */
CQL_API const char *cql_options_value(const cql_options *o, const char *name);
/* Was it set, rather than left at its default or at what a preset says? Also true for a secret that is
 * set. [one at a time] */
CQL_API bool cql_options_given(const cql_options *o, const char *name);
/* The table itself, for tools that list it: row i (false past the end). All static storage.
 * [any thread] */
typedef struct cql_option_info {
    const char *name;
    const char *kind; /* "count", "bytes", "duration", "text", "hosts", "choice", "secret" */
    const char *range;
    const char *standard; /* the default */
    const char *help;
    const char *by_hand; /* values, with | between them, that neither environment nor file may set;
                          * "*": none at all; "": no such limit */
} cql_option_info;
CQL_API bool cql_options_info(size_t i, cql_option_info *out);

CQL_END
#endif
