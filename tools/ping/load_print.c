/* What a load came to: percentiles and the distribution, for people and as JSON. */
#include "ping/load.h"

#include "common/escape.h"
#include "common/json.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    double percent;
    const char *word, *field;
} points[] = {
    {50, "p50", "p50_ms"},       {90, "p90", "p90_ms"},         {99, "p99", "p99_ms"},
    {99.9, "p99.9", "p99_9_ms"}, {99.99, "p99.99", "p99_99_ms"},
};

static double seconds(const ping_load *l)
{
    uint64_t took = l->last_us > l->begin_us ? l->last_us - l->begin_us : 0;
    return (double)took / 1000000;
}

static double rate_of(const ping_load *l)
{
    return seconds(l) > 0 ? (double)l->answered / seconds(l) : 0;
}

static void print_times(const char *title, const tool_histogram *h)
{
    printf("%s\n  ", title);
    for (size_t i = 0; i < CQL_COUNT(points); i++)
        printf("%s %.3f  ", points[i].word, (double)tool_histogram_at(h, points[i].percent) / 1000);
    printf("max %.3f  mean %.3f ms\n", (double)h->max / 1000, tool_histogram_mean(h) / 1000);
}

static void print_people(const ping_load *l)
{
    printf("--- %s ---\n", l->target);
    if (l->spec->statement) {
        tool_put_escaped(stdout, cql_str_of(l->spec->statement));
        fputc('\n', stdout);
    }
    printf("%" PRIu64 " sent, %" PRIu64 " answered, %" PRIu64 " failed in %.1f s: %.1f/s\n",
           l->sent, l->answered, l->failed, seconds(l), rate_of(l));
    if (l->unsent)
        printf("%" PRIu64 " more were due and could not be sent: the answers come too slowly for "
               "this rate\n",
               l->unsent);
    if (l->first_error) {
        fputs("the first failure: ", stdout);
        tool_put_escaped(stdout, cql_str_of(cql_error_text(l->first_error)));
        fputc('\n', stdout);
    }
    if (!l->answered)
        return;
    if (l->spec->rate) {
        print_times("from the time each request was due:", l->waited);
        print_times("from the time it was sent:", l->served);
    } else {
        print_times("round trip:", l->served);
    }
    if (!l->spec->quiet)
        tool_histogram_draw(l->waited, stdout);
}

static void add_times(cJSON *line, const char *name, const tool_histogram *h)
{
    cJSON *o = tool_json_object(NULL);
    if (h->count) {
        tool_json_ms(o, "min_ms", h->min);
        tool_json_ms(o, "mean_ms", (uint64_t)tool_histogram_mean(h));
        for (size_t i = 0; i < CQL_COUNT(points); i++)
            tool_json_ms(o, points[i].field, tool_histogram_at(h, points[i].percent));
        tool_json_ms(o, "max_ms", h->max);
    }
    tool_json_object_add(line, name, o);
}

static void add_slot(void *user, uint64_t from, uint64_t below, uint64_t count)
{
    cJSON *slot = tool_json_object(NULL);
    tool_json_ms(slot, "from_ms", from);
    tool_json_ms(slot, "below_ms", below);
    tool_json_int(slot, "count", (int64_t)count);
    tool_json_array_add(user, slot);
}

static void print_json(const ping_load *l)
{
    char number[32];
    cJSON *line = tool_json_object(l->spec->statement ? "load" : "latency");
    tool_json_text(line, "target", l->target);
    if (l->spec->statement)
        tool_json_text(line, "statement", l->spec->statement);
    tool_json_int(line, "sent", (int64_t)l->sent);
    tool_json_int(line, "answered", (int64_t)l->answered);
    tool_json_int(line, "failed", (int64_t)l->failed);
    tool_json_int(line, "unsent", (int64_t)l->unsent);
    snprintf(number, sizeof number, "%.3f", seconds(l));
    tool_json_raw(line, "seconds", number);
    snprintf(number, sizeof number, "%.1f", rate_of(l));
    tool_json_raw(line, "per_second", number);
    if (l->spec->rate)
        add_times(line, "from_due", l->waited);
    add_times(line, "from_sent", l->served);
    tool_histogram_walk(l->waited, add_slot, tool_json_array(line, "histogram"));
    if (l->first_error)
        tool_json_error(line, l->first_error);
    tool_json_line(stdout, line);
}

void ping_load_print(const ping_load *l)
{
    if (l->spec->output == PING_JSON)
        print_json(l);
    else
        print_people(l);
    fflush(stdout);
}
