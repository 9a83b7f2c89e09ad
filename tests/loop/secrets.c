/* How often a password stands in the memory of the program, which is what a core dump would hold: once while
 * a session may need it to connect again, and never after that.
 *
 * The mock nodes are in a process of their own, since they are sent the password. */
#include "tlsend.h"
#include "unit.h"

#include <cqlnative/cql.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MASK = 0x5a, TAIL = 24, CHUNK = 1 << 16 };

/* Larger areas are those of a sanitizer, which are reserved and hold no text. */
static const unsigned long long area_max = 64u << 20;

/* Behind "secret:"; never in memory as it is, but in what is counted here. */
static uint8_t masked[TAIL];
static char plain_host[64], tls_host[64];
static pid_t nodes;
static int nodes_end;

/* --- nodes ---------------------------------------------------------------------------------------- */

static void want_login(mockserver *s)
{
    pthread_mutex_lock(&s->lock);
    s->mc.nodes[0].want_login = true;
    pthread_mutex_unlock(&s->lock);
}

static void serve(int hosts, int until)
{
    static mockserver plain, tls;
    char lines[130], byte;
    mockserver_start(&plain, 1);
    mockserver_start_at(&tls, "127.9.0.7");
    want_login(&plain);
    want_login(&tls);
    testcert ca = testcert_authority("test authority");
    testcert cert = testcert_server(&ca, "IP:127.9.0.7");
    tlsend_wrap(&tls, tlsend_context(&cert, NULL));
    int n = snprintf(lines, sizeof lines, "%s\n", mockserver_host(&plain, 0));
    n += snprintf(lines + n, sizeof lines - (size_t)n, "%s\n", mockserver_host(&tls, 0));
    if (write(hosts, lines, (size_t)n) != n)
        _exit(1);
    while (read(until, &byte, 1) > 0)
        ;
    _exit(0);
}

static int start(void **state)
{
    int hosts[2], until[2];
    (void)state;
    assert_int_equal(pipe(hosts), 0);
    assert_int_equal(pipe(until), 0);
    nodes = fork();
    assert_true(nodes >= 0);
    if (nodes == 0) {
        close(hosts[0]);
        close(until[1]);
        serve(hosts[1], until[0]);
    }
    close(hosts[1]);
    close(until[0]);
    nodes_end = until[1];
    FILE *f = fdopen(hosts[0], "r");
    assert_true(f && fscanf(f, "%63s %63s", plain_host, tls_host) == 2);
    fclose(f);
    uint32_t seed = (uint32_t)getpid() * 2654435761u;
    for (size_t i = 0; i < TAIL; i++) {
        seed = seed * 1103515245u + 12345u;
        masked[i] = (uint8_t)('a' + (seed >> 16) % 26) ^ MASK;
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    close(nodes_end);
    return waitpid(nodes, NULL, 0) == nodes ? 0 : -1;
}

/* --- counting ------------------------------------------------------------------------------------- */

static uint8_t window[CHUNK];

static unsigned count_in_window(size_t n)
{
    const uint8_t *at = window, *end = window + n;
    unsigned found = 0;
    while ((at = memchr(at, masked[0] ^ MASK, (size_t)(end - at))) && end - at >= TAIL) {
        size_t same = 1;
        while (same < TAIL && (at[same] ^ MASK) == masked[same])
            same++;
        found += same == TAIL;
        at++;
    }
    return found;
}

/* Windows overlap by less than the text, so that none is missed and none counted twice. The window itself is
 * passed over. */
static unsigned count_in(int mem, uint64_t at, uint64_t end)
{
    uint64_t own = (uintptr_t)window;
    unsigned found = 0;
    while (at + TAIL <= end) {
        if (at < own + CHUNK && at + CHUNK > own) {
            size_t before = at < own ? (size_t)(own - at) : 0;
            ssize_t n = before ? pread(mem, window, before, (off_t)at) : 0;
            found += n > 0 ? count_in_window((size_t)n) : 0;
            at = own + CHUNK;
            continue;
        }
        ssize_t n = pread(mem, window, end - at < CHUNK ? (size_t)(end - at) : CHUNK, (off_t)at);
        if (n < TAIL)
            return found;
        found += count_in_window((size_t)n);
        at += (size_t)n - (TAIL - 1);
    }
    return found;
}

/* In all memory that can be written, as in a core dump. */
static unsigned copies(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    char line[600], access[5];
    unsigned long long from, to;
    unsigned found = 0;
    assert_true(maps && mem >= 0);
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%llx-%llx %4s", &from, &to, access) == 3 && access[0] == 'r' &&
            access[1] == 'w' && to - from <= area_max && !strstr(line, "[v"))
            found += count_in(mem, from, to);
    memset(window, 0, sizeof window);
    close(mem);
    fclose(maps);
    return found;
}

/* --- sessions ------------------------------------------------------------------------------------- */

static void set_password(cql_options *o, const char *before)
{
    char password[64];
    int n = snprintf(password, sizeof password, "%s", before);
    for (size_t i = 0; i < TAIL; i++)
        password[(size_t)n + i] = (char)(masked[i] ^ MASK);
    password[n + TAIL] = '\0';
    assert_int_equal(cql_options_set_credentials(o, "cassandra", password), CQL_OK);
    explicit_bzero(password, sizeof password);
}

static cql_options *options(const char *host, const char *more)
{
    char url[200];
    cql_options *o = NULL;
    cql_error *err = NULL;
    snprintf(url, sizeof url, "cql://%s/?request_timeout=20s&connect_timeout=20s&%s", host, more);
    assert_int_equal(cql_options_new(NULL, &o), CQL_OK);
    if (cql_options_parse(o, url, &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
    return o;
}

/* The counting itself is shown to find what there is. */
static void what_is_there_is_found(void **state)
{
    (void)state;
    assert_int_equal(copies(), 0);
    cql_options *o = options(plain_host, "loop_threads=0");
    set_password(o, "secret:");
    assert_int_equal(copies(), 1);
    set_password(o, "");
    assert_int_equal(copies(), 1);
    char *other = malloc(TAIL);
    for (size_t i = 0; i < TAIL; i++)
        other[i] = (char)(masked[i] ^ MASK);
    assert_int_equal(copies(), 2);
    explicit_bzero(other, TAIL);
    free(other);
    cql_options_free(o);
    assert_int_equal(copies(), 0);
}

static void connect_and_count(cql_options *o)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    cql_result *res = NULL;
    assert_int_equal(cql_session_new(o, &s, &err), CQL_OK);
    cql_options_free(o);
    assert_int_equal(copies(), 1);
    if (cql_session_connect_wait(s, &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
    assert_int_equal(copies(), 1); /* for the next connection */
    assert_int_equal(cql_session_query_wait(s, "SELECT * FROM t rows 3", &res, &err), CQL_OK);
    cql_result_unref(res);
    assert_int_equal(cql_session_close_wait(s), CQL_OK);
    cql_session_free(s);
    assert_int_equal(copies(), 0);
}

static void a_session_keeps_one_copy(void **state)
{
    static const char *const modes[] = {"loop_threads=0", "loop_threads=1", "compression=lz4"};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(modes); i++) {
        cql_options *o = options(plain_host, modes[i]);
        set_password(o, "secret:");
        connect_and_count(o);
    }
}

static void over_tls_it_is_one_too(void **state)
{
    (void)state;
    for (int v4 = 0; v4 < 2; v4++) {
        cql_options *o = options(tls_host, v4 ? "protocol=4" : "protocol=5");
        cql_options_set_tls_insecure(o);
        set_password(o, "secret:");
        connect_and_count(o);
    }
}

/* Puts the token together on its stack, and leaves nothing there. */
static cql_status say_password(void *self, cql_auth *a)
{
    uint8_t token[2 + 9 + 7 + TAIL] = "\0cassandra\0secret:";
    (void)self;
    for (size_t i = 0; i < TAIL; i++)
        token[sizeof token - TAIL + i] = masked[i] ^ MASK;
    cql_status st = cql_auth_respond(a, token, sizeof token);
    explicit_bzero(token, sizeof token);
    return st;
}

/* A program that fetches its password for each log-in has none in memory between them. */
static void with_an_authenticator_there_is_none(void **state)
{
    static const char *const modes[] = {"loop_threads=0", "loop_threads=0&protocol=4"};
    const cql_authenticator mine = {.size = sizeof mine, .initial = say_password};
    (void)state;
    for (size_t i = 0; i < CQL_COUNT(modes); i++) {
        cql_error *err = NULL;
        cql_session *s = NULL;
        cql_options *o = options(plain_host, modes[i]);
        assert_int_equal(cql_options_set_authenticator(o, &mine), CQL_OK);
        assert_int_equal(cql_session_new(o, &s, &err), CQL_OK);
        cql_options_free(o);
        if (cql_session_connect_wait(s, &err) != CQL_OK)
            fail_msg("%s", cql_error_text(err));
        assert_int_equal(copies(), 0);
        assert_int_equal(cql_session_query_wait(s, "SELECT * FROM t rows 3", NULL, &err), CQL_OK);
        assert_int_equal(copies(), 0);
        assert_int_equal(cql_session_close_wait(s), CQL_OK);
        cql_session_free(s);
        assert_int_equal(copies(), 0);
    }
}

static void a_refused_one_is_in_no_error(void **state)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    (void)state;
    cql_options *o = options(plain_host, "loop_threads=0");
    set_password(o, "wrong:");
    assert_int_equal(cql_session_new(o, &s, &err), CQL_OK);
    cql_options_free(o);
    assert_int_not_equal(cql_session_connect_wait(s, &err), CQL_OK);
    assert_int_equal(copies(), 1);
    cql_session_free(s);
    assert_int_equal(copies(), 0); /* the error is still there */
    cql_error_unref(err);
}

/* The first call of a function that the linker binds late puts the vector registers on the stack, and with them what
 * was copied last. Programs are bound at the start where secrets matter; so is this one. Under valgrind, which cannot
 * start itself so, the variable is set before (make check-valgrind). */
static void bind_at_the_start(char **argv)
{
    if (getenv("LD_BIND_NOW"))
        return;
    setenv("LD_BIND_NOW", "1", 1);
    execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    (void)argc;
    bind_at_the_start(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_found),
        cmocka_unit_test(a_session_keeps_one_copy),
        cmocka_unit_test(over_tls_it_is_one_too),
        cmocka_unit_test(with_an_authenticator_there_is_none),
        cmocka_unit_test(a_refused_one_is_in_no_error),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
