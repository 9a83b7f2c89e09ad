/* progress.h: a line that shows how far the work is, on a terminal only.
 *
 *   tool_progress("waiting for %s, %d s left", host, left);   (standard error; nothing elsewhere)
 *   tool_progress_clear();                                    (before other output) */
#ifndef TOOL_PROGRESS_H
#define TOOL_PROGRESS_H

void tool_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tool_progress_clear(void);

#endif
