/* Serves a session's metrics to Prometheus: asks something all the time, and answers each HTTP request
 * on a port of the loopback with the numbers.
 *
 * prometheus cql://host/ PORT [SCRAPES]: PORT 0 lets the system choose, the program prints it. */
#include <cqlnative/cql.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int listen_on(const char *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&a, len) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
        perror("listen");
        return -1;
    }
    printf("http://127.0.0.1:%u/metrics\n", (unsigned)ntohs(a.sin_port));
    fflush(stdout);
    return fd;
}

/* Yours: free(). NULL when memory is out. */
static char *metrics_text(cql_session *s, size_t *len)
{
    char *text = NULL;
    cql_metrics *m = cql_session_metrics(s);
    *len = m ? cql_metrics_prometheus(m, NULL, 0) : 0;
    if (m && (text = malloc(*len + 1)) != NULL)
        cql_metrics_prometheus(m, text, *len + 1);
    cql_metrics_free(m);
    return text;
}

static int send_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* To the empty line behind the headers, in however many parts they come: what is left unread would make the close a
 * reset, which may take the answer with it. Whoever says nothing holds up the others for a while only. */
static int read_request(int fd)
{
    struct timeval patience = {.tv_sec = 5};
    char request[4096];
    size_t len = 0;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0)
        return -1;
    while (len < sizeof request - 1) {
        ssize_t n = recv(fd, request + len, sizeof request - 1 - len, 0);
        if (n <= 0)
            return -1;
        len += (size_t)n;
        request[len] = '\0';
        if (strstr(request, "\r\n\r\n"))
            return 0;
    }
    return -1;
}

static int answer(int fd, cql_session *s)
{
    char head[160];
    size_t len;
    if (read_request(fd) != 0)
        return -1;
    char *text = metrics_text(s, &len);
    if (!text)
        return -1;
    int n = snprintf(head, sizeof head,
                     "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
                     "Content-Length: %zu\r\n\r\n",
                     len);
    int rc = send_all(fd, head, (size_t)n) || send_all(fd, text, len);
    free(text);
    return rc;
}

/* The program's own work would be here. */
static cql_status work(cql_session *s, cql_error **err)
{
    cql_status st = CQL_OK;
    for (int i = 0; st == CQL_OK && i < 100; i++)
        st = cql_session_query_wait(s, "SELECT release_version FROM system.local", NULL, err);
    return st;
}

int main(int argc, char **argv)
{
    cql_error *err = NULL;
    cql_session *s = NULL;
    if (argc < 3) {
        fprintf(stderr, "usage: prometheus cql://host/ PORT [SCRAPES]\n");
        return 2;
    }
    long scrapes = argc > 3 ? strtol(argv[3], NULL, 10) : -1;
    int fd = -1;
    cql_status st = cql_session_open_wait(argv[1], &s, &err);
    if (st == CQL_OK)
        st = work(s, &err);
    if (st == CQL_OK && (fd = listen_on(argv[2])) < 0)
        st = CQL_SYSTEM;
    while (st == CQL_OK && scrapes-- != 0) {
        int client = accept(fd, NULL, NULL);
        if (client < 0 || answer(client, s) != 0)
            perror("answer");
        if (client >= 0)
            close(client);
        if (work(s, &err) != CQL_OK) /* told, and gone on: that is when the numbers are wanted */
            fprintf(stderr, "%s\n", err ? cql_error_text(err) : "out of memory");
    }
    if (st != CQL_OK)
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));
    if (fd >= 0)
        close(fd);
    cql_error_unref(err);
    cql_session_close_wait(s);
    cql_session_free(s);
    return st != CQL_OK;
}
