# shellcheck shell=bash
# One node's process. Its pid file holds the pid, the time the process started
# and the boot it started in: a pid that another program has by now is never
# taken for the node and never signalled.

TIMEOUT=180

# read_stat PID: sets STAT_STATE and STAT_START from the kernel's record.
read_stat() {
    local text
    { text=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    # The second field is the program's name and may hold blanks and brackets.
    text=${text##*) }
    # shellcheck disable=SC2086
    set -- $text
    STAT_STATE=$1
    STAT_START=${20:-}
    [ -n "$STAT_START" ]
}

boot_id() {
    cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown
}

# process_of NODE: sets NODE_PID and STAT_* if the node's own process is there.
process_of() {
    local pid start boot
    NODE_PID=
    { read -r pid start boot <"$(node_folder "$1")/pid"; } 2>/dev/null || return 1
    [ "$boot" = "$(boot_id)" ] && read_stat "$pid" && [ "$STAT_START" = "$start" ] &&
        [ "$STAT_STATE" != Z ] && [ "$STAT_STATE" != X ] || return 1
    NODE_PID=$pid
}

node_runs() {
    process_of "$1"
}

# node_leaves NODE: killed, its first thread gone, but others of it still end: until the
# last one has, the kernel keeps its ports.
node_leaves() {
    local pid start boot
    { read -r pid start boot <"$(node_folder "$1")/pid"; } 2>/dev/null || return 1
    [ "$boot" = "$(boot_id)" ] && read_stat "$pid" && [ "$STAT_START" = "$start" ] &&
        [ "$STAT_STATE" = Z ] && [ "$(ls "/proc/$pid/task" 2>/dev/null)" != "$pid" ]
}

node_paused() {
    process_of "$1" && [ "$STAT_STATE" = T ]
}

# ---- asking -------------------------------------------------------------------

# probe NODE [OPTION...]: exit 0 answered, 1 no answer, 4 log-in refused, 5 log-in
# impossible at the moment.
probe() {
    local n=$1 folder tls=()
    shift
    folder=$(tls_folder)
    case $C_TLS in
    require | mutual) tls=(--tls "$folder/ca.pem" "$folder/client.pem" "$folder/client.key") ;;
    esac
    perl "$LC_PARTS/probe.pl" "${tls[@]}" "$@" "$(address_of "$n")" "$C_PORT" 2>/dev/null
}

# A node whose default user got another password still answers: that is enough
# to call it live, though not to call a new cluster ready.
node_answers() {
    local code
    node_runs "$1" && [ "$STAT_STATE" != T ] || return 1
    probe "$1"
    code=$?
    [ "$code" = 0 ] || [ "$code" -ge 4 ]
}

node_state() {
    if ! node_runs "$1"; then
        echo dead
    elif [ "$STAT_STATE" = T ]; then
        echo paused
    elif node_answers "$1"; then
        echo up
    else
        echo silent
    fi
}

# ---- starting -----------------------------------------------------------------

system_log() {
    echo "$(node_folder "$1")/logs/system.log"
}

output_log() {
    echo "$(node_folder "$1")/logs/output.log"
}

log_size() {
    stat -c %s "$(system_log "$1")" 2>/dev/null || echo 0
}

check_ports() {
    local address port
    address=$(address_of "$1")
    for port in "$C_PORT" "$(storage_port)"; do
        port_free "$address" "$port" && continue
        warn "$address:$port is taken by another program, so node $1 cannot start"
        if [ "$port" = "$C_PORT" ]; then
            warn "stop that program, or take another port (--port) or another name (--name)"
        else
            warn "stop that program, or take another name (--name)"
        fi
        return 1
    done
}

# The process itself: in a session of its own, with nothing of the caller's open.
run_java() {
    local folder
    folder=$(node_folder "$1")
    cd "$folder" || exit 1
    close_descriptors
    ulimit -n "$(ulimit -Hn)" 2>/dev/null
    read_stat "$BASHPID" || exit 1
    echo "$BASHPID $STAT_START $(boot_id)" >pid || exit 1
    exec setsid "$JAVA" "${JAVA_OPTIONS[@]}" \
        org.apache.cassandra.service.CassandraDaemon
}

# launch NODE: starts the process and returns at once.
launch() {
    local folder
    folder=$(node_folder "$1")
    wait_gone "$1" 30
    check_ports "$1" || return 1
    write_config "$1"
    java_options "$1"
    LOG_BEGIN[$1]=$(log_size "$1")
    rm -f "$folder/pid"
    run_java "$1" </dev/null >"$(output_log "$1")" 2>&1 &
    local child=$!
    until [ -s "$folder/pid" ]; do
        kill -0 "$child" 2>/dev/null || break
        nap 0.02
    done
    # So that bash prints no line of its own when the process ends by a signal.
    disown "$child" 2>/dev/null
    return 0
}

# What the node's own log says about why it ended.
explain_death() {
    local log lines
    log=$(system_log "$1")
    lines=$(tail -c +$((${LOG_BEGIN[$1]:-0} + 1)) "$log" 2>/dev/null |
        grep -E '^(ERROR|FATAL|Caused by)|^[A-Za-z.]+(Exception|Error)' | tail -n 12)
    warn "node $1 ended while it started; its last words:"
    if [ -n "$lines" ]; then
        printf '%s\n' "$lines" >&2
    else
        tail -n 8 "$log" >&2 2>/dev/null
        tail -n 8 "$(output_log "$1")" >&2
    fi
    warn "the whole log: $log"
}

# answers_fully NODE: a new cluster must also let the default user in.
answers_fully() {
    local code
    probe "$1"
    code=$?
    [ "$code" = 0 ] && return 0
    # Later he may have got another password, and the nodes that know him may
    # be started after this one (see settle).
    [ "$code" -ge 4 ] && [ -e "$(cluster_folder)/ready" ] && return 0
    # Who sets an authenticator with --set has users of his own.
    [ "$code" = 4 ] && [ "$C_AUTH" = off ]
}

# wait_ready NODE: 0 when a query answers, 1 if it died, 3 if the time is over.
wait_ready() {
    local begin=$SECONDS
    until answers_fully "$1"; do
        if ! node_runs "$1"; then
            explain_death "$1"
            return "$EXIT_FAILED"
        fi
        if [ $((SECONDS - begin)) -ge "$TIMEOUT" ]; then
            warn "node $1 ($(address_of "$1"):$C_PORT) did not answer a query within $TIMEOUT s"
            warn "its log: $(system_log "$1"); more time: --timeout SECONDS"
            return "$EXIT_NOT_READY"
        fi
        nap 0.2
    done
    say "node $1 ($(address_of "$1"):$C_PORT) answers after $((SECONDS - begin)) s"
}

# ---- signals and stopping -----------------------------------------------------

# signal NODE NAME: only ever to the process this tool started.
signal() {
    process_of "$1" && kill -s "$2" "$NODE_PID" 2>/dev/null
}

# wait_gone NODE SECONDS
wait_gone() {
    local end=$((SECONDS + $2))
    while node_runs "$1" || node_leaves "$1"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        nap 0.1
    done
    rm -f "$(node_folder "$1")/pid"
}

wait_paused() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        node_paused "$1" && return 0
        nap 0.02
    done
    return 1
}

kill_node() {
    signal "$1" KILL
    wait_gone "$1" 30 || die "node $1 (process $NODE_PID) does not end even on SIGKILL"
}

# stop_nodes NODE...: all asked to end at once; who does not in time is killed.
stop_nodes() {
    local n
    for n in "$@"; do
        # TERM first: it waits for a paused process until CONT lets it run.
        signal "$n" TERM && signal "$n" CONT
    done
    for n in "$@"; do
        if ! wait_gone "$n" "$STOP_SECONDS"; then
            warn "node $n did not stop within $STOP_SECONDS s and is killed"
            kill_node "$n"
        fi
    done
}

STOP_SECONDS=30
declare -A LOG_BEGIN=()
