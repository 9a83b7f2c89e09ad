/* astra.h: what a secure connect bundle and its metadata service say, as texts: no I/O here.
 *
 *   config.json    {"host": NAME, "port": N, "localDC": NAME?, ...}
 *   GET /metadata  {"contact_info": {"local_dc": NAME, "sni_proxy_address": "NAME:PORT",
 *                                    "contact_points": [HOST_ID, ...]}, ...}
 *
 * Nodes have no addresses that could be dialled: a connection goes to the proxy, with the node's host id as TLS
 * server name. */
#ifndef CQLN_META_ASTRA_H
#define CQLN_META_ASTRA_H

#include "meta/address.h"

#include <cqlnative/uuid.h>

enum {
    CQLN_ASTRA_HOST = 254, /* the longest DNS name and the NUL */
    CQLN_ASTRA_NAME = 129, /* of a data centre */
    CQLN_ASTRA_POINTS = 64,
    CQLN_ASTRA_PROXY_PORT = 30443, /* where none is given */
    CQLN_ASTRA_WHY = 200
};

typedef struct cqln_astra_config {
    char host[CQLN_ASTRA_HOST];
    uint16_t port;
    char local_dc[CQLN_ASTRA_NAME]; /* "": none */
} cqln_astra_config;

typedef struct cqln_astra_contact {
    char proxy[CQLN_ASTRA_HOST];
    uint16_t port;
    char local_dc[CQLN_ASTRA_NAME];
    cql_uuid points[CQLN_ASTRA_POINTS]; /* each once */
    size_t count;                       /* at least 1 */
} cqln_astra_contact;

/* CQL_MALFORMED with why (CQLN_ASTRA_WHY bytes). */
cql_status cqln_astra_read_config(cql_str json, cqln_astra_config *out, char *why);
cql_status cqln_astra_read_contact(cql_str json, cqln_astra_contact *out, char *why);

#endif
