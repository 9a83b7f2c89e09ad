/* The files of TLS: certificates, keys, pass phrases, lists of revoked ones; and that changed ones are
 * taken in. */
#include "net_tls_help.h"

#include <openssl/err.h>
#include <sys/stat.h>
#include <unistd.h>

static void not_made(tls_world *w, const char *words)
{
    cqln_tls *tls = NULL;
    char why[CQLN_FILTER_REASON] = "";
    cql_status st = cqln_tls_new(&w->config, &tls, why);
    assert_null(tls);
    assert_int_equal(st, CQL_TLS_FAILED);
    if (!strstr(why, words))
        fail_msg("\"%s\" does not say \"%s\"", why, words);
    assert_int_equal(ERR_peek_error(), 0);
}

static const char *text_file(tls_world *w, const char *name, const char *text, mode_t mode)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", w->folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

/* --- trust --------------------------------------------------------------------------------------- */

static void authorities_come_from_a_file_or_a_folder(void **state)
{
    tls_world w;
    char path[128];
    (void)state;
    tls_world_init(&w);
    testcert other = testcert_authority("other authority");
    w.config.ca = testcert_write(w.folder, "both.pem", &other, &w.ca, NULL);
    cqln_tls *tls = tls_world_client(&w);
    assert_int_equal(tls_try(tls, "db.example", w.ctx, NULL), CQLN_FILTER_OPEN);
    cqln_tls_free(tls);

    snprintf(path, sizeof path, "%s/hashed", w.folder);
    assert_int_equal(mkdir(path, 0755), 0);
    w.config.ca = path;
    tls = tls_world_client(&w);
    assert_int_equal(tls_try(tls, "db.example", w.ctx, NULL), CQLN_FILTER_FAILED);
    char name[200];
    snprintf(name, sizeof name, "hashed/%08lx.0", X509_NAME_hash(X509_get_subject_name(w.ca.cert)));
    testcert_write(w.folder, name, &w.ca, NULL);
    cqln_tls_free(tls);
    tls = tls_world_client(&w);
    assert_int_equal(tls_try(tls, "db.example", w.ctx, NULL), CQLN_FILTER_OPEN);
    cqln_tls_free(tls);

    w.config.ca = NULL; /* the system's: none of them made this one */
    tls = tls_world_client(&w);
    const char *reason;
    assert_int_equal(tls_try(tls, "db.example", w.ctx, &reason), CQLN_FILTER_FAILED);
    assert_non_null(strstr(reason, "which is not trusted"));
    cqln_tls_free(tls);
    testcert_free(&other);
    tls_world_fini(&w);
}

static void bad_files_are_named(void **state)
{
    tls_world w;
    (void)state;
    tls_world_init(&w);
    w.config.ca = "no/such/file.pem";
    not_made(&w, "no/such/file.pem: No such file or directory");
    w.config.ca = text_file(&w, "empty.pem", "", 0644);
    not_made(&w, "empty.pem: holds no certificate in PEM form");
    w.config.ca = text_file(&w, "text.pem", "-----BEGIN CERTIFICATE-----\nnone\n", 0644);
    not_made(&w, "text.pem: holds no certificate in PEM form");
    w.config.ca = "/dev/zero";
    not_made(&w, "it is no regular file");
    w.config.ca = w.ca_file;
    w.config.crl = w.ca_file;
    not_made(&w, "holds no list of revoked certificates");
    w.config.crl = NULL;
    w.config.key = w.ca_file;
    not_made(&w, "a key (tls_key) without its certificate (tls_cert)");
    tls_world_fini(&w);
}

static void revoked_certificates_are_refused(void **state)
{
    tls_world w;
    const char *reason;
    (void)state;
    tls_world_init(&w);
    testcert good = testcert_server(&w.ca, "DNS:db.example");
    w.config.crl = testcert_write_crl(w.folder, "crl.pem", &w.ca, &w.server);
    cqln_tls *tls = tls_world_client(&w);
    assert_int_equal(tls_try(tls, "db.example", w.ctx, &reason), CQLN_FILTER_FAILED);
    assert_non_null(strstr(reason, "(CN=server) was revoked by its authority"));
    SSL_CTX *ctx = tlsend_context(&good, NULL);
    assert_int_equal(tls_try(tls, "db.example", ctx, NULL), CQLN_FILTER_OPEN);
    SSL_CTX_free(ctx);
    cqln_tls_free(tls);
    testcert other = testcert_authority("other authority");
    w.config.crl = testcert_write_crl(w.folder, "crl.pem", &other, NULL);
    tls = tls_world_client(&w);
    assert_int_equal(tls_try(tls, "db.example", w.ctx, &reason), CQLN_FILTER_FAILED);
    assert_non_null(strstr(reason, "tls_crl holds no list of the authority"));
    cqln_tls_free(tls);
    testcert_free(&other);
    testcert_free(&good);
    tls_world_fini(&w);
}

/* --- this side's certificate --------------------------------------------------------------------- */

typedef struct client_world {
    tls_world w;
    testcert client;
    SSL_CTX *ctx; /* wants a certificate */
    int version;
} client_world;

static void client_init(client_world *c, int version)
{
    tls_world_init(&c->w);
    c->client = testcert_make(
        &(testcert_plan){.cn = "client", .usage = "clientAuth", .issuer = &c->w.ca});
    c->ctx = tlsend_context(&c->w.server, NULL);
    SSL_CTX_set_min_proto_version(c->ctx, version);
    SSL_CTX_set_max_proto_version(c->ctx, version);
    tlsend_want_client(c->ctx, &c->w.ca);
    c->w.config.cert = testcert_write(c->w.folder, "client.pem", &c->client, NULL);
    c->w.config.key = testcert_write_key(c->w.folder, "client.key", &c->client, NULL);
}

static void client_fini(client_world *c)
{
    SSL_CTX_free(c->ctx);
    testcert_free(&c->client);
    tls_world_fini(&c->w);
}

static void servers_that_want_a_certificate_get_it(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    const char *reason;
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(versions); i++) {
        client_world c;
        client_init(&c, versions[i]);
        cqln_tls *tls = tls_world_client(&c.w);
        assert_int_equal(tls_try(tls, "db.example", c.ctx, &reason), CQLN_FILTER_OPEN);
        cqln_tls_free(tls);
        c.w.config.cert = NULL;
        c.w.config.key = NULL;
        tls = tls_world_client(&c.w);
        assert_int_equal(tls_try(tls, "db.example", c.ctx, &reason), CQLN_FILTER_FAILED);
        assert_non_null(
            strstr(reason, "the server wants a client certificate: set tls_cert and tls_key"));
        cqln_tls_free(tls);
        testcert other_ca = testcert_authority("other authority");
        testcert foreign = testcert_make(
            &(testcert_plan){.cn = "foreign", .usage = "clientAuth", .issuer = &other_ca});
        c.w.config.cert = testcert_write(c.w.folder, "foreign.pem", &foreign, NULL);
        c.w.config.key = testcert_write_key(c.w.folder, "foreign.key", &foreign, NULL);
        tls = tls_world_client(&c.w);
        assert_int_equal(tls_try(tls, "db.example", c.ctx, &reason), CQLN_FILTER_FAILED);
        assert_non_null(strstr(reason, "does not accept this client's certificate"));
        cqln_tls_free(tls);
        testcert_free(&foreign);
        testcert_free(&other_ca);
        client_fini(&c);
    }
}

static bool take_from_memory(void *user, void *ssl_ctx)
{
    const testcert *own = user;
    return SSL_CTX_use_certificate(ssl_ctx, own->cert) == 1 &&
           SSL_CTX_use_PrivateKey(ssl_ctx, own->key) == 1;
}

static bool weaken(void *user, void *ssl_ctx)
{
    (void)user;
    SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_security_level(ssl_ctx, 0);
    return SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ssl_ctx, "ALL:@SECLEVEL=0") == 1;
}

static int give_when_asked(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
    const testcert *own = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    *cert = own->cert;
    *key = own->key;
    return X509_up_ref(own->cert) == 1 && EVP_PKEY_up_ref(own->key) == 1;
}

static bool wait_to_be_asked(void *user, void *ssl_ctx)
{
    SSL_CTX_set_client_cert_cb((SSL_CTX *)ssl_ctx, give_when_asked);
    return SSL_CTX_set_app_data((SSL_CTX *)ssl_ctx, user) == 1;
}

static bool give_up(void *user, void *ssl_ctx)
{
    (void)user;
    return SSL_CTX_set_cipher_list(ssl_ctx, "NONE-OF-THIS-NAME") == 1;
}

static void the_program_has_a_say_in_the_context(void **state)
{
    const char *reason;
    client_world c;
    (void)state;
    client_init(&c, TLS1_3_VERSION);
    c.w.config.cert = NULL;
    c.w.config.key = NULL;
    c.w.config.context_fn = take_from_memory;
    c.w.config.context_user = &c.client;
    cqln_tls *tls = tls_world_client(&c.w);
    assert_int_equal(tls_try(tls, "db.example", c.ctx, &reason), CQLN_FILTER_OPEN);
    cqln_tls_free(tls);
    c.w.config.context_fn = wait_to_be_asked;
    tls = tls_world_client(&c.w);
    assert_int_equal(tls_try(tls, "db.example", c.ctx, &reason), CQLN_FILTER_OPEN);
    cqln_tls_free(tls);
    c.w.config.context_fn = give_up;
    not_made(&c.w, "the program's own function for the TLS context failed: no cipher match");
    client_fini(&c);
}

static void the_program_weakens_nothing_by_accident(void **state)
{
    const char *reason;
    tls_world w;
    (void)state;
    tls_world_init(&w);
    testcert other = testcert_authority("other authority");
    testcert foreign = testcert_server(&other, "DNS:db.example");
    SSL_CTX *ctx = tlsend_context(&foreign, NULL);
    w.config.context_fn = weaken;
    cqln_tls *tls = tls_world_client(&w);
    assert_int_equal(tls_try(tls, "db.example", ctx, &reason), CQLN_FILTER_FAILED);
    assert_non_null(strstr(reason, "which is not trusted"));
    assert_int_equal(tls_try(tls, "other.example", w.ctx, &reason), CQLN_FILTER_FAILED);
    SSL_CTX_set_security_level(w.ctx, 0);
    SSL_CTX_set_min_proto_version(w.ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(w.ctx, TLS1_1_VERSION);
    assert_int_equal(tls_try(tls, "db.example", w.ctx, &reason), CQLN_FILTER_FAILED);
    cqln_tls_free(tls);
    SSL_CTX_free(ctx);
    testcert_free(&foreign);
    testcert_free(&other);
    tls_world_fini(&w);
}

static bool ask_for_more(void *user, void *ssl_ctx)
{
    const bool *by_option = user;
    if (*by_option)
        SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_TLSv1_2);
    return *by_option || SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_3_VERSION) == 1;
}

static void the_program_may_ask_for_more(void **state)
{
    const char *reason;
    tls_world w;
    (void)state;
    tls_world_init(&w);
    for (int i = 0; i < 2; i++) {
        bool by_option = i > 0;
        w.config.context_fn = ask_for_more;
        w.config.context_user = &by_option;
        cqln_tls *tls = tls_world_client(&w);
        SSL_CTX_set_max_proto_version(w.ctx, TLS1_3_VERSION);
        assert_int_equal(tls_try(tls, "db.example", w.ctx, &reason), CQLN_FILTER_OPEN);
        SSL_CTX_set_max_proto_version(w.ctx, TLS1_2_VERSION);
        assert_int_equal(tls_try(tls, "db.example", w.ctx, &reason), CQLN_FILTER_FAILED);
        cqln_tls_free(tls);
    }
    tls_world_fini(&w);
}

static void a_pass_phrase_opens_the_key(void **state)
{
    client_world c;
    (void)state;
    client_init(&c, TLS1_3_VERSION);
    c.w.config.key = testcert_write_key(c.w.folder, "locked.key", &c.client, "open sesame");
    not_made(&c.w, "locked.key: the key is encrypted: it needs its pass phrase (tls_key_password)");
    c.w.config.key_password = "open says me";
    not_made(&c.w, "locked.key: the key's pass phrase (tls_key_password) is wrong");
    c.w.config.key_password = "open sesame";
    cqln_tls *tls = tls_world_client(&c.w);
    assert_int_equal(tls_try(tls, "db.example", c.ctx, NULL), CQLN_FILTER_OPEN);
    assert_null(strstr(c.w.logged, "sesame"));
    cqln_tls_free(tls);
    client_fini(&c);
}

static void keys_that_do_not_fit_are_named(void **state)
{
    client_world c;
    (void)state;
    client_init(&c, TLS1_3_VERSION);
    c.w.config.key = testcert_write_key(c.w.folder, "other.key", &c.w.ca, NULL);
    not_made(&c.w, "other.key: the key does not belong to the certificate of tls_cert");
    c.w.config.key = text_file(&c.w, "none.key", "nothing\n", 0600);
    not_made(&c.w, "none.key: holds no private key in PEM form");
    c.w.config.key = NULL;
    assert_int_equal(chmod(c.w.config.cert, 0644), 0);
    not_made(&c.w, "client.pem: not read: others than its owner have access to it");
    client_fini(&c);
}

static void a_key_that_others_can_read_is_refused(void **state)
{
    client_world c;
    char link[128];
    (void)state;
    client_init(&c, TLS1_3_VERSION);
    assert_int_equal(chmod(c.w.config.key, 0640), 0);
    not_made(&c.w, "client.key: not read: others than its owner have access to it (chmod 600");
    assert_int_equal(chmod(c.w.config.key, 0600), 0);
    snprintf(link, sizeof link, "%s/link.key", c.w.folder);
    assert_int_equal(symlink("client.key", link), 0);
    const char *key = c.w.config.key;
    c.w.config.key = link;
    not_made(&c.w, "link.key: not read: it is a symbolic link");
    c.w.config.loose_key = true;
    cqln_tls *tls = tls_world_client(&c.w);
    cqln_tls_free(tls);
    c.w.config.key = key;
    assert_int_equal(chmod(key, 0644), 0);
    tls = tls_world_client(&c.w);
    assert_int_equal(tls_try(tls, "db.example", c.ctx, NULL), CQLN_FILTER_OPEN);
    cqln_tls_free(tls);
    client_fini(&c);
}

/* --- changes ------------------------------------------------------------------------------------- */

static void changed_files_are_taken_in(void **state)
{
    tls_world w;
    const char *reason;
    (void)state;
    tls_world_init(&w);
    cqln_tls *tls = tls_world_client(&w);
    const cqln_tls_counts *counts = cqln_tls_counts_of(tls);
    assert_int_equal(tls_try(tls, "db.example", w.ctx, NULL), CQLN_FILTER_OPEN);
    tls_pair old; /* a connection of before */
    tls_pair_init(&old, tls, "db.example", w.ctx);

    testcert new_ca = testcert_authority("new authority");
    testcert renewed = testcert_server(&new_ca, "DNS:db.example");
    SSL_CTX *ctx = tlsend_context(&renewed, NULL);
    assert_int_equal(tls_try(tls, "db.example", ctx, &reason), CQLN_FILTER_FAILED);
    assert_int_equal(counts->reloads, 0);
    testcert_write(w.folder, "ca.pem", &new_ca, NULL);
    assert_int_equal(tls_try(tls, "db.example", ctx, &reason), CQLN_FILTER_OPEN);
    assert_int_equal(counts->reloads, 1);
    assert_non_null(strstr(w.logged, "TLS files were read again"));
    uint64_t resumed = counts->resumed;
    assert_int_equal(tls_try(tls, "db.example", w.ctx, &reason), CQLN_FILTER_FAILED);
    assert_int_equal(counts->resumed, resumed); /* nor by a session of before */

    tls_pair_run(&old);
    assert_int_equal(old.f->state, CQLN_FILTER_OPEN);
    tls_pair_fini(&old);

    w.logged[0] = '\0';
    text_file(&w, "ca.pem", "half writ", 0644); /* what cannot be read changes nothing */
    for (int i = 0; i < 3; i++)
        assert_int_equal(tls_try(tls, "db.example", ctx, &reason), CQLN_FILTER_OPEN);
    const char *told = strstr(w.logged, "changed TLS files are not used");
    assert_non_null(told);
    assert_null(strstr(told + 1, "changed TLS files are not used"));
    unlink(w.ca_file);
    assert_int_equal(tls_try(tls, "db.example", ctx, &reason), CQLN_FILTER_OPEN);
    testcert_write(w.folder, "ca.pem", &w.ca, NULL);
    assert_int_equal(tls_try(tls, "db.example", w.ctx, &reason), CQLN_FILTER_OPEN);
    assert_int_equal(counts->reloads, 2);
    SSL_CTX_free(ctx);
    testcert_free(&renewed);
    testcert_free(&new_ca);
    cqln_tls_free(tls);
    tls_world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authorities_come_from_a_file_or_a_folder),
        cmocka_unit_test(bad_files_are_named),
        cmocka_unit_test(revoked_certificates_are_refused),
        cmocka_unit_test(servers_that_want_a_certificate_get_it),
        cmocka_unit_test(the_program_has_a_say_in_the_context),
        cmocka_unit_test(the_program_weakens_nothing_by_accident),
        cmocka_unit_test(the_program_may_ask_for_more),
        cmocka_unit_test(a_pass_phrase_opens_the_key),
        cmocka_unit_test(keys_that_do_not_fit_are_named),
        cmocka_unit_test(a_key_that_others_can_read_is_refused),
        cmocka_unit_test(changed_files_are_taken_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
