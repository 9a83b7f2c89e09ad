#include "net_tls_help.h"

#include <unistd.h>

static void take_line(void *user, cql_log_level level, cql_str text)
{
    tls_world *w = user;
    size_t at = strlen(w->logged);
    (void)level;
    snprintf(w->logged + at, sizeof w->logged - at, "%.*s\n", (int)text.len, text.ptr);
}

void tls_world_init(tls_world *w)
{
    memset(w, 0, sizeof *w);
    failmalloc_init(&w->memory);
    snprintf(w->folder, sizeof w->folder, "tls-test-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->ca = testcert_authority("test authority");
    w->server = testcert_server(&w->ca, "DNS:db.example,IP:127.0.0.1");
    w->ctx = tlsend_context(&w->server, NULL);
    w->ca_file = testcert_write(w->folder, "ca.pem", &w->ca, NULL);
    w->log = (cqln_log){take_line, w, CQL_LOG_TRACE};
    w->config = (cqln_tls_config){.al = &w->memory.al,
                                  .log = &w->log,
                                  .mode = CQLN_TLS_VERIFY_FULL,
                                  .ca = w->ca_file,
                                  .buffer = 16384};
}

void tls_world_fini(tls_world *w)
{
    char command[100];
    SSL_CTX_free(w->ctx);
    testcert_free(&w->server);
    testcert_free(&w->ca);
    assert_int_equal(w->memory.live, 0);
    snprintf(command, sizeof command, "rm -rf '%s'", w->folder);
    assert_int_equal(system(command), 0);
}

cqln_tls *tls_world_client(tls_world *w)
{
    cqln_tls *tls = NULL;
    char why[CQLN_FILTER_REASON] = "";
    if (cqln_tls_new(&w->config, &tls, why) != CQL_OK)
        fail_msg("%s", why);
    return tls;
}

void tls_pair_init(tls_pair *p, cqln_tls *tls, const char *name, SSL_CTX *ctx)
{
    char why[CQLN_FILTER_REASON] = "";
    memset(p, 0, sizeof *p);
    tlsend_init(&p->e, ctx);
    if (cqln_tls_filter_new(tls, name, "127.0.0.1:9042", &p->f, why) != CQL_OK)
        fail_msg("%s", why);
    p->f->ops->start(p->f);
}

void tls_pair_fini(tls_pair *p)
{
    p->f->ops->free(p->f);
    tlsend_fini(&p->e);
}

void tls_pair_to_server(tls_pair *p)
{
    const uint8_t *bytes;
    size_t len;
    while (p->f->ops->output(p->f, &bytes, &len)) {
        size_t step = p->step ? p->step : len;
        p->outputs++;
        p->wire_out += len;
        for (size_t at = 0; at < len; at += step)
            tlsend_feed(&p->e, bytes + at, len - at < step ? len - at : step);
        p->f->ops->sent(p->f);
    }
}

void tls_pair_feed(tls_pair *p, const void *bytes, size_t n)
{
    uint8_t *ptr;
    size_t cap;
    p->wire_in += n;
    while (n > 0) {
        p->f->ops->space(p->f, &ptr, &cap);
        assert_true(cap > 0);
        size_t now = n < cap ? n : cap;
        memcpy(ptr, bytes, now);
        p->f->ops->commit(p->f, now);
        bytes = (const char *)bytes + now;
        n -= now;
        while ((cap = p->f->ops->read(p->f, (uint8_t *)p->got + p->got_len,
                                      sizeof p->got - p->got_len)) > 0)
            p->got_len += cap;
    }
}

bool tls_pair_to_client(tls_pair *p)
{
    uint8_t buf[4096];
    size_t n;
    bool any = false;
    while ((n = tlsend_take(&p->e, buf, p->step ? p->step : sizeof buf)) > 0) {
        any = true;
        tls_pair_feed(p, buf, n);
    }
    return any;
}

void tls_pair_run(tls_pair *p)
{
    do {
        tls_pair_to_server(p);
    } while (tls_pair_to_client(p));
}

cqln_filter_state tls_try(cqln_tls *tls, const char *name, SSL_CTX *ctx, const char **reason)
{
    static char text[CQLN_FILTER_REASON];
    tls_pair p;
    tls_pair_init(&p, tls, name, ctx);
    tls_pair_run(&p);
    cqln_filter_state state = p.f->state;
    snprintf(text, sizeof text, "%s", p.f->reason);
    if (reason)
        *reason = text;
    if (state == CQLN_FILTER_FAILED)
        assert_int_equal(p.f->status, CQL_TLS_FAILED);
    tls_pair_fini(&p);
    return state;
}
