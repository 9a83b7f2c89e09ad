/* prompt.h: asks for a secret on the terminal.
 *
 *   char *password = tool_prompt_secret("Password of cassandra: ");   NULL: there is no terminal
 *   tool_wipe(password, strlen(password)); free(password); */
#ifndef TOOL_PROMPT_H
#define TOOL_PROMPT_H

/* Reads one line from the controlling terminal without showing it. NULL when standard error is no
 * terminal or none can be opened, or at its end. Ctrl-C ends the program as always, with the
 * terminal set back. Yours: wipe and free(). */
char *tool_prompt_secret(const char *prompt);

#endif
