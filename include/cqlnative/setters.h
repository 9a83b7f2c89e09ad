/* setters.h: a function for each option, made from the table of options by
 * `make update-configuration`. Each does what cql_options_set does with that name; the
 * comment is the option's meaning and range. [one at a time] */
#ifndef CQLNATIVE_SETTERS_H
#define CQLNATIVE_SETTERS_H

#include <cqlnative/options.h>

CQL_BEGIN

/* port of contact points that name none; 1 to 65535 */
static inline cql_status
cql_options_set_port(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "port", value, err);
}

/* data centre whose nodes are used; not given: that of the first contact point that answers */
static inline cql_status
cql_options_set_local_dc(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "local_dc", value, err);
}

/* rack whose nodes come before the others of the data centre */
static inline cql_status
cql_options_set_local_rack(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "local_rack", value, err);
}

/* addresses with commas, ports may be left out: only these nodes are used */
static inline cql_status
cql_options_set_allow_hosts(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "allow_hosts", value, err);
}

/* addresses of nodes that are not used */
static inline cql_status
cql_options_set_deny_hosts(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "deny_hosts", value, err);
}

/* requests go to nodes that have the row; false: to all in turn; false|true */
static inline cql_status
cql_options_set_token_aware(cql_options *o, bool value, cql_error **err)
{
    return cql_options_set_bool(o, "token_aware", value, err);
}

/* among replicas: the less busy of two drawn at random, one drawn at random, or always the first on the ring; least_busy|shuffle|ring */
static inline cql_status
cql_options_set_replica_choice(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "replica_choice", value, err);
}

/* nodes of each other data centre that are used when no local one can be; 0 to 100 */
static inline cql_status
cql_options_set_used_hosts_per_remote_dc(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "used_hosts_per_remote_dc", value, err);
}

/* use them for requests at LOCAL_ONE and LOCAL_QUORUM too; false|true */
static inline cql_status
cql_options_set_remote_dcs_for_local_levels(cql_options *o, bool value, cql_error **err)
{
    return cql_options_set_bool(o, "remote_dcs_for_local_levels", value, err);
}

/* measure how fast nodes answer; slow ones come behind the others; false|true */
static inline cql_status
cql_options_set_latency_awareness(cql_options *o, bool value, cql_error **err)
{
    return cql_options_set_bool(o, "latency_awareness", value, err);
}

/* percent of the fastest node's time from which on a node is slow; 101 to 10000 */
static inline cql_status
cql_options_set_latency_exclusion(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "latency_exclusion", value, err);
}

/* address of this machine that connections are made from, to nodes with one of the same kind; not given: the system chooses */
static inline cql_status
cql_options_set_local_address(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "local_address", value, err);
}

/* name shown in the server's list of clients */
static inline cql_status
cql_options_set_application(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "application", value, err);
}

/* protocol version: the highest that works, or 4 or 5; auto|1|2|3|4|5 */
static inline cql_status
cql_options_set_protocol(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "protocol", value, err);
}

/* compression of what is sent and received; none|lz4 */
static inline cql_status
cql_options_set_compression(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "compression", value, err);
}

/* use every node of the cluster; false: the contact points alone; false|true */
static inline cql_status
cql_options_set_discovery(cql_options *o, bool value, cql_error **err)
{
    return cql_options_set_bool(o, "discovery", value, err);
}

/* where the password may cross an unencrypted connection; never|loopback|always */
static inline cql_status
cql_options_set_plain_auth(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "plain_auth", value, err);
}

/* threads of the session's own, each with a loop and a share of the connections and limits; 0: none, it is driven by the calls that block; 0 to 64 */
static inline cql_status
cql_options_set_loop_threads(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "loop_threads", value, err);
}

/* connections to each node, always; shared out over the loops, each has one at least; 1 to 64 */
static inline cql_status
cql_options_set_connections_per_host(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "connections_per_host", value, err);
}

/* connections to each node at most; fewer than connections_per_host counts as that many; 1 to 64 */
static inline cql_status
cql_options_set_max_connections_per_host(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "max_connections_per_host", value, err);
}

/* connections to each remote node that is used, always; 0: as connections_per_host says; 0 to 64 */
static inline cql_status
cql_options_set_connections_per_remote_host(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "connections_per_remote_host", value, err);
}

/* connections to each remote node at most; 0: as max_connections_per_host says; 0 to 64 */
static inline cql_status
cql_options_set_max_connections_per_remote_host(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "max_connections_per_remote_host", value, err);
}

/* requests in flight on each connection to a node above which one more is opened (at the latest at three quarters of max_requests_per_connection); 1 to 32767 */
static inline cql_status
cql_options_set_connection_grow_requests(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "connection_grow_requests", value, err);
}

/* after so long without need for it a connection beyond connections_per_host is closed (milliseconds); 10 to 86400000 */
static inline cql_status
cql_options_set_connection_idle_timeout(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "connection_idle_timeout", value, err);
}

/* requests in flight on one connection; more wait in the queue; 1 to 32767 */
static inline cql_status
cql_options_set_max_requests_per_connection(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "max_requests_per_connection", value, err);
}

/* requests begun and not ended; one more is told to wait (CQL_WOULD_BLOCK); 1 to 1048576 */
static inline cql_status
cql_options_set_max_pending_requests(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "max_pending_requests", value, err);
}

/* bytes of requests begun and not ended; beyond it new ones are told to wait; 65536 to 2147483647 */
static inline cql_status
cql_options_set_max_pending_bytes(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "max_pending_bytes", value, err);
}

/* largest answer that is accepted, after decompression; a larger one is passed over, its request fails with CQL_TOO_LARGE; beyond 256 MiB its connection ends; 65536 to 2147483647 */
static inline cql_status
cql_options_set_max_response_bytes(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "max_response_bytes", value, err);
}

/* bytes read at once from a connection; larger answers get memory of their own; 4096 to 4194304 */
static inline cql_status
cql_options_set_read_buffer(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "read_buffer", value, err);
}

/* for connecting and log-in together, and for resolving a name (milliseconds); 1 to 3600000 */
static inline cql_status
cql_options_set_connect_timeout(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "connect_timeout", value, err);
}

/* for a request over all its attempts, waiting included (milliseconds); 1 to 86400000 */
static inline cql_status
cql_options_set_request_timeout(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "request_timeout", value, err);
}

/* how long closing lets requests in flight finish (milliseconds); 0 to 3600000 */
static inline cql_status
cql_options_set_close_timeout(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "close_timeout", value, err);
}

/* silence after which a connection is probed, heartbeat_timeout if it owes an answer; 0: never (milliseconds); 0 to 86400000 */
static inline cql_status
cql_options_set_heartbeat(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "heartbeat", value, err);
}

/* silence after the probe that ends the connection (milliseconds); 1 to 3600000 */
static inline cql_status
cql_options_set_heartbeat_timeout(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "heartbeat_timeout", value, err);
}

/* delay before the first attempt to reach a lost node again; it doubles each time (milliseconds); 1 to 3600000 */
static inline cql_status
cql_options_set_reconnect_base(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "reconnect_base", value, err);
}

/* the longest such delay (milliseconds); 1 to 86400000 */
static inline cql_status
cql_options_set_reconnect_max(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "reconnect_max", value, err);
}

/* percent by which such a delay is drawn shorter or longer; 0 to 100 */
static inline cql_status
cql_options_set_reconnect_jitter(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "reconnect_jitter", value, err);
}

/* constant: always reconnect_base, without doubling; exponential|constant */
static inline cql_status
cql_options_set_reconnect_policy(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "reconnect_policy", value, err);
}

/* what follows an error: the default policy, or none: every error goes to the program; default|none */
static inline cql_status
cql_options_set_retry(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "retry", value, err);
}

/* true: what nothing is said of may be sent again after it may have run, changes of the schema, conditional statements, and counters as far as they are known excepted; see reliability.md for what that may do twice; false|true */
static inline cql_status
cql_options_set_idempotent(cql_options *o, bool value, cql_error **err)
{
    return cql_options_set_bool(o, "idempotent", value, err);
}

/* percent of the requests that may be sent again after a server's error or speculatively, beyond 10 a second and 100 at once; 0 to 1000 */
static inline cql_status
cql_options_set_retry_budget(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "retry_budget", value, err);
}

/* idempotent requests without an answer go to another node as well: after speculation_delay, or when they are slower than speculation_percentile of all; off|constant|percentile */
static inline cql_status
cql_options_set_speculation(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "speculation", value, err);
}

/* time without an answer before that; with percentile, until enough answers were seen (milliseconds); 1 to 3600000 */
static inline cql_status
cql_options_set_speculation_delay(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "speculation_delay", value, err);
}

/* percent of the answers that came faster than what is sent a second time; 1 to 99 */
static inline cql_status
cql_options_set_speculation_percentile(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "speculation_percentile", value, err);
}

/* more attempts at the same time at most; 1 to 4 */
static inline cql_status
cql_options_set_speculation_max(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "speculation_max", value, err);
}

/* prepared statements that are remembered and taught to nodes that come up; 0 to 65536 */
static inline cql_status
cql_options_set_max_prepared(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "max_prepared", value, err);
}

/* how often the list of nodes is read again without an event (milliseconds); 1000 to 86400000 */
static inline cql_status
cql_options_set_refresh_interval(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "refresh_interval", value, err);
}

/* how long a schema change waits for all nodes to know it (milliseconds); 0 to 600000 */
static inline cql_status
cql_options_set_schema_agreement_timeout(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "schema_agreement_timeout", value, err);
}

/* rows per page of statements that say none; 1 to 2147483647 */
static inline cql_status
cql_options_set_page_size(cql_options *o, uint64_t value, cql_error **err)
{
    return cql_options_set_number(o, "page_size", value, err);
}

/* level of statements that say none; any|one|two|three|quorum|all|local_quorum|each_quorum|serial|local_serial|local_one */
static inline cql_status
cql_options_set_consistency(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "consistency", value, err);
}

/* serial level of conditional statements; any|one|two|three|quorum|all|local_quorum|each_quorum|serial|local_serial|local_one */
static inline cql_status
cql_options_set_serial_consistency(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "serial_consistency", value, err);
}

/* encryption: verify-full (or on) checks certificate and name; require checks nothing, and is set by cql_options_set_tls_insecure and --tls-insecure alone; off|require|verify-ca|verify-full */
static inline cql_status
cql_options_set_tls(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "tls", value, err);
}

/* authorities to trust: a PEM file, or a folder of hashed names; not given: the system's */
static inline cql_status
cql_options_set_tls_ca(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "tls_ca", value, err);
}

/* PEM file of lists of revoked certificates */
static inline cql_status
cql_options_set_tls_crl(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "tls_crl", value, err);
}

/* PEM file of this side's certificate, for servers that want one */
static inline cql_status
cql_options_set_tls_cert(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "tls_cert", value, err);
}

/* PEM file of its key; not given: in the file of the certificate */
static inline cql_status
cql_options_set_tls_key(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "tls_key", value, err);
}

/* pass phrase of that key; never shown, not taken from a connection string (secret) */
static inline cql_status
cql_options_set_tls_key_password(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "tls_key_password", value, err);
}

/* strict: the key's file is no link, and its owner's alone; loose: any file; strict|loose */
static inline cql_status
cql_options_set_tls_key_check(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "tls_key_check", value, err);
}

/* the name that the certificates of all nodes have; not given: the one that is dialled */
static inline cql_status
cql_options_set_tls_name(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "tls_name", value, err);
}

/* zip file of an Astra database: it names the cluster and holds authority, certificate and key; in place of contact_points and of what tls_ sets */
static inline cql_status
cql_options_set_secure_bundle(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "secure_bundle", value, err);
}

/* further server authenticators that may get the password, commas between */
static inline cql_status
cql_options_set_auth_classes(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "auth_classes", value, err);
}

/* write times come from this side, rising strictly; false: from the server; false|true */
static inline cql_status
cql_options_set_client_timestamps(cql_options *o, bool value, cql_error **err)
{
    return cql_options_set_bool(o, "client_timestamps", value, err);
}

/* a set of values for options that are not given themselves, see below; none|server|device */
static inline cql_status
cql_options_set_preset(cql_options *o, const char *value, cql_error **err)
{
    return cql_options_set(o, "preset", value, err);
}

CQL_END
#endif
