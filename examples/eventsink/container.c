/* Records from an Avro object container: a file with its schema in it. A record's number, from 0, is the
 * offset; what is done is kept as for lines. */
#include "eventsink/sink.h"

#include "common/memory.h"
#include "eventsink/avro.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_MAX = 1 << 20 };
static const char magic[4] = {'O', 'b', 'j', 1};

typedef struct container {
    source base;
    tracker tracker;
    avro_file_reader_t reader;
    avro_event event;
    char *text;
    int64_t record;
    bool ended; /* Avro's reader cannot be asked again then */
} container;

bool container_is(const char *path)
{
    char first[sizeof magic];
    FILE *f = strcmp(path, "-") == 0 ? NULL : fopen(path, "r");
    bool found = f && fread(first, 1, sizeof first, f) == sizeof first &&
                 memcmp(first, magic, sizeof magic) == 0;
    if (f)
        fclose(f);
    return found;
}

/* The schema's text stands behind its name and its length; Avro's reader does not give it away whole. */
static const char *problem_of_head(const char *head, size_t len)
{
    static const char name[] = "avro.schema";
    const char *at = head, *end = head + len;
    uint64_t size = 0;
    unsigned shift = 0;
    while ((size_t)(end - at) >= sizeof name && memcmp(at, name, sizeof name - 1) != 0)
        at++;
    if ((size_t)(end - at) < sizeof name)
        return "no schema is found in it";
    for (at += sizeof name - 1; at < end && shift < 63; shift += 7) {
        size |= (uint64_t)(*at & 0x7f) << shift;
        if (!(*at++ & 0x80))
            break;
    }
    size >>= 1; /* of the signed numbers of Avro, one that is not negative */
    if (size > (uint64_t)(end - at))
        return "its schema is too large";
    return avro_event_schema_problem(at, (size_t)size);
}

static const char *problem_of(const char *path)
{
    FILE *f = fopen(path, "r");
    char *head = tool_alloc(HEAD_MAX, 1);
    const char *why = f ? problem_of_head(head, fread(head, 1, HEAD_MAX, f)) : strerror(errno);
    if (f)
        fclose(f);
    free(head);
    return why;
}

/* 1 a record, 0 the end, -1 trouble. */
static int read_one(container *c)
{
    if (c->ended)
        return 0;
    if (avro_value_reset(&c->event.value))
        return -1;
    int code = avro_file_reader_read_value(c->reader, &c->event.value);
    c->ended = code == EOF;
    return code == 0 ? 1 : c->ended ? 0 : -1;
}

static bool tell(const container *c)
{
    tool_remark(c->base.s->app.name, "%s, record %lld: %s", c->base.s->path, (long long)c->record,
                avro_strerror());
    return false;
}

static source_result next(source *src, sink_record *out)
{
    container *c = (container *)(void *)src;
    const char *why = NULL;
    int got = read_one(c);
    if (got <= 0) {
        if (got < 0)
            (void)tell(c);
        return got < 0 ? SOURCE_FAILED : SOURCE_END;
    }
    free(c->text);
    c->text = avro_event_json(&c->event, &why);
    if (!c->text)
        c->text = tool_copy("");
    *out = (sink_record){&c->tracker, c->record, c->record + 1, 0, c->text, strlen(c->text), why};
    c->record++;
    return SOURCE_RECORD;
}

static void wait(source *src, int ms)
{
    (void)cql_session_drive(src->s->app.s, ms);
}

static bool save(source *src, bool last)
{
    (void)last;
    return checkpoint_save(src->s, &((container *)(void *)src)->tracker);
}

/* Counts what is left; nothing is read afterwards. */
static bool position(source *src, int64_t *current, int64_t *end)
{
    container *c = (container *)(void *)src;
    int64_t bytes;
    int got;
    *current = c->tracker.next;
    if (*current < 0 && !checkpoint_load(src->s, current, &bytes))
        *current = -1;
    while ((got = read_one(c)) > 0)
        c->record++;
    *end = c->record;
    return got == 0 || tell(c);
}

static void close_container(source *src)
{
    container *c = (container *)(void *)src;
    avro_event_free(&c->event);
    if (c->reader)
        avro_file_reader_close(c->reader);
    free(c->text);
    free(c);
}

/* Goes on where the checkpoint says. */
static bool skip_done(container *c)
{
    sink *s = c->base.s;
    int64_t done = 0, bytes = 0;
    int got = 1;
    tracker_init(&c->tracker, s, 0, -1, 0);
    if (s->reset || !checkpoint_load(s, &done, &bytes))
        return true;
    tracker_init(&c->tracker, s, 0, done, 0);
    while (c->record < done && (got = read_one(c)) > 0)
        c->record++;
    if (got < 0)
        return tell(c);
    if (got == 0)
        tool_remark(s->app.name,
                    "%s is shorter than what was already done of it (%lld records): another file? "
                    "--reset begins anew",
                    s->path, (long long)done);
    return got != 0;
}

source *container_open(sink *s)
{
    static const source_ops ops = {next, wait, save, position, close_container};
    const char *why = problem_of(s->path);
    container *c = tool_alloc(1, sizeof *c);
    c->base = (source){&ops, s};
    avro_event_limit_memory();
    if (!why && avro_file_reader(s->path, &c->reader))
        why = avro_strerror();
    if (!why && !avro_event_take(&c->event, avro_file_reader_get_writer_schema(c->reader)))
        why = avro_strerror();
    if (why)
        tool_remark(s->app.name, "%s: %s", s->path, why);
    if (!why && skip_done(c))
        return &c->base;
    close_container(&c->base);
    return NULL;
}
