/* mocknode.h: a node of a mock cluster without any transport: bytes of a connection in, bytes out. It
 * keeps no rows; what it answers shows which request it answered:
 *
 *   SELECT … echo …   prepared or not, with one int value: one row with that value
 *   SELECT … rows N   N rows with the ints 0..N-1, paged by the request's page size
 *   INSERT, UPDATE    void; the int value it was bound with is counted as executed
 *   … by_key …        its value is the partition key
 *   … garbled …       rows whose body is cut; … strange …: an envelope of no known opcode
 *   CREATE …          a schema change, and one table more;  USE name: the keyspace
 *   system tables     the cluster's nodes; of the schema: keyspace "mock", its tables t0, t1, … and their column k
 *   system_traces     grows from look to look, as a slow replica has it (mocktables.c)
 *
 * Faults are set on the node; an answer can be held back, doubled or replaced. */
#ifndef TESTS_SUPPORT_MOCKNODE_H
#define TESTS_SUPPORT_MOCKNODE_H

#include "base/alloc.h"
#include "meta/address.h"
#include "respond.h"

#include <cqlnative/uuid.h>

enum { MOCK_NODES = 16, MOCK_STATEMENTS = 64, MOCK_VALUES = 1 << 20, MOCK_STREAMS = 256 };

typedef struct mockcluster mockcluster;
typedef struct mockconn mockconn;

/* A request that a test answers itself. Of a batch each statement comes with its values, and last the batch
 * without a text. */
typedef struct mockasked {
    uint8_t opcode;
    uint8_t kind; /* of the batch */
    cql_str cql;
    uint16_t consistency;
    uint16_t serial; /* 0: not said */
    int32_t page_size;
    cql_str page; /* the paging state */
    const cql_str *values; /* without ptr: null, or unset if len is not 0 */
    uint16_t count;
} mockasked;

/* A test's own tables. */
typedef struct mockplay {
    void *self;
    /* What PREPARE tells of markers and result. */
    void (*shape)(void *self, cql_str cql, respond_table *markers, respond_table *result);
    void (*answer)(void *self, mockconn *c, int16_t stream, const mockasked *asked, cqln_writer *out);
} mockplay;

typedef struct mocknode {
    mockcluster *cluster;
    cqln_address address;
    char data_center[16];
    char rack[16];
    cql_uuid host_id;
    cql_uuid schema_version;
    char token[24];        /* its only one */
    bool member;           /* shown in the system tables of the others */
    uint8_t max_version;   /* 4 or 5 */
    const char *release;   /* NULL: one that goes with its version */
    const char *cluster_name; /* NULL: "mock cluster" */
    bool want_login;       /* user "cassandra", password "secret" */
    bool mute;             /* reads requests, answers none (OPTIONS too) */
    bool stalled;          /* answers no statement and no prepare; the rest as ever */
    bool forgetful;        /* prepares, and knows nothing of it afterwards */
    bool behind;           /* has not heard yet of what wide_values says */
    uint32_t error_code;   /* answer statements with this error; 0: none */
    uint16_t error_reason; /* of a read failure, v5 */
    bool batch_errors;     /* batches too */
    bool leaving;          /* being drained: answers everything with OVERLOADED, "Server is shutting down" */
    uint64_t turned_away;  /* so answered */
    bool peers_v2;         /* has that table */
    uint32_t peers_error;  /* answers questions for it with this error; 0: none */
    uint32_t late_every;   /* every so many answers is held back behind later ones; 0: none */
    uint32_t twice_every;  /* sent twice, on v5; 0: none */
    uint64_t answers;
    uint64_t reordered;
    uint64_t doubled;
    unsigned most_statements; /* it keeps so many prepared ones, and evicts the oldest; 0: MOCK_STATEMENTS */
    uint64_t evicted;
    unsigned statements;   /* how many of its prepared ones it knows */
    char *prepared[MOCK_STATEMENTS];
    uint8_t prepared_id[MOCK_STATEMENTS][16];
    uint64_t requests;     /* QUERY, EXECUTE and BATCH that came */
    uint64_t prepares;
    uint64_t connects;
} mocknode;

struct mockcluster {
    mocknode nodes[MOCK_NODES];
    size_t count;
    uint8_t *executed; /* by value: how often a write ran */
    uint32_t columns;    /* of a row of the echo: 1, or 2 after an ALTER */
    uint32_t tables;     /* of the keyspace "mock" */
    bool wide_values;    /* markers are bigint: the table was made anew */
    uint16_t told_port;  /* that the tables and events have in place of the nodes' own; 0: those */
    uint8_t salt;        /* goes into the ids of prepared statements */
    bool restless;       /* it is another one after each PREPARE, and what was prepared is forgotten */
    unsigned conditional; /* statements with IF that ran */
    uint64_t reused;     /* streams on which a request came before the client had the earlier answer */
    const char *replication; /* of the keyspace "mock": class, "replication_factor" or a data centre,
                              * number; NULL: the table of keyspaces cannot be read */
    const char *warning; /* sent with every row result; NULL: none */
    cql_str planned_local; /* body of RESULT in place of the rows of system.local; NULL: those */
    cql_str planned_peers; /* and of the peers tables */
    const mockplay *play; /* answers what reads no system table, and is no USE; NULL: the mock itself */
    unsigned session_looks; /* how often the session of a trace was read, */
    unsigned event_looks;   /* and its events */
};

struct mockconn {
    mocknode *node;
    uint8_t version; /* 0 before STARTUP */
    bool framed;     /* segments from here on */
    bool lz4;
    bool started;
    bool registered;
    bool hears_schema; /* it asked for those events too */
    bool logged_in;
    bool broken;     /* the client sent something that is no protocol: close */
    char keyspace[48];
    cqln_writer in;   /* bytes that are not a whole segment or envelope yet */
    cqln_writer body; /* envelopes taken out of segments */
    cqln_writer out;  /* answers, ready for the wire */
    cqln_writer late; /* an answer that is held back, as envelopes */
    int16_t late_stream;
    bool asked_system; /* the request that is being answered reads a system table */
    uint64_t sent;    /* bytes put into `out` since the start */
    uint64_t seen;    /* of them, had reached the client when it wrote what is being fed; see simio */
    uint64_t answered[MOCK_STREAMS]; /* `sent` behind the last answer; 0 never used, 1 none yet */
};

void mockcluster_init(mockcluster *mc, size_t nodes);
void mockcluster_fini(mockcluster *mc);
mocknode *mockcluster_find(mockcluster *mc, const cqln_address *a);
/* A table more, and the schema's next version on all nodes; tells nobody. */
void mockcluster_add_table(mockcluster *mc);
/* Forgets its prepared statements, as a restart does. */
void mocknode_forget(mocknode *n);

void mockconn_init(mockconn *c, mocknode *n);
void mockconn_fini(mockconn *c);
/* The answer that is held back goes out. */
void mockconn_release(mockconn *c);
/* Bytes from the client; answers are appended to c->out as envelopes went through the node. */
void mockconn_feed(mockconn *c, const uint8_t *bytes, size_t len);
/* Pushes an event to a registered connection. */
void mockconn_schema_event(mockconn *c, const char *change, const char *target,
                           const char *keyspace, const char *name);
void mockconn_event(mockconn *c, const char *type, const char *change, const cqln_address *a);

#endif
