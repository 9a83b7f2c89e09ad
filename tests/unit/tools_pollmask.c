/* Waiting for descriptors with a mask of signals, by either implementation. */
#include "common/pollmask.h"
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static int pair[2];
static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
}

static int open_pair(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int close_pair(void **state)
{
    (void)state;
    close(pair[0]);
    close(pair[1]);
    return 0;
}

static void what_is_ready_is_told_and_nothing_else(void **state)
{
    (void)state;
    const struct timespec now = {0, 0}, soon = {0, 2000000};
    struct pollfd fds[3] = {{.fd = pair[0], .events = POLLIN, .revents = POLLOUT},
                            {.fd = -1, .events = POLLIN | POLLOUT, .revents = POLLIN},
                            {.fd = pair[1], .events = POLLIN}};
    assert_int_equal(tool_ppoll(fds, 3, &soon, NULL), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(fds[i].revents, 0);
    fds[2].events = POLLIN | POLLOUT;
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_int_equal(tool_ppoll(fds, 3, NULL, NULL), 2);
    assert_int_equal(fds[0].revents, POLLIN);
    assert_int_equal(fds[1].revents, 0);
    assert_int_equal(fds[2].revents, POLLOUT);
    assert_int_equal(tool_ppoll(fds, 1, &now, NULL), 1);
}

static void a_peer_that_is_gone_wakes(void **state)
{
    (void)state;
    struct pollfd fd = {.fd = pair[0], .events = POLLIN};
    shutdown(pair[1], SHUT_RDWR);
    assert_int_equal(tool_ppoll(&fd, 1, NULL, NULL), 1);
    assert_true(fd.revents & POLLIN);
}

/* One that was blocked until then ends the wait at once. */
static void a_signal_that_the_mask_lets_through_ends_the_wait(void **state)
{
    (void)state;
    struct sigaction action, old;
    sigset_t one, outside;
    struct pollfd fd = {.fd = pair[0], .events = POLLIN};
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGUSR1, &action, &old);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    sigprocmask(SIG_BLOCK, &one, &outside);
    raise(SIGUSR1);
    assert_int_equal(caught, 0);
    assert_int_equal(tool_ppoll(&fd, 1, NULL, &outside), -1);
    assert_int_equal(errno, EINTR);
    assert_int_equal(caught, SIGUSR1);
    sigprocmask(SIG_SETMASK, &outside, NULL);
    sigaction(SIGUSR1, &old, NULL);
}

static void a_descriptor_that_cannot_be_watched_is_refused(void **state)
{
    (void)state;
    const struct timespec now = {0, 0};
    struct pollfd fd = {.fd = FD_SETSIZE, .events = POLLIN};
    int ready = tool_ppoll(&fd, 1, &now, NULL);
    assert_true(ready == -1 || (ready == 1 && fd.revents == POLLNVAL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_ready_is_told_and_nothing_else, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(a_peer_that_is_gone_wakes, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(a_signal_that_the_mask_lets_through_ends_the_wait, open_pair,
                                        close_pair),
        cmocka_unit_test(a_descriptor_that_cannot_be_watched_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
