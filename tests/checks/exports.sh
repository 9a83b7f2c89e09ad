#!/bin/sh
# The shared library exports exactly what lib/libcqlnative.sym lists, the list is sorted, and the public
# headers declare exactly the same functions. Where the linker knows versions, each bears that of the soname.
# Usage: exports.sh [SOURCE_FOLDER]
set -eu
. ./tests/checks/vars.sh
src=${1:-${srcdir:-.}}
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT
export LC_ALL=C
status=0

complain() {
    while read -r name; do
        echo "$name $1"
        status=1
    done <"$tmp/diff"
}

list=$src/lib/libcqlnative.sym
sort -u "$list" >"$tmp/list"
cmp -s "$list" "$tmp/list" || { echo "$list is not sorted or names a function twice"; status=1; }

# Comments off, then from each CQL_API to the end of its declaration: the name before the first "(".
for folder in "$src" .; do
    awk -f "$here/strip.awk" "$folder"/include/cqlnative/*.h | sed 's/^[^:]*://'
done | tr '\n' ' ' | sed 's/CQL_API /\n@/g' |
    sed -n 's/^@[^(;{]*[ *]\([a-z][a-z_0-9]*\)(.*/\1/p' | sort -u >"$tmp/headers"
[ "$(wc -l <"$tmp/headers")" -gt 10 ] || { echo "no functions found in the headers"; exit 1; }
comm -23 "$tmp/headers" "$tmp/list" >"$tmp/diff"
complain "is declared in a public header but not listed in lib/libcqlnative.sym"
comm -13 "$tmp/headers" "$tmp/list" >"$tmp/diff"
complain "is listed in lib/libcqlnative.sym but declared in no public header"

so=lib/.libs/libcqlnative.so
if [ -e "$so" ]; then
    # Type A is the name of a version itself.
    $NM -D --defined-only "$so" | awk '$2 != "A" { print $NF }' >"$tmp/versioned"
    sed 's/@.*//' "$tmp/versioned" | sort -u >"$tmp/so"
    if [ -e lib/libcqlnative.map ]; then
        grep -v '@@CQLNATIVE_0$' "$tmp/versioned" >"$tmp/diff" || true
        complain "is exported by libcqlnative.so without the version CQLNATIVE_0"
    fi
    comm -23 "$tmp/so" "$tmp/list" >"$tmp/diff"
    complain "is exported by libcqlnative.so but not listed in lib/libcqlnative.sym"
    comm -13 "$tmp/so" "$tmp/list" >"$tmp/diff"
    complain "is listed in lib/libcqlnative.sym but not exported by libcqlnative.so"
else
    # A build without the shared library: the names must be defined all the same.
    $NM -g --defined-only lib/.libs/libcqlnative.a 2>/dev/null | awk 'NF == 3 { print $3 }' |
        sort -u >"$tmp/a"
    comm -13 "$tmp/a" "$tmp/list" >"$tmp/diff"
    complain "is listed in lib/libcqlnative.sym but not in the library"
fi
exit $status
