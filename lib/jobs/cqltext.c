/* cqltext.c: the statements of the job store. %s stands for the keyspace, once in each. */
#include "jobs/cqlstore.h"

#include <stdio.h>
#include <string.h>

#define JOB_COLUMNS                                                                                \
    "id, type_name, arguments, state, created_at, scheduled_at, executed_at, retry_count, "        \
    "max_retry_count, error_message, result, batch_id, parent_job_id"

#define RECURRING_COLUMNS                                                                          \
    "id, cron_expression, job_type_name, job_arguments, max_retry_count, is_enabled, "             \
    "next_execution, last_execution, created_at"

static const char *const texts[CQLJOB_STATEMENTS] = {
    [CQLJOB_S_GET] = "SELECT " JOB_COLUMNS " FROM \"%s\".jobs WHERE id = ?",
    [CQLJOB_S_INSERT] = "INSERT INTO \"%s\".jobs (id, type_name, arguments, state, created_at, "
                        "scheduled_at, retry_count, max_retry_count, batch_id, parent_job_id) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS",
    [CQLJOB_S_UPDATE] = "UPDATE \"%s\".jobs SET state = ?, executed_at = ?, scheduled_at = ?, "
                        "retry_count = ?, error_message = ?, result = ? WHERE id = ? "
                        "IF state = ? AND executed_at = ?",
    [CQLJOB_S_DELETE] = "DELETE FROM \"%s\".jobs WHERE id = ? IF state = ? AND executed_at = ?",
    [CQLJOB_S_PUT_STATE] = "INSERT INTO \"%s\".jobs_by_state (state, created_at, job_id) "
                           "VALUES (?, ?, ?) USING TIMESTAMP ?",
    [CQLJOB_S_DROP_STATE] = "DELETE FROM \"%s\".jobs_by_state USING TIMESTAMP ? "
                            "WHERE state = ? AND created_at = ? AND job_id = ?",
    [CQLJOB_S_PUT_DUE] = "INSERT INTO \"%s\".scheduled_jobs (bucket, scheduled_at, job_id) "
                         "VALUES (?, ?, ?) USING TIMESTAMP ?",
    [CQLJOB_S_DROP_DUE] = "DELETE FROM \"%s\".scheduled_jobs USING TIMESTAMP ? "
                          "WHERE bucket = ? AND scheduled_at = ? AND job_id = ?",
    [CQLJOB_S_DUE] = "SELECT scheduled_at, job_id FROM \"%s\".scheduled_jobs "
                     "WHERE bucket = ? AND scheduled_at >= ? AND scheduled_at <= ?",
    [CQLJOB_S_LIST] = "SELECT created_at, job_id FROM \"%s\".jobs_by_state "
                      "WHERE state = ? AND created_at >= ? AND created_at <= ?",
    [CQLJOB_S_COUNT] = "SELECT jobs FROM \"%s\".job_counts WHERE state = ?",
    [CQLJOB_S_TALLY] = "UPDATE \"%s\".job_counts SET jobs = jobs + ? "
                       "WHERE state = ? AND shard = ?",
    [CQLJOB_S_PUT_LINK] = "INSERT INTO \"%s\".job_links (awaited, kind, job_id) VALUES (?, ?, ?) "
                          "USING TIMESTAMP ?",
    [CQLJOB_S_DROP_LINK] = "DELETE FROM \"%s\".job_links USING TIMESTAMP ? "
                           "WHERE awaited = ? AND kind = ? AND job_id = ?",
    [CQLJOB_S_LINKS] = "SELECT job_id FROM \"%s\".job_links WHERE awaited = ? AND kind = ?",
    [CQLJOB_S_PUT_BACKOFF] = "INSERT INTO \"%s\".job_backoff "
                             "(job_id, kind, delay_ms, most_ms, jitter_percent) "
                             "VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?",
    [CQLJOB_S_DROP_BACKOFF] = "DELETE FROM \"%s\".job_backoff USING TIMESTAMP ? "
                              "WHERE job_id = ?",
    [CQLJOB_S_BACKOFF] = "SELECT kind, delay_ms, most_ms, jitter_percent "
                         "FROM \"%s\".job_backoff WHERE job_id = ?",
    [CQLJOB_S_BATCH] = "SELECT created_at, id FROM \"%s\".jobs WHERE batch_id = ?",
    [CQLJOB_S_MARKS] = "SELECT at, part FROM \"%s\".job_marks WHERE kind = ?",
    [CQLJOB_S_PUT_MARK] = "INSERT INTO \"%s\".job_marks (kind, part, at) VALUES (?, ?, ?)",
    [CQLJOB_S_R_LIST] = "SELECT " RECURRING_COLUMNS " FROM \"%s\".recurring_jobs",
    [CQLJOB_S_R_GET] = "SELECT " RECURRING_COLUMNS " FROM \"%s\".recurring_jobs WHERE id = ?",
    [CQLJOB_S_R_INSERT] = "INSERT INTO \"%s\".recurring_jobs (" RECURRING_COLUMNS ") "
                          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS",
    [CQLJOB_S_R_UPDATE] = "UPDATE \"%s\".recurring_jobs SET cron_expression = ?, "
                          "job_type_name = ?, job_arguments = ?, max_retry_count = ?, "
                          "is_enabled = ?, next_execution = ?, last_execution = ?, created_at = ? "
                          "WHERE id = ? IF next_execution = ?",
    [CQLJOB_S_R_DELETE] = "DELETE FROM \"%s\".recurring_jobs WHERE id = ? IF EXISTS",
};

char *cqljob_statement_text(const cql_allocator *al, cqljob_statement which, const char *keyspace)
{
    const char *mark = strstr(texts[which], "%s");
    size_t head = (size_t)(mark - texts[which]);
    size_t size = strlen(texts[which]) + strlen(keyspace) + 1;
    char *out = cqljob_alloc(al, size);

    if (out)
        (void)snprintf(out, size, "%.*s%s%s", (int)head, texts[which], keyspace, mark + 2);
    return out;
}

static unsigned bit(cqljob_statement which)
{
    return 1U << which;
}

static unsigned for_indexes(const cqljob_indexes *indexes)
{
    unsigned bits = 0;

    for (size_t i = 0; i < indexes->count; i++)
        switch (indexes->rows[i].kind) {
        case CQLJOB_PUT_STATE:
            bits |= bit(CQLJOB_S_PUT_STATE);
            break;
        case CQLJOB_DROP_STATE:
            bits |= bit(CQLJOB_S_DROP_STATE);
            break;
        case CQLJOB_PUT_DUE:
            bits |= bit(CQLJOB_S_PUT_DUE);
            break;
        case CQLJOB_DROP_DUE:
            bits |= bit(CQLJOB_S_DROP_DUE);
            break;
        case CQLJOB_PUT_LINK:
            bits |= bit(CQLJOB_S_PUT_LINK);
            break;
        case CQLJOB_DROP_LINK:
            bits |= bit(CQLJOB_S_DROP_LINK);
            break;
        case CQLJOB_PUT_BACKOFF:
            bits |= bit(CQLJOB_S_PUT_BACKOFF);
            break;
        case CQLJOB_DROP_BACKOFF:
            bits |= bit(CQLJOB_S_DROP_BACKOFF);
            break;
        }
    return bits;
}

unsigned cqljob_statements_for(const cqljob_request *rq)
{
    switch (rq->verb) {
    case CQLJOB_CHECK:
        return (1U << CQLJOB_STATEMENTS) - 1;
    case CQLJOB_GET:
        return bit(CQLJOB_S_GET);
    case CQLJOB_INSERT:
        return bit(CQLJOB_S_INSERT);
    case CQLJOB_CHANGE:
        return bit(rq->change->remove ? CQLJOB_S_DELETE : CQLJOB_S_UPDATE);
    case CQLJOB_INDEX:
        return for_indexes(rq->indexes);
    case CQLJOB_DUE:
        return bit(CQLJOB_S_DUE);
    case CQLJOB_LIST:
        return bit(CQLJOB_S_LIST);
    case CQLJOB_COUNT:
        return bit(CQLJOB_S_COUNT);
    case CQLJOB_TALLY:
        return bit(CQLJOB_S_TALLY);
    case CQLJOB_LINKS:
        return bit(CQLJOB_S_LINKS);
    case CQLJOB_BACKOFF:
        return bit(CQLJOB_S_BACKOFF);
    case CQLJOB_BATCH:
        return bit(CQLJOB_S_BATCH);
    case CQLJOB_MARKS:
        return bit(CQLJOB_S_MARKS);
    case CQLJOB_PUT_MARK:
        return bit(CQLJOB_S_PUT_MARK);
    case CQLJOB_R_LIST:
        return bit(CQLJOB_S_R_LIST);
    case CQLJOB_R_GET:
        return bit(CQLJOB_S_R_GET);
    case CQLJOB_R_INSERT:
        return bit(CQLJOB_S_R_INSERT);
    case CQLJOB_R_UPDATE:
        return bit(CQLJOB_S_R_UPDATE);
    case CQLJOB_R_DELETE:
        return bit(CQLJOB_S_R_DELETE);
    }
    return 0;
}
