/* The part of TLS that connections share: trust, this side's certificate, sessions to resume. Files are
 * read here, so that a key's file can be judged by its open descriptor and its bytes wiped. */
#include "net/tls_openssl.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    KEY_MAX = 64 << 10,
    CERTIFICATES_MAX = 4 << 20,
    SECURITY_LEVEL = 2,
    SESSION_LIFE_S = 2 * 3600 /* a session carries an old verdict: verify anew from time to time */
};

typedef struct bytes {
    char *data;
    size_t len;
} bytes;

__attribute__((format(printf, 2, 3))) static bool refuse(char *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, CQLN_FILTER_REASON, format, args);
    va_end(args);
    return false;
}

/* --- files --------------------------------------------------------------------------------------- */

static void stamp(cqln_tls_stamp *s, const struct stat *info)
{
    s->known = true;
    s->device = info->st_dev;
    s->inode = info->st_ino;
    s->size = info->st_size;
    s->changed = info->st_mtim;
}

static bool stamp_differs(const cqln_tls_stamp *s)
{
    struct stat info;
    if (!s->path || s->text.ptr || stat(s->path, &info) != 0 || S_ISDIR(info.st_mode))
        return false; /* a file that is away for a moment is about to be replaced */
    return !s->known || s->device != info.st_dev || s->inode != info.st_ino ||
           s->size != info.st_size || s->changed.tv_sec != info.st_mtim.tv_sec ||
           s->changed.tv_nsec != info.st_mtim.tv_nsec;
}

static bool read_all(int fd, bytes *out)
{
    size_t done = 0;
    while (done < out->len) {
        ssize_t n = read(fd, out->data + done, out->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    out->len = done;
    return true;
}

/* Whoever can read a key can be this client; whoever can write it can choose who this client is. */
static const char *distrust_key(const struct stat *info)
{
    if (info->st_uid != 0 && info->st_uid != geteuid())
        return "it belongs to another user";
    if (info->st_mode & (S_IRWXG | S_IRWXO))
        return "others than its owner have access to it (chmod 600 mends that)";
    return NULL;
}

static bool check_file(const struct stat *info, bool secret, size_t max, const char *path, char *why)
{
    const char *reason = NULL;
    if (!S_ISREG(info->st_mode))
        reason = "it is no regular file";
    else if (info->st_size < 0 || (uintmax_t)info->st_size > max)
        reason = "it is too large to be what it should be";
    else if (secret)
        reason = distrust_key(info);
    if (!reason)
        return true;
    return refuse(why, "%s: not read: %s%s", path, reason,
                  secret ? " (or set tls_key_check=loose)" : "");
}

static bool copy_text(cqln_tls *tls, size_t which, bytes *out, char *why)
{
    out->len = tls->stamps[which].text.len;
    out->data = cqln_strdup(tls->config.al, tls->stamps[which].text);
    return out->data || refuse(why, "%s: out of memory", tls->stamps[which].path);
}

/* secret: a file with a key, opened and judged more strictly. */
static bool read_file(cqln_tls *tls, size_t which, bool key, bytes *out, char *why)
{
    const char *path = tls->stamps[which].path;
    if (tls->stamps[which].text.ptr)
        return copy_text(tls, which, out, why);
    bool secret = key && !tls->config.loose_key;
    size_t max = key ? KEY_MAX : CERTIFICATES_MAX;
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (secret ? O_NOFOLLOW : 0));
    if (fd < 0)
        return refuse(why, "%s: %s", path,
                      errno == ELOOP ? "not read: it is a symbolic link (or set "
                                       "tls_key_check=loose)"
                                     : strerror(errno));
    bool ok = false;
    if (fstat(fd, &info) != 0) {
        refuse(why, "%s: %s", path, strerror(errno));
    } else if (check_file(&info, secret, max, path, why)) {
        out->len = (size_t)info.st_size;
        out->data = cqln_alloc_zero(tls->config.al, out->len + 1); /* ends with a NUL */
        if (!out->data)
            refuse(why, "%s: out of memory", path);
        else if (!(ok = read_all(fd, out)))
            refuse(why, "%s: %s", path, strerror(errno));
        stamp(&tls->stamps[which], &info);
    }
    close(fd);
    return ok;
}

static void drop(cqln_tls *tls, bytes *b)
{
    if (b->data)
        cqln_wipe(b->data, b->len);
    cqln_free(tls->config.al, b->data);
    b->data = NULL;
}

/* --- trust --------------------------------------------------------------------------------------- */

/* Certificates and revocation lists of a PEM text into the store; how many of each. */
static void add_to_store(X509_STORE *store, const bytes *b, int *certs, int *crls)
{
    BIO *bio = BIO_new_mem_buf(b->data, (int)b->len);
    STACK_OF(X509_INFO) *list = bio ? PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL) : NULL;
    for (int i = 0; i < sk_X509_INFO_num(list); i++) {
        X509_INFO *item = sk_X509_INFO_value(list, i);
        if (item->x509)
            *certs += X509_STORE_add_cert(store, item->x509);
        if (item->crl)
            *crls += X509_STORE_add_crl(store, item->crl);
    }
    sk_X509_INFO_pop_free(list, X509_INFO_free);
    BIO_free(bio);
    ERR_clear_error(); /* text behind the last one, duplicates */
}

static bool load_store_file(cqln_tls *tls, SSL_CTX *ctx, size_t which, char *why)
{
    bytes b = {NULL, 0};
    int certs = 0, crls = 0;
    bool ok = read_file(tls, which, false, &b, why);
    if (ok)
        add_to_store(SSL_CTX_get_cert_store(ctx), &b, &certs, &crls);
    drop(tls, &b);
    if (ok && which == 0 && certs == 0)
        ok = refuse(why, "%s: holds no certificate in PEM form", tls->stamps[which].path);
    if (ok && which == 1 && crls == 0)
        ok = refuse(why, "%s: holds no list of revoked certificates in PEM form",
                    tls->stamps[which].path);
    return ok;
}

static bool load_trust(cqln_tls *tls, SSL_CTX *ctx, char *why)
{
    const char *ca = tls->config.ca;
    struct stat info;
    if (tls->config.mode == CQLN_TLS_REQUIRE)
        return true;
    if (!ca) {
        if (SSL_CTX_set_default_verify_paths(ctx) == 1)
            return true;
        return refuse(why, "the system's certificates cannot be read; name your own with tls_ca");
    }
    if (!tls->stamps[0].text.ptr && stat(ca, &info) == 0 && S_ISDIR(info.st_mode))
        return SSL_CTX_load_verify_dir(ctx, ca) == 1 ||
               refuse(why, "%s: cannot be used as a folder of certificates", ca);
    return load_store_file(tls, ctx, 0, why);
}

static bool load_revoked(cqln_tls *tls, SSL_CTX *ctx, char *why)
{
    if (!tls->config.crl || tls->config.mode == CQLN_TLS_REQUIRE)
        return true;
    X509_STORE_set_flags(SSL_CTX_get_cert_store(ctx), X509_V_FLAG_CRL_CHECK);
    return load_store_file(tls, ctx, 1, why);
}

/* --- this side's certificate --------------------------------------------------------------------- */

static int give_password(char *buf, int size, int writing, void *user)
{
    const char *password = user;
    size_t len = password ? strlen(password) : 0;
    (void)writing;
    if (len == 0 || len > (size_t)size)
        return -1; /* never ask on a terminal */
    memcpy(buf, password, len);
    return (int)len;
}

/* The first certificate is this side's, the others lead to its authority. */
static bool use_certificates(SSL_CTX *ctx, const bytes *b, const char *path, char *why)
{
    BIO *bio = BIO_new_mem_buf(b->data, (int)b->len);
    X509 *cert = bio ? PEM_read_bio_X509_AUX(bio, NULL, give_password, NULL) : NULL;
    char said[200];
    bool ok = cert && SSL_CTX_use_certificate(ctx, cert) == 1;
    if (!ok) {
        bool found = cert != NULL;
        cqln_tls_last_error(said, sizeof said);
        refuse(why, found ? "%s: the certificate cannot be used: %s"
                          : "%s: holds no certificate in PEM form%.0s",
               path, said);
    }
    X509_free(cert);
    while (ok && (cert = PEM_read_bio_X509(bio, NULL, give_password, NULL)) != NULL) {
        if (SSL_CTX_add0_chain_cert(ctx, cert) != 1) {
            X509_free(cert);
            ok = refuse(why, "%s: its chain of certificates cannot be used", path);
        }
    }
    BIO_free(bio);
    ERR_clear_error();
    return ok;
}

static bool use_key(cqln_tls *tls, SSL_CTX *ctx, const bytes *b, const char *path, char *why)
{
    const char *password = tls->config.key_password;
    BIO *bio = BIO_new_mem_buf(b->data, (int)b->len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_password,
                                                  (void *)(uintptr_t)password)
                        : NULL;
    bool encrypted = strstr(b->data, "ENCRYPTED") != NULL;
    bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    if (ok)
        return true;
    if (key)
        return refuse(why, "%s: the key does not belong to the certificate %s", path,
                      tls->stamps[3].text.ptr ? "beside it" : "of tls_cert");
    if (encrypted && tls->stamps[3].text.ptr)
        return refuse(why, "%s: the key is encrypted; one without a pass phrase is expected", path);
    if (encrypted)
        return refuse(why,
                      password ? "%s: the key's pass phrase (tls_key_password) is wrong"
                               : "%s: the key is encrypted: it needs its pass phrase "
                                 "(tls_key_password)",
                      path);
    return refuse(why, "%s: holds no private key in PEM form", path);
}

/* Of a certificate that nobody can renew in its place: better said here than guessed from a refusal. */
static bool check_dates(SSL_CTX *ctx, const char *path, char *why)
{
    X509 *cert = SSL_CTX_get0_certificate(ctx);
    char date[40];
    if (X509_cmp_current_time(X509_get0_notAfter(cert)) >= 0)
        return true;
    cqln_tls_time_text(X509_get0_notAfter(cert), date, sizeof date);
    return refuse(why, "%s: the certificate expired on %s", path, date);
}

static bool load_own(cqln_tls *tls, SSL_CTX *ctx, char *why)
{
    const char *cert = tls->config.cert, *key = tls->config.key;
    bytes b = {NULL, 0}, k = {NULL, 0};
    if (!cert)
        return !key || refuse(why, "a key (tls_key) without its certificate (tls_cert)");
    bool ok = read_file(tls, 2, !key, &b, why) && use_certificates(ctx, &b, cert, why);
    if (ok && tls->stamps[2].text.ptr)
        ok = check_dates(ctx, cert, why);
    if (ok && key)
        ok = read_file(tls, 3, true, &k, why);
    if (ok)
        ok = use_key(tls, ctx, key ? &k : &b, key ? key : cert, why);
    drop(tls, &b);
    drop(tls, &k);
    return ok;
}

/* --- the context --------------------------------------------------------------------------------- */

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    tls_filter *f = SSL_get_app_data(ssl);
    return f && SSL_get_SSL_CTX(ssl) == f->tls->ctx && /* never from the files of before a reload */
           cqln_tls_session_keep(f->tls, f->name, f->peer, session);
}

static int on_client_cert(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
    tls_filter *f = SSL_get_app_data(ssl);
    (void)cert;
    (void)key;
    if (f)
        f->client_cert_wanted = true;
    return 0; /* only called when there is none to give */
}

/* Where the program may go on from: 1.2 and up, whatever the system's configuration of OpenSSL allows. */
static bool set_start(SSL_CTX *ctx)
{
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3 | SSL_OP_NO_TICKET);
    SSL_CTX_set_client_cert_cb(ctx, on_client_cert);
    return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, 0) == 1;
}

/* No way back to weaker things; what is stronger stays. */
static bool set_rules(SSL_CTX *ctx)
{
    if (SSL_CTX_get_security_level(ctx) < SECURITY_LEVEL)
        SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
    SSL_CTX_clear_options(ctx, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
                                   SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    SSL_CTX_set_default_passwd_cb(ctx, give_password);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL); /* each connection says what it wants */
    return SSL_CTX_get_min_proto_version(ctx) >= TLS1_2_VERSION ||
           SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1;
}

/* Our rules stand, whatever the program did. */
static bool ask_program(const cqln_tls *tls, SSL_CTX *ctx, char *why)
{
    char said[200];
    if (!tls->config.context_fn ||
        (tls->config.context_fn(tls->config.context_user, ctx) && set_rules(ctx)))
        return true;
    cqln_tls_last_error(said, sizeof said);
    return refuse(why, "the program's own function for the TLS context failed: %s", said);
}

SSL_CTX *cqln_tls_context(cqln_tls *tls, cql_status *st, char *why)
{
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    *st = CQL_TLS_FAILED;
    if (!ctx) {
        cqln_tls_last_error(why, CQLN_FILTER_REASON);
        return NULL;
    }
    if (!set_start(ctx) || !set_rules(ctx))
        cqln_tls_last_error(why, CQLN_FILTER_REASON);
    else if (load_trust(tls, ctx, why) && load_revoked(tls, ctx, why) && load_own(tls, ctx, why) &&
             ask_program(tls, ctx, why)) {
        ERR_clear_error();
        return ctx;
    }
    ERR_clear_error();
    SSL_CTX_free(ctx);
    return NULL;
}

void cqln_tls_refresh(cqln_tls *tls)
{
    cqln_tls_stamp before[CQLN_TLS_FILES];
    char why[CQLN_FILTER_REASON] = "";
    cql_status st;
    bool differs = false;
    for (size_t i = 0; i < CQLN_TLS_FILES; i++)
        differs = differs || stamp_differs(&tls->stamps[i]);
    if (!differs) {
        tls->reload_told = false;
        return;
    }
    memcpy(before, tls->stamps, sizeof before);
    SSL_CTX *ctx = cqln_tls_context(tls, &st, why);
    if (!ctx) { /* perhaps half written: look again at the next connection */
        memcpy(tls->stamps, before, sizeof before);
        if (!tls->reload_told)
            CQLN_LOG(tls->config.log, CQL_LOG_WARN,
                     "changed TLS files are not used, the ones read before stay: %s", why);
        tls->reload_told = true;
        return;
    }
    pthread_mutex_lock(&tls->facts_lock);
    SSL_CTX_free(tls->ctx); /* connections that use it keep it */
    tls->ctx = ctx;
    pthread_mutex_unlock(&tls->facts_lock);
    cqln_tls_sessions_drop(tls);
    atomic_fetch_add_explicit(&tls->counts.reloads, 1, memory_order_relaxed);
    tls->reload_told = false;
    CQLN_LOG(tls->config.log, CQL_LOG_INFO, "TLS files were read again, for new connections");
}

/* --- sessions ------------------------------------------------------------------------------------ */

static void let_go(cqln_tls *tls, cqln_tls_session *s)
{
    cqln_list_remove(&s->link);
    SSL_SESSION_free(s->session);
    cqln_free(tls->config.al, s);
    tls->session_count--;
}

/* The name verified and the node: a session is good for both together alone. */
static bool is_key(const char *key, const char *name, const char *peer)
{
    size_t n = strlen(name);
    return strncmp(key, name, n) == 0 && key[n] == ' ' && strcmp(key + n + 1, peer) == 0;
}

static cqln_tls_session *find_session(cqln_tls *tls, const char *name, const char *peer)
{
    for (cqln_list *at = tls->sessions.next; at != &tls->sessions; at = at->next) {
        cqln_tls_session *s = CQLN_CONTAINER(at, cqln_tls_session, link);
        if (is_key(s->key, name, peer))
            return s;
    }
    return NULL;
}

SSL_SESSION *cqln_tls_session_of(cqln_tls *tls, const char *name, const char *peer)
{
    cqln_tls_session *s = find_session(tls, name, peer);
    if (!s)
        return NULL;
    if (!SSL_SESSION_is_resumable(s->session) ||
        (int64_t)time(NULL) - (int64_t)SSL_SESSION_get_time(s->session) > SESSION_LIFE_S) {
        let_go(tls, s);
        return NULL;
    }
    return s->session;
}

bool cqln_tls_session_keep(cqln_tls *tls, const char *name, const char *peer, SSL_SESSION *session)
{
    cqln_tls_session *s = find_session(tls, name, peer);
    if (s) {
        SSL_SESSION_free(s->session);
        s->session = session;
        return true;
    }
    size_t n = strlen(name), p = strlen(peer);
    s = cqln_alloc(tls->config.al, sizeof *s + n + p + 2);
    if (!s)
        return false;
    memcpy(s->key, name, n);
    s->key[n] = ' ';
    memcpy(s->key + n + 1, peer, p + 1);
    s->session = session;
    cqln_list_init(&s->link);
    if (tls->session_count >= CQLN_TLS_SESSIONS)
        let_go(tls, CQLN_CONTAINER(tls->sessions.next, cqln_tls_session, link));
    cqln_list_push(&tls->sessions, &s->link);
    tls->session_count++;
    return true;
}

void cqln_tls_sessions_drop(cqln_tls *tls)
{
    while (!cqln_list_empty(&tls->sessions))
        let_go(tls, CQLN_CONTAINER(tls->sessions.next, cqln_tls_session, link));
}
