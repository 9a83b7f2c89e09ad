/* chatdemo.c: writes chat messages into twitch_chat.raw_chat_messages and reads them back. The
 * schema is cql/chatbattle.cql. Writing is prepared, asynchronous and bounded: this thread submits,
 * callbacks come on the session's thread, and a full queue makes this thread wait. Reading goes
 * page by page and checks every message.
 *
 *   chatdemo [cql://HOST[:PORT]] [MESSAGES]
 *
 * Without a connection string: the environment (CQL_CONTACT_POINTS ...), else 127.0.0.1. */
#include <cqlnative/cql.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHANNELS 3
#define PAGE     500
#define MOST     "256" /* requests on their way at a time */

#define INSERT                                                                                     \
    "INSERT INTO twitch_chat.raw_chat_messages"                                                    \
    " (channel_id, timestamp, message_id, user_id, username, message, emotes)"                     \
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
#define SELECT                                                                                     \
    "SELECT timestamp, message_id, username, message, emotes"                                      \
    " FROM twitch_chat.raw_chat_messages WHERE channel_id = ?"

typedef struct demo {
    cql_session *session;
    long count;
    cql_uuid *ids; /* of each message */
    bool *seen;
    char channels[CHANNELS][48];
    int64_t begin_ms;

    pthread_mutex_t lock; /* what follows is shared with the callbacks */
    pthread_cond_t changed;
    bool room;
    long answered, failed;
    cql_error *first_error;
} demo;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- writing -------------------------------------------------------------------------------------
 */

static void written(cql_session *s, const cql_error *err, const cql_result *res, void *user)
{
    demo *d = user;
    (void)s;
    (void)res;
    pthread_mutex_lock(&d->lock);
    d->answered++;
    d->failed += err != NULL;
    if (err && !d->first_error)
        d->first_error = cql_error_ref(err);
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

static void room_again(cql_session *s, void *user)
{
    demo *d = user;
    (void)s;
    pthread_mutex_lock(&d->lock);
    d->room = true;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

static cql_status submit(demo *d, const cql_statement *stmt)
{
    for (;;) {
        pthread_mutex_lock(&d->lock);
        d->room = false;
        pthread_mutex_unlock(&d->lock);
        cql_status st = cql_session_execute(d->session, stmt, written, d);
        if (st != CQL_WOULD_BLOCK)
            return st;
        pthread_mutex_lock(&d->lock);
        while (!d->room)
            pthread_cond_wait(&d->changed, &d->lock);
        pthread_mutex_unlock(&d->lock);
    }
}

static void message_text(char *out, size_t size, long number)
{
    snprintf(out, size, "message %ld \xe2\x80\x94 gl hf \xf0\x9f\x8e\xae", number);
}

/* Every third message has emotes; an empty list would be stored as null anyway. */
static cql_status set_emotes(cql_collection *list, long number)
{
    cql_collection_clear(list);
    for (long i = 0; i < number % 3; i++) {
        cql_status st = cql_collection_add(list, cql_value_text(i ? "Kappa" : "PogChamp"));
        if (st != CQL_OK)
            return st;
    }
    return CQL_OK;
}

static cql_status bind_message(demo *d, cql_statement *stmt, cql_collection *emotes, long number,
                               cql_error **err)
{
    char text[64], user[32], name[32];
    message_text(text, sizeof text, number);
    snprintf(user, sizeof user, "%ld", 1000 + number % 40);
    snprintf(name, sizeof name, "viewer%ld", number % 40);
    cql_status st = set_emotes(emotes, number);
    if (st != CQL_OK)
        return st;
    return cql_statement_bind(
        stmt,
        CQL_VALUES(cql_value_text(d->channels[number % CHANNELS]),
                   cql_value_int64(d->begin_ms + number), cql_value_uuid(d->ids[number]),
                   cql_value_text(user), cql_value_text(name), cql_value_text(text),
                   number % 3 ? cql_value_collection(emotes) : cql_value_unset()),
        err);
}

static void show_progress(const char *what, long done, long all)
{
    if (isatty(STDERR_FILENO) && (done % 500 == 0 || done == all))
        fprintf(stderr, "\r%s %ld of %ld%s", what, done, all, done == all ? "\r\033[K" : "");
}

static cql_status submit_all(demo *d, cql_statement *stmt, cql_error **err)
{
    cql_collection *emotes = NULL;
    long submitted = 0;
    cql_status st = cql_collection_new(CQL_TYPE_LIST, NULL, &emotes);
    while (st == CQL_OK && submitted < d->count) {
        d->ids[submitted] = cql_uuid_random();
        st = bind_message(d, stmt, emotes, submitted, err);
        if (st == CQL_OK)
            st = submit(d, stmt);
        submitted += st == CQL_OK;
        show_progress("writing", submitted, d->count);
    }
    cql_collection_free(emotes);
    pthread_mutex_lock(&d->lock);
    while (d->answered < submitted)
        pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
    return st;
}

static cql_status write_messages(demo *d, cql_error **err)
{
    cql_prepared *insert = NULL;
    cql_statement *stmt = NULL;
    double began = seconds_now();
    cql_status st = cql_session_prepare_wait(d->session, INSERT, &insert, err);
    if (st == CQL_OK && !(stmt = cql_prepared_bind(insert)))
        st = CQL_NO_MEMORY;
    if (st == CQL_OK) {
        cql_statement_set_idempotent(stmt, true);
        st = submit_all(d, stmt, err);
    }
    cql_statement_free(stmt);
    cql_prepared_unref(insert);
    double took = seconds_now() - began;
    if (st == CQL_OK && !d->failed)
        printf("wrote %ld chat messages into %d channels in %.1f s (%.0f a second, at most " MOST
               " on their way at a time)\n",
               d->count, CHANNELS, took, (double)d->count / took);
    return st;
}

/* --- reading -------------------------------------------------------------------------------------
 */

/* The message that a row holds must be one that was written, as it was written, and new. */
static bool check_row(demo *d, cql_rows *rows, const cql_result *res, int64_t *last)
{
    int64_t at = cql_rows_int64(rows, 0);
    long number = (long)(at - d->begin_ms);
    cql_uuid id = cql_rows_uuid(rows, 1);
    cql_value emotes = cql_rows_value(rows, 4);
    char text[64], name[32];
    cql_items items;
    if (number < 0 || number >= d->count || d->seen[number] || at >= *last)
        return false;
    *last = at;
    d->seen[number] = true;
    message_text(text, sizeof text, number);
    snprintf(name, sizeof name, "viewer%ld", number % 40);
    if (cql_items_init(&items, cql_result_column_type(res, 4), &emotes) != CQL_OK)
        return false;
    return memcmp(id.bytes, d->ids[number].bytes, sizeof id.bytes) == 0 &&
           cql_str_equal(cql_rows_str(rows, 2), cql_str_of(name)) &&
           cql_str_equal(cql_rows_str(rows, 3), cql_str_of(text)) &&
           (long)items.count == number % 3;
}

static cql_status check_page(demo *d, const cql_result *res, int64_t *last, long *found)
{
    cql_rows rows;
    cql_rows_init(&rows, res);
    while (cql_rows_next(&rows)) {
        if (!check_row(d, &rows, res, last))
            return CQL_BAD_VALUE;
        ++*found;
        show_progress("reading", *found, d->count);
    }
    return cql_rows_status(&rows);
}

static cql_status read_channel(demo *d, cql_statement *stmt, const char *channel, long *found,
                               long *pages, cql_error **err)
{
    int64_t last = INT64_MAX; /* newest first */
    bool more = true;
    cql_str first_page = {NULL, 0};
    cql_status st = cql_statement_bind_text(stmt, 0, channel);
    if (st == CQL_OK)
        st = cql_statement_set_paging_state(stmt, first_page);
    while (st == CQL_OK && more) {
        cql_result *res = NULL;
        st = cql_session_execute_wait(d->session, stmt, &res, err);
        if (st == CQL_OK)
            st = check_page(d, res, &last, found);
        more = st == CQL_OK && cql_result_has_more(res);
        if (more)
            st = cql_statement_set_paging_state(stmt, cql_result_paging_state(res));
        cql_result_unref(res);
        ++*pages;
    }
    return st;
}

static cql_status read_messages(demo *d, cql_error **err)
{
    cql_prepared *select = NULL;
    cql_statement *stmt = NULL;
    long found = 0, pages = 0;
    double began = seconds_now();
    cql_status st = cql_session_prepare_wait(d->session, SELECT, &select, err);
    if (st == CQL_OK && !(stmt = cql_prepared_bind(select)))
        st = CQL_NO_MEMORY;
    if (st == CQL_OK)
        st = cql_statement_set_page_size(stmt, PAGE);
    for (int i = 0; st == CQL_OK && i < CHANNELS; i++)
        st = read_channel(d, stmt, d->channels[i], &found, &pages, err);
    cql_statement_free(stmt);
    cql_prepared_unref(select);
    if (st == CQL_BAD_VALUE || (st == CQL_OK && found != d->count)) {
        printf("read %ld of %ld messages; what came back is not what was written\n", found,
               d->count);
        return CQL_BAD_VALUE;
    }
    if (st == CQL_OK)
        printf("read all %ld back on %ld pages in %.1f s, newest first, each one as it was "
               "written\n",
               found, pages, seconds_now() - began);
    return st;
}

/* --- the whole -----------------------------------------------------------------------------------
 */

static cql_status open_session(demo *d, const char *url, cql_error **err)
{
    cql_options *o = NULL;
    cql_status st = cql_options_new(NULL, &o);
    if (st == CQL_OK)
        st = cql_options_from_environment(o, err);
    if (st == CQL_OK && url)
        st = cql_options_parse(o, url, err);
    if (st == CQL_OK && !url && !getenv("CQL_CONTACT_POINTS"))
        st = cql_options_set_contact_points(o, "127.0.0.1", err);
    if (st == CQL_OK)
        st = cql_options_set(o, "max_pending_requests", MOST, err);
    if (st == CQL_OK)
        st = cql_session_new(o, &d->session, err);
    if (st == CQL_OK)
        st = cql_session_connect_wait(d->session, err);
    if (st == CQL_OK)
        st = cql_session_on_drain(d->session, room_again, d);
    cql_options_free(o);
    return st;
}

/* Channels of this run alone, so that what earlier runs wrote does not count. */
static void name_channels(demo *d)
{
    char id[CQL_UUID_TEXT_SIZE];
    cql_uuid run = cql_uuid_random();
    cql_uuid_print(&run, id);
    for (int i = 0; i < CHANNELS; i++)
        snprintf(d->channels[i], sizeof d->channels[i], "demo-%d-%.8s", i + 1, id);
    d->begin_ms = (int64_t)time(NULL) * 1000;
}

int main(int argc, char **argv)
{
    bool has_url = argc > 1 && strncmp(argv[1], "cql://", 6) == 0;
    const char *count = argc > 1 + has_url ? argv[1 + has_url] : "10000";
    demo d = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    cql_error *err = NULL;
    char *end;

    d.count = strtol(count, &end, 10);
    if (*end || d.count < 1 || d.count > 10000000) {
        fprintf(stderr, "usage: chatdemo [cql://HOST[:PORT]] [MESSAGES]\n");
        return 2;
    }
    d.ids = calloc((size_t)d.count, sizeof *d.ids);
    d.seen = calloc((size_t)d.count, sizeof *d.seen);
    name_channels(&d);
    cql_status st =
        d.ids && d.seen ? open_session(&d, has_url ? argv[1] : NULL, &err) : CQL_NO_MEMORY;
    if (st == CQL_OK)
        st = write_messages(&d, &err);
    if (st == CQL_OK && !d.failed)
        st = read_messages(&d, &err);
    const cql_error *told = err ? err : d.first_error;
    if (told)
        fprintf(stderr, "chatdemo: %s\n", cql_error_text(told));
    else if (st != CQL_OK)
        fprintf(stderr, "chatdemo: %s\n", cql_status_text(st));
    bool failed = st != CQL_OK || d.failed;
    cql_session_free(d.session);
    cql_error_unref(d.first_error);
    cql_error_unref(err);
    free(d.ids);
    free(d.seen);
    return failed;
}
