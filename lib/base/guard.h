/* guard.h: functions on the path of each request that need no guard of their stack: what they hand out the address of is
 * no array, so that nothing can run past its end. The compiler's guard (-fstack-protector-strong) counts any address. */
#ifndef CQLN_BASE_GUARD_H
#define CQLN_BASE_GUARD_H

#if defined __has_attribute
#if __has_attribute(no_stack_protector)
#define CQLN_NO_ARRAYS __attribute__((no_stack_protector))
#endif
#endif
#ifndef CQLN_NO_ARRAYS
#define CQLN_NO_ARRAYS
#endif

#endif
