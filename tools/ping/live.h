/* live.h: a table of all nodes on a terminal, drawn again over itself as answers come.
 *
 *   ping_live live = {.on = ping_live_wanted(&config)};
 *   ping_live_draw(&live, nodes, count, false);       (each turn: draws at most ten times a second)
 *   ping_live_draw(&live, nodes, count, true);        (the last time) */
#ifndef PING_LIVE_H
#define PING_LIVE_H

#include "ping/node.h"

typedef struct ping_live {
    bool on;
    uint64_t drawn_us; /* when; 0: never */
    uint64_t sent;     /* what was shown then, to see whether anything is new */
    size_t lines;      /* how many lines stand there now */
} ping_live;

/* --all for people, and standard output is a terminal. */
bool ping_live_wanted(const ping_config *config);
void ping_live_draw(ping_live *live, const ping_node *nodes, size_t count, bool last);

#endif
