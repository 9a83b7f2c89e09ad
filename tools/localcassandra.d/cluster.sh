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
    take_lock "cluster-$C_VERSION-$C_NAME"
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

# bring_up NODE: the node runs and answers, or is ended again.
bring_up() {
    local code
    # The size of every other log now: what the others write from here on tells
    # whether they have seen this node (see sees_up).
    remember_logs
    STARTING=$1
    launch "$1" || {
        STARTING=
        return "$EXIT_FAILED"
    }
    wait_ready "$1"
    code=$?
    if [ "$code" = 0 ]; then
        rm -f "$(joining_mark "$1")"
    elif node_runs "$1"; then
        kill_node "$1"
    fi
    STARTING=
    return "$code"
}

remember_logs() {
    local n
    for n in "${NODES[@]}"; do
        [ -n "${LOG_BEGIN[$n]:-}" ] || LOG_BEGIN[$n]=$(log_size "$n")
    done
}

# start_missing: every node of the record runs and answers at the end.
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
        bring_up "$n"
        code=$?
        [ "$code" = 0 ] || return "$code"
    done
}

# For a node that ran before: nothing to tell unless it takes long or fails.
wait_ready_quietly() {
    answers_fully "$1" || wait_ready "$1"
}

# ---- settling -----------------------------------------------------------------

# Nodes of 3 name each other without a port.
storage_port_shown() {
    [ "$C_VERSION" = 3.11 ] || echo ":$(storage_port)"
}

# sees_up OBSERVER NODE: the observer's log says so since the node was started.
sees_up() {
    local begin size
    begin=${LOG_BEGIN[$1]:-0}
    size=$(log_size "$1")
    # A log that was rolled meanwhile is read from its beginning.
    [ "$size" -ge "$begin" ] || begin=0
    grep -q -F "/$(address_of "$2")$(storage_port_shown) is now UP" \
        <(tail -c +$((begin + 1)) "$(system_log "$1")")
}

all_see() {
    local n=$1 other
    for other in $(running_nodes); do
        [ "$other" = "$n" ] && continue
        node_paused "$other" && continue
        sees_up "$other" "$n" && sees_up "$n" "$other" || return 1
    done
}

# A client of this node can log in and read all its peers.
serves_clients() {
    local count code
    count=$(probe "$1" --count system.peers)
    code=$?
    # Where the default user has another password there is no way to count.
    [ "$code" = 4 ] || [ "$count" = $((${#NODES[@]} - 1)) ]
}

# until_true TEXT COMMAND...: waits until SETTLE_END, then says TEXT.
until_true() {
    local text=$1
    shift
    until "$@"; do
        if [ "$SECONDS" -ge "$SETTLE_END" ]; then
            warn "$text"
            return "$EXIT_NOT_READY"
        fi
        nap 0.3
    done
}

# settle NODE...: waits until these and the others take each other for alive and
# a client can log in and read every peer from every node.
settle() {
    local n
    [ "${#NODES[@]}" -gt 1 ] || return 0
    SETTLE_END=$((SECONDS + 60))
    for n in "$@"; do
        until_true "the other nodes do not see node $n as alive" all_see "$n" || return
    done
    for n in $(live_nodes); do
        until_true "node $n does not know all its peers, or no user can log in" \
            serves_clients "$n" || return
    done
}

# run_nodetool NODE ARGUMENT...
run_nodetool() {
    local n=$1 jars port java
    shift
    jars=$(jars_folder "$C_VERSION")
    port=$(cat "$(node_folder "$n")/jmx" 2>/dev/null) || return 1
    java=$(tool_java "$C_VERSION") || {
        [ "$C_VERSION" != 3.11 ] || die "the nodetool of Cassandra 3.11 needs Java 8: name its java in LOCALCASSANDRA_JAVA8"
        die "Cassandra's nodetool needs Java; on Debian: apt-get install openjdk-17-jre-headless"
    }
    JAVA_OPTIONS=()
    module_options
    # user.home: where it keeps a history of its commands.
    "$java" "${JAVA_OPTIONS[@]}" -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
        "-Dcassandra.storagedir=$(node_folder "$n")/data" \
        "-Duser.home=$(cluster_folder)" -Dlogback.configurationFile=logback-tools.xml \
        -cp "$(node_folder "$n")/conf:$jars/*" \
        org.apache.cassandra.tools.NodeTool -h 127.0.0.1 -p "$port" "$@" </dev/null
}

# The replication of the users' tables: a copy on each node, at most three in
# each data centre, so that one node that is down locks nobody out.
users_replication() {
    local n dc text=''
    local -A count=()
    for n in "${NODES[@]}"; do
        dc=${NODE_DC[$n]}
        count[$dc]=$((${count[$dc]:-0} + 1))
    done
    for dc in "${!count[@]}"; do
        text+=", '$dc': $((count[$dc] > 3 ? 3 : count[$dc]))"
    done
    echo "{'class': 'NetworkTopologyStrategy'$text}"
}

# By the first node that can: one may be asked for a log-in which it reads from two others that lack the
# user, or may not have heard of the new replication yet. The node that has the user always reads its own.
read_users_everywhere() {
    local n
    for n in "${NODES[@]}"; do
        probe "$n" --timeout 20 --all --count system_auth.roles >/dev/null && return 0
    done
    return 1
}

# For a new cluster with log-in: the users, known to one node so far, to the others. Reading them
# from all their nodes gives each what it lacks.
spread_users() {
    [ "$C_AUTH" = on ] && [ "${#NODES[@]}" -gt 1 ] || return 0
    say "copying the users to every node ..."
    SETTLE_END=$((SECONDS + 60))
    probe "${NODES[0]}" --timeout 20 \
        --run "ALTER KEYSPACE system_auth WITH replication = $(users_replication)" &&
        until_true "not every node has given its users" read_users_everywhere ||
        warn "the users could not be copied to every node; see the log of node ${NODES[0]}"
}
