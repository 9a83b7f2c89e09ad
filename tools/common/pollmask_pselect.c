/* pollmask_pselect.c: for a system without ppoll (macOS). Descriptors below FD_SETSIZE only; a peer that has gone
 * shows as something to read. */
#include "common/pollmask.h"

#include <errno.h>
#include <stdint.h>
#include <sys/select.h>

enum { SETS = 2 };

static const short events[SETS] = {POLLIN, POLLOUT};

/* As systems differ in the type that FD_SET takes: one that every other holds. */
static uint16_t bit_of(int fd)
{
    return (uint16_t)fd;
}

/* The highest descriptor and one; -1: one is too high. */
static int fill(const struct pollfd *fds, unsigned long count, fd_set sets[SETS])
{
    int end = 0;
    for (int k = 0; k < SETS; k++)
        FD_ZERO(&sets[k]);
    for (unsigned long i = 0; i < count; i++) {
        int fd = fds[i].fd;
        if (fd >= FD_SETSIZE)
            return -1;
        for (int k = 0; k < SETS && fd >= 0; k++)
            if (fds[i].events & events[k])
                FD_SET(bit_of(fd), &sets[k]);
        if (fd >= end)
            end = fd + 1;
    }
    return end;
}

int tool_ppoll(struct pollfd *fds, unsigned long count, const struct timespec *limit,
               const sigset_t *mask)
{
    fd_set sets[SETS];
    int ready = 0;
    int end = fill(fds, count, sets);
    if (end < 0) {
        errno = EINVAL;
        return -1;
    }
    if (pselect(end, &sets[0], &sets[1], NULL, limit, mask) < 0)
        return -1;
    for (unsigned long i = 0; i < count; i++) {
        fds[i].revents = 0;
        for (int k = 0; k < SETS && fds[i].fd >= 0; k++)
            if (FD_ISSET(bit_of(fds[i].fd), &sets[k]))
                fds[i].revents = (short)(fds[i].revents | events[k]);
        ready += fds[i].revents != 0;
    }
    return ready;
}
