/* The outbox on a played session with a clock and a disk of the test's: what is sent when, in which order,
 * what is repeated, what is refused, and that nothing is kept. */
#include "unit.h"
#include "simdisk.h"

#include "base/alloc.h"
#include "base/error.h"
#include "outbox/core.h"

#include <errno.h>
#include <stdio.h>

enum { SENT_MAX = 4096, SMALL = 4096 };

typedef struct scene {
    failmalloc f;
    simdisk disk;
    cql_outbox *o;
    cql_outbox *made; /* also once the program has freed it */
    uint64_t now;
    int64_t epoch_us;
    uint64_t timer_at; /* UINT64_MAX: not set */
    cqlox_place *sent[SENT_MAX];
    int32_t number[SENT_MAX]; /* of the statement, by its value */
    int64_t time[SENT_MAX];
    size_t count;
    size_t answered;
    cql_status refuse; /* what send says */
    int version;
    bool ended;
    size_t told, told_refused, rooms, flushed;
    uint64_t last_told;
    cql_status flush_status;
    cql_status answer_all; /* of turns */
    bool free_in_told;
    bool add_in_told;
} scene;

/* --- the played session ---------------------------------------------------------------------------- */

static cql_status play_send(void *self, cqlox_place *p)
{
    scene *s = self;
    cqlox_values it;
    cql_value v;
    if (s->refuse)
        return s->refuse;
    assert_true(s->count < SENT_MAX);
    cqlox_values_init(&it, &p->st);
    assert_true(cqlox_values_next(&it, &v));
    assert_int_equal(cql_value_as_int32(&v, &s->number[s->count]), CQL_OK);
    s->time[s->count] = p->st.timestamp_us;
    s->sent[s->count++] = p;
    return CQL_OK;
}

static int play_version(void *self)
{
    return ((scene *)self)->version;
}

static uint64_t play_now(void *self)
{
    return ((scene *)self)->now;
}

static int64_t play_epoch(void *self)
{
    return ((scene *)self)->epoch_us;
}

static void play_timer(void *self, int ms)
{
    scene *s = self;
    s->timer_at = s->now + (unsigned)ms;
}

static void play_end(void *self)
{
    scene *s = self;
    s->ended = true;
    cqlox_destroy(s->made);
}

static cql_status play_may_wait(void *self)
{
    (void)self;
    return CQL_OK;
}

static void answer(scene *s, size_t i, cql_status st)
{
    cqlox_place *p = s->sent[i];
    cql_error *err = st ? cql_error_make(NULL, st, NULL, "played") : NULL;
    assert_non_null(p);
    s->sent[i] = NULL;
    s->answered++;
    cqlox_on_answer(p, err);
    cql_error_unref(err);
}

static void on_time(scene *s)
{
    s->now = s->timer_at > s->now ? s->timer_at : s->now;
    s->timer_at = UINT64_MAX;
    cqlseat_on_timer(&s->o->seat);
}

/* A turn: the oldest answer, else time passes to the timer, at most ms. */
static cql_status play_turn(void *self, int ms)
{
    scene *s = self;
    if (s->answered < s->count)
        answer(s, s->answered, s->answer_all);
    else if (s->timer_at <= s->now + (unsigned)ms)
        on_time(s);
    else
        s->now += (unsigned)ms;
    return CQL_OK;
}

static void advance(scene *s, uint64_t ms)
{
    uint64_t end = s->now + ms;
    while (s->timer_at <= end && !s->ended)
        on_time(s);
    s->now = end;
}

/* --- the program ----------------------------------------------------------------------------------- */

static cql_status add(scene *s, int32_t i)
{
    return cql_outbox_add(s->o, "INSERT INTO t (a, b) VALUES (?, 'and some text')",
                          CQL_VALUES(cql_value_int32(i)), NULL, NULL);
}

static scene *current;

static void on_sent(void *user, const cql_outbox_sent *info)
{
    scene *s = user;
    assert_int_equal(info->seq, s->last_told + 1); /* in order, each once */
    s->last_told = info->seq;
    s->told++;
    s->told_refused += info->err != NULL;
    assert_memory_equal(info->cql.ptr, "INSERT", 6);
    if (s->add_in_told)
        assert_int_equal(add(s, 1000), CQL_OK);
    s->add_in_told = false;
    if (s->free_in_told) {
        cql_outbox_free(s->o);
        s->o = NULL;
    }
    s->free_in_told = false;
}

static void on_room(void *user)
{
    ((scene *)user)->rooms++;
}

static void on_flushed(cql_outbox *o, const cql_error *err, void *user)
{
    scene *s = user;
    (void)o;
    s->flushed++;
    s->flush_status = err ? cql_error_status(err) : CQL_OK;
}

static cql_status start_with(scene *s, const cql_outbox_options *more, cql_error **err)
{
    cqlox_port port = {.seat = {.self = s,
                                .al = &s->f.al,
                                .now_ms = play_now,
                                .epoch_us = play_epoch,
                                .timer = play_timer,
                                .end = play_end,
                                .may_wait = play_may_wait,
                                .driven = true,
                                .turn = play_turn},
                       .files = &s->disk.fs,
                       .send = play_send,
                       .version = play_version};
    cql_outbox_options o = *more;
    o.size = sizeof o;
    o.path = o.path ? o.path : "box";
    o.on_sent = on_sent;
    o.on_room = on_room;
    o.user = s;
    s->timer_at = UINT64_MAX;
    s->ended = false;
    s->last_told = 0;
    s->count = s->answered = 0;
    cql_status st = cqlox_new(&port, &o, &s->o, err);
    s->made = s->o;
    if (st == CQL_OK)
        s->last_told = s->o->store.first_seq - 1;
    return st;
}

static scene *begin(void)
{
    scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    failmalloc_init(&s->f);
    simdisk_init(&s->disk);
    s->now = 1000000;
    s->epoch_us = 5000000;
    s->version = 5;
    current = s;
    return s;
}

static void open_box(scene *s, const cql_outbox_options *more)
{
    cql_error *err = NULL;
    if (start_with(s, more, &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
}

static void close_box(scene *s)
{
    cql_outbox_free(s->o);
    s->o = NULL;
    while (s->answered < s->count)
        answer(s, s->answered, CQL_CANCELLED);
    assert_true(s->ended);
}

static void end(scene *s)
{
    if (s->o)
        close_box(s);
    simdisk_fini(&s->disk);
    assert_int_equal(atomic_load(&s->f.live), 0);
    free(s);
}

static cql_outbox_stats stats(scene *s)
{
    cql_outbox_stats st;
    cql_outbox_read_stats(s->o, &st);
    return st;
}

static const cql_outbox_options standard;

/* --- order ----------------------------------------------------------------------------------------- */

static void one_is_sent_after_the_other(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &standard);
    for (int32_t i = 0; i < 10; i++)
        assert_int_equal(add(s, i), CQL_OK);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(s->count, i + 1); /* never two under way */
        assert_int_equal(s->number[i], (int32_t)i);
        answer(s, i, CQL_OK);
    }
    assert_int_equal(s->count, 10);
    assert_int_equal(s->told, 10);
    assert_int_equal(stats(s).held, 0);
    assert_int_equal(stats(s).sent, 10);
    end(s);
}

static void a_window_is_under_way_and_told_in_order(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &(cql_outbox_options){.window = 4});
    for (int32_t i = 0; i < 10; i++)
        assert_int_equal(add(s, i), CQL_OK);
    assert_int_equal(s->count, 4);
    answer(s, 3, CQL_OK);
    answer(s, 1, CQL_OK);
    assert_int_equal(s->told, 0); /* the first has not ended */
    assert_int_equal(s->count, 4);
    answer(s, 0, CQL_OK);
    assert_int_equal(s->told, 2);
    assert_int_equal(s->count, 6);
    answer(s, 2, CQL_OK);
    assert_int_equal(s->told, 4);
    assert_int_equal(s->count, 8);
    for (size_t i = 4; i < 10; i++)
        answer(s, i, CQL_OK);
    assert_int_equal(s->told, 10);
    for (int32_t i = 0; i < 10; i++)
        assert_int_equal(s->number[i], i);
    end(s);
}

static void the_widest_window_has_its_places(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &(cql_outbox_options){.window = 32});
    for (int32_t i = 0; i < 500; i++) {
        assert_int_equal(add(s, i), CQL_OK);
        s->add_in_told = i == 250;
        if (i >= 31)
            answer(s, (size_t)i - 31, CQL_OK);
    }
    while (s->answered < s->count)
        answer(s, s->answered, CQL_OK);
    assert_int_equal(s->told, 501);
    end(s);
}

static void write_times_rise_whatever_the_clock_does(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &standard);
    for (int32_t i = 0; i < 5; i++) {
        assert_int_equal(add(s, i), CQL_OK);
        s->epoch_us -= 1000;
        answer(s, (size_t)i, CQL_OK);
        assert_int_equal(s->time[i], 5000000 + i);
    }
    close_box(s);
    open_box(s, &standard); /* after a restart too */
    assert_int_equal(add(s, 5), CQL_OK);
    assert_int_equal(s->time[0], 5000005);
    cql_outbox_entry more = {.size = sizeof more, .timestamp_us = 77, .consistency = CQL_CONSISTENCY_ONE,
                             .keyspace = "ks"};
    uint64_t seq = 0;
    answer(s, 0, CQL_OK);
    assert_int_equal(cql_outbox_add(s->o, "INSERT ?", CQL_VALUES(cql_value_int32(1)), &more, &seq), CQL_OK);
    assert_int_equal(seq, 7);
    assert_int_equal(s->time[1], 77);
    assert_int_equal(s->sent[1]->st.consistency, CQL_CONSISTENCY_ONE);
    assert_string_equal(s->sent[1]->st.keyspace, "ks");
    end(s);
}

static void a_write_time_at_the_end_of_all_is_the_last(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &standard);
    cql_outbox_entry more = {.size = sizeof more, .timestamp_us = INT64_MAX};
    assert_int_equal(cql_outbox_add(s->o, "INSERT ?", CQL_VALUES(cql_value_int32(0)), &more, NULL), CQL_OK);
    answer(s, 0, CQL_OK);
    assert_int_equal(add(s, 1), CQL_OK);
    assert_true(s->time[1] == INT64_MAX);
    end(s);
}

/* --- failures -------------------------------------------------------------------------------------- */

static void what_fails_is_sent_again_with_longer_pauses(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &(cql_outbox_options){.retry_ms = 100, .retry_max_ms = 500});
    static const uint64_t pauses[] = {100, 200, 400, 500, 500};
    static const cql_status passing[] = {CQL_NO_HOST, CQL_TIMEOUT, CQL_SERVER_UNAVAILABLE, CQL_CLOSED,
                                         CQL_SERVER_WRITE_TIMEOUT};
    assert_int_equal(add(s, 1), CQL_OK);
    for (size_t i = 0; i < CQL_COUNT(pauses); i++) {
        assert_int_equal(s->count, i + 1);
        answer(s, i, passing[i]);
        cql_error *why = cql_outbox_error(s->o);
        assert_int_equal(cql_error_status(why), passing[i]);
        cql_error_unref(why);
        advance(s, pauses[i] - 1);
        assert_int_equal(s->count, i + 1);
        advance(s, 1);
        assert_int_equal(s->time[i], s->time[0]); /* with the time of the first try */
    }
    answer(s, 5, CQL_OK);
    assert_null(cql_outbox_error(s->o));
    assert_int_equal(stats(s).repeated, 5);
    assert_int_equal(add(s, 2), CQL_OK);
    answer(s, 6, CQL_NO_HOST);
    advance(s, 100); /* short again */
    assert_int_equal(s->count, 8);
    end(s);
}

static void failures_of_one_wave_make_one_pause(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &(cql_outbox_options){.window = 8, .retry_ms = 100, .retry_max_ms = 10000});
    for (int32_t i = 0; i < 8; i++)
        assert_int_equal(add(s, i), CQL_OK);
    for (size_t i = 0; i < 8; i++)
        answer(s, i, CQL_CLOSED);
    assert_int_equal(s->count, 8);
    advance(s, 100);
    assert_int_equal(s->count, 16);
    for (int32_t i = 0; i < 8; i++)
        assert_int_equal(s->number[8 + i], i);
    end(s);
}

static void a_session_that_is_not_there_is_waited_for(void **state)
{
    (void)state;
    scene *s = begin();
    s->refuse = CQL_BAD_STATE;
    open_box(s, &standard);
    assert_int_equal(add(s, 1), CQL_OK);
    advance(s, 60000);
    assert_int_equal(s->count, 0);
    s->refuse = CQL_WOULD_BLOCK;
    advance(s, 60000);
    assert_int_equal(s->count, 0);
    s->refuse = CQL_OK;
    advance(s, 5000);
    assert_int_equal(s->count, 1);
    end(s);
}

static void what_is_refused_goes_into_its_file(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &standard);
    for (int32_t i = 0; i < 4; i++)
        assert_int_equal(add(s, i), CQL_OK);
    answer(s, 0, CQL_OK);
    answer(s, 1, CQL_SERVER_INVALID);
    answer(s, 2, CQL_SERVER_SYNTAX_ERROR);
    answer(s, 3, CQL_OK);
    assert_int_equal(s->told, 4);
    assert_int_equal(s->told_refused, 2);
    assert_int_equal(stats(s).refused, 2);
    assert_int_equal(stats(s).held, 0);
    close_box(s);
    open_box(s, &(cql_outbox_options){.path = "box.refused"}); /* an outbox of its own */
    assert_int_equal(stats(s).found, 2);
    advance(s, 0);
    cqlseat_on_timer(&s->o->seat);
    assert_int_equal(s->number[0], 1);
    answer(s, 0, CQL_OK);
    assert_int_equal(s->number[1], 2);
    answer(s, 1, CQL_OK);
    end(s);
}

static void a_failure_of_the_server_is_for_good_after_some_tries(void **state)
{
    static const cql_status unsure[] = {CQL_SERVER_ERROR, CQL_SERVER_PROTOCOL_ERROR,
                                        CQL_SERVER_WRITE_FAILURE};
    (void)state;
    for (size_t k = 0; k < CQL_COUNT(unsure); k++) {
        scene *s = begin();
        open_box(s, &standard);
        assert_int_equal(add(s, 1), CQL_OK);
        for (size_t i = 0; i < CQLOX_UNSURE_TRIES; i++) {
            assert_int_equal(s->told, 0);
            answer(s, i, unsure[k]);
            advance(s, 5000);
        }
        assert_int_equal(s->told_refused, 1);
        assert_int_equal(s->count, CQLOX_UNSURE_TRIES);
        end(s);
    }
}

/* send itself may refuse; then it is told by the timer, not inside the call that adds. */
static void what_cannot_be_bound_is_refused_too(void **state)
{
    (void)state;
    scene *s = begin();
    s->refuse = CQL_TYPE_MISMATCH;
    open_box(s, &standard);
    assert_int_equal(add(s, 1), CQL_OK);
    assert_int_equal(s->told, 0);
    advance(s, 0);
    assert_int_equal(s->told_refused, 1);
    end(s);
}

static void a_refused_statement_that_cannot_be_kept_stays(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &standard);
    simdisk_put(&s->disk, "box.refused.lock", "", 0);
    int held = s->disk.fs.open(&s->disk, "box.refused.lock", CQLOX_EXISTING);
    assert_int_equal(s->disk.fs.lock(&s->disk, held), 0);
    assert_int_equal(add(s, 1), CQL_OK);
    answer(s, 0, CQL_SERVER_INVALID);
    assert_int_equal(s->told, 0);
    cql_error *why = cql_outbox_error(s->o);
    assert_string_equal(cql_error_text(why),
                        "cannot keep a refused statement: box.refused is in use by another outbox");
    cql_error_unref(why);
    s->disk.fs.close(&s->disk, held);
    advance(s, 200);
    answer(s, 1, CQL_SERVER_INVALID);
    assert_int_equal(s->told_refused, 1);
    end(s);
}

static unsigned refused_opened;
static int (*sim_open)(void *self, const char *path, cqlox_how how);

static int count_refused(void *self, const char *path, cqlox_how how)
{
    refused_opened += strcmp(path, "box.refused") == 0;
    return sim_open(self, path, how);
}

/* Opening it reads all of it: once for a whole wave, and nobody is kept from it when the wave is over. */
static void the_file_of_the_refused_is_opened_once(void **state)
{
    (void)state;
    cqlox_store other;
    scene *s = begin();
    sim_open = s->disk.fs.open;
    s->disk.fs.open = count_refused;
    refused_opened = 0;
    open_box(s, &(cql_outbox_options){.window = 4});
    for (int32_t i = 0; i < 50; i++)
        assert_int_equal(add(s, i), CQL_OK);
    for (size_t i = 0; i < 45; i++)
        answer(s, i, i % 3 ? CQL_SERVER_INVALID : CQL_OK);
    assert_int_equal(refused_opened, 1);
    answer(s, 45, CQL_NO_HOST); /* a pause */
    assert_int_equal(cqlox_store_open(&other, &s->disk.fs, &s->f.al, "box.refused", SMALL), CQL_OK);
    assert_int_equal(cqlox_store_count(&other), 30);
    cqlox_store_close(&other);
    while (s->told < 50) {
        advance(s, 5000);
        while (s->answered < s->count)
            answer(s, s->answered, CQL_SERVER_INVALID);
    }
    assert_int_equal(cqlox_store_open(&other, &s->disk.fs, &s->f.al, "box.refused", SMALL), CQL_OK);
    assert_int_equal(cqlox_store_count(&other), 35);
    cqlox_store_close(&other);
    end(s);
}

/* --- restarts -------------------------------------------------------------------------------------- */

static void a_restart_goes_on_where_it_was(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &(cql_outbox_options){.window = 3});
    for (int32_t i = 0; i < 10; i++)
        assert_int_equal(add(s, i), CQL_OK);
    answer(s, 0, CQL_OK);
    answer(s, 2, CQL_OK); /* behind one that has not ended: it will be sent again */
    cql_outbox_free(s->o);
    simdisk_restart(&s->disk, SIMDISK_KEEP_ALL, 0);
    while (s->answered < s->count)
        if (s->sent[s->answered])
            answer(s, s->answered, CQL_OK); /* too late to count */
        else
            s->answered++;
    s->answered = s->count;
    for (size_t i = 0; i < s->count; i++)
        if (s->sent[i])
            answer(s, i, CQL_OK);
    assert_true(s->ended);
    s->told = 0;
    open_box(s, &standard);
    assert_int_equal(stats(s).found, 9);
    cqlseat_on_timer(&s->o->seat);
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(s->number[i], (int32_t)i + 1);
        answer(s, i, CQL_OK);
    }
    assert_int_equal(s->told, 9);
    end(s);
}

static void damage_is_reported(void **state)
{
    (void)state;
    scene *s = begin();
    uint64_t bytes = 1;
    open_box(s, &standard);
    s->refuse = CQL_BAD_STATE;
    for (int32_t i = 0; i < 3; i++)
        assert_int_equal(add(s, i), CQL_OK);
    assert_null(cql_outbox_damage(s->o, &bytes));
    assert_int_equal(bytes, 0);
    close_box(s);
    const simbytes *file = simdisk_file(&s->disk, "box");
    file->ptr[file->len - 3] ^= 4;
    open_box(s, &standard);
    assert_string_equal(cql_outbox_damage(s->o, &bytes), "box.damaged-1");
    assert_true(bytes > 50);
    assert_int_equal(stats(s).found, 2);
    end(s);
}

/* --- limits ---------------------------------------------------------------------------------------- */

static void a_full_file_says_so_and_tells_of_room(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &(cql_outbox_options){.max_bytes = SMALL});
    int32_t taken = 0;
    while (add(s, taken) == CQL_OK)
        taken++;
    assert_int_equal(add(s, taken), CQL_WOULD_BLOCK);
    assert_true(stats(s).file_bytes <= SMALL);
    assert_int_equal(s->rooms, 0);
    answer(s, 0, CQL_OK);
    assert_int_equal(s->rooms, 1);
    assert_int_equal(add(s, taken), CQL_OK);
    answer(s, 1, CQL_OK);
    assert_int_equal(s->rooms, 1); /* nobody was turned away since */
    cql_error *err = NULL;
    for (int32_t i = 0; i < 200; i++)
        assert_int_equal(cql_outbox_add_wait(s->o, "INSERT INTO t (a, b) VALUES (?, 'and some text')",
                                             CQL_VALUES(cql_value_int32(taken + 1 + i)), NULL, NULL, &err),
                         CQL_OK);
    assert_int_equal(cql_outbox_flush_wait(s->o, 0, &err), CQL_OK);
    for (int32_t i = 0; i < taken + 201; i++)
        assert_int_equal(s->number[i], i);
    assert_true(stats(s).compactions > 2);
    static char big[SMALL];
    assert_int_equal(cql_outbox_add_wait(s->o, "INSERT ?", CQL_VALUES(cql_value_blob(big, sizeof big)), NULL,
                                         NULL, &err),
                     CQL_TOO_LARGE);
    cql_error_unref(err);
    end(s);
}

static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    scene *s = begin();
    cql_error *err = NULL;
    static const cql_outbox_options bad[] = {
        {.path = "", .size = 1},
        {.max_bytes = 4095},
        {.sync = (cql_outbox_sync_rule)3},
        {.window = 33},
        {.consistency = CQL_CONSISTENCY_SERIAL},
        {.consistency = -1},
    };
    static const char *const names[] = {"path", "max_bytes", "sync", "window", "consistency", "consistency"};
    for (size_t i = 0; i < CQL_COUNT(bad); i++) {
        assert_int_equal(start_with(s, &bad[i], &err), CQL_BAD_ARGUMENT);
        assert_non_null(strstr(cql_error_text(err), names[i]));
        assert_null(s->o);
    }
    cql_error_unref(err);
    assert_int_equal(cqlox_new(&(cqlox_port){.seat.al = &s->f.al}, NULL, &s->o, NULL), CQL_BAD_ARGUMENT);
    open_box(s, &standard);
    cql_value none = cql_value_null();
    none.state = CQL_VALUE_UNBOUND;
    cql_outbox_entry more = {.size = sizeof more, .consistency = CQL_CONSISTENCY_LOCAL_SERIAL};
    cql_values v = CQL_VALUES(none);
    assert_int_equal(cql_outbox_add(s->o, "INSERT ?", v, NULL, NULL), CQL_UNBOUND);
    assert_int_equal(cql_outbox_add(s->o, "", v, NULL, NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_outbox_add(s->o, "INSERT", (cql_values){NULL, 1}, NULL, NULL), CQL_BAD_ARGUMENT);
    v = (cql_values){NULL, 0};
    assert_int_equal(cql_outbox_add(s->o, "INSERT", v, &more, NULL), CQL_BAD_ARGUMENT);
    more = (cql_outbox_entry){.size = 4};
    assert_int_equal(cql_outbox_add(s->o, "INSERT", v, &more, NULL), CQL_BAD_ARGUMENT);
    more = (cql_outbox_entry){.size = sizeof more, .keyspace = "ks"};
    s->version = 4;
    assert_int_equal(cql_outbox_add(s->o, "INSERT", v, &more, NULL), CQL_UNSUPPORTED);
    assert_int_equal(cql_outbox_add(NULL, "INSERT", v, NULL, NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_outbox_flush(s->o, NULL, NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(cql_outbox_sync(NULL), CQL_BAD_ARGUMENT);
    assert_int_equal(stats(s).held, 0);
    end(s);
}

static void a_disk_that_is_full_is_told(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &standard);
    s->disk.fail_at = s->disk.ops + 1;
    s->disk.fail_with = ENOSPC;
    assert_int_equal(add(s, 1), CQL_SYSTEM);
    cql_error *why = cql_outbox_error(s->o);
    assert_string_equal(cql_error_text(why), "cannot write box: No space left on device");
    cql_error_unref(why);
    assert_int_equal(add(s, 2), CQL_OK); /* there is room again */
    assert_int_equal(s->number[0], 2);
    end(s);
}

/* The text of the statement with this number, from 1, becomes another while the outbox has the file. */
static void spoil(scene *s, unsigned number)
{
    const simbytes *file = simdisk_file(&s->disk, "box");
    size_t at = 0;
    for (; number; at++)
        number -= memcmp(file->ptr + at, "INSERT", 6) == 0;
    file->ptr[at] = '!';
}

static void a_file_that_was_changed_ends_with_what_was_read(void **state)
{
    (void)state;
    scene *s = begin();
    cql_error *err = NULL;
    open_box(s, &(cql_outbox_options){.window = 4, .retry_ms = 100});
    for (int32_t i = 0; i < 6; i++)
        assert_int_equal(add(s, i), CQL_OK);
    spoil(s, 5);
    answer(s, 0, CQL_OK);
    answer(s, 1, CQL_OK);
    answer(s, 2, CQL_NO_HOST);
    answer(s, 3, CQL_OK);
    assert_int_equal(s->told, 2); /* each once */
    advance(s, 100);
    assert_int_equal(s->count, 5);
    answer(s, 4, CQL_OK);
    assert_int_equal(s->told, 4);
    assert_int_equal(stats(s).sent, 4);
    assert_int_equal(stats(s).held, 2);
    assert_int_equal(add(s, 6), CQL_SYSTEM);
    assert_int_equal(cql_outbox_flush_wait(s->o, 0, &err), CQL_SYSTEM);
    assert_non_null(strstr(cql_error_text(err), "was changed while it was in use"));
    cql_error_unref(err);
    end(s);
}

static void nobody_waits_for_room_in_a_file_that_was_changed(void **state)
{
    (void)state;
    static char big[SMALL / 2];
    scene *s = begin();
    open_box(s, &(cql_outbox_options){.max_bytes = SMALL});
    for (int32_t i = 0; add(s, i) == CQL_OK; i++)
        continue;
    cql_values v = CQL_VALUES(cql_value_blob(big, sizeof big));
    assert_int_equal(cql_outbox_add(s->o, "INSERT ?", v, NULL, NULL), CQL_WOULD_BLOCK);
    spoil(s, 2);
    answer(s, 0, CQL_OK);
    advance(s, 1000);
    assert_int_equal(s->rooms, 1);
    assert_int_equal(cql_outbox_add(s->o, "INSERT ?", v, NULL, NULL), CQL_SYSTEM);
    end(s);
}

/* --- syncing --------------------------------------------------------------------------------------- */

static uint64_t kept(scene *s)
{
    cqlox_store st;
    simdisk_restart(&s->disk, SIMDISK_LOSE_ALL, 0);
    assert_int_equal(cqlox_store_open(&st, &s->disk.fs, &s->f.al, "box", SMALL), CQL_OK);
    uint64_t found = st.found;
    cqlox_store_close(&st);
    return found;
}

/* What is there when the machine ends without a goodbye. */
static uint64_t kept_after(cql_outbox_sync_rule rule, uint64_t ms, bool ask)
{
    scene *s = begin();
    open_box(s, &(cql_outbox_options){.sync = rule, .sync_ms = 50});
    assert_int_equal(add(s, 1), CQL_OK);
    assert_int_equal(add(s, 2), CQL_OK);
    advance(s, ms);
    if (ask)
        assert_int_equal(cql_outbox_sync(s->o), CQL_OK);
    s->disk.dead = true;
    close_box(s);
    uint64_t found = kept(s);
    end(s);
    return found;
}

static void the_rule_of_syncing_holds(void **state)
{
    (void)state;
    assert_int_equal(kept_after(CQL_OUTBOX_SYNC_EACH, 0, false), 2);
    assert_int_equal(kept_after(CQL_OUTBOX_SYNC_TIMED, 49, false), 0);
    assert_int_equal(kept_after(CQL_OUTBOX_SYNC_TIMED, 50, false), 2);
    assert_int_equal(kept_after(CQL_OUTBOX_SYNC_TIMED, 0, true), 2);
    assert_int_equal(kept_after(CQL_OUTBOX_SYNC_NONE, 100000, false), 0);
    assert_int_equal(kept_after(CQL_OUTBOX_SYNC_NONE, 0, true), 2);
}

/* --- ends ------------------------------------------------------------------------------------------ */

static void a_flush_ends_with_its_statements(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &standard);
    assert_int_equal(cql_outbox_flush(s->o, on_flushed, s), CQL_OK);
    assert_int_equal(s->flushed, 0); /* not inside the call */
    advance(s, 0);
    assert_int_equal(s->flushed, 1);
    assert_int_equal(add(s, 1), CQL_OK);
    assert_int_equal(cql_outbox_flush(s->o, on_flushed, s), CQL_OK);
    assert_int_equal(add(s, 2), CQL_OK);
    assert_int_equal(cql_outbox_flush(s->o, on_flushed, s), CQL_OK);
    answer(s, 0, CQL_OK);
    assert_int_equal(s->flushed, 2);
    assert_int_equal(s->flush_status, CQL_OK);
    cql_outbox_free(s->o);
    s->o = NULL;
    assert_int_equal(s->flushed, 3);
    assert_int_equal(s->flush_status, CQL_CANCELLED);
    assert_false(s->ended); /* one is under way */
    answer(s, 1, CQL_OK);
    assert_true(s->ended);
    assert_int_equal(s->told, 1); /* the freed one tells nothing */
    end(s);
}

static void waiting_for_a_flush_has_an_end(void **state)
{
    (void)state;
    scene *s = begin();
    cql_error *err = NULL;
    open_box(s, &standard);
    assert_int_equal(add(s, 1), CQL_OK);
    s->answer_all = CQL_NO_HOST;
    assert_int_equal(cql_outbox_flush_wait(s->o, 3000, &err), CQL_TIMEOUT);
    assert_string_equal(cql_error_text(err), "1 statements are still in the outbox after 3000 ms: played");
    s->answer_all = CQL_OK;
    assert_int_equal(cql_outbox_flush_wait(s->o, 30000, &err), CQL_OK);
    cql_error_unref(err);
    end(s);
}

static void it_may_be_freed_while_it_tells(void **state)
{
    (void)state;
    scene *s = begin();
    open_box(s, &(cql_outbox_options){.window = 3});
    for (int32_t i = 0; i < 3; i++)
        assert_int_equal(add(s, i), CQL_OK);
    s->free_in_told = true;
    answer(s, 0, CQL_OK);
    assert_null(s->o);
    answer(s, 1, CQL_OK);
    answer(s, 2, CQL_OK);
    assert_true(s->ended);
    assert_int_equal(s->told, 1);
    end(s);
}

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    for (size_t at = 1; at < 60; at++) {
        scene *s = begin();
        s->f.fail_at = at;
        cql_status st = start_with(s, &standard, NULL);
        int32_t taken = 0;
        for (int32_t i = 0; st == CQL_OK && i < 5; i++) {
            cql_status added = add(s, i);
            assert_true(added == CQL_OK || added == CQL_NO_MEMORY);
            taken += added == CQL_OK;
        }
        if (st == CQL_OK) {
            s->f.fail_at = 0;
            assert_int_equal(cql_outbox_flush_wait(s->o, 0, NULL), CQL_OK);
            assert_int_equal(s->told, taken);
        } else {
            assert_int_equal(st, CQL_NO_MEMORY);
        }
        end(s);
    }
}

static void what_is_missing_is_an_error_with_a_text(void **state)
{
    (void)state;
    cql_error *err = NULL;
    cql_outbox *o = NULL;
    assert_int_equal(cql_outbox_open(NULL, NULL, &o, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "bad argument: session or out is NULL");
    assert_int_equal(cql_outbox_flush_wait(NULL, 0, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "bad argument: the outbox is NULL");
    cql_error_unref(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_sent_after_the_other),
        cmocka_unit_test(a_window_is_under_way_and_told_in_order),
        cmocka_unit_test(the_widest_window_has_its_places),
        cmocka_unit_test(write_times_rise_whatever_the_clock_does),
        cmocka_unit_test(a_write_time_at_the_end_of_all_is_the_last),
        cmocka_unit_test(what_fails_is_sent_again_with_longer_pauses),
        cmocka_unit_test(failures_of_one_wave_make_one_pause),
        cmocka_unit_test(a_session_that_is_not_there_is_waited_for),
        cmocka_unit_test(what_is_refused_goes_into_its_file),
        cmocka_unit_test(a_failure_of_the_server_is_for_good_after_some_tries),
        cmocka_unit_test(what_cannot_be_bound_is_refused_too),
        cmocka_unit_test(a_refused_statement_that_cannot_be_kept_stays),
        cmocka_unit_test(the_file_of_the_refused_is_opened_once),
        cmocka_unit_test(a_restart_goes_on_where_it_was),
        cmocka_unit_test(damage_is_reported),
        cmocka_unit_test(a_full_file_says_so_and_tells_of_room),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(a_disk_that_is_full_is_told),
        cmocka_unit_test(a_file_that_was_changed_ends_with_what_was_read),
        cmocka_unit_test(nobody_waits_for_room_in_a_file_that_was_changed),
        cmocka_unit_test(the_rule_of_syncing_holds),
        cmocka_unit_test(a_flush_ends_with_its_statements),
        cmocka_unit_test(waiting_for_a_flush_has_an_end),
        cmocka_unit_test(it_may_be_freed_while_it_tells),
        cmocka_unit_test(memory_may_end_anywhere),
        cmocka_unit_test(what_is_missing_is_an_error_with_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
