/* pollmask.h: ppoll, also for systems that have none. */
#ifndef TOOL_POLLMASK_H
#define TOOL_POLLMASK_H

#include <poll.h>
#include <signal.h>
#include <time.h>

/* Waits as poll does, with this mask of signals meanwhile; NULL: no limit, the mask as it is. */
int tool_ppoll(struct pollfd *fds, unsigned long count, const struct timespec *limit,
               const sigset_t *mask);

#endif
