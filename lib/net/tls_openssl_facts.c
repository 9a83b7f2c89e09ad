/* What the newest handshake with each node came to: kept as OpenSSL has it, made into text when
 * somebody asks. The loop's thread writes, any thread reads. */
#include "net/tls_openssl.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { FACTS_MAX = 1024, DAY_S = 86400 };

typedef struct fact {
    cqln_list link;
    X509 *cert; /* one reference; NULL: the server showed none */
    const char *version, *cipher; /* of OpenSSL's tables */
    bool resumed;
    char *name; /* expected; in one block with peer */
    char peer[];
} fact;

static fact *find(const cqln_tls *tls, const char *peer)
{
    for (cqln_list *at = tls->facts.next; at != &tls->facts; at = at->next) {
        fact *one = CQLN_CONTAINER(at, fact, link);
        if (!peer || strcmp(one->peer, peer) == 0)
            return one;
    }
    return NULL;
}

static void drop(cqln_tls *tls, fact *one)
{
    if (!one)
        return;
    cqln_list_remove(&one->link);
    X509_free(one->cert);
    cqln_free(tls->config.al, one);
    tls->fact_count--;
}

bool cqln_tls_facts_init(cqln_tls *tls)
{
    cqln_list_init(&tls->facts);
    tls->has_lock = pthread_mutex_init(&tls->facts_lock, NULL) == 0;
    return tls->has_lock;
}

void cqln_tls_facts_fini(cqln_tls *tls)
{
    while (tls->fact_count)
        drop(tls, find(tls, NULL));
    if (tls->has_lock)
        pthread_mutex_destroy(&tls->facts_lock);
}

static fact *make_fact(const tls_filter *f)
{
    size_t p = strlen(f->peer) + 1, n = strlen(f->name) + 1;
    fact *one = cqln_alloc_zero(f->tls->config.al, sizeof *one + p + n);
    if (!one)
        return NULL;
    memcpy(one->peer, f->peer, p);
    one->name = one->peer + p;
    memcpy(one->name, f->name, n);
    one->cert = SSL_get1_peer_certificate(f->ssl);
    one->version = SSL_get_version(f->ssl);
    one->cipher = SSL_get_cipher_name(f->ssl);
    one->resumed = SSL_session_reused(f->ssl) == 1;
    return one;
}

void cqln_tls_facts_note(const tls_filter *f)
{
    cqln_tls *tls = f->tls;
    fact *fresh = make_fact(f); /* without memory the node has none, rather than old ones */
    pthread_mutex_lock(&tls->facts_lock);
    drop(tls, find(tls, f->peer));
    if (tls->fact_count >= FACTS_MAX)
        drop(tls, CQLN_CONTAINER(tls->facts.prev, fact, link));
    if (fresh) {
        cqln_list_push(tls->facts.next, &fresh->link); /* in front: the newest one first */
        tls->fact_count++;
    }
    pthread_mutex_unlock(&tls->facts_lock);
}

/* --- as text ------------------------------------------------------------------------------------- */

static int64_t unix_seconds(const ASN1_TIME *t)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, seconds = 0;
    if (epoch && t)
        ASN1_TIME_diff(&days, &seconds, epoch, t);
    ASN1_TIME_free(epoch);
    return (int64_t)days * DAY_S + seconds;
}

/* As the handshake compares, whether it had to or not. */
static bool is_for(X509 *cert, const char *name)
{
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(name);
    bool is_ip = ip != NULL;
    ASN1_OCTET_STRING_free(ip);
    return (is_ip ? X509_check_ip_asc(cert, name, 0)
                  : X509_check_host(cert, name, 0,
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                                    NULL)) == 1;
}

static void fill_certificate(const X509 *cert, cql_tls_facts *out)
{
    cqln_tls_name_text(X509_get_subject_name(cert), out->subject, sizeof out->subject);
    cqln_tls_name_text(X509_get_issuer_name(cert), out->issuer, sizeof out->issuer);
    cqln_tls_names_text(cert, out->names, sizeof out->names);
    out->not_before_s = unix_seconds(X509_get0_notBefore(cert));
    out->not_after_s = unix_seconds(X509_get0_notAfter(cert));
}

static void fill(const cqln_tls *tls, const fact *one, cql_tls_facts *out)
{
    snprintf(out->node, sizeof out->node, "%s", one->peer);
    snprintf(out->version, sizeof out->version, "%s", one->version);
    snprintf(out->cipher, sizeof out->cipher, "%s", one->cipher);
    snprintf(out->expected_name, sizeof out->expected_name, "%s", one->name);
    out->resumed = one->resumed;
    out->chain_verified = tls->config.mode >= CQLN_TLS_VERIFY_CA;
    out->name_verified = tls->config.mode == CQLN_TLS_VERIFY_FULL;
    if (!one->cert)
        return;
    fill_certificate(one->cert, out);
    out->name_matches = is_for(one->cert, one->name);
}

bool cqln_tls_facts_of(cqln_tls *tls, const char *peer, cql_tls_facts *out)
{
    pthread_mutex_lock(&tls->facts_lock);
    const fact *one = find(tls, peer);
    if (one)
        fill(tls, one, out);
    pthread_mutex_unlock(&tls->facts_lock);
    ERR_clear_error();
    return one != NULL;
}

bool cqln_tls_own(cqln_tls *tls, cql_tls_facts *out)
{
    pthread_mutex_lock(&tls->facts_lock);
    const X509 *cert = SSL_CTX_get0_certificate(tls->ctx);
    if (cert)
        fill_certificate(cert, out);
    pthread_mutex_unlock(&tls->facts_lock);
    ERR_clear_error();
    return cert != NULL;
}
