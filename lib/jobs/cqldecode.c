/* cqldecode.c: rows of the tables to jobs and keys. Columns are found by name: the row that comes
 * with a refused INSERT has them in the table's order. */
#include "jobs/cqlstore.h"

#include <string.h>

typedef enum column {
    C_ID,
    C_TYPE,
    C_ARGUMENTS,
    C_STATE,
    C_CREATED,
    C_SCHEDULED,
    C_EXECUTED,
    C_RETRIES,
    C_MAX_RETRIES,
    C_ERROR,
    C_RESULT,
    C_BATCH,
    C_PARENT
} column;
enum { COLUMNS = C_PARENT + 1 };

static const char *const names[COLUMNS] = {
    "id",           "type_name",   "arguments",    "state",           "created_at",
    "scheduled_at", "executed_at", "retry_count",  "max_retry_count", "error_message",
    "result",       "batch_id",    "parent_job_id"};

typedef struct reader {
    cql_rows *rows;
    size_t at[COLUMNS];
} reader;

static cql_str text(const reader *rd, column c)
{
    cql_str none = {NULL, 0};
    cql_str got;

    if (cql_rows_is_null(rd->rows, rd->at[c]))
        return none;
    got = cql_rows_str(rd->rows, rd->at[c]);
    if (!got.ptr)
        got.ptr = "";
    return got;
}

static int32_t number(const reader *rd, column c)
{
    return cql_rows_is_null(rd->rows, rd->at[c]) ? 0 : cql_rows_int32(rd->rows, rd->at[c]);
}

static int64_t moment(const reader *rd, column c)
{
    return cql_rows_is_null(rd->rows, rd->at[c]) ? CQL_JOB_NO_TIME
                                                 : cql_rows_int64(rd->rows, rd->at[c]);
}

/* A row made by conditional updates alone, of a job that was deleted, has no state: that is no
 * job. */
static bool is_job(const reader *rd)
{
    return !cql_rows_is_null(rd->rows, rd->at[C_ID]) &&
           !cql_rows_is_null(rd->rows, rd->at[C_STATE]);
}

cql_status cqljob_read_job(const cql_allocator *al, const cql_result *res, cql_rows *rows,
                           cql_job_info **out)
{
    reader rd = {.rows = rows};
    cql_job_info job;
    cql_status st;

    for (int i = 0; i < COLUMNS; i++)
        if (cql_result_column_index(res, names[i], &rd.at[i]))
            return CQL_MALFORMED;
    if (!is_job(&rd))
        return CQL_MALFORMED;
    cqljob_info_init(&job);
    job.id = text(&rd, C_ID);
    job.type = text(&rd, C_TYPE);
    job.arguments = text(&rd, C_ARGUMENTS);
    job.state = number(&rd, C_STATE);
    job.created_at = moment(&rd, C_CREATED);
    job.scheduled_at = moment(&rd, C_SCHEDULED);
    job.executed_at = moment(&rd, C_EXECUTED);
    job.retry_count = number(&rd, C_RETRIES);
    job.max_retry_count = number(&rd, C_MAX_RETRIES);
    job.error_message = text(&rd, C_ERROR);
    if (job.state == CQL_JOB_PROCESSING)
        job.claim = text(&rd, C_RESULT);
    else
        job.result = text(&rd, C_RESULT);
    job.batch_id = text(&rd, C_BATCH);
    job.parent_job_id = text(&rd, C_PARENT);
    st = cql_rows_status(rows);
    if (st)
        return st;
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
cql_status cqljob_read_keys(const cql_allocator *al, const cql_result *res, cqljob_key **keys,
                            size_t *count)
{
    size_t rows_told = cql_result_row_count(res);
    size_t columns = cql_result_column_count(res);
    size_t n = 0;
    cql_rows rows;
    cqljob_key *block;
    char *at;

    if (columns != 1 && columns != 2)
        return CQL_MALFORMED;
    block = cqljob_alloc(al, rows_told * sizeof *block + text_size(res, columns - 1) + 1);
    if (!block)
        return CQL_NO_MEMORY;
    at = (char *)(block + rows_told);
    cql_rows_init(&rows, res);
    while (n < rows_told && cql_rows_next(&rows)) {
        cql_str id = cql_rows_str(&rows, columns - 1);

        block[n].at = CQL_JOB_NO_TIME;
        if (columns == 2 && !cql_rows_is_null(&rows, 0))
            block[n].at = cql_rows_int64(&rows, 0);
        block[n].part = 0;
        block[n].id = at;
        if (id.len)
            memcpy(at, id.ptr, id.len);
        at[id.len] = 0;
        at += id.len + 1;
        n++;
    }
    if (cql_rows_status(&rows)) {
        cqljob_free(al, block);
        return CQL_MALFORMED;
    }
    *keys = block;
    *count = n;
    return CQL_OK;
}

cql_status cqljob_read_marks(const cql_allocator *al, const cql_result *res, cqljob_key **keys,
                             size_t *count)
{
    size_t rows_told = cql_result_row_count(res);
    cqljob_key *block = cqljob_zalloc(al, rows_told * sizeof *block + 1);
    cql_rows rows;
    size_t n = 0;

    if (!block)
        return CQL_NO_MEMORY;
    cql_rows_init(&rows, res);
    while (n < rows_told && cql_rows_next(&rows)) {
        block[n].at = cql_rows_is_null(&rows, 0) ? CQL_JOB_NO_TIME : cql_rows_int64(&rows, 0);
        block[n].part = cql_rows_int32(&rows, 1);
        n++;
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

/* --- recurring jobs --------------------------------------------------------------------------- */
static cql_str cell_text(cql_rows *rows, size_t at)
{
    cql_str none = {NULL, 0};
    cql_str got;

    if (cql_rows_is_null(rows, at))
        return none;
    got = cql_rows_str(rows, at);
    if (!got.ptr)
        got.ptr = "";
    return got;
}

static int64_t cell_time(cql_rows *rows, size_t at)
{
    return cql_rows_is_null(rows, at) ? CQL_JOB_NO_TIME : cql_rows_int64(rows, at);
}

static void read_one(cql_rows *rows, cql_recurring_info *r)
{
    r->id = cell_text(rows, 0);
    r->cron = cell_text(rows, 1);
    r->type = cell_text(rows, 2);
    r->arguments = cell_text(rows, 3);
    r->max_retry_count = cql_rows_is_null(rows, 4) ? 0 : cql_rows_int32(rows, 4);
    r->is_enabled = !cql_rows_is_null(rows, 5) && cql_rows_bool(rows, 5);
    r->next_execution = cell_time(rows, 6);
    r->last_execution = cell_time(rows, 7);
    r->created_at = cell_time(rows, 8);
}

cql_status cqljob_read_recurring(const cql_allocator *al, const cql_result *res,
                                 cql_recurring_list **out)
{
    cql_recurring_list *list = cqljob_recurring_list_new(al);
    cql_status st = list ? CQL_OK : CQL_NO_MEMORY;
    cql_rows rows;

    if (cql_result_column_count(res) != 9)
        st = CQL_MALFORMED;
    cql_rows_init(&rows, res);
    while (!st && cql_rows_next(&rows)) {
        cql_recurring_info r;

        read_one(&rows, &r);
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
