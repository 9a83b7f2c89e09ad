# parts.awk: from what lib/none.awk made for this build, a call of each function that answers with a status: all
# arguments nothing, handles to be given out something, so that it is seen whether they are set to nothing.
#
#   cat lib/*/none*.c | awk -f parts.awk >parts_calls.h
BEGIN {
    print "/* Made by parts.awk. */"
    table = ""
}

/^cql_status [a-z_0-9]+\(.*\)$/ {
    name = $2
    sub(/\(.*/, "", name)
    list = $0
    sub(/^[^(]*\(/, "", list)
    sub(/\)$/, "", list)
    count = split(list, parts, / *, */)
    body = args = checks = ""
    explains = 0
    for (i = 1; i <= count; i++) {
        type = parts[i]
        sub(/[a-z_0-9]+$/, "", type)
        arg = "a" i
        if (type == "cql_error **") {
            arg = "err"
            explains = 1
        } else if (type ~ /\*\*$/ && type !~ /^const char/) {
            sub(/\*$/, "", type)
            body = body "    " type arg " = (" type ")(uintptr_t)8;\n"
            checks = checks " && !" arg
            arg = "&" arg
        } else {
            body = body "    " type arg " = {0};\n"
        }
        args = args (i > 1 ? ", " : "") arg
    }
    printf "\nstatic bool call_%s(cql_error **err)\n{\n%s    (void)err;\n    return %s(%s) == CQL_UNSUPPORTED%s;\n}\n",
        name, body, name, args, checks
    table = table "    {\"" name "\", call_" name ", " explains "},\n"
}

END {
    print "\nstatic const struct {\n    const char *name;\n    bool (*call)(cql_error **err);\n    bool explains;"
    print "} parts_calls[] = {\n" table "    {NULL, NULL, 0}\n};"
}
