# shellcheck shell=bash
# What is counted, and the lines that tell of it.

PASSED=0
FAILED=0
SKIPPED=0

indent() {
    sed 's/^/    /'
}

pass() {
    PASSED=$((PASSED + 1))
    echo "ok    $1"
}

# fail NAME WHY [FILE]: FILE's end is shown below.
fail() {
    FAILED=$((FAILED + 1))
    echo "FAIL  $1 - $2"
    if [ -n "${3:-}" ] && [ -s "$3" ]; then
        tail -n 60 "$3" | indent
        echo "    (from $3)"
    fi
}

skip() {
    SKIPPED=$((SKIPPED + 1))
    echo "skip  $1 - ${2:-no reason was given}"
}

elapsed() {
    printf '%d:%02d' $((SECONDS / 60)) $((SECONDS % 60))
}

progress() {
    echo "[$(elapsed)] $*"
}

out_of_time() {
    [ "$SECONDS" -ge $((LIMIT * 60)) ]
}

# A run in which nothing passed shows nothing: no success, and none for a script either.
finish() {
    progress "done"
    [ $((PASSED + FAILED)) -gt 0 ] || echo "nothing was tested: all that was chosen skipped itself (exit status 77)"
    echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
    [ "$FAILED" -eq 0 ] || return 1
    [ "$PASSED" -gt 0 ] || return 77
}
