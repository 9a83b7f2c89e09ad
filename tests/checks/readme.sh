#!/bin/sh
# The README's program compiles as it stands there and is the one of examples/connect.c, and what the
# README names exists.
set -eu
. ./tests/checks/vars.sh
src=${srcdir:-.}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' HUP INT TERM # where sh would not heed EXIT

sed -n '/^```c$/,/^```$/p' "$src/README.md" | sed '/^```/d' >"$tmp/first.c"
grep -q main "$tmp/first.c" || { echo "README.md: no program"; exit 1; }
$CC -std=c11 -Wall -Wextra -Werror -fsyntax-only -Iinclude -I"$src/include" "$tmp/first.c"

# All its lines but the first of main, which names the server.
grep -v -e 'int main' -e 'open_wait' "$tmp/first.c" | sed 's/^ *//; s/ *\/\*.*//' | grep . >"$tmp/readme"
sed 's/^ *//; s/ *\/\*.*//' "$src/examples/connect.c" >"$tmp/example"
while IFS= read -r line; do
    grep -qxF -- "$line" "$tmp/example" || {
        echo "README.md and examples/connect.c differ: $line"
        exit 1
    }
done <"$tmp/readme"

faults=0
for name in $(grep -oE '`[a-zA-Z._]+/[a-zA-Z._/-]*`|`[A-Z]+(\.md)?`|`[a-z]+\.c`' "$src/README.md" | tr -d '`' | sort -u); do
    case $name in
    *.c) [ "${name#*/}" != "$name" ] || name=examples/$name ;;
    esac
    [ -e "$src/$name" ] || { echo "README.md names $name, which is not there"; faults=1; }
done
# Functions and types that the pages name are in the headers; a name that ends in _ stands for several.
for name in $(cat "$src/README.md" "$src/CHANGES.md" "$src"/doc/[!d]*.md | grep -oE '\bcql_[a-z0-9_]*[a-z0-9]\b' | sort -u); do
    grep -rqw -- "$name" "$src/include" || { echo "a page names $name, which no header has"; faults=1; }
done
# What it says to type is typed by a test: each indented line outside the program, and which one does it.
typed() {
    case $1 in
    examples/quickstart) grep -q 'examples/quickstart' "$src/tests/live/examples.test" ;;
    tests/run) grep -q 'tests/run' "$src/.ci/run" 2>/dev/null || [ ! -e "$src/.ci" ] ;;
    'cc first.c $(pkg-config --cflags --libs libcqlnative) -o first') grep -q 'pkg-config' "$src/tests/checks/install.sh" ;;
    'autoreconf -fi && '*) grep -q 'make.* install' "$src/tests/checks/install.sh" ;;
    'apt-get install '* | *-dev*) for package in $(echo "$1" | tr ' \\' '\n\n' | grep -v -e '^apt-get$' -e '^install$'); do
        [ ! -e "$src/.ci/packages" ] || grep -qx "$package" "$src/.ci/packages" || return 1
    done ;;
    'make deb') grep -q 'make.* deb' "$src/tests/checks/deb.sh" ;;
    './configure --enable-lib-only') grep -q -e --enable-lib-only "$src/tests/checks/switches.sh" ;;
    'tools/localcassandra --help') grep -q 'launcher. --help' "$src/tests/checks/tool_help.sh" ;;
    'man cql'*) grep -q "for tool in .*${1#man }" "$src/tests/checks/tool_help.sh" ;;
    *) false ;;
    esac
}
sed '/^```c$/,/^```$/d' "$src/README.md" | sed -n 's/^    \([^ ].*\)/\1/p; s/^        \([^ ].*\)/\1/p' >"$tmp/typed"
[ -s "$tmp/typed" ] || { echo "README.md: nothing to type was found"; faults=1; }
# And what it names in a sentence: a program and something behind it.
grep -oE '`(make|man|\./configure|tools/[a-z]+|cql[a-z]+|apt-get|tests/[a-z]+) [^`]*`' "$src/README.md" | tr -d '`' >>"$tmp/typed"
while IFS= read -r line; do
    typed "$line" || { echo "README.md: no test types: $line"; faults=1; }
done <"$tmp/typed"
exit $faults
