# shellcheck shell=bash
# 'make check' and what it tells. A program of cmocka counts once for each of
# its test functions, any other test once.

CHECK_LIMIT=1500

# How many lines of a log begin with a mark of cmocka's.
count_marks() {
    grep -c -F "$1" "$2" 2>/dev/null || true
}

# The last line before the one the test harness adds.
last_words() {
    grep -v -E '^(SKIP|PASS|FAIL|ERROR|XFAIL|XPASS) ' "$1" 2>/dev/null | grep -v '^ *$' | tail -n 1
}

failed_functions() {
    sed -n 's/^\[  FAILED  \] \([A-Za-z0-9_]*\)$/\1/p' "$1" | sort -u
}

# count_check NAME RESULT LOG
count_check() {
    local name=$1 result=$2 log=$3 good bad skipped function
    good=$(count_marks '[       OK ]' "$log")
    bad=$(failed_functions "$log" | wc -l)
    skipped=$(count_marks '[  SKIPPED ]' "$log")
    if [ "$result" = SKIP ]; then
        skip "$name" "$(last_words "$log")"
        return
    fi
    [ $((good + bad + skipped)) -gt 0 ] || good=$([ "$result" = PASS ] && echo 1 || echo 0)
    PASSED=$((PASSED + good))
    SKIPPED=$((SKIPPED + skipped))
    if [ "$result" = PASS ]; then
        echo "ok    $name$([ $((good + skipped)) -le 1 ] || echo " ($good tests)")"
    elif [ "$bad" -gt 0 ]; then
        for function in $(failed_functions "$log"); do
            fail "$name" "$function"
        done
        tail -n 60 "$log" | indent
    else
        fail "$name" "the program ended with $result" "$log"
    fi
    [ "$skipped" -eq 0 ] || echo "skip  $name - $skipped of its functions skip themselves"
}

collect_checks() {
    local trs name result
    for name in "${CHECKS[@]}"; do
        # The harness takes a script's suffix off the names of its files.
        trs=$BUILD/$name.trs
        [ -e "$trs" ] || trs=$BUILD/${name%.*}.trs
        if [ ! -e "$trs" ]; then
            fail "$name" "it did not run" "$WORK/check.log"
            continue
        fi
        result=$(sed -n 's/^:global-test-result: *//p' "$trs")
        count_check "$name" "${result:-ERROR}" "${trs%.trs}.log"
    done
}

# What a conditional of the makefile leaves out is not there to be run.
drop_unbuilt() {
    local all name kept=()
    # shellcheck disable=SC2016
    if ! all=$(make -s -C "$BUILD" -f - print-tests <<<"$(
        printf 'include Makefile\nprint-tests:\n\t@echo $(TESTS)\n'
    )" 2>"$WORK/check.log"); then
        fail "make check" "the makefile does not tell its tests" "$WORK/check.log"
        CHECKS=()
        return
    fi
    for name in "${CHECKS[@]}"; do
        if [[ " $all " = *" $name "* ]]; then
            kept+=("$name")
        else
            skip "$name" "this configuration does not build it"
        fi
    done
    CHECKS=("${kept[@]}")
}

run_checks() {
    [ "${#CHECKS[@]}" -gt 0 ] || return 0
    drop_unbuilt
    [ "${#CHECKS[@]}" -gt 0 ] || return 0
    progress "make check: ${#CHECKS[@]} test programs"
    find "$BUILD" -name '*.trs' -delete
    UBSAN_OPTIONS=print_stacktrace=1 attended timeout --kill-after=10 "$CHECK_LIMIT" \
        make -k -C "$BUILD" -j"$JOBS" check TESTS="${CHECKS[*]}" >"$WORK/check.log" 2>&1
    collect_checks
}
