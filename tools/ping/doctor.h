/* doctor.h: --doctor: every phase of a connection to every node of the cluster, what the nodes say of
 * themselves, and a verdict in words.
 *
 *   ping_doctor d;
 *   ping_doctor_init(&d, &config, make, user);        (make: options for one host)
 *   ping_doctor_add(&d, "10.0.0.5", false);           (each target)
 *   int code = ping_doctor_run(&d);                   (prints)
 *   ping_doctor_free(&d); */
#ifndef PING_DOCTOR_H
#define PING_DOCTOR_H

#include "common/exit_code.h"
#include "ping/config.h"
#include "ping/raw.h"

#include <cqlnative/session.h>
#include <cqlnative/tls.h>

/* What a node says of itself. Texts are escaped; NULL where the server has no such thing. */
typedef struct ping_chart {
    char *cluster, *release, *data_center, *rack, *host_id, *schema_version;
    uint64_t tokens;
    int64_t clock_ms; /* its clock minus ours, in the middle of the query */
    bool has_clock;
    char *threads, *compactions, *disk, *hints;
    uint64_t blocked, pending_compactions;
    bool withheld; /* some of it is not for this role to read */
} ping_chart;

typedef struct ping_patient {
    char *target;    /* "host[:port]" as named or announced */
    char *address;   /* "address:port" that answered; NULL: none */
    bool announced;  /* only the cluster names it */
    bool bundle;     /* no node: what a secure connect bundle leads to; it announces the nodes */
    bool by_proxy;   /* reached by its host id, through the proxy of a bundle */
    ping_raw raw;
    cql_tls_facts tls; /* node "": there was no handshake */
    cql_tls_facts own; /* our certificate; not_after_s 0: there is none */
    ping_step session, query; /* as the library does it: version, log-in; the first query */
    int protocol;
    tool_exit failure; /* of the session */
    ping_chart chart;
} ping_patient;

typedef cql_options *(*ping_make_options)(void *user, const char *host);

typedef struct ping_doctor {
    const ping_config *config;
    ping_make_options make;
    void *user;
    ping_patient *patients;
    size_t count, capacity;
    size_t problems, remarks;
} ping_doctor;

void ping_doctor_init(ping_doctor *d, const ping_config *config, ping_make_options make, void *user);
/* Unless it is there already. */
void ping_doctor_add(ping_doctor *d, const char *host, bool announced);
/* The options have a bundle: before any node, what it leads to is looked at. */
void ping_doctor_add_bundle(ping_doctor *d, const char *name);
int ping_doctor_run(ping_doctor *d);
void ping_doctor_free(ping_doctor *d);

/* examine.c: asks the node behind an open session; adds the nodes that it announces. */
void ping_examine(ping_doctor *d, size_t index, cql_session *s);
/* The nodes of a bundle's session, unless the command line picked some. */
void ping_examine_bundle(ping_doctor *d, cql_session *s);

/* doctor_print.c */
void ping_doctor_print(const ping_doctor *d, const ping_patient *p);
void ping_doctor_say(const ping_doctor *d, bool problem, const char *node, const char *text,
                     const char *advice);
/* The day in UTC, "2027-01-31"; whole days until the certificate expires, -1: it has. */
enum { PING_DATE_SIZE = 32 };
void ping_tls_date(int64_t unix_s, char out[PING_DATE_SIZE]);
int64_t ping_tls_days_left(const cql_tls_facts *t);
void ping_doctor_close(const ping_doctor *d, int code);

/* verdict.c: says each problem and remark; the exit code. */
int ping_verdict(ping_doctor *d);

#endif
