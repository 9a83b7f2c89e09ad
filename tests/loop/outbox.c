/* The outbox on real sessions and real files against mock nodes on the loopback, in the three modes. */
#include "mocksession.h"

#include <cqlnative/outbox.h>
#include <cqlnative/uv.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 200 };

static char folder[] = "outbox-loop-XXXXXX";
static char path[64];
static atomic_uint told, refused;

static int start(void **state)
{
    start_two(state);
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/box", folder);
    return 0;
}

static void remove_files(void)
{
    static const char *const endings[] = {"", ".lock", ".refused", ".refused.lock"};
    char name[96];
    for (size_t i = 0; i < CQL_COUNT(endings); i++) {
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        unlink(name);
    }
}

static int stop(void **state)
{
    stop_server(state);
    remove_files();
    return rmdir(folder);
}

static int reset(void **state)
{
    (void)state;
    remove_files();
    atomic_store(&told, 0);
    atomic_store(&refused, 0);
    memset(server.mc.executed, 0, MOCK_VALUES);
    server.mc.wide_values = false;
    server.mc.salt = 0;
    return 0;
}

static cql_options *quick(const char *more)
{
    char text[200];
    snprintf(text, sizeof text, "reconnect_base=50ms&%s", more);
    return options(text);
}

static cql_session *make_session(const char *more)
{
    cql_session *s = NULL;
    cql_options *o = quick(more);
    assert_int_equal(cql_session_new(o, &s, NULL), CQL_OK);
    cql_options_free(o);
    return s;
}

static void on_sent(void *user, const cql_outbox_sent *info)
{
    (void)user;
    atomic_fetch_add(&told, 1);
    atomic_fetch_add(&refused, info->err != NULL);
}

static cql_outbox *open_box(cql_session *s, uint32_t window)
{
    cql_outbox *o = NULL;
    cql_error *err = NULL;
    cql_outbox_options how = {.size = sizeof how, .path = path, .window = window, .retry_ms = 20,
                              .sync = CQL_OUTBOX_SYNC_NONE, .connect = true, .on_sent = on_sent};
    if (cql_outbox_open(s, &how, &o, &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
    return o;
}

static void add(cql_outbox *o, int32_t i)
{
    assert_int_equal(cql_outbox_add(o, "INSERT by_key ?", CQL_VALUES(cql_value_int32(i)), NULL, NULL),
                     CQL_OK);
}

static void flush(cql_outbox *o)
{
    cql_error *err = NULL;
    if (cql_outbox_flush_wait(o, 20000, &err) != CQL_OK)
        fail_msg("%s", cql_error_text(err));
}

/* --- modes ----------------------------------------------------------------------------------------- */

/* The session was never connected by the program: the outbox does. */
static void sends(const char *mode, uint32_t window)
{
    cql_session *s = make_session(mode);
    cql_outbox *o = open_box(s, window);
    for (int32_t i = 0; i < ROWS; i++)
        add(o, i);
    flush(o);
    for (int32_t i = 0; i < ROWS; i++)
        assert_int_equal(mockserver_executed(&server, (uint32_t)i), 1);
    assert_int_equal(atomic_load(&told), ROWS);
    cql_outbox_free(o);
    cql_session_free(s);
}

static void a_session_with_a_thread_sends(void **state)
{
    (void)state;
    sends("loop_threads=1", 1);
}

static void a_driven_session_sends(void **state)
{
    (void)state;
    sends("loop_threads=0", 8);
}

static void version_4_sends(void **state)
{
    (void)state;
    sends("loop_threads=0&protocol=4", 2);
}

static void on_flushed(cql_outbox *o, const cql_error *err, void *user)
{
    assert_null(err);
    cql_outbox_free(o);
    assert_int_equal(cql_session_close(user, NULL, NULL), CQL_OK);
}

static void the_programs_loop_sends(void **state)
{
    (void)state;
    uv_loop_t loop;
    cql_session *s = NULL;
    cql_options *opts = quick("");
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(cql_session_new_uv(&loop, opts, &s, NULL), CQL_OK);
    cql_outbox *o = open_box(s, 4);
    for (int32_t i = 0; i < ROWS; i++)
        add(o, i);
    assert_int_equal(cql_outbox_flush_wait(o, 1, NULL), CQL_WRONG_THREAD);
    assert_int_equal(cql_outbox_flush(o, on_flushed, s), CQL_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int32_t i = 0; i < ROWS; i++)
        assert_int_equal(mockserver_executed(&server, (uint32_t)i), 1);
    cql_session_free(s);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    cql_options_free(opts);
}

typedef struct adder {
    cql_outbox *o;
    int32_t first;
} adder;

static void *add_on_thread(void *arg)
{
    adder *a = arg;
    for (int32_t i = 0; i < ROWS; i++)
        add(a->o, a->first + i);
    return NULL;
}

static void several_threads_add(void **state)
{
    (void)state;
    pthread_t threads[3];
    adder adders[3];
    cql_session *s = make_session("loop_threads=1");
    cql_outbox *o = open_box(s, 16);
    for (int32_t i = 0; i < 3; i++) {
        adders[i] = (adder){o, i * ROWS};
        assert_int_equal(pthread_create(&threads[i], NULL, add_on_thread, &adders[i]), 0);
    }
    for (int32_t i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    flush(o);
    for (int32_t i = 0; i < 3 * ROWS; i++)
        assert_int_equal(mockserver_executed(&server, (uint32_t)i), 1);
    cql_outbox_free(o);
    cql_session_free(s);
}

/* --- failures -------------------------------------------------------------------------------------- */

static void connections_that_are_lost_lose_nothing(void **state)
{
    (void)state;
    cql_session *s = make_session("loop_threads=1");
    cql_outbox *o = open_box(s, 4);
    for (int32_t i = 0; i < ROWS; i++) {
        if (i % 50 == 25)
            mockserver_cut(&server);
        add(o, i);
    }
    mockserver_cut(&server);
    flush(o);
    for (int32_t i = 0; i < ROWS; i++)
        assert_true(mockserver_executed(&server, (uint32_t)i) >= 1);
    assert_int_equal(atomic_load(&told), ROWS);
    cql_outbox_free(o);
    cql_session_free(s);
}

static void what_a_closed_session_cannot_send_is_there_the_next_time(void **state)
{
    (void)state;
    cql_session *s = make_session("loop_threads=1");
    cql_outbox *o = open_box(s, 1);
    cql_error *err = NULL;
    cql_outbox_stats st;
    add(o, 0);
    flush(o);
    assert_int_equal(cql_session_close_wait(s), CQL_OK);
    for (int32_t i = 1; i < 10; i++)
        add(o, i);
    assert_int_equal(cql_outbox_flush_wait(o, 100, &err), CQL_TIMEOUT);
    assert_non_null(strstr(cql_error_text(err), "9 statements are still in the outbox"));
    cql_error_unref(err);
    cql_outbox_free(o);
    cql_session_free(s);
    s = make_session("loop_threads=0");
    o = open_box(s, 1);
    cql_outbox_read_stats(o, &st);
    assert_int_equal(st.found, 9);
    flush(o);
    for (int32_t i = 0; i < 10; i++)
        assert_int_equal(mockserver_executed(&server, (uint32_t)i), 1);
    cql_outbox_free(o);
    cql_session_free(s);
}

static void what_the_server_refuses_is_kept(void **state)
{
    (void)state;
    cql_session *s = make_session("loop_threads=0");
    cql_outbox *o = open_box(s, 1);
    cql_outbox_stats st;
    add(o, 0);
    /* a text where the marker is an int: never sent */
    assert_int_equal(cql_outbox_add(o, "INSERT by_key ?", CQL_VALUES(cql_value_text("x")), NULL, NULL),
                     CQL_OK);
    assert_int_equal(cql_outbox_add(o, "INSERT by_key ?", (cql_values){NULL, 0}, NULL, NULL), CQL_OK);
    add(o, 1);
    flush(o);
    cql_outbox_read_stats(o, &st);
    assert_int_equal(st.sent, 2);
    assert_int_equal(st.refused, 2);
    assert_int_equal(atomic_load(&refused), 2);
    assert_int_equal(mockserver_executed(&server, 1), 1);
    pthread_mutex_lock(&server.lock);
    server.mc.nodes[0].error_code = server.mc.nodes[1].error_code = 0x2200;
    pthread_mutex_unlock(&server.lock);
    add(o, 2);
    flush(o);
    pthread_mutex_lock(&server.lock);
    server.mc.nodes[0].error_code = server.mc.nodes[1].error_code = 0;
    pthread_mutex_unlock(&server.lock);
    assert_int_equal(atomic_load(&refused), 3);
    cql_outbox_free(o);
    strcat(path, ".refused"); /* an outbox of its own; the two wrong ones are refused again */
    o = open_box(s, 1);
    flush(o);
    cql_outbox_read_stats(o, &st);
    assert_int_equal(st.found, 3);
    assert_int_equal(st.sent, 1);
    assert_int_equal(mockserver_executed(&server, 2), 1);
    cql_outbox_free(o);
    remove_files();
    path[strlen(path) - strlen(".refused")] = '\0';
    cql_session_free(s);
}

/* What was prepared for the table that was there before decides nothing. */
static void takes_anew(cql_value first, cql_value second, bool forgotten)
{
    cql_session *s = make_session("loop_threads=0");
    cql_outbox *o = open_box(s, 1);
    cql_outbox_stats st;
    add(o, 0);
    flush(o);
    pthread_mutex_lock(&server.lock);
    server.mc.wide_values = true;
    for (size_t i = 0; forgotten && i < server.mc.count; i++)
        mocknode_forget(&server.mc.nodes[i]);
    pthread_mutex_unlock(&server.lock);
    assert_int_equal(cql_outbox_add(o, "INSERT by_key ?", CQL_VALUES(first), NULL, NULL), CQL_OK);
    assert_int_equal(cql_outbox_add(o, "INSERT by_key ?", CQL_VALUES(second), NULL, NULL), CQL_OK);
    flush(o);
    flush(o);
    cql_outbox_read_stats(o, &st);
    assert_int_equal(st.sent, 3);
    assert_int_equal(st.refused, 0);
    cql_outbox_free(o);
    cql_session_free(s);
}

static void a_table_that_was_made_anew_takes_its_values(void **state)
{
    for (int forgotten = 0; forgotten < 2; forgotten++) {
        (void)reset(state);
        takes_anew(cql_value_int64(1), cql_value_int64(2), forgotten); /* the old one would not */
        (void)reset(state);
        takes_anew(cql_value_int32(1), cql_value_int32(2), forgotten); /* the new one not as the old one did */
    }
}

/* It cannot be prepared anew by a session that is being closed: that refuses nothing for good. */
static void what_cannot_be_prepared_anew_now_is_kept(void **state)
{
    (void)state;
    cql_session *s = make_session("loop_threads=0");
    cql_outbox *o = open_box(s, 1);
    cql_outbox_stats st;
    add(o, 0);
    flush(o);
    pthread_mutex_lock(&server.lock);
    server.mc.wide_values = true;
    add(o, 1);
    (void)cql_session_drive(s, 0);
    (void)cql_session_drive(s, 0);
    assert_int_equal(cql_session_close(s, NULL, NULL), CQL_OK);
    pthread_mutex_unlock(&server.lock); /* now it can answer */
    assert_int_equal(cql_session_close_wait(s), CQL_OK);
    cql_outbox_read_stats(o, &st);
    assert_int_equal(st.sent, 1);
    assert_int_equal(st.refused, 0);
    assert_int_equal(st.held, 1);
    cql_outbox_free(o);
    cql_session_free(s);
}

static void a_statement_that_has_another_id_now_is_prepared_again(void **state)
{
    (void)state;
    cql_session *s = make_session("loop_threads=0");
    cql_outbox *o = open_box(s, 1);
    add(o, 0);
    flush(o);
    pthread_mutex_lock(&server.lock);
    server.mc.salt = 0x33;
    for (size_t i = 0; i < server.mc.count; i++)
        mocknode_forget(&server.mc.nodes[i]);
    pthread_mutex_unlock(&server.lock);
    add(o, 1);
    flush(o);
    assert_int_equal(mockserver_executed(&server, 1), 1);
    cql_outbox_free(o);
    cql_session_free(s);
}

/* Written anew, it is where it was: whatever the current folder is then, and behind the link that named it. */
static void the_file_stays_where_it_is(void **state)
{
    (void)state;
    char home[1000], link[96], target[96];
    struct stat info;
    cql_outbox_stats st;
    cql_outbox *o = NULL, *other = NULL;
    cql_session *s = make_session("loop_threads=0");
    cql_outbox_options how = {.size = sizeof how, .path = link, .max_bytes = 16384,
                              .sync = CQL_OUTBOX_SYNC_NONE, .connect = true};
    assert_non_null(getcwd(home, sizeof home));
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(target, sizeof target, "%s", strrchr(path, '/') + 1);
    cql_outbox_free(open_box(s, 1));
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(cql_outbox_open(s, &how, &o, NULL), CQL_OK);
    how.path = path;
    assert_int_equal(cql_outbox_open(s, &how, &other, NULL), CQL_BAD_STATE);
    assert_int_equal(chdir("/"), 0);
    for (int32_t i = 0; i < ROWS; i++)
        assert_int_equal(cql_outbox_add_wait(o, "INSERT by_key ?", CQL_VALUES(cql_value_int32(i)), NULL,
                                             NULL, NULL), CQL_OK);
    flush(o);
    cql_outbox_read_stats(o, &st);
    cql_outbox_free(o);
    assert_int_equal(chdir(home), 0);
    assert_true(st.compactions > 0);
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    unlink(link);
    assert_int_equal(stat(path, &info), 0);
    how.path = path;
    assert_int_equal(cql_outbox_open(s, &how, &o, NULL), CQL_OK);
    cql_outbox_read_stats(o, &st);
    assert_int_equal(st.next_seq, ROWS + 1);
    cql_outbox_free(o);
    cql_session_free(s);
}

static void one_file_has_one_outbox(void **state)
{
    (void)state;
    cql_session *s = make_session("loop_threads=0");
    cql_outbox *o = open_box(s, 1), *other = NULL;
    char nowhere[64];
    cql_error *err = NULL;
    cql_outbox_options how = {.size = sizeof how, .path = path};
    assert_int_equal(cql_outbox_open(s, &how, &other, &err), CQL_BAD_STATE);
    assert_non_null(strstr(cql_error_text(err), "box is in use by another outbox"));
    assert_null(other);
    snprintf(nowhere, sizeof nowhere, "%s/none/box", folder);
    how.path = nowhere;
    assert_int_equal(cql_outbox_open(s, &how, &other, &err), CQL_SYSTEM);
    assert_non_null(strstr(cql_error_text(err), "No such file or directory"));
    assert_int_equal(cql_outbox_open(NULL, &how, &other, &err), CQL_BAD_ARGUMENT);
    cql_error_unref(err);
    cql_outbox_free(o);
    cql_outbox_free(NULL);
    cql_session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_session_with_a_thread_sends, reset),
        cmocka_unit_test_setup(a_driven_session_sends, reset),
        cmocka_unit_test_setup(version_4_sends, reset),
        cmocka_unit_test_setup(the_programs_loop_sends, reset),
        cmocka_unit_test_setup(several_threads_add, reset),
        cmocka_unit_test_setup(connections_that_are_lost_lose_nothing, reset),
        cmocka_unit_test_setup(what_a_closed_session_cannot_send_is_there_the_next_time, reset),
        cmocka_unit_test_setup(what_the_server_refuses_is_kept, reset),
        cmocka_unit_test_setup(a_table_that_was_made_anew_takes_its_values, reset),
        cmocka_unit_test_setup(what_cannot_be_prepared_anew_now_is_kept, reset),
        cmocka_unit_test_setup(a_statement_that_has_another_id_now_is_prepared_again, reset),
        cmocka_unit_test_setup(the_file_stays_where_it_is, reset),
        cmocka_unit_test_setup(one_file_has_one_outbox, reset),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
