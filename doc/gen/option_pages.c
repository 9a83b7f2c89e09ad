/* option_pages: prints what is made from the table of options: the page doc/configuration.md, or the
 * header setters.h. `make update-configuration` writes both, a check compares them. */
#include <cqlnative/options.h>
#include <stdio.h>
#include <string.h>

/* These have functions of their own in options.h. */
static bool has_own_setter(const char *name)
{
    static const char *const own[] = {"contact_points", "keyspace", "username", "password"};
    for (size_t i = 0; i < CQL_COUNT(own); i++)
        if (strcmp(own[i], name) == 0)
            return true;
    return false;
}

/* --- setters.h ------------------------------------------------------------------------------------ */

static void print_setter(const cql_option_info *info)
{
    const char *type = "const char *", *call = "set";
    if (strcmp(info->range, "false|true") == 0) {
        type = "bool ";
        call = "set_bool";
    } else if (strcmp(info->kind, "count") == 0 || strcmp(info->kind, "bytes") == 0) {
        type = "uint64_t ";
        call = "set_number";
    } else if (strcmp(info->kind, "duration") == 0) {
        type = "uint64_t ";
        call = "set_number";
    }
    printf("\n/* %s%s%s%s%s */\n", info->help,
           strcmp(info->kind, "duration") == 0 ? " (milliseconds)" : "", *info->range ? "; " : "",
           info->range, strcmp(info->kind, "secret") == 0 ? " (secret)" : "");
    printf("static inline cql_status\ncql_options_set_%s(cql_options *o, %svalue, cql_error **err)\n"
           "{\n    return cql_options_%s(o, \"%s\", value, err);\n}\n",
           info->name, type, call, info->name);
}

static void print_setters(void)
{
    cql_option_info info;
    printf("/* setters.h: a function for each option, made from the table of options by\n"
           " * `make update-configuration`. Each does what cql_options_set does with that name; the\n"
           " * comment is the option's meaning and range. [one at a time] */\n"
           "#ifndef CQLNATIVE_SETTERS_H\n#define CQLNATIVE_SETTERS_H\n\n"
           "#include <cqlnative/options.h>\n\nCQL_BEGIN\n");
    for (size_t i = 0; cql_options_info(i, &info); i++)
        if (!has_own_setter(info.name))
            print_setter(&info);
    printf("\nCQL_END\n#endif\n");
}

/* --- configuration.md ----------------------------------------------------------------------------- */

static const char head[] =
    "# Configuration\n\n"
    "Made from the table of options by `make update-configuration`; `make check` compares it.\n\n"
    "Every option has a name, a kind, a range and a default, and can be set in each of these ways:\n\n"
    "| where | how |\n|---|---|\n"
    "| a call | `cql_options_set(o, \"page_size\", \"100\", &err)`, or typed: "
    "`cql_options_set_page_size(o, 100, &err)` from `<cqlnative/setters.h>` |\n"
    "| a connection string | `cql://user@host1,host2:9042/keyspace?page_size=100&compression=lz4`: "
    "`%XX` for special characters; a password is refused there |\n"
    "| the environment | `CQL_` and the name in upper case, for every option: `CQL_PAGE_SIZE=100`; read "
    "by `cql_options_from_environment` |\n"
    "| a file | lines `page_size = 100`; `#` begins a comment line; double quotes keep blanks; read by "
    "`cql_options_load`, or named by `CQL_OPTIONS_FILE` in the environment |\n"
    "| a tool's command line | `-o page_size=100`, `--options-file FILE`, and options such as `--host` |\n\n"
    "The later call wins. A tool takes file, environment, connection string, `-o`, its other options, in "
    "this order. A wrong name is answered with the nearest right one, a wrong value with the range.\n\n"
    "A file must belong to the user (or root) and be writable by its owner alone; with a password in it, "
    "readable by its owner alone (`chmod 600`). Symbolic links are not followed.\n\n"
    "Kinds: *count* and *bytes* are whole numbers; a *duration* is milliseconds or has a unit (`500ms`, "
    "`10s`, `5m`, `1h`); a *choice* is one of the words; *false|true* also takes 0, 1, off, on, no, yes; "
    "a *secret* is never shown.\n\n"
    "## Options\n\n"
    "| name | kind | range | default | meaning |\n|---|---|---|---|---|\n";

static void print_cell(const char *text)
{
    for (; *text; text++)
        printf(*text == '|' ? "\\|" : "%c", *text);
}

static void print_row(const cql_option_info *info)
{
    printf("| `%s` | %s | ", info->name, info->kind);
    print_cell(info->range);
    printf(" | ");
    print_cell(info->standard);
    printf(" | ");
    print_cell(info->help);
    printf(" |\n");
}

static int print_preset(const char *preset)
{
    cql_options *o = NULL;
    cql_option_info info;
    if (cql_options_new(NULL, &o) || cql_options_set(o, "preset", preset, NULL)) {
        cql_options_free(o);
        return 1;
    }
    printf("\n### preset=%s\n\n| option | value |\n|---|---|\n", preset);
    for (size_t i = 0; cql_options_info(i, &info); i++) {
        const char *value = cql_options_value(o, info.name);
        if (value && strcmp(value, info.standard) != 0 && strcmp(info.name, "preset") != 0)
            printf("| `%s` | %s |\n", info.name, value);
    }
    cql_options_free(o);
    return 0;
}

static void print_by_hand(void)
{
    cql_option_info info;
    bool any = false;
    for (size_t i = 0; cql_options_info(i, &info); i++) {
        if (!*info.by_hand)
            continue;
        if (!any)
            printf("\n## Not from the environment or a file\n\n"
                   "What takes protection away must be said by the program itself, in a connection "
                   "string or on a command line:\n\n");
        any = true;
        printf("- `%s`: %s\n", info.name,
               strcmp(info.by_hand, "*") == 0 ? "any value" : info.by_hand);
    }
}

static int print_page(void)
{
    cql_option_info info;
    fputs(head, stdout);
    for (size_t i = 0; cql_options_info(i, &info); i++)
        print_row(&info);
    printf("\n## Presets\n\n"
           "`preset` sets several options at once, for a server or for a small device. An option that is "
           "given itself keeps its value, whichever comes first.\n");
    int failed = print_preset("server") | print_preset("device");
    print_by_hand();
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    if (argc == 2 && strcmp(argv[1], "page") == 0)
        failed = print_page();
    else if (argc == 2 && strcmp(argv[1], "setters") == 0)
        print_setters();
    else
        failed = fprintf(stderr, "usage: option_pages page|setters\n") != 0;
    return failed || fflush(stdout) != 0 || ferror(stdout);
}
