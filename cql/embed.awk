# Turns CQL text into a C header with one array, for programs that carry their schema with them:
#
#     LC_ALL=C awk -v name=telemetry_cql -f embed.awk telemetry.cql > telemetry_cql.h
#
# gives `static const char telemetry_cql[] = {…};`, NUL-terminated, one line of the text a line. Several
# files follow one another. An array of characters has no limit of length, as string literals have for
# strict compilers. A byte-order mark and carriage returns are left out.
BEGIN {
    if (name !~ /^[A-Za-z_][A-Za-z0-9_]*$/)
        fail("give the name of the C array: -v name=telemetry_cql")
    if (length("\303\251") != 2)
        fail("run with LC_ALL=C, so that bytes stay bytes")
    for (i = 1; i < 256; i++)
        code[sprintf("%c", i)] = i
    printf "/* Made from CQL text by embed.awk. */\nstatic const char %s[] = {\n", name
}
function fail(why) {
    print "embed.awk: " why > "/dev/stderr"
    failed = 1
    exit 2
}
{
    sub(/\r$/, "")
    if (FNR == 1)
        sub(/^\357\273\277/, "")
    line = "    "
    n = length($0)
    for (i = 1; i <= n; i++) {
        c = substr($0, i, 1)
        if (c == "\\" || c == "'")
            line = line "'\\" c "',"
        else if (code[c] >= 32 && code[c] < 127)
            line = line "'" c "',"
        else
            line = line sprintf("'\\%03o',", code[c])
    }
    print line "'\\n',"
}
END {
    if (!failed)
        print "    '\\0'};"
}
