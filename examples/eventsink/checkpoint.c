/* What is done of a file: a small file beside it. */
#include "eventsink/sink.h"

#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool checkpoint_load(const sink *s, int64_t *offset, int64_t *bytes)
{
    long long o, b;
    FILE *f = s->checkpoint ? fopen(s->checkpoint, "r") : NULL;
    bool fine = f && fscanf(f, "offset %lld bytes %lld", &o, &b) == 2 && o >= 0 && b >= 0;
    if (f)
        fclose(f);
    if (fine) {
        *offset = o;
        *bytes = b;
    }
    return fine;
}

/* The folder's entry too must reach the disk. */
static void sync_folder(const char *path)
{
    char *folder = tool_copy(path);
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(folder);
}

/* At every moment there is a whole checkpoint under the name: the old or the new. */
static bool store(const sink *s, int64_t offset, int64_t bytes)
{
    char *temporary = tool_format("%s.new", s->checkpoint);
    FILE *f = fopen(temporary, "w");
    bool fine = f && fprintf(f, "offset %lld bytes %lld\n", (long long)offset, (long long)bytes) > 0 &&
                fflush(f) == 0 && fsync(fileno(f)) == 0;
    if (f)
        fine = fclose(f) == 0 && fine;
    fine = fine && rename(temporary, s->checkpoint) == 0;
    if (fine)
        sync_folder(s->checkpoint);
    else
        tool_remark(s->app.name, "%s cannot be written: %s", s->checkpoint, strerror(errno));
    free(temporary);
    return fine;
}

bool checkpoint_save(sink *s, tracker *t)
{
    if (!s->checkpoint || t->next < 0 || t->next == t->saved)
        return true;
    if (!sink_sync_dead(s) || !store(s, t->next, t->bytes))
        return false;
    t->saved = t->next;
    return true;
}
