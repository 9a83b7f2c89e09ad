#!/bin/bash
# tool_cqlinit.sh: what cqlinit prints and refuses without a server: statements worked out, files that
# cannot be read or cut, options that make no sense; and embed.awk. Runs in the build folder.
# shellcheck disable=SC2154 # srcdir comes from the makefile
set -u
tool=$PWD/tools/cqlinit
cql=$(cd "$srcdir/cql" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
unset CQL_CONTACT_POINTS CQL_USERNAME CQL_PASSWORD
failures=0

fail() {
    echo "cqlinit: $*" >&2
    failures=$((failures + 1))
}

# expect CODE OUTPUT ERRORS ARGUMENTS...: runs the tool with standard input from the file `in`.
expect() {
    local code=$1 output=$2 errors=$3 got
    shift 3
    "$tool" "$@" >out 2>err <in
    got=$?
    [ "$got" = "$code" ] || fail "'$*' ended with $got, not $code"
    diff <(printf '%s' "$output") out >&2 || fail "'$*' printed something else"
    diff <(printf '%s' "$errors") err >&2 || fail "'$*' said something else"
}
: >in

# --- statements worked out

mkdir sub
printf "USE k;\r\nSOURCE 'sub/b.cql'\r\nCREATE KEYSPACE k WITH replication = {'class': 'X'};" >a.cql
printf '\357\273\277CREATE TABLE k.t (a int PRIMARY KEY); -- end\n' >sub/b.cql
expect 0 "USE k;
CREATE TABLE k.t (a int PRIMARY KEY) WITH comment = 'it''s';
CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3, 'dc2': 2};
-- 3 statements
" "" --print --replication dc1:3,dc2:2 --set "k.t.comment=it's" a.cql

expect 0 "SELECT 1;
-- 1 statement
" "" --print -e 'SELECT 1;'

printf 'SELECT 2' >in
expect 0 "SELECT 2;
-- 1 statement
" "" --print
expect 0 "SELECT 0;
SELECT 2;
-- 2 statements
" "" --print -e 'SELECT 0' -
expect 0 "SELECT 2;
-- 1 statement
" "" --print -f in
: >in
expect 0 '{"event":"statement","text":"SELECT 3","file":"-e","line":1}
{"event":"summary","created":0,"exists":0,"differs":0,"dropped":0,"absent":0,"statements":0,"differences":0,"notes":0,"warnings":0,"verified":false,"exit":0}
' "" --print --json -e 'SELECT 3'

# What it prints for a file of the tree is that file without its comments between statements.
"$tool" --print "$cql/habit.cql" >once.cql || fail "habit.cql cannot be printed"
"$tool" --print once.cql >twice.cql || fail "what was printed cannot be printed"
cmp once.cql twice.cql || fail "printing twice gives something else"

# --- files

printf "SELECT 1;\n INSERT 'x" >open.cql
expect 1 "" "cqlinit: open.cql:2:9: the string that begins here has no end
" --print open.cql
printf 'a;\n/* b' >open.cql
expect 1 "" "cqlinit: open.cql:2:1: the comment that begins here has no end
" --print open.cql
printf '\n TRACING ON\n' >command.cql
expect 1 "" "cqlinit: command.cql:2:2: TRACING is a command of cqlsh that is not supported here (SOURCE, CONSISTENCY and DESCRIBE are)
" --print command.cql
printf "SOURCE 'nosuch.cql';" >source.cql
expect 1 "" "cqlinit: source.cql:1:1: SOURCE 'nosuch.cql': No such file or directory
" --print source.cql
printf "\nSOURCE 'self.cql';" >self.cql
expect 1 "" "cqlinit: self.cql:2:1: SOURCE 'self.cql': the file would include itself
" --print self.cql
expect 2 "" "cqlinit: nosuch.cql: No such file or directory
" --print nosuch.cql
expect 2 '{"event":"error","error":{"status":"CQL_NOT_FOUND","text":"nosuch.cql: No such file or directory","maybe_applied":false}}
' "" --print --json nosuch.cql

# --- options; nothing of this may try to connect

usage="Try 'cqlinit --help'.
"
expect 2 "" "cqlinit: --reset drops the keyspaces of the files with all their data: confirm it with --yes (nothing was done)
$usage" --reset 127.0.0.1:1 a.cql
expect 2 "" "cqlinit: --yes confirms --reset, which is not there
$usage" --yes 127.0.0.1:1 a.cql
expect 2 "" "cqlinit: --status does not go together with another of --verify-only, --status, --reset, --migrate and --print
$usage" --verify-only --status 127.0.0.1:1 a.cql
expect 2 "" "cqlinit: --verify: 'most' is not one of full, shape, off
$usage" --verify=most 127.0.0.1:1 a.cql
expect 2 "" "cqlinit: --verify-only with --verify=off would do nothing
$usage" --verify-only --verify=off 127.0.0.1:1 a.cql
expect 2 "" "cqlinit: --dry-run does not go together with --verify-only and --status, which change nothing anyway
$usage" --dry-run --status 127.0.0.1:1 a.cql
expect 2 "" "cqlinit: --migrate takes the files of its folder, and no others
$usage" --migrate sub 127.0.0.1:1 a.cql
expect 2 "" "cqlinit: --baseline, --kept-in, --scope, --lease and --lock-wait belong to --migrate
$usage" --baseline 0001_a 127.0.0.1:1 a.cql
expect 2 "" "cqlinit: replication 'many' is neither a number of copies (3) nor data centres with theirs (dc1:3,dc2:2)
" --replication many 127.0.0.1:1 a.cql
expect 2 "" "cqlinit: table k.x has no CREATE TABLE in the CQL
" --set k.x.comment=y 127.0.0.1:1 a.cql
expect 2 "" "cqlinit: 'k.t=5' is not KEYSPACE.TABLE.OPTION=VALUE
" --set k.t=5 127.0.0.1:1 a.cql
expect 2 "" "cqlinit: 'many' is no consistency level
" --consistency many 127.0.0.1:1 a.cql

# --- a port that nobody listens on

expect_unreached() {
    "$tool" "$@" >out 2>err <in
    [ $? = 3 ] || fail "'$*' did not end with 3"
    [ ! -s out ] || fail "'$*' printed something"
    grep -q '127.0.0.1:1: .*refused' err || fail "'$*' does not name host and reason: $(cat err)"
    grep -q 'is Cassandra running there' err || fail "'$*' gives no hint: $(cat err)"
}
expect_unreached --wait 0 127.0.0.1:1 a.cql
expect_unreached --wait 0 --host 127.0.0.1 --port 1 a.cql
CQL_CONTACT_POINTS=127.0.0.1:1 expect_unreached --wait 0 a.cql
expect_unreached --wait 0 'cql://127.0.0.1:1/' -e 'SELECT 1'

# --- the schema as a C array

export LC_ALL=C
printf 'a "q" \\ ?'"'"' \303\251\tb\r\nc\n' >embed.cql
awk -v name=some_cql -f "$cql/embed.awk" embed.cql >embed.h || fail "embed.awk failed"
printf '#include <stdio.h>\n#include "embed.h"\nint main(void)\n{\n    return fwrite(some_cql, sizeof some_cql - 1, 1, stdout) != 1;\n}\n' >embed.c
cc=$(sed -n "s/^CC='\([^']*\)'.*/\1/p" "$OLDPWD/tests/checks/vars.sh")
$cc -std=c11 -pedantic -Wall -Werror -o embed embed.c || fail "embed.h does not compile"
./embed | cmp - <(tr -d '\r' <embed.cql) || fail "embed.h holds another text"
awk -f "$cql/embed.awk" embed.cql >out 2>err
[ $? = 2 ] || fail "embed.awk without a name does not end with 2"
grep -q 'name=telemetry_cql' err || fail "embed.awk does not say what it needs"

[ "$failures" = 0 ]
