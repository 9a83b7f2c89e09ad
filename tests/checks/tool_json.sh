#!/bin/bash
# tool_json.sh: with --json the errors of all tools are JSON lines on standard output, and nothing is on standard
# error; without it they are text there. Exit codes are the same. Runs in the build folder; no server is needed.
set -u
tools=$PWD/tools
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
unset CQL_CONTACT_POINTS CQL_USERNAME CQL_PASSWORD
failures=0
error='"event":"error","error":{"status":'

fail() {
    echo "tool_json: $*" >&2
    cat out err >&2
    failures=$((failures + 1))
}

# expect CODE JSON COMMAND...: what standard output begins with (behind a brace) when --json is added.
expect() {
    local code=$1 json=$2 got
    shift 2
    "$tools/$1" "${@:2}" --json >out 2>err <in
    got=$?
    [ "$got" = "$code" ] || fail "'$* --json' ended with $got, not $code"
    [ ! -s err ] || fail "'$* --json' has text on standard error"
    [ "$(head -c $((${#json} + 1)) out)" = "{$json" ] || fail "'$* --json': no such error as $json"
    [ "$(grep -c "$error" out)" = 1 ] || fail "'$* --json': not one error"
    "$tools/$1" "${@:2}" >out 2>err <in
    got=$?
    [ "$got" = "$code" ] || fail "'$*' ended with $got, not $code"
    [ ! -s out ] || fail "'$*' has something on standard output"
    grep -q "^${1%% *}: " err || fail "'$*' tells no error"
}

printf '[1]\n[1\n' >in
nobody=127.0.0.1:1
expect 3 "$error\"CQL_NO_HOST\"" cqlping --query 'SELECT now() FROM system.local' "$nobody"
expect 3 "$error\"CQL_NO_HOST\"" cqlping --watch "$nobody"
expect 3 "$error\"CQL_NO_HOST\"" cqlping --all "$nobody"
expect 3 "$error\"CQL_NO_HOST\"" cqljobs --wait 0.1 "$nobody" stats
expect 3 "$error\"CQL_NO_HOST\"" cqljobs --wait 0.1 "$nobody" enqueue t '[1]'
expect 3 "$error\"CQL_NO_HOST\"" cqljobs --wait 0.1 127.0.0.1:1 work --exec true

# One error on standard output, and what is wrong with a command line as text on the other.
"$tools/cqlinit" --json --wait 0.1 127.0.0.1:1 -e 'SELECT now() FROM system.local' >out 2>err
[ $? = 3 ] || fail "cqlinit did not end with 3"
[ "$(grep -c "$error" out)" = 1 ] || fail "cqlinit tells no error"
[ ! -s err ] || fail "cqlinit --json has text on standard error"
"$tools/cqljobs" --json nonsense >out 2>err
[ $? = 2 ] || fail "cqljobs nonsense did not end with 2"
[ ! -s out ] && [ -s err ] || fail "a command line that is wrong is told as text"

# One that the library does not know has the same fields.
"$tools/cqlinit" --json --print - >out 2>err <.
[ $? = 1 ] || fail "a folder for standard input did not end with 1"
[ "$(cat out)" = '{"event":"error","error":{"status":null,"text":"standard input: Is a directory","maybe_applied":false}}' ] ||
    fail "what the tool itself finds wrong lacks a field"

[ $failures = 0 ]
