#!/bin/sh
# Each class of malformed input in tests/data/malformed.txt has a seed or a test that is there and runs.
# Usage: malformed.sh [SOURCE_FOLDER [LIST]]
set -eu
src=${1:-${srcdir:-.}}
list=${2:-$src/tests/data/malformed.txt}
failed=0
classes=0
witnesses=0

bad() {
    echo "$list: $*" >&2
    failed=1
}

# A seed is not empty; a function is among those that its program runs.
look() {
    case $2 in
    tests/corpus/*) [ -s "$src/$2" ] || bad "$1: there is no seed $2" ;;
    tests/*.c:*)
        grep -qi "test[a-z_]*(${2#*:}[,)]" "$src/${2%%:*}" 2>/dev/null ||
            bad "$1: ${2%%:*} runs no ${2#*:}"
        ;;
    *) bad "$1: $2 is neither a seed nor a test" ;;
    esac
}

while IFS='|' read -r class _ _ shown; do
    class=$(echo "$class" | tr -d ' ')
    case $class in
    '' | '#'*) continue ;;
    esac
    classes=$((classes + 1))
    [ -n "$(echo "$shown" | tr -d ' ')" ] || bad "$class: nothing shows it"
    for one in $shown; do
        witnesses=$((witnesses + 1))
        look "$class" "$one"
    done
done <"$list"
[ "$classes" -ge 50 ] || bad "only $classes classes"
echo "malformed input: $classes classes, $witnesses seeds and tests"
exit $failed
