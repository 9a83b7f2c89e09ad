/* lines.c: see lines.h. */
#include "jobcli/lines.h"

#include "common/interrupt.h"
#include "common/memory.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 65536 };

/* --- in --------------------------------------------------------------------------------------- */
static char *end_of_line(const jobs_lines *l)
{
    return l->to > l->from ? memchr(l->text + l->from, '\n', l->to - l->from) : NULL;
}

/* False: there is no more, or none now. */
static bool read_more(jobs_lines *l)
{
    ssize_t n;

    if (l->ended)
        return false;
    if (l->from)
        memmove(l->text, l->text + l->from, l->to - l->from);
    l->to -= l->from;
    l->from = 0;
    l->text = tool_grow(l->text, &l->capacity, l->to + CHUNK + 1, 1);
    do
        n = read(l->fd, l->text + l->to, CHUNK);
    while (n < 0 && errno == EINTR && !tool_interrupted());
    if (n > 0) {
        l->to += (size_t)n;
        return true;
    }
    l->ended = n == 0 || errno != EINTR;
    l->error = n < 0 ? errno : 0;
    return n == 0 && l->to > l->from; /* the last line has no end */
}

/* What has come may be a part of a line. */
bool jobs_lines_are_ready(jobs_lines *l)
{
    struct pollfd input = {l->fd, POLLIN, 0};

    while (!l->ended && !end_of_line(l)) {
        if (poll(&input, 1, 0) == 0)
            return false;
        if (!read_more(l))
            break;
    }
    return true;
}

char *jobs_lines_next(jobs_lines *l, size_t *n)
{
    char *line, *end;

    while (!(end = end_of_line(l)) && !l->ended)
        if (!read_more(l))
            return NULL;
    if (l->to == l->from || l->error)
        return NULL;
    line = l->text + l->from;
    *n = end ? (size_t)(end - line) : l->to - l->from;
    l->from += *n + (end != NULL);
    line[*n] = '\0';
    return line;
}

void jobs_lines_free(jobs_lines *l)
{
    free(l->text);
}

/* --- out -------------------------------------------------------------------------------------- */
unsigned jobs_in_order_add(jobs_in_order *o)
{
    o->come[o->next % JOBS_IN_ORDER] = false;
    return o->next++;
}

void jobs_in_order_come(jobs_in_order *o, unsigned place, char *text, FILE *out)
{
    o->text[place % JOBS_IN_ORDER] = text;
    o->come[place % JOBS_IN_ORDER] = true;
    while (o->first != o->next && o->come[o->first % JOBS_IN_ORDER]) {
        char *ready = o->text[o->first++ % JOBS_IN_ORDER];

        if (ready)
            (void)fputs(ready, out);
        free(ready);
    }
}

unsigned jobs_in_order_count(const jobs_in_order *o)
{
    return o->next - o->first;
}
