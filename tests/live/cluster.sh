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
#   at, at_mark                      when something was said
#   chances, slowest, nodes_used     of the requests of a while, after end_load
#
# Before begin_load, LOAD_NODES can name the nodes that the load must reach before it counts as begun (all), and
# LOAD_TLS what the URL says of TLS.
LOAD=
LOAD_NODES=$CQL_TEST_HOSTS
LOAD_TLS=
if [ -n "${CQL_TEST_TLS_ca-}" ]; then
    LOAD_TLS="&tls=verify-full&tls_ca=$CQL_TEST_TLS_ca"
fi

# Beside the load, on a machine that has other things to do, a node may take minutes to start.
PATIENCE=600

start_nodes() {
    cluster start -q --timeout $PATIENCE >/dev/null
}

address() {
    cluster nodes | awk -v n="$1" '$1 == n { print $2 }'
}

begin_load() {
    local keyspace=$1 options=$2$LOAD_TLS node
    LOG=$CQL_TEST_DIR/$keyspace.log
    export PROBE_OPS=$CQL_TEST_DIR/$keyspace.ops
    if [ -n "${CQL_TEST_USER-}" ]; then
        export CQL_USERNAME=$CQL_TEST_USER CQL_PASSWORD=$CQL_TEST_PASSWORD
    fi
    PIPE=$CQL_TEST_DIR/$keyspace.pipe
    start_nodes || fail "the nodes do not start"
    rm -f "$PIPE"
    mkfifo "$PIPE"
    "$BUILD/tests/live/cluster_probe" "cql://$CQL_TEST_HOSTS/?$options" "$keyspace" <"$PIPE" >"$LOG" 2>&1 &
    LOAD=$!
    trap kill_load EXIT # of the case's own shell
    exec 9>"$PIPE"
    wait_for 180 grep -q ' mark calm' "$LOG"
    for node in ${LOAD_NODES//,/ }; do
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
    cp "$PROBE_OPS" "$CQL_TEST_DIR/../" 2>/dev/null || true
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

record() {
    echo "record $*" | tee -a "$CQL_TEST_DIR/../record"
}

# within WHAT LIMIT MS: a time that was measured, for the record, and its limit.
within() {
    record "$1: ${3:-never} ms (at most $2)"
    [ -n "$3" ] && [ "$3" -le "$2" ] || fail "$1: ${3:-never} ms instead of at most $2"
}

# none WHAT NUMBER: something that must not happen, for the record.
none() {
    record "$1: $2"
    [ "$2" = 0 ] || fail "$1: $2"
}

# at TEXT [FROM]: the millisecond at which the program first said that, from FROM on.
at() {
    awk -v text="$1" -v from="${2:-0}" '$1 >= from && substr($0, length($1) + 2) == text { print $1; exit }' "$LOG"
}

at_mark() {
    at "mark $1"
}

# chances FROM TO: of the requests begun in these milliseconds that may be repeated: how many there were, how many
# failed, and how many of these by something else than servers that did not answer each other in time (UNAVAILABLE,
# READ_TIMEOUT and WRITE_TIMEOUT).
chances() {
    awk -v from="$1" -v to="$2" '
        $1 >= from && $1 < to && $4 == 1 {
            n++
            failed += $5 != "ok"
            ours += $5 != "ok" && $6 !~ /^1[012]00$/
        }
        END { print n + 0, failed + 0, ours + 0 }' "$PROBE_OPS"
}

# slowest FROM TO FIELD: what 99 of 100 of these did not exceed: field 2, the milliseconds until the answer; field 7, the
# microseconds until the last attempt was on its way. (A counter's coordinator waits for a replica that is gone until the
# servers have found that out, which is no matter of the client's.)
slowest() {
    awk -v from="$1" -v to="$2" -v field="$3" '$1 >= from && $1 < to && $4 == 1 { print $field }' "$PROBE_OPS" |
        sort -n | awk '{ v[NR] = $1 } END { print NR ? v[int((NR - 1) * 99 / 100) + 1] : -1 }'
}

# nodes_used FROM TO: the nodes to which these requests went last, a line each with their number.
nodes_used() {
    awk -v from="$1" -v to="$2" '$1 >= from && $1 < to && $9 != "" { n[$9]++ } END { for (a in n) print a, n[a] }' \
        "$PROBE_OPS" | sort
}

# failed_in MARK: requests of that stretch that may be repeated and failed all the same.
failed_in() {
    sed -n "s/^[0-9]* segment $1: .*idempotent failed \([0-9]*\),.*/\1/p" "$LOG"
}

kill_load() {
    [ -z "$LOAD" ] || kill "$LOAD" 2>/dev/null
}
