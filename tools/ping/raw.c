/* Blocking steps with a limit each, on a socket of its own; protocol v4, which every server speaks. */
#include "ping/raw.h"

#include "common/escape.h"
#include "common/memory.h"
#include "ping/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define VERSION       4
#define HEADER        9
#define LONGEST_BODY  65536u
#define OP_ERROR      0x00
#define OP_STARTUP    0x01
#define OP_READY      0x02
#define OP_AUTHENTICATE 0x03
#define OP_OPTIONS    0x05
#define OP_SUPPORTED  0x06

typedef struct wire {
    int fd;
    uint64_t limit_us; /* when the step under way is given up */
    uint8_t opcode;
    uint8_t *body;
    size_t len;
} wire;

/* Takes text over. */
static bool finish(ping_step *s, uint64_t began, bool ok, char *text)
{
    s->done = true;
    s->ok = ok;
    s->us = ping_now_us() - began;
    s->text = text;
    return ok;
}

/* "[v6]:port", "name:port" or either without a port, in two pieces of their own. */
static void cut_host(const char *host, uint16_t port, char **name, char *service, size_t size)
{
    const char *close = host[0] == '[' ? strchr(host, ']') : NULL;
    const char *colon = close ? strchr(close, ':') : strrchr(host, ':');
    cql_str view = {close ? host + 1 : host, 0};
    view.len = close ? (size_t)(close - view.ptr) : colon ? (size_t)(colon - host) : strlen(host);
    snprintf(service, size, "%s", colon ? colon + 1 : "");
    if (!colon)
        snprintf(service, size, "%u", port);
    *name = tool_copy_str(view);
}

static char *address_list(const struct addrinfo *list)
{
    char *text = tool_copy("");
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        char one[NI_MAXHOST] = "?";
        (void)getnameinfo(a->ai_addr, a->ai_addrlen, one, sizeof one, NULL, 0, NI_NUMERICHOST);
        char *longer = tool_format("%s%s%s", text, *text ? ", " : "", one);
        free(text);
        text = longer;
    }
    return text;
}

static struct addrinfo *resolve(ping_raw *r, const char *host, uint16_t port)
{
    struct addrinfo *list = NULL, hints = {0};
    char *name, service[8];
    uint64_t began = ping_now_us();
    hints.ai_socktype = SOCK_STREAM;
    cut_host(host, port, &name, service, sizeof service);
    int code = getaddrinfo(name, service, &hints, &list);
    free(name);
    char *text = code ? tool_copy(gai_strerror(code)) : address_list(list);
    (void)finish(&r->steps[PING_STEP_RESOLVE], began, code == 0, text);
    return code ? NULL : list;
}

static bool wait_for(const wire *w, short events)
{
    struct pollfd p = {w->fd, events, 0};
    for (;;) {
        uint64_t now = ping_now_us();
        if (now >= w->limit_us)
            return false;
        int ready = poll(&p, 1, (int)((w->limit_us - now + 999) / 1000));
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

static int open_socket(int family)
{
    int fd = socket(family, SOCK_STREAM, 0);
    if (fd >= 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* 0, or the errno of what went wrong. */
static int connect_to(wire *w, const struct addrinfo *a)
{
    int error = 0;
    socklen_t size = sizeof error;
    w->fd = open_socket(a->ai_family);
    if (w->fd < 0)
        return errno;
    if (connect(w->fd, a->ai_addr, a->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        error = errno;
    else if (!wait_for(w, POLLOUT))
        error = ETIMEDOUT;
    else if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error) {
        close(w->fd);
        w->fd = -1;
    }
    return error;
}

static bool connect_any(ping_raw *r, wire *w, const struct addrinfo *list, uint32_t limit_ms)
{
    uint64_t began = ping_now_us();
    int error = EINVAL;
    for (const struct addrinfo *a = list; a && error; a = a->ai_next) {
        w->limit_us = ping_now_us() + limit_ms * 1000ull;
        error = connect_to(w, a);
    }
    return finish(&r->steps[PING_STEP_TCP], began, error == 0,
                  tool_copy(error ? strerror(error) : "connected"));
}

static bool send_all(wire *w, const uint8_t *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(w->fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR) && wait_for(w, POLLOUT))
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* "" or why the bytes did not come. */
static const char *receive(wire *w, uint8_t *bytes, size_t len)
{
    while (len) {
        if (!wait_for(w, POLLIN))
            return "no answer in time";
        ssize_t n = recv(w->fd, bytes, len, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n == 0)
            return "the server closed the connection without a word";
        if (n < 0)
            return strerror(errno);
        bytes += n;
        len -= (size_t)n;
    }
    return "";
}

/* One message out, one in; "" or what is wrong. */
static const char *exchange(wire *w, uint8_t opcode, const uint8_t *body, size_t len)
{
    uint8_t head[HEADER] = {VERSION, 0, 0, 0, opcode, 0, 0, (uint8_t)(len >> 8), (uint8_t)len};
    if (!send_all(w, head, HEADER) || !send_all(w, body, len))
        return "the message cannot be sent";
    const char *why = receive(w, head, HEADER);
    if (*why)
        return why;
    if (!(head[0] & 0x80) || (head[0] & 0x7f) < 3 || (head[0] & 0x7f) > 6)
        return head[0] == 0x15 ? "a TLS alert came: this port wants TLS"
                               : "what came back is no CQL: another service listens there";
    w->opcode = head[4];
    w->len = (size_t)head[5] << 24 | (size_t)head[6] << 16 | (size_t)head[7] << 8 | head[8];
    if (w->len > LONGEST_BODY)
        return "the answer is too long for what was asked";
    free(w->body);
    w->body = tool_alloc(w->len + 1, 1);
    return receive(w, w->body, w->len);
}

/* The server's own words of an ERROR. */
static char *error_text(const wire *w)
{
    if (w->opcode != OP_ERROR || w->len < 6)
        return tool_format("an unexpected message (0x%02x)", w->opcode);
    size_t n = (size_t)w->body[4] << 8 | w->body[5];
    cql_str text = {(const char *)w->body + 6, n <= w->len - 6 ? n : w->len - 6};
    char *safe = tool_escaped(text);
    char *line = tool_format("refused: %s", safe);
    free(safe);
    return line;
}

static bool ask_options(ping_raw *r, wire *w, uint32_t limit_ms)
{
    uint64_t began = ping_now_us();
    w->limit_us = began + limit_ms * 1000ull;
    const char *why = exchange(w, OP_OPTIONS, NULL, 0);
    char *text = NULL;
    bool ok = false;
    if (*why) {
        r->closed_early = true;
        text = tool_copy(why);
    } else if (w->opcode == OP_SUPPORTED) {
        text = ping_supported_text(w->body, w->len, &r->compression);
        ok = text != NULL;
    } else {
        text = error_text(w);
    }
    return finish(&r->steps[PING_STEP_OPTIONS], began, ok,
                  text ? text : tool_copy("the list of options cannot be read"));
}

static void ask_startup(ping_raw *r, wire *w, uint32_t limit_ms)
{
    static const uint8_t body[] = "\0\1\0\13CQL_VERSION\0\0053.0.0";
    uint64_t began = ping_now_us();
    w->limit_us = began + limit_ms * 1000ull;
    const char *why = exchange(w, OP_STARTUP, body, sizeof body - 1);
    bool ok = !*why && (w->opcode == OP_READY || w->opcode == OP_AUTHENTICATE);
    char *text;
    if (*why) {
        text = tool_copy(why);
    } else if (w->opcode == OP_AUTHENTICATE && w->len >= 2) {
        cql_str name = {(const char *)w->body + 2, w->len - 2};
        char *safe = tool_escaped(name);
        const char *dot = strrchr(safe, '.');
        r->wants_login = true;
        text = tool_format("wants a log-in (%s)", dot ? dot + 1 : safe);
        free(safe);
    } else {
        text = ok ? tool_copy("ready, no log-in wanted") : error_text(w);
    }
    (void)finish(&r->steps[PING_STEP_STARTUP], began, ok, text);
}

static void probe(ping_raw *r, const char *host, uint16_t port, uint32_t limit_ms, bool messages)
{
    wire w = {.fd = -1};
    memset(r, 0, sizeof *r);
    struct addrinfo *list = resolve(r, host, port);
    if (!list)
        return;
    if (connect_any(r, &w, list, limit_ms) && messages && ask_options(r, &w, limit_ms))
        ask_startup(r, &w, limit_ms);
    if (w.fd >= 0)
        close(w.fd);
    free(w.body);
    freeaddrinfo(list);
}

void ping_raw_probe(ping_raw *r, const char *host, uint16_t port, uint32_t limit_ms)
{
    probe(r, host, port, limit_ms, true);
}

void ping_raw_reach(ping_raw *r, const char *host, uint16_t port, uint32_t limit_ms)
{
    probe(r, host, port, limit_ms, false);
}

void ping_raw_free(ping_raw *r)
{
    for (size_t i = 0; i < PING_STEP_COUNT; i++)
        free(r->steps[i].text);
    free(r->compression);
    memset(r, 0, sizeof *r);
}
