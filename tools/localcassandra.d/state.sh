# shellcheck shell=bash
# shellcheck disable=SC2034  # the record's variables are read in the other parts
# The record of one cluster, kept as key=value lines in its folder:
#   $LC_HOME/clusters/VERSION/NAME/cluster.conf
# and the rule by which a cluster gets its addresses.

C_VERSION=5.0
C_NAME=default

# Forgets the loaded record; a new cluster starts from these values.
reset_record() {
    C_BLOCK=
    C_PORT=9042
    C_AUTH=off
    C_TLS=off
    C_TLS_DNS=
    C_HEAP=
    C_RACKS=1
    C_SETS=()
    C_JVM=()
    NODES=()
    declare -gA NODE_DC=() NODE_RACK=()
}

cluster_folder() {
    echo "$LC_HOME/clusters/$C_VERSION/$C_NAME"
}

record_file() {
    echo "$(cluster_folder)/cluster.conf"
}

node_folder() {
    echo "$(cluster_folder)/node$1"
}

address_of() {
    echo "127.0.$C_BLOCK.$1"
}

# The port of Cassandra's own traffic, which --set may move.
storage_port() {
    local item port=7000
    for item in "${C_SETS[@]}"; do
        [ "${item%%=*}" = storage_port ] && port=${item#*=}
    done
    echo "$port"
}

save_record() {
    local file n item
    file=$(record_file)
    mkdir -p "${file%/*}" || die "cannot make the folder ${file%/*}"
    {
        printf '%s\n' "block=$C_BLOCK" "port=$C_PORT" "auth=$C_AUTH" "tls=$C_TLS" "tls_dns=$C_TLS_DNS" \
            "heap=$C_HEAP" "racks=$C_RACKS"
        for item in "${C_SETS[@]}"; do printf 'set=%s\n' "$item"; done
        for item in "${C_JVM[@]}"; do printf 'jvm=%s\n' "$item"; done
        for n in "${NODES[@]}"; do printf 'node=%s %s %s\n' "$n" "${NODE_DC[$n]}" "${NODE_RACK[$n]}"; done
    } >"$file.new" && mv "$file.new" "$file" || die "cannot write $file"
}

load_node() {
    local n dc rack
    read -r n dc rack <<<"$1"
    NODES+=("$n")
    NODE_DC[$n]=$dc
    NODE_RACK[$n]=$rack
}

# Fills the variables from the record of C_VERSION and C_NAME; fails where none is.
load_record() {
    local line value file
    reset_record
    file=$(record_file)
    [ -r "$file" ] || return 1
    while IFS= read -r line; do
        value=${line#*=}
        case $line in
        block=*) C_BLOCK=$value ;;
        port=*) C_PORT=$value ;;
        auth=*) C_AUTH=$value ;;
        tls=*) C_TLS=$value ;;
        tls_dns=*) C_TLS_DNS=$value ;;
        heap=*) C_HEAP=$value ;;
        racks=*) C_RACKS=$value ;;
        set=*) C_SETS+=("$value") ;;
        jvm=*) C_JVM+=("$value") ;;
        node=*) load_node "$value" ;;
        esac
    done <"$file"
    [ -n "$C_BLOCK" ]
}

need_record() {
    load_record && return 0
    warn "there is no Cassandra $C_VERSION cluster named '$C_NAME'"
    warn "'localcassandra list' shows those that exist, 'localcassandra start' makes one"
    exit "$EXIT_FAILED"
}

node_known() {
    [ -n "${NODE_DC[$1]:-}" ]
}

# ---- addresses ----------------------------------------------------------------

# Every address block that some cluster's record names, each between blanks.
blocks_in_use() {
    local file line
    printf ' '
    for file in "$LC_HOME"/clusters/*/*/cluster.conf; do
        [ -r "$file" ] || continue
        IFS= read -r line <"$file"
        printf '%s ' "${line#block=}"
    done
}

# The block a cluster asks for first: the two default clusters have fixed ones,
# any other is a number from 50 to 249 made from its version and name.
first_block() {
    local sum
    case $C_VERSION/$C_NAME in
    5.0/default) echo 0 ;;
    4.1/default) echo 41 ;;
    4.0/default) echo 40 ;;
    3.11/default) echo 39 ;;
    *)
        sum=$(printf '%s' "$C_VERSION/$C_NAME" | cksum)
        echo $((${sum%% *} % 200 + 50))
        ;;
    esac
}

port_free() {
    perl "$LC_PARTS/probe.pl" --free "$1" "$2"
}

# Whether every node of the new cluster could listen in block C_BLOCK.
block_free() {
    local n
    for n in "${NODES[@]}"; do
        port_free "$(address_of "$n")" "$C_PORT" || return 1
        port_free "$(address_of "$n")" "$(storage_port)" || return 1
    done
}

# Sets C_BLOCK for a new cluster. Holds the lock of all records meanwhile.
choose_block() {
    local used tries
    take_lock records
    used=$(blocks_in_use)
    C_BLOCK=$(first_block)
    # A fixed block is not given up for another: its node says which port is taken.
    if [ "$C_BLOCK" -ge 50 ]; then
        for ((tries = 0; tries < 200; tries++)); do
            [[ $used != *" $C_BLOCK "* ]] && block_free && break
            C_BLOCK=$(((C_BLOCK - 50 + 1) % 200 + 50))
        done
        [ "$tries" -lt 200 ] || die "no free block of loopback addresses is left"
    fi
    save_record
    release_lock
}
