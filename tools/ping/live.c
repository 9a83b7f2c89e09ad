/* Moves up over what stands there and prints it anew, line by line; no other feature of a terminal. */
#include "ping/live.h"

#include "common/escape.h"
#include "ping/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LEAST_US   100000
#define ROWS       24 /* of a terminal that does not say */
#define COLUMNS    80
#define WIDE       112 /* below, data centre, rack and release are left out */
#define OTHER_ROWS 3  /* the head, what is left out, and the line below */

bool ping_live_wanted(const ping_config *config)
{
    const char *term = getenv("TERM");
    bool moves = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
    return config->all && config->output == PING_PEOPLE && !config->quiet && moves;
}

/* Of the terminal; how many columns a line may have, and how many rows of nodes there may be. */
typedef struct space {
    size_t columns, rows;
} space;

static space space_there(void)
{
    struct winsize size;
    space there = {COLUMNS, ROWS - OTHER_ROWS};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return there;
    if (size.ws_row > OTHER_ROWS)
        there.rows = size.ws_row - OTHER_ROWS;
    if (size.ws_col)
        there.columns = size.ws_col;
    return there;
}

/* A line that is wider than the terminal would stand on two, and the next drawing miss its beginning. */
static void put_line(const char *text, size_t columns)
{
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        n += ((unsigned char)*p & 0xc0) != 0x80; /* one a character of UTF-8 */
        if (n >= columns) /* the last one is the cursor's */
            break;
        putchar(*p);
    }
    fputs("\033[K\n", stdout);
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

static void text_cell(FILE *out, const char *text, int width)
{
    int n = 0;
    for (const char *p = text ? text : "-"; *p && n < width; p++, n++)
        fputc((unsigned char)*p < ' ' || (unsigned char)*p > 126 ? '?' : *p, out);
    fprintf(out, "%*s", width - n + 1, "");
}

static void put_row(FILE *out, const ping_node *n, bool wide)
{
    ping_summary s;
    bool under_way = n->state == PING_PROBING || n->state == PING_CONNECTING;
    ping_stats_summary(&n->stats, &s);
    text_cell(out, n->address ? n->address : n->target, 24);
    if (wide) {
        text_cell(out, n->identity.data_center, 14);
        text_cell(out, n->identity.rack, 8);
        text_cell(out, n->identity.release, 8);
    }
    /* The probe that is under way is not lost yet. */
    fprintf(out, "%6" PRIu64 " %5" PRIu64, s.sent, s.lost - (s.lost && under_way));
    if (s.has_times)
        fprintf(out, " %9.3f %9.3f %9.3f", (double)n->rtt_us / 1000, (double)s.avg_us / 1000,
                (double)s.p99_us / 1000);
    else
        fprintf(out, " %9s %9s %9s", "-", "-", "-");
    fprintf(out, "  %s", word_of(n));
    if (n->failure != TOOL_EXIT_OK && n->reason) {
        fputs(": ", out);
        tool_put_escaped(out, cql_str_of(n->reason));
    }
}

static void put_head(FILE *out, bool wide)
{
    fprintf(out, "%-24s ", "node");
    if (wide)
        fprintf(out, "%-14s %-8s %-8s ", "data centre", "rack", "release");
    fprintf(out, "%6s %5s %9s %9s %9s  %s", "sent", "lost", "last ms", "avg ms", "p99 ms", "state");
}

/* The head, without a node, or the row of one. */
static void draw_line(const ping_node *n, size_t columns)
{
    bool wide = columns >= WIDE;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        return;
    if (n)
        put_row(out, n, wide);
    else
        put_head(out, wide);
    if (fclose(out) == 0)
        put_line(text, columns);
    free(text);
}

void ping_live_draw(ping_live *live, const ping_node *nodes, size_t count, bool last)
{
    uint64_t now = ping_now_us(), sent = all_sent(nodes, count);
    space there = space_there();
    size_t shown = count < there.rows ? count : there.rows;
    if (!live->on)
        return;
    if (!last && live->drawn_us && (now - live->drawn_us < LEAST_US || sent == live->sent))
        return;
    if (live->lines)
        printf("\033[%zuA", live->lines);
    draw_line(NULL, there.columns);
    for (size_t i = 0; i < shown; i++)
        draw_line(&nodes[i], there.columns);
    if (shown < count)
        printf("and %zu more\033[K\n", count - shown);
    live->lines = 1 + shown + (shown < count);
    fputs("\033[J", stdout);
    fflush(stdout);
    live->drawn_us = now;
    live->sent = sent;
}
