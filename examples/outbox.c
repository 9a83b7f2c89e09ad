/* outbox.c: a device on a link that comes and goes. Readings are put into a file and sent when the cluster
 * can be reached, in order, each once in the end, whatever ends in between: this program, the node, the power.
 *
 *   outbox [cql://HOST[:PORT]] FILE [READINGS [SECONDS]]
 *
 * Adds that many readings (10), then sends for at most so many seconds (60). Everything is on this thread: the
 * session is driven by the calls that wait. The schema: examples/outbox.cql. */
#include <cqlnative/cql.h>
#include <cqlnative/outbox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char insert[] = "INSERT INTO cql_outbox.readings (device, seq, value) VALUES (?, ?, ?)";
static const char latest[] = "UPDATE cql_outbox.latest SET seq = ?, value = ? WHERE device = ?";

/* Told for every statement that has ended. */
static void on_sent(void *user, const cql_outbox_sent *info)
{
    uint64_t *last = user;
    if (info->err)
        fprintf(stderr, "refused, and kept in the file of the refused: %s\n", cql_error_text(info->err));
    if (info->seq <= *last)
        fprintf(stderr, "number %llu came late\n", (unsigned long long)info->seq);
    *last = info->seq;
}

/* Neither needs a connection: both are in the file when they return. */
static cql_status add_reading(cql_outbox *o, int32_t seq, cql_error **err)
{
    cql_value device = cql_value_text("pump 7"), value = cql_value_double(seq / 10.0);
    cql_value number = cql_value_int32(seq);
    cql_status st = cql_outbox_add_wait(o, insert, CQL_VALUES(device, number, value), NULL, NULL, err);
    if (st == CQL_OK)
        st = cql_outbox_add_wait(o, latest, CQL_VALUES(number, value, device), NULL, NULL, err);
    return st;
}

static cql_status work(cql_outbox *o, int32_t readings, uint32_t seconds, cql_error **err)
{
    cql_outbox_stats stats;
    cql_status st = CQL_OK;
    cql_outbox_read_stats(o, &stats);
    printf("%llu statements were found\n", (unsigned long long)stats.found);
    if (cql_outbox_damage(o, NULL))
        printf("a damaged rest was put into %s\n", cql_outbox_damage(o, NULL));
    int32_t first = (int32_t)((stats.next_seq - 1) / 2); /* two statements a reading */
    for (int32_t i = 0; i < readings && st == CQL_OK; i++)
        st = add_reading(o, first + i, err);
    if (st)
        return st;
    printf("%d readings were added\n", readings);
    fflush(stdout);
    st = cql_outbox_flush_wait(o, seconds ? seconds * 1000 : 1, err); /* 0 would be: without a limit */
    cql_outbox_read_stats(o, &stats);
    printf("%llu sent, %llu refused, %llu held\n", (unsigned long long)stats.sent,
           (unsigned long long)stats.refused, (unsigned long long)stats.held);
    return st;
}

int main(int argc, char **argv)
{
    const char *url = "cql://127.0.0.1/";
    cql_session *s = NULL;
    cql_outbox *o = NULL;
    cql_options *options = NULL;
    cql_error *err = NULL;
    uint64_t last = 0;
    int arg = 1;
    if (arg < argc && strncmp(argv[arg], "cql://", 6) == 0)
        url = argv[arg++];
    if (arg >= argc) {
        fprintf(stderr, "usage: outbox [cql://HOST[:PORT]] FILE [READINGS [SECONDS]]\n");
        return 2;
    }
    cql_outbox_options how = {.size = sizeof how,
                              .path = argv[arg],
                              .connect = true, /* nothing is connected here */
                              .on_sent = on_sent,
                              .user = &last};
    int32_t readings = ++arg < argc ? (int32_t)strtol(argv[arg], NULL, 10) : 10;
    uint32_t seconds = ++arg < argc ? (uint32_t)strtoul(argv[arg], NULL, 10) : 60;

    cql_status st = cql_options_new(NULL, &options);
    if (st == CQL_OK)
        st = cql_options_parse(options, url, &err);
    if (st == CQL_OK)
        st = cql_options_set(options, "loop_threads", "0", &err);
    if (st == CQL_OK)
        st = cql_session_new(options, &s, &err);
    if (st == CQL_OK)
        st = cql_outbox_open(s, &how, &o, &err);
    if (st == CQL_OK)
        st = work(o, readings, seconds, &err);
    if (st)
        fprintf(stderr, "%s\n", err ? cql_error_text(err) : cql_status_text(st));

    cql_outbox_free(o); /* what was not sent stays in the file */
    cql_session_free(s);
    cql_options_free(options);
    cql_error_unref(err);
    return st == CQL_OK ? 0 : 1;
}
