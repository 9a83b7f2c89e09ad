/* The error object: one allocation that holds the record, the rows of the tried nodes and all text. */
#include "base/error.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

enum {
    TEXT_MAX = 2048,
    FIELD_MAX = 1024,
    SERVER_MESSAGE_MAX = 4096,
    REASONS_MAX = 1024 * 19, /* bytes of a failure map that are kept: a thousand nodes */
    REASON_MIN = 1 + 4 + 2
};

/* What `info` views lies behind the rows, each text with a NUL. */
struct cql_error {
    cql_allocator al;
    atomic_uint holders;
    const char *text;
    cqln_error_info info;
    size_t tried_count;
    cqln_tried tried[];
};

/* Given when there is no memory for a better one; their holders are not counted. There are two, because
 * "certainly not executed" must never be said only for want of memory. */
#define EMPTY {"", 0}
#define NO_MEMORY(maybe)                                                                           \
    {                                                                                              \
        .text = "out of memory", .info = {.status = CQL_NO_MEMORY, .host = EMPTY,                  \
                                          .server_message = EMPTY, .write_type = EMPTY,            \
                                          .keyspace = EMPTY, .table = EMPTY, .arguments = EMPTY,   \
                                          .maybe_applied = (maybe)},                               \
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

/* The texts of an error, the server's message first. */
static const size_t texts[] = {
    offsetof(cqln_error_info, server_message), offsetof(cqln_error_info, host),
    offsetof(cqln_error_info, write_type),     offsetof(cqln_error_info, keyspace),
    offsetof(cqln_error_info, table),          offsetof(cqln_error_info, arguments),
};

static cql_str *text_at(cqln_error_info *info, size_t i)
{
    return (cql_str *)(void *)((char *)info + texts[i]);
}

/* Escapes to *at, steps *at behind the NUL, and views it from there on; without a place it counts the bytes. */
static size_t place(char **at, size_t cap, cql_str *text)
{
    if (!*at)
        return cqln_escaped_size(cap, *text);
    *text = (cql_str){*at, cqln_escape(*at, cap, *text)};
    *at += text->len + 1;
    return text->len + 1;
}

static size_t place_raw(char **at, cql_str *bytes)
{
    if (!*at)
        return bytes->len;
    if (bytes->len)
        memcpy(*at, bytes->ptr, bytes->len);
    bytes->ptr = *at;
    *at += bytes->len;
    return bytes->len;
}

/* Copies all that the info and the rows view to `at`, and has them view the copies; NULL: how many bytes that will be. */
static size_t place_all(char *at, cqln_error_info *info, cql_str *text, cqln_tried *tried, size_t count)
{
    size_t size = place(&at, TEXT_MAX, text);
    for (size_t i = 0; i < CQL_COUNT(texts); i++)
        size += place(&at, i ? FIELD_MAX : SERVER_MESSAGE_MAX, text_at(info, i));
    size += place_raw(&at, &info->reasons) + place_raw(&at, &info->unprepared_id);
    for (size_t i = 0; i < count; i++)
        size += place(&at, FIELD_MAX, &tried[i].host) + place(&at, FIELD_MAX, &tried[i].reason);
    return size;
}

cql_error *cqln_error_make_v(const cql_allocator *al, const cqln_error_info *info,
                             const cqln_tried *tried, size_t tried_count, const char *format,
                             va_list args)
{
    char line[TEXT_MAX];
    cql_str text = cqln_format(line, sizeof line, format, args);
    size_t count = !tried ? 0 : tried_count < CQLN_TRIED_MAX ? tried_count : CQLN_TRIED_MAX;
    cqln_error_info own = *info;
    own.reasons.len = whole_reasons(own.reasons);
    size_t rows = count * sizeof *tried;
    /* Without a place nothing is written, not even to the rows. */
    size_t size = sizeof(cql_error) + rows + place_all(NULL, &own, &text, (cqln_tried *)(uintptr_t)tried, count);
    cql_error *e = cqln_alloc(al, size);
    if (!e)
        return info->maybe_applied ? &no_memory_maybe_applied : &no_memory;
    e->al = *al;
    atomic_init(&e->holders, 1);
    e->info = own;
    e->tried_count = count;
    if (rows)
        memcpy(e->tried, tried, rows);
    place_all((char *)(e->tried + count), &e->info, &text, e->tried, count);
    e->text = text.ptr;
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
    cql_status st = made->info.status;
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

cql_error *cql_error_make(const cql_allocator *al, cql_status st, const cql_error *cause,
                          const char *text)
{
    cqln_error_info info = {.status = st};
    if (cause)
        info = cause->info;
    info.status = st;
    return cqln_error_make(al ? al : cqln_alloc_default(), &info, cause ? cause->tried : NULL,
                           cause ? cause->tried_count : 0, "%s", text);
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
    return err->info.status;
}

const char *cql_error_text(const cql_error *err)
{
    return err->text;
}

const char *cql_error_server_message(const cql_error *err)
{
    return err->info.server_message.ptr;
}

const char *cql_error_host(const cql_error *err)
{
    return err->info.host.ptr;
}

int cql_error_server_code(const cql_error *err)
{
    return CQL_SERVER_CODE(err->info.status);
}

bool cql_error_maybe_applied(const cql_error *err)
{
    return err->info.maybe_applied;
}

bool cql_error_retriable(const cql_error *err)
{
    return err->info.retriable;
}

int cql_error_consistency(const cql_error *err)
{
    return err->info.consistency;
}

int cql_error_required(const cql_error *err)
{
    return err->info.required;
}

int cql_error_received(const cql_error *err)
{
    return err->info.received;
}

int cql_error_failures(const cql_error *err)
{
    return err->info.failures;
}

bool cql_error_data_present(const cql_error *err)
{
    return err->info.data_present;
}

const char *cql_error_write_type(const cql_error *err)
{
    return err->info.write_type.ptr;
}

const char *cql_error_keyspace(const cql_error *err)
{
    return err->info.keyspace.ptr;
}

const char *cql_error_table(const cql_error *err)
{
    return err->info.table.ptr;
}

const char *cql_error_argument_types(const cql_error *err)
{
    return err->info.arguments.ptr;
}

int cql_error_contentions(const cql_error *err)
{
    return err->info.contentions;
}

cql_str cql_error_unprepared_id(const cql_error *err)
{
    return err->info.unprepared_id;
}

size_t cql_error_reason_count(const cql_error *err)
{
    size_t n = 0;
    for (size_t at = 0; at < err->info.reasons.len; n++)
        at += reason_size((const uint8_t *)err->info.reasons.ptr + at);
    return n;
}

cql_status cql_error_reason(const cql_error *err, size_t i, cql_str *address, int *code)
{
    const uint8_t *p = (const uint8_t *)err->info.reasons.ptr;
    const uint8_t *end = p + err->info.reasons.len;
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
        *host = err->tried[i].host.ptr;
    if (status)
        *status = err->tried[i].status;
    if (reason)
        *reason = err->tried[i].reason.ptr;
    return CQL_OK;
}
