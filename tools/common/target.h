/* target.h: which servers a command line means: words HOST[:PORT] or cql://..., else --host, else
 * the environment's CQL_CONTACT_POINTS, else 127.0.0.1:9042.
 *
 *   tool_targets t = {0};
 *   if (!files_began && tool_word_is_target(word))
 *       ok = tool_targets_add(&t, word, why, sizeof why);     (refused: *why says what is wrong)
 *   ok = tool_targets_settle(&t, why, sizeof why);             (environment, then the default)
 *   for (size_t i = 0; i < t.count; i++) t.items[i] ...
 *   tool_targets_free(&t);
 *
 * connection.h does this for a tool whose targets all belong to one session. */
#ifndef TOOL_TARGET_H
#define TOOL_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#define TOOL_DEFAULT_TARGET "127.0.0.1:9042"
/* In place of a host: the cluster that a secure connect bundle names. */
#define TOOL_BUNDLE_TARGET "bundle"

typedef struct tool_targets {
    char **items; /* "host", "host:port", "[v6]:port" or "cql://..." */
    size_t count, capacity;
} tool_targets;

/* False when the word names an existing file (or is "-") or ends in .cql: then it is a file. */
bool tool_word_is_target(const char *word);
/* True for a connection string. */
bool tool_target_is_url(const char *item);
/* Adds "host[:port][,host[:port]...]" (each an item) or one connection string. False with a reason:
 * a malformed host or port, a password in a connection string (which is not repeated in the
 * reason). */
bool tool_targets_add(tool_targets *t, const char *text, char *why, size_t why_size);
/* When there is none yet: CQL_CONTACT_POINTS, else the default. */
bool tool_targets_settle(tool_targets *t, char *why, size_t why_size);
/* All items joined by commas, as cql_options_set_contact_points takes them; yours: free(). */
char *tool_targets_join(const tool_targets *t);
/* The hosts that an item names: of a connection string what stands between user and path, else the
 * item itself; yours: free(). */
char *tool_target_hosts(const char *item);
void tool_targets_free(tool_targets *t);

#endif
