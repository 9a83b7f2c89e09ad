# shellcheck shell=bash
# Several nodes together.

# The node that is being started: ended too if the user interrupts the tool.
STARTING=

on_interrupt() {
    trap - INT TERM
    if [ -n "$STARTING" ]; then
        warn "interrupted: node $STARTING, which was not ready yet, is ended"
        signal "$STARTING" KILL
    fi
    exit 130
}

lock_cluster() {
    take_lock "$LC_HOME/clusters/$C_VERSION/$C_NAME.lock"
}

live_nodes() {
    local n
    for n in "${NODES[@]}"; do
        node_answers "$n" && echo "$n"
    done
}

running_nodes() {
    local n
    for n in "${NODES[@]}"; do
        node_runs "$n" && echo "$n"
    done
}

print_addresses() {
    local n found=1
    for n in $(live_nodes); do
        echo "$(address_of "$n"):$C_PORT"
        found=0
    done
    return "$found"
}

# bring_up NODE BOOTSTRAP: the node runs and answers, or is ended again.
bring_up() {
    local code
    # The size of every other log now: what the others write from here on tells
    # whether they have seen this node (see sees_up).
    remember_logs
    STARTING=$1
    launch "$1" "$2" || {
        STARTING=
        return "$EXIT_FAILED"
    }
    wait_ready "$1"
    code=$?
    [ "$code" = 0 ] || { node_runs "$1" && kill_node "$1"; }
    STARTING=
    return "$code"
}

remember_logs() {
    local n
    for n in "${NODES[@]}"; do
        [ -n "${LOG_BEGIN[$n]:-}" ] || LOG_BEGIN[$n]=$(log_size "$n")
    done
}

# start_missing BOOTSTRAP: every node of the record runs and answers at the end.
# Sets STARTED to the nodes that were started here.
start_missing() {
    local n code
    STARTED=()
    for n in "${NODES[@]}"; do
        if node_runs "$n"; then
            [ "$STAT_STATE" = T ] && signal "$n" CONT
            wait_ready_quietly "$n" || return $?
            continue
        fi
        STARTED+=("$n")
        bring_up "$n" "$1"
        code=$?
        [ "$code" = 0 ] || return "$code"
    done
}

# For a node that ran before: nothing to tell unless it takes long or fails.
wait_ready_quietly() {
    answers_fully "$1" || wait_ready "$1"
}

# ---- settling -----------------------------------------------------------------

# sees_up OBSERVER NODE: the observer's log says so since the node was started.
sees_up() {
    local begin size
    begin=${LOG_BEGIN[$1]:-0}
    size=$(log_size "$1")
    # A log that was rolled meanwhile is read from its beginning.
    [ "$size" -ge "$begin" ] || begin=0
    tail -c +$((begin + 1)) "$(system_log "$1")" |
        grep -q -F "/$(address_of "$2"):$(storage_port) is now UP"
}

all_see() {
    local n=$1 other
    for other in $(running_nodes); do
        [ "$other" = "$n" ] && continue
        node_paused "$other" && continue
        sees_up "$other" "$n" && sees_up "$n" "$other" || return 1
    done
}

knows_all_peers() {
    local count
    count=$(probe "$1" --count system.peers) || {
        # Without a log-in there is nothing to count.
        [ $? = 4 ]
        return
    }
    [ "$count" = $((${#NODES[@]} - 1)) ]
}

# settle NODE...: waits until these and the others take each other for alive and
# a client can read every peer from every node.
settle() {
    local n end=$((SECONDS + 60))
    [ "${#NODES[@]}" -gt 1 ] || return 0
    for n in "$@"; do
        until all_see "$n"; do
            [ "$SECONDS" -lt "$end" ] || {
                warn "the other nodes do not all see node $n yet"
                return "$EXIT_NOT_READY"
            }
            nap 0.3
        done
    done
    for n in $(live_nodes); do
        until knows_all_peers "$n"; do
            [ "$SECONDS" -lt "$end" ] || {
                warn "node $n does not list all its peers yet"
                return "$EXIT_NOT_READY"
            }
            nap 0.3
        done
    done
}

# run_nodetool NODE ARGUMENT...
run_nodetool() {
    local n=$1 jars port
    shift
    jars=$(jars_folder "$C_VERSION")
    port=$(cat "$(node_folder "$n")/jmx" 2>/dev/null) || return 1
    find_java "$C_VERSION"
    JAVA_OPTIONS=()
    module_options
    "$JAVA" "${JAVA_OPTIONS[@]}" -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
        "-Dcassandra.storagedir=$(node_folder "$n")/data" \
        -Dlogback.configurationFile=logback-tools.xml \
        -cp "$(node_folder "$n")/conf:$jars/*" \
        org.apache.cassandra.tools.NodeTool -h 127.0.0.1 -p "$port" "$@" </dev/null
}

# The log-in table has several copies but only one of them was written; after
# this any node can be down and users still get in.
spread_users() {
    [ "$C_AUTH" = on ] && [ "${#NODES[@]}" -gt 1 ] || return 0
    say "copying the users to every node ..."
    run_nodetool "${NODES[0]}" repair --full system_auth >"$(cluster_folder)/repair.log" 2>&1 ||
        warn "the users could not be copied; see $(cluster_folder)/repair.log"
}
