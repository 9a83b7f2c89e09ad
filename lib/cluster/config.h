/* config.h: the settings of a session as plain values; the options of the public API fill it. */
#ifndef CQLN_CLUSTER_CONFIG_H
#define CQLN_CLUSTER_CONFIG_H

#include "base/log.h"

#include <cqlnative/auth.h>
#include <cqlnative/events.h>
#include <cqlnative/metrics.h>
#include <cqlnative/policy.h>
#include <cqlnative/routing.h>

/* May credentials cross an unencrypted connection? */
typedef enum cqln_plain_auth {
    CQLN_PLAIN_AUTH_NEVER = 0,
    CQLN_PLAIN_AUTH_LOOPBACK = 1,
    CQLN_PLAIN_AUTH_ALWAYS = 2
} cqln_plain_auth;

typedef enum cqln_retry_option {
    CQLN_RETRY_OPTION_DEFAULT = 0,
    CQLN_RETRY_OPTION_NONE = 1
} cqln_retry_option;

typedef enum cqln_speculation {
    CQLN_SPECULATION_OFF = 0,
    CQLN_SPECULATION_CONSTANT = 1,
    CQLN_SPECULATION_PERCENTILE = 2
} cqln_speculation;

typedef enum cqln_reconnect_policy {
    CQLN_RECONNECT_EXPONENTIAL = 0,
    CQLN_RECONNECT_CONSTANT = 1
} cqln_reconnect_policy;

/* How the file of a TLS key is judged. */
enum { CQLN_KEY_CHECK_STRICT = 0, CQLN_KEY_CHECK_LOOSE = 1 };

enum { CQLN_TLS_NAME = 256 };

typedef struct cqln_contact {
    char *host;
    uint16_t port; /* 0: the session's */
} cqln_contact;

typedef struct cqln_config {
    cqln_contact *contacts;
    size_t contact_count;
    char *username;
    char *password;
    char *keyspace;
    char *local_dc;
    char *application;
    char *local_address; /* NULL: the system chooses */
    uint32_t port;
    uint32_t protocol;    /* 0: the highest that works */
    uint32_t compression; /* 0 none, 1 lz4 */
    uint32_t discovery;   /* bool: follow the cluster's own list of nodes */
    uint32_t plain_auth;  /* cqln_plain_auth */
    uint32_t loop_threads;
    uint32_t connections_per_host;
    uint32_t max_connections_per_host;
    uint32_t connections_per_remote_host;     /* 0: as for all others, */
    uint32_t max_connections_per_remote_host; /* the same */
    uint32_t connection_grow_requests;
    uint32_t connection_idle_timeout;
    uint32_t max_requests_per_connection;
    uint32_t max_pending_requests;
    uint32_t max_pending_bytes;
    uint32_t max_response_bytes;
    uint32_t read_buffer;
    uint32_t connect_timeout;
    uint32_t request_timeout;
    uint32_t close_timeout;
    uint32_t heartbeat;
    uint32_t heartbeat_timeout;
    uint32_t reconnect_base;
    uint32_t reconnect_max;
    uint32_t reconnect_jitter; /* percent */
    uint32_t reconnect_policy; /* cqln_reconnect_policy */
    uint32_t refresh_interval;
    uint32_t retry;                 /* cqln_retry_option */
    uint32_t idempotent;            /* bool: what nothing is said of */
    uint32_t retry_budget;          /* percent of the requests */
    uint32_t speculation;           /* cqln_speculation */
    uint32_t speculation_delay;
    uint32_t speculation_percentile;
    uint32_t speculation_max;
    uint32_t max_prepared;
    cql_retry_policy retry_table;   /* of the program; decide NULL: none */
    char *local_rack;
    char *allow_hosts; /* addresses with commas; NULL: all */
    char *deny_hosts;
    uint32_t token_aware;    /* bool */
    uint32_t replica_choice; /* cqln_replica_choice */
    uint32_t used_hosts_per_remote_dc;
    uint32_t remote_dcs_for_local_levels; /* bool */
    uint32_t latency_awareness; /* bool */
    uint32_t latency_exclusion; /* percent of the best */
    cql_balancing_policy balancing; /* of the program; all NULL: none */
    uint32_t schema_agreement_timeout;
    uint32_t page_size;
    uint32_t consistency;
    uint32_t serial_consistency;
    uint32_t client_timestamps; /* bool */
    uint32_t preset;            /* of the options: which one */
    uint32_t tls;           /* cqln_tls_mode */
    uint32_t tls_key_check; /* CQLN_KEY_CHECK_ */
    char *tls_ca;
    char *tls_crl;
    char *tls_cert;
    char *tls_key;
    char *tls_key_password;
    char *tls_name;
    char *secure_bundle; /* file; in place of contacts and of all tls_ files */
    bool (*tls_name_fn)(void *user, const char *address, const char *contact, char *name);
    void *tls_name_user;
    bool (*tls_context_fn)(void *user, void *ssl_ctx); /* NULL: none */
    void *tls_context_user;
    char *auth_classes; /* more authenticators that get the password, with commas between */
    cql_authenticator authenticator; /* the program's own; size 0: user and password */
    cqln_log log;
    cql_node_event_fn node_event; /* NULL: none, as for the next two */
    void *node_event_user;
    cql_schema_event_fn schema_event;
    void *schema_event_user;
    cql_translate_fn translate;
    void *translate_user;
    const cql_request_hooks *hooks; /* NULL: none; the program's */
} cqln_config;

/* Is there, by what was configured, somebody who wants to know of each attempt? */
static inline bool cqln_config_watches(const cqln_config *config)
{
    return config->hooks || config->latency_awareness || config->speculation;
}

/* How long the library waits for what many requests wait for, however long one of the program's may take. */
static inline uint32_t cqln_config_patience(const cqln_config *config)
{
    return config->request_timeout < config->connect_timeout ? config->request_timeout : config->connect_timeout;
}

#endif
