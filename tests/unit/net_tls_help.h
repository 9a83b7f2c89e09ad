/* net_tls_help.h: a TLS filter and a server's end, and the bytes between them moved by the test. */
#ifndef TEST_NET_TLS_HELP_H
#define TEST_NET_TLS_HELP_H

#include "unit.h"

#include "net/tls.h"
#include "tlsend.h"

/* What most tests need: an authority, a certificate of it for "db.example" and 127.0.0.1, the server's
 * context with it, a folder for files. */
typedef struct tls_world {
    testcert ca;
    testcert server;
    SSL_CTX *ctx;
    char folder[64];
    const char *ca_file;
    failmalloc memory;
    cqln_log log;
    cqln_tls_config config;
    char logged[4096]; /* lines of the log, each with a newline */
} tls_world;

void tls_world_init(tls_world *w);
void tls_world_fini(tls_world *w);
/* The client's side with w->config; ends the test when it cannot be had. */
cqln_tls *tls_world_client(tls_world *w);

typedef struct tls_pair {
    cqln_filter *f;
    tlsend e;
    size_t step; /* bytes moved at once; 0: all */
    size_t wire_out, wire_in;
    unsigned outputs; /* calls of output that gave something */
    char got[70000]; /* plain bytes that the client read */
    size_t got_len;
} tls_pair;

/* Begins a handshake of a new filter with a server of that context. */
void tls_pair_init(tls_pair *p, cqln_tls *tls, const char *name, SSL_CTX *ctx);
void tls_pair_fini(tls_pair *p);
/* Moves bytes both ways until neither side has any. */
void tls_pair_run(tls_pair *p);
/* The same one way. */
void tls_pair_to_server(tls_pair *p);
bool tls_pair_to_client(tls_pair *p);
/* Feeds bytes to the client as if they came from the transport. */
void tls_pair_feed(tls_pair *p, const void *bytes, size_t n);

/* One handshake, to its end: the state and, when it failed, its reason (static). */
cqln_filter_state tls_try(cqln_tls *tls, const char *name, SSL_CTX *ctx, const char **reason);

#endif
