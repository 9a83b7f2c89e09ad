/* Moves up over what stands there and prints it anew, line by line; no other feature of a terminal. */
#include "ping/live.h"

#include "common/escape.h"
#include "ping/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LEAST_US   100000
#define ROWS       24 /* of a terminal that does not say */
#define OTHER_ROWS 3  /* the head, what is left out, and the line below */

bool ping_live_wanted(const ping_config *config)
{
    return config->all && config->output == PING_PEOPLE && !config->quiet && isatty(STDOUT_FILENO);
}

static size_t room(void)
{
    struct winsize size;
    size_t rows = ROWS;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > OTHER_ROWS)
        rows = size.ws_row;
    return rows - OTHER_ROWS;
}

static uint64_t all_sent(const ping_node *nodes, size_t count)
{
    uint64_t sent = 0;
    for (size_t i = 0; i < count; i++)
        sent += nodes[i].stats.sent + (nodes[i].was_connected ? 1 : 0) + (nodes[i].given_up ? 1 : 0) +
                nodes[i].stats.answered;
    return sent;
}

static const char *word_of(const ping_node *n)
{
    if (n->given_up)
        return "unreached";
    if (n->failure != TOOL_EXIT_OK)
        return "lost";
    return n->stats.answered ? "answers" : "connecting";
}

static void text_cell(const char *text, int width)
{
    int n = 0;
    for (const char *p = text ? text : "-"; *p && n < width; p++, n++)
        putchar((unsigned char)*p < ' ' || (unsigned char)*p > 126 ? '?' : *p);
    printf("%*s", width - n + 1, "");
}

static void row(const ping_node *n)
{
    ping_summary s;
    bool under_way = n->state == PING_PROBING || n->state == PING_CONNECTING;
    ping_stats_summary(&n->stats, &s);
    text_cell(n->address ? n->address : n->target, 24);
    text_cell(n->identity.data_center, 14);
    text_cell(n->identity.rack, 8);
    text_cell(n->identity.release, 8);
    /* The probe that is under way is not lost yet. */
    printf("%6" PRIu64 " %5" PRIu64, s.sent, s.lost - (s.lost && under_way));
    if (s.has_times)
        printf(" %9.3f %9.3f %9.3f", (double)n->rtt_us / 1000, (double)s.avg_us / 1000,
               (double)s.p99_us / 1000);
    else
        printf(" %9s %9s %9s", "-", "-", "-");
    printf("  %s", word_of(n));
    if (n->failure != TOOL_EXIT_OK && n->reason) {
        fputs(": ", stdout);
        tool_put_escaped(stdout, cql_str_of(n->reason));
    }
    fputs("\033[K\n", stdout);
}

void ping_live_draw(ping_live *live, const ping_node *nodes, size_t count, bool last)
{
    uint64_t now = ping_now_us(), sent = all_sent(nodes, count);
    size_t shown = count < room() ? count : room();
    if (!live->on)
        return;
    if (!last && live->drawn_us && (now - live->drawn_us < LEAST_US || sent == live->sent))
        return;
    if (live->lines)
        printf("\033[%zuA", live->lines);
    printf("%-24s %-14s %-8s %-8s %6s %5s %9s %9s %9s  %s\033[K\n", "node", "data centre", "rack",
           "release", "sent", "lost", "last ms", "avg ms", "p99 ms", "state");
    for (size_t i = 0; i < shown; i++)
        row(&nodes[i]);
    if (shown < count)
        printf("and %zu more\033[K\n", count - shown);
    live->lines = 1 + shown + (shown < count);
    fputs("\033[J", stdout);
    fflush(stdout);
    live->drawn_us = now;
    live->sent = sent;
}
