/* msg_help.h: what every decoder is put through: its golden body cut at every length, and with
 * every place of it overwritten by lengths and counts that cannot be. All right before a page that
 * cannot be touched. */
#ifndef TESTS_UNIT_MSG_HELP_H
#define TESTS_UNIT_MSG_HELP_H

#include "unit.h"

#include "msg/request.h"
#include "msg/response.h"

/* Decodes a body; what it builds is freed again, and every view it gives is read to its end. */
typedef cql_status (*msg_decode)(const uint8_t *body, size_t len, const cql_allocator *al,
                                 void *user);

/* Reads a view, so that one out of bounds is noticed; a sum, so that nothing is optimised away. */
unsigned msg_touch(cql_str s);

/* `ends` are lengths at which the body may end all the same (optional trailing parts);
 * 0-terminated. */
void msg_cuts(const char *golden, msg_decode decode, void *user, const size_t *ends);
/* Every 1, 2, 4 bytes replaced. The decoder may give CQL_OK or CQL_MALFORMED, and takes no more
 * memory than `per_byte` for each byte of the body and 16 KiB. */
void msg_hostile(const char *golden, msg_decode decode, void *user, size_t per_byte);
/* Both, and the golden body itself is CQL_OK. */
void msg_torture(const char *golden, msg_decode decode, void *user);

/* An allocator that counts bytes asked for. */
typedef struct msg_meter {
    cql_allocator al;
    size_t bytes;
    size_t live;
} msg_meter;
void msg_meter_init(msg_meter *m);

#endif
