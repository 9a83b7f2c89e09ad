/* Standard output and standard error into temporary files and back. */
#include "tools_capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static FILE *files[2];
static int saved[2];
static char text[2][16384];

void capture_begin(void)
{
    for (int i = 0; i < 2; i++) {
        FILE *stream = i ? stderr : stdout;
        fflush(stream);
        files[i] = tmpfile();
        saved[i] = dup(fileno(stream));
        if (!files[i] || saved[i] < 0 || dup2(fileno(files[i]), fileno(stream)) < 0)
            abort();
    }
}

const char *capture_end(void)
{
    for (int i = 0; i < 2; i++) {
        FILE *stream = i ? stderr : stdout;
        fflush(stream);
        if (dup2(saved[i], fileno(stream)) < 0)
            abort();
        close(saved[i]);
        rewind(files[i]);
        text[i][fread(text[i], 1, sizeof text[i] - 1, files[i])] = '\0';
        fclose(files[i]);
    }
    return text[1];
}

const char *captured_output(void)
{
    return text[0];
}
