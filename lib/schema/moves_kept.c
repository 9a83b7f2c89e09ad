/* The tables in which it is kept what was applied, and who holds the lock. */
#include "schema/moves.h"

#include "schema/fail.h"

#include <string.h>

enum { TRIES = 20, PAUSE_MS = 500, AGREE_MS = 30000, COPIES = 3, MOST_CENTRES = 16 };

#define TABLES                                                                                     \
    "CREATE TABLE IF NOT EXISTS %s.migrations (scope text, number bigint, name text, "             \
    "checksum text, state text, statements int, finished int, finished_checksum text, "            \
    "applied_at timestamp, took_ms bigint, applied_by text, problem text, "                        \
    "PRIMARY KEY (scope, number)); "                                                               \
    "CREATE TABLE IF NOT EXISTS %s.migration_lock (scope text PRIMARY KEY, owner text, claim uuid);"

cql_status cqlsch_moves_fail(cqlsch_moves *m, cql_status st, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    st = cqlsch_fail(m->err, &m->mem.al, st, NULL, cqlsch_format_v(&m->mem, format, args));
    va_end(args);
    return st;
}

static cql_status ask_once(cqlsch_moves *m, const char *cql, cql_consistency level,
                           cql_values values, cql_result **res, cql_error **err)
{
    cql_statement *stmt = NULL;
    cql_status st = cql_statement_new(cql, values.count, &m->mem.al, &stmt);
    if (st == CQL_OK && values.count)
        st = cql_statement_bind(stmt, values, err);
    if (st == CQL_OK) {
        cql_statement_set_consistency(stmt, level);
        cql_statement_set_idempotent(stmt, false); /* it is cqlsch_moves_ask that says when to send it again */
        /* One lock for all data centres, whatever the session's own level is. */
        if (level != CQL_CONSISTENCY_SERIAL)
            st = cql_statement_set_serial_consistency(stmt, CQL_CONSISTENCY_SERIAL);
    }
    if (st == CQL_OK)
        st = cql_session_execute_wait(m->s, stmt, res, err);
    cql_statement_free(stmt);
    return st;
}

/* Somebody else is just making the tables: the node lists them a moment before it knows them, or knows them
 * before the node that keeps the rows does. */
static bool is_new(cql_status st, const cql_error *err)
{
    const char *text = cql_error_server_message(err);
    if (st == CQL_SERVER_READ_FAILURE || st == CQL_SERVER_WRITE_FAILURE)
        return strstr(text, "INCOMPATIBLE_SCHEMA") != NULL;
    return st == CQL_SERVER_INVALID &&
           (strstr(text, "does not exist") || strstr(text, "unconfigured"));
}

/* All of these may be done twice; a node that goes away in between is waited for. */
cql_status cqlsch_moves_ask(cqlsch_moves *m, const char *cql, cql_consistency level,
                            cql_values values, cql_result **res, cql_error **err)
{
    for (int tries = 1;; tries++) {
        cql_error *cause = NULL;
        cql_status st = ask_once(m, cql, level, values, res, &cause);
        bool again = cause && tries < TRIES &&
                     (cql_error_retriable(cause) || cql_error_maybe_applied(cause) ||
                      is_new(st, cause) || st == CQL_NO_HOST || st == CQL_TIMEOUT || st == CQL_CLOSED);
        if (!again) {
            if (cause && st != CQL_OK)
                (void)cqlsch_fail(err, &m->mem.al, st, cause, cql_error_text(cause));
            cql_error_unref(cause);
            return st;
        }
        cql_error_unref(cause);
        cqlsch_pause_ms(PAUSE_MS);
    }
}

cql_status cqlsch_moves_do(cqlsch_moves *m, const char *cql, cql_values values, cql_error **err)
{
    cql_result *res = NULL;
    cql_status st = cqlsch_moves_ask(m, cql, CQL_CONSISTENCY_QUORUM, values, &res, err);
    cql_result_unref(res);
    return st;
}

/* Up to three copies in each data centre. */
static const char *copies(cqlsch_moves *m)
{
    struct {
        const char *name;
        unsigned nodes;
    } centres[MOST_CENTRES];
    size_t count = 0;
    cql_host_info info;
    cql_hosts *hosts = cql_session_hosts(m->s);
    for (size_t i = 0; hosts && cql_hosts_at(hosts, i, &info); i++) {
        size_t at = 0;
        while (at < count && strcmp(centres[at].name, info.data_center) != 0)
            at++;
        if (at == MOST_CENTRES)
            continue;
        if (at == count) {
            centres[at].name = info.data_center;
            centres[count++].nodes = 0;
        }
        centres[at].nodes++;
    }
    const char *text = "";
    for (size_t i = 0; i < count; i++)
        text = cqlsch_format(&m->mem, "%s%s%s:%u", text, *text ? "," : "", centres[i].name,
                             centres[i].nodes < COPIES ? centres[i].nodes : COPIES);
    cql_hosts_free(hosts); /* whose the names are */
    return count ? text : "1";
}

static void on_object(const cql_schema_object *object, void *user)
{
    cqlsch_moves *m = user;
    if (object->verdict != CQL_SCHEMA_OBJECT_DIFFERS || m->shape)
        return;
    for (size_t i = 0; i < object->difference_count && !m->shape; i++)
        if (!object->differences[i].note)
            m->shape = cqlsch_format(&m->mem, "%s %s: %s", object->kind, object->name,
                                     object->differences[i].text);
}

static cql_schema_options quiet_options(cqlsch_moves *m)
{
    cql_schema_options o = {.size = sizeof o, .reached = true, .verify = CQL_SCHEMA_VERIFY_SHAPE};
    o.on_object = on_object;
    o.user = m;
    o.timeout_ms = m->apply.timeout_ms;
    return o;
}

/* Whoever finds the tables there may have been a moment behind the one that made them: other nodes still
 * refuse to read what they do not know. */
static cql_status known_everywhere(cqlsch_moves *m)
{
    cql_error *cause = NULL;
    cql_status st = cql_session_agree_wait(m->s, AGREE_MS, &cause);
    if (st != CQL_OK)
        (void)cqlsch_failf(&m->mem, m->err, CQL_NOT_AGREED, cause,
                           "not all nodes know the tables that keep what was applied, so "
                           "nothing was sent; run again when they do (%s)",
                           cause ? cql_error_text(cause) : cql_status_text(st));
    cql_error_unref(cause);
    return st == CQL_OK ? CQL_OK : CQL_NOT_AGREED;
}

cql_status cqlsch_moves_make_tables(cqlsch_moves *m)
{
    cql_schema_options o = quiet_options(m);
    cql_error *cause = NULL;
    const char *make = cqlsch_format(
        &m->mem,
        "CREATE KEYSPACE IF NOT EXISTS %s WITH replication = {'class': 'SimpleStrategy', "
        "'replication_factor': 1}; ",
        m->keyspace);
    const char *text = cqlsch_format(&m->mem, TABLES, m->keyspace, m->keyspace);
    text = cqlsch_format(&m->mem, "%s%s", make, text);
    o.replication = m->apply.replication ? m->apply.replication : copies(m);
    cql_status st = cqlsch_mem_status(&m->mem);
    if (st == CQL_OK)
        st = cql_schema_apply_wait(m->s, text, &o, &cause);
    if (st == CQL_SCHEMA_DIFFERS && m->shape)
        (void)cqlsch_moves_fail(m, st,
                                "the tables that keep what was applied have another shape (%s): is it "
                                "a keyspace of something else?",
                                m->shape);
    else if (st != CQL_OK)
        (void)cqlsch_fail(m->err, &m->mem.al, st, cause, cause ? cql_error_text(cause) : "");
    cql_error_unref(cause);
    return st == CQL_OK ? known_everywhere(m) : st;
}

cql_status cqlsch_moves_look(cqlsch_moves *m, bool *there)
{
    cql_result *res = NULL;
    *there = false;
    cql_status st = cqlsch_moves_ask(
        m,
        "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?",
        CQL_CONSISTENCY_ONE,
        CQL_VALUES(cql_value_text(m->opts.keyspace), cql_value_text("migration_lock")), &res, m->err);
    if (st == CQL_OK)
        *there = cql_result_row_count(res) == 1;
    cql_result_unref(res);
    return st;
}

static cqlsch_move *find(cqlsch_moves *m, uint64_t number)
{
    for (size_t i = 0; i < m->list.count; i++) {
        cqlsch_move *move = CQLSCH_AT(cqlsch_move, &m->list, i);
        if (move->number == number)
            return move;
    }
    return NULL;
}

static const char *kept(cqlsch_moves *m, cql_rows *rows, size_t column)
{
    return cqlsch_copy(&m->mem, cql_str_of(cql_rows_cstr(rows, column))).ptr;
}

static void read_row(cqlsch_moves *m, cql_rows *rows)
{
    cqlsch_move *move = find(m, (uint64_t)cql_rows_int64(rows, 0));
    if (!move)
        return;
    cql_str state = cql_rows_str(rows, 2);
    move->recorded = true;
    move->recorded_checksum = kept(m, rows, 1);
    move->done = cqlsch_same_word(state, "done") || cqlsch_same_word(state, "baseline");
    move->uncertain = cqlsch_same_word(state, "running");
    move->finished = cql_rows_is_null(rows, 3) ? 0 : (size_t)cql_rows_int32(rows, 3);
    move->finished_checksum = kept(m, rows, 4);
    move->when = kept(m, rows, 5);
}

cql_status cqlsch_moves_read(cqlsch_moves *m)
{
    cql_rows rows;
    cql_result *res = NULL;
    const char *cql = cqlsch_format(&m->mem,
                                    "SELECT number, checksum, state, finished, finished_checksum, "
                                    "applied_at FROM %s.migrations WHERE scope = ?",
                                    m->keyspace);
    cql_status st = cqlsch_mem_status(&m->mem);
    for (size_t i = 0; i < m->list.count; i++)
        CQLSCH_AT(cqlsch_move, &m->list, i)->recorded = false;
    if (st == CQL_OK)
        st = cqlsch_moves_ask(m, cql, CQL_CONSISTENCY_QUORUM, CQL_VALUES(cql_value_text(m->scope)),
                              &res, m->err);
    if (st != CQL_OK)
        return st;
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows))
        read_row(m, &rows);
    st = cql_result_has_more(res) ? CQL_TOO_LARGE : cql_rows_status(&rows);
    cql_result_unref(res);
    return st == CQL_OK ? cqlsch_mem_status(&m->mem) : st;
}

cql_status cqlsch_moves_write(cqlsch_moves *m, const cqlsch_move *move, const char *state,
                              size_t finished, size_t statements, const char *finished_checksum,
                              uint64_t took_ms, const char *problem)
{
    const char *cql = cqlsch_format(
        &m->mem,
        "INSERT INTO %s.migrations (scope, number, name, checksum, state, statements, finished, "
        "finished_checksum, applied_at, took_ms, applied_by, problem) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, toTimestamp(now()), ?, ?, ?)",
        m->keyspace);
    cql_status st = cqlsch_mem_status(&m->mem);
    if (st != CQL_OK)
        return st;
    return cqlsch_moves_do(
        m, cql,
        CQL_VALUES(cql_value_text(m->scope), cql_value_int64((int64_t)move->number),
                   cql_value_text(move->name), cql_value_text(move->checksum),
                   cql_value_text(state), cql_value_int32((int32_t)statements),
                   cql_value_int32((int32_t)finished), cql_value_text(finished_checksum),
                   cql_value_int64((int64_t)took_ms), cql_value_text(m->owner),
                   cql_value_text(problem)),
        m->err);
}
