/* optiontab.h: every option of a session, one row each. Setters, names, limits, help, environment names
 * and the configuration page all come from here; contact_points, a list, has its row in optiontab.c.
 * After a change `make update-configuration` brings doc/configuration.md and setters.h up to date.
 *
 * OPT_NUMBER(field, kind, default, min, max, help)    kinds: count, bytes, duration (milliseconds)
 * OPT_CHOICE(field, index, "word", "a|b|c", help)     the field gets the index of the word; the default
 * OPT_TEXT(field, kind, help)                         kinds: text, secret
 */
#ifndef CQLN_API_OPTIONTAB_H
#define CQLN_API_OPTIONTAB_H

/* clang-format off */
#define CQLN_OPTIONS(OPT_NUMBER, OPT_CHOICE, OPT_TEXT)                                             \
    OPT_NUMBER(port, count, 9042, 1, 65535,                                                        \
        "port of contact points that name none")                                                   \
    OPT_TEXT(username, text, "user name for the server's log-in")                                      \
    OPT_TEXT(password, secret, "its password; never shown, not taken from a connection string")    \
    OPT_TEXT(keyspace, text, "keyspace of every connection")                                       \
    OPT_TEXT(local_dc, text,                                                                       \
        "data centre whose nodes are used; not given: that of the first contact point that answers") \
    OPT_TEXT(local_rack, text, "rack whose nodes come before the others of the data centre")               \
    OPT_TEXT(allow_hosts, text,                                                                    \
        "addresses with commas, ports may be left out: only these nodes are used")                 \
    OPT_TEXT(deny_hosts, text, "addresses of nodes that are not used")                             \
    OPT_CHOICE(token_aware, 1, "true", "false|true",                                                       \
        "requests go to nodes that have the row; false: to all in turn")                           \
    OPT_CHOICE(replica_choice, 0, "least_busy", "least_busy|shuffle|ring",                                 \
        "among replicas: the less busy of two drawn at random, one drawn at random, or always the first on the ring") \
    OPT_NUMBER(used_hosts_per_remote_dc, count, 0, 0, 100,                                         \
        "nodes of each other data centre that are used when no local one can be")                  \
    OPT_CHOICE(remote_dcs_for_local_levels, 0, "false", "false|true",                                      \
        "use them for requests at LOCAL_ONE and LOCAL_QUORUM too")                                 \
    OPT_CHOICE(latency_awareness, 0, "false", "false|true",                                                \
        "measure how fast nodes answer; slow ones come behind the others")                         \
    OPT_NUMBER(latency_exclusion, count, 200, 101, 10000,                                          \
        "percent of the fastest node's time from which on a node is slow")                         \
    OPT_TEXT(local_address, text,                                                                  \
        "address of this machine that connections are made from, to nodes with one of the same kind; not given: the system chooses") \
    OPT_TEXT(application, text, "name shown in the server's list of clients")                      \
    OPT_CHOICE(protocol, 0, "auto", "auto|1|2|3|4|5", "protocol version: the highest that works, or 4 or 5") \
    OPT_CHOICE(compression, 0, "none", "none|lz4", "compression of what is sent and received")             \
    OPT_CHOICE(discovery, 1, "true", "false|true",                                                         \
        "use every node of the cluster; false: the contact points alone")                          \
    OPT_CHOICE(plain_auth, 1, "loopback", "never|loopback|always",                                             \
        "where the password may cross an unencrypted connection")                                  \
    OPT_NUMBER(loop_threads, count, 1, 0, 64,                                                      \
        "threads of the session's own, each with a loop and a share of the connections and limits; 0: none, it is driven by the calls that block") \
    OPT_NUMBER(connections_per_host, count, 1, 1, 64,                                              \
        "connections to each node, always; shared out over the loops, each has one at least")      \
    OPT_NUMBER(max_connections_per_host, count, 4, 1, 64,                                          \
        "connections to each node at most; fewer than connections_per_host counts as that many")   \
    OPT_NUMBER(connections_per_remote_host, count, 0, 0, 64,                                       \
        "connections to each remote node that is used, always; 0: as connections_per_host says")   \
    OPT_NUMBER(max_connections_per_remote_host, count, 0, 0, 64,                                   \
        "connections to each remote node at most; 0: as max_connections_per_host says")            \
    OPT_NUMBER(connection_grow_requests, count, 512, 1, 32767,                                     \
        "requests in flight on each connection to a node above which one more is opened (at the latest at three quarters of max_requests_per_connection)") \
    OPT_NUMBER(connection_idle_timeout, duration, 60000, 10, 86400000,                             \
        "after so long without need for it a connection beyond connections_per_host is closed")    \
    OPT_NUMBER(max_requests_per_connection, count, 1024, 1, 32767,                                 \
        "requests in flight on one connection; more wait in the queue")                            \
    OPT_NUMBER(max_pending_requests, count, 16384, 1, 1048576,                                     \
        "requests begun and not ended; one more is told to wait (CQL_WOULD_BLOCK)")                \
    OPT_NUMBER(max_pending_bytes, bytes, 67108864, 65536, 2147483647,                              \
        "bytes of requests begun and not ended; beyond it new ones are told to wait")              \
    OPT_NUMBER(max_response_bytes, bytes, 268435456, 65536, 2147483647,                            \
        "largest answer that is accepted, after decompression; a larger one is passed over, its "  \
        "request fails with CQL_TOO_LARGE; beyond 256 MiB its connection ends")                    \
    OPT_NUMBER(read_buffer, bytes, 262144, 4096, 4194304,                                          \
        "bytes read at once from a connection; larger answers get memory of their own")            \
    OPT_NUMBER(connect_timeout, duration, 5000, 1, 3600000,                                        \
        "for connecting and log-in together, and for resolving a name")                            \
    OPT_NUMBER(request_timeout, duration, 12000, 1, 86400000,                                      \
        "for a request over all its attempts, waiting included")                                   \
    OPT_NUMBER(close_timeout, duration, 5000, 0, 3600000,                                          \
        "how long closing lets requests in flight finish")                                         \
    OPT_NUMBER(heartbeat, duration, 30000, 0, 86400000,                                            \
        "silence after which a connection is probed, heartbeat_timeout if it owes an answer; 0: never") \
    OPT_NUMBER(heartbeat_timeout, duration, 5000, 1, 3600000,                                      \
        "silence after the probe that ends the connection")                                        \
    OPT_NUMBER(reconnect_base, duration, 1000, 1, 3600000,                                         \
        "delay before the first attempt to reach a lost node again; it doubles each time")         \
    OPT_NUMBER(reconnect_max, duration, 60000, 1, 86400000, "the longest such delay")              \
    OPT_NUMBER(reconnect_jitter, count, 15, 0, 100,                                                \
        "percent by which such a delay is drawn shorter or longer")                                \
    OPT_CHOICE(reconnect_policy, 0, "exponential", "exponential|constant",                                 \
        "constant: always reconnect_base, without doubling")                                       \
    OPT_CHOICE(retry, 0, "default", "default|none",                                                        \
        "what follows an error: the default policy, or none: every error goes to the program")     \
    OPT_CHOICE(idempotent, 0, "false", "false|true",                                                       \
        "true: what nothing is said of may be sent again after it may have run, changes of the schema, conditional statements, and counters as far as they are known excepted; see reliability.md for what that may do twice") \
    OPT_NUMBER(retry_budget, count, 10, 0, 1000,                                                   \
        "percent of the requests that may be sent again after a server's error or speculatively, beyond 10 a second and 100 at once") \
    OPT_CHOICE(speculation, 0, "off", "off|constant|percentile",                                           \
        "idempotent requests without an answer go to another node as well: after speculation_delay, or when they are slower than speculation_percentile of all") \
    OPT_NUMBER(speculation_delay, duration, 100, 1, 3600000,                                       \
        "time without an answer before that; with percentile, until enough answers were seen")     \
    OPT_NUMBER(speculation_percentile, count, 99, 1, 99,                                           \
        "percent of the answers that came faster than what is sent a second time")                 \
    OPT_NUMBER(speculation_max, count, 1, 1, 4, "more attempts at the same time at most")          \
    OPT_NUMBER(max_prepared, count, 1024, 0, 65536,                                                \
        "prepared statements that are remembered and taught to nodes that come up")                \
    OPT_NUMBER(refresh_interval, duration, 60000, 1000, 86400000,                                  \
        "how often the list of nodes is read again without an event")                              \
    OPT_NUMBER(schema_agreement_timeout, duration, 10000, 0, 600000,                               \
        "how long a schema change waits for all nodes to know it")                                 \
    OPT_NUMBER(page_size, count, 5000, 1, 2147483647, "rows per page of statements that say none") \
    OPT_CHOICE(consistency, 10, "local_one", CQLN_LEVELS, "level of statements that say none")                  \
    OPT_CHOICE(serial_consistency, 8, "serial", CQLN_LEVELS, "serial level of conditional statements")       \
    OPT_CHOICE(tls, 0, "off", "off|require|verify-ca|verify-full",                                         \
        "encryption: verify-full (or on) checks certificate and name; require checks nothing, "    \
        "and is set by cql_options_set_tls_insecure and --tls-insecure alone")                     \
    OPT_TEXT(tls_ca, text,                                                                         \
        "authorities to trust: a PEM file, or a folder of hashed names; not given: the system's")  \
    OPT_TEXT(tls_crl, text, "PEM file of lists of revoked certificates")                           \
    OPT_TEXT(tls_cert, text, "PEM file of this side's certificate, for servers that want one")     \
    OPT_TEXT(tls_key, text, "PEM file of its key; not given: in the file of the certificate")      \
    OPT_TEXT(tls_key_password, secret,                                                             \
        "pass phrase of that key; never shown, not taken from a connection string")                \
    OPT_CHOICE(tls_key_check, 0, "strict", "strict|loose",                                                 \
        "strict: the key's file is no link, and its owner's alone; loose: any file")               \
    OPT_TEXT(tls_name, text,                                                                       \
        "the name that the certificates of all nodes have; not given: the one that is dialled")    \
    OPT_TEXT(secure_bundle, text,                                                                  \
        "zip file of an Astra database: it names the cluster and holds authority, certificate and key; in place of contact_points and of what tls_ sets") \
    OPT_TEXT(auth_classes, text,                                                                   \
        "further server authenticators that may get the password, commas between")                 \
    OPT_CHOICE(client_timestamps, 1, "true", "false|true",                                                 \
        "write times come from this side, rising strictly; false: from the server")                \
    OPT_CHOICE(preset, 0, "none", "none|server|device",                                                    \
        "a set of values for options that are not given themselves, see below")

#define CQLN_LEVELS                                                                                \
    "any|one|two|three|quorum|all|local_quorum|each_quorum|serial|local_serial|local_one"

/* What `preset` sets, where the option itself is not given: preset, option, value. */
#define CQLN_PRESETS(X)                                                                            \
    X("server", "connections_per_host", "2")                                                       \
    X("server", "max_connections_per_host", "8")                                                   \
    X("server", "max_pending_requests", "65536")                                                   \
    X("server", "max_pending_bytes", "268435456")                                                  \
    X("server", "read_buffer", "524288")                                                           \
    X("device", "connections_per_host", "1")                                                       \
    X("device", "max_connections_per_host", "1")                                                   \
    X("device", "max_requests_per_connection", "32")                                               \
    X("device", "max_pending_requests", "64")                                                      \
    X("device", "max_pending_bytes", "131072")                                                     \
    X("device", "max_response_bytes", "1048576")                                                   \
    X("device", "read_buffer", "4096")                                                             \
    X("device", "connect_timeout", "15s")                                                          \
    X("device", "request_timeout", "30s")                                                          \
    X("device", "reconnect_max", "10m")                                                            \
    X("device", "heartbeat", "2m")                                                                 \
    X("device", "heartbeat_timeout", "15s")                                                        \
    X("device", "refresh_interval", "10m")                                                         \
    X("device", "page_size", "100")

/* Values that neither the environment nor a file may set, since they take protection away: option,
 * words ("*": any value). They come from the program's own calls, a connection string or a command
 * line. The first row stands for no option and keeps the list from being empty. */
#define CQLN_OPTIONS_BY_HAND(X)                                                                    \
    X("", "*")                                                                                     \
    X("idempotent", "true")                                                                        \
    X("plain_auth", "always")                                                                      \
    X("tls", "off|require|verify-ca")                                                              \
    X("tls_key_check", "loose")
/* clang-format on */

#endif
