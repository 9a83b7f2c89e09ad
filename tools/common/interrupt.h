/* interrupt.h: SIGINT and SIGTERM as a flag, so that a tool can close its session and print its
 * summary.
 *
 *   tool_catch_interrupts();
 *   while (!tool_interrupted()) ...
 *
 * A second signal ends the program at once. SIGPIPE is ignored: a closed pipe shows as a failed
 * write. */
#ifndef TOOL_INTERRUPT_H
#define TOOL_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

void tool_catch_interrupts(void);
/* For a part of the program that does not look at the flag: both do again what they did before, and what
 * came in the meantime is done now. SIGPIPE stays ignored. */
void tool_release_interrupts(void);
/* The number of the signal that came (SIGINT, SIGTERM), 0 for none. */
int tool_interrupted(void);
/* ppoll with the signals let in only while it waits, so that none is missed: returns at once when
 * one came. fds and count as for poll; timeout_ms below 0: no limit. Like poll, -1 when a signal
 * came. */
struct pollfd;
int tool_poll(struct pollfd *fds, unsigned long count, int timeout_ms);
/* The same with a finer time; below 0: no limit. */
int tool_poll_us(struct pollfd *fds, unsigned long count, int64_t timeout_us);

#endif
