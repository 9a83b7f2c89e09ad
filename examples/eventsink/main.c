/* eventsink: the Habit task-event sink: events, one JSON object or one Avro record each, from a file, from
 * standard input or from a Kafka topic into habit_ks.task_events, at least once. The schema is cql/habit.cql.
 *
 * Each record is a partition of its own, so a group of records is sent as that many inserts side by side,
 * not as a batch. Trouble that passes holds the sink up; a record that cannot be stored goes to the dead
 * letters. What is remembered as done never has a gap: killing it at any time loses nothing. */
#include "eventsink/sink.h"

#include <stdlib.h>
#include <string.h>

enum { SAVE_EVERY_MS = 500, IDLE_MS = 200, STOP_MS = 5000, SIGNAL_MS = 20000 };

enum {
    OPT_KEYSPACE = TOOL_OPT_OWN,
    OPT_CHECKPOINT,
    OPT_DEAD,
    OPT_ERRORS,
    OPT_FOLLOW,
    OPT_GROUP,
    OPT_IN_FLIGHT,
    OPT_TTL,
    OPT_RESET,
    OPT_STATUS,
    OPT_CONFIG,
    OPT_LOOK,
    OPT_COUNT,
    OPT_TRUNCATE,
    OPT_YES,
    OPT_KAFKA,
    OPT_BROKER,
    OPT_TOPIC,
    OPT_GROUP_ID,
    OPT_SESSION_TIMEOUT,
    OPT_UNTIL_END,
    OPT_AVRO_SCHEMA
};

static const tool_option own_rows[] = {
    {'k', "keyspace", "NAME", OPT_KEYSPACE, "where the table is (habit_ks)"},
    {0, "checkpoint", "FILE", OPT_CHECKPOINT, "where what is done is kept (FILE.offset)"},
    {0, "dead-letter", "FILE", OPT_DEAD, "records that cannot be stored, with the reason"},
    {0, "ignore-errors", "WHICH", OPT_ERRORS,
     "none: stop at the first such record; all: go on\n(all with --dead-letter, else none)"},
    {'f', "follow", NULL, OPT_FOLLOW, "wait for what is appended to the file"},
    {0, "group", "N", OPT_GROUP, "records that are sent together (32)"},
    {0, "in-flight", "N", OPT_IN_FLIGHT, "requests under way (500)"},
    {0, "ttl", "SECONDS", OPT_TTL, "life of the rows (no end)"},
    {0, "reset", NULL, OPT_RESET, "begin anew at offset 0"},
    {0, "status", NULL, OPT_STATUS, "print current offset, end offset and lag, and end"},
    {0, "show-config", NULL, OPT_CONFIG, "print the settings in force, and end"},
    {0, "look", NULL, OPT_LOOK, "print 20 rows of the table, and end"},
    {0, "count", NULL, OPT_COUNT, "print the number of rows, and end"},
    {0, "truncate", NULL, OPT_TRUNCATE, "empty the table (with --yes), and end"},
    {0, "yes", NULL, OPT_YES, "yes, empty it"},
#ifdef WITH_KAFKA
    {0, "kafka", NULL, OPT_KAFKA, "read from a Kafka topic instead of a file"},
    {0, "broker", "HOST:PORT", OPT_BROKER, "Kafka's address (localhost:9092)"},
    {0, "topic", "NAME", OPT_TOPIC, "the topic (task-events)"},
    {0, "group-id", "NAME", OPT_GROUP_ID,
     "the consumer group\n(connect-task-events-cassandra-sink)"},
    {0, "session-timeout", "SECONDS", OPT_SESSION_TIMEOUT,
     "how long a reader that died keeps its partitions (10)"},
    {0, "until-end", NULL, OPT_UNTIL_END, "end when nothing is left to read, or Kafka is silent"},
#ifdef WITH_AVRO
    {0, "avro-schema", "FILE", OPT_AVRO_SCHEMA,
     "the topic's records are Avro of this schema, each after\nthe five bytes of a schema registry"},
#endif
#endif
};
static const tool_option_set sets[] = {
    {"Options", own_rows, CQL_COUNT(own_rows)},
    {"Connection", tool_connection_options, TOOL_CONNECTION_OPTION_COUNT},
};
#ifdef WITH_AVRO
#define FORMATS "FILE may be an Avro object container as well.\n"
#else
#define FORMATS ""
#endif
static const tool_program program = {
    .name = "eventsink",
    .usage = "[options] [FILE]",
    .purpose = "Stores task events, one JSON object a line, from FILE (may be compressed) or standard\n"
               "input. " FORMATS "The server: --host, else CQL_CONTACT_POINTS, else 127.0.0.1.",
    .sets = sets,
    .set_count = CQL_COUNT(sets),
};

/* --- the loop -------------------------------------------------------------------------------------- */

/* A group of records, as many as there is room for. */
static source_result take_group(sink *s, sink_record *held, bool *has_held)
{
    for (uint64_t i = 0; i < s->group && !s->failed; i++) {
        if (!*has_held) {
            source_result r = s->src->ops->next(s->src, held);
            if (r != SOURCE_RECORD)
                return r;
            if (!held->len) { /* an empty line */
                track_slot *slot = tracker_add(held->tracker, held->next, held->bytes);
                if (slot) {
                    track_done(slot);
                    continue;
                }
            }
            *has_held = true;
        }
        cql_status st = sink_take(s, held);
        if (st == CQL_WOULD_BLOCK)
            return SOURCE_IDLE;
        *has_held = false;
        if (st != CQL_OK) {
            app_report(&s->app, st);
            return SOURCE_FAILED;
        }
    }
    return s->failed ? SOURCE_FAILED : SOURCE_RECORD;
}

static source_result pump(sink *s)
{
    sink_record held;
    bool has_held = false;
    uint64_t saved = app_ticks_us();
    source_result r = SOURCE_RECORD;
    while (r != SOURCE_END && r != SOURCE_FAILED && !tool_interrupted()) {
        r = take_group(s, &held, &has_held);
        if (r == SOURCE_IDLE)
            s->src->ops->wait(s->src, IDLE_MS);
        (void)cql_session_drive(s->app.s, 0);
        if (app_ticks_us() - saved > SAVE_EVERY_MS * 1000) {
            saved = app_ticks_us();
            if (!s->src->ops->save(s->src, false))
                return SOURCE_FAILED;
        }
    }
    return r;
}

static void on_drained(cql_writer *w, const cql_error *err, void *user)
{
    (void)w;
    (void)err;
    *(bool *)user = true;
}

static void tell_of_rest(sink *s)
{
    cql_writer_stats stats;
    cql_writer_read_stats(s->writer, &stats);
    tool_remark(s->app.name, "%zu records were read and are not stored: the servers do not take them",
                stats.rows_held);
    s->failed = true;
}

/* Waits for what is under way; when it stops because of trouble or a signal, not for ever. What is left
 * then was not remembered as done, so the next start takes it again. */
static void drain(sink *s)
{
    static bool done; /* it may come when nobody waits any more */
    uint64_t saved = app_ticks_us(), stopping = 0;
    if (cql_writer_flush(s->writer, on_drained, &done) != CQL_OK)
        return;
    while (!done) {
        (void)cql_session_drive(s->app.s, IDLE_MS);
        uint64_t now = app_ticks_us();
        if (now - saved > SAVE_EVERY_MS * 1000) {
            saved = now;
            (void)s->src->ops->save(s->src, false);
        }
        if (!s->failed && !tool_interrupted())
            continue;
        if (!stopping)
            stopping = now;
        else if (now - stopping > (s->failed ? STOP_MS : SIGNAL_MS) * 1000)
            break;
    }
    if (!done && !s->failed)
        tell_of_rest(s);
}

static void print_position(int64_t current, int64_t end)
{
    if (current < 0)
        printf("current offset -, end offset %lld, lag %lld\n", (long long)end, (long long)end);
    else
        printf("current offset %lld, end offset %lld, lag %lld\n", (long long)current,
               (long long)end, (long long)(end - current));
}

static int consume(sink *s)
{
    int64_t current, end;
    cql_status st = sink_start(s);
    if (st != CQL_OK)
        return app_report(&s->app, st);
    if (s->dead_path && !(s->dead = fopen(s->dead_path, "a"))) {
        tool_remark(s->app.name, "%s cannot be written", s->dead_path);
        return TOOL_EXIT_FAILED;
    }
    source_result r = pump(s);
    drain(s);
    bool saved = s->src->ops->save(s->src, true);
    printf("%llu read, %llu written, %llu dead-lettered\n", (unsigned long long)s->read,
           (unsigned long long)s->written, (unsigned long long)s->dead_count);
    if (s->unknown)
        printf("%llu fields that the table does not have were ignored\n",
               (unsigned long long)s->unknown);
    if (s->src->ops->position(s->src, &current, &end))
        print_position(current, end);
    return r == SOURCE_FAILED || s->failed || !saved ? TOOL_EXIT_FAILED : TOOL_EXIT_OK;
}

/* --- the other things it does ---------------------------------------------------------------------- */

static int show_rows(sink *s, const char *pattern)
{
    cql_result *res = NULL;
    cql_status st = app_execute(&s->app, app_cql(pattern, s->keyspace), (cql_values){NULL, 0}, &res);
    if (st == CQL_OK)
        st = tool_print_rows(stdout, res);
    cql_result_unref(res);
    return st == CQL_OK ? TOOL_EXIT_OK : app_report(&s->app, st);
}

static int status(sink *s)
{
    int64_t current, end;
    if (!s->src->ops->position(s->src, &current, &end))
        return TOOL_EXIT_FAILED;
    print_position(current, end);
    return TOOL_EXIT_OK;
}

static int show_config(const sink *s)
{
    printf("keyspace %s\ntable task_events\n", s->keyspace);
    if (s->kafka)
        printf("broker %s\ntopic %s\ngroup-id %s\nsession-timeout %llu\navro-schema %s\n", s->broker,
               s->topic, s->group_id, (unsigned long long)s->session_timeout,
               s->avro_schema ? s->avro_schema : "-");
    else
        printf("file %s\ncheckpoint %s\n", s->path, s->checkpoint ? s->checkpoint : "-");
    printf("dead-letter %s\nignore-errors %s\n", s->dead_path ? s->dead_path : "-",
           s->stop_at_error ? "none" : "all");
    printf("group %llu\nin-flight %llu\nttl %lld\nnull-to-unset true\n", (unsigned long long)s->group,
           (unsigned long long)s->in_flight, s->ttl ? (long long)s->ttl : -1LL);
    return TOOL_EXIT_OK;
}

/* --- the command line ------------------------------------------------------------------------------ */

typedef struct line {
    sink s;
    int action; /* an OPT_, or 0 */
    bool yes;
    const char *errors;
} line;

static void take_number(tool_args *a, line *l)
{
    if (a->id == OPT_GROUP)
        (void)tool_args_count(a, 1, SINK_WINDOW / 2, &l->s.group);
    else if (a->id == OPT_IN_FLIGHT)
        (void)tool_args_count(a, 1, 16384, &l->s.in_flight);
    else if (a->id == OPT_SESSION_TIMEOUT)
        (void)tool_args_count(a, 6, 300, &l->s.session_timeout);
    else
        (void)tool_args_count(a, 1, 630720000, &l->s.ttl);
}

static void take(tool_args *a, line *l)
{
    sink *s = &l->s;
    const struct {
        int id;
        const char **to;
    } texts[] = {{OPT_KEYSPACE, &s->keyspace}, {OPT_CHECKPOINT, &s->checkpoint},
                 {OPT_DEAD, &s->dead_path},    {OPT_ERRORS, &l->errors},
                 {OPT_BROKER, &s->broker},     {OPT_TOPIC, &s->topic},
                 {OPT_GROUP_ID, &s->group_id}, {OPT_AVRO_SCHEMA, &s->avro_schema}};
    const struct {
        int id;
        bool *to;
    } flags[] = {{OPT_FOLLOW, &s->follow}, {OPT_RESET, &s->reset},         {OPT_YES, &l->yes},
                 {OPT_KAFKA, &s->kafka},   {OPT_UNTIL_END, &s->until_end}};
    for (size_t i = 0; i < CQL_COUNT(texts); i++)
        if (a->id == texts[i].id)
            *texts[i].to = a->value;
    for (size_t i = 0; i < CQL_COUNT(flags); i++)
        if (a->id == flags[i].id)
            *flags[i].to = true;
    if (a->id == OPT_GROUP || a->id == OPT_IN_FLIGHT || a->id == OPT_TTL ||
        a->id == OPT_SESSION_TIMEOUT)
        take_number(a, l);
    else if (a->id == TOOL_OPT_WORD && s->path)
        tool_args_fail(a, "one file at a time");
    else if (a->id == TOOL_OPT_WORD)
        s->path = a->value;
    else if (a->id >= OPT_STATUS && a->id <= OPT_TRUNCATE)
        l->action = a->id;
}

static void settle(tool_args *a, line *l)
{
    static char beside[4096];
    sink *s = &l->s;
    if (!app_is_name(s->keyspace))
        tool_args_fail(a, "\"%s\" is not the name of a keyspace", s->keyspace);
    else if (l->errors && strcmp(l->errors, "none") != 0 && strcmp(l->errors, "all") != 0)
        tool_args_fail(a, "--ignore-errors takes none or all");
    else if (l->action == OPT_TRUNCATE && !l->yes)
        tool_args_fail(a, "--truncate removes every row: say --yes as well");
    else if (s->kafka && s->path)
        tool_args_fail(a, "a file or --kafka, not both");
    else if (s->avro_schema && !s->kafka)
        tool_args_fail(a, "--avro-schema belongs to --kafka: a file of Avro records has its own");
#ifdef WITH_AVRO
    else if (s->follow && s->path && container_is(s->path))
        tool_args_fail(a, "--follow is for lines: %s is an Avro object container", s->path);
#endif
    s->stop_at_error = l->errors ? strcmp(l->errors, "none") == 0 : !s->dead_path;
    if (!s->path)
        s->path = "-";
    if (!s->checkpoint && strcmp(s->path, "-") != 0) {
        snprintf(beside, sizeof beside, "%s.offset", s->path);
        s->checkpoint = beside;
    }
}

static source *open_source(sink *s, bool only_look)
{
#ifdef WITH_KAFKA
    if (s->kafka)
        return kafka_open(s, only_look);
#endif
    (void)only_look;
#ifdef WITH_AVRO
    if (container_is(s->path))
        return container_open(s);
#endif
    return lines_open(s);
}

static int run(tool_args *a, line *l)
{
    sink *s = &l->s;
    int code;
    if (l->action == OPT_CONFIG)
        return show_config(s);
    if (l->action == OPT_STATUS) {
        s->src = open_source(s, true);
        return s->src ? status(s) : TOOL_EXIT_FAILED;
    }
    app_default("consistency", "LOCAL_ONE", false);
    if ((code = app_open(&s->app, a)) != 0)
        return code;
    switch (l->action) {
    case OPT_LOOK:
        return show_rows(s, "SELECT event_id, action, title, completed, date, timestamp "
                            "FROM %K.task_events LIMIT 20");
    case OPT_COUNT:
        return show_rows(s, "SELECT count(*) FROM %K.task_events");
    case OPT_TRUNCATE:
        return show_rows(s, "TRUNCATE %K.task_events");
    }
    s->src = open_source(s, false);
    return s->src ? consume(s) : TOOL_EXIT_FAILED;
}

int main(int argc, char **argv)
{
    static line l;
    sink *s = &l.s;
    tool_args a;
    app_init(&s->app, program.name, "cql/habit.cql", NULL);
    s->keyspace = "habit_ks";
    s->group = 32;
    s->in_flight = 500;
    s->broker = "localhost:9092";
    s->topic = "task-events";
    s->group_id = "connect-task-events-cassandra-sink";
    s->session_timeout = 10;
    tool_args_init(&a, &program, argc, argv);
    while (tool_args_next(&a))
        if (!tool_connection_take(&s->app.connection, &a))
            take(&a, &l);
    if (!a.ended)
        settle(&a, &l);
    int code = a.ended ? a.exit_code : run(&a, &l);
    cql_writer_free(s->writer);
    s->writer = NULL;
    cql_statement_free(s->row);
    cql_prepared_unref(s->insert);
    app_free(&s->app);
    if (s->src)
        s->src->ops->close(s->src);
    if (s->dead)
        fclose(s->dead);
    return tool_finish(program.name, code);
}
