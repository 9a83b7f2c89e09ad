/* Statements: binding writes wire form at once, so that executing is a copy. */
#include "api/statement.h"

#include "api/routing.h"
#include "base/error.h"
#include "types/check.h"
#include "types/value.h"

#include <string.h>

enum {
    MARKERS_MAX = 65535,
    INSIDE = sizeof((cql_value *)NULL)->u.bytes /* bytes that a value has room for itself */
};

static const size_t values_max = (size_t)1 << 28;
static const uint32_t wire_null = 0xffffffffu;
static const uint32_t wire_unset = 0xfffffffeu;

/* --- life ---------------------------------------------------------------------------------------- */

void cqln_execution_init(cqln_execution *ex)
{
    memset(ex, 0, sizeof *ex);
    ex->consistency = -1;
    ex->serial_consistency = -1;
}

static cql_status make(const cql_allocator *al, size_t markers, cql_statement **out)
{
    cql_statement *s = cqln_alloc_zero(al, sizeof *s);
    if (!s)
        return CQL_NO_MEMORY;
    s->al = al;
    s->markers = (uint32_t)markers;
    s->offsets = cqln_alloc_array(al, markers + 1, sizeof *s->offsets);
    s->bound = cqln_alloc_zero(al, markers);
    s->cap = markers * 16;
    s->values = cqln_alloc(al, s->cap);
    if (!s->offsets || !s->bound || !s->values) {
        cql_statement_free(s);
        return CQL_NO_MEMORY;
    }
    cqln_execution_init(&s->ex);
    cql_statement_clear(s);
    *out = s;
    return CQL_OK;
}

cql_status cql_statement_new(const char *cql, size_t markers, const cql_allocator *al,
                             cql_statement **out)
{
    if (!cql || !out)
        return CQL_BAD_ARGUMENT;
    *out = NULL;
    if (markers > MARKERS_MAX)
        return CQL_TOO_LARGE;
    if (!al)
        al = cqln_alloc_default();
    cql_statement *s;
    cql_status st = make(al, markers, &s);
    if (st)
        return st;
    cqln_execution_say(&s->ex, CQLN_SAID_RARE);
    s->cql = cqln_strdup(al, cql_str_of(cql));
    if (!s->cql) {
        cql_statement_free(s);
        return CQL_NO_MEMORY;
    }
    *out = s;
    return CQL_OK;
}

cql_statement *cql_prepared_bind(const cql_prepared *prepared)
{
    cql_statement *s;
    if (!prepared || make(prepared->al, prepared->bind->count, &s) != CQL_OK)
        return NULL;
    s->prepared = cql_prepared_ref(prepared);
    return s;
}

void cql_statement_free(cql_statement *s)
{
    if (!s)
        return;
    cql_prepared_unref(s->prepared);
    cqln_free(s->al, s->cql);
    cqln_free(s->al, s->offsets);
    cqln_free(s->al, s->bound);
    cqln_free(s->al, s->values);
    cqln_free(s->al, s->paging_state);
    cqln_extra_free(s->ex.extra, s->markers);
    cqln_routing_free(s->al, s->ex.routing);
    cql_error_unref(s->misfit);
    cqln_free(s->al, s);
}

void cql_statement_clear(cql_statement *s)
{
    if (!s)
        return;
    s->unbound = s->markers;
    if (s->misfit) {
        cql_error_unref(s->misfit);
        s->misfit = NULL;
    }
    for (uint32_t i = 0; i < s->markers; i++) {
        s->offsets[i] = 4 * i;
        s->bound[i] = 0;
        cqln_store_u32(s->values + 4 * i, wire_unset);
    }
    s->offsets[s->markers] = 4 * s->markers;
}

size_t cql_statement_marker_count(const cql_statement *s)
{
    return s->markers;
}

/* --- binding ------------------------------------------------------------------------------------- */

/* Makes the place of a marker n bytes wide; what follows moves. */
static cql_status resize(cql_statement *s, size_t index, size_t n)
{
    size_t at = s->offsets[index];
    size_t old = s->offsets[index + 1] - at;
    size_t end = s->offsets[s->markers];
    if (n == old)
        return CQL_OK;
    size_t total = end - old + n;
    if (total > values_max)
        return CQL_TOO_LARGE;
    if (total > s->cap) {
        size_t cap = total * 2;
        uint8_t *grown = cqln_realloc(s->al, s->values, cap);
        if (!grown)
            return CQL_NO_MEMORY;
        s->values = grown;
        s->cap = cap;
    }
    memmove(s->values + at + n, s->values + at + old, end - at - old);
    uint32_t moved = (uint32_t)(n - old); /* wraps for a shrink, and so does the sum */
    for (size_t i = index + 1; i <= s->markers; i++)
        s->offsets[i] += moved;
    return CQL_OK;
}

static inline size_t wire_size(const cql_value *v)
{
    return v->state == CQL_VALUE_SET ? 4 + (size_t)v->len : 4;
}

/* Null or unset; returns its size, as the next one does. The room is there. */
static inline size_t write_none(uint8_t *at, const cql_value *v)
{
    cqln_store_u32(at, v->state == CQL_VALUE_NULL ? wire_null : wire_unset);
    return 4;
}

static void write_value(uint8_t *at, const cql_value *v)
{
    if (v->state != CQL_VALUE_SET) {
        write_none(at, v);
        return;
    }
    cqln_store_u32(at, v->len);
    cqln_copy(at + 4, cqln_value_ptr(v), v->len);
}

static cql_status put(cql_statement *s, size_t index, const cql_value *v)
{
    size_t n = wire_size(v);
    if (n != s->offsets[index + 1] - s->offsets[index]) {
        cql_status st = resize(s, index, n);
        if (st)
            return st;
    }
    write_value(s->values + s->offsets[index], v);
    s->unbound -= s->bound[index] == 0;
    s->bound[index] = 1;
    return CQL_OK;
}

static const cql_type *marker_type(const cql_statement *s, size_t index)
{
    return s->prepared ? s->prepared->bind->columns[index].type : NULL;
}

static __attribute__((noinline)) cql_status check_slowly(const cql_type *type, const cql_value *v)
{
    if (v->state == CQL_VALUE_UNBOUND)
        return CQL_UNBOUND;
    return type ? cqln_value_check(type, v) : CQL_OK; /* not prepared: the server checks */
}

/* Numbers of a shorter type than the column's become ones of its type. */
static __attribute__((noinline)) cql_status fit_slowly(const cql_type *type, cql_value *v)
{
    return type ? cqln_value_fit(type, v) : check_slowly(type, v);
}

cql_status cql_statement_bind_value(cql_statement *s, size_t index, cql_value v)
{
    if (!s)
        return CQL_BAD_ARGUMENT;
    if (index >= s->markers)
        return cqln_misfit(s, index, &v, CQL_OUT_OF_RANGE);
    cql_status st = CQL_OK;
    if (!s->prepared || !cqln_fits(&s->prepared->fits[index], &v))
        st = fit_slowly(marker_type(s, index), &v);
    return st ? cqln_misfit(s, index, &v, st) : put(s, index, &v);
}

/* All values fit their columns? *total becomes their size in wire form, at least. */
static inline bool check_all(const cql_prepared *p, const cql_value *v, uint64_t *total)
{
    size_t count = p->bind->count;
    uint64_t sum = 4 * (uint64_t)count;
    for (size_t i = 0; i < count; i++) {
        if (!cqln_fits(&p->fits[i], &v[i]) && check_slowly(p->bind->columns[i].type, &v[i]))
            return false;
        sum += v[i].len;
    }
    *total = sum;
    return true;
}

/* Writes a value that was checked and is set; returns its size. Whole words are read back as they were stored a
 * moment ago: a wider read would have to wait until they are in the cache. */
static inline size_t write_set(uint8_t *at, const cql_value *v)
{
    uint32_t len = v->len;
    cqln_store_u32(at, len);
    if (v->inside != 1)
        cqln_copy(at + 4, v->u.ptr, len);
    else if (len == 8)
        memcpy(at + 4, v->u.bytes, 8);
    else if (len == 4)
        memcpy(at + 4, v->u.bytes, 4);
    else
        memcpy(at + 4, v->u.bytes, INSIDE);
    return 4 + (size_t)len;
}

/* All markers of a prepared statement at once, when all values fit and the room is there: written one
 * behind the other, so that nothing has to move. False, and nothing changed, when it must be done one by
 * one. The room is for a whole inside value behind the last, so that odd lengths are copied without
 * looking at them. */
static bool bind_all(cql_statement *s, const cql_value *v)
{
    uint64_t total;
    if (!s->prepared || !check_all(s->prepared, v, &total) || total + INSIDE > s->cap ||
        total > values_max)
        return false;
    uint8_t *values = s->values;
    uint32_t *offsets = s->offsets;
    size_t count = s->markers, at = 0;
    for (size_t i = 0; i < count; i++) {
        offsets[i] = (uint32_t)at;
        at += v[i].state == CQL_VALUE_SET ? write_set(values + at, &v[i])
                                          : write_none(values + at, &v[i]);
    }
    offsets[count] = (uint32_t)at;
    if (s->unbound) {
        memset(s->bound, 1, s->markers);
        s->unbound = 0;
    }
    return true;
}

static __attribute__((noinline)) cql_status bind_each(cql_statement *s, const cql_value *v,
                                                       size_t count, cql_error **err)
{
    for (size_t i = 0; i < count; i++) {
        cql_status st = cql_statement_bind_value(s, i, v[i]);
        if (st == CQL_NO_MEMORY || st == CQL_TOO_LARGE)
            return cqln_fail(err, s->al, st, "value %zu: %s", i + 1, cql_status_text(st));
        if (st)
            return cqln_error_give(err, cql_error_ref(s->misfit));
    }
    return CQL_OK;
}

cql_status cql_statement_bind(cql_statement *s, cql_values values, cql_error **err)
{
    if (!s || (!values.ptr && values.count))
        return cqln_fail_null(err, s ? "values" : "stmt");
    if (values.count == s->markers && bind_all(s, values.ptr))
        return CQL_OK;
    return bind_each(s, values.ptr, values.count, err);
}

cql_status cql_statement_bind_name(cql_statement *s, const char *name, cql_value v)
{
    if (!s || !name)
        return CQL_BAD_ARGUMENT;
    if (!s->prepared)
        return cqln_extra_bind_named(s, name, v);
    cql_str wanted = cql_str_of(name);
    cql_status result = CQL_NO_SUCH_NAME;
    for (size_t i = 0; i < s->markers; i++) {
        if (!cql_str_equal(s->prepared->bind->columns[i].name, wanted))
            continue;
        result = cql_statement_bind_value(s, i, v);
        if (result)
            return result;
    }
    return result ? cqln_misfit_name(s, name) : CQL_OK;
}

cql_status cql_statement_bind_null(cql_statement *s, size_t index)
{
    return cql_statement_bind_value(s, index, cql_value_null());
}

cql_status cql_statement_bind_bool(cql_statement *s, size_t index, bool v)
{
    return cql_statement_bind_value(s, index, cql_value_bool(v));
}

cql_status cql_statement_bind_int8(cql_statement *s, size_t index, int8_t v)
{
    return cql_statement_bind_value(s, index, cql_value_int8(v));
}

cql_status cql_statement_bind_int16(cql_statement *s, size_t index, int16_t v)
{
    return cql_statement_bind_value(s, index, cql_value_int16(v));
}

cql_status cql_statement_bind_float(cql_statement *s, size_t index, float v)
{
    return cql_statement_bind_value(s, index, cql_value_float(v));
}

cql_status cql_statement_bind_int32(cql_statement *s, size_t index, int32_t v)
{
    return cql_statement_bind_value(s, index, cql_value_int32(v));
}

static __attribute__((noinline)) cql_status bind_int64_slowly(cql_statement *s, size_t index,
                                                              int64_t v)
{
    return cql_statement_bind_value(s, index, cql_value_int64(v));
}

/* Keys and times are mostly this, so a place that holds eight bytes already is simply written over. */
cql_status cql_statement_bind_int64(cql_statement *s, size_t index, int64_t v)
{
    if (s && index < s->markers && s->offsets[index + 1] - s->offsets[index] == 12 && s->prepared &&
        s->prepared->fits[index].int64) {
        cqln_store_u64(s->values + s->offsets[index] + 4, (uint64_t)v);
        return CQL_OK;
    }
    return bind_int64_slowly(s, index, v);
}

cql_status cql_statement_bind_double(cql_statement *s, size_t index, double v)
{
    return cql_statement_bind_value(s, index, cql_value_double(v));
}

cql_status cql_statement_bind_text(cql_statement *s, size_t index, const char *v)
{
    return cql_statement_bind_value(s, index, cql_value_text(v));
}

cql_status cql_statement_bind_blob(cql_statement *s, size_t index, const void *bytes, size_t len)
{
    return cql_statement_bind_value(s, index, cql_value_blob(bytes, len));
}

cql_status cql_statement_bind_uuid(cql_statement *s, size_t index, cql_uuid v)
{
    return cql_statement_bind_value(s, index, cql_value_uuid(v));
}

/* --- options ------------------------------------------------------------------------------------- */

static bool is_serial(cql_consistency level)
{
    return level == CQL_CONSISTENCY_SERIAL || level == CQL_CONSISTENCY_LOCAL_SERIAL;
}

void cql_statement_set_consistency(cql_statement *s, cql_consistency level)
{
    if (!s)
        return;
    s->ex.consistency = (int32_t)level;
    cqln_execution_say(&s->ex, CQLN_SAID_COMMON);
}

cql_status cql_statement_set_serial_consistency(cql_statement *s, cql_consistency level)
{
    if (!s || !is_serial(level))
        return CQL_BAD_ARGUMENT;
    s->ex.serial_consistency = (int32_t)level;
    cqln_execution_say(&s->ex, CQLN_SAID_RARE);
    return CQL_OK;
}

void cql_statement_set_idempotent(cql_statement *s, bool idempotent)
{
    if (!s)
        return;
    s->ex.idempotent = idempotent ? CQLN_IDEMPOTENT_YES : CQLN_IDEMPOTENT_NO;
}

cql_status cql_statement_set_page_size(cql_statement *s, int32_t rows)
{
    if (!s || rows < -1 || rows == 0)
        return CQL_BAD_ARGUMENT;
    s->ex.page_size = rows;
    cqln_execution_say(&s->ex, CQLN_SAID_COMMON);
    return CQL_OK;
}

cql_status cql_statement_set_paging_state(cql_statement *s, cql_str state)
{
    if (!s || (!state.ptr && state.len))
        return CQL_BAD_ARGUMENT;
    char *copy = NULL;
    if (state.len && !(copy = cqln_strdup(s->al, state)))
        return CQL_NO_MEMORY;
    cqln_free(s->al, s->paging_state);
    s->paging_state = copy;
    s->paging_state_len = state.len;
    if (state.len)
        cqln_execution_say(&s->ex, CQLN_SAID_RARE);
    return CQL_OK;
}

void cql_statement_set_timestamp(cql_statement *s, int64_t unix_us)
{
    if (!s)
        return;
    s->ex.has_timestamp = true;
    s->ex.timestamp = unix_us;
    cqln_execution_say(&s->ex, CQLN_SAID_RARE);
}

void cql_statement_set_tracing(cql_statement *s, bool tracing)
{
    if (!s)
        return;
    s->ex.tracing = tracing;
    cqln_execution_say(&s->ex, CQLN_SAID_RARE);
}

void cql_statement_set_retry_policy(cql_statement *s, const cql_retry_policy *policy)
{
    if (!s)
        return;
    s->ex.retry_policy = policy;
    cqln_execution_say(&s->ex, CQLN_SAID_RARE);
}

void cql_statement_set_speculative(cql_statement *s, bool speculative)
{
    if (!s)
        return;
    s->ex.steady = !speculative;
    cqln_execution_say(&s->ex, CQLN_SAID_RARE);
}

void cql_statement_set_timeout(cql_statement *s, uint32_t timeout_ms)
{
    if (!s)
        return;
    s->ex.timeout_ms = timeout_ms;
    cqln_execution_say(&s->ex, CQLN_SAID_COMMON);
}
