/* tlsend.h: the server's end of TLS without a socket, for tests of a filter, and as the wrap of a
 * mockserver. */
#ifndef TESTS_SUPPORT_TLSEND_H
#define TESTS_SUPPORT_TLSEND_H

#include "mockserver.h"
#include "testcert.h"

typedef struct tlsend {
    SSL *ssl;
    BIO *in;  /* bytes from the client */
    BIO *out; /* bytes for the client */
    bool open;
    bool failed;
} tlsend;

/* A server's context; chain (may be NULL) is sent after cert. Free with SSL_CTX_free. */
SSL_CTX *tlsend_context(const testcert *cert, const testcert *chain);
/* From now on a client has to show a certificate of this authority. */
void tlsend_want_client(SSL_CTX *ctx, const testcert *authority);

void tlsend_init(tlsend *e, SSL_CTX *ctx);
void tlsend_fini(tlsend *e);
/* Takes bytes of the client and goes on with the handshake. */
void tlsend_feed(tlsend *e, const void *bytes, size_t n);
/* Plain bytes that came; 0: none. */
size_t tlsend_read(tlsend *e, void *bytes, size_t cap);
void tlsend_write(tlsend *e, const void *bytes, size_t n);
/* Bytes for the client; 0: none. */
size_t tlsend_take(tlsend *e, void *bytes, size_t cap);

/* Every connection of the server speaks TLS with this context from now on (NULL: none does). */
void tlsend_wrap(mockserver *s, SSL_CTX *ctx);

#endif
