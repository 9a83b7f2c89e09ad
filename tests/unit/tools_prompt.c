/* A secret asked for on a terminal: a pseudo-terminal with a child behind it, and the test's own
 * hands on the keys. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "common/prompt.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#define LONGEST_MS 20000

typedef struct terminal {
    pid_t child;
    int keys;    /* our side of the terminal */
    int answers; /* what the child read */
    int held;    /* keeps the child's side open, so that its settings can be seen after it ended */
    char shown[400];
} terminal;

static void play_child(int out)
{
    char *secret = tool_prompt_secret("Password: ");
    const char *told = secret ? secret : "(none)";
    if (write(out, told, strlen(told)) < 0)
        _exit(1);
    free(secret);
    _exit(0);
}

static void open_terminal(terminal *t)
{
    int answers[2], keys, side;
    assert_int_equal(pipe(answers), 0);
    assert_int_equal(openpty(&keys, &side, NULL, NULL, NULL), 0);
    memset(t, 0, sizeof *t);
    fflush(stdout);
    t->child = fork();
    assert_true(t->child >= 0);
    if (t->child == 0) {
        signal(SIGINT, SIG_DFL); /* shells start programs in the background without it */
        close(keys);
        close(answers[0]);
        if (login_tty(side) != 0)
            _exit(1);
        play_child(answers[1]);
    }
    close(answers[1]);
    t->keys = keys;
    t->held = side;
    t->answers = answers[0];
}

/* Reads what the terminal shows until it holds `text`. */
static void wait_for(terminal *t, const char *text)
{
    while (!strstr(t->shown, text)) {
        struct pollfd fd = {t->keys, POLLIN, 0};
        size_t used = strlen(t->shown);
        if (poll(&fd, 1, LONGEST_MS) <= 0)
            fail_msg("the terminal shows '%s', not '%s'", t->shown, text);
        ssize_t got = read(t->keys, t->shown + used, sizeof t->shown - 1 - used);
        assert_true(got > 0);
    }
}

static bool echoes(const terminal *t)
{
    struct termios now;
    assert_int_equal(tcgetattr(t->held, &now), 0);
    return (now.c_lflag & ECHO) != 0 && (now.c_lflag & ICANON) != 0 && (now.c_lflag & ISIG) != 0;
}

/* The prompt is shown before the echo goes off; typing waits for both, as tcsetattr drops what was
 * typed too early. */
static void type(terminal *t, const char *keys)
{
    wait_for(t, "Password: ");
    for (int i = 0; i < 2000 && echoes(t); i++)
        poll(NULL, 0, 5);
    assert_false(echoes(t));
    assert_int_equal(write(t->keys, keys, strlen(keys)), (int)strlen(keys));
}

/* The status of the child and what it read. */
static int close_terminal(terminal *t, char *answer, size_t size)
{
    int status;
    ssize_t got = read(t->answers, answer, size - 1);
    answer[got > 0 ? got : 0] = '\0';
    assert_int_equal(waitpid(t->child, &status, 0), t->child);
    assert_true(echoes(t));
    struct pollfd fd = {t->keys, POLLIN, 0};
    size_t used = strlen(t->shown);
    if (poll(&fd, 1, 0) > 0 && read(t->keys, t->shown + used, sizeof t->shown - 1 - used) < 0)
        t->shown[used] = '\0';
    close(t->keys);
    close(t->held);
    close(t->answers);
    return status;
}

static void what_is_typed_is_read_and_not_shown(void **state)
{
    terminal t;
    char answer[100];
    (void)state;
    open_terminal(&t);
    type(&t, "open sesame\r");
    assert_int_equal(close_terminal(&t, answer, sizeof answer), 0);
    assert_string_equal(answer, "open sesame");
    assert_null(strstr(t.shown, "sesame"));
}

static void the_line_can_be_edited(void **state)
{
    terminal t;
    char answer[100];
    (void)state;
    open_terminal(&t);
    type(&t, "wrong\x15\x7f"
             "secrex\x7ft\n");
    assert_int_equal(close_terminal(&t, answer, sizeof answer), 0);
    assert_string_equal(answer, "secret");
}

static void the_end_of_input_gives_none(void **state)
{
    terminal t;
    char answer[100];
    (void)state;
    open_terminal(&t);
    type(&t, "half\x04");
    assert_int_equal(close_terminal(&t, answer, sizeof answer), 0);
    assert_string_equal(answer, "(none)");
}

static void an_interrupt_ends_the_program_and_sets_the_terminal_back(void **state)
{
    terminal t;
    char answer[100];
    (void)state;
    open_terminal(&t);
    type(&t, "half\x03");
    int status = close_terminal(&t, answer, sizeof answer);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    assert_string_equal(answer, "");
}

static void without_a_terminal_nobody_is_asked(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool alone = setsid() > 0 && freopen("/dev/null", "w", stderr) != NULL;
        _exit(alone && tool_prompt_secret("Password: ") == NULL ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_typed_is_read_and_not_shown),
        cmocka_unit_test(the_line_can_be_edited),
        cmocka_unit_test(the_end_of_input_gives_none),
        cmocka_unit_test(an_interrupt_ends_the_program_and_sets_the_terminal_back),
        cmocka_unit_test(without_a_terminal_nobody_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
