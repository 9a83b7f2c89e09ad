/* Options of TLS and log-in: what the words mean, and which of them only the program itself may say. */
#include "unit.h"

#include "api/options.h"
#include "net/tls.h"

#include <cqlnative/tls.h>

static cql_options *fresh(void)
{
    cql_options *o = NULL;
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    return o;
}

static void refused(cql_status got, cql_status st, cql_error *err, const char *words)
{
    assert_int_equal(got, st);
    assert_non_null(err);
    if (!strstr(cql_error_text(err), words))
        fail_msg("\"%s\" does not say \"%s\"", cql_error_text(err), words);
    cql_error_unref(err);
}

static void words_of_tls(void **state)
{
    static const struct {
        const char *word;
        uint32_t mode;
    } cases[] = {{"on", CQLN_TLS_VERIFY_FULL},        {"off", CQLN_TLS_OFF},
                 {"true", CQLN_TLS_VERIFY_FULL},      {"no", CQLN_TLS_OFF},
                 {"verify-ca", CQLN_TLS_VERIFY_CA},   {"0", CQLN_TLS_OFF},
                 {"verify-full", CQLN_TLS_VERIFY_FULL}};
    (void)state;
    cql_options *o = fresh();
    assert_string_equal(cql_options_value(o, "tls"), "off");
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        assert_int_equal(cql_options_set(o, "tls", cases[i].word, NULL), CQL_OK);
        assert_int_equal(o->config.tls, cases[i].mode);
    }
    cql_options_free(o);
}

static void only_one_call_turns_verification_off(void **state)
{
    cql_error *err = NULL;
    (void)state;
    cql_options *o = fresh();
    assert_int_equal(cql_options_set(o, "tls", "verify-full", NULL), CQL_OK);
    cql_status st = cql_options_set(o, "tls", "require", &err);
    refused(st, CQL_BAD_VALUE, err, "cql_options_set_tls_insecure");
    err = NULL;
    st = cql_options_parse(o, "cql://h/?tls=require", &err);
    refused(st, CQL_BAD_VALUE, err, "--tls-insecure");
    assert_string_equal(cql_options_value(o, "tls"), "verify-full");
    cql_options_set_tls_insecure(o);
    cql_options_set_tls_insecure(NULL);
    cql_options_set_tls_context_fn(NULL, NULL, NULL);
    assert_string_equal(cql_options_value(o, "tls"), "require");
    assert_true(cql_options_given(o, "tls"));
    cql_options_free(o);
}

static void the_environment_cannot_weaken(void **state)
{
    static const char *const cases[][2] = {{"CQL_TLS", "off"},       {"CQL_TLS", "false"},
                                           {"CQL_TLS", "require"},   {"CQL_TLS", "verify-ca"},
                                           {"CQL_TLS_KEY_CHECK", "loose"},
                                           {"CQL_PLAIN_AUTH", "always"}};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        cql_error *err = NULL;
        cql_options *o = fresh();
        assert_int_equal(setenv(cases[i][0], cases[i][1], 1), 0);
        cql_status st = cql_options_from_environment(o, &err);
        refused(st, CQL_BAD_VALUE, err, "takes protection away");
        unsetenv(cases[i][0]);
        cql_options_free(o);
    }
    cql_options *o = fresh();
    assert_int_equal(setenv("CQL_TLS", "on", 1), 0);
    assert_int_equal(setenv("CQL_TLS_CA", "some.pem", 1), 0);
    assert_int_equal(cql_options_from_environment(o, NULL), CQL_OK);
    assert_int_equal(o->config.tls, CQLN_TLS_VERIFY_FULL);
    assert_string_equal(o->config.tls_ca, "some.pem");
    unsetenv("CQL_TLS");
    unsetenv("CQL_TLS_CA");
    cql_options_free(o);
}

static void a_pass_phrase_is_a_secret(void **state)
{
    cql_error *err = NULL;
    (void)state;
    cql_options *o = fresh();
    cql_status st = cql_options_parse(o, "cql://h/?tls=on&tls_key_password=open%20sesame", &err);
    assert_null(strstr(cql_error_text(err), "sesame"));
    refused(st, CQL_BAD_ARGUMENT, err, "CQL_TLS_KEY_PASSWORD");
    assert_int_equal(cql_options_set(o, "tls_key_password", "open sesame", NULL), CQL_OK);
    assert_null(cql_options_value(o, "tls_key_password"));
    assert_true(cql_options_given(o, "tls_key_password"));
    cql_options_free(o);
}

static cql_status initial(void *self, cql_auth *a)
{
    (void)self;
    (void)a;
    return CQL_OK;
}

static void an_authenticator_is_checked_and_copied(void **state)
{
    (void)state;
    cql_options *o = fresh(), *copy = NULL;
    cql_authenticator a = {.size = sizeof a, .initial = initial};
    assert_int_equal(cql_options_set_authenticator(o, &a), CQL_OK);
    assert_int_equal(cql_options_copy(o, &copy), CQL_OK);
    assert_true(copy->config.authenticator.initial == initial);
    assert_int_equal(cql_options_set_authenticator(o, NULL), CQL_OK);
    assert_int_equal(o->config.authenticator.size, 0);
    a.initial = NULL;
    assert_int_equal(cql_options_set_authenticator(o, &a), CQL_BAD_ARGUMENT);
    a = (cql_authenticator){.size = 8, .initial = initial};
    assert_int_equal(cql_options_set_authenticator(o, &a), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_options_set_authenticator(NULL, NULL), CQL_BAD_ARGUMENT);
    cql_options_free(copy);
    cql_options_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_tls),
        cmocka_unit_test(only_one_call_turns_verification_off),
        cmocka_unit_test(the_environment_cannot_weaken),
        cmocka_unit_test(a_pass_phrase_is_a_secret),
        cmocka_unit_test(an_authenticator_is_checked_and_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
