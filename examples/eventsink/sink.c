/* From a record to a row, or to the dead letters. */
#include "eventsink/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INSERT                                                                                     \
    "INSERT INTO %K.task_events (event_id, task_id, user_id, action, title, completed, date, "     \
    "timestamp, source, metadata, schema_version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

static const char *const fields[] = {"event_id", "task_id", "user_id",   "action",
                                     "title",    "completed", "date",    "timestamp",
                                     "source",   "metadata",  "schema_version"};

typedef struct event {
    const char *id, *task, *user, *action, *title, *date, *source;
    int completed; /* -1: absent */
    int64_t timestamp, version;
    bool has_timestamp, has_version;
    cql_collection *metadata;
} event;

/* --- dead letters ---------------------------------------------------------------------------------- */

static bool bury(sink *s, int64_t offset, const char *text, size_t len, const char *reason)
{
    char where[32];
    s->dead_count++;
    snprintf(where, sizeof where, "%lld", (long long)offset);
    if (!s->dead) {
        tool_remark(s->app.name, "record %s: %s", where, reason);
        if (s->stop_at_error)
            s->failed = true;
        return !s->failed;
    }
    cJSON *line = tool_json_object(NULL);
    tool_json_int(line, "offset", offset);
    tool_json_text(line, "reason", reason);
    tool_json_str(line, "record", (cql_str){text, len});
    if (!tool_json_line(s->dead, line)) {
        tool_remark(s->app.name, "%s cannot be written", s->dead_path);
        s->failed = true;
    }
    return !s->failed;
}

bool sink_sync_dead(sink *s)
{
    if (!s->dead || (fflush(s->dead) == 0 && (fsync(fileno(s->dead)) == 0 || errno == EINVAL)))
        return true;
    tool_remark(s->app.name, "%s cannot be written", s->dead_path);
    s->failed = true;
    return false;
}

/* --- reading --------------------------------------------------------------------------------------- */

/* NULL when it can be stored; else the field and what is wrong with it. */
static const char *read_event(const cJSON *o, const char *line, event *e, const char **field)
{
    const char *why;
    if ((why = app_text(o, *field = "event_id", &e->id)) ||
        (why = app_text(o, *field = "task_id", &e->task)) ||
        (why = app_text(o, *field = "user_id", &e->user)) ||
        (why = app_text(o, *field = "action", &e->action)) ||
        (why = app_text(o, *field = "title", &e->title)) ||
        (why = app_bool(o, *field = "completed", &e->completed)) ||
        (why = app_text(o, *field = "date", &e->date)) ||
        (why = app_int64(o, line, *field = "timestamp", &e->timestamp, &e->has_timestamp)) ||
        (why = app_text(o, *field = "source", &e->source)) ||
        (why = app_map(o, *field = "metadata", &e->metadata)) ||
        (why = app_int64(o, line, *field = "schema_version", &e->version, &e->has_version)))
        return why;
    if (e->has_version && (e->version < INT32_MIN || e->version > INT32_MAX))
        return "does not fit 32 bits";
    *field = "event_id";
    return e->id && *e->id ? NULL : "is missing";
}

static void count_unknown(sink *s, const cJSON *o)
{
    const cJSON *each;
    cJSON_ArrayForEach(each, o)
    {
        size_t i = 0;
        while (i < CQL_COUNT(fields) && strcmp(fields[i], each->string) != 0)
            i++;
        s->unknown += i == CQL_COUNT(fields);
    }
}

static cql_value text(const char *v)
{
    return v ? cql_value_text(v) : cql_value_unset();
}

static cql_status bind(sink *s, const event *e)
{
    return cql_statement_bind(
        s->row,
        CQL_VALUES(cql_value_text(e->id), text(e->task), text(e->user), text(e->action),
                   text(e->title),
                   e->completed < 0 ? cql_value_unset() : cql_value_bool(e->completed),
                   text(e->date),
                   e->has_timestamp ? cql_value_int64(e->timestamp) : cql_value_unset(),
                   text(e->source),
                   e->metadata ? cql_value_collection(e->metadata) : cql_value_unset(),
                   e->has_version ? cql_value_int32((int32_t)e->version) : cql_value_unset()),
        &s->app.err);
}

/* --- writing --------------------------------------------------------------------------------------- */

/* A record under way keeps its text, in case it must be buried after all. */
typedef struct pending {
    track_slot *slot;
    int64_t offset;
    size_t len;
    char text[];
} pending;

/* Only this record is at fault: anything else would bury everything that follows. */
static bool is_the_records_fault(const cql_error *err)
{
    cql_status st = cql_error_status(err);
    return (st == CQL_SERVER_INVALID && !tool_missing_object(err)) || st == CQL_TOO_LARGE;
}

static void on_written(cql_writer *w, const cql_error *err, void *user)
{
    pending *p = user;
    tracker *t = p->slot->t;
    sink *s = t->s;
    (void)w;
    if (!err) {
        s->written++;
        track_done(p->slot);
    } else if (is_the_records_fault(err)) {
        if (bury(s, p->offset, p->text, p->len, cql_error_text(err)))
            track_done(p->slot);
    } else if (cql_error_status(err) != CQL_CANCELLED && !s->failed) {
        s->failed = true;
        tool_report(s->app.name, err, s->app.schema);
    }
    free(p);
}

static void on_flushed(void *user, const cql_writer_flushed *info)
{
    sink *s = user;
    app_flushed(&s->app, info, 3);
}

cql_status sink_start(sink *s)
{
    char cql[600];
    snprintf(cql, sizeof cql, s->ttl ? "%s USING TTL %llu" : "%s", app_cql(INSERT, s->keyspace),
             (unsigned long long)s->ttl);
    cql_status st = cql_session_prepare_wait(s->app.s, cql, &s->insert, &s->app.err);
    if (st == CQL_OK && !(s->row = cql_prepared_bind(s->insert)))
        st = CQL_NO_MEMORY;
    cql_writer_options o = {.size = sizeof o,
                            .grouping = CQL_WRITER_BY_ROW,
                            .max_in_flight = (uint32_t)s->in_flight,
                            .max_rows = SINK_WINDOW / 2,
                            .close_ms = UINT32_MAX,
                            .on_flushed = on_flushed,
                            .user = s};
    return st == CQL_OK ? cql_writer_new(s->app.s, &o, &s->writer, &s->app.err) : st;
}

/* The row is bound. */
static cql_status send(sink *s, const sink_record *r)
{
    cql_writer_stats stats;
    cql_writer_read_stats(s->writer, &stats);
    if (stats.rows_held >= SINK_WINDOW / 2 || r->tracker->count == SINK_WINDOW)
        return CQL_WOULD_BLOCK;
    pending *p = malloc(sizeof *p + r->len + 1);
    if (!p)
        return CQL_NO_MEMORY;
    p->offset = r->offset;
    p->len = r->len;
    memcpy(p->text, r->text, r->len + 1);
    cql_status st = cql_writer_add(s->writer, s->row, on_written, p);
    if (st != CQL_OK) {
        free(p);
        return st;
    }
    /* no acknowledgement comes from inside the call */
    p->slot = tracker_add(r->tracker, r->next, r->bytes);
    s->read++;
    return CQL_OK;
}

cql_status sink_take(sink *s, const sink_record *r)
{
    event e = {.completed = -1};
    const char *field = "it", *why = "is not a JSON object";
    char reason[600];
    cJSON *object = NULL;
    cql_status st = CQL_OK;
    if (r->tracker->count == SINK_WINDOW)
        return CQL_WOULD_BLOCK;
    if (r->problem)
        why = r->problem;
    else if (strlen(r->text) == r->len)
        object = cJSON_ParseWithOpts(r->text, NULL, 1);
    if (cJSON_IsObject(object))
        why = read_event(object, r->text, &e, &field);
    snprintf(reason, sizeof reason, "%s %s", field, why ? why : "");
    if (!why && bind(s, &e) != CQL_OK) {
        snprintf(reason, sizeof reason, "%s", s->app.err ? cql_error_text(s->app.err) : "no memory");
        why = reason;
        cql_error_unref(s->app.err);
        s->app.err = NULL;
    }
    if (!why) {
        st = send(s, r);
    } else {
        s->read++;
        track_slot *slot = tracker_add(r->tracker, r->next, r->bytes);
        if (bury(s, r->offset, r->text, r->len, reason))
            track_done(slot);
    }
    if (st == CQL_OK && object)
        count_unknown(s, object);
    cql_collection_free(e.metadata);
    cJSON_Delete(object);
    return st;
}
