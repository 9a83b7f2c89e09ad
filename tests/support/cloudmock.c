#include "cloudmock.h"

#include "os/thread.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
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

static int listen_on(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 64) == 0 &&
             getsockname(fd, (struct sockaddr *)&at, &len) == 0,
         "listening");
    *port = ntohs(at.sin_port);
    return fd;
}

/* --- the service ----------------------------------------------------------------------------------- */

static void serve_metadata(cloudmock *m, SSL *ssl)
{
    static _Thread_local char answer[CLOUD_ANSWER];
    char request[400];
    size_t len = 0;
    while (len + 1 < sizeof request) {
        int n = SSL_read(ssl, request + len, (int)(sizeof request - 1 - len));
        if (n <= 0)
            return;
        len += (size_t)n;
        request[len] = '\0';
        if (strstr(request, "\r\n\r\n"))
            break;
    }
    pthread_mutex_lock(&m->lock);
    bool silent = m->silent, rude = m->rude;
    size_t answer_len = m->answer_len;
    memcpy(answer, m->answer, answer_len);
    memcpy(m->asked_for, request, sizeof request);
    m->asked++;
    pthread_mutex_unlock(&m->lock);
    if (silent) {
        (void)SSL_read(ssl, request, sizeof request); /* until the other side or the test ends it */
        return;
    }
    if (answer_len)
        (void)SSL_write(ssl, answer, (int)answer_len);
    if (!rude)
        (void)SSL_shutdown(ssl);
}

/* --- the proxy ------------------------------------------------------------------------------------- */

/* -1: no node has this host id, or it is away. */
static int node_of(cloudmock *m, const char *name)
{
    cql_uuid id;
    int found = -1;
    pthread_mutex_lock(&m->lock);
    if (name && cql_uuid_parse(cql_str_of(name), &id) == CQL_OK)
        for (size_t i = 0; i < m->nodes->mc.count; i++)
            if (memcmp(m->nodes->mc.nodes[i].host_id.bytes, id.bytes, 16) == 0)
                found = (int)i;
    if (found < 0)
        m->unknown++;
    else
        m->reached[found]++;
    if (found >= 0 && m->away[found])
        found = -1;
    pthread_mutex_unlock(&m->lock);
    return found;
}

static int dial_node(const cqln_address *a)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(a->port)};
    memcpy(&to.sin_addr, a->bytes, 4);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static void splice_both(SSL *ssl, int client, int node)
{
    char bytes[16384];
    for (;;) {
        struct pollfd at[2] = {{client, POLLIN, 0}, {node, POLLIN, 0}};
        if (SSL_pending(ssl) == 0 && poll(at, 2, -1) < 0)
            return;
        if (SSL_pending(ssl) > 0 || at[0].revents) {
            int n = SSL_read(ssl, bytes, sizeof bytes);
            if (n <= 0 || !send_all(node, bytes, (size_t)n))
                return;
        }
        if (at[1].revents) {
            ssize_t n = recv(node, bytes, sizeof bytes, 0);
            if (n <= 0 || SSL_write(ssl, bytes, (int)n) <= 0)
                return;
        }
    }
}

static void serve_proxy(cloudmock *m, SSL *ssl, int client)
{
    int i = node_of(m, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    int node = i < 0 ? -1 : dial_node(&m->nodes->mc.nodes[i].address);
    if (node < 0)
        return;
    splice_both(ssl, client, node);
    close(node);
}

/* --- connections ----------------------------------------------------------------------------------- */

typedef struct worker {
    cloudmock *m;
    size_t index;
    int fd;
    bool is_proxy;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    cloudmock *m = w->m;
    SSL *ssl = SSL_new(w->is_proxy ? m->proxy_ctx : m->service_ctx);
    must(ssl && SSL_set_fd(ssl, w->fd) == 1, "TLS of a connection");
    if (SSL_accept(ssl) == 1) {
        if (w->is_proxy)
            serve_proxy(m, ssl, w->fd);
        else
            serve_metadata(m, ssl);
    }
    SSL_free(ssl);
    ERR_clear_error();
    pthread_mutex_lock(&m->lock);
    close(w->fd);
    m->sockets[w->index] = -1;
    pthread_mutex_unlock(&m->lock);
    free(w);
    return NULL;
}

static void begin(cloudmock *m, int fd, bool is_proxy)
{
    worker *w = malloc(sizeof *w);
    must(w != NULL, "memory");
    pthread_mutex_lock(&m->lock);
    must(m->worker_count < CLOUD_CONNECTIONS, "more connections than a test should need");
    *w = (worker){m, m->worker_count, fd, is_proxy};
    m->sockets[w->index] = fd;
    must(cqlos_thread_start(&m->workers[m->worker_count++], work, w) == 0, "thread");
    pthread_mutex_unlock(&m->lock);
}

static void *take_service(void *arg)
{
    cloudmock *m = arg;
    int fd;
    while ((fd = accept(m->service, NULL, NULL)) >= 0)
        begin(m, fd, false);
    return NULL;
}

static void *take_proxy(void *arg)
{
    cloudmock *m = arg;
    int fd;
    while ((fd = accept(m->proxy, NULL, NULL)) >= 0)
        begin(m, fd, true);
    return NULL;
}

void cloudmock_start(cloudmock *m, mockserver *nodes, SSL_CTX *service, SSL_CTX *proxy)
{
    memset(m, 0, sizeof *m);
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets without MSG_NOSIGNAL */
    m->nodes = nodes;
    m->service_ctx = service;
    m->proxy_ctx = proxy;
    must(pthread_mutex_init(&m->lock, NULL) == 0, "lock");
    m->service = listen_on(&m->service_port);
    m->proxy = listen_on(&m->proxy_port);
    must(cqlos_thread_start(&m->threads[0], take_service, m) == 0 &&
             cqlos_thread_start(&m->threads[1], take_proxy, m) == 0,
         "thread");
}

void cloudmock_cut(cloudmock *m)
{
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->worker_count; i++)
        if (m->sockets[i] >= 0)
            shutdown(m->sockets[i], SHUT_RDWR);
    pthread_mutex_unlock(&m->lock);
}

void cloudmock_stop(cloudmock *m)
{
    shutdown(m->service, SHUT_RDWR);
    shutdown(m->proxy, SHUT_RDWR);
    pthread_join(m->threads[0], NULL);
    pthread_join(m->threads[1], NULL);
    close(m->service);
    close(m->proxy);
    cloudmock_cut(m);
    for (size_t i = 0; i < m->worker_count; i++)
        pthread_join(m->workers[i], NULL);
    pthread_mutex_destroy(&m->lock);
}

/* --- what the service says ------------------------------------------------------------------------- */

void cloudmock_say_bytes(cloudmock *m, const char *bytes, size_t len)
{
    must(len <= CLOUD_ANSWER, "room for an answer");
    pthread_mutex_lock(&m->lock);
    memcpy(m->answer, bytes, len);
    m->answer_len = len;
    pthread_mutex_unlock(&m->lock);
}

void cloudmock_say(cloudmock *m, unsigned code, const char *body)
{
    static char text[CLOUD_ANSWER];
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 %u Words\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     code, strlen(body), body);
    must(n > 0 && (size_t)n < sizeof text, "room for an answer");
    cloudmock_say_bytes(m, text, (size_t)n);
}

const char *cloudmock_contact(const cloudmock *m, size_t count, const char *dc)
{
    static char text[2000];
    char id[CQL_UUID_TEXT_SIZE];
    size_t at = (size_t)snprintf(text, sizeof text,
                                 "{\"contact_info\":{\"type\":\"sni_proxy\",\"local_dc\":\"%s\","
                                 "\"sni_proxy_address\":\"localhost:%u\",\"contact_points\":[",
                                 dc, (unsigned)m->proxy_port);
    for (size_t i = 0; i < count; i++) {
        cql_uuid_print(&m->nodes->mc.nodes[i].host_id, id);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s\"%s\"", i ? "," : "", id);
    }
    snprintf(text + at, sizeof text - at, "]}}");
    return text;
}
