/* standard.h: descriptors 0, 1 and 2 belong to the standard streams, also when the program was started
 * without them. */
#ifndef TOOL_STANDARD_H
#define TOOL_STANDARD_H

/* Puts something into each of the three that is closed, so that no socket or file gets its number.
 * What stands there cannot be used: reading and writing fail as on a closed descriptor. */
void tool_hold_standard(void);

#endif
