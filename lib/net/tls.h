/* tls.h: TLS as a filter. tls_openssl.c is one implementation; in a build without, cluster/secure_none.c says so.
 *
 * A cqln_tls is what the connections of one loop share: certificates, trust, sessions to resume. It
 * belongs to the loop's thread; the counters may be read by any. */
#ifndef CQLN_NET_TLS_H
#define CQLN_NET_TLS_H

#include "base/log.h"
#include "net/filter.h"

#include <cqlnative/tls.h>

#include <stdatomic.h>

typedef enum cqln_tls_mode {
    CQLN_TLS_OFF = 0,
    CQLN_TLS_REQUIRE = 1,   /* encrypted, to whoever it may be */
    CQLN_TLS_VERIFY_CA = 2, /* somebody with a certificate of a trusted authority */
    CQLN_TLS_VERIFY_FULL = 3
} cqln_tls_mode;

/* Borrowed for the life of the cqln_tls; NULL texts: not given. */
typedef struct cqln_tls_config {
    const cql_allocator *al;
    const cqln_log *log;
    cqln_tls_mode mode;
    /* In PEM form, in place of the files `ca`, `cert` and `key`, which are then names for people. */
    cql_str ca_text;
    cql_str cert_text;
    cql_str key_text;
    const char *ca;   /* PEM file or folder of hashed names; NULL: the system's */
    const char *crl;  /* PEM file: lists of revoked certificates */
    const char *cert; /* PEM file: this side's certificate and what leads to its authority */
    const char *key;  /* PEM file; NULL: in `cert` */
    const char *key_password;
    bool loose_key;   /* the key's file may be a link and readable by others */
    bool (*context_fn)(void *user, void *ssl_ctx); /* the program's last word on the context; NULL: none */
    void *context_user;
    size_t buffer;    /* bytes read at once */
} cqln_tls_config;

typedef struct cqln_tls_counts {
    _Atomic(uint64_t) handshakes; /* that succeeded */
    _Atomic(uint64_t) resumed;    /* of these, by a session of an earlier connection */
    _Atomic(uint64_t) failed;
    _Atomic(uint64_t) reloads; /* changed files that were taken in */
} cqln_tls_counts;

typedef struct cqln_tls cqln_tls;

/* Reads the files. CQL_NO_MEMORY, CQL_TLS_FAILED, with the reason in why (CQLN_FILTER_REASON bytes). */
cql_status cqln_tls_new(const cqln_tls_config *config, cqln_tls **out, char *why);
void cqln_tls_free(cqln_tls *tls); /* after its filters; NULL is fine */
const cqln_tls_counts *cqln_tls_counts_of(const cqln_tls *tls);

/* Fills *out from the newest handshake with "address:port", or with any node when peer is NULL. False:
 * there was none. [any thread] */
bool cqln_tls_facts_of(cqln_tls *tls, const char *peer, cql_tls_facts *out);
/* The same from this side's certificate. False: there is none. [any thread] */
bool cqln_tls_own(cqln_tls *tls, cql_tls_facts *out);

/* A filter for a connection to `peer`, whose certificate has to be for `name`: a host name, or an IP
 * address as text. peer is "address:port", for the log and for resuming sessions. Both are copied.
 * Files that have changed are read again. CQL_NO_MEMORY, CQL_TLS_FAILED with why. */
cql_status cqln_tls_filter_new(cqln_tls *tls, const char *name, const char *peer, cqln_filter **out,
                               char *why);
/* The same, but what the other side is told as server name is sni: a proxy is asked for one of the servers
 * behind it. */
cql_status cqln_tls_filter_sni(cqln_tls *tls, const char *name, const char *sni, const char *peer,
                               cqln_filter **out, char *why);

#endif
