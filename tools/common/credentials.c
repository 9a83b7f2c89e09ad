/* Where a password may come from. */
#include "common/credentials.h"

#include "common/memory.h"
#include "common/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWORD_LIMIT 4096

/* Copies a variable and overwrites it, so that neither children nor /proc show it any longer. */
char *tool_take_variable(const char *name)
{
    char *value = getenv(name);
    char *copy = value && *value ? tool_copy(value) : NULL;
    if (value)
        tool_wipe(value, strlen(value));
    unsetenv(name);
    return copy;
}

void tool_credentials_init(tool_credentials *c)
{
    c->user = tool_take_variable("CQL_USERNAME");
    c->password = tool_take_variable("CQL_PASSWORD");
    c->password_file = NULL;
    c->password_fd = -1;
}

static void set_password(tool_credentials *c, char *password)
{
    if (c->password)
        tool_wipe(c->password, strlen(c->password));
    free(c->password);
    c->password = password;
}

/* The first line of a descriptor; NULL with errno when it cannot be read, 0 when it is too long. */
static char *read_line(int fd)
{
    char line[PASSWORD_LIMIT + 1];
    size_t used = 0;
    bool ended = false;
    while (!ended && used < PASSWORD_LIMIT) {
        ssize_t got = read(fd, line + used, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return NULL;
        ended = got == 0 || line[used] == '\n';
        used += !ended;
    }
    if (used && line[used - 1] == '\r')
        used--;
    line[used] = '\0';
    char *copy = ended ? tool_copy(line) : NULL;
    tool_wipe(line, sizeof line);
    errno = 0;
    return copy;
}

static char *read_secret(const char *what, int fd, char *why, size_t size)
{
    char *line = fd >= 0 ? read_line(fd) : NULL;
    if (!line) {
        snprintf(why, size, "%s: %s", what, errno ? strerror(errno) : "the line is too long");
    } else if (!*line) { /* servers take none, in words that help nobody */
        snprintf(why, size, "%s: the first line is empty", what);
        free(line);
        line = NULL;
    }
    return line;
}

void tool_warn_of_readers(int fd, const char *path)
{
    struct stat info;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & S_IRWXO))
        fprintf(stderr, "warning: %s can be read by every user (chmod 600 mends it)\n", path);
}

char *tool_read_secret_file(const char *path, char *why, size_t why_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        tool_warn_of_readers(fd, path);
    char *line = read_secret(path, fd, why, why_size);
    if (fd >= 0)
        close(fd);
    return line;
}

static bool took_password(tool_credentials *c, char *line)
{
    if (line)
        set_password(c, line);
    return line != NULL;
}

static bool ask(tool_credentials *c, char *why, size_t size)
{
    char *prompt = tool_format("Password of %s: ", c->user);
    char *password = tool_prompt_secret(prompt);
    free(prompt);
    if (password)
        set_password(c, password);
    else
        snprintf(why, size,
                 "no password for user '%s': use --password-file, --password-fd or CQL_PASSWORD",
                 c->user);
    return password != NULL;
}

bool tool_credentials_settle(tool_credentials *c, char *why, size_t why_size)
{
    char what[40];
    if (c->password_file &&
        !took_password(c, tool_read_secret_file(c->password_file, why, why_size)))
        return false;
    snprintf(what, sizeof what, "descriptor %d", c->password_fd);
    if (c->password_fd >= 0 &&
        !took_password(c, read_secret(what, c->password_fd, why, why_size)))
        return false;
    if (c->password && !c->user) {
        snprintf(why, why_size, "a password without a user: give --user or CQL_USERNAME");
        return false;
    }
    return !c->user || c->password || ask(c, why, why_size);
}

void tool_credentials_free(tool_credentials *c)
{
    set_password(c, NULL);
    free(c->user);
    free(c->password_file);
    tool_credentials empty = {NULL, NULL, NULL, -1};
    *c = empty;
}
