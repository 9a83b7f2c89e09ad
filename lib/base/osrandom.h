/* osrandom.h: the two things that UUIDs need from the system.
 *
 * The layers below net get time and randomness as arguments. UUIDs are the exception: programs make
 * them anywhere, without a session, and they are worth nothing when they repeat. This file is the
 * only place below net that asks the system, so that the exception stays visible. */
#ifndef CQLN_BASE_OSRANDOM_H
#define CQLN_BASE_OSRANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills the block from the system's random source (getrandom, else /dev/urandom). Where neither can
 * be had, a mix of clock, process and address fills it, which does not repeat but can be guessed:
 * nothing secret may be made of it. Never waits once the system has started. [any thread] */
void cqln_os_random(void *block, size_t size);
/* 100 ns steps of the system's wall clock since the epoch. [any thread] */
int64_t cqln_os_unix_ticks(void);
/* Runs the function in every child process that is forked from now on. What cannot be registered
 * for want of memory does not run. [any thread] */
void cqln_os_at_fork(void (*child)(void));

#endif
