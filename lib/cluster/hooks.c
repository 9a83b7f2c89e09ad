/* The program's hooks: what a tracer hangs on. */
#include "cluster/hooks.h"

#include "cluster/expiry.h"
#include "wire/notation.h"

enum { FLAG_PAYLOAD = 0x04 };

static const char *kind_of(const cqln_request *req)
{
    if (req->is_prepare)
        return "prepare";
    switch (req->env.data[CQLN_FRAME_OPCODE_AT]) {
    case CQLN_OP_EXECUTE:
        return "execute";
    case CQLN_OP_BATCH:
        return "batch";
    default:
        return "query";
    }
}

/* The text of a QUERY, or of the first member of a BATCH: it stands in front of all but a payload. */
static cql_str text_within(const cqln_request *req)
{
    const uint8_t *env = req->env.data;
    cqln_reader rd;
    cql_str payload;
    cqln_reader_init(&rd, env + CQLN_FRAME_HEADER, req->env.len - CQLN_FRAME_HEADER);
    for (uint16_t n = env[1] & FLAG_PAYLOAD ? cqln_read_u16(&rd) : 0; n > 0 && !rd.failed; n--) {
        (void)cqln_read_string(&rd);
        (void)cqln_read_nbytes(&rd, &payload);
    }
    if (env[CQLN_FRAME_OPCODE_AT] != CQLN_OP_BATCH)
        return cqln_read_long_string(&rd);
    (void)cqln_read_u8(&rd); /* its type, and how many members it has */
    bool any = cqln_read_u16(&rd) > 0;
    if (any && cqln_read_u8(&rd) != 0)
        return req->members[0]->cql;
    return any ? cqln_read_long_string(&rd) : cql_str_of("");
}

static cql_str text_of(const cqln_request *req)
{
    if (req->is_prepare)
        return req->cql;
    return req->prepared ? req->prepared->cql : text_within(req);
}

static cql_request_note note_of(cqln_request *req)
{
    cql_request_note note = {
        .id = cqln_request_handle(req), .kind = kind_of(req), .host = "", .cql = text_of(req)};
    return note;
}

/* Of what took longer than the fine time can tell the coarse one is enough. */
static uint64_t elapsed_us(const cqln_request *req)
{
    uint32_t fine = cqln_request_took_us(req);
    return fine < CQLN_LONG_US ? fine : (req->cluster->loop.ms - req->began_ms) * 1000;
}

void cqln_hooks_start(cqln_request *req)
{
    const cql_request_hooks *hooks = req->cluster->config->hooks;
    cql_request_note note = note_of(req);
    if (hooks->start)
        hooks->start(hooks->self, &note, &req->hook_slot);
}

void cqln_hooks_attempt(cqln_request *req, const cqln_link *link)
{
    const cql_request_hooks *hooks = req->cluster->config->hooks;
    cql_request_note note = note_of(req);
    note.host = link->address_text;
    note.attempt = req->attempts + 1u;
    note.elapsed_us = elapsed_us(req);
    if (hooks->attempt)
        hooks->attempt(hooks->self, &note, &req->hook_slot);
}

/* The node may have left the cluster since: only one that is still known is named. */
static const char *last_host(const cqln_request *req)
{
    for (const cqln_node *n = req->cluster->nodes; req->last && n; n = n->next)
        if (n == req->last)
            return n->address_text;
    return "";
}

void cqln_hooks_end(cqln_request *req, const cql_error *err)
{
    const cql_request_hooks *hooks = req->cluster->config->hooks;
    cql_request_note note = note_of(req);
    note.host = last_host(req);
    note.attempt = req->attempts + 1u;
    note.elapsed_us = elapsed_us(req);
    note.status = err ? cql_error_status(err) : CQL_OK;
    note.err = err;
    if (hooks->end)
        hooks->end(hooks->self, &note, &req->hook_slot);
}
