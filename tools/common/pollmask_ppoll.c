/* pollmask_ppoll.c: the system's own. */
#include "config.h"

#include "common/pollmask.h"

int tool_ppoll(struct pollfd *fds, unsigned long count, const struct timespec *limit,
               const sigset_t *mask)
{
    return ppoll(fds, (nfds_t)count, limit, mask);
}
