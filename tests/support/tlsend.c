/* The server's end of TLS between two memory buffers. */
#include "tlsend.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "TLS server of the tests: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(2);
}

SSL_CTX *tlsend_context(const testcert *cert, const testcert *chain)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    must(ctx != NULL, "context");
    SSL_CTX_set_security_level(ctx, 0); /* it may have certificates that nobody should accept */
    must(SSL_CTX_use_certificate(ctx, cert->cert) == 1 &&
             SSL_CTX_use_PrivateKey(ctx, cert->key) == 1,
         "certificate");
    if (chain)
        must(SSL_CTX_add1_chain_cert(ctx, chain->cert) == 1, "chain");
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4);
    return ctx;
}

void tlsend_want_client(SSL_CTX *ctx, const testcert *authority)
{
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority->cert);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

void tlsend_init(tlsend *e, SSL_CTX *ctx)
{
    e->ssl = SSL_new(ctx);
    e->in = BIO_new(BIO_s_mem());
    e->out = BIO_new(BIO_s_mem());
    e->open = false;
    e->failed = false;
    must(e->ssl && e->in && e->out, "connection");
    BIO_set_mem_eof_return(e->in, -1);
    SSL_set_bio(e->ssl, e->in, e->out);
    SSL_set_accept_state(e->ssl);
}

void tlsend_fini(tlsend *e)
{
    SSL_free(e->ssl);
    ERR_clear_error();
}

static void judge(tlsend *e, int result)
{
    int error = SSL_get_error(e->ssl, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE &&
        error != SSL_ERROR_ZERO_RETURN)
        e->failed = true;
    ERR_clear_error();
}

void tlsend_feed(tlsend *e, const void *bytes, size_t n)
{
    if (n)
        must(BIO_write(e->in, bytes, (int)n) == (int)n, "buffer");
    if (e->open || e->failed)
        return;
    int result = SSL_do_handshake(e->ssl);
    if (result == 1)
        e->open = true;
    else
        judge(e, result);
}

size_t tlsend_read(tlsend *e, void *bytes, size_t cap)
{
    size_t n = 0;
    if (!e->open)
        return 0;
    int result = SSL_read_ex(e->ssl, bytes, cap, &n);
    if (result == 1)
        return n;
    judge(e, result);
    return 0;
}

void tlsend_write(tlsend *e, const void *bytes, size_t n)
{
    size_t written;
    must(SSL_write_ex(e->ssl, bytes, n, &written) == 1 && written == n, "write");
}

size_t tlsend_take(tlsend *e, void *bytes, size_t cap)
{
    int n = BIO_read(e->out, bytes, (int)cap);
    return n > 0 ? (size_t)n : 0;
}

/* --- as the wrap of a mockserver ------------------------------------------------------------------ */

static void *wrap_open(void *self)
{
    tlsend *e = calloc(1, sizeof *e);
    must(e != NULL, "memory");
    tlsend_init(e, self);
    return e;
}

static void wrap_close(void *state)
{
    tlsend_fini(state);
    free(state);
}

static bool wrap_in(void *state, const uint8_t *bytes, size_t n, cqln_writer *plain)
{
    tlsend *e = state;
    uint8_t buf[16384];
    tlsend_feed(e, bytes, n);
    while ((n = tlsend_read(e, buf, sizeof buf)) > 0)
        cqln_write_bytes(plain, buf, n);
    return !e->failed;
}

static void wrap_out(void *state, cqln_writer *plain, cqln_writer *wire)
{
    tlsend *e = state;
    uint8_t buf[16384];
    size_t n;
    if (e->open && plain->len) {
        tlsend_write(e, plain->data, plain->len);
        cqln_writer_reset(plain);
    }
    while ((n = tlsend_take(e, buf, sizeof buf)) > 0)
        cqln_write_bytes(wire, buf, n);
}

void tlsend_wrap(mockserver *s, SSL_CTX *ctx)
{
    static const mockwrap tls = {wrap_open, wrap_in, wrap_out, wrap_close};
    pthread_mutex_lock(&s->lock);
    s->wrap = &tls;
    s->wrap_self = ctx;
    pthread_mutex_unlock(&s->lock);
}
