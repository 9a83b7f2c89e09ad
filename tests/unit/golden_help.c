#include "golden_help.h"

#include "base/alloc.h"

/* --- files --------------------------------------------------------------------------------------------- */

static void append(char *to, size_t cap, const char *line, const char *name)
{
    size_t at = strlen(to);
    if (at + strlen(line) + 2 > cap)
        fail_msg("%s: longer than the test's record", name);
    snprintf(to + at, cap - at, "%s\n", line);
}

size_t golden_each(const char *name, void (*fn)(const golden_frame *g, void *user), void *user)
{
    static golden_frame g;
    char path[1024];
    char line[8192];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/tests/data/%s", TEST_SRCDIR, name);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s cannot be read", path);
    memset(&g, 0, sizeof g);
    for (bool more = true; more;) {
        more = fgets(line, sizeof line, f) != NULL;
        if (more)
            line[strcspn(line, "\n")] = '\0';
        if (!more || strncmp(line, "== ", 3) == 0) {
            if (g.name[0]) {
                fn(&g, user);
                count++;
            }
            memset(&g, 0, sizeof g);
            if (more)
                snprintf(g.name, sizeof g.name, "%.*s", (int)strcspn(line + 3, " "), line + 3);
        } else if (strncmp(line, "-> ", 3) == 0) {
            if (strlen(line + 3) >= sizeof g.says)
                fail_msg("%s: longer than the test's record", g.name);
            memcpy(g.says, line + 3, strlen(line + 3) + 1);
        } else if (g.name[0]) {
            append(g.hex, sizeof g.hex, line, g.name);
        }
    }
    fclose(f);
    return count;
}

/* --- telling ------------------------------------------------------------------------------------------- */

typedef struct teller {
    char *out;
    size_t cap;
    size_t len;
} teller;

static __attribute__((format(printf, 2, 3))) void say(teller *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = t->len < t->cap ? t->cap - t->len : 0;
    int n = vsnprintf(room ? t->out + t->len : NULL, room, format, args);
    va_end(args);
    t->len += n > 0 ? (size_t)n : 0;
}

static void say_hex(teller *t, cql_str bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        say(t, "%02x", (uint8_t)bytes.ptr[i]);
}

static void say_text(teller *t, const char *label, cql_str text)
{
    if (text.len)
        say(t, " %s=%.*s", label, (int)text.len, text.ptr);
}

static void say_prefix(teller *t, const cqln_prefix *p)
{
    cqln_reader rd;
    if (p->trace_id) {
        say(t, "trace=");
        say_hex(t, (cql_str){(const char *)p->trace_id, 16});
        say(t, " ");
    }
    cqln_reader_init(&rd, p->warnings_bytes.ptr, p->warnings_bytes.len);
    for (uint16_t i = 0; i < p->warnings; i++) {
        cql_str w = cqln_read_string(&rd);
        if (i == 0)
            say(t, "warnings=%d:", p->warnings);
        say(t, "%s%.*s", i ? "," : "", (int)w.len, w.len ? w.ptr : "");
    }
    if (p->warnings)
        say(t, " ");
    cqln_reader_init(&rd, p->payload_bytes.ptr, p->payload_bytes.len);
    for (uint16_t i = 0; i < p->payload_entries; i++) {
        cql_str value;
        cql_str key = cqln_read_string(&rd);
        bool there = cqln_read_nbytes(&rd, &value);
        if (i == 0)
            say(t, "payload=%d:", p->payload_entries);
        say(t, "%s", i ? ";" : "");
        say_hex(t, key);
        say(t, "%s", there ? "," : ",null");
        say_hex(t, value);
    }
    if (p->payload_entries)
        say(t, " ");
}

static cql_status tell_error(teller *t, cqln_reader *rd, uint8_t version)
{
    cqln_server_error e;
    cql_status st = cqln_decode_error(rd, version, &e);
    if (st)
        return st;
    say(t, "ERROR code=0x%04x message=\"%.*s\"", e.code, (int)e.message.len, e.message.ptr);
    if (e.consistency)
        say(t, " consistency=%d", e.consistency);
    if (e.required)
        say(t, " required=%d", (int)e.required);
    if (e.received)
        say(t, " received=%d", (int)e.received);
    if (e.failures)
        say(t, " failures=%d", (int)e.failures);
    if (e.reasons.len) {
        say(t, " reasons=");
        say_hex(t, e.reasons);
    }
    say(t, "%s", e.data_present ? " data_present" : "");
    say_text(t, "write_type", e.write_type);
    if (e.contentions)
        say(t, " contentions=%d", e.contentions);
    say_text(t, "keyspace", e.keyspace);
    say_text(t, "table", e.table);
    if (e.argument_count) {
        say(t, " arguments=");
        say_hex(t, e.arguments);
    }
    if (e.unprepared_id.len) {
        say(t, " id=");
        say_hex(t, e.unprepared_id);
    }
    return CQL_OK;
}

static void say_columns(teller *t, const cqln_metadata *m)
{
    char name[600];
    size_t len;
    for (uint32_t i = 0; i < m->count; i++) {
        const cqln_column *c = &m->columns[i];
        say(t, " %.*s:", (int)c->name.len, c->name.ptr);
        if (c->type->id == CQL_TYPE_UDT)
            snprintf(name, sizeof name, "%.*s.%.*s", (int)c->type->keyspace.len,
                     c->type->keyspace.ptr, (int)c->type->name.len, c->type->name.ptr);
        else
            cql_type_print(c->type, name, sizeof name, &len);
        for (const char *p = name; *p; p++)
            if (*p != ' ')
                say(t, "%c", *p);
    }
}

/* Every cell once, so that a cut among them is found. */
static cql_status walk_cells(const cqln_rows_head *h)
{
    cqln_reader rd;
    cqln_reader_init(&rd, h->rows.ptr, h->rows.len);
    for (uint64_t i = 0; i < (uint64_t)h->row_count * h->column_count && !rd.failed; i++) {
        cql_str cell;
        int32_t len = rd.end - rd.at >= 4 ? (int32_t)cqln_load_u32(rd.at) : 0;
        cqln_read_nbytes(&rd, &cell);
        if (len < -1)
            rd.failed = true;
    }
    return rd.failed ? CQL_MALFORMED : CQL_OK;
}

static cql_status tell_rows(teller *t, cqln_reader *rd, const cql_allocator *al)
{
    cqln_rows_head h;
    cqln_metadata *m;
    cql_status st = cqln_decode_rows_head(rd, &h);
    if (!st)
        st = walk_cells(&h);
    if (!st)
        st = cqln_metadata_from_rows(al, &h, &m);
    if (st)
        return st;
    say(t, "RESULT rows flags=%x columns=%u", h.flags, h.column_count);
    if (h.flags & CQLN_ROWS_HAS_MORE) {
        say(t, " paging=%s", h.has_paging_state ? "" : "null");
        say_hex(t, h.has_paging_state ? h.paging_state : (cql_str){NULL, 0});
    }
    if (h.new_metadata_id.len) {
        say(t, " id=");
        say_hex(t, h.new_metadata_id);
    }
    say_columns(t, m);
    say(t, " rows=%u cells=", h.row_count);
    say_hex(t, h.rows);
    cqln_metadata_unref(m);
    return CQL_OK;
}

static cql_status tell_prepared(teller *t, cqln_reader *rd, uint8_t version, const cql_allocator *al)
{
    cqln_prepared_head p;
    cql_status st = cqln_decode_prepared(rd, version, al, &p);
    if (st)
        return st;
    say(t, "RESULT prepared id=");
    say_hex(t, p.id);
    if (version >= 5) {
        say(t, " result_id=");
        say_hex(t, p.metadata_id);
    }
    say(t, " pk=");
    for (uint32_t i = 0; i < p.bind->pk_count; i++)
        say(t, "%s%d", i ? "," : "", p.bind->pk_index[i]);
    say(t, " bind:");
    say_columns(t, p.bind);
    say(t, " result:");
    say_columns(t, p.result);
    cqln_metadata_unref(p.bind);
    cqln_metadata_unref(p.result);
    return CQL_OK;
}

static void say_change(teller *t, const cqln_schema_change *c)
{
    say(t, "schema %.*s %.*s %.*s", (int)c->change.len, c->change.ptr, (int)c->target.len,
        c->target.ptr, (int)c->keyspace.len, c->keyspace.ptr);
    if (c->name.len)
        say(t, ".%.*s", (int)c->name.len, c->name.ptr);
}

static cql_status tell_result(teller *t, cqln_reader *rd, uint8_t version, const cql_allocator *al)
{
    cqln_schema_change change;
    cql_str keyspace;
    switch (cqln_read_i32(rd)) {
    case CQLN_RESULT_VOID:
        say(t, "RESULT void");
        return rd->failed ? CQL_MALFORMED : CQL_OK;
    case CQLN_RESULT_ROWS:
        return tell_rows(t, rd, al);
    case CQLN_RESULT_SET_KEYSPACE:
        keyspace = cqln_read_string(rd);
        say(t, "RESULT keyspace %.*s", (int)keyspace.len, keyspace.len ? keyspace.ptr : "");
        return rd->failed ? CQL_MALFORMED : CQL_OK;
    case CQLN_RESULT_PREPARED:
        return tell_prepared(t, rd, version, al);
    case CQLN_RESULT_SCHEMA_CHANGE:
        if (cqln_decode_schema_change(rd, &change))
            return CQL_MALFORMED;
        say(t, "RESULT ");
        say_change(t, &change);
        return CQL_OK;
    default:
        return CQL_MALFORMED;
    }
}

static cql_status tell_event(teller *t, cqln_reader *rd)
{
    cqln_event e;
    cql_status st = cqln_decode_event(rd, &e);
    if (st)
        return st;
    say(t, "EVENT ");
    switch (e.kind) {
    case CQLN_EV_UNKNOWN:
        say(t, "unknown");
        return CQL_OK;
    case CQLN_EV_SCHEMA:
        say_change(t, &e.schema);
        return CQL_OK;
    case CQLN_EV_TOPOLOGY:
    case CQLN_EV_STATUS:
        break;
    }
    say(t, "%s %.*s address=", e.kind == CQLN_EV_STATUS ? "status" : "topology", (int)e.change.len,
        e.change.ptr);
    say_hex(t, (cql_str){(const char *)e.address.address, e.address.len});
    say(t, " port=%u", (unsigned)e.address.port);
    return CQL_OK;
}

static cql_status tell_supported(teller *t, cqln_reader *rd)
{
    cqln_supported s;
    const char *comma = "";
    cql_status st = cqln_decode_supported(rd, &s);
    if (st)
        return st;
    say(t, "SUPPORTED%s", s.lz4 ? " lz4" : "");
    for (int v = 3; v <= 6; v++) {
        if (s.versions >> v & 1) {
            say(t, "%s%d", *comma ? comma : " versions=", v);
            comma = ",";
        }
    }
    say_text(t, "hint", s.release_hint);
    return CQL_OK;
}

static cql_status tell_token(teller *t, cqln_reader *rd, const char *what)
{
    cql_str token;
    cql_status st = cqln_decode_auth_token(rd, &token);
    if (st)
        return st;
    say(t, "%s token=%s", what, token.ptr ? "" : "null");
    say_hex(t, token);
    return CQL_OK;
}

cql_status golden_tell(uint8_t version, uint8_t flags, uint8_t opcode, const uint8_t *body, size_t len,
                       const cql_allocator *al, char *out, size_t cap)
{
    teller t = {out, cap, 0};
    cqln_reader rd;
    cqln_prefix prefix;
    cql_str text;
    cqln_reader_init(&rd, body, len);
    if (cqln_decode_prefix(&rd, flags, &prefix))
        return CQL_MALFORMED;
    say_prefix(&t, &prefix);
    switch (opcode) {
    case CQLN_OP_ERROR:
        return tell_error(&t, &rd, version);
    case CQLN_OP_READY:
        say(&t, "READY");
        return CQL_OK;
    case CQLN_OP_AUTHENTICATE:
        if (cqln_decode_authenticate(&rd, &text))
            return CQL_MALFORMED;
        say(&t, "AUTHENTICATE");
        say_text(&t, "class", text);
        return CQL_OK;
    case CQLN_OP_AUTH_CHALLENGE:
        return tell_token(&t, &rd, "AUTH_CHALLENGE");
    case CQLN_OP_AUTH_SUCCESS:
        return tell_token(&t, &rd, "AUTH_SUCCESS");
    case CQLN_OP_SUPPORTED:
        return tell_supported(&t, &rd);
    case CQLN_OP_EVENT:
        return tell_event(&t, &rd);
    case CQLN_OP_RESULT:
        return tell_result(&t, &rd, version, al);
    default:
        return CQL_UNEXPECTED;
    }
}
