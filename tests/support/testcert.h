/* testcert.h: certificates made while a test runs, right and wrong ones. Whatever cannot be made ends
 * the program. */
#ifndef TESTS_SUPPORT_TESTCERT_H
#define TESTS_SUPPORT_TESTCERT_H

#include <openssl/ssl.h>
#include <stdbool.h>

typedef struct testcert {
    EVP_PKEY *key;
    X509 *cert;
} testcert;

typedef struct testcert_plan {
    const char *cn;
    const char *san;      /* "DNS:a.example,IP:127.0.0.1"; NULL: none */
    const char *san_dns;  /* one more DNS name of san_dns_len bytes, taken as it is */
    int san_dns_len;
    const char *usage;    /* extended key usage; NULL: serverAuth */
    const testcert *issuer; /* NULL: signs itself */
    int from_s, to_s;     /* validity in seconds from now; both 0: from an hour ago to in an hour */
    bool ca;
    bool sha1;
    int rsa_bits;         /* 0: elliptic curve P-256 */
} testcert_plan;

testcert testcert_make(const testcert_plan *plan);
void testcert_free(testcert *t);
/* An authority, and a server's certificate of it. */
testcert testcert_authority(const char *cn);
testcert testcert_server(const testcert *issuer, const char *san);
/* PEM files in folder: certificates one after the other (NULL at the end), and a key (pass NULL: not
 * encrypted; mode 0600). The path is static per call for up to 8 calls. */
const char *testcert_write(const char *folder, const char *name, const testcert *first, ...);
const char *testcert_write_key(const char *folder, const char *name, const testcert *t,
                               const char *pass);
/* A list of the authority that revokes the certificate (NULL: an empty list). */
const char *testcert_write_crl(const char *folder, const char *name, const testcert *ca,
                               const testcert *revoked);

#endif
