/* tls_openssl.h: what the files of TLS on OpenSSL share. Nobody else includes it. */
#ifndef CQLN_NET_TLS_OPENSSL_H
#define CQLN_NET_TLS_OPENSSL_H

#include "base/bytes.h"
#include "base/list.h"
#include "net/tls.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/stat.h>

enum { CQLN_TLS_FILES = 4, CQLN_TLS_SESSIONS = 1024 };

/* How a file looked when it was read. */
typedef struct cqln_tls_stamp {
    const char *path;
    cql_str text; /* set: it is no file, and this is what it holds */
    bool known;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
} cqln_tls_stamp;

/* A session to be resumed, for one name and node. */
typedef struct cqln_tls_session {
    cqln_list link;
    SSL_SESSION *session;
    char key[];
} cqln_tls_session;

struct cqln_tls {
    cqln_tls_config config;
    SSL_CTX *ctx;
    BIO_METHOD *bio;
    cqln_tls_stamp stamps[CQLN_TLS_FILES]; /* ca, crl, cert, key */
    cqln_list sessions;                    /* the last used one first */
    size_t session_count;
    cqln_tls_counts counts;
    pthread_mutex_t facts_lock; /* guards the next two, and `ctx` being replaced */
    cqln_list facts;            /* of the newest handshake with each node, the newest one first */
    size_t fact_count;
    bool has_lock;
    bool reload_told; /* a reload that failed was logged */
};

/* Why a certificate was not accepted; noted while OpenSSL verifies, before it ends the handshake. */
typedef struct cqln_tls_verdict {
    int error; /* X509_V_ERR_…; 0: none */
    int depth;
    char subject[120];
    char issuer[120];
    char names[160];
    char not_before[40];
    char not_after[40];
} cqln_tls_verdict;

typedef struct tls_filter {
    cqln_filter base; /* first: a filter is a tls_filter */
    cqln_tls *tls;
    SSL *ssl;
    char *name;        /* expected; one block with peer */
    char *peer;
    uint8_t *in;       /* bytes of the transport: in_at..in_end are not consumed */
    size_t in_cap;
    size_t in_at;
    size_t in_end;
    cqln_writer out[2]; /* out[open] gathers, the other one is being written while it is not empty */
    unsigned open;
    unsigned roomy;     /* times in a row that little of a large buffer was used */
    bool spoke;         /* bytes came from the other side */
    bool plain;         /* and they were not TLS */
    bool client_cert_wanted;
    cqln_tls_verdict verdict;
} tls_filter;

/* --- tls_openssl_context.c ----------------------------------------------------------------------- */
/* A context with the files as they are now; NULL with *st and why. */
SSL_CTX *cqln_tls_context(cqln_tls *tls, cql_status *st, char *why);
/* Reads the files again when one has changed; keeps the old ones when that fails. */
void cqln_tls_refresh(cqln_tls *tls);
/* The session of an earlier connection, NULL for none; borrowed until the next call. */
SSL_SESSION *cqln_tls_session_of(cqln_tls *tls, const char *name, const char *peer);
/* Keeps one, taking over a reference when it returns true. */
bool cqln_tls_session_keep(cqln_tls *tls, const char *name, const char *peer, SSL_SESSION *session);
void cqln_tls_sessions_drop(cqln_tls *tls);

/* --- tls_openssl_facts.c ------------------------------------------------------------------------- */
/* False: no lock is to be had. */
bool cqln_tls_facts_init(cqln_tls *tls);
void cqln_tls_facts_fini(cqln_tls *tls);
/* A handshake succeeded. */
void cqln_tls_facts_note(const tls_filter *f);

/* --- tls_openssl_say.c --------------------------------------------------------------------------- */
/* Escaped text of a name, and of the names that a certificate is for: "DNS:a, IP Address:10.0.0.1". */
void cqln_tls_name_text(const X509_NAME *name, char *out, size_t cap);
void cqln_tls_names_text(const X509 *cert, char *out, size_t cap);
/* "2026-11-21 14:00:00Z". */
void cqln_tls_time_text(const ASN1_TIME *t, char *out, size_t cap);
/* Notes what is wrong with the certificate that is being verified; changes no verdict. */
void cqln_tls_note(X509_STORE_CTX *store, cqln_tls_verdict *out);
/* The failure of a filter, from OpenSSL's queue of errors, which is emptied. */
void cqln_tls_say_failure(tls_filter *f);
/* The newest error of OpenSSL in its own words; empties the queue. */
void cqln_tls_last_error(char *out, size_t cap);

#endif
