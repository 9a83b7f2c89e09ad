/* TLS over OpenSSL as a filter. OpenSSL never sees a socket: it reads from the filter's input buffer and
 * writes to its output buffer through a BIO of our own, so it never waits. Chain and name are verified
 * by OpenSSL inside the handshake; this file only says what they have to be. */
#include "net/tls_openssl.h"

#include "base/error.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum {
    OUT_MAX = 256 << 10,  /* bytes gathered before they have to be written */
    OUT_MOST = 2 * OUT_MAX, /* with what the other side makes TLS itself write */
    OUT_KEEP = 32 << 10,  /* an output buffer over this is given back after a burst */
    OUT_ROOMY = 64,
    NAME_MAX_LEN = 255
};

/* --- the BIO ------------------------------------------------------------------------------------- */

static int bio_write(BIO *b, const char *bytes, size_t len, size_t *written)
{
    tls_filter *f = BIO_get_data(b);
    cqln_writer *wr = &f->out[f->open];
    BIO_clear_retry_flags(b);
    cqln_write_bytes(wr, bytes, len);
    if (wr->status)
        return 0;
    *written = len;
    return 1;
}

static int bio_read(BIO *b, char *bytes, size_t cap, size_t *got)
{
    tls_filter *f = BIO_get_data(b);
    size_t n = f->in_end - f->in_at;
    BIO_clear_retry_flags(b);
    if (n == 0) {
        BIO_set_retry_read(b);
        *got = 0;
        return 0;
    }
    if (n > cap)
        n = cap;
    memcpy(bytes, f->in + f->in_at, n);
    f->in_at += n;
    *got = n;
    return 1;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    (void)b;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *make_bio_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "cqlnative");
    if (m && BIO_meth_set_write_ex(m, bio_write) && BIO_meth_set_read_ex(m, bio_read) &&
        BIO_meth_set_ctrl(m, bio_ctrl))
        return m;
    BIO_meth_free(m);
    return NULL;
}

/* --- what is shared ------------------------------------------------------------------------------ */

cql_status cqln_tls_new(const cqln_tls_config *config, cqln_tls **out, char *why)
{
    cql_status st = CQL_NO_MEMORY;
    *out = NULL;
    snprintf(why, CQLN_FILTER_REASON, "out of memory");
    cqln_tls *tls = cqln_alloc_zero(config->al, sizeof *tls);
    if (!tls)
        return st;
    tls->config = *config;
    cqln_list_init(&tls->sessions);
    if (!cqln_tls_facts_init(tls)) {
        cqln_free(config->al, tls);
        return st;
    }
    const char *const paths[CQLN_TLS_FILES] = {config->ca, config->crl, config->cert, config->key};
    const cql_str texts[CQLN_TLS_FILES] = {config->ca_text, {NULL, 0}, config->cert_text,
                                           config->key_text};
    for (size_t i = 0; i < CQLN_TLS_FILES; i++) {
        tls->stamps[i].path = paths[i];
        tls->stamps[i].text = texts[i];
    }
    tls->bio = make_bio_method();
    if (tls->bio)
        tls->ctx = cqln_tls_context(tls, &st, why);
    if (!tls->ctx) {
        cqln_tls_free(tls);
        return st;
    }
    *out = tls;
    return CQL_OK;
}

void cqln_tls_free(cqln_tls *tls)
{
    if (!tls)
        return;
    cqln_tls_sessions_drop(tls);
    cqln_tls_facts_fini(tls);
    SSL_CTX_free(tls->ctx);
    BIO_meth_free(tls->bio);
    cqln_free(tls->config.al, tls);
}

const cqln_tls_counts *cqln_tls_counts_of(const cqln_tls *tls)
{
    return tls ? &tls->counts : NULL;
}

/* --- the handshake ------------------------------------------------------------------------------- */

static void fail(tls_filter *f)
{
    if (f->base.state == CQLN_FILTER_OPENING)
        atomic_fetch_add_explicit(&f->tls->counts.failed, 1, memory_order_relaxed);
    if (f->out[f->open].status == CQL_NO_MEMORY) {
        ERR_clear_error();
        f->base.status = CQL_NO_MEMORY;
        snprintf(f->base.reason, sizeof f->base.reason, "out of memory for TLS");
    } else if (f->out[f->open].status) {
        ERR_clear_error();
        f->base.status = CQL_TLS_FAILED;
        snprintf(f->base.reason, sizeof f->base.reason,
                 "TLS failed: the server wants new keys again and again and reads nothing");
    } else {
        f->base.status = CQL_TLS_FAILED;
        cqln_tls_say_failure(f);
    }
    f->base.state = CQLN_FILTER_FAILED;
}

static void opened(tls_filter *f)
{
    bool resumed = SSL_session_reused(f->ssl) == 1;
    f->base.state = CQLN_FILTER_OPEN;
    atomic_fetch_add_explicit(&f->tls->counts.handshakes, 1, memory_order_relaxed);
    if (resumed)
        atomic_fetch_add_explicit(&f->tls->counts.resumed, 1, memory_order_relaxed);
    cqln_tls_facts_note(f);
    CQLN_LOG(f->tls->config.log, CQL_LOG_DEBUG, "TLS with %s: %s, %s%s", f->peer,
             SSL_get_version(f->ssl), SSL_get_cipher_name(f->ssl), resumed ? ", resumed" : "");
}

/* False when the filter failed. */
static bool judge(tls_filter *f, int result)
{
    switch (SSL_get_error(f->ssl, result)) {
    case SSL_ERROR_NONE:
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return true;
    case SSL_ERROR_ZERO_RETURN:
        f->base.state = CQLN_FILTER_ENDED;
        return false;
    default:
        fail(f);
        return false;
    }
}

static void shake(tls_filter *f)
{
    ERR_clear_error();
    int result = SSL_do_handshake(f->ssl);
    if (judge(f, result) && result == 1)
        opened(f);
}

static void tls_start(cqln_filter *base)
{
    tls_filter *f = (tls_filter *)base;
    if (base->state == CQLN_FILTER_OPENING)
        shake(f);
}

/* --- bytes --------------------------------------------------------------------------------------- */

static void tls_space(cqln_filter *base, uint8_t **ptr, size_t *cap)
{
    tls_filter *f = (tls_filter *)base;
    if (f->in_at == f->in_end) {
        f->in_at = 0;
        f->in_end = 0;
    } else if (f->in_end == f->in_cap) { /* nobody read all that there was: make room anyway */
        memmove(f->in, f->in + f->in_at, f->in_end - f->in_at);
        f->in_end -= f->in_at;
        f->in_at = 0;
    }
    *ptr = f->in + f->in_end;
    *cap = f->in_cap - f->in_end;
}

/* A server without TLS answers in plain: its first bytes are no TLS record. */
static void look_at_first(tls_filter *f)
{
    enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };
    const uint8_t *p = f->in + f->in_at;
    f->spoke = true;
    if (p[0] == RECORD_ALERT || p[0] == RECORD_HANDSHAKE)
        return;
    f->plain = true;
    fail(f);
}

static void tls_commit(cqln_filter *base, size_t n)
{
    tls_filter *f = (tls_filter *)base;
    f->in_end += n;
    if (!f->spoke && n > 0)
        look_at_first(f);
}

static size_t tls_read(cqln_filter *base, uint8_t *ptr, size_t cap)
{
    tls_filter *f = (tls_filter *)base;
    size_t n = 0;
    if (base->state == CQLN_FILTER_OPENING)
        shake(f);
    if (base->state != CQLN_FILTER_OPEN)
        return 0;
    ERR_clear_error();
    int result = SSL_read_ex(f->ssl, ptr, cap, &n);
    if (result == 1)
        return n;
    judge(f, result);
    return 0;
}

static size_t tls_write(cqln_filter *base, const uint8_t *bytes, size_t len)
{
    tls_filter *f = (tls_filter *)base;
    size_t held = f->out[f->open].len;
    size_t n = 0;
    if (base->state != CQLN_FILTER_OPEN || held >= OUT_MAX || len == 0)
        return 0;
    ERR_clear_error();
    int result = SSL_write_ex(f->ssl, bytes, len < OUT_MAX - held ? len : OUT_MAX - held, &n);
    if (result == 1)
        return n;
    judge(f, result);
    return 0;
}

static bool tls_output(cqln_filter *base, const uint8_t **ptr, size_t *len)
{
    tls_filter *f = (tls_filter *)base;
    cqln_writer *writing = &f->out[f->open ^ 1];
    if (writing->len == 0) {
        if (f->out[f->open].len == 0)
            return false;
        f->open ^= 1;
        writing = &f->out[f->open ^ 1];
    }
    *ptr = writing->data;
    *len = writing->len;
    return true;
}

static bool tls_has_output(const cqln_filter *base)
{
    const tls_filter *f = (const tls_filter *)base;
    return f->out[0].len > 0 || f->out[1].len > 0;
}

static void tls_sent(cqln_filter *base)
{
    tls_filter *f = (tls_filter *)base;
    cqln_writer *writing = &f->out[f->open ^ 1];
    bool roomy = writing->cap > OUT_KEEP && writing->len < writing->cap / 4;
    f->roomy = roomy ? f->roomy + 1 : 0;
    cqln_writer_reset(writing);
    if (f->roomy < OUT_ROOMY)
        return;
    f->roomy = 0;
    cqln_writer_fini(writing);
    cqln_writer_init(writing, f->tls->config.al, OUT_MOST);
}

static void tls_finish(cqln_filter *base)
{
    tls_filter *f = (tls_filter *)base;
    if (base->state != CQLN_FILTER_OPEN && base->state != CQLN_FILTER_ENDED)
        return;
    ERR_clear_error();
    SSL_shutdown(f->ssl);
    ERR_clear_error();
}

static const char *tls_lost(cqln_filter *base, cql_status *st, const char *reason)
{
    tls_filter *f = (tls_filter *)base;
    if (base->state == CQLN_FILTER_OPENING) {
        atomic_fetch_add_explicit(&f->tls->counts.failed, 1, memory_order_relaxed);
        snprintf(base->reason, sizeof base->reason,
                 f->spoke ? "%s in the middle of the TLS handshake"
                          : "%s at the begin of the TLS handshake: it may not speak TLS on this port",
                 reason);
    } else {
        snprintf(base->reason, sizeof base->reason, "%s, without the goodbye of TLS", reason);
    }
    base->state = CQLN_FILTER_FAILED;
    base->status = *st;
    return base->reason;
}

/* --- making -------------------------------------------------------------------------------------- */

static void tls_free(cqln_filter *base)
{
    tls_filter *f = (tls_filter *)base;
    const cql_allocator *al = f->tls->config.al;
    if (f->ssl && f->base.status != CQL_TLS_FAILED) /* a cut is no reason to forget the session */
        SSL_set_shutdown(f->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(f->ssl);
    cqln_writer_fini(&f->out[0]);
    cqln_writer_fini(&f->out[1]);
    cqln_free(al, f->in);
    cqln_free(al, f->name);
    cqln_free(al, f);
}

static int on_verify(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    tls_filter *f = SSL_get_app_data(ssl);
    if (!ok && f->verdict.error == X509_V_OK)
        cqln_tls_note(store, &f->verdict);
    return ok; /* OpenSSL's verdict stands */
}

/* A host name without its trailing dot, an address as it is. False: it can be neither. sni NULL: the
 * name, where it is no address. */
static bool expect_name(tls_filter *f, const char *sni, char *why)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(f->ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(f->name);
    bool is_ip = ip != NULL;
    size_t len = strlen(f->name);
    ASN1_OCTET_STRING_free(ip);
    ERR_clear_error();
    if (!is_ip && len > 1 && f->name[len - 1] == '.')
        f->name[--len] = '\0';
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)f->name[i] <= ' ' || (unsigned char)f->name[i] >= 127)
            len = 0;
    if (len == 0 || len > NAME_MAX_LEN) {
        snprintf(why, CQLN_FILTER_REASON,
                 "the name that the server's certificate has to be for is empty, too long or not in "
                 "ASCII (names in other letters are given in their xn-- form)");
        return false;
    }
    char *told = sni ? (char *)(uintptr_t)sni : is_ip ? NULL : f->name; /* copied, not changed */
    bool ok = !told || SSL_set_tlsext_host_name(f->ssl, told) == 1;
    if (ok && f->tls->config.mode == CQLN_TLS_VERIFY_FULL)
        ok = is_ip ? X509_VERIFY_PARAM_set1_ip_asc(param, f->name) == 1
                   : SSL_set1_host(f->ssl, f->name) == 1;
    if (!ok)
        cqln_tls_last_error(why, CQLN_FILTER_REASON);
    return ok;
}

static bool make_ssl(tls_filter *f, const char *sni, char *why)
{
    f->ssl = SSL_new(f->tls->ctx);
    BIO *bio = f->ssl ? BIO_new(f->tls->bio) : NULL;
    if (!bio) {
        cqln_tls_last_error(why, CQLN_FILTER_REASON);
        return false;
    }
    BIO_set_data(bio, f);
    BIO_set_init(bio, 1);
    SSL_set_bio(f->ssl, bio, bio);
    SSL_set_app_data(f->ssl, f);
    SSL_set_connect_state(f->ssl);
    if (f->tls->config.mode != CQLN_TLS_REQUIRE)
        SSL_set_verify(f->ssl, SSL_VERIFY_PEER, on_verify);
    if (!expect_name(f, sni, why))
        return false;
    SSL_SESSION *session = cqln_tls_session_of(f->tls, f->name, f->peer);
    if (session)
        SSL_set_session(f->ssl, session); /* without it: a full handshake */
    ERR_clear_error();
    return true;
}

static bool copy_names(tls_filter *f, const char *name, const char *peer)
{
    size_t n = strlen(name) + 1, p = strlen(peer) + 1;
    f->name = cqln_alloc(f->tls->config.al, n + p);
    if (!f->name)
        return false;
    f->peer = f->name + n;
    memcpy(f->name, name, n);
    memcpy(f->peer, peer, p);
    return true;
}

cql_status cqln_tls_filter_new(cqln_tls *tls, const char *name, const char *peer, cqln_filter **out,
                               char *why)
{
    return cqln_tls_filter_sni(tls, name, NULL, peer, out, why);
}

cql_status cqln_tls_filter_sni(cqln_tls *tls, const char *name, const char *sni, const char *peer,
                               cqln_filter **out, char *why)
{
    static const cqln_filter_ops ops = {tls_start, tls_space,  tls_commit,     tls_read,
                                        tls_write, tls_output, tls_has_output, tls_sent,
                                        tls_finish, tls_lost,  tls_free};
    const cql_allocator *al = tls->config.al;
    cql_status st = CQL_NO_MEMORY;
    *out = NULL;
    snprintf(why, CQLN_FILTER_REASON, "out of memory for TLS");
    cqln_tls_refresh(tls);
    tls_filter *f = cqln_alloc_zero(al, sizeof *f);
    if (!f)
        return st;
    f->base.ops = &ops;
    f->tls = tls;
    cqln_writer_init(&f->out[0], al, OUT_MOST);
    cqln_writer_init(&f->out[1], al, OUT_MOST);
    f->in_cap = tls->config.buffer;
    f->in = cqln_alloc(al, f->in_cap);
    if (f->in && copy_names(f, name, peer)) {
        st = make_ssl(f, sni, why) ? CQL_OK : CQL_TLS_FAILED;
    }
    if (st) {
        tls_free(&f->base);
        return st;
    }
    *out = &f->base;
    return CQL_OK;
}
