/* app.h: what the example programs of the five systems share: the session, lines of JSON, reports. The
 * command line and the words of errors are those of the tools (tools/common). */
#ifndef EXAMPLES_APP_H
#define EXAMPLES_APP_H

#include "common/args.h"
#include "common/connection.h"
#include "common/exit_code.h"
#include "common/interrupt.h"
#include "common/json.h"
#include "common/report.h"
#include "common/rows.h"

#include <cqlnative/cql.h>
#include <cqlnative/writer.h>

typedef struct app {
    const char *name;
    const char *schema; /* the file that makes what may be missing */
    tool_connection connection;
    cql_session *s;
    cql_error *err;
    int level; /* consistency of app_execute and app_each_row; 0: the session's */
    char *lines[8]; /* warnings that were shown, so that each is shown once */
    bool waiting;     /* rows of a writer wait for the servers; told once */
    unsigned flushes; /* of app_flush that have not ended */
} app;

/* First thing in main. The old name of a variable for the contact points, NULL: none. */
void app_init(app *a, const char *name, const char *schema, const char *hosts_name);
/* An option of the session unless the environment (without force) or the command line says otherwise. */
void app_default(const char *option, const char *value, bool force);
/* Opens the session (driven: this thread does all). 0, or the exit code after a report. */
int app_open(app *a, tool_args *args);
/* Reports a->err, or st if there is none; the exit code. */
int app_report(app *a, cql_status st);
void app_free(app *a);
/* The server's warnings of a result (may be NULL), on standard error, each text once. */
void app_warnings(app *a, const cql_result *res);

/* One statement with values, waiting. */
cql_status app_execute(app *a, const char *cql, cql_values values, cql_result **res);
/* All pages of a prepared SELECT, row by row; stops when fn returns false. CQL_CANCELLED: a signal came
 * before the last page. */
typedef bool (*app_row_fn)(cql_rows *rows, const cql_result *res, void *user);
cql_status app_each_row(app *a, const char *cql, cql_values values, int32_t page, app_row_fn fn,
                        void *user);
/* The row as an object, its columns as fields. Yours: cJSON_Delete, tool_json_line. */
cJSON *app_row_json(cql_rows *rows, const cql_result *res);

/* What a writer tells of a request (`attempts`: from which failure on it is worth a line). */
void app_flushed(app *a, const cql_writer_flushed *info, unsigned attempts);
/* Gives a writer a row, and turns the session while there is no room. CQL_CANCELLED: a signal came before
 * there was; the row was not taken. */
cql_status app_add(app *a, cql_writer *w, const cql_statement *row, cql_writer_cb cb, void *user);
/* Sends what a writer holds and waits for it, as long as that takes; after a signal for 20 seconds at most.
 * Then CQL_CANCELLED: a->err says how many rows are not stored. */
cql_status app_flush(app *a, cql_writer *w);

/* "keyspace.table" in a statement: replaces each %K by the keyspace. Static, overwritten by the next. */
const char *app_cql(const char *pattern, const char *keyspace);
/* True for letters, digits and _ that start with a letter, up to 48. */
bool app_is_name(const char *keyspace);

/* Fields of an object read from a line. Each returns NULL when it is fine, else what is wrong. Absent and
 * null leave *out as it was. */
const char *app_text(const cJSON *object, const char *field, const char **out);
/* An integer within int64, read from the line's own text: no detour over floating point. */
const char *app_int64(const cJSON *object, const char *line, const char *field, int64_t *out,
                      bool *present);
const char *app_bool(const cJSON *object, const char *field, int *out);
/* A list of texts, a map of texts; *out stays NULL when absent or empty. Yours: cql_collection_free. */
const char *app_list(const cJSON *object, const char *field, cql_collection **out);
const char *app_map(const cJSON *object, const char *field, cql_collection **out);

/* Lines of a stream; while none is there, the session is turned. Begin with `in` and `s` set. */
typedef struct app_lines {
    FILE *in;
    cql_session *s;
    size_t number; /* of the line given last, from 1 */
    char *buf;
    size_t cap, len, at;
    bool ended;
    int failed; /* errno of the read that failed; 0: none did */
} app_lines;
/* Valid until the next call; NULL at the end, when a signal came, or when reading failed. */
char *app_next_line(app_lines *l);
void app_lines_free(app_lines *l);

int64_t app_now_ms(void);
uint64_t app_ticks_us(void); /* never goes back */
/* Milliseconds since the epoch, or a date "2026-01-15T10:00:00Z"; false: neither. */
bool app_time(const char *text, int64_t *ms);

#endif
