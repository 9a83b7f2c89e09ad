# shellcheck shell=bash
# The live tests: scripts in tests/live that talk to real nodes. Scripts that need
# the same kind of cluster run one after the other on one that is started for the
# first of them and stopped after the last. tests/live/README.md says what a
# script finds and may say.

# The clusters' names: from the build folder, so that two checkouts do not meet
# and a user's own clusters are never touched.
cluster_prefix() {
    local sum
    sum=$(printf '%s' "$WORK" | cksum)
    printf 'tests-%x' "${sum%% *}"
}

# ---- downloads ----------------------------------------------------------------

FETCH_PID=

# The newest first, as the tests want them.
needed_releases() {
    local script
    for script in "${LIVE[@]}"; do
        releases_of "$script"
        header "$script" fetch
    done | grep -v '^none$' | sort -ru
}

fetch_all() {
    local release
    for release in $(needed_releases); do
        "$LOCALCASSANDRA" fetch --version "$release" >"$WORK/fetch-$release.log" 2>&1
        echo $? >"$WORK/fetch-$release.code"
    done
}

# Cassandra comes over the network while the compilers work.
begin_fetch() {
    rm -f "$WORK"/fetch-*.code
    in_group fetch_all
    FETCH_PID=$!
}

end_fetch() {
    [ -n "$FETCH_PID" ] || return 0
    kill -0 "$FETCH_PID" 2>/dev/null && progress "waiting for the download of Cassandra"
    wait "$FETCH_PID" 2>/dev/null # it may have ended long ago
    FETCH_PID=
}

# fetched RELEASE SCRIPT: what the script needs is there. Sets MISSING if not.
fetched() {
    for MISSING in "$1" $(header "$2" fetch); do
        [ "$MISSING" = none ] || [ "$(cat "$WORK/fetch-$MISSING.code" 2>/dev/null)" = 0 ] ||
            return 1
    done
}

# ---- the plan -----------------------------------------------------------------

# What 'localcassandra start' has to be told for a script.
start_options() {
    local nodes dc
    dc=$(header_or "$1" dc '')
    nodes=$(header_or "$1" nodes 1)
    if [ -n "$dc" ]; then
        printf '%s ' --dc "$dc"
    elif [ "$nodes" != 1 ]; then
        printf '%s ' --nodes "$nodes"
    fi
    [ "$(header_or "$1" auth no)" = no ] || printf '%s ' --auth
    [ "$(header_or "$1" tls no)" = no ] || printf '%s ' "--tls=$(header_or "$1" tls no)"
    header "$1" start | tr '\n' ' '
}

# One line a run: release, order, options of the cluster, script; runs on the
# same cluster stand together, those without one first.
plan() {
    local script release options
    for script in "${LIVE[@]}"; do
        for release in $(releases_of "$script"); do
            options=$(start_options "$script")
            [ "$(header_or "$script" own no)" = no ] || options+="# $(live_name "$script")"
            printf '%s|%s|%s\n' "$release" "${options% }" "$script"
        done
    done | sort -s -t '|' -k 1,1r -k 2,2
}

# ---- clusters -----------------------------------------------------------------

CLUSTER_RELEASE=
CLUSTER_NAME=

cluster_name() {
    local sum
    sum=$(printf '%s' "$1" | cksum)
    printf '%s-%x' "$(cluster_prefix)" "${sum%% *}"
}

localcassandra_here() {
    local command=$1
    shift
    "$LOCALCASSANDRA" "$command" --version "$CLUSTER_RELEASE" --name "$CLUSTER_NAME" "$@"
}

# use_cluster RELEASE OPTIONS: that cluster runs, with all its nodes; any other
# that the tests used is stopped before. What does not start, or not in time, is
# made anew once.
use_cluster() {
    local name options
    name=$(cluster_name "$2")
    if [ "$CLUSTER_RELEASE $CLUSTER_NAME" != "$1 $name" ]; then
        drop_cluster
        progress "starting Cassandra $1${2:+ with ${2%%#*}}"
    fi
    CLUSTER_RELEASE=$1
    CLUSTER_NAME=$name
    read -r -a options <<<"${2%%#*}"
    # The scripts leave more tables behind than 4 keeps quiet about.
    [[ $1 != 4.* ]] || options+=(--set table_count_warn_threshold=10000 --set keyspace_count_warn_threshold=1000)
    attended localcassandra_here start -q "${options[@]}" >"$WORK/cluster.log" 2>&1 && return
    progress "it did not start; once more from the beginning"
    indent <"$WORK/cluster.log"
    localcassandra_here stop -q --purge >/dev/null 2>&1
    attended localcassandra_here start -q "${options[@]}" >"$WORK/cluster.log" 2>&1
}

drop_cluster() {
    [ -n "$CLUSTER_NAME" ] || return 0
    [ "$KEEP" = yes ] || localcassandra_here stop -q --purge >/dev/null 2>&1
    CLUSTER_NAME=
}

# Also clusters a test started by itself and left behind.
drop_all_clusters() {
    local release name rest
    drop_cluster
    [ "$KEEP" = no ] || return 0
    "$LOCALCASSANDRA" list 2>/dev/null | while read -r release name rest; do
        [[ $name = "$(cluster_prefix)"* ]] &&
            "$LOCALCASSANDRA" stop -q --purge --version "$release" --name "$name" </dev/null
    done
}

CLEAN=no
clean_up() {
    [ "$CLEAN" = no ] || return 0
    CLEAN=yes
    trap '' INT TERM
    end_attended
    [ -z "$FETCH_PID" ] || end_group "$FETCH_PID"
    [ "${#LIVE[@]}" -eq 0 ] || drop_all_clusters
}

# ---- one script ---------------------------------------------------------------

# What a script finds in its environment.
test_environment() {
    local release=$1 script=$2 line
    export SRC BUILD LOCALCASSANDRA
    export CQL_TEST_DIR=$3 CQL_TEST_FULL=$FULL CQL_TEST_PREFIX
    CQL_TEST_PREFIX=$(cluster_prefix)-own
    CQL_TEST_ONLY=$(chosen_cases "$script" | tr '\n' ' ')
    export CQL_TEST_ONLY
    [ "$release" != none ] || return 0
    export CQL_TEST_VERSION=$release CQL_TEST_CLUSTER=$CLUSTER_NAME
    CQL_TEST_HOSTS=$(localcassandra_here status | tr '\n' ',')
    CQL_TEST_HOSTS=${CQL_TEST_HOSTS%,}
    export CQL_TEST_HOSTS CQL_TEST_HOST=${CQL_TEST_HOSTS%%,*}
    if [ "$(header_or "$script" auth no)" != no ]; then
        export CQL_TEST_USER=cassandra CQL_TEST_PASSWORD=cassandra
    fi
    if [ "$(header_or "$script" tls no)" != no ]; then
        while read -r line; do
            export "CQL_TEST_TLS_${line%%=*}=${line#*=}"
        done < <("$LOCALCASSANDRA" tls)
    fi
}

time_limit() {
    local usual=300
    ! is_long "$1" || usual=900
    header_or "$1" timeout "$usual"
}

# The results of a script with cases: one for each case that was to run.
count_cases() {
    local script=$1 label=$2 output=$3 code=$4 name line bad=0
    for name in $(chosen_cases "$script"); do
        line=$(awk -v name="$name" '
            $1 == "ok" && $2 == name || $1 == "skip" && $2 == name ||
            $1 == "not" && $2 == "ok" && $3 == name' "$output" | tail -n 1)
        case $line in
        "ok "*) pass "$name$label" ;;
        "skip "*) skip "$name$label" "${line#*- }" ;;
        "not ok "*)
            fail "$name$label" "${line#*- }"
            bad=$((bad + 1))
            ;;
        *)
            fail "$name$label" "the script ended with $code and did not report it"
            bad=$((bad + 1))
            ;;
        esac
    done
    if [ "$bad" -eq 0 ] && [ "$code" != 0 ]; then
        fail "$(live_name "$script")$label" "its cases are well but it ended with $code" "$output"
    elif [ "$bad" -gt 0 ]; then
        tail -n 60 "$output" | indent
        echo "    (from $output)"
    fi
}

# count_run SCRIPT LABEL OUTPUT CODE
count_run() {
    local script=$1 output=$3 code=$4 name
    name=$(live_name "$script")$2
    if [ "$code" = 77 ]; then
        skip "$name" "$(grep -v '^ *$' "$output" | tail -n 1)"
    elif [ -n "$(header "$script" case)" ]; then
        count_cases "$@"
    elif [ "$code" = 0 ]; then
        pass "$name"
    elif [ "$code" = 124 ] || [ "$code" = 137 ]; then
        fail "$name" "it took more than $(time_limit "$script") s" "$output"
    else
        fail "$name" "it ended with $code" "$output"
    fi
}

# in_its_folder RELEASE SCRIPT FOLDER
in_its_folder() {
    test_environment "$@"
    cd "$3" || exit 1
    exec timeout --kill-after=10 "$(time_limit "$2")" "$2"
}

run_script() {
    local release=$1 script=$2 label='' folder output code begin=$SECONDS failed_before=$FAILED
    [ "$release" = none ] || label=" [$release]"
    folder=$WORK/live/$(basename "$script" .test)-$release
    rm -rf "$folder"
    mkdir -p "$folder/scratch" || exit 1
    output=$folder/output
    attended in_its_folder "$release" "$script" "$folder/scratch" >"$output" 2>&1
    code=$?
    count_run "$script" "$label" "$output" "$code"
    if [ "$FAILED" != "$failed_before" ] && [ "$release" != none ]; then
        localcassandra_here logs >"$folder/nodes.log" 2>&1
        echo "    (the nodes' last words: $folder/nodes.log)"
    fi
    [ $((SECONDS - begin)) -lt 10 ] || progress "that took $((SECONDS - begin)) s"
}

# Every case of a script for which there was no cluster.
give_up_script() {
    local label=" [$1]" script=$2 how=$3 why=$4 name
    [ "$1" != none ] || label=''
    for name in $(chosen_cases "$script"); do
        "$how" "$name$label" "$why"
    done
}

run_live() {
    local release options script
    [ "${#LIVE[@]}" -gt 0 ] || return 0
    end_fetch
    progress "live tests: ${#LIVE[@]} scripts"
    while IFS='|' read -r release options script <&4; do
        if out_of_time; then
            give_up_script "$release" "$script" fail "not begun: the $LIMIT min of this run are over"
        elif ! fetched "$release" "$script"; then
            give_up_script "$release" "$script" skip \
                "Cassandra $MISSING cannot be had here: $(tail -n 1 "$WORK/fetch-$MISSING.log")"
        elif [ "$release" != none ] && ! use_cluster "$release" "$options"; then
            give_up_script "$release" "$script" fail "Cassandra $release did not start"
            indent <"$WORK/cluster.log"
        else
            run_script "$release" "$script"
        fi
    done 4< <(plan)
    drop_cluster
}
