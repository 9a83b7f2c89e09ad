# C source without comments and without what stands in texts and characters. Each line of output starts
# with the name of its file and a colon.
FNR == 1 {
    comment = 0
}
{
    line = $0
    out = ""
    while (line != "") {
        if (comment) {
            at = index(line, "*/")
            if (!at)
                break
            comment = 0
            line = substr(line, at + 2)
            out = out " "
        } else if (!match(line, /\/\*|\/\/|"|'/)) {
            out = out line
            break
        } else {
            mark = substr(line, RSTART, RLENGTH)
            out = out substr(line, 1, RSTART - 1)
            line = substr(line, RSTART + RLENGTH)
            if (mark == "//")
                break
            if (mark == "/*") {
                comment = 1
            } else {
                text = mark == "\"" ? "^([^\"\\\\]|\\\\.)*\"" : "^([^'\\\\]|\\\\.)*'"
                if (match(line, text))
                    line = substr(line, RLENGTH + 1)
                else
                    line = ""
                out = out mark mark
            }
        }
    }
    print FILENAME ":" out
}
