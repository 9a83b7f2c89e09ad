/* Which servers a command line means, and where user and password may come from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/credentials.h"
#include "common/target.h"
#include "tools_capture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char why[400];

/* Adds text and gives all items joined; NULL when it was refused. The caller frees. */
static char *targets_of(const char *text)
{
    tool_targets t = {0};
    char *joined = tool_targets_add(&t, text, why, sizeof why) ? tool_targets_join(&t) : NULL;
    tool_targets_free(&t);
    return joined;
}

static void hosts_are_kept_as_given(void **state)
{
    (void)state;
    static const char *const right[] = {
        "127.0.0.1",
        "127.0.0.1:9042",
        "db-1.example.org:19042",
        "a,b:1,c:65535",
        "[::1]",
        "[::1]:9042",
        "[fe80::1%eth0]:9042",
        "node_1",
        "[2001:db8::1],n2",
        "cql://h1,h2:9/ks?x=y",
        "cql://user@h1:9042/ks",
    };
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        char *joined = targets_of(right[i]);
        if (!joined)
            fail_msg("%s: %s", right[i], why);
        assert_string_equal(joined, right[i]);
        free(joined);
    }
}

static void expect_refused(const char *text, const char *wanted)
{
    char *joined = targets_of(text);
    if (joined)
        fail_msg("'%s' was taken as '%s'", text, joined);
    if (!strstr(why, wanted))
        fail_msg("'%s': '%s' lacks '%s'", text, why, wanted);
}

static void malformed_hosts_are_refused_with_a_reason(void **state)
{
    (void)state;
    expect_refused("", "empty host name");
    expect_refused("a,,b", "'' is no host name");
    expect_refused("host:", "the port has to be a number from 1 to 65535");
    expect_refused("host:0", "the port has to be");
    expect_refused("host:65536", "the port has to be");
    expect_refused("host:9042x", "the port has to be");
    expect_refused(":9042", "is no host name");
    expect_refused("ho st", "is no host name");
    expect_refused("host;rm", "is no host name");
    expect_refused("::1", "write an IPv6 address in brackets: [::1]");
    expect_refused("[::1", "is no host name");
    expect_refused("[]", "is no host name");
    expect_refused("[::1]9042", "the port has to be");
    expect_refused("[::1]:", "the port has to be");
    expect_refused("ho\033[2Jst", "'ho\\x1b[2Jst' is no host name");
}

static void a_password_in_a_connection_string_is_refused_and_not_repeated(void **state)
{
    (void)state;
    expect_refused("cql://me:hunter2@host/ks", "a password in a connection string");
    assert_null(strstr(why, "hunter2"));
    expect_refused("cql://me:hun@ter2@host", "a password in a connection string");
    free(targets_of("cql://host:9042/a@b"));
    char *fine = targets_of("cql://host:9042/a@b");
    assert_non_null(fine);
    free(fine);
}

static void the_environment_comes_before_the_default(void **state)
{
    (void)state;
    tool_targets t = {0};
    unsetenv("CQL_CONTACT_POINTS");
    assert_true(tool_targets_settle(&t, why, sizeof why));
    assert_int_equal(t.count, 1);
    assert_string_equal(t.items[0], "127.0.0.1:9042");
    tool_targets_free(&t);

    setenv("CQL_CONTACT_POINTS", "n1:19042,n2", 1);
    assert_true(tool_targets_settle(&t, why, sizeof why));
    assert_int_equal(t.count, 2);
    assert_string_equal(t.items[1], "n2");
    tool_targets_free(&t);

    assert_true(tool_targets_add(&t, "given", why, sizeof why));
    assert_true(tool_targets_settle(&t, why, sizeof why));
    assert_int_equal(t.count, 1);
    assert_string_equal(t.items[0], "given");
    tool_targets_free(&t);

    setenv("CQL_CONTACT_POINTS", "n1:x", 1);
    assert_false(tool_targets_settle(&t, why, sizeof why));
    assert_non_null(strstr(why, "CQL_CONTACT_POINTS: 'n1:x'"));
    tool_targets_free(&t);
    unsetenv("CQL_CONTACT_POINTS");
}

static void a_first_word_that_is_a_file_is_no_target(void **state)
{
    (void)state;
    char name[] = "/tmp/tools-target-XXXXXX";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_false(tool_word_is_target(name));
    close(fd);
    unlink(name);
    assert_true(tool_word_is_target(name));
    assert_false(tool_word_is_target("no-such-file.cql"));
    assert_false(tool_word_is_target("-"));
    assert_true(tool_word_is_target("127.0.0.1:9042"));
    assert_true(tool_word_is_target("cql://host/ks.cql"));
    assert_true(tool_word_is_target("/tmp"));
}

static void credentials_of_the_environment_are_taken_out_of_it(void **state)
{
    (void)state;
    tool_credentials c;
    setenv("CQL_USERNAME", "cassandra", 1);
    setenv("CQL_PASSWORD", "secret", 1);
    const char *place = getenv("CQL_PASSWORD");
    tool_credentials_init(&c);
    assert_string_equal(c.user, "cassandra");
    assert_string_equal(c.password, "secret");
    assert_null(getenv("CQL_PASSWORD"));
    assert_null(getenv("CQL_USERNAME"));
    assert_int_equal(place[0], 0);
    assert_true(tool_credentials_settle(&c, why, sizeof why));
    tool_credentials_free(&c);
    assert_null(c.password);
}

static bool settle_with(const char *user, const char *file, int fd, char *password, size_t size)
{
    tool_credentials c;
    tool_credentials_init(&c);
    c.user = user ? strdup(user) : NULL;
    c.password_file = file ? strdup(file) : NULL;
    c.password_fd = fd;
    capture_begin();
    bool fine = tool_credentials_settle(&c, why, sizeof why);
    capture_end();
    snprintf(password, size, "%s", c.password ? c.password : "(none)");
    tool_credentials_free(&c);
    return fine;
}

static void a_password_comes_from_the_first_line_of_file_or_descriptor(void **state)
{
    (void)state;
    char name[] = "/tmp/tools-secret-XXXXXX", password[64];
    int fd = mkstemp(name);
    assert_int_equal(write(fd, "pass word\r\nsecond\n", 18), 18);
    assert_true(settle_with("me", name, -1, password, sizeof password));
    assert_string_equal(password, "pass word");
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_true(settle_with("me", NULL, fd, password, sizeof password));
    assert_string_equal(password, "pass word");
    close(fd);
    unlink(name);
}

static void a_password_that_cannot_be_had_is_a_reason(void **state)
{
    (void)state;
    char password[64], line[5000];
    assert_false(settle_with("me", "/no/such/file", -1, password, sizeof password));
    assert_non_null(strstr(why, "/no/such/file: No such file"));
    assert_false(settle_with("me", NULL, 1000, password, sizeof password));
    assert_non_null(strstr(why, "descriptor 1000: Bad file descriptor"));
    /* Standard error is a file while captured, so there is nobody to ask. */
    assert_false(settle_with("me", NULL, -1, password, sizeof password));
    assert_non_null(strstr(why, "no password for user 'me': use --password-file"));
    char name[] = "/tmp/tools-secret-XXXXXX";
    int fd = mkstemp(name);
    memset(line, 'x', sizeof line);
    assert_int_equal(write(fd, line, sizeof line), (int)sizeof line);
    assert_false(settle_with("me", name, -1, password, sizeof password));
    assert_non_null(strstr(why, "the line is too long"));
    assert_int_equal(ftruncate(fd, 3), 0);
    assert_false(settle_with(NULL, name, -1, password, sizeof password));
    assert_non_null(strstr(why, "a password without a user"));
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_false(settle_with("me", name, -1, password, sizeof password));
    assert_non_null(strstr(why, "the first line is empty"));
    close(fd);
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_are_kept_as_given),
        cmocka_unit_test(malformed_hosts_are_refused_with_a_reason),
        cmocka_unit_test(a_password_in_a_connection_string_is_refused_and_not_repeated),
        cmocka_unit_test(the_environment_comes_before_the_default),
        cmocka_unit_test(a_first_word_that_is_a_file_is_no_target),
        cmocka_unit_test(credentials_of_the_environment_are_taken_out_of_it),
        cmocka_unit_test(a_password_comes_from_the_first_line_of_file_or_descriptor),
        cmocka_unit_test(a_password_that_cannot_be_had_is_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
