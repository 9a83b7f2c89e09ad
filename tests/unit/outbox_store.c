/* The file of the outbox: what is in it after every crash, every failure and every damage. */
#include "outbox_help.h"
#include "simdisk.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ALL = 400, STEPS = 60, SMALL = 4096, SEEDS = 6 };

static simdisk disk;
static int32_t got[ALL];

static int fresh_disk(void **state)
{
    (void)state;
    simdisk_init(&disk);
    return 0;
}

static int drop_disk(void **state)
{
    (void)state;
    simdisk_fini(&disk);
    return 0;
}

static void open_store(cqlox_store *s, uint64_t max_bytes)
{
    cql_status st = cqlox_store_open(s, &disk.fs, outbox_memory(), "box", max_bytes);
    if (st)
        fail_msg("cannot be opened: %s", s->why);
}

static void assert_holds(uint64_t max_bytes, uint64_t first, const int32_t *wanted, size_t count)
{
    cqlox_store s;
    uint64_t seq;
    open_store(&s, max_bytes);
    assert_int_equal(outbox_read_all(&s, got, ALL, &seq), count);
    assert_int_equal(seq, first);
    assert_memory_equal(got, wanted, count * sizeof *wanted);
    cqlox_store_close(&s);
}

/* --- the usual ------------------------------------------------------------------------------------- */

static void what_is_added_comes_back_in_order(void **state)
{
    (void)state;
    cqlox_store s;
    int32_t wanted[20];
    open_store(&s, 1 << 20);
    assert_int_equal(s.first_seq, 1);
    for (int32_t i = 0; i < 20; i++) {
        wanted[i] = i;
        assert_int_equal(outbox_append(&s, i, true), CQL_OK);
    }
    assert_int_equal(outbox_read_all(&s, got, ALL, NULL), 20);
    cqlox_store_close(&s);
    assert_holds(1 << 20, 1, wanted, 20);
    open_store(&s, 1 << 20);
    assert_null(s.aside);
    assert_int_equal(s.found, 20);
    assert_int_equal(s.last_us, 1019);
    cqlox_store_done(&s, 7);
    assert_int_equal(cqlox_store_count(&s), 13);
    cqlox_store_close(&s);
    assert_holds(1 << 20, 8, wanted + 7, 13);
    open_store(&s, 1 << 20);
    cqlox_store_done(&s, 20);
    cqlox_store_done(&s, 20); /* again, and one that is not there: nothing */
    cqlox_store_done(&s, 21);
    assert_int_equal(cqlox_store_count(&s), 0);
    assert_int_equal(s.live, 0);
    cqlox_store_close(&s);
    assert_holds(1 << 20, 21, wanted, 0);
}

static void numbers_and_times_go_on_when_all_has_ended(void **state)
{
    (void)state;
    cqlox_store s;
    open_store(&s, SMALL);
    for (int32_t i = 0; i < 100; i++) {
        assert_int_equal(outbox_append(&s, i, true), CQL_OK);
        cqlox_store_done(&s, s.next_seq - 1);
    }
    assert_true(s.compactions > 0);
    assert_true(cqlox_store_rewrite(&s) == CQL_OK); /* nothing but the header now */
    assert_int_equal(s.end, CQLOX_HEADER);
    cqlox_store_close(&s);
    open_store(&s, SMALL);
    assert_int_equal(s.next_seq, 101);
    assert_int_equal(s.last_us, 1099);
    cqlox_store_close(&s);
}

static uint64_t dead_bytes(const cqlox_store *s)
{
    return s->end - CQLOX_HEADER - s->live;
}

/* Statements end while so many wait: how much is dead when the file is written anew. */
static uint64_t dead_at_rewrite(cqlox_store *s, unsigned waiting)
{
    uint64_t dead = 0, before = s->compactions;
    for (int32_t i = 0; s->compactions == before; i++) {
        assert_int_equal(outbox_append(s, i, true), CQL_OK);
        dead = dead_bytes(s);
        if (cqlox_store_count(s) > waiting)
            cqlox_store_done(s, s->first_seq);
    }
    return dead;
}

/* Not before a quarter of the room is dead, within bounds, and not before as much is dead as alive. */
static void a_file_is_written_anew_when_that_is_worth_it(void **state)
{
    static const struct {
        uint64_t max_bytes;
        unsigned waiting;
        uint64_t least; /* 0: what is alive */
    } cases[] = {{8192, 0, 4096}, {64000, 0, 16000}, {64000, 160, 0}, {16 << 20, 0, 1 << 20}};
    enum { RECORD = 200 + CQLOX_MARK };
    for (size_t i = 0; i < CQL_COUNT(cases); i++) {
        cqlox_store s;
        open_store(&s, cases[i].max_bytes);
        uint64_t dead = dead_at_rewrite(&s, cases[i].waiting);
        uint64_t least = cases[i].least ? cases[i].least : s.live;
        assert_true(cases[i].least || least > cases[i].max_bytes / 4);
        assert_in_range(dead, least - RECORD, least + RECORD);
        cqlox_store_close(&s);
        drop_disk(state);
        fresh_disk(state);
    }
}

/* A disk on which that fails is left alone until as much more is dead. */
static void a_rewrite_that_failed_is_not_tried_at_once(void **state)
{
    cqlox_store s;
    unsigned failed = 0;
    (void)state;
    open_store(&s, 64000);
    while (dead_bytes(&s) < 31000) {
        assert_int_equal(outbox_append(&s, 1, true), CQL_OK);
        disk.room = simdisk_used(&disk) + CQLOX_MARK; /* for the mark, not for a second file */
        *s.why = '\0';
        cqlox_store_done(&s, s.first_seq);
        failed += *s.why != '\0';
        disk.room = 0;
    }
    assert_int_equal(s.compactions, 0);
    assert_int_equal(failed, 1);
    assert_in_range(dead_at_rewrite(&s, 0), 31000, 33000);
    cqlox_store_close(&s);
}

static void the_cap_holds(void **state)
{
    (void)state;
    cqlox_store s;
    int32_t i = 0;
    cql_status st = CQL_OK;
    open_store(&s, SMALL);
    while ((st = outbox_append(&s, i, true)) == CQL_OK)
        i++;
    assert_int_equal(st, CQL_WOULD_BLOCK);
    assert_true(i > 10);
    assert_true(s.end <= SMALL);
    for (int32_t k = 0; k < 500; k++) { /* marks have room, and are cleared away */
        cqlox_store_done(&s, s.first_seq);
        while (outbox_append(&s, i, true) == CQL_OK)
            i++;
        assert_true(simdisk_file(&disk, "box")->len <= SMALL);
    }
    assert_true(s.compactions > 10);
    uint64_t held = cqlox_store_count(&s);
    assert_true(held > 10);
    cqlox_buf large = {NULL, 0, 0};
    cqlox_statement big = {.kind = CQLOX_STATEMENT, .keyspace = "", .cql = "X", .cql_len = 1};
    static uint8_t bytes[SMALL];
    cql_values v = CQL_VALUES(cql_value_blob(bytes, sizeof bytes));
    assert_int_equal(cqlox_statement_write(&large, outbox_memory(), &big, v), CQL_OK);
    assert_int_equal(cqlox_store_append(&s, &large, 1, true), CQL_TOO_LARGE);
    cqlseat_free(outbox_memory(), large.ptr);
    assert_int_equal(outbox_read_all(&s, got, ALL, NULL), held);
    for (uint64_t k = 0; k < held; k++)
        assert_int_equal(got[k], i - (int32_t)held + (int32_t)k);
    cqlox_store_close(&s);
}

static void a_second_one_is_told_that_it_is_in_use(void **state)
{
    (void)state;
    cqlox_store s, t;
    open_store(&s, SMALL);
    assert_int_equal(outbox_append(&s, 1, true), CQL_OK);
    assert_int_equal(cqlox_store_rewrite(&s), CQL_OK); /* the lock stays when the file is another */
    assert_int_equal(cqlox_store_open(&t, &disk.fs, outbox_memory(), "box", SMALL), CQL_BAD_STATE);
    assert_string_equal(t.why, "box is in use by another outbox");
    cqlox_store_close(&s);
    open_store(&t, SMALL);
    cqlox_store_close(&t);
}

static void reading_goes_on_over_a_compaction(void **state)
{
    (void)state;
    cqlox_store s;
    cqlox_buf b = {NULL, 0, 0};
    cqlox_statement st;
    open_store(&s, 1 << 20);
    for (int32_t i = 0; i < 30; i++)
        assert_int_equal(outbox_append(&s, i, true), CQL_OK);
    for (int32_t i = 0; i < 30; i++) {
        assert_int_equal(cqlox_store_next(&s, &b, &st), CQL_OK);
        assert_int_equal(outbox_number(&st), i);
        if (i >= 3)
            cqlox_store_done(&s, (uint64_t)i - 2);
        assert_int_equal(cqlox_store_rewrite(&s), CQL_OK);
    }
    assert_int_equal(cqlox_store_next(&s, &b, &st), CQL_DONE);
    assert_int_equal(outbox_append(&s, 30, true), CQL_OK);
    assert_int_equal(cqlox_store_next(&s, &b, &st), CQL_OK);
    assert_int_equal(outbox_number(&st), 30);
    cqlseat_free(outbox_memory(), b.ptr);
    cqlox_store_close(&s);
}

/* --- crashes --------------------------------------------------------------------------------------- */

/* What a run has been promised so far. */
typedef struct promise {
    uint64_t added; /* the last number for which an append said CQL_OK */
    uint64_t begun; /* the last that was tried */
    uint64_t done;
} promise;

/* Appends, marks as done, compacts on the way; statement i has number i + 1. Stops at the first failure.
 * tell, if any, is called after each promise. */
static void run(cqlox_store *s, promise *p, bool sync, void (*tell)(const promise *p))
{
    for (int32_t i = 0; i < STEPS; i++) {
        p->begun = (uint64_t)i + 1;
        if (outbox_append(s, i, sync) != CQL_OK)
            return;
        p->added = p->begun;
        if (tell)
            tell(p);
        if (i % 3 == 2 && i > 9) {
            p->done = (uint64_t)i - 6;
            if (tell)
                tell(p);
            cqlox_store_done(s, p->done);
        }
    }
}

/* `all`: nothing that was promised may be missing. */
static void assert_kept(cqlox_store *s, const promise *p, bool all)
{
    uint64_t first;
    size_t count = outbox_read_all(s, got, ALL, &first);
    assert_true(first <= p->done + 1);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(got[i], (int32_t)(first - 1 + i));
    assert_true(first + count <= p->begun + 1);
    if (all)
        assert_true(first + count > p->added);
    if (p->added == p->begun && !s->aside)
        assert_true(all ? first + count == p->added + 1 : true);
}

/* The machine or the process ends during operation `at`. False: it was never reached. */
static bool crash_at(unsigned at, bool sync, simdisk_loss loss, unsigned seed)
{
    cqlox_store s;
    promise p = {0};
    simdisk_init(&disk);
    disk.die_at = at;
    if (cqlox_store_open(&s, &disk.fs, outbox_memory(), "box", SMALL) == CQL_OK)
        run(&s, &p, sync, NULL);
    bool reached = disk.dead;
    cqlox_store_close(&s);
    simdisk_restart(&disk, loss, seed);
    open_store(&s, SMALL);
    assert_kept(&s, &p, sync || loss == SIMDISK_KEEP_ALL);
    uint64_t next = s.next_seq;
    cqlox_store_close(&s);
    open_store(&s, SMALL); /* what was found is there for good, and nothing is damaged any more */
    assert_int_equal(s.next_seq, next);
    assert_null(s.aside);
    cqlox_store_done(&s, next - 1);
    assert_int_equal(outbox_append(&s, 5, true), CQL_OK);
    assert_int_equal(s.next_seq, next + 1);
    cqlox_store_close(&s);
    simdisk_fini(&disk);
    return reached;
}

static void a_crash_at_every_operation_loses_nothing_promised(void **state)
{
    (void)state;
    unsigned at = 1;
    for (; at < 1000; at++) {
        bool reached = crash_at(at, true, SIMDISK_KEEP_ALL, 0);
        crash_at(at, true, SIMDISK_LOSE_ALL, 0);
        for (unsigned seed = 1; seed <= SEEDS; seed++)
            crash_at(at, true, SIMDISK_LOSE_SOME, at * 64 + seed);
        if (!reached)
            break;
    }
    assert_in_range(at, 100, 999); /* all of it was cut off everywhere */
}

static void without_sync_a_good_beginning_is_left(void **state)
{
    (void)state;
    for (unsigned at = 1; crash_at(at, false, SIMDISK_KEEP_ALL, 0); at++)
        for (unsigned seed = 1; seed <= SEEDS; seed++) {
            crash_at(at, false, SIMDISK_LOSE_ALL, 0);
            crash_at(at, false, SIMDISK_LOSE_SOME, at * 64 + seed);
        }
}

/* One of the files that were set aside is this. */
static bool is_aside(const uint8_t *bytes, size_t len)
{
    char name[32];
    for (unsigned i = 1; i < 5; i++) {
        snprintf(name, sizeof name, "box.damaged-%u", i);
        const simbytes *file = simdisk_file(&disk, name);
        if (file && file->len == len && memcmp(file->ptr, bytes, len) == 0)
            return true;
    }
    return false;
}

/* A crash during the opening that follows a crash. */
static void a_crash_while_damage_is_set_aside_loses_nothing(void **state)
{
    (void)state;
    cqlox_store s;
    int32_t wanted[5] = {0, 1, 2, 3, 4};
    for (unsigned at = 1; at < 60; at++)
        for (unsigned seed = 0; seed <= SEEDS; seed++) {
            simdisk_init(&disk);
            open_store(&s, SMALL);
            uint64_t start = 0;
            for (int32_t i = 0; i < 6; i++) {
                start = s.end;
                assert_int_equal(outbox_append(&s, i, true), CQL_OK);
            }
            size_t rest = (size_t)(s.end - start);
            cqlox_store_close(&s);
            simbytes bytes = {NULL, simdisk_file(&disk, "box")->len};
            bytes.ptr = malloc(bytes.len);
            memcpy(bytes.ptr, simdisk_file(&disk, "box")->ptr, bytes.len);
            bytes.ptr[bytes.len - 1] ^= 1;
            simdisk_put(&disk, "box", bytes.ptr, bytes.len);
            disk.ops = 0;
            disk.die_at = at;
            if (cqlox_store_open(&s, &disk.fs, outbox_memory(), "box", SMALL) == CQL_OK)
                cqlox_store_close(&s);
            simdisk_restart(&disk, seed ? SIMDISK_LOSE_SOME : SIMDISK_LOSE_ALL, at * 64 + seed);
            assert_holds(SMALL, 1, wanted, 5);
            assert_true(is_aside(bytes.ptr + bytes.len - rest, rest));
            free(bytes.ptr);
            simdisk_fini(&disk);
        }
}

/* --- a process that is killed, on real files ------------------------------------------------------- */

static unsigned ops_left;
static int tell_fd;

static void count_down(void)
{
    if (ops_left && --ops_left == 0)
        _exit(9);
}

static int killed_open(void *self, const char *path, cqlox_how how)
{
    count_down();
    return cqlox_files_posix.open(self, path, how);
}

static int killed_write(void *self, int fd, uint64_t at, const void *bytes, size_t len)
{
    if (ops_left == 1) /* in the middle of it */
        (void)cqlox_files_posix.write(self, fd, at, bytes, len / 2);
    count_down();
    return cqlox_files_posix.write(self, fd, at, bytes, len);
}

static int killed_sync(void *self, int fd)
{
    (void)self;
    (void)fd;
    count_down();
    return 0; /* the machine goes on: nothing is gained by waiting for the disk */
}

static int killed_rename(void *self, const char *from, const char *to)
{
    count_down();
    return cqlox_files_posix.rename(self, from, to);
}

static int killed_sync_folder(void *self, const char *path)
{
    (void)path;
    return killed_sync(self, 0);
}

static void tell_parent(const promise *p)
{
    if (write(tell_fd, p, sizeof *p) != (ssize_t)sizeof *p)
        _exit(1);
}

/* In the child: ends with 9 at operation `at`, with 0 when it came through. */
static void child(const char *path, unsigned at)
{
    cqlox_files fs = cqlox_files_posix;
    cqlox_store s;
    promise p = {0};
    fs.open = killed_open;
    fs.write = killed_write;
    fs.sync = killed_sync;
    fs.rename = killed_rename;
    fs.sync_folder = killed_sync_folder;
    ops_left = at;
    if (cqlox_store_open(&s, &fs, outbox_memory(), path, SMALL) != CQL_OK)
        _exit(2);
    run(&s, &p, true, tell_parent);
    _exit(p.added == STEPS ? 0 : 3);
}

static int run_child(const char *path, unsigned at, promise *p)
{
    int fds[2], code = 0;
    promise last = {0};
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        tell_fd = fds[1];
        child(path, at);
    }
    close(fds[1]);
    while (read(fds[0], &last, sizeof last) == (ssize_t)sizeof last)
        *p = last;
    close(fds[0]);
    assert_int_equal(waitpid(pid, &code, 0), pid);
    assert_true(WIFEXITED(code));
    return WEXITSTATUS(code);
}

static void remove_all(const char *path)
{
    static const char *const endings[] = {"", ".new", ".lock", ".damaged-1"};
    char name[80];
    for (size_t i = 0; i < CQL_COUNT(endings); i++) {
        snprintf(name, sizeof name, "%s%s", path, endings[i]);
        unlink(name);
    }
}

static void a_process_killed_at_every_write_loses_nothing(void **state)
{
    (void)state;
    char folder[] = "outbox-test-XXXXXX", path[64];
    int code = 9;
    unsigned at = 1;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/box", folder);
    for (; code == 9 && at < 1000; at++) {
        cqlox_store s;
        promise p = {0};
        remove_all(path);
        code = run_child(path, at, &p);
        assert_true(code == 9 || code == 0);
        p.begun = STEPS; /* how far it was is not known */
        assert_int_equal(cqlox_store_open(&s, &cqlox_files_posix, outbox_memory(), path, SMALL), CQL_OK);
        uint64_t first;
        size_t count = outbox_read_all(&s, got, ALL, &first);
        assert_true(first <= p.done + 1 && first + count > p.added && first + count <= p.added + 2);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(got[i], (int32_t)(first - 1 + i));
        assert_int_equal(outbox_append(&s, 7, true), CQL_OK);
        cqlox_store_close(&s);
    }
    assert_int_equal(code, 0);
    assert_in_range(at, 100, 999);
    remove_all(path);
    assert_int_equal(rmdir(folder), 0);
}

/* 0: it has the file; 1: it is told that another has it. */
static int open_in_another_process(const char *path)
{
    int code = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        cqlox_store s;
        cql_status st = cqlox_store_open(&s, &cqlox_files_posix, outbox_memory(), path, SMALL);
        _exit(st == CQL_OK ? 0 : st == CQL_BAD_STATE && strstr(s.why, "is in use by another outbox") ? 1 : 2);
    }
    assert_int_equal(waitpid(pid, &code, 0), pid);
    assert_true(WIFEXITED(code));
    return WEXITSTATUS(code);
}

static void another_process_is_told_that_it_is_in_use(void **state)
{
    char folder[] = "outbox-test-XXXXXX", path[64];
    cqlox_store s;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/box", folder);
    assert_int_equal(cqlox_store_open(&s, &cqlox_files_posix, outbox_memory(), path, SMALL), CQL_OK);
    assert_int_equal(open_in_another_process(path), 1);
    assert_int_equal(cqlox_store_rewrite(&s), CQL_OK);
    assert_int_equal(open_in_another_process(path), 1);
    cqlox_store_close(&s);
    assert_int_equal(open_in_another_process(path), 0); /* which ends without closing it */
    assert_int_equal(open_in_another_process(path), 0);
    remove_all(path);
    assert_int_equal(rmdir(folder), 0);
}

/* --- failures -------------------------------------------------------------------------------------- */

/* Operation `at` fails, and everything goes on, to the end of the program or that of the machine: what was taken
 * comes out, in order, and nothing else. */
static bool fail_at(unsigned at, int with, bool power)
{
    cqlox_store s;
    int32_t wanted[STEPS];
    size_t count = 0, done = 0, failures = 0;
    simdisk_init(&disk);
    open_store(&s, SMALL);
    disk.ops = 0;
    disk.fail_at = at;
    disk.fail_with = with;
    for (int32_t i = 0; i < STEPS; i++) {
        cql_status st = outbox_append(&s, i, true);
        if (st == CQL_OK)
            wanted[count++] = i;
        else
            failures++;
        assert_true(st == CQL_OK || (st == CQL_SYSTEM && *s.why));
        if (i % 3 == 2 && count > 9) {
            done = count - 7;
            cqlox_store_done(&s, done);
        }
    }
    assert_in_range(failures, 0, 1);
    bool reached = disk.ops >= at;
    disk.dead = !power;
    cqlox_store_close(&s);
    simdisk_restart(&disk, SIMDISK_LOSE_ALL, 0);
    open_store(&s, SMALL);
    assert_null(power ? s.aside : NULL);
    uint64_t first;
    size_t held = outbox_read_all(&s, got, ALL, &first);
    assert_true(first <= done + 1);
    assert_int_equal(first - 1 + held, count);
    assert_memory_equal(got, wanted + first - 1, held * sizeof *got);
    cqlox_store_close(&s);
    simdisk_fini(&disk);
    return reached;
}

static void a_failure_of_any_operation_loses_nothing(void **state)
{
    (void)state;
    unsigned at = 1;
    while (fail_at(at, ENOSPC, true) && fail_at(at, EIO, true) && fail_at(at, ENOSPC, false) &&
           fail_at(at, EIO, false))
        at++;
    assert_in_range(at, 100, 999);
}

/* There is room again, for some records, but not for the file a second time. */
static void a_disk_that_was_full_takes_what_it_has_room_for(void **state)
{
    (void)state;
    static const int32_t wanted[] = {5, 6, 7, 8, 9, 11, 13};
    cqlox_store s;
    uint64_t first;
    open_store(&s, SMALL);
    for (int32_t i = 0; i < 10; i++)
        assert_int_equal(outbox_append(&s, i, true), CQL_OK);
    for (int32_t i = 10; i < 14; i += 2) {
        disk.room = simdisk_used(&disk) + 10;
        assert_int_equal(outbox_append(&s, i, true), CQL_SYSTEM);
        assert_non_null(strstr(s.why, "No space left"));
        assert_int_equal(simdisk_file(&disk, "box")->len, s.end); /* half of it was written */
        if (i == 12)
            cqlox_store_done(&s, 5); /* no room for the mark either */
        disk.room += 210;
        assert_int_equal(outbox_append(&s, i + 1, true), CQL_OK);
    }
    assert_int_equal(s.compactions, 0);
    cqlox_store_close(&s);
    simdisk_restart(&disk, SIMDISK_LOSE_ALL, 0);
    disk.room = 0;
    open_store(&s, SMALL);
    assert_null(s.aside);
    size_t count = outbox_read_all(&s, got, ALL, &first);
    assert_int_equal(first + count, 13);
    assert_memory_equal(got + count - CQL_COUNT(wanted), wanted, sizeof wanted);
    cqlox_store_close(&s);
}

static void a_disk_that_refuses_is_named(void **state)
{
    (void)state;
    cqlox_store s;
    for (unsigned at = 1; at < 8; at++) {
        simdisk_init(&disk);
        disk.fail_at = at;
        disk.fail_with = EACCES;
        cql_status st = cqlox_store_open(&s, &disk.fs, outbox_memory(), "box", SMALL);
        if (st == CQL_OK) {
            cqlox_store_close(&s);
        } else {
            assert_int_equal(st, CQL_SYSTEM);
            assert_non_null(strstr(s.why, "box"));
            assert_non_null(strstr(s.why, "Permission denied"));
        }
        simdisk_fini(&disk);
    }
    assert_int_equal(
        cqlox_store_open(&s, &cqlox_files_posix, outbox_memory(), "/nonexistent/folder/box", SMALL),
        CQL_SYSTEM);
    assert_string_equal(s.why, "cannot make /nonexistent/folder/box.lock: No such file or directory");
}

/* The file is sparse: it takes no room. Where off_t has 32 bits this needs its larger form. */
static void places_beyond_2_gib_are_reached(void **state)
{
    const cqlox_files *fs = &cqlox_files_posix;
    const uint64_t at = 3ull << 30;
    char folder[] = "outbox-test-XXXXXX", path[64], back[5] = "";
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/box", folder);
    int fd = fs->open(NULL, path, CQLOX_NEW);
    assert_true(fd >= 0);
    assert_int_equal(fs->write(NULL, fd, at, "late", 4), 0);
    assert_int_equal(fs->size(NULL, fd), (int64_t)at + 4);
    assert_int_equal(fs->read(NULL, fd, at, back, 4), 4);
    assert_string_equal(back, "late");
    assert_int_equal(fs->truncate(NULL, fd, at + 1), 0);
    assert_int_equal(fs->size(NULL, fd), (int64_t)at + 1);
    fs->close(NULL, fd);
    assert_int_equal(fs->remove(NULL, path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void a_file_that_changes_under_it_is_noticed(void **state)
{
    (void)state;
    cqlox_store s;
    cqlox_buf b = {NULL, 0, 0};
    cqlox_statement st;
    open_store(&s, SMALL);
    for (int32_t i = 0; i < 3; i++)
        assert_int_equal(outbox_append(&s, i, true), CQL_OK);
    simdisk_file(&disk, "box")->ptr[CQLOX_HEADER + 20] ^= 1;
    assert_int_equal(cqlox_store_next(&s, &b, &st), CQL_SYSTEM);
    assert_string_equal(s.why, "box was changed while it was in use");
    assert_int_equal(outbox_append(&s, 3, true), CQL_SYSTEM);
    cqlseat_free(outbox_memory(), b.ptr);
    cqlox_store_close(&s);
}

static cql_status open_and_use(const cql_allocator *al, void *user)
{
    cqlox_store s;
    cqlox_buf b = {NULL, 0, 0};
    cqlox_statement st;
    (void)user;
    simdisk_init(&disk);
    cql_status status = cqlox_store_open(&s, &disk.fs, al, "box", SMALL);
    if (status == CQL_OK) {
        (void)outbox_append(&s, 1, true);
        status = cqlox_store_next(&s, &b, &st);
        if (status == CQL_OK)
            status = cqlox_store_rewrite(&s);
        cqlox_store_close(&s);
    }
    cqlseat_free(al, b.ptr);
    simdisk_fini(&disk);
    return status;
}

static void memory_may_end_anywhere(void **state)
{
    (void)state;
    assert_true(failmalloc_each(open_and_use, NULL, false) >= 3);
}

/* --- damage ---------------------------------------------------------------------------------------- */

enum { PUT = 12 };

/* A file of PUT statements and a mark for the first two; ends[i] is where statement i ends. */
static simbytes make_file(uint64_t *ends)
{
    cqlox_store s;
    simbytes whole = {NULL, 0};
    open_store(&s, SMALL);
    for (int32_t i = 0; i < PUT; i++) {
        assert_int_equal(outbox_append(&s, i, true), CQL_OK);
        ends[i] = s.end;
        if (i == 5)
            cqlox_store_done(&s, 2);
    }
    cqlox_store_close(&s);
    whole.len = simdisk_file(&disk, "box")->len;
    whole.ptr = malloc(whole.len);
    memcpy(whole.ptr, simdisk_file(&disk, "box")->ptr, whole.len);
    return whole;
}

/* How many statements lie before this byte, and where the good part ends. */
static size_t before(const uint64_t *ends, uint64_t at, uint64_t *good)
{
    size_t n = 0;
    *good = at < CQLOX_HEADER ? 0 : CQLOX_HEADER;
    while (n < PUT && ends[n] <= at)
        *good = ends[n++];
    if (n >= 6 && at >= ends[5] + CQLOX_MARK && *good < ends[5] + CQLOX_MARK)
        *good = ends[5] + CQLOX_MARK;
    return n;
}

static void assert_survives(const simbytes *whole, const uint64_t *ends, const uint8_t *bytes,
                            size_t len, uint64_t at)
{
    cqlox_store s;
    uint64_t good, first;
    size_t n = before(ends, at, &good);
    size_t gone = good >= ends[5] + CQLOX_MARK ? 2 : 0;
    simdisk_init(&disk);
    simdisk_put(&disk, "box", bytes, len);
    open_store(&s, SMALL);
    size_t count = outbox_read_all(&s, got, ALL, &first);
    assert_int_equal(count, n - gone);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(got[i], (int32_t)(gone + i));
    if (good < len) {
        assert_string_equal(s.aside, "box.damaged-1");
        assert_int_equal(s.aside_bytes, len - good);
        const simbytes *aside = simdisk_file(&disk, "box.damaged-1");
        assert_int_equal(aside->len, len - good);
        assert_memory_equal(aside->ptr, bytes + good, (size_t)(len - good));
    } else {
        assert_null(s.aside);
        assert_null(simdisk_file(&disk, "box.damaged-1"));
    }
    assert_int_equal(outbox_append(&s, 99, true), CQL_OK);
    cqlox_store_close(&s);
    open_store(&s, SMALL);
    assert_int_equal(outbox_read_all(&s, got, ALL, NULL), count + 1);
    assert_int_equal(got[count], 99);
    cqlox_store_close(&s);
    simdisk_fini(&disk);
    (void)whole;
}

static void damage_at_every_byte_keeps_the_beginning(void **state)
{
    (void)state;
    uint64_t ends[PUT];
    simbytes whole = make_file(ends);
    simdisk_fini(&disk);
    static const uint8_t flips[] = {0x01, 0x80, 0xff};
    for (size_t at = 0; at < whole.len; at++)
        for (size_t f = 0; f < sizeof flips; f++) {
            whole.ptr[at] ^= flips[f];
            assert_survives(&whole, ends, whole.ptr, whole.len, at);
            whole.ptr[at] ^= flips[f];
        }
    simdisk_init(&disk);
    free(whole.ptr);
}

static void a_file_cut_at_every_byte_keeps_the_beginning(void **state)
{
    (void)state;
    uint64_t ends[PUT];
    simbytes whole = make_file(ends);
    simdisk_fini(&disk);
    for (size_t len = 1; len <= whole.len; len++)
        assert_survives(&whole, ends, whole.ptr, len, len);
    simdisk_init(&disk);
    free(whole.ptr);
}

/* On a disk with no room for the file a second time. */
static void damage_is_cut_off_where_there_is_little_room(void **state)
{
    static const int32_t wanted[] = {2, 3, 4, 5, 6, 7, 8, 9, 10};
    (void)state;
    uint64_t ends[PUT];
    simbytes whole = make_file(ends);
    size_t rest = whole.len - (size_t)ends[PUT - 2];
    whole.ptr[whole.len - 1] ^= 1;
    simdisk_put(&disk, "box", whole.ptr, whole.len);
    disk.room = simdisk_used(&disk) + rest;
    cqlox_store s;
    open_store(&s, SMALL);
    assert_string_equal(s.aside, "box.damaged-1");
    disk.dead = true;
    cqlox_store_close(&s);
    simdisk_restart(&disk, SIMDISK_LOSE_ALL, 0);
    assert_holds(SMALL, 3, wanted, CQL_COUNT(wanted));
    assert_null(simdisk_file(&disk, "box.damaged-2")); /* the cut stays */
    assert_int_equal(simdisk_file(&disk, "box")->len, ends[PUT - 2]);
    assert_true(is_aside(whole.ptr + ends[PUT - 2], rest));
    free(whole.ptr);
}

/* Each opening that comes to nothing would leave a copy more. */
static void what_cannot_be_cut_off_is_not_set_aside(void **state)
{
    (void)state;
    uint64_t ends[PUT];
    cqlox_store s;
    simbytes whole = make_file(ends);
    whole.ptr[0] ^= 1; /* nothing good in it */
    simdisk_put(&disk, "box", whole.ptr, whole.len);
    for (size_t more = 0; more <= whole.len; more += whole.len) {
        disk.room = simdisk_used(&disk) + more + 10;
        assert_int_equal(cqlox_store_open(&s, &disk.fs, outbox_memory(), "box", SMALL), CQL_SYSTEM);
        assert_non_null(strstr(s.why, more ? "cannot write box.new: No space left" :
                                             "cannot write box.damaged-1: No space left"));
        assert_null(simdisk_file(&disk, "box.damaged-1"));
        assert_memory_equal(simdisk_file(&disk, "box")->ptr, whole.ptr, whole.len);
    }
    disk.room = 0;
    open_store(&s, SMALL);
    assert_string_equal(s.aside, "box.damaged-1");
    assert_true(is_aside(whole.ptr, whole.len));
    cqlox_store_close(&s);
    free(whole.ptr);
}

enum { NAMES = 999 };

/* More damage than names, over the years: the outbox opens all the same. */
static void the_last_name_is_written_over(void **state)
{
    const cqlox_files *fs = &cqlox_files_posix;
    char folder[] = "outbox-test-XXXXXX", path[64], name[80];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/box", folder);
    for (unsigned i = 1; i <= NAMES; i++) {
        snprintf(name, sizeof name, "%s.damaged-%u", path, i);
        fs->close(NULL, fs->open(NULL, name, CQLOX_NEW));
    }
    int fd = fs->open(NULL, path, CQLOX_NEW);
    assert_int_equal(fs->write(NULL, fd, 0, "what is no outbox", 17), 0);
    fs->close(NULL, fd);
    cqlox_store s;
    assert_int_equal(cqlox_store_open(&s, fs, outbox_memory(), path, SMALL), CQL_OK);
    assert_string_equal(s.aside, name);
    assert_int_equal(s.aside_bytes, 17);
    cqlox_store_close(&s);
    for (unsigned i = 1; i <= NAMES; i++) {
        snprintf(name, sizeof name, "%s.damaged-%u", path, i);
        unlink(name);
    }
    remove_all(path);
    assert_int_equal(rmdir(folder), 0);
}

/* Whole records that do not belong there, as an old disk block may hold. */
static void records_out_of_order_end_the_good_part(void **state)
{
    (void)state;
    uint64_t ends[PUT];
    simbytes whole = make_file(ends);
    cqlox_store s;
    size_t len = (size_t)(ends[3] - ends[2]);
    uint8_t *bytes = malloc(whole.len + len);
    memcpy(bytes, whole.ptr, whole.len);
    memcpy(bytes + whole.len, whole.ptr + ends[2], len); /* number 4 once more */
    simdisk_put(&disk, "box", bytes, whole.len + len);
    open_store(&s, SMALL);
    assert_int_equal(outbox_read_all(&s, got, ALL, NULL), PUT - 2);
    assert_int_equal(s.aside_bytes, len);
    cqlox_store_close(&s);
    uint8_t mark[CQLOX_MARK];
    cqlox_done_write(mark, PUT + 1); /* of what was never there */
    memcpy(bytes + whole.len, mark, sizeof mark);
    simdisk_put(&disk, "box", bytes, whole.len + sizeof mark);
    open_store(&s, SMALL);
    assert_string_equal(s.aside, "box.damaged-2");
    assert_int_equal(outbox_read_all(&s, got, ALL, NULL), PUT - 2);
    cqlox_store_close(&s);
    free(bytes);
    free(whole.ptr);
}

static void an_empty_file_is_a_new_one(void **state)
{
    (void)state;
    cqlox_store s;
    simdisk_put(&disk, "box", "", 0);
    open_store(&s, SMALL);
    assert_null(s.aside);
    assert_int_equal(outbox_append(&s, 1, true), CQL_OK);
    cqlox_store_close(&s);
    assert_holds(SMALL, 1, (const int32_t[]){1}, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh_disk, drop_disk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_added_comes_back_in_order),
        TEST(numbers_and_times_go_on_when_all_has_ended),
        TEST(a_file_is_written_anew_when_that_is_worth_it),
        TEST(a_rewrite_that_failed_is_not_tried_at_once),
        TEST(the_cap_holds),
        TEST(a_second_one_is_told_that_it_is_in_use),
        TEST(reading_goes_on_over_a_compaction),
        TEST(a_crash_at_every_operation_loses_nothing_promised),
        TEST(without_sync_a_good_beginning_is_left),
        TEST(a_crash_while_damage_is_set_aside_loses_nothing),
        TEST(a_process_killed_at_every_write_loses_nothing),
        cmocka_unit_test(another_process_is_told_that_it_is_in_use),
        TEST(a_failure_of_any_operation_loses_nothing),
        TEST(a_disk_that_was_full_takes_what_it_has_room_for),
        TEST(a_disk_that_refuses_is_named),
        cmocka_unit_test(places_beyond_2_gib_are_reached),
        TEST(a_file_that_changes_under_it_is_noticed),
        TEST(memory_may_end_anywhere),
        TEST(damage_at_every_byte_keeps_the_beginning),
        TEST(a_file_cut_at_every_byte_keeps_the_beginning),
        TEST(damage_is_cut_off_where_there_is_little_room),
        TEST(what_cannot_be_cut_off_is_not_set_aside),
        cmocka_unit_test(the_last_name_is_written_over),
        TEST(records_out_of_order_end_the_good_part),
        TEST(an_empty_file_is_a_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
