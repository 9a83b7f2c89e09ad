/* cqldecode.c: rows of the tables to jobs and keys. Columns are found by name: the row that comes
 * with a refused INSERT has them in the table's order. */
#include "jobs/cqlstore.h"

#include <string.h>

typedef enum kind { TEXT, INT, TIME, BOOL } kind;

/* A column and the member that takes it. */
typedef struct cell {
    const char *column;
    uint8_t kind;
    uint8_t offset;
} cell;

#define JOB(kind, member, column) {column, kind, offsetof(cql_job_info, member)}
static const cell job_cells[] = {
    JOB(TEXT, id, "id"),
    JOB(TEXT, type, "type_name"),
    JOB(TEXT, arguments, "arguments"),
    JOB(INT, state, "state"),
    JOB(TIME, created_at, "created_at"),
    JOB(TIME, scheduled_at, "scheduled_at"),
    JOB(TIME, executed_at, "executed_at"),
    JOB(INT, retry_count, "retry_count"),
    JOB(INT, max_retry_count, "max_retry_count"),
    JOB(TEXT, error_message, "error_message"),
    JOB(TEXT, result, "result"),
    JOB(TEXT, batch_id, "batch_id"),
    JOB(TEXT, parent_job_id, "parent_job_id"),
};

#define RECURRING(kind, member, column) {column, kind, offsetof(cql_recurring_info, member)}
static const cell recurring_cells[] = {
    RECURRING(TEXT, id, "id"),
    RECURRING(TEXT, cron, "cron_expression"),
    RECURRING(TEXT, type, "job_type_name"),
    RECURRING(TEXT, arguments, "job_arguments"),
    RECURRING(INT, max_retry_count, "max_retry_count"),
    RECURRING(BOOL, is_enabled, "is_enabled"),
    RECURRING(TIME, next_execution, "next_execution"),
    RECURRING(TIME, last_execution, "last_execution"),
    RECURRING(TIME, created_at, "created_at"),
};

static cql_str text(cql_rows *rows, size_t i)
{
    cql_str got = cql_rows_str(rows, i);

    if (!got.ptr)
        got.ptr = "";
    return got;
}

/* The columns of a row into a struct; members whose column is null stay as they are. */
static cql_status read_cells(const cql_result *res, cql_rows *rows, const cell *cells, size_t count,
                             void *out)
{
    for (const cell *c = cells; c < cells + count; c++) {
        void *to = (char *)out + c->offset;
        size_t i;

        if (cql_result_column_index(res, c->column, &i))
            return CQL_MALFORMED;
        if (cql_rows_is_null(rows, i))
            continue;
        switch (c->kind) {
        case TEXT:
            *(cql_str *)to = text(rows, i);
            break;
        case INT:
            *(int32_t *)to = cql_rows_int32(rows, i);
            break;
        case TIME:
            *(int64_t *)to = cql_rows_int64(rows, i);
            break;
        default:
            *(bool *)to = cql_rows_bool(rows, i);
            break;
        }
    }
    return cql_rows_status(rows);
}

cql_status cqljob_read_job(const cql_allocator *al, const cql_result *res, cql_rows *rows,
                           cql_job_info **out)
{
    enum { NO_STATE = INT32_MIN };
    cql_job_info job;
    cql_status st;

    cqljob_info_init(&job);
    job.state = NO_STATE;
    st = read_cells(res, rows, job_cells, CQL_COUNT(job_cells), &job);
    if (st)
        return st;
    /* A row made by conditional updates alone, of a job that was deleted, has no state: that is no job. */
    if (!job.id.ptr || job.state == NO_STATE)
        return CQL_MALFORMED;
    if (job.state == CQL_JOB_PROCESSING) {
        job.claim = job.result;
        job.result = (cql_str){NULL, 0};
    }
    *out = cqljob_info_new(al, &job);
    return *out ? CQL_OK : CQL_NO_MEMORY;
}

/* Bytes that the texts of all rows take, with their NULs. */
static size_t text_size(const cql_result *res, size_t at)
{
    cql_rows rows;
    size_t size = 0;

    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows))
        size += cql_rows_str(&rows, at).len + 1;
    return size;
}

/* The id is the last column, the time, if any, the one before it. */
cql_status cqljob_read_keys(const cql_allocator *al, const cql_result *res, bool marks,
                            cqljob_key **keys, size_t *count)
{
    size_t rows_told = cql_result_row_count(res);
    size_t last = cql_result_column_count(res) - 1;
    size_t n = 0;
    cql_rows rows;
    cqljob_key *block;
    char *at;

    if (last > 1)
        return CQL_MALFORMED;
    block = cqljob_zalloc(al, rows_told * sizeof *block + (marks ? 0 : text_size(res, last)) + 1);
    if (!block)
        return CQL_NO_MEMORY;
    at = (char *)(block + rows_told);
    cql_rows_init(&rows, res);
    for (; n < rows_told && cql_rows_next(&rows); n++) {
        cqljob_key *key = &block[n];
        bool timeless = last == 0 || cql_rows_is_null(&rows, 0);
        cql_str id;

        key->at = timeless ? CQL_JOB_NO_TIME : cql_rows_int64(&rows, 0);
        if (marks) {
            key->part = cql_rows_int32(&rows, last);
            continue;
        }
        id = text(&rows, last);
        key->id = memcpy(at, id.ptr, id.len);
        at += id.len + 1;
    }
    if (cql_rows_status(&rows)) {
        cqljob_free(al, block);
        return CQL_MALFORMED;
    }
    *keys = block;
    *count = n;
    return CQL_OK;
}

cql_status cqljob_read_backoff(const cql_result *res, cql_job_backoff *out)
{
    cql_rows rows;
    int64_t delay, most;

    cql_rows_init(&rows, res);
    if (!cql_rows_next(&rows) || cql_rows_is_null(&rows, 0))
        return cql_rows_status(&rows) ? CQL_MALFORMED : CQL_NOT_FOUND;
    out->kind = cql_rows_int32(&rows, 0);
    delay = cql_rows_is_null(&rows, 1) ? 0 : cql_rows_int64(&rows, 1);
    most = cql_rows_is_null(&rows, 2) ? 0 : cql_rows_int64(&rows, 2);
    out->delay_ms = delay < 0 || delay > UINT32_MAX ? 0 : (uint32_t)delay;
    out->most_ms = most < 0 || most > UINT32_MAX ? 0 : (uint32_t)most;
    out->jitter_percent = 0;
    if (!cql_rows_is_null(&rows, 3))
        out->jitter_percent = (uint32_t)cql_rows_int32(&rows, 3) % 101;
    return cql_rows_status(&rows);
}

cql_status cqljob_read_recurring(const cql_allocator *al, const cql_result *res,
                                 cql_recurring_list **out)
{
    cql_recurring_list *list = cqljob_recurring_list_new(al);
    cql_status st = list ? CQL_OK : CQL_NO_MEMORY;
    cql_rows rows;

    cql_rows_init(&rows, res);
    while (!st && cql_rows_next(&rows)) {
        cql_recurring_info r = {.next_execution = CQL_JOB_NO_TIME,
                                .last_execution = CQL_JOB_NO_TIME,
                                .created_at = CQL_JOB_NO_TIME};

        st = read_cells(res, &rows, recurring_cells, CQL_COUNT(recurring_cells), &r);
        if (!st)
            st = cqljob_recurring_list_add(list, &r);
    }
    if (!st && cql_rows_status(&rows))
        st = CQL_MALFORMED;
    if (st) {
        cql_recurring_list_free(list);
        return st;
    }
    *out = list;
    return CQL_OK;
}
