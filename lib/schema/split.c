/* The statement splitter: semicolons outside strings, names, comments and batches end a statement.
 */
#include "schema/split.h"

void cqlsch_splitter_init(cqlsch_splitter *sp, cql_str text)
{
    *sp = (cqlsch_splitter){.problem = ""};
    cqlsch_lexer_init(&sp->lexer, text);
}

/* Commands that cqlsh handles itself: they end with the line. */
static bool is_cqlsh_word(const cqlsch_token *t)
{
    static const char *const words[] = {
        "CAPTURE",  "CLEAR",   "CLS",    "CONSISTENCY", "COPY",   "DEBUG",   "DESC",
        "DESCRIBE", "ELAPSED", "EXIT",   "EXPAND",      "HELP",   "HISTORY", "LOGIN",
        "PAGING",   "QUIT",    "SERIAL", "SHOW",        "SOURCE", "TRACING", "UNICODE",
    };
    if (cqlsch_is_punct(t, '?'))
        return true;
    for (size_t i = 0; i < CQL_COUNT(words); i++) {
        if (cqlsch_is_word(t, words[i]))
            return true;
    }
    return false;
}

static cqlsch_piece_kind kind_of(const cqlsch_token *t)
{
    if (!is_cqlsh_word(t))
        return CQLSCH_STATEMENT;
    if (cqlsch_is_word(t, "DESCRIBE") || cqlsch_is_word(t, "DESC"))
        return CQLSCH_DESCRIBE;
    if (cqlsch_is_word(t, "SOURCE"))
        return CQLSCH_SOURCE;
    if (cqlsch_is_word(t, "CONSISTENCY"))
        return CQLSCH_CONSISTENCY;
    return CQLSCH_UNSUPPORTED;
}

static cql_status bad(cqlsch_splitter *sp, const char *problem, cqlsch_place place, bool open)
{
    sp->problem = problem;
    sp->problem_place = place;
    sp->open = open;
    return CQL_BAD_CQL_FILE;
}

static cql_status bad_token(cqlsch_splitter *sp, const cqlsch_token *t)
{
    cqlsch_problem problem = sp->lexer.problem;
    return bad(sp, cqlsch_problem_text(problem), t->place, cqlsch_problem_open(problem));
}

/* What a statement waits for while semicolons do not end it. */
typedef struct closing {
    const char *first; /* NULL: nothing */
    const char *second;
    const char *problem;
    bool half; /* the first word was the last token */
} closing;

/* Sets up or advances `c` by token number `index` of a statement. */
static void follow_block(closing *c, const cqlsch_token *t, size_t index, bool *begins)
{
    if (index == 0)
        *begins = cqlsch_is_word(t, "BEGIN");
    if (*begins && index >= 1 && index <= 2 && !c->first) {
        if (cqlsch_is_word(t, "BATCH"))
            *c = (closing){"APPLY", "BATCH", "the BEGIN BATCH here has no APPLY BATCH", false};
        else if (cqlsch_is_word(t, "TRANSACTION"))
            *c = (closing){"COMMIT", "TRANSACTION",
                           "the BEGIN TRANSACTION here has no COMMIT TRANSACTION", false};
        return;
    }
    if (!c->first)
        return;
    if (c->half && cqlsch_is_word(t, c->second)) {
        c->first = NULL;
        *begins = false;
    } else {
        c->half = cqlsch_is_word(t, c->first);
    }
}

/* Takes tokens up to the end of the statement that begins with *first. */
static cql_status take_statement(cqlsch_splitter *sp, cqlsch_token first, cqlsch_piece *out)
{
    closing block = {NULL, NULL, NULL, false};
    bool begins = false;
    size_t end = first.offset;
    cqlsch_token t = first;
    for (size_t index = 0;; index++, t = cqlsch_lex(&sp->lexer)) {
        if (t.kind == CQLSCH_BAD)
            return bad_token(sp, &t);
        if (t.kind == CQLSCH_END && block.first)
            return bad(sp, block.problem, first.place, true);
        out->ended = !block.first && cqlsch_is_punct(&t, ';');
        if (out->ended || t.kind == CQLSCH_END)
            break;
        end = t.offset + t.text.len;
        follow_block(&block, &t, index, &begins);
    }
    out->text = cqlsch_sub(sp->lexer.text, first.offset, end);
    return CQL_OK;
}

/* A cqlsh command: up to a semicolon, the end of the line or of the text. The token after the end
 * is not taken. */
static cql_status take_command(cqlsch_splitter *sp, cqlsch_token first, cqlsch_piece *out)
{
    size_t end = first.offset + first.text.len;
    size_t count = 1;
    for (;;) {
        cqlsch_lexer before = sp->lexer;
        cqlsch_token t = cqlsch_lex(&sp->lexer);
        bool next_line = t.kind != CQLSCH_END && t.place.line > first.place.line;
        if (next_line || t.kind == CQLSCH_END) {
            out->ended = next_line || sp->lexer.place.line > first.place.line;
            if (next_line)
                sp->lexer = before;
            break;
        }
        if (t.kind == CQLSCH_BAD)
            return bad_token(sp, &t);
        out->ended = cqlsch_is_punct(&t, ';');
        if (out->ended)
            break;
        out->argument = ++count == 2 ? t.text : cql_str_of(NULL);
        end = t.offset + t.text.len;
    }
    out->text = cqlsch_sub(sp->lexer.text, first.offset, end);
    return CQL_OK;
}

cql_status cqlsch_split(cqlsch_splitter *sp, cqlsch_piece *out)
{
    cqlsch_token t;
    do {
        t = cqlsch_lex(&sp->lexer);
    } while (cqlsch_is_punct(&t, ';'));
    if (t.kind == CQLSCH_END)
        return CQL_DONE;
    if (t.kind == CQLSCH_BAD)
        return bad_token(sp, &t);
    cqlsch_piece piece = {.kind = kind_of(&t), .place = t.place, .word = t.text};
    cql_status st = piece.kind == CQLSCH_STATEMENT ? take_statement(sp, t, &piece)
                                                   : take_command(sp, t, &piece);
    if (st != CQL_OK)
        return st;
    piece.next = sp->lexer.at;
    *out = piece;
    return CQL_OK;
}

cql_str cqlsch_unquote(cql_str text, char *buffer)
{
    if (text.len >= 4 && text.ptr[0] == '$' && text.ptr[1] == '$') {
        for (size_t i = 2; i + 2 < text.len; i++)
            buffer[i - 2] = text.ptr[i];
        return (cql_str){buffer, text.len - 4};
    }
    if (text.len < 2 || (text.ptr[0] != '\'' && text.ptr[0] != '"'))
        return text;
    size_t len = 0;
    for (size_t i = 1; i + 1 < text.len; i++) {
        buffer[len++] = text.ptr[i];
        if (text.ptr[i] == text.ptr[0])
            i++;
    }
    return (cql_str){buffer, len};
}

cql_str cqlsch_plain(cqlsch_mem *mem, const cqlsch_token *t)
{
    char *buffer = cqlsch_alloc(mem, t->text.len + 1);
    if (!buffer)
        return CQLSCH_NONE;
    if (t->kind == CQLSCH_STRING || t->kind == CQLSCH_NAME)
        return cqlsch_unquote(t->text, buffer);
    for (size_t i = 0; i < t->text.len; i++)
        buffer[i] = cqlsch_lower(t->text.ptr[i]);
    return (cql_str){buffer, t->text.len};
}
