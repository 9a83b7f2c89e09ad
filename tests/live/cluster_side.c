/* cluster_side.c: see cluster_side.h. */
#include "cluster_side.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* --- the way of each request ---------------------------------------------------------------------- */

static _Thread_local side_way *next_way;
static char seen_nodes[SIDE_NODES][SIDE_TEXT]; /* 0: none; changed by the session's thread alone */
static uint8_t seen_count = 1;

static uint8_t node_number(const char *address)
{
    for (uint8_t i = 1; i < seen_count; i++)
        if (strcmp(seen_nodes[i], address) == 0)
            return i;
    if (seen_count == SIDE_NODES)
        return 0;
    snprintf(seen_nodes[seen_count], SIDE_TEXT, "%s", address);
    return seen_count++;
}

static void on_start(void *self, const cql_request_note *note, void **slot)
{
    (void)self;
    (void)note;
    *slot = next_way;
    next_way = NULL;
}

static void on_attempt(void *self, const cql_request_note *note, void **slot)
{
    side_way *way = *slot;
    (void)self;
    if (!way)
        return;
    way->sent_us = (uint32_t)note->elapsed_us;
    way->attempts++;
    way->node = node_number(note->host);
}

void side_watch(cql_options *o)
{
    static const cql_request_hooks hooks = {
        .size = sizeof hooks, .start = on_start, .attempt = on_attempt};
    cql_options_set_request_hooks(o, &hooks);
}

void side_next(side_way *way)
{
    next_way = way;
}

const char *side_node(uint8_t node)
{
    return node < seen_count ? seen_nodes[node] : "";
}

/* --- what is held ---------------------------------------------------------------------------------- */

enum { HEAD = 16 }; /* in front of each block: its size */
static _Atomic uint64_t held;

static void *counted_realloc(void *context, void *block, size_t size)
{
    char *old = block ? (char *)block - HEAD : NULL;
    size_t before = old ? *(size_t *)(void *)old : 0;
    char *b = realloc(old, HEAD + size);
    (void)context;
    if (!b)
        return NULL;
    *(size_t *)(void *)b = size;
    atomic_fetch_add(&held, size - before);
    return b + HEAD;
}

static void *counted_malloc(void *context, size_t size)
{
    return counted_realloc(context, NULL, size);
}

static void counted_free(void *context, void *block)
{
    (void)context;
    if (!block)
        return;
    char *b = (char *)block - HEAD;
    atomic_fetch_sub(&held, *(size_t *)(void *)b);
    free(b);
}

const cql_allocator side_counted = {
    .malloc_fn = counted_malloc, .realloc_fn = counted_realloc, .free_fn = counted_free};

uint64_t side_memory(void)
{
    return atomic_load(&held);
}

unsigned side_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

/* --- when a node takes connections again ----------------------------------------------------------- */

static enum { NOT_ASKED, BEFORE, REFUSES } dialling;
static struct sockaddr_in dialled;
static struct timespec last_dial;

void side_dial(const char *address)
{
    const char *colon = strrchr(address, ':');
    char host[SIDE_TEXT];
    if (!colon || (size_t)(colon - address) >= sizeof host)
        return;
    memset(&dialled, 0, sizeof dialled);
    snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
    dialled.sin_family = AF_INET;
    dialled.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    if (inet_pton(AF_INET, host, &dialled.sin_addr) == 1)
        dialling = BEFORE;
}

static bool connects(void)
{
    int error = 0;
    socklen_t size = sizeof error;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    (void)fcntl(s, F_SETFL, O_NONBLOCK);
    bool yes = connect(s, (const struct sockaddr *)&dialled, sizeof dialled) == 0;
    struct pollfd p = {.fd = s, .events = POLLOUT};
    if (!yes && poll(&p, 1, 5) == 1)
        yes = getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0 &&
              !(p.revents & (POLLERR | POLLHUP));
    close(s);
    return yes;
}

bool side_accepts(void)
{
    struct timespec now;
    if (dialling == NOT_ASKED)
        return false;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((now.tv_sec - last_dial.tv_sec) * 1000 + (now.tv_nsec - last_dial.tv_nsec) / 1000000 < 10)
        return false;
    last_dial = now;
    bool yes = connects();
    if (!yes)
        dialling = REFUSES;
    else if (dialling == REFUSES)
        dialling = NOT_ASKED;
    return yes && dialling == NOT_ASKED;
}

/* --- what the servers say -------------------------------------------------------------------------- */

static pthread_t asker;
static bool asking;
static side_question question;

static cql_session *session_with(const char *node, const char *data_center)
{
    cql_options *o = NULL;
    cql_session *s = NULL;
    cql_status st = cql_options_new(NULL, &o);
    if (st == CQL_OK)
        st = cql_options_from_environment(o, NULL);
    if (st == CQL_OK)
        st = cql_options_parse(o, question.url, NULL);
    if (st == CQL_OK)
        st = cql_options_set(o, "allow_hosts", node, NULL);
    if (st == CQL_OK)
        st = cql_options_set(o, "local_dc", data_center, NULL);
    if (st == CQL_OK)
        st = cql_options_set(o, "application", "witness", NULL);
    if (st == CQL_OK)
        st = cql_session_new(o, &s, NULL);
    if (st == CQL_OK)
        st = cql_session_connect_wait(s, NULL);
    cql_options_free(o);
    if (st == CQL_OK)
        return s;
    cql_session_free(s);
    return NULL;
}

static int count_connections(const cql_result *res)
{
    static const char load[] = "cluster_probe";
    int count = 0;
    cql_rows rows;
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows)) {
        cql_str name = cql_rows_str(&rows, 0);
        count += name.len == sizeof load - 1 && memcmp(name.ptr, load, name.len) == 0;
    }
    return count;
}

/* The connections that it counts, or 0 when its rows are read; -1 when it cannot say. */
static int answer_of(size_t node)
{
    char cql[160];
    cql_statement *st = NULL;
    cql_result *res = NULL;
    int n = -1;
    cql_session *s = session_with(question.nodes[node], question.data_centers[node]);
    if (question.keyspace)
        snprintf(cql, sizeof cql, "SELECT id FROM %s.rows WHERE id IN (0, 1, 2)", question.keyspace);
    else
        snprintf(cql, sizeof cql, "SELECT driver_name FROM system_views.clients");
    if (s && cql_statement_new(cql, 0, NULL, &st) == CQL_OK) {
        cql_statement_set_consistency(st, question.keyspace ? CQL_CONSISTENCY_ALL
                                                            : CQL_CONSISTENCY_ONE);
        if (cql_session_execute_wait(s, st, &res, NULL) == CQL_OK)
            n = question.keyspace ? 0 : count_connections(res);
    }
    cql_result_unref(res);
    cql_statement_free(st);
    cql_session_free(s);
    return n;
}

static void *ask_all(void *unused)
{
    char line[2 * SIDE_TEXT];
    bool all = true;
    (void)unused;
    for (size_t i = 0; i < question.count; i++) {
        int n = -1;
        for (int tries = 0; n < 0 && tries < 120; tries++) {
            n = answer_of(i);
            if (n < 0)
                usleep(500000);
        }
        all &= n >= 0;
        snprintf(line, sizeof line, "clients %s %d", question.nodes[i], n);
        if (!question.keyspace)
            question.say(question.user, line);
    }
    question.say(question.user, !all ? "not answered" : question.keyspace ? "whole" : "counted");
    return NULL;
}

void side_ask(const side_question *q)
{
    if (asking)
        pthread_join(asker, NULL);
    asking = false;
    if (!q)
        return;
    question = *q;
    asking = pthread_create(&asker, NULL, ask_all, NULL) == 0;
}
