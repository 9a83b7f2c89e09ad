/* tls.h: the options of encrypted connections, the same in every tool. connection.h uses them; a tool
 * has nothing to do with this. */
#ifndef TOOL_TLS_H
#define TOOL_TLS_H

#include <cqlnative/options.h>

typedef enum tool_tls_text {
    TOOL_TLS_MODE,
    TOOL_TLS_CA,
    TOOL_TLS_CERT,
    TOOL_TLS_KEY,
    TOOL_TLS_NAME,
    TOOL_TLS_TEXTS
} tool_tls_text;

typedef struct tool_tls {
    char *texts[TOOL_TLS_TEXTS]; /* NULL: not given */
    char *password;              /* of the key; NULL: none known */
    char *password_file;         /* NULL: not given, or read already */
    bool insecure;
} tool_tls;

/* Takes CQL_TLS_KEY_PASSWORD out of the environment. */
void tool_tls_init(tool_tls *t);
void tool_tls_free(tool_tls *t); /* wipes */
void tool_tls_set(tool_tls *t, tool_tls_text which, const char *value);
/* Reads the file with the pass phrase, if one is given; false with a reason. */
bool tool_tls_settle(tool_tls *t, char *why, size_t why_size);
/* What was given, into the options. Giving any of it without a word about `tls` itself turns full
 * verification on. */
cql_status tool_tls_apply(const tool_tls *t, cql_options *o, cql_error **err);

#endif
