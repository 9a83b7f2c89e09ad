/* From inputs to a plan, from a plan to a run. */
#include "init/run.h"

#include "common/exit_code.h"
#include "common/memory.h"
#include "common/report.h"

#include <cqlnative/session.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STANDARD_INPUT "standard input"
#define LARGEST_INPUT  ((size_t)64 << 20)

int init_exit_of(cql_status st, const cql_error *err)
{
    if (st == CQL_OK)
        return TOOL_EXIT_OK;
    if (st == CQL_BAD_ARGUMENT || st == CQL_BAD_STATE)
        return TOOL_EXIT_USAGE;
    return err ? (int)tool_exit_of_statement(err) : TOOL_EXIT_FAILED;
}

cql_schema_options init_options(const init_config *config, const tool_connection *connection,
                                init_say *say)
{
    cql_schema_options opts;
    memset(&opts, 0, sizeof opts);
    opts.size = sizeof opts;
    opts.wait_s = (uint32_t)((config->wait_ms + 999) / 1000);
    opts.retry_ms = (uint32_t)config->interval_ms;
    opts.timeout_ms = (uint32_t)connection->timeout_ms;
    opts.replication = config->replication;
    opts.settings = config->settings;
    opts.setting_count = config->setting_count;
    opts.consistency = config->consistency;
    opts.verify = config->verify;
    opts.keyspaces_only = config->keyspaces_only;
    opts.dry_run = config->dry_run;
    opts.drop_all_data = config->confirmed || config->dry_run;
    opts.on_object = init_say_object;
    opts.on_message = init_say_message;
    opts.on_rows = init_say_rows;
    opts.user = say;
    opts.summary = &say->summary;
    return opts;
}

/* --- inputs --------------------------------------------------------------------------------------
 */

/* All of standard input; NULL after a message. */
static char *read_input(size_t *length)
{
    char *text = NULL;
    size_t capacity = 0;
    size_t used = 0;
    for (;;) {
        text = tool_grow(text, &capacity, used + 65536, 1);
        size_t got = fread(text + used, 1, capacity - used, stdin);
        used += got;
        if (got == 0 && !ferror(stdin))
            break;
        if (ferror(stdin) || used > LARGEST_INPUT) {
            tool_fail(INIT_NAME, "%s: %s", STANDARD_INPUT,
                      ferror(stdin) ? strerror(errno) : "more than 64 MiB");
            free(text);
            return NULL;
        }
    }
    *length = used;
    return text;
}

static int add_standard_input(cql_schema_plan *plan, init_say *say)
{
    size_t length = 0;
    cql_error *err = NULL;
    char *text = read_input(&length);
    if (!text)
        return TOOL_EXIT_FAILED;
    cql_str view = {text, length};
    cql_status st = cql_schema_plan_add_text(plan, STANDARD_INPUT, "", view, &err);
    free(text);
    if (st != CQL_OK)
        init_say_error(say, err);
    cql_error_unref(err);
    return st == CQL_OK ? TOOL_EXIT_OK : TOOL_EXIT_FAILED;
}

static int add_input(cql_schema_plan *plan, const init_input *input, init_say *say)
{
    cql_error *err = NULL;
    cql_status st;
    if (!input->is_statement && strcmp(input->text, "-") == 0)
        return add_standard_input(plan, say);
    if (input->is_statement)
        st = cql_schema_plan_add_text(plan, "-e", "", cql_str_of(input->text), &err);
    else
        st = cql_schema_plan_add_file(plan, input->text, &err);
    if (st != CQL_OK)
        init_say_error(say, err);
    cql_error_unref(err);
    if (st == CQL_OK)
        return TOOL_EXIT_OK;
    return st == CQL_NOT_FOUND ? TOOL_EXIT_USAGE : TOOL_EXIT_FAILED;
}

/* Reads everything before anything is sent, and checks the options that change it. */
static int read_plan(const init_config *config, const tool_connection *connection,
                     cql_schema_plan *plan, init_say *say)
{
    static const init_input standard_input = {false, "-"};
    int code = TOOL_EXIT_OK;
    for (size_t i = 0; code == TOOL_EXIT_OK && i < config->input_count; i++)
        code = add_input(plan, &config->inputs[i], say);
    if (code == TOOL_EXIT_OK && config->input_count == 0 && config->mode != INIT_STATUS &&
        config->mode != INIT_MIGRATE)
        code = add_input(plan, &standard_input, say);
    if (code != TOOL_EXIT_OK)
        return code;
    cql_error *err = NULL;
    cql_schema_options opts = init_options(config, connection, say);
    opts.dry_run = true;
    if (config->mode != INIT_PRINT) {
        opts.on_object = NULL;
        opts.on_message = NULL;
    }
    cql_status st = cql_schema_plan_apply_wait(NULL, plan, &opts, &err);
    code = init_exit_of(st, err);
    if (st != CQL_OK)
        init_say_error(say, err);
    cql_error_unref(err);
    memset(&say->summary, 0, sizeof say->summary);
    return code;
}

/* --- session -------------------------------------------------------------------------------------
 */

static void log_line(void *user, cql_log_level level, cql_str text)
{
    (void)user;
    (void)level;
    fprintf(stderr, INIT_NAME ": %.*s\n", (int)text.len, text.ptr);
}

/* One connection to each node and no thread: statements go one after the other. */
static cql_session *open_session(const init_config *config, tool_connection *connection,
                                 tool_args *args, char **keyspace, init_say *say)
{
    cql_session *s = NULL;
    cql_error *err = NULL;
    cql_options *o = tool_connection_build(connection, args);
    if (!o)
        return NULL;
    cql_status st = cql_options_set(o, "loop_threads", "0", &err);
    if (st == CQL_OK)
        st = cql_options_set(o, "connections_per_host", "1", &err);
    const char *application = cql_options_value(o, "application");
    if (st == CQL_OK && !(application && *application))
        st = cql_options_set(o, "application", INIT_NAME, &err);
    if (config->verbose)
        cql_options_set_log(o, log_line, NULL, CQL_LOG_INFO);
    const char *named = cql_options_value(o, "keyspace");
    *keyspace = tool_copy(named ? named : "");
    if (st == CQL_OK)
        st = cql_session_new(o, &s, &err);
    cql_options_free(o);
    if (st != CQL_OK) {
        init_say_error(say, err);
        args->exit_code = TOOL_EXIT_FAILED;
    }
    cql_error_unref(err);
    return s;
}

static int reach(cql_session *s, const cql_schema_options *opts, init_say *say)
{
    cql_error *err = NULL;
    cql_status st = cql_schema_reach_wait(s, opts, &err);
    if (st == CQL_OK)
        return TOOL_EXIT_OK;
    init_say_error(say, err);
    int code = err ? (int)tool_exit_of_connect(err) : TOOL_EXIT_UNREACHED;
    cql_error_unref(err);
    return code;
}

/* --- work ----------------------------------------------------------------------------------------
 */

static int run_plan(const init_config *config, cql_session *s, const cql_schema_plan *plan,
                    const cql_schema_options *opts, init_say *say)
{
    cql_error *err = NULL;
    cql_status st;
    if (config->mode == INIT_VERIFY || config->mode == INIT_STATUS)
        st = cql_schema_plan_verify_wait(s, plan, opts, &err);
    else if (config->mode == INIT_RESET)
        st = cql_schema_plan_reset_wait(s, plan, opts, &err);
    else
        st = cql_schema_plan_apply_wait(s, plan, opts, &err);
    bool failed = st != CQL_OK && st != CQL_SCHEMA_DIFFERS;
    int code = init_exit_of(st, err);
    /* That something differs was said of the object. */
    if (failed)
        init_say_error(say, err);
    if (config->mode == INIT_STATUS && st == CQL_SCHEMA_DIFFERS)
        code = TOOL_EXIT_OK;
    init_say_summary(say, code, failed);
    cql_error_unref(err);
    return code;
}

static int work(const init_config *config, cql_session *s, const cql_schema_plan *plan,
                const tool_connection *connection, const char *keyspace, bool shell)
{
    init_say say;
    init_say_init(&say, config);
    cql_schema_options opts = init_options(config, connection, &say);
    opts.keyspace = *keyspace ? keyspace : NULL;
    int code = reach(s, &opts, &say);
    opts.reached = true;
    if (code == TOOL_EXIT_OK && config->mode == INIT_STATUS)
        init_status(config, s);
    if (code == TOOL_EXIT_OK && shell)
        code = init_shell(config, s, &opts, &say, keyspace);
    else if (code == TOOL_EXIT_OK && config->mode == INIT_MIGRATE)
        code = init_migrate(config, s, &opts, &say);
    else if (code == TOOL_EXIT_OK && (config->mode != INIT_STATUS || cql_schema_plan_count(plan)))
        code = run_plan(config, s, plan, &opts, &say);
    init_say_fini(&say);
    return code;
}

static int connect_and_work(const init_config *config, const cql_schema_plan *plan,
                            tool_connection *connection, tool_args *args, bool shell)
{
    init_say say;
    char *keyspace = NULL;
    init_say_init(&say, config);
    cql_session *s = open_session(config, connection, args, &keyspace, &say);
    init_say_fini(&say);
    int code = s ? work(config, s, plan, connection, keyspace, shell) : args->exit_code;
    free(keyspace);
    (void)cql_session_close_wait(s);
    cql_session_free(s);
    return code;
}

int init_run(const init_config *config, tool_connection *connection, tool_args *args)
{
    init_say say;
    cql_schema_plan *plan = NULL;
    bool shell = config->input_count == 0 && config->mode == INIT_APPLY && !config->dry_run &&
                 isatty(STDIN_FILENO);
    if (cql_schema_plan_new(NULL, &plan) != CQL_OK) {
        tool_fail(INIT_NAME, "out of memory");
        return TOOL_EXIT_FAILED;
    }
    init_say_init(&say, config);
    int code = shell ? TOOL_EXIT_OK : read_plan(config, connection, plan, &say);
    if (code == TOOL_EXIT_OK && config->mode == INIT_PRINT)
        init_say_summary(&say, code, false);
    else if (code == TOOL_EXIT_OK)
        code = connect_and_work(config, plan, connection, args, shell);
    init_say_fini(&say);
    cql_schema_plan_free(plan);
    return code;
}
