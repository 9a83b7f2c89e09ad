/* --migrate: the library does it; here its words. */
#include "init/run.h"

#include "common/escape.h"
#include "common/exit_code.h"
#include "common/json.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>

static void say_people(const cql_migration_note *note, const init_say *say)
{
    if (say->config->quiet && note->verdict == CQL_MIGRATION_WAS_APPLIED)
        return;
    fprintf(say->out, "%s migration ", note->word);
    tool_put_escaped(say->out, cql_str_of(note->name));
    if (note->verdict == CQL_MIGRATION_APPLIED) {
        fprintf(say->out, " (%zu statement%s, %" PRIu64 ".%03u s", note->statements,
                note->statements == 1 ? "" : "s", note->took_ms / 1000,
                (unsigned)(note->took_ms % 1000));
        if (note->resumed_at)
            fprintf(say->out, ", the first %zu were done before", note->resumed_at);
        fputc(')', say->out);
    }
    fputc('\n', say->out);
}

void init_say_migration(const cql_migration_note *note, void *user)
{
    init_say *say = user;
    if (!say->config->json) {
        say_people(note, say);
        fflush(say->out);
        return;
    }
    cJSON *line = tool_json_object("migration");
    tool_json_text(line, "verdict", note->word);
    tool_json_text(line, "name", note->name);
    if (note->verdict == CQL_MIGRATION_APPLIED) {
        tool_json_int(line, "statements", (int64_t)note->statements);
        tool_json_int(line, "resumed_at", (int64_t)note->resumed_at);
        tool_json_ms(line, "took_ms", note->took_ms * 1000);
    }
    tool_json_line(say->out, line);
}

int init_migrate(const init_config *config, cql_session *s, const cql_schema_options *apply,
                 init_say *say)
{
    cql_error *err = NULL;
    cql_migrate_options opts = {.size = sizeof opts};
    opts.keyspace = config->kept_in;
    opts.scope = config->scope;
    opts.lease_s = (uint32_t)((config->lease_ms + 999) / 1000);
    opts.lock_wait_s = (uint32_t)((config->lock_wait_ms + 999) / 1000);
    opts.baseline = config->baseline;
    opts.dry_run = config->dry_run;
    opts.on_migration = init_say_migration;
    opts.user = say;
    opts.apply = apply;
    cql_status st = cql_migrate_folder_wait(s, config->folder, &opts, &err);
    int code = init_exit_of(st, err);
    if (st == CQL_NOT_FOUND)
        code = TOOL_EXIT_USAGE;
    if (st != CQL_OK)
        init_say_error(say, err);
    cql_error_unref(err);
    return code;
}
