/* Certificates by OpenSSL's API: an elliptic key and a signature take less than a millisecond. */
#include "testcert.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "test certificates: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(2);
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    must(ext && X509_add_ext(cert, ext, -1), value);
    X509_EXTENSION_free(ext);
}

/* A DNS name as it is, a NUL in it too. */
static void add_raw_name(X509 *cert, const char *name, int len)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    GENERAL_NAME *one = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    must(names && one && text && ASN1_STRING_set(text, name, len), "name");
    GENERAL_NAME_set0_value(one, GEN_DNS, text);
    sk_GENERAL_NAME_push(names, one);
    must(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1, "subjectAltName");
    GENERAL_NAMES_free(names);
}

static void set_extensions(X509 *cert, X509 *issuer, const testcert_plan *plan)
{
    if (plan->ca) {
        extend(cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
        extend(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    } else {
        extend(cert, issuer, NID_basic_constraints, "critical,CA:FALSE");
        extend(cert, issuer, NID_ext_key_usage, plan->usage ? plan->usage : "serverAuth");
    }
    extend(cert, issuer, NID_subject_key_identifier, "hash");
    if (plan->issuer)
        extend(cert, issuer, NID_authority_key_identifier, "keyid");
    if (plan->san)
        extend(cert, issuer, NID_subject_alt_name, plan->san);
    if (plan->san_dns)
        add_raw_name(cert, plan->san_dns, plan->san_dns_len);
}

testcert testcert_make(const testcert_plan *plan)
{
    static long serial = 1000;
    testcert t;
    bool usual = plan->from_s == 0 && plan->to_s == 0;
    t.key = plan->rsa_bits ? EVP_RSA_gen((unsigned)plan->rsa_bits) : EVP_EC_gen("P-256");
    t.cert = X509_new();
    must(t.key && t.cert, "key");
    X509_set_version(t.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(t.cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(t.cert), usual ? -3600 : plan->from_s);
    X509_gmtime_adj(X509_getm_notAfter(t.cert), usual ? 3600 : plan->to_s);
    X509_set_pubkey(t.cert, t.key);
    X509_NAME *name = X509_get_subject_name(t.cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)plan->cn, -1, -1, 0);
    X509 *issuer = plan->issuer ? plan->issuer->cert : t.cert;
    X509_set_issuer_name(t.cert, X509_get_subject_name(issuer));
    set_extensions(t.cert, issuer, plan);
    must(X509_sign(t.cert, plan->issuer ? plan->issuer->key : t.key,
                   plan->sha1 ? EVP_sha1() : EVP_sha256()) > 0,
         "signature");
    return t;
}

void testcert_free(testcert *t)
{
    EVP_PKEY_free(t->key);
    X509_free(t->cert);
    t->key = NULL;
    t->cert = NULL;
}

testcert testcert_authority(const char *cn)
{
    return testcert_make(&(testcert_plan){.cn = cn, .ca = true});
}

testcert testcert_server(const testcert *issuer, const char *san)
{
    return testcert_make(&(testcert_plan){.cn = "server", .san = san, .issuer = issuer});
}

/* --- files --------------------------------------------------------------------------------------- */

static char *next_path(const char *folder, const char *name)
{
    static char paths[8][256];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static FILE *create(const char *path, mode_t mode)
{
    (void)unlink(path); /* a new inode, as those who renew certificates make one */
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
    must(fd >= 0, path);
    FILE *f = fdopen(fd, "w");
    must(f != NULL, path);
    return f;
}

const char *testcert_write(const char *folder, const char *name, const testcert *first, ...)
{
    char *path = next_path(folder, name);
    FILE *f = create(path, 0644);
    va_list more;
    va_start(more, first);
    for (const testcert *t = first; t; t = va_arg(more, const testcert *))
        must(PEM_write_X509(f, t->cert) == 1, path);
    va_end(more);
    must(fclose(f) == 0, path);
    return path;
}

const char *testcert_write_key(const char *folder, const char *name, const testcert *t,
                               const char *pass)
{
    char *path = next_path(folder, name);
    FILE *f = create(path, 0600);
    must(PEM_write_PKCS8PrivateKey(f, t->key, pass ? EVP_aes_128_cbc() : NULL, pass,
                                   pass ? (int)strlen(pass) : 0, NULL, NULL) == 1,
         path);
    must(fclose(f) == 0, path);
    return path;
}

const char *testcert_write_crl(const char *folder, const char *name, const testcert *ca,
                               const testcert *revoked)
{
    char *path = next_path(folder, name);
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -60), *later = X509_gmtime_adj(NULL, 3600);
    must(crl && now && later, path);
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert));
    X509_CRL_set1_lastUpdate(crl, now);
    X509_CRL_set1_nextUpdate(crl, later);
    if (revoked) {
        X509_REVOKED *r = X509_REVOKED_new();
        must(r && X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(revoked->cert)) &&
                 X509_REVOKED_set_revocationDate(r, now) && X509_CRL_add0_revoked(crl, r),
             path);
    }
    must(X509_CRL_sign(crl, ca->key, EVP_sha256()) > 0, path);
    FILE *f = create(path, 0644);
    must(PEM_write_X509_CRL(f, crl) == 1 && fclose(f) == 0, path);
    ASN1_TIME_free(now);
    ASN1_TIME_free(later);
    X509_CRL_free(crl);
    return path;
}
