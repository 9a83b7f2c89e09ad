/* TCP streams and name look-ups on libuv. */
#include "net/uv_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEEPALIVE_S = 60, LOOKUP_MAX = 32 };

struct cqln_stream {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_poll_t room; /* waits until the socket takes more, on a descriptor of its own */
    int room_fd;    /* -1: not made yet */
    const uint8_t *rest;
    size_t rest_len;
    uv_parts *io;
    const cql_allocator *al;
    const cqln_stream_events *ev;
    void *user;
    int fd;
    unsigned handles; /* to be closed before the stream is gone */
    bool closing;
};

static cql_status status_of(int uv_error)
{
    switch (uv_error) {
    case UV_EOF:
    case UV_ECONNRESET:
    case UV_EPIPE:
        return CQL_CLOSED;
    case UV_ENOMEM:
        return CQL_NO_MEMORY;
    case UV_EMFILE:
    case UV_ENFILE:
    case UV_ENOBUFS:
        return CQL_SYSTEM;
    case UV_ETIMEDOUT:
        return CQL_TIMEOUT;
    default:
        return CQL_CONNECT_FAILED;
    }
}

static const char *reason_of(int uv_error)
{
    return uv_error == UV_EOF ? "the server closed the connection" : uv_strerror(uv_error);
}

static void lost(cqln_stream *s, int uv_error)
{
    if (s->closing)
        return;
    cql_status st = status_of(uv_error);
    uv_read_stop((uv_stream_t *)&s->tcp);
    if (s->room_fd >= 0)
        uv_poll_stop(&s->room);
    s->ev->lost(s->user, st == CQL_CONNECT_FAILED ? CQL_CLOSED : st, reason_of(uv_error));
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    cqln_stream *s = handle->data;
    uint8_t *ptr;
    size_t cap;
    (void)suggested;
    s->ev->space(s->user, &ptr, &cap);
    buf->base = (char *)ptr;
    buf->len = cap;
}

static void on_read(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf)
{
    cqln_stream *s = handle->data;
    (void)buf;
    if (n == 0 || s->closing)
        return;
    s->io->base.inside++;
    if (n > 0)
        s->ev->received(s->user, (size_t)n);
    else
        lost(s, (int)n);
    s->io->base.inside--;
}

static void on_connect(uv_connect_t *req, int status)
{
    cqln_stream *s = req->data;
    if (s->closing)
        return;
    uv_os_fd_t fd = -1;
    if (status == 0) {
        uv_tcp_nodelay(&s->tcp, 1);
        uv_tcp_keepalive(&s->tcp, 1, KEEPALIVE_S);
        uv_fileno((uv_handle_t *)&s->tcp, &fd);
        s->fd = fd;
        status = uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read);
    }
    s->io->base.inside++;
    s->ev->connected(s->user, status == 0 ? CQL_OK : status_of(status),
                     status == 0 ? "" : reason_of(status));
    s->io->base.inside--;
}

static void fill_sockaddr(struct sockaddr_storage *out, const cqln_address *a)
{
    memset(out, 0, sizeof *out);
    if (a->len == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(a->port);
        memcpy(&in->sin_addr, a->bytes, 4);
    } else {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(a->port);
        memcpy(&in6->sin6_addr, a->bytes, 16);
        in6->sin6_scope_id = a->zone;
    }
}

static int bind_to(cqln_stream *s, const cqln_address *from)
{
    struct sockaddr_storage address;
    fill_sockaddr(&address, from);
    return uv_tcp_bind(&s->tcp, (const struct sockaddr *)&address, 0);
}

/* A stream whose connect could not even begin: no event was promised, and nobody waits for this, so that the io
 * may be gone. */
static void on_aborted(uv_handle_t *handle)
{
    cqln_stream *s = handle->data;
    cqln_free(s->al, s);
}

cql_status cqln_uv_connect(cqln_io *base, const cqln_address *to, const cqln_stream_events *ev,
                            void *user, cqln_stream **out)
{
    uv_parts *io = (uv_parts *)base;
    struct sockaddr_storage address;
    base->why = NULL;
    cqln_stream *s = cqln_alloc_zero(io->al, sizeof *s);
    if (!s)
        return CQL_NO_MEMORY;
    s->io = io;
    s->al = io->al;
    s->ev = ev;
    s->user = user;
    s->fd = -1;
    s->room_fd = -1;
    s->handles = 1;
    fill_sockaddr(&address, to);
    if (uv_tcp_init(io->loop, &s->tcp) != 0) {
        cqln_free(io->al, s);
        return CQL_SYSTEM;
    }
    s->tcp.data = s;
    s->connect.data = s;
    int rc = io->from.len == to->len ? bind_to(s, &io->from) : 0;
    if (rc == 0)
        rc = uv_tcp_connect(&s->connect, &s->tcp, (const struct sockaddr *)&address, on_connect);
    if (rc != 0) {
        s->closing = true;
        uv_close((uv_handle_t *)&s->tcp, on_aborted);
        base->why = reason_of(rc);
        return status_of(rc);
    }
    *out = s;
    return CQL_OK;
}

/* Sends what the socket takes; the number of bytes, or a negative libuv error. MSG_NOSIGNAL: a peer that
 * is gone must not end the program with SIGPIPE, and so libuv's own writing is not used. */
static ssize_t send_some(cqln_stream *s, const uint8_t *bytes, size_t len)
{
    ssize_t n;
    do {
        n = send(s->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? 0
                                                                       : uv_translate_sys_error(errno);
}

static void on_room(uv_poll_t *handle, int status, int events)
{
    cqln_stream *s = handle->data;
    (void)events;
    if (s->closing)
        return;
    ssize_t n = status < 0 ? status : send_some(s, s->rest, s->rest_len);
    if (n >= 0 && (size_t)n < s->rest_len) {
        s->rest += n;
        s->rest_len -= (size_t)n;
        return;
    }
    uv_poll_stop(&s->room);
    s->io->base.inside++;
    if (n < 0)
        lost(s, (int)n);
    else
        s->ev->written(s->user);
    s->io->base.inside--;
}

/* libuv watches a descriptor once, and the stream has its own: hence the second one. */
static int make_room(cqln_stream *s)
{
    if (s->room_fd >= 0)
        return 0;
    int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return uv_translate_sys_error(errno);
    int rc = uv_poll_init(s->io->loop, &s->room, fd);
    if (rc != 0) {
        close(fd);
        return rc;
    }
    s->room.data = s;
    s->room_fd = fd;
    s->handles++;
    return 0;
}

/* The common case is one send that takes everything; for the rest the loop waits for room. */
bool cqln_uv_write(cqln_stream *s, const uint8_t *bytes, size_t len)
{
    ssize_t n = send_some(s, bytes, len);
    if (n == (ssize_t)len)
        return true;
    s->rest = bytes + (n > 0 ? n : 0);
    s->rest_len = len - (size_t)(n > 0 ? n : 0);
    if (n < 0 || make_room(s) != 0 || uv_poll_start(&s->room, UV_WRITABLE, on_room) != 0)
        shutdown(s->fd, SHUT_RDWR); /* the read side reports the end */
    return false;
}

static void on_shut(uv_handle_t *handle)
{
    cqln_stream *s = handle->data;
    if (--s->handles > 0)
        return;
    if (s->room_fd >= 0)
        close(s->room_fd);
    s->io->base.inside++;
    s->ev->closed(s->user);
    s->io->base.inside--;
    cqln_free(s->al, s);
}

void cqln_uv_shut(cqln_stream *s)
{
    if (s->closing)
        return;
    s->closing = true;
    if (s->room_fd >= 0)
        uv_close((uv_handle_t *)&s->room, on_shut);
    uv_close((uv_handle_t *)&s->tcp, on_shut);
}

/* --- look-ups ------------------------------------------------------------------------------------ */

struct cqln_lookup {
    uv_getaddrinfo_t req;
    uv_parts *io;
    const cql_allocator *al;
    cqln_lookup_cb cb; /* NULL: forgotten, and the io may be gone */
    void *user;
    uint16_t port;
};

static bool from_sockaddr6(const struct sockaddr_in6 *in6, uint16_t port, cqln_address *out)
{
    bool ok = cqln_address_from_bytes(out, &in6->sin6_addr, 16, port);
    out->zone = in6->sin6_scope_id;
    return ok;
}

static size_t collect(cqln_address *found, const struct addrinfo *list, uint16_t port)
{
    size_t count = 0;
    for (const struct addrinfo *a = list; a && count < LOOKUP_MAX; a = a->ai_next) {
        cqln_address one;
        bool ok = false;
        if (a->ai_family == AF_INET)
            ok = cqln_address_from_bytes(
                &one, &((const struct sockaddr_in *)(const void *)a->ai_addr)->sin_addr, 4, port);
        else if (a->ai_family == AF_INET6)
            ok = from_sockaddr6((const struct sockaddr_in6 *)(const void *)a->ai_addr, port, &one);
        for (size_t i = 0; ok && i < count; i++)
            ok = !cqln_address_equal(&found[i], &one);
        if (ok)
            found[count++] = one;
    }
    return count;
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    cqln_lookup *l = req->data;
    cqln_address found[LOOKUP_MAX];
    size_t count = status == 0 ? collect(found, list, l->port) : 0;
    uv_freeaddrinfo(list);
    if (l->cb) {
        l->io->base.inside++;
        l->cb(l->user, found, count, status == 0 ? "no address" : uv_strerror(status));
        l->io->base.inside--;
    }
    cqln_free(l->al, l);
}

cql_status cqln_uv_resolve(cqln_io *base, const char *host, uint16_t port, cqln_lookup_cb cb,
                            void *user, cqln_lookup **out)
{
    uv_parts *io = (uv_parts *)base;
    struct addrinfo hints;
    cqln_lookup *l = cqln_alloc_zero(io->al, sizeof *l);
    if (!l)
        return CQL_NO_MEMORY;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    l->io = io;
    l->al = io->al;
    l->cb = cb;
    l->user = user;
    l->port = port;
    l->req.data = l;
    if (uv_getaddrinfo(io->loop, &l->req, on_resolved, host, NULL, &hints) != 0) {
        cqln_free(io->al, l);
        return CQL_SYSTEM;
    }
    *out = l;
    return CQL_OK;
}

void cqln_uv_forget(cqln_lookup *l)
{
    l->cb = NULL;
    uv_cancel((uv_req_t *)&l->req);
}
