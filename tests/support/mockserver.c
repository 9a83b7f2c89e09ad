/* A poll loop around the mock nodes. */
#define _GNU_SOURCE
#include "mockserver.h"

#include "os/thread.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(2);
}

typedef union place {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} place;

static socklen_t place_of(const mocknode *n, place *out)
{
    bool v6 = n->address.len == 16;
    memset(out, 0, sizeof *out);
    out->any.sa_family = v6 ? AF_INET6 : AF_INET;
    if (v6)
        memcpy(&out->v6.sin6_addr, n->address.bytes, 16);
    else
        memcpy(&out->v4.sin_addr, n->address.bytes, 4);
    return v6 ? sizeof out->v6 : sizeof out->v4;
}

static int listen_on(mocknode *n)
{
    place a;
    socklen_t len = place_of(n, &a);
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0, "socket");
    must(bind(fd, &a.any, len) == 0, "bind");
    must(listen(fd, 64) == 0, "listen");
    must(getsockname(fd, &a.any, &len) == 0, "getsockname");
    n->address.port = ntohs(n->address.len == 16 ? a.v6.sin6_port : a.v4.sin_port);
    return fd;
}

static void drop(mockserver *s, size_t i)
{
    close(s->sockets[i]);
    mockconn_fini(&s->conns[i]);
    if (s->wrapped[i])
        s->wrap->close(s->wrapped[i]);
    cqln_writer_fini(&s->wire[i]);
    s->count--;
    s->sockets[i] = s->sockets[s->count];
    s->conns[i] = s->conns[s->count];
    s->wrapped[i] = s->wrapped[s->count];
    s->wire[i] = s->wire[s->count];
}

static void take_in(mockserver *s, size_t node)
{
    struct sockaddr_in from = {0};
    socklen_t size = sizeof from;
    int fd = accept4(s->listeners[node], (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    s->strangers += from.sin_addr.s_addr != htonl(0x7f090107);
    if (s->count == MOCK_CONNECTIONS) {
        close(fd);
        return;
    }
    s->sockets[s->count] = fd;
    s->wrapped[s->count] = s->wrap_self ? s->wrap->open(s->wrap_self) : NULL;
    cqln_writer_init(&s->wire[s->count], cqln_alloc_default(), SIZE_MAX);
    mockconn_init(&s->conns[s->count++], &s->mc.nodes[node]);
}

/* What is to be sent on a connection. */
static cqln_writer *output_of(mockserver *s, size_t i)
{
    return s->wrapped[i] ? &s->wire[i] : &s->conns[i].out;
}

static bool flush(mockserver *s, size_t i)
{
    cqln_writer *out = output_of(s, i);
    if (s->wrapped[i])
        s->wrap->out(s->wrapped[i], &s->conns[i].out, out);
    if (out->len == 0)
        return true;
    ssize_t n = send(s->sockets[i], out->data, out->len, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN;
    memmove(out->data, out->data + n, out->len - (size_t)n);
    out->len -= (size_t)n;
    return true;
}

static bool serve_wrapped(mockserver *s, size_t i, const uint8_t *bytes, size_t n)
{
    cqln_writer plain;
    cqln_writer_init(&plain, cqln_alloc_default(), SIZE_MAX);
    bool ok = s->wrap->in(s->wrapped[i], bytes, n, &plain);
    if (plain.len)
        mockconn_feed(&s->conns[i], plain.data, plain.len);
    cqln_writer_fini(&plain);
    return ok && !s->conns[i].broken;
}

static bool serve(mockserver *s, size_t i)
{
    uint8_t buf[65536];
    ssize_t n = recv(s->sockets[i], buf, sizeof buf, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        return false;
    if (n > 0 && s->wrapped[i])
        return serve_wrapped(s, i, buf, (size_t)n);
    if (n > 0)
        mockconn_feed(&s->conns[i], buf, (size_t)n);
    return !s->conns[i].broken;
}

static void round_of(mockserver *s, const struct pollfd *fds, size_t listeners, size_t conns)
{
    for (size_t i = conns; i-- > 0;) { /* backwards: drop moves the last one into the gap */
        short got = fds[1 + listeners + i].revents;
        bool ok = !(got & (POLLIN | POLLHUP | POLLERR)) || serve(s, i);
        if (!flush(s, i) || !ok)
            drop(s, i);
    }
    for (size_t i = 0; i < listeners; i++)
        if (fds[1 + i].revents)
            take_in(s, i);
}

static void *server_main(void *arg)
{
    mockserver *s = arg;
    for (;;) {
        struct pollfd fds[1 + MOCK_NODES + MOCK_CONNECTIONS];
        pthread_mutex_lock(&s->lock);
        size_t listeners = s->mc.count;
        size_t conns = s->count;
        bool stop = s->stop;
        fds[0] = (struct pollfd){s->wake[0], POLLIN, 0};
        for (size_t i = 0; i < listeners; i++)
            fds[1 + i] = (struct pollfd){s->listeners[i], POLLIN, 0};
        for (size_t i = 0; i < conns; i++)
            fds[1 + listeners + i] = (struct pollfd){
                s->sockets[i], (short)(POLLIN | (output_of(s, i)->len ? POLLOUT : 0)), 0};
        pthread_mutex_unlock(&s->lock);
        if (stop)
            return NULL;
        poll(fds, 1 + listeners + conns, -1);
        pthread_mutex_lock(&s->lock);
        if (fds[0].revents) {
            char byte;
            must(read(s->wake[0], &byte, 1) == 1, "read");
        }
        if (conns == s->count) /* else the picture is old: look again */
            round_of(s, fds, listeners, conns);
        pthread_mutex_unlock(&s->lock);
    }
}

static void wake(mockserver *s)
{
    must(write(s->wake[1], "x", 1) == 1, "write");
}

static void start(mockserver *s, size_t nodes)
{
    for (size_t i = 0; i < nodes; i++)
        s->listeners[i] = listen_on(&s->mc.nodes[i]);
    must(pipe2(s->wake, O_CLOEXEC) == 0, "pipe");
    must(pthread_mutex_init(&s->lock, NULL) == 0, "mutex");
    must(cqlos_thread_start(&s->thread, server_main, s) == 0, "thread");
}

void mockserver_start(mockserver *s, size_t nodes)
{
    memset(s, 0, sizeof *s);
    mockcluster_init(&s->mc, nodes);
    start(s, nodes);
}

void mockserver_start_at(mockserver *s, const char *ip)
{
    memset(s, 0, sizeof *s);
    mockcluster_init(&s->mc, 1);
    must(cqln_address_parse(&s->mc.nodes[0].address, cql_str_of(ip), 0), ip);
    start(s, 1);
}

void mockserver_stop(mockserver *s)
{
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_mutex_unlock(&s->lock);
    wake(s);
    pthread_join(s->thread, NULL);
    while (s->count)
        drop(s, s->count - 1);
    for (size_t i = 0; i < s->mc.count; i++)
        close(s->listeners[i]);
    close(s->wake[0]);
    close(s->wake[1]);
    pthread_mutex_destroy(&s->lock);
    mockcluster_fini(&s->mc);
}

const char *mockserver_host(mockserver *s, size_t i)
{
    static char text[CQLN_ADDRESS_TEXT];
    cqln_address_print(&s->mc.nodes[i].address, text);
    return text;
}

unsigned mockserver_executed(mockserver *s, uint32_t value)
{
    pthread_mutex_lock(&s->lock);
    unsigned times = s->mc.executed[value];
    pthread_mutex_unlock(&s->lock);
    return times;
}

void mockserver_schema_event(mockserver *s, const char *change, const char *target, const char *keyspace,
                             const char *name)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->count; i++)
        mockconn_schema_event(&s->conns[i], change, target, keyspace, name);
    pthread_mutex_unlock(&s->lock);
    wake(s);
}

void mockserver_cut(mockserver *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->count)
        drop(s, s->count - 1);
    pthread_mutex_unlock(&s->lock);
    wake(s);
}
