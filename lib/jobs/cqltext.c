/* cqltext.c: the statements of the job store and what their markers take. %s stands for the keyspace, once
 * in each. */
#include "jobs/cqlstore.h"

#include <stdio.h>
#include <string.h>

#define JOB_COLUMNS                                                                                \
    "id, type_name, arguments, state, created_at, scheduled_at, executed_at, retry_count, "        \
    "max_retry_count, error_message, result, batch_id, parent_job_id"

#define RECURRING_COLUMNS                                                                          \
    "id, cron_expression, job_type_name, job_arguments, max_retry_count, is_enabled, "             \
    "next_execution, last_execution, created_at"

/* What a member is; a text of NULL and CQL_JOB_NO_TIME are null. */
typedef enum kind {
    END,
    TEXT,
    TEXT_IF, /* NULL leaves the column as it is */
    BOOL,
    INT,
    INT64,
    UINT, /* as a bigint */
    TIME
} kind;

/* A member of a source. */
typedef struct param {
    uint8_t of; /* cqljob_source */
    uint8_t kind;
    uint8_t flag; /* of a change: the member is only written with it */
    uint8_t offset;
} param;

enum { PARAMS_MAX = 10 };

#define MEMBER(source, type, kind, member, flag)                                                   \
    {                                                                                              \
        source, kind, flag, offsetof(type, member)                                                 \
    }
#define REQUEST(kind, member) MEMBER(CQLJOB_OF_REQUEST, cqljob_request, kind, member, 0)
#define JOB(kind, member) MEMBER(CQLJOB_OF_JOB, cql_job_info, kind, member, 0)
#define RECURRING(kind, member) MEMBER(CQLJOB_OF_RECURRING, cql_recurring_info, kind, member, 0)
#define CHANGE(kind, member) MEMBER(CQLJOB_OF_CHANGE, cqljob_change, kind, member, 0)
#define CHANGE_IF(flag, kind, member) MEMBER(CQLJOB_OF_CHANGE, cqljob_change, kind, member, flag)
#define INDEX(kind, member) MEMBER(CQLJOB_OF_INDEX, cqljob_index, kind, member, 0)
#define BACKOFF(kind, member) MEMBER(CQLJOB_OF_BACKOFF, cql_job_backoff, kind, member, 0)
#define TALLY(kind, member) MEMBER(CQLJOB_OF_TALLY, cqljob_count, kind, member, 0)

#define ID REQUEST(TEXT, id)
#define PART REQUEST(INT, part)
#define PARAMS(...) (const param[]){__VA_ARGS__, {END, END, 0, 0}}

static const struct {
    const char *text;
    const param *params; /* one for each marker; NULL: it has none */
} statements[CQLJOB_STATEMENTS] = {
    [CQLJOB_S_GET] = {"SELECT " JOB_COLUMNS " FROM \"%s\".jobs WHERE id = ?", PARAMS(ID)},
    [CQLJOB_S_INSERT] = {"INSERT INTO \"%s\".jobs (id, type_name, arguments, state, created_at, "
                         "scheduled_at, retry_count, max_retry_count, batch_id, parent_job_id) "
                         "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS",
                         PARAMS(JOB(TEXT, id), JOB(TEXT, type), JOB(TEXT, arguments),
                                JOB(INT, state), JOB(TIME, created_at), JOB(TIME, scheduled_at),
                                JOB(INT, retry_count), JOB(INT, max_retry_count),
                                JOB(TEXT_IF, batch_id), JOB(TEXT_IF, parent_job_id))},
    [CQLJOB_S_UPDATE] = {"UPDATE \"%s\".jobs SET state = ?, executed_at = ?, scheduled_at = ?, "
                         "retry_count = ?, error_message = ?, result = ? WHERE id = ? "
                         "IF state = ? AND executed_at = ?",
                         PARAMS(CHANGE(INT, state), CHANGE_IF(CQLJOB_SET_TOKEN, TIME, token),
                                CHANGE_IF(CQLJOB_SET_TIME, TIME, scheduled_at),
                                CHANGE_IF(CQLJOB_SET_RETRIES, INT, retry_count),
                                CHANGE_IF(CQLJOB_SET_ERROR, TEXT, error_message),
                                CHANGE_IF(CQLJOB_SET_RESULT, TEXT, result), ID,
                                CHANGE(INT, from_state), CHANGE(TIME, from_token))},
    [CQLJOB_S_DELETE] = {"DELETE FROM \"%s\".jobs WHERE id = ? IF state = ? AND executed_at = ?",
                         PARAMS(ID, CHANGE(INT, from_state), CHANGE(TIME, from_token))},
    [CQLJOB_S_PUT_STATE] = {"INSERT INTO \"%s\".jobs_by_state (state, created_at, job_id) "
                            "VALUES (?, ?, ?) USING TIMESTAMP ?",
                            PARAMS(INDEX(INT, part), INDEX(INT64, at), ID, INDEX(INT64, write_us))},
    [CQLJOB_S_DROP_STATE] = {"DELETE FROM \"%s\".jobs_by_state USING TIMESTAMP ? "
                             "WHERE state = ? AND created_at = ? AND job_id = ?",
                             PARAMS(INDEX(INT64, write_us), INDEX(INT, part), INDEX(INT64, at), ID)},
    [CQLJOB_S_PUT_DUE] = {"INSERT INTO \"%s\".scheduled_jobs (bucket, scheduled_at, job_id) "
                          "VALUES (?, ?, ?) USING TIMESTAMP ?",
                          PARAMS(INDEX(INT, part), INDEX(INT64, at), ID, INDEX(INT64, write_us))},
    [CQLJOB_S_DROP_DUE] = {"DELETE FROM \"%s\".scheduled_jobs USING TIMESTAMP ? "
                           "WHERE bucket = ? AND scheduled_at = ? AND job_id = ?",
                           PARAMS(INDEX(INT64, write_us), INDEX(INT, part), INDEX(INT64, at), ID)},
    [CQLJOB_S_DUE] = {"SELECT scheduled_at, job_id FROM \"%s\".scheduled_jobs "
                      "WHERE bucket = ? AND scheduled_at >= ? AND scheduled_at <= ?",
                      PARAMS(PART, REQUEST(INT64, from_ms), REQUEST(INT64, until_ms))},
    [CQLJOB_S_LIST] = {"SELECT created_at, job_id FROM \"%s\".jobs_by_state "
                       "WHERE state = ? AND created_at >= ? AND created_at <= ?",
                       PARAMS(PART, REQUEST(INT64, from_ms), REQUEST(INT64, until_ms))},
    [CQLJOB_S_COUNT] = {"SELECT jobs FROM \"%s\".job_counts WHERE state = ?", PARAMS(PART)},
    [CQLJOB_S_TALLY] = {"UPDATE \"%s\".job_counts SET jobs = jobs + ? "
                        "WHERE state = ? AND shard = ?",
                        PARAMS(TALLY(INT64, by), TALLY(INT, state), TALLY(INT, shard))},
    [CQLJOB_S_PUT_LINK] = {"INSERT INTO \"%s\".job_links (awaited, kind, job_id) VALUES (?, ?, ?) "
                           "USING TIMESTAMP ?",
                           PARAMS(INDEX(TEXT, of), INDEX(INT, part), ID, INDEX(INT64, write_us))},
    [CQLJOB_S_DROP_LINK] = {"DELETE FROM \"%s\".job_links USING TIMESTAMP ? "
                            "WHERE awaited = ? AND kind = ? AND job_id = ?",
                            PARAMS(INDEX(INT64, write_us), INDEX(TEXT, of), INDEX(INT, part), ID)},
    [CQLJOB_S_LINKS] = {"SELECT job_id FROM \"%s\".job_links WHERE awaited = ? AND kind = ?",
                        PARAMS(ID, PART)},
    [CQLJOB_S_PUT_BACKOFF] = {"INSERT INTO \"%s\".job_backoff "
                              "(job_id, kind, delay_ms, most_ms, jitter_percent) "
                              "VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?",
                              PARAMS(ID, BACKOFF(INT, kind), BACKOFF(UINT, delay_ms),
                                     BACKOFF(UINT, most_ms), BACKOFF(INT, jitter_percent),
                                     INDEX(INT64, write_us))},
    [CQLJOB_S_DROP_BACKOFF] = {"DELETE FROM \"%s\".job_backoff USING TIMESTAMP ? "
                               "WHERE job_id = ?",
                               PARAMS(INDEX(INT64, write_us), ID)},
    [CQLJOB_S_BACKOFF] = {"SELECT kind, delay_ms, most_ms, jitter_percent "
                          "FROM \"%s\".job_backoff WHERE job_id = ?",
                          PARAMS(ID)},
    [CQLJOB_S_BATCH] = {"SELECT created_at, id FROM \"%s\".jobs WHERE batch_id = ?", PARAMS(ID)},
    [CQLJOB_S_MARKS] = {"SELECT at, part FROM \"%s\".job_marks WHERE kind = ?", PARAMS(PART)},
    [CQLJOB_S_PUT_MARK] = {"INSERT INTO \"%s\".job_marks (kind, part, at) VALUES (?, ?, ?)",
                           PARAMS(REQUEST(INT, mark.kind), REQUEST(INT, mark.part),
                                  REQUEST(TIME, mark.at))},
    [CQLJOB_S_R_LIST] = {"SELECT " RECURRING_COLUMNS " FROM \"%s\".recurring_jobs", NULL},
    [CQLJOB_S_R_GET] = {"SELECT " RECURRING_COLUMNS " FROM \"%s\".recurring_jobs WHERE id = ?",
                        PARAMS(ID)},
    [CQLJOB_S_R_INSERT] = {"INSERT INTO \"%s\".recurring_jobs (" RECURRING_COLUMNS ") "
                           "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS",
                           PARAMS(RECURRING(TEXT, id), RECURRING(TEXT, cron), RECURRING(TEXT, type),
                                  RECURRING(TEXT, arguments), RECURRING(INT, max_retry_count),
                                  RECURRING(BOOL, is_enabled), RECURRING(TIME, next_execution),
                                  RECURRING(TIME, last_execution), RECURRING(TIME, created_at))},
    [CQLJOB_S_R_UPDATE] = {"UPDATE \"%s\".recurring_jobs SET cron_expression = ?, "
                           "job_type_name = ?, job_arguments = ?, max_retry_count = ?, "
                           "is_enabled = ?, next_execution = ?, last_execution = ?, created_at = ? "
                           "WHERE id = ? IF next_execution = ?",
                           PARAMS(RECURRING(TEXT, cron), RECURRING(TEXT, type),
                                  RECURRING(TEXT, arguments), RECURRING(INT, max_retry_count),
                                  RECURRING(BOOL, is_enabled), RECURRING(TIME, next_execution),
                                  RECURRING(TIME, last_execution), RECURRING(TIME, created_at),
                                  RECURRING(TEXT, id), REQUEST(TIME, until_ms))},
    [CQLJOB_S_R_NEXT] = {"UPDATE \"%s\".recurring_jobs SET next_execution = ?, last_execution = ? "
                         "WHERE id = ? IF next_execution = ?",
                         PARAMS(RECURRING(TIME, next_execution), RECURRING(TIME, last_execution),
                                RECURRING(TEXT, id), REQUEST(TIME, until_ms))},
    [CQLJOB_S_R_DELETE] = {"DELETE FROM \"%s\".recurring_jobs WHERE id = ? IF EXISTS", PARAMS(ID)},
};

static cql_value value_of(const param *p, const void *const sources[])
{
    const void *at = (const char *)sources[p->of] + p->offset;

    if (p->flag && !(((const cqljob_change *)sources[p->of])->sets & p->flag))
        return cql_value_unset();
    switch (p->kind) {
    case TEXT:
    case TEXT_IF:
        if (!((const cql_str *)at)->ptr)
            return p->kind == TEXT ? cql_value_null() : cql_value_unset();
        return cql_value_str(*(const cql_str *)at);
    case BOOL:
        return cql_value_bool(*(const bool *)at);
    case INT:
        return cql_value_int32(*(const int32_t *)at);
    case UINT:
        return cql_value_int64(*(const uint32_t *)at);
    case TIME:
        if (*(const int64_t *)at == CQL_JOB_NO_TIME)
            return cql_value_null();
        break;
    default:
        break;
    }
    return cql_value_int64(*(const int64_t *)at);
}

cql_status cqljob_statement_bind(cql_statement *stmt, cqljob_statement which,
                                 const void *const sources[CQLJOB_SOURCES])
{
    const param *p = statements[which].params;
    cql_value values[PARAMS_MAX];
    size_t count = 0;

    while (p && p->kind != END)
        values[count++] = value_of(p++, sources);
    return count ? cql_statement_bind(stmt, (cql_values){values, count}, NULL) : CQL_OK;
}

char *cqljob_statement_text(const cql_allocator *al, cqljob_statement which, const char *keyspace)
{
    const char *text = statements[which].text;
    const char *mark = strstr(text, "%s");
    size_t size = strlen(text) + strlen(keyspace) + 1;
    char *out = cqljob_alloc(al, size);

    if (out)
        (void)snprintf(out, size, "%.*s%s%s", (int)(mark - text), text, keyspace, mark + 2);
    return out;
}
