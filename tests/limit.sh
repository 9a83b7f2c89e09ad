#!/bin/bash
# limit.sh SECONDS COMMAND...: runs a test, the last word of the command, which counts as failed when it takes longer;
# nothing that it has begun is left behind then. The checks of the tree, which compile, have twice the time, and what runs under
# valgrind or qemu (CQL_TESTS_SLOWER is set) ten times. CQL_TESTS_LIMIT=SECONDS is instead of all that; 0: no limit.
set -u
# shellcheck source=surroundings.sh
. "${0%/*}/surroundings.sh" || exit 1
limit=$1
shift
name=${!#}

case $name in
*tests/checks/*) limit=$((limit * 2)) ;;
esac
[ -z "${CQL_TESTS_SLOWER:-}" ] || limit=$((limit * 10))
limit=${CQL_TESTS_LIMIT:-$limit}
[ "$limit" != 0 ] || exec "$@"

end_timer() {
    kill -KILL -- "-$timer"
    wait "$timer"
} 2>/dev/null

# Scripts clean up when they are told to end; who does not heed it is killed.
end_test() {
    local i
    kill -TERM -- "-$test" 2>/dev/null
    for i in 1 2 3 4 5 6 7 8 9 10; do
        kill -0 -- "-$test" 2>/dev/null || break
        sleep 0.2
    done
    kill -KILL -- "-$test" 2>/dev/null
    wait "$test" 2>/dev/null
}

interrupted() {
    end_timer
    end_test
    exit 143
}

late() {
    trap '' USR1
    end_timer
    end_test
    echo "$name: still running after $limit s, and ended; CQL_TESTS_LIMIT=SECONDS gives another limit" >&2
    exit 1
}

# Each in a process group of its own, so that it can be ended with all that it began.
set -m
"$@" </dev/null &
test=$!
trap late USR1
# Says so until it is heard: the first time may be just before the shell begins to wait.
{
    sleep "$limit"
    while kill -USR1 $$; do sleep 1; done
} 2>/dev/null &
timer=$!
set +m
trap interrupted INT TERM HUP

# By its number: of a test that a signal has ended before the shell waits, 'wait -n' knows nothing.
wait "$test" 2>/dev/null
code=$?
trap '' USR1
end_timer
kill -KILL -- "-$test" 2>/dev/null # what it left behind
exit "$code"
