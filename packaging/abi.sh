#!/bin/sh
# The binary interface of the library: what programs compiled against an earlier build rely on, as
# libabigail sees it. Recorded in tests/data/abi for each kind of machine; `make check-abi` compares.
# Usage: abi.sh check|record SOURCE_FOLDER, in a build folder configured without LTO or sanitizers
set -eu
verb=$1 src=$2
export LC_ALL=C
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT

fail() {
    echo "check-abi: $1" >&2
    exit 1
}

for tool in abidw abidiff; do
    command -v $tool >/dev/null || fail "$tool is not installed (Debian: abigail-tools)"
done
library=lib/.libs/libcqlnative.so
[ -e $library ] || fail "there is no shared library in this build"
record=$src/tests/data/abi/$(uname -m)-$(uname -s | tr '[:upper:]' '[:lower:]').abi

# Types whose inside no program sees. libabigail knows them by the name of their header, of which some are
# both ours and public; so they are found here: what the public headers declare and leave open.
mkdir -p "$tmp/include/cqlnative"
cp "$src"/include/cqlnative/*.h include/cqlnative/version.h "$tmp/include/cqlnative"
cat "$tmp"/include/cqlnative/*.h >"$tmp/all.h"
sed -n 's/^typedef struct \(cql_[a-z_0-9]*\) \1;$/\1/p' "$tmp/all.h" | while read -r type; do
    grep -q "^\(typedef \)\{0,1\}struct $type {" "$tmp/all.h" || echo "$type"
done >"$tmp/hidden"

abidw --headers-dir "$tmp/include" --drop-private-types --exported-interfaces-only --no-corpus-path \
    --no-comp-dir-path --no-show-locs --no-elf-needed --no-architecture --no-parameter-names --short-locs \
    --type-id-style hash $library --out-file "$tmp/raw.abi" || fail "abidw cannot read $library"
# Of a hidden type only the name is kept.
awk -v hidden="$tmp/hidden" '
    BEGIN {
        while ((getline name <hidden) > 0)
            is_hidden[name] = 1
    }
    { sub(/^ */, "") }
    depth {
        if (/^<(class|union)-decl / && !/\/>$/)
            depth++
        else if (/^<\/(class|union)-decl>/)
            depth--
        next
    }
    /^<(class|union)-decl / && !/\/>$/ {
        split($0, part, "\047")
        if (is_hidden[part[2]] || part[2] ~ /^(cqln_|uv_|__pthread)/) {
            match($0, / id=\047[^\047]*\047/)
            kind = /^<class/ ? "class-decl name=\047" part[2] "\047 is-struct=\047yes\047" \
                             : "union-decl name=\047" part[2] "\047"
            print "<" kind " visibility=\047default\047 is-declaration-only=\047yes\047" \
                substr($0, RSTART, RLENGTH) "/>"
            depth = 1
            next
        }
    }
    { print }' "$tmp/raw.abi" >"$tmp/now.abi"
grep -q "function-decl name='cql_session_new'" "$tmp/now.abi" ||
    fail "$library has no debugging information; configure with CFLAGS that have -g"

if [ "$verb" = record ]; then
    mkdir -p "$(dirname "$record")"
    cp "$tmp/now.abi" "$record"
    echo "recorded in $record"
    exit 0
fi
[ -e "$record" ] || fail "nothing is recorded for this kind of machine: $record"
status=0
abidiff "$record" "$tmp/now.abi" >"$tmp/report" 2>&1 || status=$?
cat "$tmp/report"
# abidiff: 4 is a change, 8 one that breaks programs, 1 and 2 a failure. New functions alone are none.
if [ $((status & 8)) != 0 ] || [ $((status & 3)) != 0 ]; then
    fail "programs built with the recorded version break; if that is meant: make update-abi, CHANGES.md"
fi
if [ "$status" != 0 ]; then
    if grep -q -E '^(Functions|Variables) changes summary: 0 Removed, 0 Changed' "$tmp/report" &&
        ! grep -q -E 'changes summary: ([1-9][0-9]* Removed|0 Removed, [1-9])' "$tmp/report"; then
        echo "check-abi: there is something new, nothing else changed; record it with: make update-abi"
        exit 0
    fi
    fail "the interface differs from the recorded one; if that is meant: make update-abi, CHANGES.md"
fi
echo "check-abi: as recorded"
