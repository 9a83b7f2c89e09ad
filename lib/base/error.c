/* The error object: one allocation that holds the record, the rows of the tried nodes and all text. */
#include "base/error.h"

#include <stdatomic.h>
#include <string.h>

enum {
    TEXT_MAX = 2048,
    FIELD_MAX = 1024,
    SERVER_MESSAGE_MAX = 4096,
    REASONS_MAX = 1024 * 19, /* bytes of a failure map that are kept: a thousand nodes */
    REASON_MIN = 1 + 4 + 2
};

typedef struct tried_row {
    const char *host;
    const char *reason;
    cql_status status;
} tried_row;

struct cql_error {
    cql_allocator al;
    atomic_uint holders;
    cql_status status;
    const char *text;
    const char *server_message;
    const char *host;
    const char *write_type;
    const char *keyspace;
    const char *table;
    const char *arguments;
    cql_str reasons;
    cql_str unprepared_id;
    int contentions;
    int consistency;
    int required;
    int received;
    int failures;
    bool data_present;
    bool maybe_applied;
    bool retriable;
    size_t tried_count;
    tried_row tried[];
};

/* Given when there is no memory for a better one; their holders are not counted. There are two, because
 * "certainly not executed" must never be said only for want of memory. */
#define NO_MEMORY(maybe)                                                                           \
    {                                                                                              \
        .status = CQL_NO_MEMORY, .text = "out of memory", .server_message = "", .host = "",        \
        .write_type = "", .keyspace = "", .table = "", .arguments = "", .maybe_applied = (maybe)                    \
    }
static cql_error no_memory = NO_MEMORY(false);
static cql_error no_memory_maybe_applied = NO_MEMORY(true);

static bool is_static(const cql_error *err)
{
    return err == &no_memory || err == &no_memory_maybe_applied;
}

cql_error *cqln_error_no_memory(void)
{
    return &no_memory;
}

static size_t reason_size(const uint8_t *p)
{
    return 1 + (size_t)p[0] + 2;
}

/* Bytes of the entries at the front that are whole and below the limit. */
static size_t whole_reasons(cql_str reasons)
{
    const uint8_t *p = (const uint8_t *)reasons.ptr;
    size_t len = reasons.len < REASONS_MAX ? reasons.len : REASONS_MAX;
    size_t at = 0;
    while (len - at >= REASON_MIN && reason_size(p + at) <= len - at)
        at += reason_size(p + at);
    return at;
}

static size_t text_sizes(const cqln_error_info *info, cql_str text)
{
    return cqln_escaped_size(TEXT_MAX, text) +
           cqln_escaped_size(SERVER_MESSAGE_MAX, info->server_message) +
           cqln_escaped_size(FIELD_MAX, info->host) + cqln_escaped_size(FIELD_MAX, info->write_type) +
           cqln_escaped_size(FIELD_MAX, info->keyspace) +
           cqln_escaped_size(FIELD_MAX, info->table) +
           cqln_escaped_size(FIELD_MAX, info->arguments) + whole_reasons(info->reasons) +
           info->unprepared_id.len;
}

static size_t tried_sizes(const cqln_tried *tried, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += sizeof(tried_row) + cqln_escaped_size(FIELD_MAX, tried[i].host) +
                cqln_escaped_size(FIELD_MAX, tried[i].reason);
    return size;
}

/* Escapes to *at, steps *at behind the NUL, and gives the place. */
static const char *place(char **at, size_t cap, cql_str text)
{
    char *start = *at;
    *at += cqln_escape(start, cap, text) + 1;
    return start;
}

static cql_str place_raw(char **at, cql_str bytes)
{
    cql_str placed = {*at, bytes.len};
    if (bytes.len)
        memcpy(*at, bytes.ptr, bytes.len);
    *at += bytes.len;
    return placed;
}

static void fill(cql_error *e, const cqln_error_info *info, const cqln_tried *tried, size_t count,
                 cql_str text)
{
    e->status = info->status;
    e->consistency = info->consistency;
    e->required = info->required;
    e->received = info->received;
    e->failures = info->failures;
    e->contentions = info->contentions;
    e->data_present = info->data_present;
    e->maybe_applied = info->maybe_applied;
    e->retriable = info->retriable;
    e->tried_count = count;
    char *at = (char *)(e->tried + count);
    e->text = place(&at, TEXT_MAX, text);
    e->server_message = place(&at, SERVER_MESSAGE_MAX, info->server_message);
    e->host = place(&at, FIELD_MAX, info->host);
    e->write_type = place(&at, FIELD_MAX, info->write_type);
    e->keyspace = place(&at, FIELD_MAX, info->keyspace);
    e->table = place(&at, FIELD_MAX, info->table);
    e->arguments = place(&at, FIELD_MAX, info->arguments);
    e->reasons = place_raw(&at, (cql_str){info->reasons.ptr, whole_reasons(info->reasons)});
    e->unprepared_id = place_raw(&at, info->unprepared_id);
    for (size_t i = 0; i < count; i++) {
        e->tried[i].status = tried[i].status;
        e->tried[i].host = place(&at, FIELD_MAX, tried[i].host);
        e->tried[i].reason = place(&at, FIELD_MAX, tried[i].reason);
    }
}

cql_error *cqln_error_make_v(const cql_allocator *al, const cqln_error_info *info,
                             const cqln_tried *tried, size_t tried_count, const char *format,
                             va_list args)
{
    char line[TEXT_MAX];
    cql_str text = cqln_format(line, sizeof line, format, args);
    size_t count = !tried ? 0 : tried_count < CQLN_TRIED_MAX ? tried_count : CQLN_TRIED_MAX;
    size_t size = sizeof(cql_error) + text_sizes(info, text) + tried_sizes(tried, count);
    cql_error *e = cqln_alloc(al, size);
    if (!e)
        return info->maybe_applied ? &no_memory_maybe_applied : &no_memory;
    e->al = *al;
    atomic_init(&e->holders, 1);
    fill(e, info, tried, count, text);
    return e;
}

cql_error *cqln_error_make(const cql_allocator *al, const cqln_error_info *info,
                           const cqln_tried *tried, size_t tried_count, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cql_error *made = cqln_error_make_v(al, info, tried, tried_count, format, args);
    va_end(args);
    return made;
}

cql_status cqln_error_give(cql_error **err, cql_error *made)
{
    cql_status st = made->status;
    if (!err) {
        cql_error_unref(made);
        return st;
    }
    cql_error *before = *err;
    *err = made;
    cql_error_unref(before);
    return st;
}

cql_status cqln_fail(cql_error **err, const cql_allocator *al, cql_status st, const char *format, ...)
{
    if (!err)
        return st;
    cqln_error_info info = {.status = st};
    va_list args;
    va_start(args, format);
    cql_error *made = cqln_error_make_v(al, &info, NULL, 0, format, args);
    va_end(args);
    cqln_error_give(err, made);
    return st;
}

cql_status cqln_fail_null(cql_error **err, const char *name)
{
    return cqln_fail(err, cqln_alloc_default(), CQL_BAD_ARGUMENT, "%s: %s is NULL",
                     cql_status_text(CQL_BAD_ARGUMENT), name);
}

/* The rows of the tried nodes of `cause`; NULL with *count 0 when it has none or memory is out. */
static cqln_tried *tried_of(const cql_allocator *al, const cql_error *cause, size_t *count)
{
    *count = 0;
    if (!cause || !cause->tried_count)
        return NULL;
    cqln_tried *rows = cqln_alloc_array(al, cause->tried_count, sizeof *rows);
    if (!rows)
        return NULL;
    for (size_t i = 0; i < cause->tried_count; i++)
        rows[i] = (cqln_tried){cql_str_of(cause->tried[i].host), cause->tried[i].status,
                               cql_str_of(cause->tried[i].reason)};
    *count = cause->tried_count;
    return rows;
}

cql_error *cql_error_make(const cql_allocator *al, cql_status st, const cql_error *cause,
                          const char *text)
{
    cqln_error_info info = {.status = st};
    if (cause) {
        info.host = cql_str_of(cause->host);
        info.server_message = cql_str_of(cause->server_message);
        info.consistency = cause->consistency;
        info.required = cause->required;
        info.received = cause->received;
        info.failures = cause->failures;
        info.data_present = cause->data_present;
        info.maybe_applied = cause->maybe_applied;
        info.retriable = cause->retriable;
        info.write_type = cql_str_of(cause->write_type);
        info.keyspace = cql_str_of(cause->keyspace);
        info.table = cql_str_of(cause->table);
        info.arguments = cql_str_of(cause->arguments);
        info.contentions = cause->contentions;
        info.reasons = cause->reasons;
        info.unprepared_id = cause->unprepared_id;
    }
    if (!al)
        al = cqln_alloc_default();
    size_t count;
    cqln_tried *tried = tried_of(al, cause, &count);
    cql_error *made = cqln_error_make(al, &info, tried, count, "%s", text);
    cqln_free(al, tried);
    return made;
}

/* Only the count of holders is ever written, so const is taken off for it alone. */
cql_error *cql_error_ref(const cql_error *err)
{
    cql_error *e = (cql_error *)(uintptr_t)err;
    if (e && !is_static(e))
        atomic_fetch_add_explicit(&e->holders, 1, memory_order_relaxed);
    return e;
}

void cql_error_unref(cql_error *err)
{
    if (!err || is_static(err))
        return;
    if (atomic_fetch_sub_explicit(&err->holders, 1, memory_order_acq_rel) != 1)
        return;
    cql_allocator al = err->al;
    cqln_free(&al, err);
}

cql_status cql_error_status(const cql_error *err)
{
    return err->status;
}

const char *cql_error_text(const cql_error *err)
{
    return err->text;
}

const char *cql_error_server_message(const cql_error *err)
{
    return err->server_message;
}

const char *cql_error_host(const cql_error *err)
{
    return err->host;
}

int cql_error_server_code(const cql_error *err)
{
    return CQL_SERVER_CODE(err->status);
}

bool cql_error_maybe_applied(const cql_error *err)
{
    return err->maybe_applied;
}

bool cql_error_retriable(const cql_error *err)
{
    return err->retriable;
}

int cql_error_consistency(const cql_error *err)
{
    return err->consistency;
}

int cql_error_required(const cql_error *err)
{
    return err->required;
}

int cql_error_received(const cql_error *err)
{
    return err->received;
}

int cql_error_failures(const cql_error *err)
{
    return err->failures;
}

bool cql_error_data_present(const cql_error *err)
{
    return err->data_present;
}

const char *cql_error_write_type(const cql_error *err)
{
    return err->write_type;
}

const char *cql_error_keyspace(const cql_error *err)
{
    return err->keyspace;
}

const char *cql_error_table(const cql_error *err)
{
    return err->table;
}

const char *cql_error_argument_types(const cql_error *err)
{
    return err->arguments;
}

int cql_error_contentions(const cql_error *err)
{
    return err->contentions;
}

cql_str cql_error_unprepared_id(const cql_error *err)
{
    return err->unprepared_id;
}

size_t cql_error_reason_count(const cql_error *err)
{
    size_t n = 0;
    for (size_t at = 0; at < err->reasons.len; n++)
        at += reason_size((const uint8_t *)err->reasons.ptr + at);
    return n;
}

cql_status cql_error_reason(const cql_error *err, size_t i, cql_str *address, int *code)
{
    const uint8_t *p = (const uint8_t *)err->reasons.ptr;
    const uint8_t *end = p + err->reasons.len;
    for (; p < end && i > 0; i--)
        p += reason_size(p);
    if (p >= end)
        return CQL_OUT_OF_RANGE;
    if (address)
        *address = (cql_str){(const char *)p + 1, p[0]};
    if (code)
        *code = p[1 + p[0]] << 8 | p[2 + p[0]];
    return CQL_OK;
}

const char *cql_error_reason_name(int code)
{
    static const char *const names[] = {"unknown",
                                        "read too many tombstones",
                                        "timeout",
                                        "incompatible schema",
                                        "read size",
                                        "node down",
                                        "index not available",
                                        "read too many indexes"};
    return code >= 0 && (size_t)code < CQL_COUNT(names) ? names[code] : "unknown";
}

size_t cql_error_tried_count(const cql_error *err)
{
    return err->tried_count;
}

cql_status cql_error_tried(const cql_error *err, size_t i, const char **host, cql_status *status,
                           const char **reason)
{
    if (i >= err->tried_count)
        return CQL_OUT_OF_RANGE;
    if (host)
        *host = err->tried[i].host;
    if (status)
        *status = err->tried[i].status;
    if (reason)
        *reason = err->tried[i].reason;
    return CQL_OK;
}
