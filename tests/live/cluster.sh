# shellcheck shell=bash
# For live test scripts behind lib.sh: load on a cluster (cluster_probe) while things happen to its nodes.
#
#   begin_load KEYSPACE URL_OPTIONS  a keyspace on every node, and load on it; the log is $LOG
#   say LINE                         one line to the program, as its source says
#   address N                        address:port of node N
#   await SECONDS up|down|gone N     until the program says that of node N
#   calm SECONDS                     load without anything happening
#   since, within, failed_in         what was measured; see there
#   end_load                         the program counts; the case fails where a rule is broken
LOAD=

address() {
    cluster nodes | awk -v n="$1" '$1 == n { print $2 }'
}

begin_load() {
    local keyspace=$1 options=$2 node
    LOG=$CQL_TEST_DIR/$keyspace.log
    if [ -n "${CQL_TEST_USER-}" ]; then
        export CQL_USERNAME=$CQL_TEST_USER CQL_PASSWORD=$CQL_TEST_PASSWORD
    fi
    PIPE=$CQL_TEST_DIR/$keyspace.pipe
    cluster start -q >/dev/null || fail "the nodes do not start"
    rm -f "$PIPE"
    mkfifo "$PIPE"
    "$BUILD/tests/live/cluster_probe" "cql://$CQL_TEST_HOSTS/?$options" "$keyspace" <"$PIPE" >"$LOG" 2>&1 &
    LOAD=$!
    exec 9>"$PIPE"
    wait_for 180 grep -q ' mark calm' "$LOG"
    for node in ${CQL_TEST_HOSTS//,/ }; do
        wait_for 60 last_word_is up "$node"
    done
}

say() {
    kill -0 "$LOAD" 2>/dev/null || fail "the load has ended: $(tail -n 1 "$LOG")"
    echo "$*" >&9
}

last_word_is() {
    awk -v word="$1" -v node="$2" '
        ($2 == "up" || $2 == "down" || $2 == "gone") && ($3 == node || $3 == node ":") { last = $2 }
        END { exit last != word }' "$LOG"
}

await() {
    wait_for "$1" last_word_is "$2" "$3"
}

calm() {
    sleep "$1" # what is measured then is a stretch of time
}

end_load() {
    local code=0
    echo end >&9
    exec 9>&-
    wait "$LOAD" || code=$?
    LOAD=
    cp "$LOG" "$CQL_TEST_DIR/../"
    grep -v ' error kind ' "$LOG" | tail -n 60
    { grep ' error kind ' "$LOG" || true; } | cut -d ' ' -f 2- | sed 's/after [0-9]* ms//' | sort | uniq -c | sort -rn | sed -n 1,8p
    [ "$code" = 0 ] || fail "the load ended with $code: $(grep BROKEN "$LOG" | head -n 1)"
    grep -q ' all holds$' "$LOG" || fail "the load did not count"
}

# since MARK up|down|gone N: milliseconds from the mark until the program said it of node N.
since() {
    awk -v text="mark $1" -v word="$2" -v node="$3" '
        $2 == "mark" && substr($0, length($1) + 2) == text { at = $1 }
        at != "" && $2 == word && ($3 == node || $3 == node ":") { print $1 - at; exit }' "$LOG"
}

# within WHAT LIMIT MS: a time that was measured, for the record, and its limit.
within() {
    echo "record $1: ${3:-never} ms (at most $2)" | tee -a "$CQL_TEST_DIR/../record"
    [ -n "$3" ] && [ "$3" -le "$2" ] || fail "$1: ${3:-never} ms instead of at most $2"
}

# failed_in MARK: requests of that stretch that may be repeated and failed all the same.
failed_in() {
    sed -n "s/^[0-9]* segment $1: .*idempotent failed \([0-9]*\),.*/\1/p" "$LOG"
}

kill_load() {
    [ -z "$LOAD" ] || kill "$LOAD" 2>/dev/null
}
trap kill_load EXIT
