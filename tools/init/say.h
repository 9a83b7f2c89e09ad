/* say.h: what cqlinit says while it works: lines for people, or JSON lines.
 *
 *   init_say say;
 *   init_say_init(&say, &config);
 *   cql_schema_options opts = {.on_object = init_say_object, .on_message = init_say_message,
 *                              .on_rows = init_say_rows, .user = &say, .summary = &say.summary,
 * ...};
 *   ... init_say_error(&say, err); init_say_summary(&say, exit_code);
 *   init_say_fini(&say); */
#ifndef INIT_SAY_H
#define INIT_SAY_H

#include "common/rows.h"
#include "init/config.h"
#include "init/describe.h"

#include <cqlnative/migrate.h>

typedef struct init_say {
    const init_config *config;
    FILE *out;
    cql_schema_summary summary;
    tool_row_table *table;   /* rows of the statement that is being answered */
    init_describe *describe; /* the same for DESCRIBE */
    bool had_rows;
    bool waiting_told;
    size_t sent; /* statements told of by a dry run */
    size_t statements;    /* that were begun */
    uint64_t progress_at; /* tenth of a second in which the terminal was told last */
} init_say;

void init_say_init(init_say *say, const init_config *config);
void init_say_fini(init_say *say);

void init_say_object(const cql_schema_object *object, void *user);
void init_say_message(const cql_schema_message *message, void *user);
void init_say_rows(const cql_schema_rows *rows, void *user);
void init_say_migration(const cql_migration_note *note, void *user);
void init_say_error(init_say *say, const cql_error *err);
/* The last line; none where rows alone were asked for. failed: an error was said before. */
void init_say_summary(init_say *say, int exit_code, bool failed);

#endif
