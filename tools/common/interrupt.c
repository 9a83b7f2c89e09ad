/* Signals as a flag; blocked but while tool_poll waits. */
#include "common/interrupt.h"

#include "common/pollmask.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t caught;
static sigset_t outside; /* the mask while waiting */
static bool catching;
static struct sigaction old_int, old_term;

static void on_signal(int number)
{
    caught = number;
}

void tool_catch_interrupts(void)
{
    struct sigaction action, ignore;
    memset(&action, 0, sizeof action);
    memset(&ignore, 0, sizeof ignore);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND;
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGINT, &action, &old_int);
    sigaction(SIGTERM, &action, &old_term);
    sigaction(SIGPIPE, &ignore, NULL);
    sigprocmask(SIG_SETMASK, NULL, &outside);
    catching = true;
}

void tool_release_interrupts(void)
{
    if (!catching)
        return;
    catching = false;
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    if (caught)
        (void)raise((int)caught);
}

int tool_interrupted(void)
{
    return (int)caught;
}

int tool_poll_us(struct pollfd *fds, unsigned long count, int64_t timeout_us)
{
    struct timespec limit = {(time_t)(timeout_us / 1000000), (long)(timeout_us % 1000000) * 1000};
    sigset_t both, before;
    if (!catching)
        return tool_ppoll(fds, count, timeout_us < 0 ? NULL : &limit, NULL);
    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    sigprocmask(SIG_BLOCK, &both, &before);
    int ready = caught ? -1 : tool_ppoll(fds, count, timeout_us < 0 ? NULL : &limit, &outside);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ready;
}

int tool_poll(struct pollfd *fds, unsigned long count, int timeout_ms)
{
    return tool_poll_us(fds, count, timeout_ms < 0 ? -1 : (int64_t)timeout_ms * 1000);
}
