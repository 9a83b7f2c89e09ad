/* Reads a command line by tables of options. */
#include "common/args.h"

#include "common/exit_code.h"
#include "common/nearest.h"
#include "common/standard.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

static const tool_option general_rows[] = {
    {'h', "help", NULL, TOOL_OPT_HELP, "show this help"},
    {'V', "version", NULL, TOOL_OPT_VERSION, "show the version"},
};
const tool_option_set tool_general_options = {"General", general_rows,
                                              sizeof general_rows / sizeof general_rows[0]};

static const tool_option_set *set_at(const tool_program *program, size_t i)
{
    return i < program->set_count    ? &program->sets[i]
           : i == program->set_count ? &tool_general_options
                                     : NULL;
}

static const tool_option *find_letter(const tool_program *program, char letter)
{
    const tool_option_set *set;
    for (size_t s = 0; (set = set_at(program, s)) != NULL; s++)
        for (size_t i = 0; i < set->count; i++)
            if (set->rows[i].letter == letter)
                return &set->rows[i];
    return NULL;
}

static const tool_option *find_name(const tool_program *program, const char *name, size_t length)
{
    const tool_option_set *set;
    for (size_t s = 0; (set = set_at(program, s)) != NULL; s++)
        for (size_t i = 0; i < set->count; i++)
            if (strlen(set->rows[i].name) == length && !memcmp(set->rows[i].name, name, length))
                return &set->rows[i];
    return NULL;
}

static const char *nearest_name(const tool_program *program, const char *wrong)
{
    const tool_option_set *set;
    const char *meant = NULL;
    size_t best = 0;
    for (size_t s = 0; (set = set_at(program, s)) != NULL; s++)
        for (size_t i = 0; i < set->count; i++)
            if (set->rows[i].help)
                tool_nearest(wrong, set->rows[i].name, &best, &meant);
    return meant;
}

void tool_args_init(tool_args *a, const tool_program *program, int argc, char **argv)
{
    tool_hold_standard();
    memset(a, 0, sizeof *a);
    a->program = program;
    a->argc = argc;
    a->argv = argv;
    a->next = 1;
}

void tool_args_fail(tool_args *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", a->program->name);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nTry '%s --help'.\n", a->program->name);
    va_end(args);
    a->ended = true;
    a->exit_code = TOOL_EXIT_USAGE;
}

/* Ends for --help and --version; text that could not be written is a failure. */
static void end_with_text(tool_args *a, void (*print)(FILE *, const tool_program *))
{
    print(stdout, a->program);
    a->ended = true;
    a->exit_code = fflush(stdout) || ferror(stdout) ? TOOL_EXIT_FAILED : TOOL_EXIT_OK;
}

static bool take(tool_args *a, const tool_option *option, const char *value)
{
    a->option = option;
    a->id = option->id;
    a->value = value;
    if (option->id == TOOL_OPT_HELP)
        end_with_text(a, tool_print_help);
    else if (option->id == TOOL_OPT_VERSION)
        end_with_text(a, tool_print_version);
    else if (option->id == TOOL_OPT_LATER)
        tool_args_fail(a, "--%s is not in this version", option->name);
    return !a->ended;
}

static bool wants_value(const tool_option *option)
{
    return option->value && option->value[0] != '[';
}

/* The word after an option that wants a value; NULL after a message. */
static const char *following_value(tool_args *a, const tool_option *option)
{
    if (a->next < a->argc)
        return a->argv[a->next++];
    tool_args_fail(a, "--%s needs a value (%s)", option->name, option->value);
    return NULL;
}

static bool take_long(tool_args *a, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const tool_option *option = find_name(a->program, word, length);
    if (!option) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(length < 63 ? length : 63), word);
        const char *meant = nearest_name(a->program, name);
        if (meant)
            tool_args_fail(a, "unknown option '--%s'; did you mean '--%s'?", name, meant);
        else
            tool_args_fail(a, "unknown option '--%s'", name);
        return false;
    }
    if (option->id == TOOL_OPT_LATER)
        return take(a, option, NULL);
    if (equals && !option->value) {
        tool_args_fail(a, "--%s takes no value", option->name);
        return false;
    }
    const char *value = equals ? equals + 1 : NULL;
    if (wants_value(option) && !value && !(value = following_value(a, option)))
        return false;
    return take(a, option, value);
}

static bool take_letter(tool_args *a)
{
    char letter = *a->cluster++;
    const tool_option *option = find_letter(a->program, letter);
    if (!option) {
        if (isprint((unsigned char)letter))
            tool_args_fail(a, "unknown option '-%c'", letter);
        else
            tool_args_fail(a, "unknown option");
        return false;
    }
    const char *value = NULL;
    if (wants_value(option) && option->id != TOOL_OPT_LATER) {
        value = *a->cluster ? a->cluster : following_value(a, option);
        a->cluster = NULL;
        if (!value)
            return false;
    }
    return take(a, option, value);
}

bool tool_args_next(tool_args *a)
{
    if (a->ended)
        return false;
    if (a->cluster && *a->cluster)
        return take_letter(a);
    a->cluster = NULL;
    if (a->next >= a->argc)
        return false;
    const char *word = a->argv[a->next++];
    if (!a->words_only && strcmp(word, "--") == 0) {
        a->words_only = true;
        return tool_args_next(a);
    }
    if (!a->words_only && word[0] == '-' && word[1] == '-')
        return take_long(a, word + 2);
    if (!a->words_only && word[0] == '-' && word[1]) {
        a->cluster = word + 1;
        return take_letter(a);
    }
    a->id = TOOL_OPT_WORD;
    a->option = NULL;
    a->value = word;
    return true;
}

char **tool_args_rest(tool_args *a, int *count)
{
    char **rest = a->argv + a->next - 1;
    *count = a->argc - a->next + 1;
    a->next = a->argc;
    return rest;
}

/* Reads digits; false when there are none or the number passes `max`. */
static bool read_digits(const char **at, uint64_t max, uint64_t *out)
{
    uint64_t number = 0;
    const char *p = *at;
    if (!isdigit((unsigned char)*p))
        return false;
    for (; isdigit((unsigned char)*p); p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *at = p;
    *out = number;
    return true;
}

bool tool_args_count(tool_args *a, uint64_t min, uint64_t max, uint64_t *out)
{
    const char *at = a->value;
    uint64_t number = 0;
    if (read_digits(&at, max, &number) && *at == '\0' && number >= min) {
        *out = number;
        return true;
    }
    tool_args_fail(a, "--%s: '%s' is not a whole number from %llu to %llu", a->option->name,
                   a->value, (unsigned long long)min, (unsigned long long)max);
    return false;
}

/* "5", "0.25", ".5", "5s" in milliseconds; digits beyond the third are dropped. */
static bool read_seconds(const char *text, uint64_t max_ms, uint64_t *out)
{
    uint64_t whole = 0, milli = 0;
    const char *at = text;
    bool any = read_digits(&at, max_ms, &whole);
    if (!any && *at != '.')
        return false;
    if (*at == '.') {
        at++;
        for (uint64_t unit = 100; isdigit((unsigned char)*at); at++, unit /= 10, any = true)
            milli += unit * (uint64_t)(*at - '0');
    }
    if (*at == 's')
        at++;
    if (!any || *at != '\0' || whole > max_ms / 1000)
        return false;
    *out = whole * 1000 + milli;
    return *out <= max_ms;
}

bool tool_args_seconds(tool_args *a, uint64_t min_ms, uint64_t max_ms, uint64_t *out_ms)
{
    uint64_t ms = 0;
    if (read_seconds(a->value, max_ms, &ms) && ms >= min_ms) {
        *out_ms = ms;
        return true;
    }
    tool_args_fail(a, "--%s: '%s' is not a time in seconds from %.10g to %.10g", a->option->name,
                   a->value, (double)min_ms / 1000, (double)max_ms / 1000);
    return false;
}
