/* Edit distance with swaps, for suggestions after a slip of the keyboard. */
#include "common/nearest.h"

#include <string.h>

#define NAME_LIMIT 63

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

size_t tool_distance(const char *a, const char *b)
{
    size_t rows[3][NAME_LIMIT + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    size_t n = strlen(a), m = strlen(b);
    if (n > NAME_LIMIT || m > NAME_LIMIT)
        return (size_t)-1;
    for (size_t j = 0; j <= m; j++)
        last[j] = j;
    for (size_t i = 1; i <= n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t differs = a[i - 1] != b[j - 1];
            now[j] = least(last[j] + 1, now[j - 1] + 1, last[j - 1] + differs);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[m];
}

void tool_nearest(const char *wrong, const char *name, size_t *best, const char **meant)
{
    size_t length = strlen(wrong);
    size_t allowed = length / 3 + 1;
    size_t distance = tool_distance(wrong, name);
    if (length >= 3 && strncmp(wrong, name, length) == 0)
        distance = 1; /* a word cut short */
    if (distance > allowed || (*meant && distance >= *best))
        return;
    *best = distance;
    *meant = name;
}
