# shellcheck shell=bash
# For live test scripts: . "$SRC/tests/live/lib.sh"
#
#   skip_all REASON           end the script as skipped
#   fail WHY                  end the case (or the script) as failed
#   expect_code N COMMAND...  fail unless the command ends with N; its output goes
#                             to the file $OUT
#   expect_text TEXT          fail unless $OUT holds TEXT
#   wait_for SECONDS COMMAND...  repeat the command until it succeeds, or fail
#   cluster COMMAND [ARG...]  localcassandra on the test's cluster
#   settled [NODE...]         what the nodes (node 1) have acknowledged outlives their
#                             SIGKILL; call it between the last write and the kill
#   run_case NAME FUNCTION    run a function as one of the script's cases
set -u -o pipefail

OUT=$CQL_TEST_DIR/out

skip_all() {
    echo "$*"
    exit 77
}

fail() {
    echo "$*" >&2
    exit 1
}

expect_code() {
    local wanted=$1 code=0
    shift
    "$@" >"$OUT" 2>&1 || code=$?
    cat "$OUT"
    [ "$code" = "$wanted" ] || fail "exit $code instead of $wanted: $*"
}

expect_text() {
    grep -q -F -- "$1" "$OUT" || fail "the output does not hold '$1'"
}

# The seconds are a quiet machine's; one that is slower or shared is given twice that.
wait_for() {
    local end=$((SECONDS + 2 * $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "it did not come in time: $*"
        sleep 0.1
    done
}

cluster() {
    local command=$1
    shift
    "$LOCALCASSANDRA" "$command" --version "$CQL_TEST_VERSION" --name "$CQL_TEST_CLUSTER" "$@"
}

# A node acknowledges a write before its commit log is on the disk, and loses it if it is
# killed in that moment; a cluster of one node has no other copy. A flush puts everything
# into table files, so that no time has to be guessed.
settled() {
    local node
    for node in "${@:-1}"; do
        cluster nodetool "$node" flush || fail "node $node cannot be flushed"
    done
}

# Each case in a shell of its own, so that fail ends the case alone.
CASES_FAILED=0
run_case() {
    local name=$1 function=$2 log=$CQL_TEST_DIR/case.log code
    [[ " $CQL_TEST_ONLY " = *" $name "* ]] || return 0
    (
        set -e
        "$function"
    ) >"$log" 2>&1
    code=$?
    case $code in
    0) echo "ok $name" ;;
    77) echo "skip $name - $(tail -n 1 "$log")" ;;
    *)
        sed 's/^/  /' "$log"
        echo "not ok $name - $(tail -n 1 "$log")"
        CASES_FAILED=$((CASES_FAILED + 1))
        ;;
    esac
}
