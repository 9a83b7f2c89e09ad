#!/bin/bash
# The test driver counts right: a test that fails, crashes or reports nothing never counts as passed.
# shellcheck disable=SC2034  # most variables are read by the parts under test
set -u -o pipefail

PARTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/../run.d" && pwd -P) || exit 99
# What the parts take from tests/run.
# shellcheck disable=SC2034
FULL=no RELEASES='5.0 4.1' PATTERNS=() CHECKS=() LIVE=() LIMIT=38 KEEP=no
for part in attend results list check live; do
    # shellcheck source=/dev/null
    . "$PARTS/$part.sh" || exit 99
done

DIR=$(mktemp -d) || exit 99
trap 'rm -rf "$DIR"' EXIT
SRC=$DIR
WORK=$DIR/work
mkdir -p "$DIR/tests/unit" "$DIR/tests/live" "$WORK"
WRONG=0

# same WHAT WANTED SEEN
same() {
    [ "$2" = "$3" ] && return 0
    echo "$1: wanted '$2', got '$3'"
    WRONG=$((WRONG + 1))
}

# counts WHAT WANTED COMMAND...: what the command adds, as passed/failed/skipped.
counts() {
    local what=$1 wanted=$2
    shift 2
    PASSED=0 FAILED=0 SKIPPED=0
    "$@" >"$DIR/said"
    same "$what" "$wanted" "$PASSED/$FAILED/$SKIPPED"
}

says() {
    grep -q -F -- "$1" "$DIR/said" || same "what is said" "... $1 ..." "$(cat "$DIR/said")"
}

# ---- programs of 'make check' -------------------------------------------------

log() {
    printf '%s\n' "$@" >"$DIR/log"
}

log '[ RUN      ] a' '[       OK ] a' '[ RUN      ] b' '[       OK ] b' 'PASS x (exit status: 0)'
counts "two functions pass" 2/0/0 count_check x PASS "$DIR/log"

log '[       OK ] a' '[  FAILED  ] b' '[  FAILED  ] tests: 1 test(s), listed below:' '[  FAILED  ] b'
counts "one of two functions fails" 1/1/0 count_check x FAIL "$DIR/log"
says "FAIL  x - b"

log '[       OK ] a' 'ERROR: LeakSanitizer: detected memory leaks'
counts "a leak after the last function" 1/1/0 count_check x FAIL "$DIR/log"
says "LeakSanitizer"

log '[       OK ] a' '[ RUN      ] b'
counts "a crash in a function" 1/1/0 count_check x ERROR "$DIR/log"

log '[       OK ] a' '[  SKIPPED ] b'
counts "a function that skips itself" 1/0/1 count_check x PASS "$DIR/log"

log 'all is well' 'PASS x (exit status: 0)'
counts "a plain script passes" 1/0/0 count_check x PASS "$DIR/log"
log 'it is not'
counts "a plain script fails" 0/1/0 count_check x FAIL "$DIR/log"
log 'valgrind is missing' '' 'SKIP x (exit status: 77)'
counts "a script skips" 0/0/1 count_check x SKIP "$DIR/log"
says "skip  x - valgrind is missing"

BUILD=$DIR/build
mkdir -p "$BUILD/tests/unit"
CHECKS=(tests/unit/gone)
counts "a program that did not run" 0/1/0 collect_checks
CHECKS=(tests/unit/there.sh)
echo ':global-test-result: PASS' >"$BUILD/tests/unit/there.trs"
log >"$BUILD/tests/unit/there.log"
counts "a script's results without its suffix" 1/0/0 collect_checks

mkdir -p "$BUILD"
echo 'no rule' >"$BUILD/Makefile"
CHECKS=(tests/unit/there.sh)
counts "a makefile that cannot be read" 0/1/0 run_checks
echo 'TESTS = tests/unit/other' >"$BUILD/Makefile"
CHECKS=(tests/unit/there.sh)
counts "a test that was not built" 0/0/1 run_checks

# ---- signals --------------------------------------------------------------------

alive() {
    kill -0 "$1" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

# ends WHAT COMMAND...: a script that does this ends with what it attends to, and what that has started,
# when it is told to.
ends() {
    local what=$1 script waiter i
    shift
    script="for part in attend results build; do . '$PARTS'/\$part.sh; done
        trap 'end_attended; exit 143' TERM
        $*"
    rm -f "$DIR/pid"
    timeout 60 bash -c "$script" >/dev/null &
    waiter=$!
    until [ -e "$DIR/pid" ] || ! kill -0 "$waiter" 2>/dev/null; do sleep 0.05; done
    kill "$waiter"
    wait "$waiter"
    same "$what: the status" 143 $?
    for ((i = 0; i < 200; i++)); do
        alive "$(cat "$DIR/pid")" || break
        sleep 0.05
    done
    same "$what: what it began" gone "$(alive "$(cat "$DIR/pid")" || echo gone)"
}

mkdir -p "$DIR/tree"
printf '#!/bin/sh\nsleep 300 & echo $! >"%s"; mv "%s" "%s"; wait\n' "$DIR/pid.new" "$DIR/pid.new" "$DIR/pid" \
    >"$DIR/tree/configure"
chmod +x "$DIR/tree/configure"
ends "a script that was ended" attended "$DIR/tree/configure"
ends "configure that was ended" "WORK='$DIR/run' BUILD='$DIR/run/build'; mkdir -p '$DIR/run'
    configure_if_needed '$DIR/tree'"
attended sh -c 'exit 7'
same "the status of what was attended to" 7 $?

# ---- the lists ----------------------------------------------------------------

cat >"$DIR/tests/tests.am" <<'AM'
SOME = tests/unit/one \
	tests/unit/two
TESTS += $(check_PROGRAMS) tests/unit/plain.sh
check_PROGRAMS += $(SOME)
tests_unit_one_SOURCES = tests/unit/one.c
AM
same "the tests of makefile fragments" "tests/unit/one tests/unit/two tests/unit/plain.sh" \
    "$(check_tests | tr '\n' ' ' | sed 's/ $//')"

# script NAME LINE...: a live test with these header lines.
script() {
    local file=$DIR/tests/live/$1.test
    shift
    { echo '#!/bin/bash'; printf '# %s\n' "$@"; echo 'exit 0'; } >"$file"
    chmod +x "$file"
    echo "$file"
}

plain=$(script plain 'name: ping' 'needs: 4.1')
cases=$(script cases 'name: all' 'case: 6.1 first thing' 'case: 6.2 second thing' 'nodes: 3')
long=$(script long 'long: yes' 'needs: 5.0' 'case: 7.1 slow')

# chosen PATTERN...: the scripts that run.
chosen() {
    PATTERNS=("$@")
    choose_tests
    [ "${#LIVE[@]}" -eq 0 ] || basename -s .test -a "${LIVE[@]}" | tr '\n' ' '
}

same "without a pattern the short ones" "cases plain " "$(chosen)"
same "a pattern on cases" "cases " "$(chosen '6.*')"
same "a wildcard takes no long one" "" "$(chosen 'lon*')"
same "that of a number does" "long " "$(chosen '7.*')"
same "its name does" "long " "$(chosen 7.1)"
FULL=yes
same "the full run takes it" "cases long plain " "$(chosen)"
FULL=no
PATTERNS=(6.2)
same "the one case chosen" "6.2" "$(chosen_cases "$cases")"
PATTERNS=()

LIVE=("$plain" "$cases")
same "runs on one cluster stand together" "5.0|--nodes 3|cases 4.1||plain 4.1|--nodes 3|cases" \
    "$(plan | sed 's,|[^|]*/\(.*\).test$,|\1,' | tr '\n' ' ' | sed 's/ $//')"
LIVE=()
same "the release a script needs" "5.0" "$(header_or "$long" needs none)"

# ---- clusters -----------------------------------------------------------------

LOCALCASSANDRA=$DIR/launcher
cat >"$LOCALCASSANDRA" <<'SH'
#!/bin/bash
echo "$1" >>"$0.asked"
[ "$1" != start ] || [ "$(grep -c start "$0.asked")" -ge "$(cat "$0.starts")" ]
SH
chmod +x "$LOCALCASSANDRA"

# started TRY: whether a cluster that starts at that try is had, and what the launcher is asked for.
started() {
    rm -f "$LOCALCASSANDRA.asked"
    echo "$1" >"$LOCALCASSANDRA.starts"
    use_cluster 5.0 '' >/dev/null
    echo "$? $(tr '\n' ' ' <"$LOCALCASSANDRA.asked")"
}
same "a cluster that starts" "0 start " "$(started 1)"
same "one that starts anew" "0 start stop start " "$(started 2)"
same "one that does not" "1 start stop start " "$(started 3)"

# ---- live scripts -------------------------------------------------------------

output() {
    printf '%s\n' "$@" >"$DIR/output"
}

output fine
counts "exit 0" 1/0/0 count_run "$plain" ' [4.1]' "$DIR/output" 0
says "ok    ping [4.1]"
counts "exit 1" 0/1/0 count_run "$plain" '' "$DIR/output" 1
counts "too slow" 0/1/0 count_run "$plain" '' "$DIR/output" 124
says "more than 300 s"
output 'noise' 'no second network card'
counts "exit 77" 0/0/1 count_run "$plain" '' "$DIR/output" 77
says "skip  ping - no second network card"

output 'ok 6.1' 'ok 6.2'
counts "both cases" 2/0/0 count_run "$cases" '' "$DIR/output" 0
counts "both cases but a bad end" 2/1/0 count_run "$cases" '' "$DIR/output" 1
output 'ok 6.1' 'not ok 6.2 - five came, not six'
counts "one case fails" 1/1/0 count_run "$cases" '' "$DIR/output" 1
says "FAIL  6.2 - five came, not six"
output 'ok 6.1'
counts "a case is not reported" 1/1/0 count_run "$cases" '' "$DIR/output" 0
output 'ok 6.1' 'skip 6.2 - no IPv6'
counts "a case skips" 1/0/1 count_run "$cases" '' "$DIR/output" 0
says "skip  6.2 - no IPv6"

# ---- how a run ends -----------------------------------------------------------

# ends WHAT PASSED FAILED SKIPPED CODE
ends() {
    PASSED=$2 FAILED=$3 SKIPPED=$4
    finish >"$DIR/said"
    same "$1: its exit status" "$5" "$?"
    same "$1: its last line" "$2 passed, $3 failed, $4 skipped" "$(tail -n 1 "$DIR/said")"
}
ends "all pass" 3 0 0 0
ends "some skip" 3 0 2 0
ends "one fails" 3 1 2 1
ends "only failures" 0 1 2 1
ends "all skip" 0 0 2 77
says "nothing was tested"

check_tests() {
    echo tests/unit/one
}
live_scripts() {
    :
}
PATTERNS=()
same "without a pattern all are meant" "" "$(unmatched)"
PATTERNS=('one')
same "a pattern that matches" "" "$(unmatched)"
PATTERNS=('one' 'tow')
same "one of two matches nothing" "tow" "$(unmatched)"

[ "$WRONG" -eq 0 ]
