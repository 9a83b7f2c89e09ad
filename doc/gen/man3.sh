#!/bin/sh
# The manual pages of section 3: one from each public header (man3.awk), one for each function that leads
# there, and libcqlnative(3), which lists them.
# Usage: man3.sh VERSION SOURCE_FOLDER FOLDER VERSION_HEADER
set -eu
version=$1 src=$2 folder=$3 version_header=$4
AWK=${AWK-awk}
LC_ALL=C
export LC_ALL

rm -rf "$folder"
mkdir -p "$folder"
for header in "$src"/include/cqlnative/*.h "$version_header"; do
    # cql.h is the overview's; in a folder built where the sources are, version.h is met twice
    case $header in
    */cql.h) continue ;;
    */version.h) [ "$header" = "$version_header" ] || continue ;;
    esac
    $AWK -v version="$version" -v folder="$folder" -f "$src/doc/gen/man3.awk" "$header"
done
# shellcheck disable=SC2016 # awk's own
$AWK -v version="$version" -v example="$src/examples/connect.c" '
function escape(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/\x27/, "\\(aq", text)
    return text
}
NR == FNR {
    tab = index($0, "\t")
    page[++count] = substr($0, 1, tab - 1)
    about[count] = escape(substr($0, tab + 1))
    next
}
$0 == "@PAGES@" {
    for (i = 1; i <= count; i++)
        print ".TP\n.BR " page[i] " (3)\n" about[i]
    next
}
$0 == "@EXAMPLE@" {
    while ((getline line <example) > 0)
        print "\\&" escape(line)
    next
}
{ gsub(/@VERSION@/, version); print }
' "$folder/list" "$src/doc/gen/libcqlnative.3.in" >"$folder/libcqlnative.3"
rm "$folder/list"

# Nothing is exported of which nothing is said.
if [ -e "$folder/bare" ]; then
    echo "man3.sh: public functions without a comment: $(cat "$folder/bare")" >&2
    exit 1
fi
