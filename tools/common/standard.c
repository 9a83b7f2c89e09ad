/* Closed standard streams. */
#include "common/standard.h"

#include <fcntl.h>
#include <unistd.h>

void tool_hold_standard(void)
{
    /* Opened for the direction that its stream does not use. */
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", modes[fd]) != fd) /* the lowest free one */
            return;
}
