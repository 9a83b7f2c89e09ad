# shellcheck shell=bash
# shellcheck disable=SC2034  # the commands read what is set here
# The words of the command line.

# Which options besides the common ones a command takes.
options_of() {
    case $1 in
    start) echo "--nodes --dc --racks --auth --tls --tls-dns --set --jvm --heap --port --fresh" ;;
    stop) echo "--purge --all" ;;
    add) echo "--dc --rack" ;;
    logs) echo "-f" ;;
    esac
}

OPT_NODES='' OPT_DC='' OPT_RACKS='' OPT_RACK='' OPT_AUTH='' OPT_TLS='' OPT_TLS_DNS='' OPT_HEAP='' OPT_PORT=''
OPT_FRESH=no OPT_PURGE=no OPT_ALL=no OPT_FOLLOW=no
OPT_SETS=() OPT_JVM=() WORDS=()

check_choice() {
    local option=$1 value=$2 choice choices
    shift 2
    printf -v choices '%s, ' "$@"
    for choice in "$@"; do
        [ "$value" = "$choice" ] && return 0
    done
    usage_error "$option takes one of ${choices%, }, not '$value'"
}

check_number() {
    is_number "$2" && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] ||
        usage_error "$1 takes a number from $3 to $4, not '$2'"
}

# Options that have no value, or one only behind a '='. Fails for all others.
plain_option() {
    case $1 in
    -q | --quiet) QUIET=yes ;;
    -f) OPT_FOLLOW=yes ;;
    --fresh) OPT_FRESH=yes ;;
    --purge) OPT_PURGE=yes ;;
    --all) OPT_ALL=yes ;;
    --auth) OPT_AUTH=on ;;
    --auth=*)
        OPT_AUTH=${1#*=}
        check_choice --auth "$OPT_AUTH" on off
        ;;
    --tls) OPT_TLS=optional ;;
    --tls=*)
        OPT_TLS=${1#*=}
        check_choice --tls "$OPT_TLS" optional require mutual off
        ;;
    *) return 1 ;;
    esac
}

# value_option OPTION VALUE
value_option() {
    local option=$1 value=$2
    case $option in
    --version)
        check_choice "$option" "$value" 5.0 4.1 4.0 3.11
        C_VERSION=$value
        ;;
    --name)
        [[ $value =~ ^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$ ]] ||
            usage_error "--name takes letters, digits, - and _, at most 40, not '$value'"
        C_NAME=$value
        ;;
    --timeout)
        check_number "$option" "$value" 1 86400
        TIMEOUT=$value
        ;;
    --nodes)
        check_number "$option" "$value" 1 32
        OPT_NODES=$value
        ;;
    --racks)
        check_number "$option" "$value" 1 32
        OPT_RACKS=$value
        ;;
    --port)
        check_number "$option" "$value" 1 65535
        OPT_PORT=$value
        ;;
    --dc) OPT_DC=$value ;;
    --rack)
        [[ $value =~ ^[A-Za-z0-9_-]+$ ]] || usage_error "--rack takes a name, not '$value'"
        OPT_RACK=$value
        ;;
    --heap)
        [[ $value =~ ^[0-9]{1,6}[mMgG]$ ]] ||
            usage_error "--heap takes a size such as 512m or 2g, not '$value'"
        [[ $value = *[gG] ]] || [ "${value%?}" -ge 256 ] ||
            usage_error "Cassandra does not run with less than --heap 256m"
        OPT_HEAP=$value
        ;;
    --tls-dns)
        [[ $value =~ ^[A-Za-z0-9.-]{1,200}$ ]] || usage_error "--tls-dns takes a host name, not '$value'"
        OPT_TLS_DNS=$value
        ;;
    --set)
        [[ $value =~ ^[a-z][a-z0-9_]*= ]] && [[ $value != *$'\n'* ]] ||
            usage_error "--set takes KEY=VALUE with a key of cassandra.yaml, not '$value'"
        OPT_SETS+=("$value")
        ;;
    --jvm)
        [[ $value = -?* ]] && [[ $value != *$'\n'* ]] ||
            usage_error "--jvm takes an option for Java such as -Dname=value, not '$value'"
        OPT_JVM+=("$value")
        ;;
    esac
}

parse_options() {
    local command=$1 allowed option
    allowed=" --version --name --timeout -q --quiet $(options_of "$command") "
    shift
    while [ $# -gt 0 ]; do
        if [[ $1 != -?* ]]; then
            WORDS+=("$1")
            # What follows the node of nodetool is nodetool's own.
            [ "$command" = nodetool ] && [ "${#WORDS[@]}" -ge 2 ] && {
                nodetool_words "${@:2}"
                return
            }
            shift
            continue
        fi
        option=${1%%=*}
        case $1 in
        -h | --help) command_help ;;
        esac
        [[ $allowed = *" $option "* ]] ||
            usage_error "'$command' does not know the option $option"
        if plain_option "$1"; then
            shift
        elif [[ $1 = *=* ]]; then
            value_option "$option" "${1#*=}"
            shift
        else
            [ $# -ge 2 ] || usage_error "$option needs a value"
            value_option "$option" "$2"
            shift 2
        fi
    done
}

# --name and --version are this tool's own wherever they stand; nodetool has none
# of that spelling.
nodetool_words() {
    while [ $# -gt 0 ]; do
        case $1 in
        --name | --version)
            [ $# -ge 2 ] || usage_error "$1 needs a value"
            value_option "$1" "$2"
            shift
            ;;
        *) WORDS+=("$1") ;;
        esac
        shift
    done
}

no_words() {
    [ "${#WORDS[@]}" -eq 0 ] || usage_error "'${WORDS[0]}' is one word too many"
}

# The nodes the words name: sets CHOSEN.
choose_nodes() {
    local word
    CHOSEN=()
    [ "${#WORDS[@]}" -gt 0 ] || usage_error "which node? Its number, several, or 'all'"
    for word in "${WORDS[@]}"; do
        if [ "$word" = all ]; then
            CHOSEN=("${NODES[@]}")
        elif is_number "$word" && node_known "$word"; then
            CHOSEN+=("$word")
        else
            usage_error "there is no node '$word'; there are: ${NODES[*]}"
        fi
    done
}
