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

# What has ended and is waited for by nobody, as under a first process that waits for none, does not live.
alive() {
    kill -0 "$1" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

# gone FILE: the process whose number is in there.
gone() {
    local i
    for i in $(seq 100); do
        alive "$(cat "$1")" || return 0
        sleep 0.1
    done
    fail "the process of $1 is still there"
}

# told FILE COMMAND...: what is ended makes that file. On a machine that stands still it may be ended before it could
# prepare for that: once more then, with more time.
told() {
    local file=$1 seconds
    shift
    for seconds in 1 5 20; do
        ends 1 "$seconds" "$@"
        [ ! -e "$file" ] || return 0
    done
    fail "a test is not told to end"
}

script good 'echo said; exit 0'
script bad 'exit 3'
script skipped 'echo "no such thing here"; exit 77'
script crash 'kill -SEGV $$'
script hung 'echo began; sleep 1000 & echo $! >child; echo $$ >self; wait'
script deaf 'trap "" TERM; sleep 1000 & echo $! >child; echo $$ >self; while :; do sleep 1; done'
script tidy 'trap "touch tidied; exit" TERM; sleep 1000 & wait'
script leaves 'sleep 1000 & echo $! >child'

ends 0 60 ./good
grep -q '^said$' out || fail "what a test says is not there"
ends 3 60 ./bad
ends 77 60 ./skipped
ends 139 60 ./crash
ends 0 60 env ./good # behind a runner
# However long the runner takes to begin its wait.
echo 'trap '\''[[ $BASH_COMMAND != wait* ]] || sleep 0.5'\'' DEBUG' >slow
for name in good:0 bad:3 crash:139; do
    BASH_ENV=slow ends "${name#*:}" 60 "./${name%:*}"
done
for name in hung deaf; do
    ends 1 1 ./$name
    grep -q "^./$name: still running after 1 s" out || fail "'$name' is not named"
    gone self
    gone child
done
told tidied ./tidy
ends 0 60 ./leaves
gone child

CQL_TESTS_LIMIT=1 ends 1 100 ./hung
CQL_TESTS_LIMIT=0 ends 0 1 ./good
CQL_TESTS_SLOWER=40 CQL_TESTS_LIMIT=1 ends 1 100 ./hung
script brief 'sleep 4'
CQL_TESTS_SLOWER=40 ends 0 2 ./brief
ends 1 1 ./brief

# What the machine has set is not there.
script where 'echo "${LC_ALL-}${TMPDIR-}$(umask)"'
(umask 077 && LC_ALL=xx_YY.UTF-8 TMPDIR="$PWD/no such" ends 0 60 ./where)
grep -qx 0022 out || fail "a test finds other surroundings: $(cat out)"

# Who ends the run ends the test.
rm -f child self
bash "$limit" 100 ./hung >out 2>&1 &
runner=$!
for _ in $(seq 600); do
    [ -s self ] && break
    sleep 0.1
done
kill -TERM "$runner"
wait "$runner"
gone self
gone child

[ $failures = 0 ]
