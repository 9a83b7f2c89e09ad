/* tls.h: encrypted connections. What most programs need are options (options.h, or parameters of a
 * connection string):
 *
 *   tls=verify-full     TLS 1.2 or 1.3; the server shows a certificate of a trusted authority that is
 *                       made for the name or address that was dialled
 *   tls=verify-ca       any certificate of the authority of tls_ca will do, whatever name it has
 *   tls_ca=PATH         who is trusted: a file of PEM certificates, or a folder made by openssl rehash;
 *                       not given: the authorities of the system
 *   tls_crl=PATH        lists of revoked certificates (PEM)
 *   tls_cert=PATH tls_key=PATH tls_key_password
 *                       this side's certificate, for servers that want one (PEM)
 *   tls_name=NAME       the one name (or address) that the certificates of all nodes have
 *
 * Which name a certificate has to have: what the function below says; else tls_name; else, for a node
 * that a contact point led to, the name of that contact point as the program gave it; else the node's
 * IP address. Never a name from reverse DNS. Names are compared by OpenSSL, inside the handshake, with
 * the certificate's subjectAltName alone.
 *
 * secure_bundle=PATH, the secure connect bundle of an Astra database, stands in place of all these
 * (doc/astra.md).
 *
 * Files are read when the session is made, and again for new connections once they have changed.
 * Sessions of TLS are resumed, per node and name. doc/tls.md tells more. */
#ifndef CQLNATIVE_TLS_H
#define CQLNATIVE_TLS_H

#include <cqlnative/options.h>
#include <cqlnative/session.h>

CQL_BEGIN

/* The longest name with its NUL. */
#define CQL_TLS_NAME_SIZE 256

/* Says which name the certificate of a node has to have. `address` is the "address:port" that is
 * dialled, `contact` the name of the contact point that led to it, NULL for a node that was discovered
 * or given as an address. Writes a NUL-terminated host name or IP address of at most
 * CQL_TLS_NAME_SIZE - 1 bytes to `name` and returns true; false leaves the choice to the usual rule.
 * Called on the loop's thread for every new connection; it must not block and not call the session. */
typedef bool (*cql_tls_name_fn)(void *user, const char *address, const char *contact, char *name);

/* Sets that function; NULL takes it away. user is borrowed until the last session made with these
 * options is freed. [one at a time] */
CQL_API void cql_options_set_tls_name_fn(cql_options *o, cql_tls_name_fn fn, void *user);

/* What no option says is said on OpenSSL's own context: a certificate and key that are in memory or in hardware,
 * ciphers, a log of the keys for a network analyser. ssl_ctx is an SSL_CTX * of the OpenSSL that the library is
 * linked with, with trust and certificate as the options have it; it may not be kept. Whatever is done to it,
 * TLS 1.2 and OpenSSL's security level 2 at least and the verification of the option tls stand, unless the
 * function takes the verification over itself (SSL_CTX_set_cert_verify_callback). False: it cannot be used, as
 * the newest error of OpenSSL says; then no session is made. Called when a session is made, once for each of its
 * loops, and on the loop's thread when changed files are read (then false: the files read before stay). */
typedef bool (*cql_tls_context_fn)(void *user, void *ssl_ctx);

/* Sets that function; NULL takes it away. user is borrowed until the last session made with these
 * options is freed. [one at a time] */
CQL_API void cql_options_set_tls_context_fn(cql_options *o, cql_tls_context_fn fn, void *user);

/* Encrypts, and accepts any server: whoever sits between can read and change everything, the password
 * too. For trials on one machine. Sets the option tls to "require", which no other way can: not
 * cql_options_set, a connection string, the environment or a file. Each session logs a warning.
 * [one at a time] */
CQL_API void cql_options_set_tls_insecure(cql_options *o);

/* What TLS has done in a session since it was made. */
typedef struct cql_tls_stats {
    size_t size;         /* in: sizeof(cql_tls_stats) */
    uint64_t handshakes; /* that succeeded */
    uint64_t resumed;    /* of these, those that resumed a session of an earlier connection */
    uint64_t failed;     /* handshakes that failed, for whatever reason */
    uint64_t reloads;    /* how often changed files were taken in */
} cql_tls_stats;

/* Fills *out (all zero without TLS). CQL_BAD_ARGUMENT. [any thread] */
CQL_API cql_status cql_session_tls_stats(const cql_session *s, cql_tls_stats *out);

/* What the newest successful handshake with a node came to. Texts are escaped and NUL-terminated; one
 * that is longer than its place is cut. Times are seconds since 1970. Since 0.1. */
typedef struct cql_tls_facts {
    size_t size;      /* in: sizeof(cql_tls_facts) */
    char node[64];    /* "address:port" */
    char version[16]; /* "TLSv1.3" */
    char cipher[64];  /* "TLS_AES_256_GCM_SHA384" */
    char subject[256]; /* of the server's certificate: "CN=node1"; "" when it showed none */
    char issuer[256];
    char names[512];   /* which it is for: "DNS:db.example, IP Address:10.0.0.5" */
    int64_t not_before_s;
    int64_t not_after_s; /* it expires then */
    char expected_name[CQL_TLS_NAME_SIZE]; /* the name that was dialled, see above */
    bool name_matches;   /* the certificate is for that name */
    bool name_verified;  /* and had to be: tls=verify-full */
    bool chain_verified; /* it leads to a trusted authority: tls=verify-full, verify-ca */
    bool resumed;        /* by a session of an earlier connection */
} cql_tls_facts;

/* Fills *out for the node "address:port" (as in cql_host_info), or for the newest handshake of all when
 * node is NULL. The newest 1024 nodes are remembered. CQL_NOT_FOUND: there was no handshake, as without
 * TLS; CQL_BAD_ARGUMENT. [any thread] */
CQL_API cql_status cql_session_tls_facts(const cql_session *s, const char *node, cql_tls_facts *out);

/* This side's certificate, that of tls_cert or of a secure_bundle, as new connections show it to servers that want
 * one: subject, issuer, names and times in *out, all else there is empty. CQL_NOT_FOUND: there is none;
 * CQL_BAD_ARGUMENT. [any thread] Since 0.1. */
CQL_API cql_status cql_session_tls_own(const cql_session *s, cql_tls_facts *out);

CQL_END
#endif
