/*
 * A server that answers from memory: what a client is measured against.
 *
 * One thread, epoll, one read and one write for as many requests as have come. It speaks v4 and v5
 * without compression. It prints address:port on one line and ends when its standard input closes
 * or its time is up.
 *
 *     responder [--address 127.0.0.1] [--port 0] [--nodes 1] [--seconds 900]
 *
 * With more than one node it listens on the addresses behind that one too.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "answers.h"
#include "crc.h"
#include "systables.h"
#include "workload.h"

enum { READ_SPACE = 1 << 20, MAX_ENVELOPE = 16 << 20, MAX_EVENTS = 64, NODES_MAX = 4 };

enum { ERR_PROTOCOL = 0x000a, ERR_INVALID = 0x2200 };

typedef struct connection {
    int fd;
    bool started;
    bool writing;     /* the socket is full: read nothing until it is not */
    unsigned version; /* set by STARTUP */
    buf in;
    buf slices; /* the parts so far of an envelope that is split over segments */
    output out;
} connection;

typedef struct envelope {
    unsigned version;
    unsigned flags;
    uint16_t stream;
    unsigned op;
    reader body;
} envelope;

static const char not_spoken[] = "Invalid or unsupported protocol version; supported versions are "
                                 "(4/v4, 5/v5)";

/* ---- messages ---- */

static void supported(connection *c, const envelope *e)
{
    buf b = {0};

    buf_u16(&b, 3);
    buf_string(&b, "PROTOCOL_VERSIONS");
    buf_u16(&b, 2);
    buf_string(&b, "4/v4");
    buf_string(&b, "5/v5");
    buf_string(&b, "COMPRESSION");
    buf_u16(&b, 0);
    buf_string(&b, "CQL_VERSION");
    buf_u16(&b, 1);
    buf_string(&b, "3.4.7");
    output_body(&c->out, e->version | 0x80, e->stream, OP_SUPPORTED, &b);
    free(b.data);
}

static bool key_is(const uint8_t *p, size_t n, const char *key)
{
    return n == strlen(key) && memcmp(p, key, n) == 0;
}

/* Returns what is wrong with the options, or NULL. */
static const char *check_startup(reader *r)
{
    bool cql_version = false;

    for (unsigned left = rd_u16(r); left && !r->bad; left--) {
        size_t n = rd_u16(r);
        const uint8_t *key = rd_bytes(r, n);
        if (!r->bad && key_is(key, n, "COMPRESSION"))
            return "the responder does not compress: connect without compression";
        cql_version = cql_version || (!r->bad && key_is(key, n, "CQL_VERSION"));
        n = rd_u16(r);
        rd_bytes(r, n);
    }
    if (r->bad)
        return "STARTUP is cut";
    return cql_version ? NULL : "CQL_VERSION is missing";
}

static void startup(connection *c, envelope *e)
{
    const char *wrong = c->started ? "STARTUP came twice" : check_startup(&e->body);

    if (wrong) {
        answer_error(&c->out, e->version, e->stream, ERR_PROTOCOL, wrong);
        return;
    }
    output_envelope(&c->out, e->version | 0x80, e->stream, OP_READY, 0);
    c->started = true;
    c->version = e->version;
    c->out.framed = e->version >= 5;
}

static void prepare(connection *c, envelope *e)
{
    size_t n = rd_u32(&e->body);
    const char *cql = (const char *)rd_bytes(&e->body, n);

    if (e->body.bad || !answer_prepare(&c->out, e->version, e->stream, cql, n))
        answer_error(&c->out, e->version, e->stream, ERR_INVALID,
                     "the responder prepares the benchmark's statements only");
}

static void answer(connection *c, envelope *e)
{
    output *o = &c->out;

    switch (e->op) {
    case OP_EXECUTE:
        answer_execute(o, e->version, e->stream, &e->body);
        return;
    case OP_QUERY:
        answer_query(o, e->version, e->stream, &e->body);
        return;
    case OP_PREPARE:
        prepare(c, e);
        return;
    case OP_OPTIONS:
        supported(c, e);
        return;
    case OP_STARTUP:
        startup(c, e);
        return;
    case OP_REGISTER:
        output_envelope(o, e->version | 0x80, e->stream, OP_READY, 0);
        return;
    case OP_BATCH:
        answer_void(o, e->version, e->stream);
        return;
    default:
        answer_error(o, e->version, e->stream, ERR_PROTOCOL, "the responder knows no such opcode");
    }
}

static void handle(connection *c, envelope *e)
{
    bool early = !c->started && e->op != OP_OPTIONS && e->op != OP_STARTUP;

    if (e->version != 4 && e->version != 5)
        answer_error(&c->out, 5, 0, ERR_PROTOCOL, not_spoken);
    else if (early || (c->started && e->version != c->version))
        answer_error(&c->out, e->version, 0, ERR_PROTOCOL,
                     early ? "Unexpected message, expecting STARTUP or OPTIONS"
                           : "the version differs from that of STARTUP");
    else if (e->flags & 1 && e->version == 4)
        answer_error(&c->out, e->version, e->stream, ERR_PROTOCOL,
                     "the responder does not decompress");
    else
        answer(c, e);
}

/* ---- bytes ---- */

/*
 * Answers the envelope at p if all of it is there. Returns its size; 0 when it is not whole, or
 * when the connection must end (then *bad is set). *want becomes the size that it needs.
 */
static size_t take_envelope(connection *c, const uint8_t *p, size_t n, size_t *want, bool *bad)
{
    *want = ENVELOPE_HEADER;
    if (n < ENVELOPE_HEADER)
        return 0;
    size_t size = get_u32(p + 5);
    *bad = size > MAX_ENVELOPE;
    *want = ENVELOPE_HEADER + size;
    if (*bad || n < *want)
        return 0;
    envelope e = {
        .version = p[0],
        .flags = p[1],
        .stream = get_u16(p + 2),
        .op = p[4],
        .body = {.p = p + ENVELOPE_HEADER, .end = p + ENVELOPE_HEADER + size},
    };
    handle(c, &e);
    return *want;
}

/* The payload of one segment. False when it makes no sense. */
static bool take_payload(connection *c, const uint8_t *p, size_t n, bool self_contained)
{
    size_t want;
    bool bad = false;

    if (!self_contained) {
        buf_bytes(&c->slices, p, n);
        if (c->slices.size > MAX_ENVELOPE)
            return false;
        if (take_envelope(c, c->slices.data, c->slices.size, &want, &bad))
            c->slices.size = 0;
        return !bad;
    }
    while (n) {
        size_t used = take_envelope(c, p, n, &want, &bad);
        if (!used)
            return false;
        p += used;
        n -= used;
    }
    return true;
}

static size_t take_segment(connection *c, const uint8_t *p, size_t n, size_t *want, bool *bad)
{
    *want = SEGMENT_HEADER;
    if (n < SEGMENT_HEADER)
        return 0;
    uint32_t header = get_le24(p);
    size_t size = header & SEGMENT_MAX;
    *bad = crc24(p) != get_le24(p + 3);
    *want = SEGMENT_HEADER + size + SEGMENT_TRAILER;
    if (*bad || n < *want)
        return 0;
    p += SEGMENT_HEADER;
    *bad = crc32_segment(p, size) != get_le32(p + size) ||
           !take_payload(c, p, size, header & SEGMENT_SELF_CONTAINED);
    return *bad ? 0 : *want;
}

/* Answers all that is whole and keeps the rest. False when the connection must end. */
static bool consume(connection *c)
{
    size_t at = 0, used, want;
    bool bad = false;

    do {
        const uint8_t *p = c->in.data + at;
        size_t n = c->in.size - at;
        used = c->out.framed ? take_segment(c, p, n, &want, &bad)
                             : take_envelope(c, p, n, &want, &bad);
        at += used;
    } while (used);
    if (bad)
        return false;
    memmove(c->in.data, c->in.data + at, c->in.size - at);
    c->in.size -= at;
    if (want > c->in.cap) {
        c->in.cap = want;
        c->in.data = must(realloc(c->in.data, want));
    }
    return true;
}

static bool flush(connection *c, int poll_fd)
{
    output_close(&c->out);
    if (!output_send(&c->out, c->fd))
        return false;
    if (output_pending(&c->out) == c->writing)
        return true;
    c->writing = !c->writing;
    struct epoll_event ev = {.events = c->writing ? EPOLLOUT : EPOLLIN, .data.ptr = c};
    return epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &ev) == 0;
}

static bool read_some(connection *c)
{
    ssize_t n = recv(c->fd, c->in.data + c->in.size, c->in.cap - c->in.size, 0);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    c->in.size += (size_t)n;
    return n > 0 && consume(c);
}

static void drop(connection *c)
{
    close(c->fd);
    free(c->in.data);
    free(c->slices.data);
    output_free(&c->out);
    free(c);
}

static void serve(connection *c, int poll_fd)
{
    if ((!c->writing && !read_some(c)) || !flush(c, poll_fd))
        drop(c);
}

/* ---- the loop ---- */

static void accept_one(int listener, int poll_fd)
{
    int one = 1;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connection *c = must(calloc(1, sizeof *c));
    c->fd = fd;
    c->in.data = must(malloc(READ_SPACE));
    c->in.cap = READ_SPACE;
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &ev) != 0)
        drop(c);
}

/* On the address that is `step` behind this one. */
static int listen_on(const char *address, unsigned step, unsigned port, struct sockaddr_in *at)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof sa;
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    bool good = inet_pton(AF_INET, address, &sa.sin_addr) == 1;
    sa.sin_addr.s_addr = htonl(ntohl(sa.sin_addr.s_addr) + step);
    if (fd < 0 || !good ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&sa, sizeof sa) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &size) != 0) {
        fprintf(stderr, "responder: cannot listen on %s:%u: %s\n", address, port, strerror(errno));
        exit(1);
    }
    *at = sa;
    return fd;
}

static void listen_on_all(const char *address, unsigned port, unsigned nodes, int listeners[])
{
    struct sockaddr_in first, other;
    char text[INET_ADDRSTRLEN];

    listeners[0] = listen_on(address, 0, port, &first);
    port = ntohs(first.sin_port);
    for (unsigned i = 1; i < nodes; i++)
        listeners[i] = listen_on(address, i, port, &other);
    inet_ntop(AF_INET, &first.sin_addr, text, sizeof text);
    systables_init(text, port, nodes);
    printf("%s:%u\n", text, port);
    fflush(stdout);
}

/* True when standard input has ended; what comes over it is ignored. */
static bool input_ended(void)
{
    char bytes[256];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    return n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

/* The listener that an event is about, -1: none. */
static int listener_of(const void *ptr, const int *listeners, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (ptr == &listeners[i])
            return listeners[i];
    return -1;
}

static void run(int *listeners, unsigned count, time_t end)
{
    static char is_input;
    struct epoll_event events[MAX_EVENTS];
    int poll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev = {.events = EPOLLIN};

    for (unsigned i = 0; i < count; i++) {
        ev.data.ptr = &listeners[i];
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, listeners[i], &ev);
    }
    ev.data.ptr = &is_input;
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &ev); /* a plain file cannot be watched */
    while (time(NULL) < end) {
        int n = epoll_wait(poll_fd, events, MAX_EVENTS, 1000);
        for (int i = 0; i < n; i++) {
            int listener = listener_of(events[i].data.ptr, listeners, count);
            if (listener >= 0)
                accept_one(listener, poll_fd);
            else if (events[i].data.ptr != &is_input)
                serve(events[i].data.ptr, poll_fd);
            else if (input_ended())
                return;
        }
    }
}

static unsigned number(const char *option, const char *text, unsigned long max)
{
    char *end = NULL;
    unsigned long v = text ? strtoul(text, &end, 10) : 0;

    if (!text || end == text || *end || v > max) {
        fprintf(stderr, "responder: %s wants a number up to %lu\n", option, max);
        exit(2);
    }
    return (unsigned)v;
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1";
    unsigned port = 0;
    unsigned seconds = 900;
    unsigned nodes = 1;
    int listeners[NODES_MAX];

    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--address") == 0 && argv[i + 1]) {
            address = argv[i + 1];
        } else if (strcmp(argv[i], "--port") == 0) {
            port = number(argv[i], argv[i + 1], 65535);
        } else if (strcmp(argv[i], "--nodes") == 0) {
            nodes = number(argv[i], argv[i + 1], NODES_MAX);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            seconds = number(argv[i], argv[i + 1], 86400);
        } else {
            fprintf(stderr, "usage: responder [--address A] [--port N] [--nodes N]"
                            " [--seconds N]\n");
            return 2;
        }
    }
    crc_init();
    bench_workload_init();
    answers_init();
    signal(SIGPIPE, SIG_IGN);
    nodes = nodes ? nodes : 1;
    listen_on_all(address, port, nodes, listeners);
    run(listeners, nodes, time(NULL) + (time_t)seconds);
    return 0;
}
