# man3.awk: a manual page of section 3 from a public header: its first comment, then what it declares with
# the comments that stand above, in its order. Functions and types keep the words of the header, so that
# there is one text to keep right.
#
#   awk -v version=0.1.0 -v folder=doc/man3 -f man3.awk include/cqlnative/writer.h
#
# writes doc/man3/cqlnative_writer.3 and, for each function, a page of its name that leads there; adds a line
# to doc/man3/list, for the overview; and to doc/man3/bare the functions of which nothing is said.
# The style of the headers is what it understands: declarations begin in the first column; a comment above
# belongs to what follows without a blank line; `/* --- title --- */` begins a section; in comments,
# lines that are indented are shown as they are.

function escape(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/…/, "...", text)
    gsub(/'/, "\\(aq", text)
    gsub(/`/, "\\(ga", text)
    gsub(/\^/, "\\(ha", text)
    gsub(/~/, "\\(ti", text)
    return text
}

# Running text: the library's names in bold, no line that begins with a request.
function words(text) {
    text = escape(text)
    gsub(/cql_[a-z0-9_]*[a-z0-9]/, "\\fB&\\fP", text)
    gsub(/[a-z0-9_]\||\]\[/, "&\\:", text) # where a long word may be broken
    if (text ~ /^\./)
        text = "\\&" text
    return text
}

function code(text) {
    text = escape(text)
    return text ~ /^[.]/ ? "\\&" text : text
}

function put(line) { body = body line "\n" }

# The lines of a comment, as paragraphs; those that are indented are shown as they are.
function paragraphs(lines, count,    i, shown, text) {
    shown = 0
    text = ""
    for (i = 1; i <= count; i++) {
        if (lines[i] ~ /^  +[^ ]/) {
            if (text != "") put(words(text))
            text = ""
            if (!shown) { put(".PP\n.nf"); shown = 1 }
            put("\\&" code(lines[i]))
        } else if (lines[i] == "") {
            if (text != "") put(words(text))
            text = ""
            if (shown) put(".fi")
            shown = 0
            if (i < count) put(".PP")
        } else {
            if (shown) { put(".fi\n.PP"); shown = 0 }
            if (text != "") put(words(text))
            text = lines[i]
        }
    }
    if (text != "") put(words(text))
    if (shown) put(".fi")
}

# A declaration on lines of at most 76 columns: its parameters where they have room.
function prototype(text,    open, left, count, parts, i, line) {
    gsub(/  +/, " ", text)
    if (length(text) <= 76) {
        put("\\&" code(text))
        return
    }
    open = index(text, "(")
    if (text ~ /\(\*[a-z_]+\)\(/) # a pointer to a function
        open = index(text, ")(") + 1
    left = substr(text, open + 1)
    line = substr(text, 1, open)
    count = split(left, parts, /, */)
    put("\\&" code(line))
    line = ""
    for (i = 1; i <= count; i++) {
        if (line != "" && length(line) + length(parts[i]) > 66) {
            put("\\&        " code(line))
            line = ""
        }
        line = line (line == "" ? "" : " ") parts[i] (i < count ? "," : "")
    }
    put("\\&        " code(line))
}

# A comment of a member, on lines of its own below it.
function below(text, indent,    count, parts, i, line) {
    count = split(text, parts, / +/)
    line = indent "    /*"
    for (i = 1; i <= count; i++) {
        if (parts[i] == "") continue
        if (length(line) + length(parts[i]) > 74) {
            put("\\&" code(line))
            line = indent "      "
        }
        line = line " " parts[i]
    }
    put("\\&" code(line " */"))
}

# A line of a struct or enum; its comment goes below it where it is too long to stand beside.
function member(line,    at, head, text, indent) {
    at = index(line, "/*")
    if (at == 0) {
        put("\\&" code(line))
        return
    }
    head = substr(line, 1, at - 1)
    text = substr(line, at + 2)
    sub(/ *\*\/ *$/, "", text)
    gsub(/^ +/, "", text)
    sub(/ +$/, "", head)
    if (length(line) <= 76 || head == "") {
        if (head == "" && length(line) > 76) {
            indent = line
            sub(/[^ ].*/, "", indent)
            indent = substr(indent, 5)
            below(text, indent)
        } else
            put("\\&" code(line))
        return
    }
    put("\\&" code(head))
    indent = head
    sub(/[^ ].*/, "", indent)
    below(text, indent)
}

# The entries X(name, ..., "text") of a list macro.
function entries(text,    at, depth, quoted, i, c, one, count, name, rest) {
    sub(/^[^(]*\([^)]*\)/, "", text)
    while ((at = match(text, /X\(/)) > 0) {
        text = substr(text, at + 2)
        one = ""
        quoted = 0
        for (i = 1; i <= length(text); i++) {
            c = substr(text, i, 1)
            if (c == "\"") quoted = !quoted
            if (c == ")" && !quoted) break
            one = one c
        }
        text = substr(text, i + 1)
        gsub(/  +/, " ", one)
        name = one
        sub(/,.*/, "", name)
        rest = substr(one, length(name) + 2)
        gsub(/"/, "", rest)
        sub(/^ +/, "", rest)
        put(".TP\n.B " code(name) "\n" words(rest))
    }
}

function note_function(name) {
    functions = functions (functions == "" ? "" : ", ") name
    print ".so man3/" page >(folder "/" name ".3")
    close(folder "/" name ".3")
    waiting = waiting " " name
}

# What has been gathered: a comment and the declarations below it.
function flush_item(    i) {
    if (declared == "" && remarks == 0)
        return
    if (declared != "") {
        put(".PP\n.nf\n.ft B")
        body = body declared
        put(".ft R\n.fi")
        if (remarks) put(".RS 4")
        if (remarks) paragraphs(remark, remarks)
        if (remarks) put(".RE")
    } else {
        put(".PP")
        paragraphs(remark, remarks)
    }
    if (waiting != "" && !remarks && !section_says && !item_says)
        print substr(waiting, 2) >>(folder "/bare")
    body = body listed
    declared = listed = waiting = ""
    item_says = 0
    remarks = 0
}

function begin_section(title) {
    flush_item()
    sub(/^--- */, "", title)
    sub(/ *-*$/, "", title)
    extra = ""
    if (title ~ /[;:]/) {
        extra = title
        sub(/^[^;:]*[;:] */, "", extra)
        sub(/ *[;:].*/, "", title)
    }
    put(".SH " toupper(code(title)))
    if (extra != "") put(words(toupper(substr(extra, 1, 1)) substr(extra, 2)) ".")
    section_says = extra != ""
}

# Puts what `put` writes into the item's declarations.
function declare(kind, text,    kept) {
    kept = body
    body = ""
    if (kind == "prototype") prototype(text)
    else if (kind == "member") member(text)
    else if (kind == "entries") entries(text)
    if (kind == "entries") listed = listed body
    else declared = declared body
    body = kept
}

# A comment in the first column ends; its lines are in remark[].
function end_comment() {
    if (!seen_first) {
        seen_first = 1
        summary = remark[1]
        sub(/^[a-z_]*\.h: */, "", summary)
        # the first sentence is what the page is about; the rest its description
        first_comment()
        remarks = 0
    } else if (remark[1] ~ /^---/) {
        title = remark[1]
        for (i = 1; i < remarks; i++) remark[i] = remark[i + 1]
        remarks--
        kept_count = remarks
        remarks = 0
        begin_section(title)
        remarks = kept_count
        if (remarks) {
            put(".PP")
            paragraphs(remark, remarks)
            remarks = 0
            section_says = 1
        }
    }
}

# The first sentence of the first comment, up to a full stop or a colon with an example, is the summary.
function first_comment(    i, at) {
    about = summary
    i = 1
    while ((at = match(about, /\.( |$)/)) == 0 && i < remarks && remark[i + 1] != "" && remark[i + 1] !~ /^  /)
        about = about " " remark[++i]
    at = match(about, /\.( |$)/)
    text = at ? substr(about, at + 1) : ""
    if (at) about = substr(about, 1, at - 1)
    sub(/^ +/, "", text)
    sub(/[:,]$/, "", about)
    put(".SH DESCRIPTION")
    if (text != "") remark[i] = text
    else i++
    while (i <= remarks && remark[i] == "") i++
    shift = i - 1
    for (i = 1; i + shift <= remarks; i++) remark[i] = remark[i + shift]
    if (remarks > shift) paragraphs(remark, remarks - shift)
    else put("The words in brackets, such as [any thread], are explained in\n.BR libcqlnative (3).")
}

BEGIN {
    header = ARGV[1]
    sub(/^.*\//, "", header)
    sub(/\.in$/, "", header)
    name = header
    sub(/\.h$/, "", name)
    page = "cqlnative_" name ".3"
    declared = listed = body = functions = ""
    remarks = 0
}

# C++ and what depends on the compiler is left out; the other branch counts.
/^#if(def|ndef)?[ (]/ {
    level++
    if ($0 ~ /__cplusplus/ || $0 ~ /__GNUC__/) { hidden_from = level; hiding = 1 }
    next
}
/^#else/ { if (level == hidden_from) hiding = 0; if (level == hidden_from && name == "base") hiding = 1; next }
/^#endif/ { if (level == hidden_from) { hiding = 0; hidden_from = 0 } level--; next }
hiding { next }

# Comments in the first column.
!in_comment && !in_code && /^\/\*/ {
    if (remarks || declared != "") flush_item()
    in_comment = 1
    remarks = 0
    sub(/^\/\*/, "")
    first_line = 1
}
in_comment {
    line = $0
    ended = line ~ /\*\/ *$/
    sub(/ *\*\/ *$/, "", line)
    if (!first_line) sub(/^ \*/, "", line)
    first_line = 0
    sub(/^ /, "", line)
    sub(/ +$/, "", line)
    remark[++remarks] = line
    if (ended) { in_comment = 0; end_comment() }
    next
}

/^$/ && !in_code {
    flush_item()
    next
}
/^#include <cqlnative\// {
    near = $2
    sub(/^<cqlnative\//, "", near)
    sub(/\.h>$/, "", near)
    if (near != "version") also = also ",\n.BR cqlnative_" near " (3)"
}
/^#include|^#undef|^CQL_BEGIN|^CQL_END/ { next }
/^#define CQL_[A-Z_]*_(ENUM|H)( |\(|$)/ || /^#define CQLNATIVE_/ || /^#define CQL_FIELD_KIND/ {
    skip = $0 ~ /\\$/
    remarks = 0
    next
}
skip { skip = $0 ~ /\\$/; next }

# Macros: lists are shown as lists, others by their name and, when short, their value.
/^#define/ || in_macro {
    if (!in_macro) macro = ""
    line = $0
    in_macro = line ~ /\\$/
    sub(/ *\\$/, "", line)
    macro = macro line
    in_code = in_macro
    if (!in_macro) {
        if (macro ~ /_MAP\(X\)/) {
            shown = macro
            sub(/\).*/, ")", shown)
            declare("member", shown)
            declare("entries", macro)
        } else {
            shown = macro
            if (length(shown) > 76 || shown ~ /  \{/ || shown ~ /sizeof/) {
                if (shown ~ /^#define [A-Z_a-z]+\(/) sub(/\).*/, ")", shown)
                else sub(/^(#define [A-Z_]+).*/, "&", shown)
            }
            gsub(/  +/, " ", shown)
            declare("member", shown)
        }
    }
    next
}

# A comment that ends a line of code and goes on on the next ones.
in_tail {
    line = $0
    sub(/^ *\*? */, "", line)
    tail = tail " " line
    if (line ~ /\*\//) {
        in_tail = 0
        declare("member", tail)
        if (in_struct && tail ~ /^}/) in_struct = in_code = 0
    }
    next
}

# Structs, unions and enums with a body: up to the brace in the first column.
/^(typedef )?(struct|enum|union) .*\{/ || in_struct {
    in_struct = in_code = 1
    line = $0
    if (line ~ /\/\*/ && line !~ /\*\//) {
        in_tail = 1
        tail = line
        next
    }
    if (line ~ /^ +CQL_[A-Z]+_MAP\(/) line = "    /* a constant for each name of the list above */"
    declare("member", line)
    if (line ~ /^}/) in_struct = in_code = 0
    next
}

# Everything else is a declaration up to its semicolon, or a function of the header up to its brace.
in_inline { if ($0 ~ /^}/) in_inline = in_code = 0; next }
{
    line = $0
    trailing = ""
    if ((at = index(line, "/*")) > 0) {
        trailing = substr(line, at + 2)
        sub(/ *\*\/ *$/, "", trailing)
        line = substr(line, 1, at - 1)
    }
    if (in_code && line ~ /^\{/) {
        text = declaration ";"
        in_inline = 1
    } else {
        gsub(/^ +| +$/, "", line)
        declaration = declaration (declaration == "" || declaration ~ /\($/ ? "" : " ") line
        in_code = 1
        if (line !~ /;$/) next
        text = declaration
        in_code = 0
    }
    declaration = ""
    is_api = text ~ /^CQL_API / || text ~ /^static inline /
    sub(/^CQL_API /, "", text)
    sub(/^static inline /, "", text)
    sub(/^CQL_MUST_CHECK /, "", text)
    gsub(/ \*+ /, "&", text)
    if (trailing != "") { text = text " /*" trailing " */"; item_says = 1 }
    declare(text ~ /\(/ && trailing == "" ? "prototype" : "member", text)
    if (is_api) {
        called = text
        sub(/\(.*/, "", called)
        sub(/^.*[ *]/, "", called)
        note_function(called)
    }
}

END {
    flush_item()
    out = folder "/" page
    print ".\\\" Made from cqlnative/" header "; what is written there is what stands here." >out
    print ".TH CQLNATIVE_" toupper(name) " 3 \"\" \"libcqlnative " version "\" \"libcqlnative\"" >out
    print ".nh\n.ad l" >out
    print ".SH NAME" >out
    print (functions == "" ? "cqlnative_" name : functions) " \\- " words(about) >out
    print ".SH SYNOPSIS\n.nf\n.B #include <cqlnative/" header ">" >out
    print ".PP\n.BI cc\\~ program.c \\~$(pkg\\-config\\~\\-\\-cflags\\~\\-\\-libs\\~libcqlnative)\n.fi" >out
    printf "%s", body >out
    print ".SH SEE ALSO\n.BR libcqlnative (3)" also >out
    print "cqlnative_" name "\t" about >>(folder "/list")
}
