/* chatlog.c: the ChatBattle chat log: raw messages of a channel as a time series.
 *
 *   chatlog write [FILE]                 one JSON object a line, named as the columns
 *   chatlog latest CHANNEL [N]           newest first
 *   chatlog range CHANNEL FROM TO        FROM <= timestamp < TO
 *   chatlog count CHANNEL
 *   chatlog ttl CHANNEL                  how long the newest message still lives
 *   chatlog load                         writes at a rate and shows how long it took
 *
 * The schema is cql/chatbattle.cql. Messages go through the buffered writer, each as a request of its own
 * with a bound on how many are under way; --group N gathers those of a channel into batches. */
#include "common/app.h"

#include "common/histogram.h"
#include "common/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INSERT                                                                                     \
    "INSERT INTO %K.raw_chat_messages (channel_id, timestamp, message_id, user_id, username, "     \
    "message, emotes) VALUES (?, ?, ?, ?, ?, ?, ?)"
#define COLUMNS "channel_id, timestamp, message_id, user_id, username, message, emotes"
#define PAGE    500

enum {
    OPT_KEYSPACE = TOOL_OPT_OWN,
    OPT_TTL,
    OPT_GROUP,
    OPT_IN_FLIGHT,
    OPT_RATE,
    OPT_SECONDS,
    OPT_CHANNELS,
    OPT_JSON
};

static const tool_option own_rows[] = {
    {'k', "keyspace", "NAME", OPT_KEYSPACE, "where the table is (twitch_chat)"},
    {0, "ttl", "SECONDS", OPT_TTL, "write: life of the messages (that of the table)"},
    {0, "group", "N", OPT_GROUP, "write, load: up to N messages of a channel in one request (1)"},
    {0, "in-flight", "N", OPT_IN_FLIGHT, "write, load: requests under way (256)"},
    {0, "rate", "N", OPT_RATE, "load: messages a second (as many as possible)"},
    {0, "seconds", "SECONDS", OPT_SECONDS, "load: how long (10)"},
    {0, "channels", "N", OPT_CHANNELS, "load: channels to write into (3)"},
    {0, "json", NULL, OPT_JSON, "load: the figures as one JSON object"},
};
static const tool_option_set sets[] = {
    {"Options", own_rows, CQL_COUNT(own_rows)},
    {"Connection", tool_connection_options, TOOL_CONNECTION_OPTION_COUNT},
};
static const tool_program program = {
    .name = "chatlog",
    .usage = "[options] write [FILE]\n[options] latest CHANNEL [N]\n"
             "[options] range CHANNEL FROM TO\n[options] count CHANNEL\n[options] ttl CHANNEL\n"
             "[options] load",
    .purpose = "Writes chat messages, one JSON object a line, and reads them by channel and time.\n"
               "The server: --host, else CASSANDRA_HOSTS or CQL_CONTACT_POINTS, else 127.0.0.1.",
    .sets = sets,
    .set_count = CQL_COUNT(sets),
};

typedef struct chatlog {
    app app;
    const char *keyspace;
    const char *words[4];
    size_t word_count;
    uint64_t ttl, group, in_flight, rate, millis, channels;
    bool json;
    cql_prepared *insert;
    cql_statement *row;
    cql_writer *writer;
    size_t written, failed, rejected;
    tool_histogram times;
} chatlog;

/* --- writing --------------------------------------------------------------------------------------- */

static void on_flushed(void *user, const cql_writer_flushed *info)
{
    chatlog *c = user;
    app_flushed(&c->app, info, 1);
}

static cql_status start_writing(chatlog *c)
{
    char cql[512];
    snprintf(cql, sizeof cql, c->ttl ? "%s USING TTL %llu" : "%s", app_cql(INSERT, c->keyspace),
             (unsigned long long)c->ttl);
    cql_status st = cql_session_prepare_wait(c->app.s, cql, &c->insert, &c->app.err);
    if (st == CQL_OK && !(c->row = cql_prepared_bind(c->insert)))
        st = CQL_NO_MEMORY;
    cql_writer_options o = {.size = sizeof o,
                            .grouping = c->group > 1 ? CQL_WRITER_BY_PARTITION : CQL_WRITER_BY_ROW,
                            .group_rows = (uint32_t)c->group,
                            .flush_ms = 200,
                            .max_in_flight = (uint32_t)c->in_flight,
                            .max_rows = (uint32_t)(2 * c->in_flight * c->group),
                            .on_flushed = on_flushed,
                            .user = c};
    if (st == CQL_OK)
        st = cql_writer_new(c->app.s, &o, &c->writer, &c->app.err);
    return st;
}

static void on_written(cql_writer *w, const cql_error *err, void *user)
{
    chatlog *c = user;
    (void)w;
    if (!err) {
        c->written++;
        return;
    }
    if (c->failed++ == 0 && !tool_interrupted()) /* then the end tells */
        tool_report(c->app.name, err, c->app.schema);
}

typedef struct message {
    const char *channel, *id, *user, *name, *text;
    int64_t at;
    cql_collection *emotes;
    cql_uuid uuid;
} message;

/* NULL when the line is a message; else the field and what is wrong with it. */
static const char *read_message(const cJSON *object, const char *line, message *m,
                                const char **field)
{
    bool has_time;
    const char *why;
    if ((why = app_text(object, *field = "channel_id", &m->channel)) ||
        (why = app_int64(object, line, *field = "timestamp", &m->at, &has_time)) ||
        (why = app_text(object, *field = "message_id", &m->id)) ||
        (why = app_text(object, *field = "user_id", &m->user)) ||
        (why = app_text(object, *field = "username", &m->name)) ||
        (why = app_text(object, *field = "message", &m->text)) ||
        (why = app_list(object, *field = "emotes", &m->emotes)))
        return why;
    *field = "channel_id";
    if (!m->channel || !*m->channel)
        return "is missing";
    *field = "timestamp";
    if (!has_time)
        return "is missing";
    *field = "message_id";
    if (!m->id)
        m->uuid = cql_uuid_random();
    else if (cql_uuid_parse(cql_str_of(m->id), &m->uuid) != CQL_OK)
        return "is not a UUID";
    return NULL;
}

static cql_value text_or_unset(const char *text)
{
    return text ? cql_value_text(text) : cql_value_unset();
}

static cql_status put(chatlog *c, const message *m)
{
    cql_status st = cql_statement_bind(
        c->row,
        CQL_VALUES(cql_value_text(m->channel), cql_value_int64(m->at), cql_value_uuid(m->uuid),
                   text_or_unset(m->user), text_or_unset(m->name), text_or_unset(m->text),
                   m->emotes ? cql_value_collection(m->emotes) : cql_value_unset()),
        &c->app.err);
    return st == CQL_OK ? app_add(&c->app, c->writer, c->row, on_written, c) : st;
}

static cql_status take_line(chatlog *c, const char *line, size_t number)
{
    message m = {0};
    const char *field = NULL, *why = "is not JSON";
    cql_status st = CQL_OK;
    cJSON *object = cJSON_ParseWithOpts(line, NULL, 1); /* and nothing behind it */
    if (cJSON_IsObject(object))
        why = read_message(object, line, &m, &field);
    if (!why)
        st = put(c, &m);
    if (st == CQL_BAD_VALUE) { /* text that is not UTF-8 */
        why = cql_error_text(c->app.err);
        st = CQL_OK;
    }
    if (why && st == CQL_OK) {
        tool_remark(c->app.name, "line %zu: %s%s%s; rejected", number, field ? field : "it", " ",
                    why);
        c->rejected++;
    }
    cql_collection_free(m.emotes);
    cJSON_Delete(object);
    return st;
}

/* The session is turned while no line is there, so that what was read does not wait for the next one. */
static cql_status write_lines(chatlog *c, app_lines *lines)
{
    char *line;
    cql_status st = start_writing(c);
    while (st == CQL_OK && !tool_interrupted() && (line = app_next_line(lines)) != NULL)
        if (line[strspn(line, " \t\r\n")])
            st = take_line(c, line, lines->number);
    app_lines_free(lines);
    c->failed += st == CQL_CANCELLED; /* the line that found no room */
    return st == CQL_OK || st == CQL_CANCELLED ? app_flush(&c->app, c->writer) : st;
}

static int write_file(chatlog *c)
{
    const char *path = c->word_count > 1 ? c->words[1] : "-";
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!in) {
        tool_remark(c->app.name, "%s cannot be read: %s", path, strerror(errno));
        return TOOL_EXIT_FAILED;
    }
    app_lines lines = {.in = in, .s = c->app.s};
    cql_status st = write_lines(c, &lines);
    if (in != stdin)
        fclose(in);
    if (lines.failed)
        tool_remark(c->app.name, "%s cannot be read: %s", path, strerror(lines.failed));
    printf("%zu written, %zu rejected, %zu failed\n", c->written, c->rejected, c->failed);
    if (st != CQL_OK)
        return app_report(&c->app, st);
    return c->failed || c->rejected || lines.failed ? TOOL_EXIT_FAILED : TOOL_EXIT_OK;
}

/* --- load ------------------------------------------------------------------------------------------ */

typedef struct load_row {
    chatlog *c;
    uint64_t due; /* when it should have been sent */
    struct load_row *next;
} load_row;

static load_row *spare_rows;

static void spare(load_row *r)
{
    r->next = spare_rows;
    spare_rows = r;
}

static void free_spare_rows(void)
{
    while (spare_rows) {
        load_row *next = spare_rows->next;
        free(spare_rows);
        spare_rows = next;
    }
}

static void on_loaded(cql_writer *w, const cql_error *err, void *user)
{
    load_row *r = user;
    tool_histogram_add(&r->c->times, app_ticks_us() - r->due);
    on_written(w, err, r->c);
    spare(r);
}

static cql_status load_one(chatlog *c, size_t number, uint64_t due)
{
    char channel[32], name[32];
    load_row *r = spare_rows ? spare_rows : tool_alloc(1, sizeof *r);
    if (spare_rows)
        spare_rows = r->next;
    *r = (load_row){c, due, NULL};
    snprintf(channel, sizeof channel, "load-%zu", number % (size_t)c->channels);
    snprintf(name, sizeof name, "viewer%zu", number % 1000);
    cql_status st = cql_statement_bind(
        c->row,
        CQL_VALUES(cql_value_text(channel), cql_value_int64(app_now_ms()),
                   cql_value_uuid(cql_uuid_random()), cql_value_text(name), cql_value_text(name),
                   cql_value_text("a message of about the length that people type in a chat"),
                   cql_value_unset()),
        &c->app.err);
    if (st == CQL_OK)
        st = app_add(&c->app, c->writer, c->row, on_loaded, r);
    if (st != CQL_OK)
        spare(r);
    return st;
}

static void print_load(chatlog *c, uint64_t took_us)
{
    static const double at[] = {50, 90, 99, 99.9, 100};
    static const char *const names[] = {"p50", "p90", "p99", "p99_9", "max"};
    double rate = (double)c->written * 1e6 / (double)took_us;
    if (c->json) {
        cJSON *line = tool_json_object("load");
        tool_json_int(line, "rows", (int64_t)c->written);
        tool_json_int(line, "failed", (int64_t)c->failed);
        cJSON_AddNumberToObject(line, "rate", rate);
        for (size_t i = 0; i < CQL_COUNT(at); i++)
            tool_json_ms(line, names[i], tool_histogram_at(&c->times, at[i]));
        tool_json_line(stdout, line);
        return;
    }
    printf("%zu messages in %.1f s: %.0f a second, %zu failed\n", c->written, (double)took_us / 1e6,
           rate, c->failed);
    for (size_t i = 0; i < CQL_COUNT(at); i++)
        printf("  %-5s %9.3f ms\n", names[i], (double)tool_histogram_at(&c->times, at[i]) / 1000);
}

/* At a rate, messages are due whatever the answers do; without one, as soon as there is room. */
static int load(chatlog *c)
{
    uint64_t began, now, end;
    size_t sent = 0;
    cql_status st = start_writing(c);
    began = now = app_ticks_us();
    end = began + c->millis * 1000;
    while (st == CQL_OK && now < end && !tool_interrupted()) {
        uint64_t due = c->rate ? began + sent * 1000000 / c->rate : now;
        if (due <= now) {
            st = load_one(c, sent++, due);
            if (sent % 64 == 0)
                (void)cql_session_drive(c->app.s, 0);
        } else {
            (void)cql_session_drive(c->app.s, (int)((due - now) / 1000));
        }
        now = app_ticks_us();
    }
    if (st == CQL_OK || st == CQL_CANCELLED)
        st = app_flush(&c->app, c->writer);
    if (st != CQL_OK)
        return app_report(&c->app, st);
    print_load(c, app_ticks_us() - began);
    return c->failed ? TOOL_EXIT_FAILED : TOOL_EXIT_OK;
}

/* --- reading --------------------------------------------------------------------------------------- */

static bool print_row(cql_rows *rows, const cql_result *res, void *user)
{
    (void)user;
    return tool_json_line(stdout, app_row_json(rows, res));
}

static int read_with(chatlog *c, const char *pattern, cql_values values)
{
    cql_status st = app_each_row(&c->app, app_cql(pattern, c->keyspace), values, PAGE, print_row, c);
    return st == CQL_OK ? TOOL_EXIT_OK : app_report(&c->app, st);
}

static int latest(chatlog *c)
{
    int64_t n = 50;
    char *end = NULL;
    if (c->word_count > 2)
        n = strtoll(c->words[2], &end, 10);
    if ((end && *end) || n < 1 || n > INT32_MAX) {
        tool_remark(c->app.name, "\"%s\" is not a number of messages", c->words[2]);
        return TOOL_EXIT_USAGE;
    }
    return read_with(c, "SELECT " COLUMNS " FROM %K.raw_chat_messages WHERE channel_id = ? LIMIT ?",
                     CQL_VALUES(cql_value_text(c->words[1]), cql_value_int32((int32_t)n)));
}

static int range(chatlog *c)
{
    int64_t from, to;
    if (!app_time(c->words[2], &from) || !app_time(c->words[3], &to)) {
        tool_remark(c->app.name, "a time is milliseconds since 1970 or 2026-01-15T10:00:00Z");
        return TOOL_EXIT_USAGE;
    }
    return read_with(c,
                     "SELECT " COLUMNS " FROM %K.raw_chat_messages WHERE channel_id = ? AND "
                     "timestamp >= ? AND timestamp < ?",
                     CQL_VALUES(cql_value_text(c->words[1]), cql_value_int64(from),
                                cql_value_int64(to)));
}

static bool print_number(cql_rows *rows, const cql_result *res, void *user)
{
    (void)res;
    *(bool *)user = true;
    printf("%lld\n", (long long)(cql_rows_value(rows, 0).len == 8 ? cql_rows_int64(rows, 0)
                                                                   : cql_rows_int32(rows, 0)));
    return false;
}

static int number(chatlog *c, const char *pattern)
{
    bool found = false;
    cql_status st = app_each_row(&c->app, app_cql(pattern, c->keyspace),
                                 CQL_VALUES(cql_value_text(c->words[1])), PAGE, print_number, &found);
    if (st != CQL_OK)
        return app_report(&c->app, st);
    if (!found)
        tool_remark(c->app.name, "channel %s has no messages", c->words[1]);
    return found ? TOOL_EXIT_OK : TOOL_EXIT_FAILED;
}

/* --- the command line ------------------------------------------------------------------------------ */

static void take(chatlog *c, tool_args *a)
{
    switch (a->id) {
    case TOOL_OPT_WORD:
        if (c->word_count == CQL_COUNT(c->words))
            tool_args_fail(a, "one word too many: %s", a->value);
        else
            c->words[c->word_count++] = a->value;
        break;
    case OPT_KEYSPACE:
        c->keyspace = a->value;
        break;
    case OPT_TTL:
        (void)tool_args_count(a, 1, 630720000, &c->ttl);
        break;
    case OPT_GROUP:
        (void)tool_args_count(a, 1, 65535, &c->group);
        break;
    case OPT_IN_FLIGHT:
        (void)tool_args_count(a, 1, 16384, &c->in_flight);
        break;
    case OPT_RATE:
        (void)tool_args_count(a, 1, 10000000, &c->rate);
        break;
    case OPT_SECONDS:
        (void)tool_args_seconds(a, 1, 86400000, &c->millis);
        break;
    case OPT_CHANNELS:
        (void)tool_args_count(a, 1, 1000000, &c->channels);
        break;
    case OPT_JSON:
        c->json = true;
        break;
    }
}

static const struct {
    const char *name;
    size_t least, most; /* words, the name included */
} commands[] = {{"write", 1, 2}, {"latest", 2, 3}, {"range", 4, 4},
                {"count", 2, 2}, {"ttl", 2, 2},    {"load", 1, 1}};

static void check(chatlog *c, tool_args *a)
{
    const char *name = c->word_count ? c->words[0] : "";
    for (size_t i = 0; i < CQL_COUNT(commands); i++)
        if (strcmp(name, commands[i].name) == 0) {
            if (c->word_count < commands[i].least || c->word_count > commands[i].most)
                tool_args_fail(a, "%s is given as --help shows", name);
            return;
        }
    tool_args_fail(a, *name ? "there is no command \"%s\"" : "a command is needed%s", name);
}

static int run(chatlog *c, tool_args *a)
{
    app_default("consistency", "LOCAL_ONE", false);
    int code = app_open(&c->app, a);
    if (code)
        return code;
    switch (c->words[0][0]) {
    case 'w':
        return write_file(c);
    case 'r':
        return range(c);
    case 'c':
        return number(c, "SELECT count(*) FROM %K.raw_chat_messages WHERE channel_id = ?");
    case 't':
        return number(c, "SELECT ttl(message) FROM %K.raw_chat_messages WHERE channel_id = ? LIMIT 1");
    default:
        return strcmp(c->words[0], "load") == 0 ? load(c) : latest(c);
    }
}

int main(int argc, char **argv)
{
    chatlog c = {.group = 1, .in_flight = 256, .millis = 10000, .channels = 3};
    tool_args a;
    app_init(&c.app, program.name, "cql/chatbattle.cql", "CASSANDRA_HOSTS");
    c.keyspace = getenv("CASSANDRA_KEYSPACE");
    if (!c.keyspace || !*c.keyspace)
        c.keyspace = "twitch_chat";
    tool_args_init(&a, &program, argc, argv);
    while (tool_args_next(&a))
        if (!tool_connection_take(&c.app.connection, &a))
            take(&c, &a);
    if (!a.ended)
        check(&c, &a);
    if (!a.ended && !app_is_name(c.keyspace))
        tool_args_fail(&a, "\"%s\" is not the name of a keyspace", c.keyspace);
    int code = a.ended ? a.exit_code : run(&c, &a);
    cql_writer_free(c.writer); /* what it still held ends here */
    free_spare_rows();
    cql_statement_free(c.row);
    cql_prepared_unref(c.insert);
    app_free(&c.app);
    return tool_finish(program.name, code);
}
