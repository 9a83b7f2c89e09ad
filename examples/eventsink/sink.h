/* sink.h: the parts of the event sink.
 *
 *   source (lines.c, container.c, kafka.c) -> record -> sink.c -> buffered writer
 *                                                           -> acknowledgement -> track.c
 *
 * A tracker holds the records of one input in their order; what may be remembered as done is the end of
 * the longest beginning in which every record was acknowledged or went to the dead letters. */
#ifndef EVENTSINK_SINK_H
#define EVENTSINK_SINK_H

#include "common/app.h"

#include <stdio.h>

enum { SINK_WINDOW = 4096 };

typedef struct sink sink;
typedef struct tracker tracker;

typedef struct track_slot {
    tracker *t;
    int64_t next;  /* the offset to go on with once this one is done */
    int64_t bytes; /* of a file: where that is */
    bool done;
} track_slot;

struct tracker {
    sink *s;
    int32_t partition;
    int64_t next;  /* the offset after the done beginning; -1: nothing yet */
    int64_t bytes;
    int64_t saved; /* what was remembered last */
    size_t first, count;
    track_slot slots[SINK_WINDOW];
};

void tracker_init(tracker *t, sink *s, int32_t partition, int64_t next, int64_t bytes);
/* NULL when the window is full. */
track_slot *tracker_add(tracker *t, int64_t next, int64_t bytes);
void track_done(track_slot *slot);

typedef struct sink_record {
    tracker *tracker;
    int64_t offset; /* of this record */
    int64_t next, bytes;
    const char *text; /* ends with a NUL */
    size_t len;
    const char *problem; /* why it can be no event whatever the text says; NULL: nothing */
} sink_record;

typedef enum source_result {
    SOURCE_RECORD,
    SOURCE_IDLE, /* nothing now */
    SOURCE_END,
    SOURCE_FAILED /* told already */
} source_result;

typedef struct source source;
typedef struct source_ops {
    source_result (*next)(source *src, sink_record *out);
    /* Waits for input or the session, at most ms. */
    void (*wait)(source *src, int ms);
    /* Remembers what is done; false after a message. */
    bool (*save)(source *src, bool last);
    /* current offset (-1: none), end offset; false after a message. */
    bool (*position)(source *src, int64_t *current, int64_t *end);
    void (*close)(source *src);
} source_ops;
struct source {
    const source_ops *ops;
    sink *s;
};

struct sink {
    app app;
    source *src;
    const char *keyspace, *path, *checkpoint, *dead_path;
    const char *broker, *topic, *group_id, *avro_schema;
    uint64_t group, in_flight, ttl, session_timeout /* seconds */;
    bool kafka, follow, reset, stop_at_error, until_end;
    FILE *dead;
    cql_prepared *insert;
    cql_statement *row;
    cql_writer *writer;
    uint64_t read, written, dead_count, unknown;
    bool failed; /* something that stops it; told already */
};

/* sink.c */
cql_status sink_start(sink *s);
/* CQL_OK: taken, or dead. CQL_WOULD_BLOCK: not taken, give it again. */
cql_status sink_take(sink *s, const sink_record *r);
/* The dead letters reach the disk before anything behind them is remembered as done. */
bool sink_sync_dead(sink *s);

/* checkpoint.c: false when there is none. */
bool checkpoint_load(const sink *s, int64_t *offset, int64_t *bytes);
/* What the tracker says is done; false after a message. */
bool checkpoint_save(sink *s, tracker *t);

source *lines_open(sink *s);
#ifdef WITH_AVRO
/* container.c: a file of Avro records with their schema in it. */
bool container_is(const char *path);
source *container_open(sink *s);
#endif
#ifdef WITH_KAFKA
source *kafka_open(sink *s, bool only_look);
#endif

#endif
