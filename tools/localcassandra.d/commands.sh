# shellcheck shell=bash
# One function for each command, and the way to them.

# ---- start --------------------------------------------------------------------

# Fills NODES, NODE_DC and NODE_RACK as --nodes, --dc and --racks ask.
plan_nodes() {
    local n=0 part dc count i
    [ -z "$OPT_NODES" ] || [ -z "$OPT_DC" ] ||
        usage_error "--nodes and --dc do not go together: --dc counts the nodes itself"
    NODES=()
    NODE_DC=()
    NODE_RACK=()
    for part in $(tr ',' ' ' <<<"${OPT_DC:-datacenter1:${OPT_NODES:-1}}"); do
        [[ $part =~ ^([A-Za-z0-9_-]+)(:([0-9]{1,2}))?$ ]] ||
            usage_error "--dc takes NAME:COUNT,NAME:COUNT..., not '$OPT_DC'"
        dc=${BASH_REMATCH[1]}
        count=${BASH_REMATCH[3]:-1}
        for ((i = 0; i < 10#$count; i++)); do
            n=$((n + 1))
            NODES+=("$n")
            NODE_DC[$n]=$dc
            NODE_RACK[$n]=rack$((i % C_RACKS + 1))
        done
    done
    [ "$n" -ge 1 ] && [ "$n" -le 32 ] || usage_error "a cluster has 1 to 32 nodes, not $n"
}

merge_sets() {
    local item old kept
    for item in "${OPT_SETS[@]}"; do
        kept=()
        for old in "${C_SETS[@]}"; do
            [ "${old%%=*}" = "${item%%=*}" ] || kept+=("$old")
        done
        C_SETS=("${kept[@]}" "$item")
    done
}

take_options() {
    [ -z "$OPT_AUTH" ] || C_AUTH=$OPT_AUTH
    [ -z "$OPT_TLS" ] || C_TLS=$OPT_TLS
    [ -z "$OPT_TLS_DNS" ] || C_TLS_DNS=$OPT_TLS_DNS
    [ -z "$OPT_HEAP" ] || C_HEAP=$OPT_HEAP
    [ "${#OPT_JVM[@]}" -eq 0 ] || C_JVM=("${OPT_JVM[@]}")
    merge_sets
}

new_cluster() {
    reset_record
    [ -z "$OPT_RACKS" ] || C_RACKS=$OPT_RACKS
    [ -z "$OPT_PORT" ] || C_PORT=$OPT_PORT
    plan_nodes
    take_options
    # What an earlier try without success left behind.
    rm -rf "$(cluster_folder)"
    choose_block
}

# "datacenter1:3" or "A:2,B:1": the shape as --dc writes it.
layout() {
    local n dc text=''
    local -A count=()
    for n in "${NODES[@]}"; do
        dc=${NODE_DC[$n]}
        count[$dc]=$((${count[$dc]:-0} + 1))
    done
    for dc in $(printf '%s\n' "${!count[@]}" | sort); do
        text+="${text:+,}$dc:${count[$dc]}"
    done
    echo "$text"
}

must_match() {
    [ "$2" = "$3" ] ||
        die "the cluster '$C_NAME' exists with $1 $2, not $3;" \
            "take another --name, or --fresh to begin anew"
}

# Options for a cluster that exists: its shape stays, the rest may change while
# it is down.
existing_cluster() {
    local before wanted
    [ -z "$OPT_PORT" ] || must_match "the port" "$C_PORT" "$OPT_PORT"
    [ -z "$OPT_TLS_DNS" ] || must_match "certificates for" "$C_TLS_DNS" "$OPT_TLS_DNS"
    [ -z "$OPT_RACKS" ] || must_match "racks" "$C_RACKS" "$OPT_RACKS"
    if [ -n "$OPT_NODES$OPT_DC" ]; then
        wanted=$(plan_nodes && layout) || exit $?
        must_match "the nodes" "$(layout)" "$wanted"
    fi
    before="$C_AUTH $C_TLS $C_HEAP ${C_JVM[*]} ${C_SETS[*]}"
    take_options
    [ "$before" = "$C_AUTH $C_TLS $C_HEAP ${C_JVM[*]} ${C_SETS[*]}" ] && return 0
    [ -z "$(running_nodes)" ] ||
        die "the cluster '$C_NAME' runs with other options;" \
            "'localcassandra stop' it first, then start it with these"
    cp "$(record_file)" "$(record_file).before" && save_record
}

# After a failed start the record is as it was before: none for a new cluster of
# which nothing runs, and the old options for one that existed.
undo_start() {
    [ -z "$(running_nodes)" ] || return 0
    if [ "$1" = new ]; then
        # The logs stay for the user to read.
        rm -rf "$(record_file)" "$(cluster_folder)"/node*/data
    elif [ -e "$(record_file).before" ]; then
        mv "$(record_file).before" "$(record_file)"
    fi
}

cmd_start() {
    local kind=existing code
    no_words
    fetch_cassandra "$C_VERSION"
    find_java "$C_VERSION"
    lock_cluster
    if load_record && [ "$OPT_FRESH" = yes ]; then
        purge_cluster
    fi
    if load_record; then
        existing_cluster
    else
        kind=new
        new_cluster
    fi
    [ "$C_TLS" = off ] || ensure_authority
    trap on_interrupt INT TERM
    start_missing && settle "${STARTED[@]}"
    code=$?
    if [ "$code" != 0 ]; then
        undo_start "$kind"
        exit "$code"
    fi
    [ -e "$(cluster_folder)/ready" ] || spread_users
    touch "$(cluster_folder)/ready"
    rm -f "$(record_file).before"
    say "Cassandra $(release_of "$C_VERSION"), cluster '$C_NAME', runs:"
    print_addresses
}

cmd_fetch() {
    no_words
    fetch_cassandra "$C_VERSION"
    find_java "$C_VERSION"
    say "Cassandra $(release_of "$C_VERSION") is in $(jars_folder "$C_VERSION"); java is $JAVA"
}

# ---- stop ---------------------------------------------------------------------

stop_cluster() {
    local running n backwards=()
    mapfile -t running < <(running_nodes)
    for n in "${running[@]}"; do
        backwards=("$n" "${backwards[@]}")
    done
    stop_nodes "${backwards[@]}"
    say "Cassandra $C_VERSION cluster '$C_NAME': ${#running[@]} of ${#NODES[@]} nodes ran, all stopped"
}

purge_cluster() {
    stop_cluster
    rm -rf "$(cluster_folder)" || die "cannot delete $(cluster_folder)"
}

stop_or_purge() {
    if [ "$OPT_PURGE" = yes ]; then
        purge_cluster
    else
        stop_cluster
    fi
}

# Sets C_VERSION and C_NAME from the path of a record.
select_record() {
    local path=${1%/cluster.conf}
    C_NAME=${path##*/}
    path=${path%/*}
    C_VERSION=${path##*/}
}

cmd_stop() {
    local file
    no_words
    if [ "$OPT_ALL" = no ]; then
        lock_cluster
        # What a start without success left behind has logs but no record.
        if [ "$OPT_PURGE" = yes ] && ! load_record && [ -d "$(cluster_folder)" ]; then
            rm -rf "$(cluster_folder)"
            return
        fi
        need_record
        stop_or_purge
        return
    fi
    for file in "$LC_HOME"/clusters/*/*/cluster.conf; do
        [ -e "$file" ] || continue
        select_record "$file"
        lock_cluster
        load_record && stop_or_purge
        release_lock
    done
}

# ---- looking ------------------------------------------------------------------

cmd_status() {
    no_words
    load_record || {
        warn "there is no Cassandra $C_VERSION cluster named '$C_NAME'"
        exit "$EXIT_FAILED"
    }
    print_addresses
}

# "3 up", "2 up, 1 dead": the states of a cluster's nodes with their numbers.
state_counts() {
    local n state text=''
    local -A count=()
    for n in "${NODES[@]}"; do
        state=$(node_state "$n")
        count[$state]=$((${count[$state]:-0} + 1))
    done
    for state in up silent paused dead; do
        [ -z "${count[$state]:-}" ] || text+="${text:+, }${count[$state]} $state"
    done
    echo "$text"
}

cluster_state() {
    case $1 in
    *,*) echo partly ;;
    *up) echo running ;;
    *dead) echo stopped ;;
    *) echo "${1##* }" ;;
    esac
}

cmd_list() {
    local file counts
    no_words
    printf '%-8s %-16s %-9s %-22s %s\n' VERSION NAME STATE NODES "FIRST NODE"
    for file in "$LC_HOME"/clusters/*/*/cluster.conf; do
        [ -e "$file" ] || continue
        select_record "$file"
        load_record || continue
        counts=$(state_counts)
        printf '%-8s %-16s %-9s %-22s %s\n' "$C_VERSION" "$C_NAME" \
            "$(cluster_state "$counts")" "$counts" "$(address_of "${NODES[0]}"):$C_PORT"
    done
}

cmd_nodes() {
    local n
    no_words
    need_record
    printf '%-5s %-20s %-14s %-8s %-9s %s\n' NODE ADDRESS "DATA CENTRE" RACK STATE PROCESS
    for n in "${NODES[@]}"; do
        printf '%-5s %-20s %-14s %-8s %-9s %s\n' "$n" "$(address_of "$n"):$C_PORT" \
            "${NODE_DC[$n]}" "${NODE_RACK[$n]}" "$(node_state "$n")" \
            "$(process_of "$n" && echo "$NODE_PID" || echo -)"
    done
}

cmd_env() {
    local points
    no_words
    need_record
    points=$(print_addresses) || die "no node of the cluster '$C_NAME' is live"
    echo "export CQL_CONTACT_POINTS=${points//$'\n'/,}"
    [ "$C_AUTH" = off ] || echo "# user cassandra, password cassandra"
    [ "$C_TLS" = off ] || echo "# authority of the certificates: $(tls_folder)/ca.pem"
}

cmd_tls() {
    no_words
    ensure_authority
    echo "ca=$(tls_folder)/ca.pem"
    echo "cert=$(tls_folder)/client.pem"
    echo "key=$(tls_folder)/client.key"
}

cmd_logs() {
    local n files=()
    need_record
    [ "${#WORDS[@]}" -gt 0 ] || WORDS=(all)
    choose_nodes
    for n in "${CHOSEN[@]}"; do
        files+=("$(system_log "$n")")
    done
    if [ "$OPT_FOLLOW" = yes ]; then
        exec tail -n 40 -F "${files[@]}"
    fi
    tail -n 100 "${files[@]}"
}

# ---- single nodes -------------------------------------------------------------

cmd_kill() {
    local n
    lock_cluster
    need_record
    choose_nodes
    for n in "${CHOSEN[@]}"; do
        node_runs "$n" || die "node $n does not run"
        kill_node "$n"
        say "node $n is killed"
    done
}

cmd_pause() {
    local n
    lock_cluster
    need_record
    choose_nodes
    for n in "${CHOSEN[@]}"; do
        signal "$n" STOP || die "node $n does not run"
        wait_paused "$n" || die "node $n does not pause"
        say "node $n is paused"
    done
}

cmd_resume() {
    local n code
    lock_cluster
    need_record
    choose_nodes
    for n in "${CHOSEN[@]}"; do
        signal "$n" CONT || die "node $n does not run"
        wait_ready_quietly "$n"
        code=$?
        [ "$code" = 0 ] || exit "$code"
        say "node $n is resumed"
    done
}

cmd_restart() {
    local n code
    lock_cluster
    need_record
    choose_nodes
    find_java "$C_VERSION"
    trap on_interrupt INT TERM
    for n in "${CHOSEN[@]}"; do
        stop_nodes "$n"
        bring_up "$n" && settle "$n"
        code=$?
        [ "$code" = 0 ] || exit "$code"
    done
}

forget_node() {
    local n kept=()
    for n in "${NODES[@]}"; do
        [ "$n" = "$1" ] || kept+=("$n")
    done
    NODES=("${kept[@]}")
    unset "NODE_DC[$1]" "NODE_RACK[$1]"
    save_record
    rm -rf "$(node_folder "$1")"
}

# The number after the highest one ever used, so that an address that left the
# ring does not come back as another node.
next_number() {
    local last
    last=$(cat "$(cluster_folder)/last-node" 2>/dev/null) || last=${NODES[-1]}
    echo $((last + 1))
}

cmd_add() {
    local n code
    no_words
    lock_cluster
    need_record
    [ -n "$(live_nodes)" ] || die "no node of the cluster '$C_NAME' is live; start it first"
    [ -z "$OPT_DC" ] || [[ $OPT_DC =~ ^[A-Za-z0-9_-]+$ ]] ||
        usage_error "--dc takes one name here, not '$OPT_DC'"
    n=$(next_number)
    [ "$n" -le 254 ] || die "the cluster's addresses are used up; begin anew with --fresh"
    find_java "$C_VERSION"
    NODE_DC[$n]=${OPT_DC:-${NODE_DC[${NODES[0]}]}}
    NODE_RACK[$n]=${OPT_RACK:-rack1}
    NODES+=("$n")
    mkdir -p "$(node_folder "$n")" && touch "$(joining_mark "$n")" ||
        die "cannot make the folder $(node_folder "$n")"
    save_record
    trap on_interrupt INT TERM
    bring_up "$n" && settle "$n"
    code=$?
    if [ "$code" != 0 ]; then
        mv "$(system_log "$n")" "$(cluster_folder)/failed-add.log" 2>/dev/null
        forget_node "$n"
        warn "node $n did not join and is removed; its log: $(cluster_folder)/failed-add.log"
        exit "$code"
    fi
    echo "$n" >"$(cluster_folder)/last-node"
    echo "$(address_of "$n"):$C_PORT"
}

cmd_decommission() {
    local n=${WORDS[0]:-}
    lock_cluster
    need_record
    choose_nodes
    [ "${#CHOSEN[@]}" -eq 1 ] || usage_error "decommission takes one node"
    [ "${#NODES[@]}" -gt 1 ] || die "node $n is the cluster's only one; stop the cluster instead"
    node_answers "$n" || die "node $n does not answer; start it first, so that it can hand over its data"
    echo "${NODES[-1]}" >"$(cluster_folder)/last-node.new"
    say "node $n hands over its data ..."
    run_nodetool "$n" decommission --force >"$(cluster_folder)/decommission.log" 2>&1 || {
        tail -n 5 "$(cluster_folder)/decommission.log" >&2
        die "node $n could not leave the ring; see $(cluster_folder)/decommission.log"
    }
    [ -e "$(cluster_folder)/last-node" ] ||
        cp "$(cluster_folder)/last-node.new" "$(cluster_folder)/last-node"
    rm -f "$(cluster_folder)/last-node.new"
    stop_nodes "$n"
    forget_node "$n"
    say "node $n has left the ring"
}

cmd_nodetool() {
    need_record
    [ "${#WORDS[@]}" -ge 2 ] || usage_error "nodetool takes a node's number and nodetool's own words"
    node_known "${WORDS[0]}" || usage_error "there is no node '${WORDS[0]}'; there are: ${NODES[*]}"
    node_runs "${WORDS[0]}" || die "node ${WORDS[0]} does not run"
    run_nodetool "${WORDS[@]}"
}

# ---- the way in ---------------------------------------------------------------

command_help() {
    cat "$LC_PARTS/help.txt"
    exit 0
}

main() {
    local command=${1:-}
    [ -n "$command" ] || usage_error "a command is missing"
    shift
    case $command in
    -h | --help | help) command_help ;;
    version)
        echo "localcassandra $LC_TOOL_VERSION"
        exit 0
        ;;
    start | stop | status | list | nodes | env | tls | logs | fetch) ;;
    kill | pause | resume | restart | add | decommission | nodetool) ;;
    *) usage_error "'$command' is not a command" ;;
    esac
    parse_options "$command" "$@"
    need_machine
    set_home
    "cmd_$command"
}
