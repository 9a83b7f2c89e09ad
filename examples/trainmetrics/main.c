/* trainmetrics: the Cascor training store: what a trainer writes of its runs, and what a dashboard reads.
 *
 *   trainmetrics demo                    a simulated run calls the store as a trainer would
 *   trainmetrics write [FILE]            one JSON object a line: metric, topology or run
 *   trainmetrics history|latest RUN, range RUN START END, epoch RUN N, run ID, runs, count
 *   trainmetrics export RUN -o FILE      the metrics as lines that `write` takes
 *   trainmetrics serve                   the same over HTTP (with libmicrohttpd)
 *
 * The schema is cql/cascor.cql. */
#include "trainmetrics/serve.h"
#include "trainmetrics/store.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_CONFIG = TOOL_OPT_OWN,
    OPT_EPOCHS,
    OPT_HIDDEN,
    OPT_RUN,
    OPT_LIMIT,
    OPT_OUT,
    OPT_PORT
};

static const tool_option own_rows[] = {
    {'f', "config", "FILE", OPT_CONFIG, "settings (conf/cassandra_config.yaml and the like)"},
    {0, "epochs", "N", OPT_EPOCHS, "demo: epochs (100)"},
    {0, "hidden", "N", OPT_HIDDEN, "demo: hidden units that are added (5)"},
    {0, "run", "UUID", OPT_RUN, "demo: the run's id (a random one)"},
    {0, "limit", "N", OPT_LIMIT, "history, range: rows (1000); runs: runs (100)"},
    {'o', "output", "FILE", OPT_OUT, "export: where to"},
#ifdef WITH_MICROHTTPD
    {0, "listen", "PORT", OPT_PORT, "serve: port on 127.0.0.1 (8050)"},
#endif
};
static const tool_option_set sets[] = {
    {"Options", own_rows, CQL_COUNT(own_rows)},
    {"Connection", tool_connection_options, TOOL_CONNECTION_OPTION_COUNT},
};
static const tool_program program = {
    .name = "trainmetrics",
    .usage = "[options] demo\n[options] write [FILE]\n[options] history RUN\n[options] latest RUN\n"
             "[options] range RUN START END\n[options] epoch RUN N\n[options] run RUN\n"
             "[options] runs\n[options] count\n[options] export RUN -o FILE"
#ifdef WITH_MICROHTTPD
             "\n[options] serve"
#endif
    ,
    .purpose = "Stores the metrics of training runs and answers questions about them. Settings: the\n"
               "environment (CASCOR_CASSANDRA_ENABLED=1 and so on), else --config, else defaults.",
    .sets = sets,
    .set_count = CQL_COUNT(sets),
};

typedef struct line {
    store s;
    const char *config, *out;
    const char *words[4];
    size_t word_count;
    uint64_t epochs, hidden, limit, port;
    const char *run_text;
    cql_uuid run;
} line;

/* --- demo ------------------------------------------------------------------------------------------ */

static cql_status add_unit(line *l, int32_t epoch, int32_t units)
{
    char json[100];
    snprintf(json, sizeof json, "{\"hidden\":%d,\"activation\":\"tanh\"}", units);
    return store_topology(&l->s, &(train_topology){.run = l->run, .at_ms = app_now_ms() + units,
                                                   .epoch = epoch, .input_size = 2,
                                                   .output_size = 1, .hidden_units = units,
                                                   .total_parameters = 3 + units * (units + 5) / 2,
                                                   .json = json});
}

/* Training goes on whatever the store does; what it could not take is counted and told. */
static cql_status one_epoch(line *l, int32_t epoch, double *loss, size_t *refused)
{
    *loss = exp(-(double)epoch / ((double)l->epochs / 3 + 1));
    cql_status st = store_metrics(&l->s, &(train_metric){.run = l->run, .at_ms = app_now_ms(),
                                                         .epoch = epoch, .train_loss = *loss,
                                                         .train_accuracy = 1 - *loss / 2,
                                                         .val_loss = *loss * 1.1,
                                                         .val_accuracy = 1 - *loss / 1.8,
                                                         .learning_rate = 0.01, .has = 31});
    if (st == CQL_WOULD_BLOCK) {
        *refused += 1;
        st = CQL_OK;
    }
    return st;
}

static int demo(line *l)
{
    double loss = 1;
    size_t refused = 0;
    int32_t units = 0;
    cql_status st = store_run_start(&l->s, &(train_run){.run = l->run, .at_ms = app_now_ms(),
                                                        .dataset = "two_spirals",
                                                        .config = "{\"demo\":true}"});
    for (uint64_t e = 1; st == CQL_OK && e <= l->epochs && !tool_interrupted(); e++) {
        st = one_epoch(l, (int32_t)e, &loss, &refused);
        while (st == CQL_OK && (uint64_t)units < l->hidden * e / l->epochs)
            st = add_unit(l, (int32_t)e, ++units);
        (void)cql_session_drive(l->s.app.s, 0);
    }
    if (st == CQL_OK)
        st = store_flush(&l->s);
    if (st == CQL_OK)
        st = store_run_end(&l->s, &(train_run){.run = l->run, .at_ms = app_now_ms(),
                                               .status = tool_interrupted() ? "failed" : "completed",
                                               .loss = loss, .accuracy = 1 - loss / 2, .has = 3});
    if (st != CQL_OK)
        return app_report(&l->s.app, st);
    char id[CQL_UUID_TEXT_SIZE];
    cql_uuid_print(&l->run, id);
    printf("run %s: %llu rows stored, %llu failed\n", id, (unsigned long long)l->s.stored,
           (unsigned long long)l->s.failed);
    if (refused)
        fprintf(stderr, "WARNING: buffer full: %zu metrics were not stored\n", refused);
    return refused || l->s.failed ? TOOL_EXIT_FAILED : TOOL_EXIT_OK;
}

/* --- write ----------------------------------------------------------------------------------------- */

static const char *real(const cJSON *o, const char *field, double *out, unsigned *has, unsigned bit)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(o, field);
    if (!item || cJSON_IsNull(item))
        return NULL;
    if (!cJSON_IsNumber(item))
        return "is not a number";
    *out = item->valuedouble;
    *has |= 1u << bit;
    return NULL;
}

static const char *small(const cJSON *o, const char *text, const char *field, int32_t *out)
{
    int64_t n = 0;
    bool present;
    const char *why = app_int64(o, text, field, &n, &present);
    if (why)
        return why;
    if (n < INT32_MIN || n > INT32_MAX)
        return "does not fit 32 bits";
    *out = (int32_t)n;
    return NULL;
}

/* What all three have: run_id and, if it is not now, timestamp. */
static const char *read_head(const cJSON *o, const char *text, cql_uuid *run, int64_t *at,
                             const char **field)
{
    const char *id = NULL, *why;
    bool present;
    *at = app_now_ms();
    if ((why = app_text(o, *field = "run_id", &id)))
        return why;
    if (!id || cql_uuid_parse(cql_str_of(id), run) != CQL_OK)
        return id ? "is not a UUID" : "is missing";
    return app_int64(o, text, *field = "timestamp", at, &present);
}

static const char *read_metric(const cJSON *o, const char *text, train_metric *m, const char **field)
{
    const char *why = read_head(o, text, &m->run, &m->at_ms, field);
    if (why || (why = small(o, text, *field = "epoch", &m->epoch)) ||
        (why = real(o, *field = "train_loss", &m->train_loss, &m->has, 0)) ||
        (why = real(o, *field = "train_accuracy", &m->train_accuracy, &m->has, 1)) ||
        (why = real(o, *field = "val_loss", &m->val_loss, &m->has, 2)) ||
        (why = real(o, *field = "val_accuracy", &m->val_accuracy, &m->has, 3)))
        return why;
    return real(o, *field = "learning_rate", &m->learning_rate, &m->has, 4);
}

static const char *read_topology(const cJSON *o, const char *text, train_topology *t,
                                 const char **field)
{
    const char *why = read_head(o, text, &t->run, &t->at_ms, field);
    if (why || (why = small(o, text, *field = "epoch", &t->epoch)) ||
        (why = small(o, text, *field = "input_size", &t->input_size)) ||
        (why = small(o, text, *field = "output_size", &t->output_size)) ||
        (why = small(o, text, *field = "hidden_units", &t->hidden_units)) ||
        (why = small(o, text, *field = "total_parameters", &t->total_parameters)))
        return why;
    return app_text(o, *field = "topology_json", &t->json);
}

static const char *read_run(const cJSON *o, const char *text, train_run *r, const char **field)
{
    const char *why = read_head(o, text, &r->run, &r->at_ms, field);
    if (why || (why = app_text(o, *field = "status", &r->status)) ||
        (why = app_text(o, *field = "dataset_name", &r->dataset)) ||
        (why = app_text(o, *field = "config_json", &r->config)) ||
        (why = real(o, *field = "final_loss", &r->loss, &r->has, 0)))
        return why;
    return real(o, *field = "final_accuracy", &r->accuracy, &r->has, 1);
}

/* *why is set when the line is at fault, and it was not stored. */
static cql_status take_object(line *l, const cJSON *o, const char *text, const char **field,
                              const char **why)
{
    const char *type = NULL;
    train_metric m = {0};
    train_topology t = {0};
    train_run r = {0};
    *why = app_text(o, *field = "type", &type);
    if (*why)
        return CQL_OK;
    if (!type || strcmp(type, "metric") == 0) {
        *why = read_metric(o, text, &m, field);
        return *why ? CQL_OK : store_metrics_wait(&l->s, &m);
    }
    if (strcmp(type, "topology") == 0) {
        *why = read_topology(o, text, &t, field);
        return *why ? CQL_OK : store_topology(&l->s, &t);
    }
    if (strcmp(type, "run") != 0) {
        *why = "is none of metric, topology, run";
        return CQL_OK;
    }
    *why = read_run(o, text, &r, field);
    if (*why)
        return CQL_OK;
    return !r.status || strcmp(r.status, "running") == 0 ? store_run_start(&l->s, &r)
                                                         : store_run_end(&l->s, &r);
}

static cql_status take_line(line *l, const char *text, size_t number, size_t *rejected)
{
    const char *field = "it", *why = "is not a JSON object";
    cql_status st = CQL_OK;
    cJSON *o = cJSON_ParseWithOpts(text, NULL, 1); /* and nothing behind it */
    if (cJSON_IsObject(o))
        st = take_object(l, o, text, &field, &why);
    if (st == CQL_OK && why) {
        tool_remark(program.name, "line %zu: %s %s; rejected", number, field, why);
        *rejected += 1;
    }
    cJSON_Delete(o);
    return st;
}

/* Reads what there is and turns the session in between, so that the flush interval counts while nothing
 * comes. */
static cql_status read_lines(line *l, app_lines *lines, size_t *rejected)
{
    cql_status st = CQL_OK;
    char *text;
    while (st == CQL_OK && !tool_interrupted() && (text = app_next_line(lines)) != NULL)
        if (text[strspn(text, " \t\r\n")])
            st = take_line(l, text, lines->number, rejected);
    app_lines_free(lines);
    if (st != CQL_CANCELLED)
        return st;
    l->s.failed++; /* the line that found no room before the signal */
    return CQL_OK;
}

static int write_lines(line *l)
{
    const char *path = l->word_count > 1 ? l->words[1] : "-";
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    size_t rejected = 0;
    if (!in) {
        tool_remark(program.name, "%s cannot be read: %s", path, strerror(errno));
        return TOOL_EXIT_FAILED;
    }
    app_lines lines = {.in = in, .s = l->s.app.s};
    cql_status st = read_lines(l, &lines, &rejected);
    if (in != stdin)
        fclose(in);
    if (lines.failed)
        tool_remark(program.name, "%s cannot be read: %s", path, strerror(lines.failed));
    if (st == CQL_OK)
        st = store_flush(&l->s);
    if (st == CQL_OK && tool_interrupted())
        st = store_end_open_runs(&l->s);
    if (st != CQL_OK)
        return app_report(&l->s.app, st);
    printf("%llu rows stored, %zu lines rejected, %llu rows failed\n",
           (unsigned long long)l->s.stored, rejected, (unsigned long long)l->s.failed);
    return rejected || l->s.failed || lines.failed ? TOOL_EXIT_FAILED : TOOL_EXIT_OK;
}

/* --- questions ------------------------------------------------------------------------------------- */

static int found(const line *l, bool any)
{
    if (!any)
        tool_remark(program.name, "run not found: %s", l->words[1]);
    return any ? TOOL_EXIT_OK : TOOL_EXIT_FAILED;
}

static int print_rows(line *l, cJSON *rows, cql_status st, bool must_be)
{
    const cJSON *row;
    if (!rows)
        return app_report(&l->s.app, st);
    bool any = rows->child != NULL;
    cJSON_ArrayForEach(row, rows)
    {
        char *text = cJSON_PrintUnformatted(row);
        printf("%s\n", text ? text : "");
        cJSON_free(text);
    }
    cJSON_Delete(rows);
    return found(l, any || !must_be);
}

static int ask_range(line *l)
{
    int64_t from, to;
    cql_status st;
    if (!app_time(l->words[2], &from) || !app_time(l->words[3], &to)) {
        tool_remark(program.name, "a time is milliseconds since 1970 or 2026-01-15T10:00:00Z");
        return TOOL_EXIT_USAGE;
    }
    cJSON *rows = store_range(&l->s, &l->run, from, to, l->limit ? (size_t)l->limit : 1000, &st);
    return print_rows(l, rows, st, false);
}

static int ask_epoch(line *l)
{
    char *end;
    cql_status st;
    long n = strtol(l->words[2], &end, 10);
    if (*end || n < INT32_MIN || n > INT32_MAX) {
        tool_remark(program.name, "\"%s\" is not an epoch", l->words[2]);
        return TOOL_EXIT_USAGE;
    }
    cJSON *rows = store_epoch(&l->s, &l->run, (int32_t)n, &st);
    return print_rows(l, rows, st, true);
}

typedef struct sheet {
    const char *path;
    FILE *out; /* opened with the first row: a question that fails leaves the file as it was */
    bool failed;
} sheet;

static bool write_row(cql_rows *rows, const cql_result *res, void *user)
{
    sheet *x = user;
    if (!x->out)
        x->out = fopen(x->path, "w");
    x->failed = !x->out || !tool_json_line(x->out, app_row_json(rows, res));
    return !x->failed;
}

/* As lines that `write` takes: times as numbers. Row by row, since a run may have millions. */
static int export_run(line *l)
{
    char cql[512];
    sheet x = {.path = l->out};
    snprintf(cql, sizeof cql, "%s",
             app_cql("SELECT run_id, epoch, train_loss, train_accuracy, val_loss, val_accuracy, "
                     "learning_rate, toUnixTimestamp(timestamp) AS \"timestamp\" "
                     "FROM %K.training_metrics WHERE run_id = ?", l->s.config.keyspace));
    cql_status st = app_each_row(&l->s.app, cql, CQL_VALUES(cql_value_uuid(l->run)), STORE_PAGE,
                                 write_row, &x);
    bool any = x.out || x.failed;
    if (x.out)
        x.failed = fclose(x.out) != 0 || x.failed;
    if (x.failed)
        tool_remark(program.name, "%s cannot be written: %s", l->out, strerror(errno));
    if (st != CQL_OK)
        return app_report(&l->s.app, st);
    return x.failed ? TOOL_EXIT_FAILED : found(l, any);
}

static int ask(line *l)
{
    const char *word = l->words[0];
    cql_status st;
    cJSON *rows;
    if (strcmp(word, "range") == 0)
        return ask_range(l);
    if (strcmp(word, "epoch") == 0)
        return ask_epoch(l);
    if (strcmp(word, "export") == 0)
        return export_run(l);
    if (strcmp(word, "history") == 0)
        rows = store_history(&l->s, &l->run, l->limit ? (size_t)l->limit : 1000, &st);
    else if (strcmp(word, "latest") == 0)
        rows = store_history(&l->s, &l->run, l->limit ? (size_t)l->limit : 10, &st);
    else if (strcmp(word, "run") == 0)
        rows = store_run(&l->s, &l->run, &st);
    else if (strcmp(word, "runs") == 0)
        rows = store_runs(&l->s, l->limit ? (size_t)l->limit : 100, &st);
    else
        rows = store_count(&l->s, &st);
    return print_rows(l, rows, st, l->word_count > 1);
}

/* --- the command line ------------------------------------------------------------------------------ */

static void take(tool_args *a, line *l)
{
    switch (a->id) {
    case TOOL_OPT_WORD:
        if (l->word_count == CQL_COUNT(l->words))
            tool_args_fail(a, "one word too many: %s", a->value);
        else
            l->words[l->word_count++] = a->value;
        break;
    case OPT_CONFIG:
        l->config = a->value;
        break;
    case OPT_EPOCHS:
        (void)tool_args_count(a, 1, 10000000, &l->epochs);
        break;
    case OPT_HIDDEN:
        (void)tool_args_count(a, 0, 10000, &l->hidden);
        break;
    case OPT_RUN:
        l->run_text = a->value;
        break;
    case OPT_LIMIT:
        (void)tool_args_count(a, 1, 100000000, &l->limit);
        break;
    case OPT_OUT:
        l->out = a->value;
        break;
    case OPT_PORT:
        (void)tool_args_count(a, 1, 65535, &l->port);
        break;
    }
}

static const struct {
    const char *name;
    size_t least, most; /* words, the name included */
} commands[] = {{"demo", 1, 1},   {"write", 1, 2}, {"history", 2, 2}, {"latest", 2, 2},
                {"range", 4, 4},  {"epoch", 3, 3}, {"run", 2, 2},     {"runs", 1, 1},
                {"export", 2, 2}, {"count", 1, 1},
#ifdef WITH_MICROHTTPD
                {"serve", 1, 1},
#endif
};

static void check(tool_args *a, line *l)
{
    const char *name = l->word_count ? l->words[0] : "";
    size_t i = 0;
    while (i < CQL_COUNT(commands) && strcmp(name, commands[i].name) != 0)
        i++;
    if (i == CQL_COUNT(commands))
        tool_args_fail(a, *name ? "there is no command \"%s\"" : "a command is needed%s", name);
    else if (l->word_count < commands[i].least || l->word_count > commands[i].most)
        tool_args_fail(a, "%s is given as --help shows", name);
    else if (strcmp(name, "export") == 0 && !l->out)
        tool_args_fail(a, "export needs -o FILE");
    else if (strcmp(name, "export") != 0 && l->out)
        tool_args_fail(a, "-o belongs to export");
    if (commands[i % CQL_COUNT(commands)].least > 1)
        l->run_text = l->words[1];
    if (!a->ended && l->run_text && cql_uuid_parse(cql_str_of(l->run_text), &l->run) != CQL_OK)
        tool_args_fail(a, "\"%s\" is not a UUID", l->run_text);
    else if (!a->ended && !l->run_text)
        l->run = cql_uuid_random();
    if (!a->ended && !train_config_load(&l->s.config, l->config))
        tool_args_fail(a, "%s", l->s.config.why);
}

static int run(tool_args *a, line *l)
{
    if (!l->s.config.enabled) {
        fprintf(stderr, "INFO: Cassandra integration is disabled (CASCOR_CASSANDRA_ENABLED=1 enables "
                        "it)\n");
        return TOOL_EXIT_OK;
    }
    int code = store_open(&l->s, a);
    if (code)
        return code;
    if (strcmp(l->words[0], "demo") == 0)
        return demo(l);
    if (strcmp(l->words[0], "write") == 0)
        return write_lines(l);
#ifdef WITH_MICROHTTPD
    if (strcmp(l->words[0], "serve") == 0)
        return train_serve(&l->s, (uint16_t)l->port);
#endif
    return ask(l);
}

int main(int argc, char **argv)
{
    static line l = {.epochs = 100, .hidden = 5, .port = 8050};
    tool_args a;
    app_init(&l.s.app, program.name, "cql/cascor.cql", NULL);
    tool_args_init(&a, &program, argc, argv);
    while (tool_args_next(&a))
        if (!tool_connection_take(&l.s.app.connection, &a))
            take(&a, &l);
    if (!a.ended)
        check(&a, &l);
    int code = a.ended ? a.exit_code : run(&a, &l);
    store_close(&l.s);
    return tool_finish(program.name, code);
}
