/* Records from a file, also a compressed one, or from standard input: one a line; the line's number, from
 * 0, is the offset. What is done is kept in a small file beside it. */
#include "eventsink/sink.h"

#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { READ_SIZE = 65536, LINE_MAX_BYTES = 16 << 20 };

typedef struct lines {
    source base;
    tracker tracker;
    int fd;
    gzFile gz; /* of a file; standard input is read as it is */
    char *buf;
    size_t cap, len, at; /* what was read, what was taken of it */
    int64_t line, bytes;
    bool ended;
    bool regular;
} lines;

static bool save(source *src, bool last)
{
    lines *l = (lines *)(void *)src;
    (void)last;
    return checkpoint_save(src->s, &l->tracker);
}

/* --- reading --------------------------------------------------------------------------------------- */

/* More bytes into the buffer: 1 some, 0 the end so far, -1 trouble. */
static int fill(lines *l)
{
    if (l->at) {
        memmove(l->buf, l->buf + l->at, l->len - l->at);
        l->len -= l->at;
        l->at = 0;
    }
    if (l->len + READ_SIZE > l->cap)
        l->buf = tool_grow(l->buf, &l->cap, l->len + READ_SIZE, 1);
    int n = l->gz ? gzread(l->gz, l->buf + l->len, READ_SIZE - 1)
                  : (int)read(l->fd, l->buf + l->len, READ_SIZE - 1);
    if (n < 0 && !l->gz && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n > 0)
        l->len += (size_t)n;
    return n > 0 ? 1 : n;
}

static bool is_readable(const lines *l)
{
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    return l->regular || poll(&p, 1, 0) > 0;
}

/* Takes n bytes as a record. */
static source_result give(lines *l, size_t n, size_t line_end, sink_record *out)
{
    char *text = l->buf + l->at;
    size_t len = n && text[n - 1] == '\r' ? n - 1 : n;
    text[len] = 0;
    *out = (sink_record){&l->tracker, l->line, l->line + 1, l->bytes + (int64_t)(n + line_end),
                         text, len, NULL};
    l->line++;
    l->bytes += (int64_t)(n + line_end);
    l->at += n + line_end;
    return SOURCE_RECORD;
}

static source_result next(source *src, sink_record *out)
{
    lines *l = (lines *)(void *)src;
    for (;;) {
        char *newline = l->len > l->at ? memchr(l->buf + l->at, '\n', l->len - l->at) : NULL;
        if (newline)
            return give(l, (size_t)(newline - l->buf) - l->at, 1, out);
        if (l->len - l->at > LINE_MAX_BYTES) {
            tool_remark(src->s->app.name, "line %lld is longer than 16 MiB", (long long)l->line);
            return SOURCE_FAILED;
        }
        if (!l->ended && !is_readable(l))
            return SOURCE_IDLE;
        int got = l->ended ? 0 : fill(l);
        if (got < 0) {
            tool_remark(src->s->app.name, "%s cannot be read", src->s->path);
            return SOURCE_FAILED;
        }
        if (got > 0)
            continue;
        if (src->s->follow && l->regular) { /* a line without its end is still being written */
            if (l->gz)
                gzclearerr(l->gz);
            return SOURCE_IDLE;
        }
        l->ended = true;
        return l->len > l->at ? give(l, l->len - l->at, 0, out) : SOURCE_END;
    }
}

static void wait_for_more(source *src, int ms)
{
    lines *l = (lines *)(void *)src;
    int deadline = cql_session_deadline(src->s->app.s);
    struct pollfd fds[2] = {{.fd = cql_session_fd(src->s->app.s), .events = POLLIN},
                            {.fd = l->regular || l->ended ? -1 : l->fd, .events = POLLIN}};
    if (deadline >= 0 && deadline < ms)
        ms = deadline;
    (void)tool_poll(fds, 2, ms);
}

/* The lines of a file from the beginning. */
static bool count_lines(const sink *s, int64_t *count)
{
    char block[READ_SIZE];
    char last = '\n';
    int n;
    gzFile gz = gzopen(s->path, "r");
    *count = 0;
    if (!gz)
        return false;
    while ((n = gzread(gz, block, sizeof block)) > 0) {
        for (int i = 0; i < n; i++)
            *count += block[i] == '\n';
        last = block[n - 1];
    }
    *count += last != '\n';
    gzclose(gz);
    return n == 0;
}

static bool position(source *src, int64_t *current, int64_t *end)
{
    lines *l = (lines *)(void *)src;
    int64_t bytes;
    *current = l->tracker.next;
    if (*current < 0 && !checkpoint_load(src->s, current, &bytes))
        *current = -1;
    if (!l->regular) {
        *end = l->line;
        return true;
    }
    if (count_lines(src->s, end))
        return true;
    tool_remark(src->s->app.name, "%s cannot be read", src->s->path);
    return false;
}

static void close_lines(source *src)
{
    lines *l = (lines *)(void *)src;
    if (l->gz)
        gzclose(l->gz);
    free(l->buf);
    free(l);
}

/* Goes on where the checkpoint says. */
static bool skip_done(lines *l, int64_t line, int64_t bytes)
{
    const sink *s = l->base.s;
    if (gzseek(l->gz, bytes, SEEK_SET) == bytes) {
        char last = 0;
        l->line = line;
        l->bytes = bytes;
        tracker_init(&l->tracker, l->base.s, 0, line, bytes);
        if (bytes == 0 || (gzseek(l->gz, bytes - 1, SEEK_SET) == bytes - 1 &&
                           gzread(l->gz, &last, 1) == 1))
            return true;
    }
    tool_remark(s->app.name,
                "%s is shorter than what was already done of it (%lld lines): another file? "
                "--reset begins anew",
                s->path, (long long)line);
    return false;
}

source *lines_open(sink *s)
{
    static const source_ops ops = {next, wait_for_more, save, position, close_lines};
    int64_t line = 0, bytes = 0;
    struct stat st;
    lines *l = tool_alloc(1, sizeof *l);
    bool is_stdin = strcmp(s->path, "-") == 0;
    l->base = (source){&ops, s};
    l->fd = is_stdin ? STDIN_FILENO : open(s->path, O_RDONLY | O_CLOEXEC);
    if (l->fd < 0 || fstat(l->fd, &st) != 0) {
        tool_remark(s->app.name, "%s cannot be read: %s", s->path, strerror(errno));
        free(l);
        return NULL;
    }
    l->regular = !is_stdin && S_ISREG(st.st_mode);
    tracker_init(&l->tracker, s, 0, -1, 0);
    if (!l->regular)
        return &l->base;
    l->gz = gzdopen(l->fd, "r");
    if (!l->gz) {
        tool_remark(s->app.name, "%s cannot be read: out of memory", s->path);
        close(l->fd);
        free(l);
        return NULL;
    }
    if (!s->reset && checkpoint_load(s, &line, &bytes) && !skip_done(l, line, bytes)) {
        close_lines(&l->base);
        return NULL;
    }
    return &l->base;
}
