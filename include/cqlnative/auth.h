/* auth.h: logging in by other means than user and password.
 *
 * cql_options_set_credentials is all that a cluster with PasswordAuthenticator needs: the library speaks
 * SASL PLAIN with it, and with the authenticators that are known to do the same (the option
 * auth_classes names more). Where the server wants something else (Kerberos, a token that expires, a
 * password from a vault that must not stay in memory) the program supplies an authenticator:
 *
 *   server: AUTHENTICATE class  -> initial()   -> AUTH_RESPONSE token
 *   server: AUTH_CHALLENGE      -> challenge() -> AUTH_RESPONSE token     at most 16 times
 *   server: AUTH_SUCCESS        -> success()
 *   in any case                 -> ended()
 *
 * (native_protocol sections 4.1.2, 4.2.3, 4.2.7 and 4.2.8.) One exchange runs for each connection;
 * several may be under way at the same time. */
#ifndef CQLNATIVE_AUTH_H
#define CQLNATIVE_AUTH_H

#include <cqlnative/options.h>

CQL_BEGIN

/* One log-in that is under way: good from initial() to ended(). [loop thread] */
typedef struct cql_auth cql_auth;

/* Class name of the server's authenticator, as the server says it: not to be trusted without TLS. The
 * view lives as long as the exchange. [loop thread] */
CQL_API cql_str cql_auth_class(const cql_auth *a);
/* "address:port" of the node. [loop thread] */
CQL_API cql_str cql_auth_host(const cql_auth *a);
/* Is the connection encrypted? [loop thread] */
CQL_API bool cql_auth_encrypted(const cql_auth *a);
/* The token of the next AUTH_RESPONSE, in initial() and challenge(): copied, and the copies are wiped
 * when it was written. Without this call the token is empty. CQL_NO_MEMORY, CQL_TOO_LARGE (over
 * 1 MiB). [loop thread] */
CQL_API cql_status cql_auth_respond(cql_auth *a, const void *bytes, size_t len);
/* A pointer of the program's for this exchange; NULL before it is set. [loop thread] */
CQL_API void cql_auth_set_state(cql_auth *a, void *state);
CQL_API void *cql_auth_state(const cql_auth *a);

/* What a program supplies. Each function is called on the loop's thread and must not block nor call the
 * session. Any status but CQL_OK ends the connection with CQL_AUTH_FAILED and that status' text. */
typedef struct cql_authenticator {
    size_t size; /* sizeof(cql_authenticator) */
    void *self;  /* the first argument of each; borrowed until the last session is freed */
    cql_status (*initial)(void *self, cql_auth *a);
    /* token: what the server says, borrowed for the call. May be NULL: a challenge is a failure. */
    cql_status (*challenge)(void *self, cql_auth *a, cql_str token);
    /* The server is satisfied; here it can be judged by what it says last. May be NULL. */
    cql_status (*success)(void *self, cql_auth *a, cql_str token);
    /* Over, well or not: the last call of each exchange. May be NULL. */
    void (*ended)(void *self, cql_auth *a);
} cql_authenticator;

/* Uses this authenticator in place of user and password; the table is copied, NULL takes it away. It is
 * asked only where the password might go too: over TLS, or as the option plain_auth allows.
 * CQL_BAD_ARGUMENT (a size that is too small, no initial). [one at a time] */
CQL_API cql_status cql_options_set_authenticator(cql_options *o, const cql_authenticator *a);

CQL_END
#endif
