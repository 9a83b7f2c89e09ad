# shellcheck shell=bash
# What a node reads at its start. Written anew at every start, so that changed
# options take effect; the data stays.

# The settings before --set, one top-level key a line (C_SETS replaces whole lines).
# Cassandra acknowledges a write before the commit log is on the disk, up to
# commitlog_sync_period later (10 s by default): what was acknowledged in that time is
# lost when the node is killed. A single node has nobody to get it back from, so here
# the time is short; a sync that is late on a busy machine must not block the writers.
base_settings() {
    local address seeds=$2 bootstrap=false
    address=$(address_of "$1")
    [ -e "$(joining_mark "$1")" ] && bootstrap=true
    cat <<YAML
cluster_name: "localcassandra $C_VERSION $C_NAME"
num_tokens: 16
auto_bootstrap: $bootstrap
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
endpoint_snitch: GossipingPropertyFileSnitch
seed_provider: [{class_name: org.apache.cassandra.locator.SimpleSeedProvider, parameters: [{seeds: "$seeds"}]}]
listen_address: $address
rpc_address: $address
native_transport_port: $C_PORT
commitlog_sync: periodic
commitlog_sync_period: 200ms
periodic_commitlog_sync_lag_block: 10000ms
auto_snapshot: false
block_for_peers_timeout_in_secs: 1
disk_failure_policy: die
commit_failure_policy: die
materialized_views_enabled: true
user_defined_functions_enabled: true
YAML
    if [ "$C_AUTH" = on ]; then
        echo "authenticator: PasswordAuthenticator"
        echo "authorizer: CassandraAuthorizer"
    fi
    tls_settings "$1"
}

# Lines of standard input whose key no --set names, then the --set ones; a --set
# with nothing behind the '=' only takes the line away.
apply_sets() {
    local line key item
    local -A own=()
    for item in "${C_SETS[@]}"; do
        own[${item%%=*}]=${item#*=}
    done
    while IFS= read -r line; do
        key=${line%%:*}
        [ -n "${own[$key]+set}" ] || printf '%s\n' "$line"
    done
    for key in "${!own[@]}"; do
        [ -n "${own[$key]}" ] && printf '%s: %s\n' "$key" "${own[$key]}"
    done
    return 0
}

# Lines of standard input as the release writes them. Until 4.0 the unit of a length of time was
# part of its name, and switches began with a verb. The server of 3 keeps two of the lines to
# itself, knows no port in an address, has to be told which protocol to speak, and on this Java
# would keep the files of tables mapped that it deleted.
as_release_writes() {
    local older=(-e 's/^([a-z_]+): ([0-9]+)ms$/\1_in_ms: \2/'
        -e 's/^(materialized_views|user_defined_functions)_enabled:/enable_\1:/')
    case $C_VERSION in
    4.0) sed -E "${older[@]}" ;;
    3.11)
        sed -E "${older[@]}" -e '/^(periodic_commitlog_sync_lag|block_for_peers)_/d' \
            -e '/^seed_provider:/s/(127\.[0-9.]+):[0-9]+/\1/g'
        printf '%s\n' "start_native_transport: true" "start_rpc: false" "disk_access_mode: standard"
        ;;
    *) cat ;;
    esac
}

# Nodes that run already are the seeds; the first one is its own.
seeds_for() {
    local n list='' found=0
    for n in "${NODES[@]}"; do
        if [ "$n" != "$1" ] && [ "$found" -lt 2 ] && node_runs "$n"; then
            list+="${list:+,}$(address_of "$n"):$(storage_port)"
            found=$((found + 1))
        fi
    done
    echo "${list:-$(address_of "$1"):$(storage_port)}"
}

# The nodes of a new cluster have nothing to fetch from each other. One that is
# added later has: its mark stays until it has joined.
joining_mark() {
    echo "$(node_folder "$1")/joining"
}

# write_config NODE
write_config() {
    local folder conf
    folder=$(node_folder "$1")
    conf=$folder/conf
    mkdir -p "$conf" "$folder/data" "$folder/logs" "$folder/tmp" ||
        die "cannot make the folder $conf"
    [ "$C_TLS" = off ] || ensure_node_certificate "$1"
    [[ $C_TLS = off || ! $C_VERSION =~ ^(4.0|3.11)$ ]] || ensure_stores "$1"
    base_settings "$1" "$(seeds_for "$1")" | as_release_writes | apply_sets >"$conf/cassandra.yaml" &&
        printf 'dc=%s\nrack=%s\n' "${NODE_DC[$1]}" "${NODE_RACK[$1]}" \
            >"$conf/cassandra-rackdc.properties" &&
        cp "$LC_PARTS/logback.xml" "$LC_PARTS/logback-tools.xml" "$conf" ||
        die "cannot write $conf"
}

# ---- the Java command line ----------------------------------------------------

# Modules Cassandra reaches into, as its own server options list them.
opened_modules() {
    local item
    for item in $1; do
        JAVA_OPTIONS+=("--add-exports" "$item=ALL-UNNAMED")
    done
    for item in $2; do
        JAVA_OPTIONS+=("--add-opens" "$item=ALL-UNNAMED")
    done
}

module_options() {
    local rmi="java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry
        java.rmi/sun.rmi.server java.rmi/sun.rmi.transport.tcp java.sql/java.sql"
    local both="java.base/java.lang.module java.base/jdk.internal.loader java.base/jdk.internal.ref
        java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module
        java.base/jdk.internal.util.jar jdk.management/com.sun.management.internal"
    case $C_VERSION in
    5.0)
        opened_modules "java.base/jdk.internal.misc java.base/java.lang.ref $rmi
            jdk.unsupported/sun.misc" \
            "$both java.base/java.io java.base/java.lang java.base/java.lang.reflect
            java.base/java.nio java.base/java.util java.base/java.util.concurrent
            java.base/java.util.concurrent.atomic java.base/sun.nio.ch"
        ;;
    4.1 | 4.0 | 3.11)
        opened_modules "java.base/jdk.internal.misc java.base/jdk.internal.ref
            java.base/sun.nio.ch $rmi" "$both"
        ;;
    esac
}

# Heap: 1 GiB for a node alone, 512 MiB each where several share the machine.
heap_size() {
    if [ -n "$C_HEAP" ]; then
        echo "$C_HEAP"
    elif [ "${#NODES[@]}" -gt 1 ]; then
        echo 512m
    else
        echo 1024m
    fi
}

# The first free port for the node's management, from a range of its block.
jmx_port() {
    local port=$((20000 + C_BLOCK * 40 + $1)) tries
    for ((tries = 0; tries < 40; tries++)); do
        port_free 127.0.0.1 "$port" && echo "$port" && return 0
        port=$((port + 1))
    done
    return 1
}

# java_options NODE: fills JAVA_OPTIONS.
java_options() {
    local folder jars announce=0 setup_delay=0 jmx
    folder=$(node_folder "$1")
    jars=$(jars_folder "$C_VERSION")
    jmx=$(jmx_port "$1") || die "no free port for the management of node $1"
    echo "$jmx" >"$folder/jmx"
    # With several nodes: the others get told of a stop, and the first user is not
    # looked for without a pause while the nodes that know him are still down.
    [ "${#NODES[@]}" -gt 1 ] && announce=500 setup_delay=500
    JAVA_OPTIONS=(
        -Xms256m "-Xmx$(heap_size)" -XX:MaxDirectMemorySize=256m
        -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xshare:auto
        -XX:+ExitOnOutOfMemoryError "-XX:ErrorFile=$folder/logs/crash.log"
        "-javaagent:$(jamm_of "$jars")" -Djdk.attach.allowAttachSelf=true
        -Djava.net.preferIPv4Stack=true "-Djava.io.tmpdir=$folder/tmp"
        "-Djna.tmpdir=$folder/tmp"
        "-Dcassandra.storagedir=$folder/data" "-Dcassandra.logdir=$folder/logs"
        -Dlogback.configurationFile=logback.xml -Dcassandra.config=cassandra.yaml
        -Dcassandra-foreground=yes "-Dcassandra.jmx.local.port=$jmx"
        -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.ring_delay_ms=5000
        "-Dcassandra.superuser_setup_delay_ms=$setup_delay"
        "-Dcassandra.shutdown_announce_in_ms=$announce"
    )
    module_options
    JAVA_OPTIONS+=("${C_JVM[@]}" -cp "$folder/conf:$jars/*")
}
