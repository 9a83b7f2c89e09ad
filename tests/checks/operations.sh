#!/bin/sh
# doc/operations.md: every number of the requirements is there once, and every test it names exists.
# Usage: operations.sh [SOURCE_FOLDER]
set -eu
src=${1:-${srcdir:-.}}
page=$src/doc/operations.md
faults=0

for range in 000:23 001:39 002:17 003:17 004:36; do
    i=1
    while [ "$i" -le "${range#*:}" ]; do
        n=$(sed -n 's/^| \(00[0-9]\.[^|]*\)|.*/\1/p' "$page" | tr -d ' ' | tr ',' '\n' | grep -cx "${range%:*}\.$i" || true)
        [ "$n" = 1 ] || {
            echo "$page: requirement ${range%:*}.$i is there $n times"
            faults=1
        }
        i=$((i + 1))
    done
done

sed -n 's/^| 00[0-9]\.[^|]*| \(.*\) |$/\1/p' "$page" | tr ',;' '\n\n' | sed 's/^ *//' |
    grep -oE '^(tests/unit/[a-z_]+|[a-z_]+(\.[a-z_0-9]+)+|6\.[0-9]\.[a-z0-9]+)' | sort -u >operations.names
[ -s operations.names ] || faults=1
while read -r name; do
    case $name in
    tests/*) [ -e "$src/$name.c" ] ;;
    *) grep -qE "^# (case|name): $(echo "$name" | sed 's/\./\\./g')( |\$)" "$src"/tests/live/*.test ;;
    esac || {
        echo "$page names $name, which is no test"
        faults=1
    }
done <operations.names
rm -f operations.names
# The commands of its tables are typed by tests/live/commands.test; each is one of ours, or said to be the
# server's own.
grep '^|' "$page" | grep -oE '`[a-z][a-z/]* [^`]*`' | tr -d '`' | sed 's/ .*//' | sort -u >operations.names
while read -r name; do
    case $name in
    cqlping | cqlinit | cqljobs | eventsink | chatlog | trainmetrics | journal) ;;
    nodetool | kill) ;; # marked so where they stand
    cqlsh) ;;    # on the side of the documents
    [a-z]*) grep -qE "^\\| .*\`$name [^|]*\| here" "$page" || { echo "$page: $name is no command of ours"; faults=1; } ;;
    esac
done <operations.names
rm -f operations.names
exit "$faults"
