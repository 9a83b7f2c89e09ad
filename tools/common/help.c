/* The texts of --help and --version. */
#include "common/args.h"

#include <cqlnative/version.h>
#include <string.h>

#define HELP_COLUMN 30

static const char common_exit_codes[] = "  0  fine\n"
                                        "  1  a statement, probe or job failed\n"
                                        "  2  the command line cannot be followed\n"
                                        "  3  not ready or not reachable in time\n"
                                        "  4  verification found differences\n"
                                        "  5  authentication or TLS failed\n";

/* Help text of several lines, each line indented to the help column. */
static void print_lines(FILE *out, const char *text)
{
    const char *newline;
    while ((newline = strchr(text, '\n')) != NULL) {
        fprintf(out, "%.*s\n%*s", (int)(newline - text), text, HELP_COLUMN, "");
        text = newline + 1;
    }
    fprintf(out, "%s\n", text);
}

static void print_option(FILE *out, const tool_option *option)
{
    int width = option->letter ? fprintf(out, "  -%c, ", option->letter) : fprintf(out, "      ");
    width += fprintf(out, "--%s", option->name);
    if (option->value)
        width += fprintf(out, "%s%s", option->value[0] == '[' ? "" : " ", option->value);
    if (width >= HELP_COLUMN - 1)
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    else
        fprintf(out, "%*s", HELP_COLUMN - width, "");
    print_lines(out, option->help);
}

static void print_set(FILE *out, const tool_option_set *set)
{
    fprintf(out, "\n%s:\n", set->title);
    for (size_t i = 0; i < set->count; i++)
        if (set->rows[i].help)
            print_option(out, &set->rows[i]);
}

/* "Usage: NAME form", one line for each form. */
static void print_usage(FILE *out, const tool_program *program)
{
    const char *form = program->usage, *head = "Usage: ";
    while (form) {
        const char *newline = strchr(form, '\n');
        int length = newline ? (int)(newline - form) : (int)strlen(form);
        fprintf(out, "%s%s %.*s\n", head, program->name, length, form);
        form = newline ? newline + 1 : NULL;
        head = "       ";
    }
}

void tool_print_help(FILE *out, const tool_program *program)
{
    print_usage(out, program);
    fprintf(out, "%s\n", program->purpose);
    for (size_t i = 0; i < program->set_count; i++)
        print_set(out, &program->sets[i]);
    print_set(out, &tool_general_options);
    if (program->notes)
        fprintf(out, "\n%s", program->notes);
    fprintf(out, "\nExit status:\n%s",
            program->exit_codes ? program->exit_codes : common_exit_codes);
}

void tool_print_version(FILE *out, const tool_program *program)
{
    fprintf(out, "%s %s\n", program->name, CQL_VERSION_STRING);
}
