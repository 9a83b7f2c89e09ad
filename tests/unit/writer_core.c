/* The buffered writer on a played session with a clock of the test's: what leaves when, what is repeated,
 * that every row is acknowledged once, and that nothing is kept. */
#include "unit.h"

#include "api/statement.h"
#include "base/alloc.h"
#include "base/error.h"
#include "writer/core.h"

enum { SENT_MAX = 4096, ROWS = 20000 };

typedef struct sent {
    size_t rows;
    int64_t timestamp;
    int8_t idempotent;
    cql_result_cb cb;
    void *user;
} sent;

typedef struct scene {
    failmalloc f;
    cql_writer *w;
    cql_writer *made; /* also once the program has freed it */
    uint64_t now;
    uint64_t timer_at; /* UINT64_MAX: not set */
    sent sent[SENT_MAX];
    size_t count;  /* requests so far */
    size_t answered;
    cql_status refuse; /* what send says */
    bool ended;
    size_t flushed_rows, again, rooms;
    unsigned acks[ROWS]; /* of each row */
    unsigned failed[ROWS];
    cql_status last_error;
    size_t done;
    cql_prepared *prepared;
    cql_statement *row;
    bool free_in_ack;
    bool add_in_ack;
} scene;

/* --- the played session ---------------------------------------------------------------------------- */

static cql_status play_send(void *self, const cql_batch *b, cql_result_cb cb, void *user)
{
    scene *s = self;
    if (s->refuse)
        return s->refuse;
    assert_true(s->count < SENT_MAX);
    s->sent[s->count++] = (sent){cql_batch_count(b), b->ex.timestamp, b->ex.idempotent, cb, user};
    return CQL_OK;
}

static uint64_t play_now(void *self)
{
    return ((scene *)self)->now;
}

static int64_t play_epoch(void *self)
{
    return (int64_t)((scene *)self)->now * 1000;
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
    cqlwr_destroy(s->made);
}

static cql_status play_may_wait(void *self)
{
    (void)self;
    return CQL_OK;
}

static void answer(scene *s, size_t i, cql_status st);

/* A turn: the oldest answer, else time passes to the timer. */
static cql_status play_turn(void *self, int ms)
{
    scene *s = self;
    (void)ms;
    if (s->answered < s->count) {
        answer(s, s->answered, CQL_OK);
        return CQL_OK;
    }
    if (s->timer_at == UINT64_MAX)
        return CQL_BAD_STATE;
    s->now = s->timer_at > s->now ? s->timer_at : s->now;
    s->timer_at = UINT64_MAX;
    cqlseat_on_timer(&s->w->seat);
    return CQL_OK;
}

static void answer(scene *s, size_t i, cql_status st)
{
    sent *x = &s->sent[i];
    cql_result_cb cb = x->cb;
    cql_error *err = st ? cql_error_make(NULL, st, NULL, "played") : NULL;
    assert_non_null(cb);
    x->cb = NULL;
    s->answered++;
    cb(NULL, err, NULL, x->user);
    cql_error_unref(err);
}

static void advance(scene *s, uint64_t ms)
{
    uint64_t end = s->now + ms;
    while (s->timer_at <= end) {
        s->now = s->timer_at > s->now ? s->timer_at : s->now;
        s->timer_at = UINT64_MAX;
        cqlseat_on_timer(&s->w->seat);
    }
    s->now = end;
}

/* --- the program ----------------------------------------------------------------------------------- */

static scene *current;

static void on_flushed(void *user, const cql_writer_flushed *info)
{
    scene *s = user;
    if (info->again)
        s->again++;
    else if (!info->err)
        s->flushed_rows += info->rows;
}

static void on_room(void *user)
{
    ((scene *)user)->rooms++;
}

static cql_status add(scene *s, int key, size_t row);

static void on_ack(cql_writer *w, const cql_error *err, void *user)
{
    scene *s = current;
    size_t row = (size_t)(uintptr_t)user;
    s->acks[row]++;
    if (err) {
        s->failed[row]++;
        s->last_error = cql_error_status(err);
    }
    if (s->free_in_ack) {
        s->free_in_ack = false;
        cql_writer_free(w);
    }
    if (s->add_in_ack) {
        s->add_in_ack = false;
        assert_int_equal(add(s, 99, row + 1000), CQL_OK);
    }
}

static void on_done(cql_writer *w, const cql_error *err, void *user)
{
    (void)w;
    assert_null(err);
    (*(size_t *)user)++;
}

/* Markers k bigint, c int; the first is the partition key. */
static cql_prepared *make_prepared(const cql_allocator *al, const char *pk)
{
    char text[200];
    snprintf(text, sizeof text,
             "0010 00112233445566778899aabbccddeeff 00000001 00000002 %s 0002 6b73 0001 74"
             "0001 6b 0002  0001 63 0009 00000004 00000000",
             pk);
    hex h = hex_bytes(text);
    cqln_prepared_head head;
    cqln_reader rd;
    cql_prepared *p = NULL;
    cqln_reader_init(&rd, h.data, h.len);
    assert_int_equal(cqln_decode_prepared(&rd, 4, al, &head), CQL_OK);
    assert_int_equal(cqln_prepared_new(al, cql_str_of("INSERT"), cql_str_of(""), &head, &p), CQL_OK);
    hex_free(&h);
    return p;
}

static scene *begin(const cql_writer_options *o)
{
    scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    failmalloc_init(&s->f);
    s->now = 1000;
    s->timer_at = UINT64_MAX;
    s->prepared = make_prepared(&s->f.al, "00000001 0000");
    s->row = cql_prepared_bind(s->prepared);
    assert_int_equal(cql_statement_bind_int32(s->row, 1, 7), CQL_OK);
    cqlwr_port port = {.seat = {.self = s,
                                .al = &s->f.al,
                                .now_ms = play_now,
                                .epoch_us = play_epoch,
                                .timer = play_timer,
                                .end = play_end,
                                .may_wait = play_may_wait,
                                .driven = true,
                                .turn = play_turn},
                       .send = play_send};
    cql_writer_options mine = *o;
    mine.size = sizeof mine;
    mine.user = s;
    mine.on_flushed = on_flushed;
    mine.on_room = on_room;
    assert_int_equal(cqlwr_new(&port, &mine, &s->w, NULL), CQL_OK);
    s->made = s->w;
    current = s;
    return s;
}

static void end(scene *s)
{
    if (s->w)
        cql_writer_free(s->w);
    assert_true(s->ended);
    cql_statement_free(s->row);
    cql_prepared_unref(s->prepared);
    assert_int_equal(atomic_load(&s->f.live), 0);
    free(s);
}

static cql_status add(scene *s, int key, size_t row)
{
    assert_int_equal(cql_statement_bind_int64(s->row, 0, key), CQL_OK);
    return cql_writer_add(s->w, s->row, on_ack, (void *)(uintptr_t)row);
}

static void add_rows(scene *s, int key, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(add(s, key, first + i), CQL_OK);
}

static void assert_acked(scene *s, size_t first, size_t n, unsigned failed)
{
    for (size_t i = first; i < first + n; i++) {
        assert_int_equal(s->acks[i], 1);
        assert_int_equal(s->failed[i], failed);
    }
}

/* --- grouping -------------------------------------------------------------------------------------- */

static void rows_of_a_partition_leave_together_when_there_are_enough(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 100});
    for (size_t i = 0; i < 250; i++)
        assert_int_equal(add(s, 1, i), CQL_OK);
    assert_int_equal(s->count, 2);
    assert_int_equal(s->sent[0].rows, 100);
    assert_int_equal(s->sent[1].rows, 100);
    advance(s, 4999);
    assert_int_equal(s->count, 2);
    advance(s, 2); /* flush_ms without any new row */
    assert_int_equal(s->count, 3);
    assert_int_equal(s->sent[2].rows, 50);
    for (size_t i = 3; i-- > 0;) /* answers in any order */
        answer(s, i, CQL_OK);
    assert_acked(s, 0, 250, 0);
    assert_int_equal(s->flushed_rows, 250);
    end(s);
}

static void partitions_are_not_mixed(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 3});
    for (int i = 0; i < 9; i++)
        assert_int_equal(add(s, i % 3, (size_t)i), CQL_OK);
    assert_int_equal(s->count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(s->sent[i].rows, 3);
        answer(s, i, CQL_OK);
    }
    assert_acked(s, 0, 9, 0);
    end(s);
}

static void bytes_close_a_group(void **state)
{
    (void)state;
    /* an entry: kind, id with its length, count, a bigint and an int: 1 + 18 + 2 + 12 + 8 */
    scene *s = begin(&(cql_writer_options){.group_bytes = 41 * 4});
    add_rows(s, 1, 0, 3);
    assert_int_equal(s->count, 0);
    add_rows(s, 1, 3, 1);
    assert_int_equal(s->count, 1);
    answer(s, 0, CQL_OK);
    end(s);
}

static void rows_by_themselves_leave_at_once(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.grouping = CQL_WRITER_BY_ROW, .max_in_flight = 2});
    add_rows(s, 1, 0, 5);
    assert_int_equal(s->count, 2); /* the others wait for their turn */
    assert_true(s->sent[1].timestamp > s->sent[0].timestamp); /* the later row wins */
    answer(s, 0, CQL_OK);
    assert_int_equal(s->count, 3);
    while (s->answered < s->count)
        answer(s, s->answered, CQL_OK);
    assert_acked(s, 0, 5, 0);
    end(s);
}

static void a_key_not_in_markers_is_not_grouped(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 100});
    cql_prepared *p = make_prepared(&s->f.al, "00000000");
    cql_statement *row = cql_prepared_bind(p);
    assert_int_equal(cql_statement_bind(row, CQL_VALUES(cql_value_int64(1), cql_value_int32(1)),
                                        NULL),
                     CQL_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(cql_writer_add(s->w, row, NULL, NULL), CQL_OK);
    assert_int_equal(s->count, 2);
    answer(s, 0, CQL_OK);
    answer(s, 1, CQL_OK);
    cql_statement_free(row);
    cql_prepared_unref(p);
    end(s);
}

/* --- limits ---------------------------------------------------------------------------------------- */

static void a_full_writer_says_so_and_lets_go(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.max_rows = 10});
    add_rows(s, 1, 0, 10);
    assert_int_equal(s->count, 0);
    assert_int_equal(add(s, 1, 10), CQL_WOULD_BLOCK);
    assert_int_equal(s->count, 1); /* waiting for more would be of no use */
    assert_int_equal(add(s, 1, 10), CQL_WOULD_BLOCK);
    assert_int_equal(s->rooms, 0);
    answer(s, 0, CQL_OK);
    assert_int_equal(s->rooms, 1);
    assert_int_equal(s->acks[10], 0);
    add_rows(s, 1, 10, 1);
    end(s);
}

static void bytes_are_a_limit_too(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.max_bytes = 100});
    cql_writer_stats stats;
    add_rows(s, 1, 0, 3);
    assert_int_equal(add(s, 1, 3), CQL_WOULD_BLOCK);
    cql_writer_read_stats(s->w, &stats);
    assert_int_equal(stats.rows_held, 3);
    assert_in_range(stats.bytes_held, 100, 140);
    answer(s, 0, CQL_OK);
    cql_writer_read_stats(s->w, &stats);
    assert_int_equal(stats.rows_held, 0);
    assert_int_equal(stats.bytes_held, 0);
    assert_int_equal(stats.rows_written, 3);
    end(s);
}

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 10, .max_in_flight = 4});
    size_t calls = 0;
    for (size_t round = 0; round < 60; round++) {
        if (round == 20)
            calls = atomic_load(&s->f.requests);
        for (size_t i = 0; i < 40; i++)
            assert_int_equal(add(s, (int)(i % 4), round * 40 + i), CQL_OK);
        while (s->answered < s->count)
            answer(s, s->answered, CQL_OK);
    }
    assert_int_equal(atomic_load(&s->f.requests), calls);
    assert_acked(s, 0, 2400, 0);
    end(s);
}

static void without_memory_the_row_is_not_taken(void **state)
{
    (void)state;
    size_t refused = 0;
    for (size_t n = 1; n < 12; n++) {
        scene *s = begin(&(cql_writer_options){.group_rows = 2});
        s->f.fail_at = atomic_load(&s->f.requests) + n;
        cql_status st = add(s, 1, 0);
        s->f.fail_at = 0;
        assert_true(st == CQL_OK || st == CQL_NO_MEMORY);
        refused += st == CQL_NO_MEMORY;
        add_rows(s, 1, 1, 2);
        advance(s, 6000);
        while (s->answered < s->count)
            answer(s, s->answered, CQL_OK);
        assert_int_equal(s->acks[0], st ? 0 : 1);
        assert_acked(s, 1, 2, 0);
        end(s);
    }
    assert_true(refused >= 3);
}

/* --- repeating ------------------------------------------------------------------------------------- */

static void trouble_that_passes_is_waited_out(void **state)
{
    (void)state;
    const cql_status kinds[] = {CQL_TIMEOUT,          CQL_NO_HOST,
                                CQL_CLOSED,           CQL_SERVER_UNAVAILABLE,
                                CQL_SERVER_OVERLOADED, CQL_SERVER_WRITE_TIMEOUT,
                                CQL_SERVER_IS_BOOTSTRAPPING};
    scene *s = begin(&(cql_writer_options){.group_rows = 2, .retry_ms = 100, .retry_max_ms = 400});
    add_rows(s, 1, 0, 2);
    int64_t time = s->sent[0].timestamp;
    for (size_t i = 0; i < CQL_COUNT(kinds); i++) {
        uint64_t pause = i == 0 ? 100 : i == 1 ? 200 : 400;
        answer(s, i, kinds[i]);
        assert_int_equal(s->acks[0], 0);
        advance(s, pause - 1);
        assert_int_equal(s->count, i + 1);
        advance(s, 1);
        assert_int_equal(s->count, i + 2);
        assert_int_equal(s->sent[i + 1].timestamp, time); /* a newer write must win */
    }
    answer(s, CQL_COUNT(kinds), CQL_OK);
    assert_acked(s, 0, 2, 0);
    assert_int_equal(s->again, CQL_COUNT(kinds));
    end(s);
}

static void what_is_wrong_for_good_ends_the_rows(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 2});
    add_rows(s, 1, 0, 2);
    answer(s, 0, CQL_SERVER_INVALID);
    assert_acked(s, 0, 2, 1);
    assert_int_equal(s->last_error, CQL_SERVER_INVALID);
    add_rows(s, 1, 2, 2); /* a server error may be for good: a few tries */
    for (size_t i = 1; i <= CQLWR_UNSURE_TRIES; i++) {
        answer(s, i, CQL_SERVER_ERROR);
        advance(s, 5000);
    }
    assert_int_equal(s->count, 1 + CQLWR_UNSURE_TRIES);
    assert_acked(s, 2, 2, 1);
    end(s);
}

static void rows_do_not_wait_for_ever_when_told(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 1, .give_up_ms = 1000, .retry_ms = 300});
    add_rows(s, 1, 0, 1);
    answer(s, 0, CQL_TIMEOUT);
    advance(s, 300);
    answer(s, 1, CQL_TIMEOUT);
    advance(s, 700);
    assert_int_equal(s->count, 3);
    answer(s, 2, CQL_TIMEOUT);
    assert_acked(s, 0, 1, 1);
    end(s);
}

static void a_full_queue_of_the_session_is_tried_again(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 1});
    s->refuse = CQL_WOULD_BLOCK;
    add_rows(s, 1, 0, 2);
    assert_int_equal(s->count, 0);
    s->refuse = CQL_OK;
    advance(s, 20);
    assert_int_equal(s->count, 2);
    answer(s, 0, CQL_OK);
    answer(s, 1, CQL_OK);
    assert_acked(s, 0, 2, 0);
    end(s);
}

static void a_closed_session_ends_the_rows_later(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 1});
    s->refuse = CQL_BAD_STATE;
    add_rows(s, 1, 0, 1);
    assert_int_equal(s->acks[0], 0); /* never from inside the call */
    advance(s, 1);
    assert_acked(s, 0, 1, 1);
    assert_int_equal(s->last_error, CQL_BAD_STATE);
    end(s);
}

static void a_row_that_may_not_be_repeated_is_not(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 1, .not_idempotent = true});
    add_rows(s, 1, 0, 1);
    cqln_error_info info = {.status = CQL_TIMEOUT, .maybe_applied = true};
    cql_error *err = cqln_error_make(cqln_alloc_default(), &info, NULL, 0, "played");
    sent *x = &s->sent[0];
    assert_int_equal(x->idempotent, CQLN_IDEMPOTENT_NO); /* whatever the option of the session is */
    cql_result_cb cb = x->cb;
    x->cb = NULL;
    s->answered++;
    cb(NULL, err, NULL, x->user);
    cql_error_unref(err);
    assert_acked(s, 0, 1, 1);
    end(s);
}

/* --- flush, close, free ---------------------------------------------------------------------------- */

static void a_flush_is_done_when_its_rows_are(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 100});
    assert_int_equal(cql_writer_flush(s->w, on_done, &s->done), CQL_OK);
    assert_int_equal(s->done, 0); /* nothing to do, but not from inside the call */
    advance(s, 1);
    assert_int_equal(s->done, 1);
    add_rows(s, 1, 0, 3);
    assert_int_equal(cql_writer_flush(s->w, on_done, &s->done), CQL_OK);
    assert_int_equal(s->count, 1);
    add_rows(s, 1, 3, 100); /* after it: not waited for */
    answer(s, 0, CQL_TIMEOUT);
    answer(s, 1, CQL_OK);
    assert_int_equal(s->done, 1);
    advance(s, 100);
    answer(s, 2, CQL_OK);
    assert_int_equal(s->done, 2);
    end(s);
}

static void a_close_sends_the_rest_and_has_an_end(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 100, .close_ms = 1000, .max_in_flight = 1});
    add_rows(s, 1, 0, 3);
    add_rows(s, 2, 3, 3);
    assert_int_equal(cql_writer_close(s->w, on_done, &s->done), CQL_OK);
    assert_int_equal(cql_writer_close(s->w, on_done, &s->done), CQL_BAD_STATE);
    assert_int_equal(add(s, 1, 9), CQL_BAD_STATE);
    answer(s, 0, CQL_OK);
    answer(s, 1, CQL_NO_HOST);
    advance(s, 2000);
    assert_int_equal(s->done, s->count > 2 ? 0 : 1);
    while (s->answered < s->count)
        answer(s, s->answered, CQL_NO_HOST);
    assert_int_equal(s->done, 1);
    assert_acked(s, 0, 3, 0);
    assert_acked(s, 3, 3, 1);
    assert_int_equal(s->last_error, CQL_NO_HOST);
    end(s);
}

static void free_acknowledges_everything_once(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 2});
    add_rows(s, 1, 0, 2); /* under way */
    add_rows(s, 2, 2, 1); /* not */
    cql_writer_free(s->w);
    s->w = NULL;
    assert_acked(s, 2, 1, 1);
    assert_int_equal(s->last_error, CQL_CANCELLED);
    assert_int_equal(s->acks[0], 0);
    assert_false(s->ended);
    answer(s, 0, CQL_OK);
    assert_acked(s, 0, 2, 0);
    end(s);
}

static void a_callback_may_add_and_free(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 2});
    s->add_in_ack = true;
    add_rows(s, 1, 0, 2);
    answer(s, 0, CQL_OK);
    add_rows(s, 3, 2, 2);
    s->free_in_ack = true;
    answer(s, 1, CQL_OK);
    s->w = NULL;
    assert_acked(s, 0, 4, 0);
    assert_acked(s, 1000, 1, 1);
    end(s);
}

static void the_blocking_calls_wait(void **state)
{
    (void)state;
    scene *s = begin(&(cql_writer_options){.group_rows = 10, .max_rows = 20});
    assert_int_equal(cql_statement_bind_int64(s->row, 0, 5), CQL_OK);
    for (size_t i = 0; i < 75; i++)
        assert_int_equal(
            cql_writer_add_wait(s->w, s->row, on_ack, (void *)(uintptr_t)i, NULL), CQL_OK);
    assert_int_equal(cql_writer_flush_wait(s->w, NULL), CQL_OK);
    assert_acked(s, 0, 75, 0);
    add_rows(s, 1, 75, 1);
    assert_int_equal(cql_writer_close_wait(s->w, NULL), CQL_OK);
    assert_acked(s, 75, 1, 0);
    cql_error *err = NULL;
    assert_int_equal(cql_writer_close_wait(s->w, &err), CQL_BAD_STATE);
    assert_non_null(err);
    cql_error_unref(err);
    end(s);
}

static void wrong_options_are_named(void **state)
{
    (void)state;
    const struct {
        cql_writer_options o;
        const char *name;
    } cases[] = {
        {{.size = sizeof(cql_writer_options), .grouping = (cql_writer_grouping)2}, "grouping"},
        {{.size = sizeof(cql_writer_options), .group_rows = 65536}, "group_rows"},
        {{.size = sizeof(cql_writer_options), .max_in_flight = 65536}, "max_in_flight"},
        {{.size = sizeof(cql_writer_options), .consistency = CQL_CONSISTENCY_SERIAL}, "consistency"},
        {{.size = 8}, "size"},
    };
    cqlwr_port port = {.seat.al = cqln_alloc_default()};
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        cql_writer *w = NULL;
        cql_error *err = NULL;
        assert_int_equal(cqlwr_new(&port, &cases[i].o, &w, &err), CQL_BAD_ARGUMENT);
        assert_non_null(strstr(cql_error_text(err), cases[i].name));
        cql_error_unref(err);
    }
}

/* --- by chance ------------------------------------------------------------------------------------- */

static uint64_t seed;

static unsigned chance(unsigned n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static size_t pick_unanswered(scene *s)
{
    size_t i = chance((unsigned)s->count);
    while (!s->sent[i].cb)
        i = (i + 1) % s->count;
    return i;
}

static void one_history(uint64_t with)
{
    static const cql_status fates[] = {CQL_OK, CQL_OK, CQL_OK, CQL_TIMEOUT, CQL_SERVER_INVALID,
                                       CQL_SERVER_OVERLOADED};
    seed = with;
    scene *s = begin(&(cql_writer_options){.group_rows = 1 + chance(8),
                                           .grouping = (cql_writer_grouping)chance(2),
                                           .max_in_flight = 1 + chance(4),
                                           .max_rows = 5 + chance(30),
                                           .flush_ms = 1 + chance(50),
                                           .retry_ms = 1 + chance(50),
                                           .close_ms = 1 + chance(500)});
    size_t rows = 0, flushes = 0;
    for (size_t i = 0; i < 400; i++) {
        s->refuse = chance(20) == 0 ? CQL_WOULD_BLOCK : CQL_OK;
        switch (chance(6)) {
        case 0:
        case 1:
        case 2:
            rows += add(s, (int)chance(5), rows) == CQL_OK;
            break;
        case 3:
            if (s->answered < s->count)
                answer(s, pick_unanswered(s), fates[chance(CQL_COUNT(fates))]);
            break;
        case 4:
            advance(s, chance(30));
            break;
        case 5:
            if (chance(20) == 0 && cql_writer_flush(s->w, on_done, &s->done) == CQL_OK)
                flushes++;
        }
    }
    s->refuse = CQL_OK;
    assert_int_equal(cql_writer_close(s->w, on_done, &s->done), CQL_OK);
    flushes++;
    for (size_t turns = 0; s->done < flushes; turns++) {
        assert_true(turns < 2000);
        if (s->answered < s->count)
            answer(s, pick_unanswered(s), fates[chance(CQL_COUNT(fates))]);
        advance(s, 10);
    }
    for (size_t i = 0; i < rows; i++)
        assert_int_equal(s->acks[i], 1);
    assert_int_equal(s->acks[rows], 0);
    end(s);
}

static void any_history_acknowledges_each_row_once(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 400; i++)
        one_history(i);
}

static void what_is_missing_is_an_error_with_a_text(void **state)
{
    (void)state;
    cql_error *err = NULL;
    cql_writer *w = NULL;
    assert_int_equal(cql_writer_new(NULL, NULL, &w, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "bad argument: session or out is NULL");
    assert_int_equal(cql_writer_flush_wait(NULL, &err), CQL_BAD_ARGUMENT);
    assert_string_equal(cql_error_text(err), "bad argument: the writer is NULL");
    cql_error_unref(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_a_partition_leave_together_when_there_are_enough),
        cmocka_unit_test(partitions_are_not_mixed),
        cmocka_unit_test(bytes_close_a_group),
        cmocka_unit_test(rows_by_themselves_leave_at_once),
        cmocka_unit_test(a_key_not_in_markers_is_not_grouped),
        cmocka_unit_test(a_full_writer_says_so_and_lets_go),
        cmocka_unit_test(bytes_are_a_limit_too),
        cmocka_unit_test(steady_state_allocates_nothing),
        cmocka_unit_test(without_memory_the_row_is_not_taken),
        cmocka_unit_test(trouble_that_passes_is_waited_out),
        cmocka_unit_test(what_is_wrong_for_good_ends_the_rows),
        cmocka_unit_test(rows_do_not_wait_for_ever_when_told),
        cmocka_unit_test(a_full_queue_of_the_session_is_tried_again),
        cmocka_unit_test(a_closed_session_ends_the_rows_later),
        cmocka_unit_test(a_row_that_may_not_be_repeated_is_not),
        cmocka_unit_test(a_flush_is_done_when_its_rows_are),
        cmocka_unit_test(a_close_sends_the_rest_and_has_an_end),
        cmocka_unit_test(free_acknowledges_everything_once),
        cmocka_unit_test(a_callback_may_add_and_free),
        cmocka_unit_test(the_blocking_calls_wait),
        cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test(any_history_acknowledges_each_row_once),
        cmocka_unit_test(what_is_missing_is_an_error_with_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
