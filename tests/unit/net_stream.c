/* TCP streams on libuv: what the peer does not take at once, and peers that go. SIGPIPE keeps its
 * deadly default here, as in most programs. */
#include "base/alloc.h"
#include "net/io_uv.h"
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIG = 16 << 20 };

typedef struct client {
    cqln_io *io;
    cqln_stream *stream;
    cql_status connected, lost;
    unsigned connects, writes, losses, closes, ends;
    size_t received;
    uint8_t in[64];
    int listener, peer;
    uint8_t *big;
} client;

static void on_connected(void *user, cql_status st, const char *reason)
{
    client *c = user;
    (void)reason;
    c->connects++;
    c->connected = st;
}

static void on_space(void *user, uint8_t **ptr, size_t *cap)
{
    client *c = user;
    *ptr = c->in;
    *cap = sizeof c->in;
}

static void on_received(void *user, size_t n)
{
    ((client *)user)->received += n;
}

static void on_written(void *user)
{
    ((client *)user)->writes++;
}

static void on_lost(void *user, cql_status st, const char *reason)
{
    client *c = user;
    c->losses++;
    c->lost = st;
    assert_true(strlen(reason) > 0);
}

static void on_closed(void *user)
{
    ((client *)user)->closes++;
}

static void ignore(void *user)
{
    (void)user;
}

static void on_ended(void *user)
{
    ((client *)user)->ends++;
}

static const cqln_stream_events stream_events = {on_connected, on_space, on_received,
                                                 on_written,   on_lost,  on_closed};
static const cqln_io_events io_events = {ignore, ignore, ignore, on_ended};

static void turn_until(client *c, const unsigned *counter)
{
    for (int i = 0; i < 2000 && *counter == 0; i++)
        cqln_io_uv_turn(c->io, 10);
    assert_int_equal(*counter, 1);
}

static uint16_t listen_somewhere(client *c)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    c->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(c->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(c->listener, 1), 0);
    assert_int_equal(getsockname(c->listener, (struct sockaddr *)&at, &len), 0);
    return ntohs(at.sin_port);
}

static int set_up(void **state)
{
    static const uint8_t loopback[] = {127, 0, 0, 1};
    static client c;
    cqln_address to;
    memset(&c, 0, sizeof c);
    c.big = malloc(BIG);
    assert_non_null(c.big);
    for (size_t i = 0; i < BIG; i++)
        c.big[i] = (uint8_t)(i * 2654435761u >> 24);
    assert_int_equal(cqln_io_uv_new(cqln_alloc_default(), NULL, &c.io), CQL_OK);
    assert_int_equal(cqln_io_uv_start(c.io), CQL_OK);
    c.io->events = &io_events;
    c.io->user = &c;
    assert_true(cqln_address_from_bytes(&to, loopback, 4, listen_somewhere(&c)));
    assert_int_equal(c.io->ops->connect(c.io, &to, &stream_events, &c, &c.stream), CQL_OK);
    turn_until(&c, &c.connects);
    assert_int_equal(c.connected, CQL_OK);
    c.peer = accept(c.listener, NULL, NULL);
    assert_true(c.peer >= 0);
    *state = &c;
    return 0;
}

static int tear_down(void **state)
{
    client *c = *state;
    c->io->ops->close(c->stream);
    turn_until(c, &c->closes);
    c->io->ops->end(c->io);
    turn_until(c, &c->ends);
    cqln_io_uv_free(c->io);
    if (c->peer >= 0)
        close(c->peer);
    close(c->listener);
    free(c->big);
    return 0;
}

/* The peer reads what is there and compares; the next place in big. */
static size_t take(client *c, size_t at)
{
    uint8_t bytes[65536];
    ssize_t n = recv(c->peer, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n <= 0)
        return at;
    assert_memory_equal(bytes, c->big + at, (size_t)n);
    return at + (size_t)n;
}

static void what_does_not_fit_follows(void **state)
{
    client *c = *state;
    for (unsigned round = 1; round <= 2; round++) {
        size_t at = 0;
        assert_false(c->io->ops->write(c->stream, c->big, BIG));
        while (at < BIG) {
            size_t before = at;
            at = take(c, at);
            if (at == before)
                assert_true(cqln_io_uv_turn(c->io, 10));
        }
        c->writes = round == 2 ? c->writes : 0;
    }
    turn_until(c, &c->writes);
    assert_true(c->io->ops->write(c->stream, c->big, 10)); /* and after that it is as before */
    assert_int_equal(c->losses, 0);
}

static void cut(client *c)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    shutdown(c->peer, SHUT_WR); /* then the reset gives EPIPE and not ECONNRESET */
    assert_int_equal(setsockopt(c->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(c->peer);
    c->peer = -1;
}

static void a_peer_that_goes_is_told_once(void **state)
{
    client *c = *state;
    cut(c);
    turn_until(c, &c->losses);
    assert_int_equal(c->lost, CQL_CLOSED);
}

static void a_peer_that_goes_while_bytes_wait_is_told_once(void **state)
{
    client *c = *state;
    assert_false(c->io->ops->write(c->stream, c->big, BIG));
    cut(c);
    turn_until(c, &c->losses);
    for (int i = 0; i < 5; i++)
        cqln_io_uv_turn(c->io, 1);
    assert_int_equal(c->losses, 1);
    assert_int_equal(c->writes, 0);
}

static void writing_to_a_peer_that_went_ends_nothing_but_the_stream(void **state)
{
    client *c = *state;
    cut(c);
    assert_false(c->io->ops->write(c->stream, c->big, 10));
    turn_until(c, &c->losses);
    assert_int_equal(c->lost, CQL_CLOSED);
}

static void closing_while_bytes_wait_is_clean(void **state)
{
    client *c = *state;
    assert_false(c->io->ops->write(c->stream, c->big, BIG)); /* the tear-down closes */
}

typedef struct found {
    cqln_address first;
    size_t count;
    unsigned calls;
} found;

static void on_found(void *user, const cqln_address *list, size_t count, const char *reason)
{
    found *f = user;
    (void)reason;
    f->calls++;
    f->count = count;
    if (count)
        f->first = list[0];
}

/* fe80::1 alone leads nowhere: there is one behind each interface. */
static void a_link_local_address_keeps_its_zone(void **state)
{
    client *c = *state;
    found f = {.count = 0};
    cqln_lookup *lookup;
    char name[IF_NAMESIZE + 16], interface[IF_NAMESIZE];
    if (!if_indextoname(1, interface))
        skip();
    snprintf(name, sizeof name, "fe80::1%%%s", interface);
    assert_int_equal(c->io->ops->resolve(c->io, name, 9042, on_found, &f, &lookup), CQL_OK);
    turn_until(c, &f.calls);
    assert_int_equal(f.count, 1);
    assert_int_equal(f.first.zone, 1);
    assert_int_equal(f.first.port, 9042);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_link_local_address_keeps_its_zone),
        CASE(what_does_not_fit_follows),
        CASE(a_peer_that_goes_is_told_once),
        CASE(a_peer_that_goes_while_bytes_wait_is_told_once),
        CASE(writing_to_a_peer_that_went_ends_nothing_but_the_stream),
        CASE(closing_while_bytes_wait_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
