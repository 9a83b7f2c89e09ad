/* A line from the terminal, unseen. */
#include "common/prompt.h"

#include "common/memory.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LINE_LIMIT 1024
#define CTRL_C     3
#define CTRL_D     4
#define CTRL_U     21

static void put(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0)
        return; /* the prompt is a courtesy */
}

/* Characters up to Enter into line; the key that ended it. Keys come one by one, since the
 * terminal's own line editing would leave the echo off when Ctrl-C ends the program. */
static char read_keys(int fd, char *line)
{
    size_t used = 0;
    char key = CTRL_D;
    while (read(fd, &key, 1) == 1 && key != '\n' && key != '\r' && key != CTRL_C && key != CTRL_D) {
        if (key == CTRL_U)
            used = 0;
        else if (key == 0x7f || key == '\b')
            used -= used > 0;
        else if (used < LINE_LIMIT - 1)
            line[used++] = key;
        key = CTRL_D;
    }
    line[used] = '\0';
    return key;
}

char *tool_prompt_secret(const char *prompt)
{
    struct termios before, quiet;
    int fd = isatty(STDERR_FILENO) ? open("/dev/tty", O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return NULL;
    if (tcgetattr(fd, &before) != 0) {
        close(fd);
        return NULL;
    }
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
    put(fd, prompt);
    tcsetattr(fd, TCSAFLUSH, &quiet);
    char line[LINE_LIMIT];
    char key = read_keys(fd, line);
    tcsetattr(fd, TCSAFLUSH, &before);
    put(fd, "\n");
    close(fd);
    if (key == CTRL_C)
        raise(SIGINT);
    bool given = key == '\n' || key == '\r';
    char *copy = given ? tool_copy(line) : NULL;
    tool_wipe(line, sizeof line);
    return copy;
}
