# none.awk: makes the functions of public headers for a build without that part. Each answers
# CQL_UNSUPPORTED, or what stands for nothing: NULL, "", 0, false. What a caller would be handed is set to
# NULL, and an error says which switch left the part out.
#
#   awk -v part='the job store' -v switch=--disable-jobs -f none.awk include/cqlnative/jobs.h
#
# Of headers with more than the part in them, -v only='^cql_plan_' says which functions are of it.

function parameter(text,    name) {
    gsub(/^ +| +$/, "", text)
    if (text == "void" || text == "")
        return
    name = text
    sub(/^.*[ *]/, "", name)
    body = body "    (void)" name ";\n"
    if (text ~ /^cql_error \*\*/)
        fails = name
    else if (text ~ /\*\*[a-z_]+$/ && text !~ /^const char/)
        body = body "    if (" name ")\n        *" name " = NULL;\n"
}

function define(head,    open, result, name, list, count, i) {
    open = index(head, "(")
    list = substr(head, open + 1, length(head) - open - 1)
    result = substr(head, 1, open - 1)
    sub(/[a-z_0-9]+$/, "", result)
    gsub(/^ +| +$/, "", result)
    name = substr(head, 1, open - 1)
    sub(/^.*[ *]/, "", name)
    if (name !~ only)
        return
    body = ""
    fails = ""
    count = split(list, parts, ",")
    for (i = 1; i <= count; i++)
        parameter(parts[i])
    printf "\n%s\n{\n%s", head, body
    if (result == "cql_status" && fails != "")
        printf "    return cqln_fail(%s, cqln_alloc_default(), CQL_UNSUPPORTED, missing);\n", fails
    else if (result == "cql_status")
        print "    return CQL_UNSUPPORTED;"
    else if (result == "const char *")
        print "    return \"\";"
    else if (result ~ /\*$/)
        print "    return NULL;"
    else if (result != "void")
        print "    return 0;"
    print "}"
}

BEGIN {
    print "/* Made by none.awk: this build has not got " part ". */"
    print "#include \"base/error.h\"\n"
}

FNR == 1 {
    name = FILENAME
    sub(/^.*\//, "", name)
    print "#include <cqlnative/" name ">\n"
}

NR == 1 {
    print "#define missing \"this build of the library has not got " part " (it was configured \" \\"
    print "                \"" switch ")\""
}

/^CQL_API / { head = ""; inside = 1 }

inside {
    line = $0
    sub(/^CQL_API /, "", line)
    gsub(/^ +/, "", line)
    head = head (head == "" || head ~ /[(*]$/ ? "" : " ") line
    if (line ~ /;/) {
        sub(/;.*$/, "", head)
        define(head)
        inside = 0
    }
}
