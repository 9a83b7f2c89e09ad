/* Options: the table, values, connection strings, the environment. */
#include "api/options.h"
#include "api/optiontab.h"
#include "unit.h"

#include <cqlnative/setters.h>
#include <sys/stat.h>
#include <unistd.h>

static cql_options *fresh(void)
{
    cql_options *o = NULL;
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    return o;
}

static void refused(cql_options *o, const char *name, const char *value, cql_status st,
                    const char *word)
{
    cql_error *err = NULL;
    assert_int_equal(cql_options_set(o, name, value, &err), st);
    assert_int_equal(cql_error_status(err), st);
    if (!strstr(cql_error_text(err), word))
        fail_msg("\"%s\" should say \"%s\"", cql_error_text(err), word);
    cql_error_unref(err);
}

static void every_row_of_the_table_takes_its_default(void **state)
{
    (void)state;
    cql_options *o = fresh();
    cql_option_info info;
    size_t rows = 0;
    for (; cql_options_info(rows, &info); rows++) {
        assert_true(info.name[0] && info.kind[0] && info.help[0]);
        if (strcmp(info.kind, "secret") == 0) {
            assert_null(cql_options_value(o, info.name));
            continue;
        }
        assert_string_equal(cql_options_value(o, info.name), info.standard);
        if (info.standard[0])
            assert_int_equal(cql_options_set(o, info.name, info.standard, NULL), CQL_OK);
        assert_string_equal(cql_options_value(o, info.name), info.standard);
    }
    assert_true(rows > 25);
    cql_options_free(o);
}

static void numbers_and_times_have_ranges_and_units(void **state)
{
    (void)state;
    cql_options *o = fresh();
    assert_int_equal(cql_options_set(o, "request_timeout", "10s", NULL), CQL_OK);
    assert_int_equal(o->config.request_timeout, 10000);
    assert_int_equal(cql_options_set(o, "request_timeout", "500ms", NULL), CQL_OK);
    assert_int_equal(o->config.request_timeout, 500);
    assert_int_equal(cql_options_set(o, "reconnect_max", "10m", NULL), CQL_OK);
    assert_int_equal(o->config.reconnect_max, 600000);
    assert_int_equal(cql_options_set(o, "request_timeout", "7", NULL), CQL_OK);
    assert_int_equal(o->config.request_timeout, 7);
    refused(o, "request_timeout", "", CQL_BAD_VALUE, "milliseconds");
    refused(o, "request_timeout", "5 s", CQL_BAD_VALUE, "request_timeout");
    refused(o, "request_timeout", "-1", CQL_BAD_VALUE, "request_timeout");
    refused(o, "request_timeout", "99999999999999999999", CQL_BAD_VALUE, "request_timeout");
    refused(o, "port", "0", CQL_BAD_VALUE, "1 to 65535");
    refused(o, "port", "65536", CQL_BAD_VALUE, "65536");
    refused(o, "port", "9042x", CQL_BAD_VALUE, "port");
    assert_int_equal(o->config.request_timeout, 7);
    cql_options_free(o);
}

static void words_are_checked(void **state)
{
    (void)state;
    cql_options *o = fresh();
    assert_int_equal(cql_options_set(o, "consistency", "QUORUM", NULL), CQL_OK);
    assert_int_equal(o->config.consistency, 4);
    assert_int_equal(cql_options_set(o, "serial_consistency", "local_serial", NULL), CQL_OK);
    refused(o, "serial_consistency", "quorum", CQL_BAD_VALUE, "serial");
    refused(o, "consistency", "most", CQL_BAD_VALUE, "local_quorum");
    assert_int_equal(cql_options_set(o, "protocol", "4", NULL), CQL_OK);
    assert_int_equal(o->config.protocol, 4);
    refused(o, "protocol", "3", CQL_UNSUPPORTED, "only 4 and 5");
    assert_int_equal(cql_options_set(o, "discovery", "off", NULL), CQL_OK);
    assert_int_equal(o->config.discovery, 0);
    assert_int_equal(cql_options_set(o, "discovery", "1", NULL), CQL_OK);
    assert_int_equal(o->config.discovery, 1);
    cql_options_free(o);
}

static void unknown_name_gets_the_nearest(void **state)
{
    (void)state;
    cql_options *o = fresh();
    refused(o, "requst_timeout", "1", CQL_NO_SUCH_NAME, "request_timeout");
    refused(o, "compresion", "lz4", CQL_NO_SUCH_NAME, "compression");
    refused(o, "prot", "1", CQL_NO_SUCH_NAME, "did you mean \"port\"");
    refused(o, "zzzzzzzzzzzzzzzz", "1", CQL_NO_SUCH_NAME, "zzzz");
    cql_error *err = NULL; /* nothing is like it */
    assert_int_equal(cql_options_set(o, "bogus", "1", &err), CQL_NO_SUCH_NAME);
    assert_null(strstr(cql_error_text(err), "did you mean"));
    cql_error_unref(err);
    cql_options_free(o);
}

static void connection_string_is_read(void **state)
{
    (void)state;
    cql_options *o = fresh();
    cql_error *err = NULL;
    if (cql_options_parse(o, "cql://my%20user@h1,h2:19042,[::1]:7/my_ks?consistency=one&port=9142",
                          &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
    assert_int_equal(o->config.contact_count, 3);
    assert_string_equal(o->config.contacts[1].host, "h2");
    assert_int_equal(o->config.contacts[1].port, 19042);
    assert_string_equal(o->config.contacts[2].host, "::1");
    assert_int_equal(o->config.contacts[2].port, 7);
    assert_string_equal(o->config.keyspace, "my_ks");
    assert_string_equal(o->config.username, "my user");
    assert_int_equal(o->config.consistency, 1);
    assert_int_equal(o->config.port, 9142);
    cql_options_free(o);
}

static void hosts_of_a_connection_string_may_be_escaped(void **state)
{
    (void)state;
    cql_options *o = fresh();
    assert_int_equal(cql_options_parse(o, "cql://n%6fde.test:1,[fe80::1%25eth0]:9043/", NULL), CQL_OK);
    assert_int_equal(o->config.contact_count, 2);
    assert_string_equal(o->config.contacts[0].host, "node.test");
    assert_string_equal(o->config.contacts[1].host, "fe80::1%eth0"); /* RFC 6874: the zone */
    assert_int_equal(o->config.contacts[1].port, 9043);
    assert_int_equal(cql_options_parse(o, "cql://[fe80::1%eth0]/", NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(o->config.contact_count, 2);
    cql_options_free(o);
}

static void a_long_part_of_a_connection_string_is_told_to_be_long(void **state)
{
    (void)state;
    static char url[1200] = "cql://h/?allow_hosts=";
    cql_options *o = fresh();
    cql_error *err = NULL;
    size_t len = strlen(url);
    while (len + 11 < sizeof url)
        len += (size_t)snprintf(url + len, sizeof url - len, "10.0.0.%u,", (unsigned)(len % 10));
    assert_int_equal(cql_options_parse(o, url, &err), CQL_BAD_ARGUMENT);
    assert_non_null(strstr(cql_error_text(err), "longer than 1023"));
    cql_error_unref(err);
    cql_options_free(o);
}

static void broken_connection_strings_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "http://h/",
                                      "cql://",
                                      "cql:///ks",
                                      "cql://h:0/",
                                      "cql://h,,g/",
                                      "cql://h/?port",
                                      "cql://h/?nonsense=1",
                                      "cql://h/%zz",
                                      "cql://h/%0",
                                      "cql://h/%00",
                                      "cql://user:secret@h/",
                                      "cql://h/?password=secret"};
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        cql_options *o = fresh();
        cql_error *err = NULL;
        if (cql_options_parse(o, bad[i], &err) == CQL_OK)
            fail_msg("\"%s\" is no connection string", bad[i]);
        assert_non_null(err);
        assert_null(strstr(cql_error_text(err), "secret"));
        cql_error_unref(err);
        cql_options_free(o);
    }
}

static void environment_is_read_on_request(void **state)
{
    (void)state;
    cql_options *o = fresh();
    setenv("CQL_CONTACT_POINTS", "a:1, b", 1);
    setenv("CQL_USERNAME", "u", 1);
    setenv("CQL_PASSWORD", "p", 1);
    setenv("CQL_REQUEST_TIMEOUT", "3s", 1);
    assert_int_equal(cql_options_from_environment(o, NULL), CQL_OK);
    assert_int_equal(o->config.contact_count, 2);
    assert_string_equal(o->config.contacts[1].host, "b");
    assert_string_equal(o->config.username, "u");
    assert_string_equal(o->config.password, "p");
    assert_int_equal(o->config.request_timeout, 3000);
    setenv("CQL_REQUEST_TIMEOUT", "soon", 1);
    assert_int_equal(cql_options_from_environment(o, NULL), CQL_BAD_VALUE);
    unsetenv("CQL_REQUEST_TIMEOUT");
    unsetenv("CQL_CONTACT_POINTS");
    unsetenv("CQL_USERNAME");
    unsetenv("CQL_PASSWORD");
    cql_options_free(o);
}

static void every_option_has_a_variable(void **state)
{
    (void)state;
    cql_option_info info;
    for (size_t i = 0; cql_options_info(i, &info); i++) {
        char name[80];
        cql_options *o = fresh();
        const char *value = strcmp(info.kind, "hosts") == 0 ? "h1,h2:7,[::1]:9"
                            : info.standard[0]              ? info.standard
                                                            : "something";
        snprintf(name, sizeof name, "CQL_%s", info.name);
        for (char *c = name; *c; c++)
            *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
        if (info.by_hand[0]) {
            cql_options_free(o);
            continue;
        }
        setenv(name, value, 1);
        assert_false(cql_options_given(o, info.name));
        assert_int_equal(cql_options_from_environment(o, NULL), CQL_OK);
        assert_true(cql_options_given(o, info.name));
        if (strcmp(info.kind, "secret") != 0)
            assert_string_equal(cql_options_value(o, info.name), value);
        unsetenv(name);
        cql_options_free(o);
    }
}

static void typed_setters_reach_their_option(void **state)
{
    (void)state;
    cql_options *o = fresh();
    assert_int_equal(cql_options_set_page_size(o, 77, NULL), CQL_OK);
    assert_int_equal(o->config.page_size, 77);
    assert_int_equal(cql_options_set_discovery(o, false, NULL), CQL_OK);
    assert_int_equal(o->config.discovery, 0);
    assert_int_equal(cql_options_set_request_timeout(o, 2500, NULL), CQL_OK);
    assert_int_equal(o->config.request_timeout, 2500);
    assert_int_equal(cql_options_set_local_dc(o, "dc7", NULL), CQL_OK);
    assert_string_equal(o->config.local_dc, "dc7");
    assert_int_equal(cql_options_set_page_size(o, 0, NULL), CQL_BAD_VALUE);
    assert_int_equal(cql_options_set_page_size(o, UINT64_MAX, NULL), CQL_BAD_VALUE);
    assert_int_equal(o->config.page_size, 77);
    assert_int_equal(cql_options_set_number(o, "no_such", 1, NULL), CQL_NO_SUCH_NAME);
    assert_int_equal(cql_options_set_bool(NULL, "discovery", true, NULL), CQL_BAD_ARGUMENT);
    cql_options_free(o);
}

static void preset_fills_what_is_not_given(void **state)
{
    (void)state;
    static const char *const words[] = {"server", "device"};
    cql_options *o = fresh(), *plain = fresh();
    assert_int_equal(cql_options_set(o, "page_size", "3", NULL), CQL_OK);
    assert_int_equal(cql_options_parse(o, "cql://h/?preset=device&read_buffer=8192", NULL), CQL_OK);
    assert_int_equal(o->config.page_size, 3);
    assert_int_equal(o->config.read_buffer, 8192);
    assert_int_equal(o->config.connections_per_host, 1);
    assert_int_equal(o->config.max_pending_requests, 64);
    assert_false(cql_options_given(o, "max_pending_requests"));
    assert_int_equal(cql_options_set(o, "preset", "none", NULL), CQL_OK);
    assert_int_equal(o->config.max_pending_requests, plain->config.max_pending_requests);
    assert_int_equal(o->config.page_size, 3);
    cql_options_free(o);
    cql_options_free(plain);
    for (size_t i = 0; i < CQL_COUNT(words); i++) { /* each row of a preset is a value of its option */
        o = fresh();
#define SHOULD_APPLY(preset, option, value)                                                        \
    if (strcmp(preset, words[i]) == 0)                                                             \
        assert_int_equal(cql_options_set(o, option, value, NULL), CQL_OK);
        CQLN_PRESETS(SHOULD_APPLY)
        plain = fresh();
        assert_int_equal(cql_options_set(plain, "preset", words[i], NULL), CQL_OK);
        o->config.preset = plain->config.preset;
        o->config.contacts = plain->config.contacts;
        assert_memory_equal(&o->config, &plain->config, sizeof o->config);
        cql_options_free(o);
        cql_options_free(plain);
    }
}

/* --- files ---------------------------------------------------------------------------------------- */

static char file_name[] = "options-XXXXXX";

static void write_file(const char *text, mode_t mode)
{
    snprintf(file_name, sizeof file_name, "options-XXXXXX");
    int fd = mkstemp(file_name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static cql_status load(cql_options *o, const char *text, mode_t mode, const char *word)
{
    cql_error *err = NULL;
    write_file(text, mode);
    cql_status st = cql_options_load(o, file_name, &err);
    assert_int_equal(unlink(file_name), 0);
    if (word && (!err || !strstr(cql_error_text(err), word)))
        fail_msg("\"%s\" should say \"%s\"", err ? cql_error_text(err) : "no error", word);
    if (err)
        assert_null(strstr(cql_error_text(err), "verysecret"));
    cql_error_unref(err);
    return st;
}

static void file_of_options_is_read(void **state)
{
    (void)state;
    cql_options *o = fresh();
    assert_int_equal(load(o,
                          "# where\n\n contact_points = h1, h2:7 \r\nusername=me\n"
                          "password = \" very=secret \"\n\tpage_size\t=\t12\n"
                          "request_timeout = 5s",
                          0600, NULL),
                     CQL_OK);
    assert_int_equal(o->config.contact_count, 2);
    assert_string_equal(cql_options_value(o, "contact_points"), "h1,h2:7");
    assert_string_equal(o->config.username, "me");
    assert_string_equal(o->config.password, " very=secret ");
    assert_int_equal(o->config.page_size, 12);
    assert_int_equal(o->config.request_timeout, 5000);
    assert_int_equal(load(o, "page_size = 9\n", 0644, NULL), CQL_OK);
    assert_int_equal(o->config.page_size, 9);
    assert_int_equal(load(o, "", 0644, NULL), CQL_OK);
    cql_options_free(o);
}

static void broken_file_changes_nothing_and_names_the_line(void **state)
{
    (void)state;
    cql_options *o = fresh();
    assert_int_equal(load(o, "page_size=9\n\npage_sise = 3\n", 0600, "line 3"), CQL_NO_SUCH_NAME);
    assert_int_equal(load(o, "page_size=9\npage_sise = 3\n", 0600, "page_size"), CQL_NO_SUCH_NAME);
    assert_int_equal(load(o, "page_size=9\npage_size=many", 0600, "line 2"), CQL_BAD_VALUE);
    assert_int_equal(load(o, "page_size=9\nport\n", 0600, "name = value"), CQL_BAD_VALUE);
    assert_int_equal(load(o, "= 9\n", 0600, "name = value"), CQL_BAD_VALUE);
    assert_int_equal(o->config.page_size, 5000);
    cql_options_free(o);
}

static void odd_bytes_of_a_file_are_no_part_of_its_values(void **state)
{
    (void)state;
    cql_options *o = fresh();
    cql_error *err = NULL;
    assert_int_equal(load(o, "\xef\xbb\xbfpage_size = 7\r\nlocal_dc = dc1\r\n", 0600, NULL), CQL_OK);
    assert_int_equal(o->config.page_size, 7);
    assert_string_equal(o->config.local_dc, "dc1");
    assert_int_equal(load(o, "page_size=9\n\xef\xbb\xbfport = 7\n", 0600, "line 2"), CQL_NO_SUCH_NAME);
    static const char nul[] = "host1\0.example:9042";
    assert_int_equal(cqln_option_apply(o, cql_str_of("contact_points"), (cql_str){nul, sizeof nul - 1}, &err),
                     CQL_BAD_VALUE);
    assert_int_equal(o->config.contact_count, 0);
    cql_error_unref(err);
    cql_options_free(o);
}

static void file_that_others_may_touch_is_not_trusted(void **state)
{
    (void)state;
    cql_options *o = fresh();
    cql_error *err = NULL;
    assert_int_equal(load(o, "page_size=9\n", 0622, "may write"), CQL_BAD_ARGUMENT);
    assert_int_equal(load(o, "password=verysecret\n", 0644, "chmod 600"), CQL_BAD_ARGUMENT);
    assert_int_equal(load(o, "password=verysecret\n", 0640, "line 1"), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_options_load(o, "/dev/null", &err), CQL_BAD_ARGUMENT);
    assert_non_null(strstr(cql_error_text(err), "regular"));
    assert_int_equal(cql_options_load(o, "no/such/file", &err), CQL_SYSTEM);
    assert_non_null(strstr(cql_error_text(err), "no/such/file"));
    write_file("page_size=9\n", 0600);
    char link_name[40];
    snprintf(link_name, sizeof link_name, "%s.link", file_name);
    assert_int_equal(symlink(file_name, link_name), 0);
    assert_int_equal(cql_options_load(o, link_name, &err), CQL_SYSTEM);
    assert_non_null(strstr(cql_error_text(err), "symbolic link"));
    unlink(link_name);
    unlink(file_name);
    char *large = malloc(70000);
    memset(large, '\n', 69999);
    large[69999] = '\0';
    assert_int_equal(load(o, large, 0600, "64 KiB"), CQL_BAD_ARGUMENT);
    free(large);
    assert_int_equal(o->config.page_size, 5000);
    cql_error_unref(err);
    cql_options_free(o);
}

static void environment_names_a_file_and_wins_over_it(void **state)
{
    (void)state;
    cql_options *o = fresh();
    write_file("page_size = 9\nport = 19042\n", 0600);
    setenv("CQL_OPTIONS_FILE", file_name, 1);
    setenv("CQL_PORT", "29042", 1);
    assert_int_equal(cql_options_from_environment(o, NULL), CQL_OK);
    assert_int_equal(o->config.page_size, 9);
    assert_int_equal(o->config.port, 29042);
    unlink(file_name);
    assert_int_equal(cql_options_from_environment(o, NULL), CQL_SYSTEM);
    unsetenv("CQL_OPTIONS_FILE");
    unsetenv("CQL_PORT");
    cql_options_free(o);
}

/* Every value that is listed as one to be set by hand is refused from around the program. */
static void protection_is_not_taken_away_from_around(void **state)
{
    (void)state;
    cql_option_info info;
    cql_options *o = fresh();
    for (size_t i = 0; cql_options_info(i, &info); i++) {
        const char *words = strcmp(info.by_hand, "*") == 0 ? info.standard : info.by_hand;
        while (info.by_hand[0]) {
            size_t len = strcspn(words, "|");
            char line[200];
            snprintf(line, sizeof line, "%s = %.*s\n", info.name, (int)len, words);
            assert_int_equal(load(o, line, 0600, "takes protection away"), CQL_BAD_VALUE);
            assert_false(cql_options_given(o, info.name));
            if (!words[len])
                break;
            words += len + 1;
        }
    }
    cql_options_free(o);
}

static cql_status fill_and_copy(const cql_allocator *al, void *user)
{
    cql_options *o = NULL, *copy = NULL;
    (void)user;
    cql_status st = cql_options_new(al, &o);
    if (st == CQL_OK)
        st = cql_options_parse(o, "cql://u@h1,h2/ks?application=x", NULL);
    if (st == CQL_OK)
        st = cql_options_set_credentials(o, "u2", "p2");
    if (st == CQL_OK)
        st = cql_options_copy(o, &copy);
    if (st == CQL_OK && strcmp(copy->config.password, "p2") != 0)
        fail_msg("the copy lacks the password");
    if (st == CQL_OK && !cql_options_value(copy, "contact_points"))
        st = CQL_NO_MEMORY;
    cql_options_free(o);
    cql_options_free(copy);
    return st;
}

static cql_status load_file(const cql_allocator *al, void *user)
{
    cql_options *o = NULL;
    (void)user;
    cql_status st = cql_options_new(al, &o);
    if (st == CQL_OK)
        st = cql_options_load(o, file_name, NULL);
    if (st == CQL_OK && o->config.contact_count != 2)
        fail_msg("the file was half read");
    if (st && o && o->config.contact_count)
        fail_msg("a failure left something behind");
    cql_options_free(o);
    return st;
}

/* A preset is there whole, or a status says why not. */
static cql_status take_preset(const cql_allocator *al, void *user)
{
    cql_options *o = NULL;
    (void)user;
    cql_status st = cql_options_new(al, &o);
    if (st == CQL_OK)
        st = cql_options_set(o, "preset", "device", NULL);
    if (st == CQL_OK && o->config.read_buffer != 4096)
        fail_msg("the preset was left out");
    cql_options_free(o);
    return st;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    assert_true(failmalloc_each(take_preset, NULL, false) > 0);
    assert_true(failmalloc_each(fill_and_copy, NULL, false) > 10);
    write_file("contact_points = h1,h2\nusername = u\npassword = p\nlocal_dc = dc\n", 0600);
    assert_true(failmalloc_each(load_file, NULL, false) > 6);
    assert_true(failmalloc_each(load_file, NULL, true) > 6);
    unlink(file_name);
}

static void what_is_missing_is_an_error_with_a_text(void **state)
{
    (void)state;
    cql_options *o = NULL;
    cql_session *s = NULL;
    cql_error *err = NULL;
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    assert_int_equal(cql_session_open_wait(NULL, &s, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "bad argument: url is NULL");
    assert_int_equal(cql_options_parse(o, NULL, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "bad argument: url is NULL");
    assert_int_equal(cql_options_set(o, "page_size", NULL, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "bad argument: value is NULL");
    assert_int_equal(cql_options_load(o, NULL, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "bad argument: path is NULL");
    assert_int_equal(cql_session_new(NULL, &s, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "bad argument: o is NULL");
    cql_error_unref(err);
    cql_options_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_the_table_takes_its_default),
        cmocka_unit_test(numbers_and_times_have_ranges_and_units),
        cmocka_unit_test(words_are_checked),
        cmocka_unit_test(unknown_name_gets_the_nearest),
        cmocka_unit_test(connection_string_is_read),
        cmocka_unit_test(hosts_of_a_connection_string_may_be_escaped),
        cmocka_unit_test(a_long_part_of_a_connection_string_is_told_to_be_long),
        cmocka_unit_test(broken_connection_strings_are_refused),
        cmocka_unit_test(environment_is_read_on_request),
        cmocka_unit_test(every_option_has_a_variable),
        cmocka_unit_test(typed_setters_reach_their_option),
        cmocka_unit_test(preset_fills_what_is_not_given),
        cmocka_unit_test(file_of_options_is_read),
        cmocka_unit_test(broken_file_changes_nothing_and_names_the_line),
        cmocka_unit_test(odd_bytes_of_a_file_are_no_part_of_its_values),
        cmocka_unit_test(file_that_others_may_touch_is_not_trusted),
        cmocka_unit_test(environment_names_a_file_and_wins_over_it),
        cmocka_unit_test(protection_is_not_taken_away_from_around),
        cmocka_unit_test(what_is_missing_is_an_error_with_a_text),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
