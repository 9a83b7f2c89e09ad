/* Lines of a stream beside a session that is turned by this thread. */
#include "common/app.h"

#include "common/memory.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_SIZE = 65536 };

/* True when there is something to read (or the end); false: a signal came. */
static bool wait_for_input(const app_lines *l, int fd)
{
    while (!tool_interrupted()) {
        struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
                                {.fd = cql_session_fd(l->s), .events = POLLIN}};
        int n = tool_poll(fds, 2, cql_session_deadline(l->s));
        bool input = n > 0 && fds[0].revents;
        (void)cql_session_drive(l->s, 0);
        if (input)
            return true;
    }
    return false;
}

static bool fill(app_lines *l)
{
    int fd = fileno(l->in);
    memmove(l->buf, l->buf + l->at, l->len - l->at);
    l->len -= l->at;
    l->at = 0;
    l->buf = tool_grow(l->buf, &l->cap, l->len + READ_SIZE, 1);
    if (!wait_for_input(l, fd))
        return false;
    ssize_t n = read(fd, l->buf + l->len, READ_SIZE - 1);
    if (n < 0) {
        l->failed = errno == EINTR || errno == EAGAIN ? 0 : errno;
        return !l->failed;
    }
    l->ended = n == 0;
    l->len += (size_t)n;
    return true;
}

char *app_next_line(app_lines *l)
{
    if (!l->buf)
        l->buf = tool_grow(NULL, &l->cap, READ_SIZE, 1);
    for (;;) {
        char *line = l->buf + l->at;
        char *newline = memchr(line, '\n', l->len - l->at);
        if (newline || (l->ended && l->len > l->at)) {
            char *end = newline ? newline : l->buf + l->len;
            *end = 0;
            l->at = (size_t)(end - l->buf) + (newline != NULL);
            l->number++;
            return line;
        }
        if (l->ended || !fill(l))
            return NULL;
    }
}

void app_lines_free(app_lines *l)
{
    free(l->buf);
    l->buf = NULL;
}
