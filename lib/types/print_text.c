/* print_text.c: text as cqlsh shows it. */
#include "types/print_text.h"

#include "base/utf8.h"

/* A byte that is not to be seen as it is: \t, \n, \r or \xNN. */
static void print_escaped(cqln_sink *out, uint32_t code)
{
    const char byte = (char)code;
    switch (code) {
    case '\t':
        cqln_sink_text(out, "\\t");
        break;
    case '\n':
        cqln_sink_text(out, "\\n");
        break;
    case '\r':
        cqln_sink_text(out, "\\r");
        break;
    default:
        cqln_sink_text(out, "\\x");
        cqln_sink_hex(out, (cql_str){&byte, 1});
        break;
    }
}

void cqln_print_text(cqln_sink *out, cql_str text, bool quoted)
{
    if (quoted)
        cqln_sink_char(out, '\'');
    while (text.len) {
        uint32_t code = 0;
        size_t n = cqln_utf8_next(text, &code);
        if (n == 0) {
            print_escaped(out, (uint8_t)text.ptr[0]);
            n = 1;
        } else if (code < 0x20 || (code >= 0x7f && code <= 0xa0)) {
            print_escaped(out, code);
        } else {
            if (code == '\\' || (quoted && code == '\''))
                cqln_sink_put(out, text.ptr, 1);
            cqln_sink_put(out, text.ptr, n);
        }
        text.ptr += n;
        text.len -= n;
    }
    if (quoted)
        cqln_sink_char(out, '\'');
}
