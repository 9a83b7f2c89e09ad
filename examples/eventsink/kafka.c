/* Records from a Kafka topic, as a member of a consumer group. Offsets are committed by hand, and never
 * past a record that is not acknowledged: what the group remembers is what the trackers say. */
#include "eventsink/sink.h"

#include "common/memory.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#ifdef WITH_AVRO
#include "eventsink/avro.h"
#endif

enum { PARTITIONS_MAX = 256, WAIT_MS = 10000, POLL_MS = 20, PAUSE_US = 1000000 };

typedef struct kafka {
    source base;
    rd_kafka_t *rk;
    tracker *trackers[PARTITIONS_MAX];
    bool at_end[PARTITIONS_MAX];
    uint64_t heard_us; /* when something came last, or it was asked again after a while */
    uint64_t asked_us;
    char *text;
    size_t cap;
#ifdef WITH_AVRO
    avro_event event;
    char *json; /* of the message given last */
#endif
} kafka;

static bool tell(const sink *s, const char *what, const char *why)
{
    tool_remark(s->app.name, "Kafka at %s: %s: %s", s->broker, what, why);
    return false;
}

/* --- what is done ---------------------------------------------------------------------------------- */

static bool save(source *src, bool last)
{
    kafka *k = (kafka *)(void *)src;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTITIONS_MAX);
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int32_t i = 0; i < PARTITIONS_MAX; i++) {
        tracker *t = k->trackers[i];
        if (!t || t->next < 0 || t->next == t->saved)
            continue;
        rd_kafka_topic_partition_list_add(list, src->s->topic, i)->offset = t->next;
    }
    if (list->cnt && sink_sync_dead(src->s)) {
        err = rd_kafka_commit(k->rk, list, last ? 0 : 1);
        for (int i = 0; i < list->cnt && !err; i++)
            k->trackers[list->elems[i].partition]->saved = list->elems[i].offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (err) /* they are read again after the next start: no loss */
        (void)tell(src->s, "the offsets could not be committed", rd_kafka_err2str(err));
    return !src->s->failed;
}

/* Partitions go to another member: first everything of theirs is stored and committed. If a signal ends the
 * wait for that, rows under way still point into the trackers, which then go with the source. */
static void give_up_partitions(kafka *k)
{
    sink *s = k->base.s;
    if (s->writer) { /* at the end everything is saved already */
        cql_status st = app_flush(&s->app, s->writer);
        (void)save(&k->base, true);
        if (st != CQL_OK) {
            app_report(&s->app, st);
            s->failed = true;
            return;
        }
    }
    for (size_t i = 0; i < PARTITIONS_MAX; i++) {
        free(k->trackers[i]);
        k->trackers[i] = NULL;
    }
}

static void take_partitions(kafka *k, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *p = &list->elems[i];
        if (p->partition < 0 || p->partition >= PARTITIONS_MAX) { /* not to be passed over in silence */
            (void)tell(k->base.s, k->base.s->topic, "it has more than 256 partitions");
            k->base.s->failed = true;
            continue;
        }
        tracker *t = tool_alloc(1, sizeof *t);
        tracker_init(t, k->base.s, p->partition, -1, 0);
        k->trackers[p->partition] = t;
        k->at_end[p->partition] = false;
        if (k->base.s->reset)
            p->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    k->base.s->reset = false; /* of what is taken over later, the done part is done */
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    kafka *k = opaque;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        take_partitions(k, list);
        (void)rd_kafka_assign(rk, list);
    } else {
        if (err == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
            give_up_partitions(k);
        (void)rd_kafka_assign(rk, NULL);
    }
}

/* --- reading --------------------------------------------------------------------------------------- */

static bool all_at_end(const kafka *k)
{
    size_t n = 0;
    for (size_t i = 0; i < PARTITIONS_MAX; i++) {
        if (k->trackers[i] && !k->at_end[i])
            return false;
        n += k->trackers[i] != NULL;
    }
    return n > 0;
}

#ifdef WITH_AVRO
/* The message as JSON; one that cannot be read goes to the dead letters as its bytes. */
static void decode(kafka *k, const rd_kafka_message_t *m, sink_record *out)
{
    free(k->json);
    k->json = avro_event_read(&k->event, m->payload, m->len, &out->problem);
    if (!k->json)
        k->json = avro_event_bytes(m->payload, m->len);
    out->text = k->json;
    out->len = strlen(k->json);
}
#endif

static source_result take_message(kafka *k, rd_kafka_message_t *m, sink_record *out)
{
    tracker *t = m->partition >= 0 && m->partition < PARTITIONS_MAX ? k->trackers[m->partition] : NULL;
    if (!t)
        return SOURCE_IDLE; /* of a partition that went away meanwhile */
    k->at_end[m->partition] = false;
    k->text = tool_grow(k->text, &k->cap, m->len + 1, 1);
    if (m->len)
        memcpy(k->text, m->payload, m->len);
    k->text[m->len] = 0;
    *out = (sink_record){t, m->offset, m->offset + 1, 0, k->text, m->len, NULL};
#ifdef WITH_AVRO
    if (k->base.s->avro_schema && m->len)
        decode(k, m, out);
#endif
    return SOURCE_RECORD;
}

/* A member that is gone holds the others up for a session time-out; who is silent for three is not there. */
static source_result nothing_came(kafka *k, uint64_t now)
{
    const sink *s = k->base.s;
    uint64_t most_s = 3 * (uint64_t)s->session_timeout;
    char why[100];
    if (!s->until_end)
        return SOURCE_IDLE;
    if (all_at_end(k))
        return SOURCE_END;
    if (now - k->heard_us < most_s * 1000000)
        return SOURCE_IDLE;
    snprintf(why, sizeof why, "nothing was heard of it for %llu s, and the end is not known; is Kafka there?",
             (unsigned long long)most_s);
    (void)tell(s, s->topic, why);
    return SOURCE_FAILED;
}

static source_result next(source *src, sink_record *out)
{
    kafka *k = (kafka *)(void *)src;
    rd_kafka_message_t *m = rd_kafka_consumer_poll(k->rk, 0);
    source_result r = SOURCE_IDLE;
    uint64_t now = app_ticks_us();
    if (now - k->asked_us > PAUSE_US || (m && (!m->err || m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)))
        k->heard_us = now;
    k->asked_us = now;
    if (!m)
        return nothing_came(k, now);
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        r = take_message(k, m, out);
    } else if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (m->partition >= 0 && m->partition < PARTITIONS_MAX)
            k->at_end[m->partition] = true;
    } else if (m->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
               m->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
               m->err == RD_KAFKA_RESP_ERR__FATAL) {
        (void)tell(src->s, src->s->topic, rd_kafka_message_errstr(m));
        r = SOURCE_FAILED;
    } else {
        (void)tell(src->s, "trouble, going on", rd_kafka_message_errstr(m));
    }
    rd_kafka_message_destroy(m);
    return r;
}

/* Kafka's client has threads of its own; the session is turned in between. */
static void wait(source *src, int ms)
{
    (void)cql_session_drive(src->s->app.s, ms < POLL_MS ? ms : POLL_MS);
}

/* --- where it stands ------------------------------------------------------------------------------- */

/* Of one partition: committed (-1: nothing) and end. */
static bool ask_partition(kafka *k, int32_t partition, int64_t *current, int64_t *end)
{
    const sink *s = k->base.s;
    int64_t low = 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, s->topic, partition);
    rd_kafka_resp_err_t err = rd_kafka_committed(k->rk, list, WAIT_MS);
    *current = list->elems[0].offset < 0 ? -1 : list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    if (!err)
        err = rd_kafka_query_watermark_offsets(k->rk, s->topic, partition, &low, end, WAIT_MS);
    return err ? tell(s, s->topic, rd_kafka_err2str(err)) : true;
}

static int32_t partition_count(kafka *k)
{
    const struct rd_kafka_metadata *meta = NULL;
    const sink *s = k->base.s;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(k->rk, s->topic, NULL);
    int32_t n = 0;
    rd_kafka_resp_err_t err = rd_kafka_metadata(k->rk, 0, topic, &meta, WAIT_MS);
    if (!err && meta->topic_cnt == 1 && !meta->topics[0].err)
        n = meta->topics[0].partition_cnt;
    else
        (void)tell(s, s->topic, rd_kafka_err2str(err ? err : meta->topics[0].err));
    if (meta)
        rd_kafka_metadata_destroy(meta);
    rd_kafka_topic_destroy(topic);
    return n;
}

/* Summed over the partitions; nothing consumed of any of them: -1. */
static bool position(source *src, int64_t *current, int64_t *end)
{
    kafka *k = (kafka *)(void *)src;
    int32_t n = partition_count(k);
    *current = -1;
    *end = 0;
    for (int32_t i = 0; i < n; i++) {
        int64_t c, e;
        if (!ask_partition(k, i, &c, &e))
            return false;
        if (c >= 0)
            *current = (*current < 0 ? 0 : *current) + c;
        *end += e;
    }
    return n > 0;
}

static void close_kafka(source *src)
{
    kafka *k = (kafka *)(void *)src;
    (void)rd_kafka_consumer_close(k->rk); /* gives the partitions back */
    rd_kafka_destroy(k->rk);
    for (size_t i = 0; i < PARTITIONS_MAX; i++)
        free(k->trackers[i]);
#ifdef WITH_AVRO
    avro_event_free(&k->event);
    free(k->json);
#endif
    free(k->text);
    free(k);
}

static bool set(rd_kafka_conf_t *conf, const sink *s, const char *name, const char *value)
{
    char why[300];
    return rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK ||
           tell(s, name, why);
}

static bool subscribe(kafka *k)
{
    const sink *s = k->base.s;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, s->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t err = rd_kafka_subscribe(k->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return err ? tell(s, s->topic, rd_kafka_err2str(err)) : true;
}

source *kafka_open(sink *s, bool only_look)
{
    static const source_ops ops = {next, wait, save, position, close_kafka};
    char why[300], timeout_ms[24];
    kafka *k = tool_alloc(1, sizeof *k);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    k->base = (source){&ops, s};
#ifdef WITH_AVRO
    avro_event_limit_memory();
    if (s->avro_schema && !avro_event_open(&k->event, s->avro_schema, s->app.name)) {
        avro_event_free(&k->event);
        free(k);
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
#endif
    snprintf(timeout_ms, sizeof timeout_ms, "%llu", (unsigned long long)s->session_timeout * 1000);
    bool fine = set(conf, s, "bootstrap.servers", s->broker) &&
                set(conf, s, "group.id", s->group_id) &&
                set(conf, s, "session.timeout.ms", timeout_ms) &&
                set(conf, s, "enable.auto.commit", "false") &&
                set(conf, s, "auto.offset.reset", "earliest") &&
                set(conf, s, "enable.partition.eof", "true");
    rd_kafka_conf_set_opaque(conf, k);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    k->rk = fine ? rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why) : NULL;
    if (!k->rk) {
        rd_kafka_conf_destroy(conf);
        if (fine)
            (void)tell(s, "no client", why);
        free(k);
        return NULL;
    }
    (void)rd_kafka_poll_set_consumer(k->rk);
    if (only_look || subscribe(k))
        return &k->base;
    close_kafka(&k->base);
    return NULL;
}
