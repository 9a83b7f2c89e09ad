#!/bin/sh
# The manual pages of the library, made from the headers: every function that lib/libcqlnative.sym exports
# has a page, which leads to the page of its header, which shows its prototype; every page is listed in
# libcqlnative(3), and is set without a warning (where groff or mandoc is installed).
# Usage: man.sh [SOURCE_FOLDER]
set -eu
src=${1:-${srcdir:-.}}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT
export LC_ALL=C
faults=0

fault() {
    echo "man: $*"
    faults=$((faults + 1))
}

sh "$src/doc/gen/man3.sh" 0.0.0 "$src" "$tmp/man3" include/cqlnative/version.h || fault "the pages cannot be made"

# What each page of functions leads to, in one line each: name, page.
(cd "$tmp/man3" &&
    awk 'FNR == 1 && /^\.so man3\// { name = FILENAME; sub(/\.3$/, "", name); sub(/^\.so man3\//, ""); print name, $0 }' \
        cql_*.3) | sort >"$tmp/leads"
cut -d' ' -f1 "$tmp/leads" >"$tmp/documented"
sort "$src/lib/libcqlnative.sym" | comm -23 - "$tmp/documented" >"$tmp/missing"
while read -r name; do
    fault "$name has no page: no public header declares it in a form that doc/gen/man3.awk reads"
done <"$tmp/missing"
while read -r name page; do
    [ -e "$tmp/man3/$page" ] || { fault "$name(3) leads to $page, which is not there"; continue; }
    # once in the list of names, and as a prototype
    grep -q "^\\\\&.*[ *]$name(" "$tmp/man3/$page" || fault "$page does not show the prototype of $name"
done <"$tmp/leads"
for page in "$tmp"/man3/cqlnative_*.3; do
    name=$(basename "$page" .3)
    grep -q "^\.BR $name (3)" "$tmp/man3/libcqlnative.3" || fault "libcqlnative(3) does not list $name"
    grep -q '^\.SH DESCRIPTION' "$page" || fault "$name(3) has no description"
done

if command -v groff >/dev/null; then
    for page in "$tmp"/man3/cqlnative_*.3 "$tmp"/man3/libcqlnative.3 "$src"/tools/*.1; do
        said=$(groff -man -ww -Tascii -z "$page" 2>&1) && [ -z "$said" ] || fault "groff on $(basename "$page"): $said"
    done
elif command -v mandoc >/dev/null; then
    for page in "$tmp"/man3/cqlnative_*.3 "$tmp"/man3/libcqlnative.3 "$src"/tools/*.1; do
        said=$(mandoc -T lint -W warning "$page" | grep -v 'missing date' || true)
        [ -z "$said" ] || fault "mandoc on $(basename "$page"): $said"
    done
fi

echo "$(wc -l <"$tmp/documented") functions have pages, $faults not as they should be"
[ "$faults" -eq 0 ]
