/* open.c: options, making and ending. */
#include "outbox/core.h"

#include <stdio.h>
#include <string.h>

enum { BYTES_MIN = 4096, BYTES = 16 << 20 };

static uint32_t or_default(uint32_t v, uint32_t standard)
{
    return v ? v : standard;
}

static void fill_in(cql_outbox_options *o)
{
    o->max_bytes = o->max_bytes ? o->max_bytes : BYTES;
    o->sync_ms = or_default(o->sync_ms, 1000);
    o->window = or_default(o->window, 1);
    o->retry_ms = or_default(o->retry_ms, 200);
    o->retry_max_ms = or_default(o->retry_max_ms, 5000);
    if (o->retry_max_ms < o->retry_ms)
        o->retry_max_ms = o->retry_ms;
    o->path = NULL; /* the store has its own */
}

/* The member that cannot be, NULL if all is well. */
static const char *wrong_member(const cql_outbox_options *o)
{
    if (!o->path || !*o->path)
        return "path";
    if (o->max_bytes && o->max_bytes < BYTES_MIN)
        return "max_bytes (at least 4096)";
    if ((unsigned)o->sync > CQL_OUTBOX_SYNC_NONE)
        return "sync";
    if (o->window > CQLOX_WINDOW_MAX)
        return "window (1 to 32)";
    if (o->consistency < 0 || o->consistency > CQL_CONSISTENCY_LOCAL_ONE ||
        o->consistency == CQL_CONSISTENCY_SERIAL || o->consistency == CQL_CONSISTENCY_LOCAL_SERIAL)
        return "consistency (one for writes)";
    return NULL;
}

cql_status cqlox_fail(const cqlox_port *port, cql_status st, const char *text, cql_error **err)
{
    char line[CQLOX_WHY + 60];
    (void)snprintf(line, sizeof line, "the outbox could not be opened: %s", text);
    return cqlseat_fail(port->seat.al, st, line, err);
}

cql_status cqlox_new(const cqlox_port *port, const cql_outbox_options *options, cql_outbox **out,
                     cql_error **err)
{
    *out = NULL;
    if (!options || options->size < offsetof(cql_outbox_options, user) + sizeof options->user)
        return cqlox_fail(port, CQL_BAD_ARGUMENT, "bad option size", err);
    const char *wrong = wrong_member(options);
    if (wrong)
        return cqlox_fail(port, CQL_BAD_ARGUMENT, wrong, err);
    cql_outbox *o = cqlseat_zalloc(port->seat.al, sizeof *o);
    if (!o || !cqlseat_init(&o->seat, &port->seat, cqlox_do_due)) {
        cqlseat_free(port->seat.al, o);
        return cqlox_fail(port, CQL_NO_MEMORY, "out of memory", err);
    }
    o->send = port->send;
    o->version = port->version;
    o->o = *options;
    fill_in(&o->o);
    char real[CQLOX_PATH];
    bool named = port->files == &cqlox_files_posix;
    const char *path = named ? cqlox_real_path(options->path, real) : options->path;
    cql_status st = cqlox_store_open(&o->store, port->files, port->seat.al, path, o->o.max_bytes);
    if (st) {
        (void)cqlox_fail(port, st, *o->store.why ? o->store.why : "out of memory", err);
        cqlox_destroy(o);
        return st;
    }
    *out = o;
    return CQL_OK;
}

void cqlox_destroy(cql_outbox *o)
{
    const cql_allocator *al = o->seat.port.al;
    for (size_t i = 0; i < CQLOX_PLACES; i++) {
        cqlseat_free(al, o->places[i].record.ptr);
        cql_error_unref(o->places[i].refused);
    }
    cqlseat_free(al, o->record.ptr);
    cql_error_unref(o->last);
    cqlseat_fini(&o->seat);
    cqlseat_free(al, o);
}

void cql_outbox_free(cql_outbox *o)
{
    if (!o)
        return;
    cql_error *err = cql_error_make(o->seat.port.al, CQL_CANCELLED, NULL, "the outbox was freed");
    (void)pthread_mutex_lock(&o->seat.lock);
    o->freed = true;
    cqlox_store_close(&o->store);
    cqlox_store_close(&o->refusals);
    (void)pthread_cond_broadcast(&o->seat.changed);
    cqlox_call_flushers(o, err);
    cql_error_unref(err);
    cqlseat_drop_and_unlock(&o->seat);
}
