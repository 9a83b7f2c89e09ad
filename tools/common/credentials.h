/* credentials.h: user and password, from places that other users of the machine cannot read.
 *
 *   tool_credentials c;
 *   tool_credentials_init(&c);                        (takes CQL_USERNAME and CQL_PASSWORD out of
 * the environment at once)
 *   ... c.user, c.password_file, c.password_fd by options (connection.h does it) ...
 *   if (!tool_credentials_settle(&c, why, sizeof why)) (reads file or descriptor, or asks)
 *   cql_options_set_credentials(o, c.user, c.password);
 *   tool_credentials_free(&c);                        (wipes) */
#ifndef TOOL_CREDENTIALS_H
#define TOOL_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct tool_credentials {
    char *user;     /* NULL: none */
    char *password; /* NULL: not known yet */
    char *password_file;
    int password_fd; /* -1: none */
} tool_credentials;

void tool_credentials_init(tool_credentials *c);
/* With a user and no password yet: takes the first line of the file or descriptor, else asks on the
 * terminal without echo. False with a reason: nothing to read, no terminal, a password without a
 * user. */
bool tool_credentials_settle(tool_credentials *c, char *why, size_t why_size);
void tool_credentials_free(tool_credentials *c);

/* Copies a variable and takes it out of the environment; NULL when it is not set or empty. Yours: wipe
 * and free. */
char *tool_take_variable(const char *name);
/* A warning when every user can read a file that has a secret in it. */
void tool_warn_of_readers(int fd, const char *path);
/* The first line of a file; warns when others can read it. NULL with a reason. Yours: wipe and free. */
char *tool_read_secret_file(const char *path, char *why, size_t why_size);

#endif
