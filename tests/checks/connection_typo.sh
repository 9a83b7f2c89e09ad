#!/bin/bash
# A connection string with a typo: every tool and every program of the examples that takes one names the
# option that may have been meant, and tries no server. Runs in the build folder.
set -u
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset CQL_CONTACT_POINTS CQL_USERNAME CQL_PASSWORD CQL_OPTIONS_FILE
failures=0 programs=0
BAD='cql://127.0.0.1:1/?reqest_timeout=3s'

# meant CODE PROGRAM ARGUMENT...: what was not built is left out.
meant() {
    local code=$1 got=0
    shift
    [ -x "$1" ] || return 0
    programs=$((programs + 1))
    "$@" >"$tmp/out" 2>&1 </dev/null || got=$?
    if [ "$got" != "$code" ]; then
        echo "ended with $got, not $code: $*: $(cat "$tmp/out")" >&2
    elif ! grep -qF 'there is no option "reqest_timeout"; did you mean "request_timeout"?' "$tmp/out"; then
        echo "the option that was meant is not named: $*: $(cat "$tmp/out")" >&2
    elif grep -q refused "$tmp/out"; then
        echo "a server was tried: $*" >&2
    else
        return 0
    fi
    failures=$((failures + 1))
}

# By option and by word.
meant 2 tools/cqlping --host "$BAD"
meant 2 tools/cqlping "$BAD"
meant 2 tools/cqlinit --host "$BAD" -e 'SELECT 1'
meant 2 tools/cqlinit "$BAD" -e 'SELECT 1'
meant 2 tools/cqljobs --host "$BAD" list --state succeeded
meant 2 tools/cqljobs "$BAD" list --state succeeded

# The programs of the five systems; cqljobs is that of the job store.
export CASCOR_CASSANDRA_ENABLED=1
meant 2 examples/journal --host "$BAD"
meant 2 examples/chatlog --host "$BAD" count c
meant 2 examples/eventsink/eventsink --host "$BAD" --count
meant 2 examples/trainmetrics/trainmetrics --host "$BAD" runs

# The short programs; they take the string as their first word.
for name in async chatdemo conditional connect custom_policy device explain migrate pages places poll prepared \
    querytrace schema_init structs tls trace uvloop watch worker; do
    meant 1 "examples/$name" "$BAD"
done
meant 1 examples/prometheus "$BAD" 0 1
meant 1 examples/outbox "$BAD" "$tmp/file" 1 1

if [ "$programs" = 0 ]; then
    echo "nothing was built that takes a connection string"
    exit 77
fi
[ "$failures" = 0 ]
