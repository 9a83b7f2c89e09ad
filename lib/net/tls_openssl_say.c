/* What went wrong with TLS, in words for people: which certificate, what about it, and what to do. */
#include "net/tls_openssl.h"

#include "base/error.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* --- noting, while a certificate is verified ----------------------------------------------------- */

static void copy_bio(BIO *bio, char *out, size_t cap)
{
    char *text = NULL;
    long n = bio ? BIO_get_mem_data(bio, &text) : 0;
    out[0] = '\0';
    if (n > 0)
        cqln_escape(out, cap, (cql_str){text, (size_t)n});
}

void cqln_tls_name_text(const X509_NAME *name, char *out, size_t cap)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && name)
        X509_NAME_print_ex(bio, name, 0, (XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ) | XN_FLAG_DN_REV);
    copy_bio(bio, out, cap);
    BIO_free(bio);
}

void cqln_tls_time_text(const ASN1_TIME *t, char *out, size_t cap)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && t)
        ASN1_TIME_print_ex(bio, t, ASN1_DTFLGS_ISO8601);
    copy_bio(bio, out, cap);
    BIO_free(bio);
}

void cqln_tls_names_text(const X509 *cert, char *out, size_t cap)
{
    BIO *bio = BIO_new(BIO_s_mem());
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    int shown = 0;
    for (int i = 0; bio && i < sk_GENERAL_NAME_num(names); i++) {
        GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        if (one->type != GEN_DNS && one->type != GEN_IPADD)
            continue;
        BIO_puts(bio, shown++ ? ", " : "");
        GENERAL_NAME_print(bio, one);
    }
    GENERAL_NAMES_free(names);
    copy_bio(bio, out, cap);
    BIO_free(bio);
}

void cqln_tls_note(X509_STORE_CTX *store, cqln_tls_verdict *out)
{
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    out->error = X509_STORE_CTX_get_error(store);
    out->depth = X509_STORE_CTX_get_error_depth(store);
    if (!cert)
        cert = X509_STORE_CTX_get0_cert(store);
    if (!cert)
        return;
    cqln_tls_name_text(X509_get_subject_name(cert), out->subject, sizeof out->subject);
    cqln_tls_name_text(X509_get_issuer_name(cert), out->issuer, sizeof out->issuer);
    cqln_tls_time_text(X509_get0_notBefore(cert), out->not_before, sizeof out->not_before);
    cqln_tls_time_text(X509_get0_notAfter(cert), out->not_after, sizeof out->not_after);
    if (out->depth == 0)
        cqln_tls_names_text(cert, out->names, sizeof out->names);
}

/* --- saying -------------------------------------------------------------------------------------- */

static void say(tls_filter *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(tls_filter *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cqln_format(f->base.reason, sizeof f->base.reason, format, args);
    va_end(args);
}

/* "the server's certificate (CN=…)", or that of an authority above it. */
static void whose(const cqln_tls_verdict *v, char *out, size_t cap)
{
    snprintf(out, cap, "%s (%s)",
             v->depth == 0 ? "the server's certificate" : "the certificate of its authority",
             v->subject[0] ? v->subject : "without a subject");
}

/* The advice behind a reason: of no use where the trust is not the program's own choice. */
static const char *advice(const tls_filter *f, const char *text)
{
    return f->tls->stamps[0].text.ptr ? "" : text;
}

static void say_mismatch(tls_filter *f, const char *cert)
{
    const char *names = f->verdict.names;
    say(f, "%s is not for \"%s\": %s%s%s", cert, f->name, names[0] ? "it names " : "it names no host", names,
        advice(f, "; connect by a name that it has, or say with tls_name which name the nodes' "
                  "certificates have"));
}

static bool untrusted(int error)
{
    return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
           error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
           error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN || error == X509_V_ERR_CERT_UNTRUSTED;
}

static void say_verdict(tls_filter *f)
{
    const cqln_tls_verdict *v = &f->verdict;
    char cert[200];
    whose(v, cert, sizeof cert);
    if (v->error == X509_V_ERR_HOSTNAME_MISMATCH || v->error == X509_V_ERR_IP_ADDRESS_MISMATCH)
        say_mismatch(f, cert);
    else if (v->error == X509_V_ERR_CERT_HAS_EXPIRED)
        say(f, "%s expired on %s: it has to be renewed on the server", cert, v->not_after);
    else if (v->error == X509_V_ERR_CERT_NOT_YET_VALID)
        say(f, "%s is not valid before %s: is this machine's clock right?", cert, v->not_before);
    else if (v->error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)
        say(f, "%s is signed by itself and not trusted%s", cert, advice(f, ": tls_ca can name a copy of it"));
    else if (untrusted(v->error))
        say(f,
            "%s is signed by \"%s\", which is not trusted, or a certificate between is missing%s", cert,
            v->issuer, advice(f, "; tls_ca names the authority to trust"));
    else if (v->error == X509_V_ERR_CERT_REVOKED)
        say(f, "%s was revoked by its authority", cert);
    else if (v->error == X509_V_ERR_UNABLE_TO_GET_CRL)
        say(f, "%s: tls_crl holds no list of the authority \"%s\"", cert, v->issuer);
    else
        say(f, "%s is not accepted: %s", cert, X509_verify_cert_error_string(v->error));
}

static const char plain_words[] = ": turn TLS off for it (tls=off), or use the port where it speaks TLS";

/* A node without TLS answers the first bytes of the handshake in plain. */
static void say_plain(tls_filter *f)
{
    char text[80];
    const uint8_t *p = f->in + f->in_at;
    size_t n = f->in_end - f->in_at;
    if ((p[0] & 0x80) && (n < 5 || p[4] == 0)) {
        say(f, "the server answers in plain CQL, not in TLS%s", advice(f, plain_words));
        return;
    }
    cqln_escape(text, sizeof text, (cql_str){(const char *)p, n < 16 ? n : 16});
    say(f, "the server does not speak TLS on this port, it sent \"%s\"%s", text,
        advice(f, plain_words));
}

void cqln_tls_last_error(char *out, size_t cap)
{
    unsigned long e = ERR_peek_last_error();
    const char *text = e ? ERR_reason_error_string(e) : NULL;
    cqln_escape(out, cap, cql_str_of(text ? text : "no reason is given by OpenSSL"));
    ERR_clear_error();
}

/* Alerts by which a server says what it thinks of this side's certificate. */
static const char *about_our_certificate(const tls_filter *f, int reason)
{
    bool given = f->tls->config.cert != NULL;
    switch (reason) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return "the server wants a client certificate: set tls_cert and tls_key";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        if (f->client_cert_wanted)
            return "the server wants a client certificate: set tls_cert and tls_key";
        break;
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        return "the server says that this client's certificate (tls_cert) has expired";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
        return "the server says that this client's certificate (tls_cert) was revoked";
    default:
        break;
    }
    if (given && (reason == SSL_R_TLSV1_ALERT_UNKNOWN_CA ||
                  reason == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE ||
                  reason == SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN ||
                  reason == SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE))
        return "the server does not accept this client's certificate (tls_cert)";
    return NULL;
}

static void say_library(tls_filter *f)
{
    unsigned long e = ERR_peek_last_error();
    int reason = ERR_GET_LIB(e) == ERR_LIB_SSL ? ERR_GET_REASON(e) : 0;
    const char *own = about_our_certificate(f, reason);
    char text[160];
    cqln_tls_last_error(text, sizeof text);
    if (own)
        say(f, "%s", own);
    else if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION)
        say(f, "the server does not speak TLS 1.2 or 1.3, and older versions are not used (%s)", text);
    else if (reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE)
        say(f, "the server ended the TLS handshake: nothing in common, or it wants a client "
               "certificate (tls_cert, tls_key)");
    else
        say(f, "%s: %s",
            f->base.state == CQLN_FILTER_OPENING ? "the TLS handshake failed" : "TLS failed", text);
}

void cqln_tls_say_failure(tls_filter *f)
{
    if (f->plain)
        say_plain(f);
    else if (f->verdict.error)
        say_verdict(f);
    else
        say_library(f);
    ERR_clear_error();
}
