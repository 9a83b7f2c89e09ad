/* tools_capture.h: what a call printed to standard output and standard error. */
#ifndef TEST_TOOLS_CAPTURE_H
#define TEST_TOOLS_CAPTURE_H

/* Everything until capture_end goes to files; capture_end gives it back as text that is good until
 * the next capture. */
void capture_begin(void);
const char *capture_end(void); /* standard error */
const char *captured_output(void);

#endif
