/* TLS as a filter, against a server's end in memory: who is accepted, what is said of those who are not,
 * and what happens to bytes that are cut, changed or none of TLS at all. */
#include "net_tls_help.h"

#include <openssl/err.h>

static void accepted(tls_world *w, cqln_tls *tls, const char *name, const testcert *cert)
{
    const char *reason;
    SSL_CTX *ctx = cert ? tlsend_context(cert, NULL) : w->ctx;
    if (tls_try(tls, name, ctx, &reason) != CQLN_FILTER_OPEN)
        fail_msg("%s is refused: %s", name, reason);
    if (cert)
        SSL_CTX_free(ctx);
}

static void refused(cqln_tls *tls, const char *name, const testcert *cert, const char *words)
{
    const char *reason;
    SSL_CTX *ctx = tlsend_context(cert, NULL);
    if (tls_try(tls, name, ctx, &reason) != CQLN_FILTER_FAILED)
        fail_msg("a certificate is accepted for %s (%s)", name, words);
    if (!strstr(reason, words))
        fail_msg("\"%s\" does not say \"%s\"", reason, words);
    SSL_CTX_free(ctx);
}

/* --- bytes --------------------------------------------------------------------------------------- */

static void bytes_go_both_ways_whatever_the_cuts(void **state)
{
    tls_world w;
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    for (size_t step = 1; step < 40; step++) {
        tls_pair p;
        char buf[100];
        tls_pair_init(&p, tls, "db.example", w.ctx);
        p.step = step;
        tls_pair_run(&p);
        assert_int_equal(p.f->state, CQLN_FILTER_OPEN);
        assert_true(p.e.open);
        assert_int_equal(p.f->ops->write(p.f, (const uint8_t *)"to the server", 13), 13);
        tlsend_write(&p.e, "to the client", 13);
        tls_pair_run(&p);
        assert_int_equal(tlsend_read(&p.e, buf, sizeof buf), 13);
        assert_memory_equal(buf, "to the server", 13);
        assert_int_equal(p.got_len, 13);
        assert_memory_equal(p.got, "to the client", 13);
        tls_pair_fini(&p);
    }
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

/* What the program, or another connection on this thread, left in OpenSSL's queue of errors is none of this one's. */
static void errors_of_others_end_no_connection(void **state)
{
    tls_world w;
    tls_pair p;
    char buf[100];
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
    tls_pair_init(&p, tls, "db.example", w.ctx);
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
    tls_pair_run(&p);
    tlsend_write(&p.e, "to the client", 13);
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
    assert_int_equal(p.f->ops->write(p.f, (const uint8_t *)"to the server", 13), 13);
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
    tls_pair_to_client(&p); /* and the next read finds nothing, which is no error */
    assert_int_equal(p.f->state, CQLN_FILTER_OPEN);
    assert_int_equal(p.got_len, 13);
    tls_pair_run(&p);
    assert_int_equal(tlsend_read(&p.e, buf, sizeof buf), 13);
    tls_pair_fini(&p);
    cqln_tls_free(tls);
    tls_world_fini(&w);
    ERR_clear_error();
}

static void much_is_gathered_into_one_output(void **state)
{
    tls_world w;
    tls_pair p;
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    tls_pair_init(&p, tls, "db.example", w.ctx);
    tls_pair_run(&p);
    unsigned outputs = p.outputs;
    uint8_t *block = malloc(1 << 20);
    memset(block, 'x', 1 << 20);
    for (int i = 0; i < 100; i++) /* what is submitted in one turn */
        assert_int_equal(p.f->ops->write(p.f, block, 100), 100);
    tls_pair_to_server(&p);
    assert_int_equal(p.outputs, outputs + 1);
    size_t taken = 0, n;
    while ((n = p.f->ops->write(p.f, block + taken, (1 << 20) - taken)) > 0)
        taken += n;
    assert_true(taken >= 200000 && taken < 400000); /* a bounded amount, the rest after a write */
    const uint8_t *bytes;
    size_t len;
    assert_true(p.f->ops->output(p.f, &bytes, &len));
    assert_true(len > taken && len < taken + taken / 50);
    assert_true(p.f->ops->write(p.f, block, 1000) == 1000); /* gathered for the next one */
    const uint8_t *again;
    size_t again_len;
    assert_true(p.f->ops->output(p.f, &again, &again_len));
    assert_ptr_equal(again, bytes);
    assert_int_equal(again_len, len);
    free(block);
    tls_pair_fini(&p);
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

static void an_end_is_told_from_a_cut(void **state)
{
    tls_world w;
    tls_pair p;
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    tls_pair_init(&p, tls, "db.example", w.ctx);
    tls_pair_run(&p);
    tlsend_write(&p.e, "last", 4);
    SSL_shutdown(p.e.ssl);
    tls_pair_run(&p);
    assert_int_equal(p.got_len, 4);
    assert_int_equal(p.f->state, CQLN_FILTER_ENDED);
    tls_pair_fini(&p);

    tls_pair_init(&p, tls, "db.example", w.ctx);
    tls_pair_run(&p);
    cql_status st = CQL_CLOSED;
    const char *reason = p.f->ops->lost(p.f, &st, "the server closed the connection");
    assert_string_equal(reason, "the server closed the connection, without the goodbye of TLS");
    assert_int_equal(p.f->state, CQLN_FILTER_FAILED);
    assert_int_equal(p.f->ops->write(p.f, (const uint8_t *)"x", 1), 0);
    tls_pair_fini(&p);

    tls_pair_init(&p, tls, "db.example", w.ctx);
    reason = p.f->ops->lost(p.f, &st, "the server closed the connection");
    assert_non_null(strstr(reason, "at the begin of the TLS handshake: it may not speak TLS"));
    tls_pair_fini(&p);

    tls_pair_init(&p, tls, "db.example", w.ctx);
    tls_pair_run(&p);
    p.f->ops->finish(p.f); /* ours */
    tls_pair_to_server(&p);
    char buf[10];
    assert_int_equal(tlsend_read(&p.e, buf, sizeof buf), 0);
    assert_true(SSL_get_shutdown(p.e.ssl) & SSL_RECEIVED_SHUTDOWN);
    tls_pair_fini(&p);
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

static void every_flipped_bit_is_found(void **state)
{
    tls_world w;
    tls_pair p;
    uint8_t buf[200];
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    for (size_t bit = 0; bit < 8 * 40; bit += 7) {
        tls_pair_init(&p, tls, "db.example", w.ctx);
        tls_pair_run(&p);
        tlsend_write(&p.e, "some forty bytes from the server, or so", 39);
        size_t n = tlsend_take(&p.e, buf, sizeof buf);
        buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
        tls_pair_feed(&p, buf, n);
        assert_int_equal(p.got_len, 0);
        if (bit / 8 != 3 && bit / 8 != 4) /* a length that is too long waits for more */
            assert_int_equal(p.f->state, CQLN_FILTER_FAILED);
        tls_pair_fini(&p);
    }
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

/* --- what is no TLS ------------------------------------------------------------------------------ */

static void a_server_without_tls_is_named(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *words;
    } cases[] = {
        {"\x85\x00\x00\x00\x00\x00\x00\x00\x3e", 9, "answers in plain CQL, not in TLS"},
        {"\x84", 1, "answers in plain CQL"},
        {"HTTP/1.1 400 Bad Request\r\n", 26, "it sent \"HTTP/1.1 400 Bad\""},
        {"\x00\xca\xfe", 3, "does not speak TLS on this port"},
        {"\x15\x03\x03\x00\x02\x02\x46", 7, "does not speak TLS 1.2 or 1.3"},
        {"\x16\x03\x03\xff\xff garbage", 13, "the TLS handshake failed"},
        {"\x15\x03\x03\x00\x02\x02\x28", 7, "nothing in common"},
    };
    tls_world w;
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        tls_pair p;
        tls_pair_init(&p, tls, "db.example", w.ctx);
        tls_pair_feed(&p, cases[i].bytes, cases[i].len);
        assert_int_equal(p.f->state, CQLN_FILTER_FAILED);
        if (!strstr(p.f->reason, cases[i].words))
            fail_msg("\"%s\" does not say \"%s\"", p.f->reason, cases[i].words);
        tls_pair_fini(&p);
    }
    assert_int_equal(cqln_tls_counts_of(tls)->failed, CQL_COUNT(cases));
    assert_int_equal(cqln_tls_counts_of(tls)->handshakes, 0);
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

/* The flights of a real handshake, cut, doubled and changed at random places. */
static void broken_handshakes_end(void **state)
{
    tls_world w;
    uint32_t seed = 7;
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    for (int round = 0; round < 300; round++) {
        tls_pair p;
        uint8_t buf[4096];
        tls_pair_init(&p, tls, "db.example", w.ctx);
        tls_pair_to_server(&p);
        size_t n = tlsend_take(&p.e, buf, sizeof buf);
        for (int i = 0; i < 3; i++) {
            seed = seed * 1664525 + 1013904223;
            buf[(seed >> 8) % n] = (uint8_t)seed;
        }
        tls_pair_feed(&p, buf, round % 3 ? n : n / 2);
        tls_pair_feed(&p, buf, n);
        assert_int_equal(p.got_len, 0);
        tls_pair_fini(&p);
    }
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

/* --- versions ------------------------------------------------------------------------------------ */

static void the_highest_version_is_agreed_on(void **state)
{
    static const struct {
        int min, max;
        const char *name; /* NULL: refused */
    } cases[] = {{0, 0, "TLSv1.3"},
                 {TLS1_3_VERSION, TLS1_3_VERSION, "TLSv1.3"},
                 {TLS1_2_VERSION, TLS1_2_VERSION, "TLSv1.2"},
                 {TLS1_VERSION, TLS1_1_VERSION, NULL}};
    tls_world w;
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        tls_pair p;
        SSL_CTX *ctx = tlsend_context(&w.server, NULL);
        SSL_CTX_set_min_proto_version(ctx, cases[i].min);
        SSL_CTX_set_max_proto_version(ctx, cases[i].max);
        tls_pair_init(&p, tls, "db.example", ctx);
        tls_pair_run(&p);
        if (cases[i].name) {
            assert_int_equal(p.f->state, CQLN_FILTER_OPEN);
            assert_string_equal(SSL_get_version(p.e.ssl), cases[i].name);
            assert_null(SSL_get_current_compression(p.e.ssl));
            assert_string_equal(SSL_get_servername(p.e.ssl, TLSEXT_NAMETYPE_host_name), "db.example");
        } else {
            assert_int_equal(p.f->state, CQLN_FILTER_FAILED);
            assert_non_null(strstr(p.f->reason, "does not speak TLS 1.2 or 1.3"));
        }
        tls_pair_fini(&p);
        SSL_CTX_free(ctx);
    }
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

static void a_server_cannot_renegotiate(void **state)
{
    tls_world w;
    tls_pair p;
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    SSL_CTX *ctx = tlsend_context(&w.server, NULL);
    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    tls_pair_init(&p, tls, "db.example", ctx);
    tls_pair_run(&p);
    assert_int_equal(p.f->state, CQLN_FILTER_OPEN);
    assert_int_equal(SSL_renegotiate(p.e.ssl), 1);
    SSL_do_handshake(p.e.ssl); /* asks the client */
    tls_pair_to_client(&p);
    p.e.open = true;
    tls_pair_to_server(&p);
    char buf[10];
    tlsend_read(&p.e, buf, sizeof buf);
    assert_true(p.e.failed); /* by the client's no */
    tls_pair_fini(&p);
    SSL_CTX_free(ctx);
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

/* Each demand of new keys makes this side write a record: of those it gathers no more than a bounded amount. */
static void a_server_that_makes_us_write_and_reads_nothing_is_left(void **state)
{
    enum { DEMANDS = 30000 };
    tls_world w;
    tls_pair p;
    const uint8_t *bytes;
    size_t len;
    int i = 0;
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    tls_pair_init(&p, tls, "db.example", w.ctx);
    tls_pair_run(&p);
    assert_int_equal(p.f->ops->write(p.f, (const uint8_t *)"x", 1), 1);
    assert_true(p.f->ops->output(p.f, &bytes, &len)); /* the transport holds it for ever */
    for (; i < DEMANDS && p.f->state == CQLN_FILTER_OPEN; i++) {
        assert_int_equal(SSL_key_update(p.e.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        SSL_do_handshake(p.e.ssl);
        tls_pair_to_client(&p);
    }
    assert_true(i > 100);
    assert_int_equal(p.f->state, CQLN_FILTER_FAILED);
    assert_non_null(strstr(p.f->reason, "reads nothing"));
    tls_pair_fini(&p);
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

/* --- names --------------------------------------------------------------------------------------- */

typedef struct name_case {
    const char *san;
    const char *name;
    bool good;
} name_case;

static const name_case name_cases[] = {
    {"DNS:db.example", "db.example", true},
    {"DNS:db.example", "DB.Example", true},
    {"DNS:db.example", "db.example.", true},
    {"DNS:DB.EXAMPLE", "db.example", true},
    {"DNS:other.example,DNS:db.example", "db.example", true},
    {"DNS:other.example", "db.example", false},
    {"DNS:db.example", "127.0.0.1", false},
    {"IP:127.0.0.1", "127.0.0.1", true},
    {"IP:127.0.0.2", "127.0.0.1", false},
    {"IP:2001:db8::1", "2001:db8::1", true},
    {"IP:2001:db8::1", "2001:db8:0:0::1", true},
    {"IP:2001:db8::2", "2001:db8::1", false},
    {"IP:127.0.0.1,DNS:db.example", "db.example", true},
    {"IP:127.0.0.1,DNS:db.example", "127.0.0.1", true},
    {"IP:127.0.0.1", "db.example", false},
    {"DNS:127.0.0.1", "127.0.0.1", false}, /* an address is no DNS name */
    {"DNS:*.example.org", "db.example.org", true},
    {"DNS:*.example.org", "a.db.example.org", false},
    {"DNS:*.example.org", "example.org", false},
    {"DNS:*", "db", false},
    {"DNS:*", "db.example", false},
    {"DNS:d*.example.org", "db.example.org", false},
    {"DNS:*.*.example.org", "a.db.example.org", false},
    {"DNS:xn--bcher-kva.example", "xn--bcher-kva.example", true},
    {NULL, "server", false}, /* the common name alone names nobody */
};

static void a_certificate_is_for_its_names_alone(void **state)
{
    tls_world w;
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    for (size_t i = 0; i < CQL_COUNT(name_cases); i++) {
        testcert cert = testcert_server(&w.ca, name_cases[i].san);
        if (name_cases[i].good)
            accepted(&w, tls, name_cases[i].name, &cert);
        else
            refused(tls, name_cases[i].name, &cert, "is not for \"");
        testcert_free(&cert);
    }
    testcert nul = testcert_make(&(testcert_plan){
        .cn = "server", .san_dns = "db.example\0.evil.org", .san_dns_len = 20, .issuer = &w.ca});
    refused(tls, "db.example", &nul, "is not for \"db.example\"");
    testcert_free(&nul);
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

static void a_wrong_name_is_explained(void **state)
{
    tls_world w;
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    refused(tls, "10.1.2.3", &w.server,
            "the server's certificate (CN=server) is not for \"10.1.2.3\": it names DNS:db.example, "
            "IP Address:127.0.0.1; connect by a name that it has, or say with tls_name");
    testcert none = testcert_server(&w.ca, NULL);
    refused(tls, "db.example", &none, "it names no host");
    testcert_free(&none);
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

static void names_that_are_none_are_refused(void **state)
{
    static const char *const names[] = {"", ".", "b\xc3\xbc" "cher.example", "a b",
                                        "line\nbreak"};
    tls_world w;
    char why[CQLN_FILTER_REASON], longest[300];
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    for (size_t i = 0; i < CQL_COUNT(names); i++) {
        cqln_filter *f = NULL;
        cql_status st = cqln_tls_filter_new(tls, names[i], "127.0.0.1:9042", &f, why);
        if (st == CQL_OK && strcmp(names[i], ".") == 0) { /* names nobody: fails when it verifies */
            f->ops->free(f);
            continue;
        }
        assert_int_equal(st, CQL_TLS_FAILED);
        assert_null(f);
        assert_non_null(strstr(why, "xn-- form"));
    }
    memset(longest, 'a', sizeof longest);
    longest[299] = '\0';
    cqln_filter *f = NULL;
    assert_int_equal(cqln_tls_filter_new(tls, longest, "p", &f, why), CQL_TLS_FAILED);
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

/* --- certificates that are wrong ------------------------------------------------------------------ */

static void wrong_certificates_are_refused(void **state)
{
    tls_world w;
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    const char *san = "DNS:db.example";
    testcert other_ca = testcert_authority("other authority");
    testcert no_ca = testcert_make(&(testcert_plan){.cn = "no authority", .issuer = &w.ca});
    const struct {
        testcert_plan plan;
        const char *words;
    } cases[] = {
        {{.cn = "old", .san = san, .issuer = &w.ca, .from_s = -7200, .to_s = -60},
         "the server's certificate (CN=old) expired on 20"},
        {{.cn = "early", .san = san, .issuer = &w.ca, .from_s = 3600, .to_s = 7200},
         "(CN=early) is not valid before 20"},
        {{.cn = "self", .san = san}, "(CN=self) is signed by itself and not trusted: tls_ca"},
        {{.cn = "foreign", .san = san, .issuer = &other_ca},
         "(CN=foreign) is signed by \"CN=other authority\", which is not trusted"},
        {{.cn = "client", .san = san, .issuer = &w.ca, .usage = "clientAuth"}, "purpose"},
        {{.cn = "short", .san = san, .issuer = &w.ca, .rsa_bits = 1024}, "key too weak"},
        {{.cn = "weak", .san = san, .issuer = &w.ca, .sha1 = true}, "digest algorithm too weak"},
        {{.cn = "below", .san = san, .issuer = &no_ca}, "is not trusted, or a certificate between"},
        {{.cn = "\x1b[31mred", .san = "DNS:x"}, "(CN=\\"},
    };
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        testcert cert = testcert_make(&cases[i].plan);
        refused(tls, "db.example", &cert, cases[i].words);
        testcert_free(&cert);
    }
    testcert below = testcert_server(&no_ca, san);
    SSL_CTX *ctx = tlsend_context(&below, &no_ca);
    const char *reason;
    assert_int_equal(tls_try(tls, "db.example", ctx, &reason), CQLN_FILTER_FAILED);
    assert_non_null(strstr(reason, "the certificate of its authority (CN=no authority)"));
    SSL_CTX_free(ctx);
    testcert_free(&below);
    testcert_free(&no_ca);
    testcert_free(&other_ca);
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

static void a_chain_may_have_links_between(void **state)
{
    tls_world w;
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    testcert between = testcert_make(&(testcert_plan){.cn = "between", .ca = true, .issuer = &w.ca});
    testcert cert = testcert_server(&between, "DNS:db.example");
    SSL_CTX *ctx = tlsend_context(&cert, &between);
    assert_int_equal(tls_try(tls, "db.example", ctx, NULL), CQLN_FILTER_OPEN);
    SSL_CTX_free(ctx);
    refused(tls, "db.example", &cert, "or a certificate between is missing");
    testcert_free(&cert);
    testcert_free(&between);
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

static void less_is_verified_only_where_asked_for(void **state)
{
    tls_world w;
    (void)state;
    tls_world_init(&w);
    testcert other_ca = testcert_authority("other authority");
    testcert foreign = testcert_server(&other_ca, "DNS:db.example");
    w.config.mode = CQLN_TLS_VERIFY_CA;
    cqln_tls *tls = tls_world_client(&w);
    accepted(&w, tls, "elsewhere.example", NULL);
    refused(tls, "db.example", &foreign, "is not trusted");
    cqln_tls_free(tls);
    w.config.mode = CQLN_TLS_REQUIRE;
    w.config.ca = NULL;
    tls = tls_world_client(&w);
    accepted(&w, tls, "elsewhere.example", &foreign);
    cqln_tls_free(tls);
    testcert_free(&foreign);
    testcert_free(&other_ca);
    tls_world_fini(&w);
}

/* --- sessions ------------------------------------------------------------------------------------ */

static uint64_t resumed(const cqln_tls *tls)
{
    return cqln_tls_counts_of(tls)->resumed;
}

static void sessions_are_resumed_per_name(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    tls_world w;
    (void)state;
    tls_world_init(&w);
    for (size_t i = 0; i < CQL_COUNT(versions); i++) {
        cqln_tls *tls = tls_world_client(&w);
        SSL_CTX *ctx = tlsend_context(&w.server, NULL);
        SSL_CTX_set_min_proto_version(ctx, versions[i]);
        SSL_CTX_set_max_proto_version(ctx, versions[i]);
        assert_int_equal(tls_try(tls, "db.example", ctx, NULL), CQLN_FILTER_OPEN);
        assert_int_equal(resumed(tls), 0);
        assert_int_equal(tls_try(tls, "db.example", ctx, NULL), CQLN_FILTER_OPEN);
        assert_int_equal(resumed(tls), 1);
        assert_non_null(strstr(w.logged, ", resumed"));
        assert_int_equal(tls_try(tls, "127.0.0.1", ctx, NULL), CQLN_FILTER_OPEN);
        assert_int_equal(resumed(tls), 1); /* another name is verified anew */
        assert_int_equal(tls_try(tls, "db.example", ctx, NULL), CQLN_FILTER_OPEN);
        assert_int_equal(resumed(tls), 2);
        assert_int_equal(cqln_tls_counts_of(tls)->handshakes, 4);
        SSL_CTX_free(ctx);
        ctx = tlsend_context(&w.server, NULL); /* a server that has forgotten: a full handshake */
        assert_int_equal(tls_try(tls, "db.example", ctx, NULL), CQLN_FILTER_OPEN);
        assert_int_equal(resumed(tls), 2);
        SSL_CTX_free(ctx);
        cqln_tls_free(tls);
    }
    tls_world_fini(&w);
}

static void sessions_are_bounded(void **state)
{
    tls_world w;
    char name[40], why[CQLN_FILTER_REASON];
    (void)state;
    tls_world_init(&w);
    w.config.mode = CQLN_TLS_VERIFY_CA;
    cqln_tls *tls = tls_world_client(&w);
    SSL_CTX *ctx = tlsend_context(&w.server, NULL);
    size_t before = w.memory.live, most = 0;
    for (int i = 0; i < 1100; i++) {
        snprintf(name, sizeof name, "node%d.example", i);
        assert_int_equal(tls_try(tls, name, ctx, NULL), CQLN_FILTER_OPEN);
        most = w.memory.live > most ? w.memory.live : most;
    }
    assert_int_equal(w.memory.live - before, 1024 + 1); /* what the newest handshake with the one node came to */
    assert_int_equal(most - before, 1024 + 1);
    (void)why;
    SSL_CTX_free(ctx);
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

/* --- memory -------------------------------------------------------------------------------------- */

typedef struct memory_case {
    tls_world *w;
    bool shook; /* at least once to the end */
} memory_case;

static cql_status shake_with(const cql_allocator *al, void *user)
{
    memory_case *m = user;
    cqln_tls_config config = m->w->config;
    char why[CQLN_FILTER_REASON];
    cqln_tls *tls = NULL;
    cqln_filter *f = NULL;
    config.al = al;
    cql_status st = cqln_tls_new(&config, &tls, why);
    if (st)
        return strstr(why, "out of memory") ? CQL_NO_MEMORY : st;
    st = cqln_tls_filter_new(tls, "db.example", "127.0.0.1:9042", &f, why);
    if (st == CQL_OK) {
        tls_pair p = {.f = f};
        tlsend_init(&p.e, m->w->ctx);
        f->ops->start(f);
        tls_pair_run(&p);
        if (f->state == CQLN_FILTER_OPEN) {
            f->ops->write(f, (const uint8_t *)"hello", 5);
            tls_pair_run(&p);
        }
        st = f->state == CQLN_FILTER_FAILED ? f->status : CQL_OK;
        m->shook = m->shook || st == CQL_OK;
        tls_pair_fini(&p);
    }
    cqln_tls_free(tls);
    return st;
}

static void memory_that_fails_is_told(void **state)
{
    tls_world w;
    (void)state;
    tls_world_init(&w);
    memory_case m = {&w, false};
    assert_true(failmalloc_each(shake_with, &m, true) > 5);
    assert_true(m.shook);
    tls_world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways_whatever_the_cuts),
        cmocka_unit_test(errors_of_others_end_no_connection),
        cmocka_unit_test(much_is_gathered_into_one_output),
        cmocka_unit_test(an_end_is_told_from_a_cut),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(a_server_without_tls_is_named),
        cmocka_unit_test(broken_handshakes_end),
        cmocka_unit_test(the_highest_version_is_agreed_on),
        cmocka_unit_test(a_server_cannot_renegotiate),
        cmocka_unit_test(a_server_that_makes_us_write_and_reads_nothing_is_left),
        cmocka_unit_test(a_certificate_is_for_its_names_alone),
        cmocka_unit_test(a_wrong_name_is_explained),
        cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(wrong_certificates_are_refused),
        cmocka_unit_test(a_chain_may_have_links_between),
        cmocka_unit_test(less_is_verified_only_where_asked_for),
        cmocka_unit_test(sessions_are_resumed_per_name),
        cmocka_unit_test(sessions_are_bounded),
        cmocka_unit_test(memory_that_fails_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
