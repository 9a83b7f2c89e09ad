#!/bin/bash
# limit.sh: a test that takes too long is a failure that names it, and nothing of it is left behind; what a test ends with is
# what it counts as.
set -u
limit=$(cd "$srcdir/tests" && pwd)/limit.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
unset CQL_TESTS_LIMIT CQL_TESTS_SLOWER
failures=0

fail() {
    echo "limit: $*" >&2
    failures=$((failures + 1))
}

script() {
    printf '#!/bin/bash\n%s\n' "$2" >"$1"
    chmod +x "$1"
}

# ends CODE SECONDS COMMAND...
ends() {
    local code=$1 got
    shift
    bash "$limit" "$@" >out 2>&1
    got=$?
    [ "$got" = "$code" ] || fail "'$*' ended with $got, not $code"
}

# gone FILE: the process whose number is in there.
gone() {
    local i
    for i in $(seq 50); do
        kill -0 "$(cat "$1")" 2>/dev/null || return 0
        sleep 0.1
    done
    fail "the process of $1 is still there"
}

script good 'echo said; exit 0'
script bad 'exit 3'
script skipped 'echo "no such thing here"; exit 77'
script crash 'kill -SEGV $$'
script hung 'echo began; sleep 1000 & echo $! >child; echo $$ >self; wait'
script deaf 'trap "" TERM; sleep 1000 & echo $! >child; echo $$ >self; while :; do sleep 1; done'
script tidy 'trap "touch tidied; exit" TERM; sleep 1000 & wait'
script leaves 'sleep 1000 & echo $! >child'

ends 0 10 ./good
grep -q '^said$' out || fail "what a test says is not there"
ends 3 10 ./bad
ends 77 10 ./skipped
ends 139 10 ./crash
ends 0 10 env ./good # behind a runner
# However long the runner takes to begin its wait.
echo 'trap '\''[[ $BASH_COMMAND != wait* ]] || sleep 0.5'\'' DEBUG' >slow
for name in good:0 bad:3 crash:139; do
    BASH_ENV=slow ends "${name#*:}" 10 "./${name%:*}"
done
for name in hung deaf; do
    ends 1 1 ./$name
    grep -q "^./$name: still running after 1 s" out || fail "'$name' is not named"
    gone self
    gone child
done
ends 1 1 ./tidy
[ -e tidied ] || fail "a test is not told to end"
ends 0 10 ./leaves
gone child

CQL_TESTS_LIMIT=1 ends 1 100 ./hung
CQL_TESTS_LIMIT=0 ends 0 1 ./good
CQL_TESTS_SLOWER=40 CQL_TESTS_LIMIT=1 ends 1 100 ./hung
script brief 'sleep 1.5'
CQL_TESTS_SLOWER=40 ends 0 1 ./brief
ends 1 1 ./brief

# Who ends the run ends the test.
rm -f child self
bash "$limit" 100 ./hung >out 2>&1 &
runner=$!
for _ in $(seq 50); do
    [ -s self ] && break
    sleep 0.1
done
kill -TERM "$runner"
wait "$runner"
gone self
gone child

[ $failures = 0 ]
