/* args.h: options of a command line from a table; the same table gives the option part of --help.
 *
 *   enum { OPT_COUNT = TOOL_OPT_OWN, OPT_JSON };
 *   static const tool_option own[] = {
 *       {'c', "count", "N", OPT_COUNT, "stop after N probes"},
 *       {0, "json", NULL, OPT_JSON, "print one JSON object a line"},
 *       {0, "doctor", NULL, TOOL_OPT_LATER, NULL},
 *   };
 *   static const tool_option_set sets[] = {
 *       {"Options", own, CQL_COUNT(own)},
 *       {"Connection", tool_connection_options, TOOL_CONNECTION_OPTION_COUNT},   (connection.h)
 *   };
 *   static const tool_program program = {
 *       .name = "cqlping", .usage = "[options] [HOST[:PORT]]...",
 *       .purpose = "Measures how long Cassandra nodes take to answer.",
 *       .sets = sets, .set_count = CQL_COUNT(sets), .notes = "Examples:\n  cqlping 10.0.0.5\n",
 *   };
 *   tool_args a;
 *   tool_args_init(&a, &program, argc, argv);
 *   while (tool_args_next(&a)) {
 *       if (a.id == OPT_COUNT)
 *           tool_args_count(&a, 1, UINT32_MAX, &count);     (prints what is wrong, ends the loop)
 *       else if (a.id == TOOL_OPT_WORD)
 *           tool_connection_word(&connection, &a);
 *       ...
 *   }
 *   if (a.ended)
 *       return a.exit_code;                                 (--help, --version, an error)
 *
 * Understood: -c 3, -c3, -qc3, --count 3, --count=3; options and words in any order; everything
 * after
 * `--` is a word, and so is a single `-`. --help, -h, --version and -V are handled here. */
#ifndef TOOL_ARGS_H
#define TOOL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    TOOL_OPT_WORD = 1, /* a.value is a word that is no option */
    TOOL_OPT_HELP,
    TOOL_OPT_VERSION,
    TOOL_OPT_LATER,      /* known, but not in this version: exit 2; not in --help */
    TOOL_OPT_CONNECTION, /* first id of connection.h */
    TOOL_OPT_OWN = 100   /* first id that a tool may use */
};

typedef struct tool_option {
    char letter;       /* 0: none */
    const char *name;  /* without the dashes */
    /* What its value is called in --help, NULL: takes none. "[=WORD]": may be left out, and only
     * --name=WORD gives it. */
    const char *value;
    int id;
    const char *help; /* may have several lines; NULL: not shown */
} tool_option;

typedef struct tool_option_set {
    const char *title;
    const tool_option *rows;
    size_t count;
} tool_option_set;

typedef struct tool_program {
    const char *name;
    const char *usage;   /* what follows the name; further forms after a newline */
    const char *purpose; /* one sentence or a few lines */
    const tool_option_set *sets;
    size_t set_count;
    const char *notes; /* printed after the options; may be NULL */
    /* Codes of exit_code.h that this tool gives, in words; NULL for the common table. */
    const char *exit_codes;
} tool_program;

typedef struct tool_args {
    const tool_program *program;
    int id;                    /* of the option just read, or TOOL_OPT_WORD */
    const char *value;         /* its value, the word, or NULL */
    const tool_option *option; /* its row; NULL for a word */
    bool ended;                /* stop now, with exit_code */
    int exit_code;
    char **argv;
    int argc, next;
    const char *cluster; /* what is left of -abc */
    bool words_only;     /* after -- */
} tool_args;

void tool_args_init(tool_args *a, const tool_program *program, int argc, char **argv);
/* The next option or word; false at the end, or when a.ended says so. */
bool tool_args_next(tool_args *a);
/* The rest of the line as it is, from the word just read on: for tools whose sub-commands have
 * options of their own. argv of the rest and its length. */
char **tool_args_rest(tool_args *a, int *count);

/* Ends with exit 2: prints "NAME: message" and where help is to be found. */
void tool_args_fail(tool_args *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The value of the option just read as a whole number within the range; false after a message. */
bool tool_args_count(tool_args *a, uint64_t min, uint64_t max, uint64_t *out);
/* As seconds with an optional fraction ("0.2", "5"), in milliseconds; false after a message. */
bool tool_args_seconds(tool_args *a, uint64_t min_ms, uint64_t max_ms, uint64_t *out_ms);

/* --help and --version, which every tool has. */
extern const tool_option_set tool_general_options;
/* What they print. */
void tool_print_help(FILE *out, const tool_program *program);
void tool_print_version(FILE *out, const tool_program *program);

#endif
