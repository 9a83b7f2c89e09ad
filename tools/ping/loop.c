/* One poll over the descriptors of all sessions. */
#include "ping/loop.h"

#include "common/interrupt.h"
#include "common/memory.h"
#include "ping/clock.h"
#include "ping/live.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define LONGEST_NAP_MS 1000

/* Milliseconds until something is due, rounded up, so that the loop does not wake too early. */
static int nap_ms(const ping_node *nodes, size_t count)
{
    uint64_t now = ping_now_us();
    int nap = LONGEST_NAP_MS;
    for (size_t i = 0; i < count; i++) {
        uint64_t due = ping_node_due_us(&nodes[i]);
        uint64_t left = due <= now ? 0 : (due - now + 999) / 1000;
        if (left < (uint64_t)nap)
            nap = (int)left;
        int session = nodes[i].session ? cql_session_deadline(nodes[i].session) : -1;
        if (session >= 0 && session < nap)
            nap = session;
    }
    return nap;
}

static bool all_finished(const ping_node *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (nodes[i].state != PING_FINISHED)
            return false;
    return true;
}

void ping_run(ping_node *nodes, size_t count)
{
    struct pollfd *fds = tool_alloc(count, sizeof *fds);
    ping_live live = {.on = count && nodes[0].config->live};
    while (!tool_interrupted() && !ferror(stdout)) { /* nobody reads any longer: no use to go on */
        for (size_t i = 0; i < count; i++)
            ping_node_step(&nodes[i]);
        ping_live_draw(&live, nodes, count, false);
        if (all_finished(nodes, count))
            break;
        for (size_t i = 0; i < count; i++) {
            fds[i].fd = nodes[i].session ? cql_session_fd(nodes[i].session) : -1;
            fds[i].events = POLLIN;
        }
        (void)tool_poll(fds, count, nap_ms(nodes, count));
        for (size_t i = 0; i < count; i++)
            if (nodes[i].session)
                (void)cql_session_drive(nodes[i].session, 0);
    }
    for (size_t i = 0; i < count; i++)
        if (nodes[i].state != PING_FINISHED)
            ping_node_stop(&nodes[i]);
    ping_live_draw(&live, nodes, count, true);
    free(fds);
}

tool_exit ping_exit_code(const ping_node *nodes, size_t count)
{
    uint64_t sent = 0, answered = 0;
    tool_exit worst = TOOL_EXIT_UNREACHED;
    for (size_t i = 0; i < count; i++) {
        sent += nodes[i].stats.sent;
        answered += nodes[i].stats.answered;
        if (nodes[i].failure == TOOL_EXIT_USAGE || nodes[i].failure == TOOL_EXIT_DENIED)
            worst = nodes[i].failure;
    }
    if (answered == 0)
        return worst;
    return answered < sent ? TOOL_EXIT_FAILED : TOOL_EXIT_OK;
}
