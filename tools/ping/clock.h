/* clock.h: the time since some point in the past, in microseconds; never goes back. */
#ifndef PING_CLOCK_H
#define PING_CLOCK_H

#include <stdint.h>

uint64_t ping_now_us(void);

#endif
