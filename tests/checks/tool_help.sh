#!/bin/bash
# tool_help.sh: what every tool does with --help, --version and a command line it cannot follow; and
# that --help and the man page name the same options. Runs in the build folder.
# shellcheck disable=SC2154 # srcdir comes from the makefile
set -u
failures=0

fail() {
    echo "$tool: $*" >&2
    failures=$((failures + 1))
}

# expect CODE ARGUMENTS...: runs the tool; output in $out, $err.
expect() {
    local code=$1 got
    shift
    "./tools/$tool" "$@" >out.$$ 2>err.$$ </dev/null
    got=$?
    out=$(cat out.$$)
    err=$(cat err.$$)
    [ "$got" = "$code" ] || fail "'$*' ended with $got, not $code: $err"
}

# The long options of a text on standard input.
long_options() {
    grep -oE -- '--[a-z][a-z-]*' | sort -u
}

check_help() {
    expect 0 --help
    [ -n "$out" ] && [ -z "$err" ] || fail "--help writes to the wrong stream"
    case $out in "Usage: $tool "*) ;; *) fail "--help does not begin with its usage" ;; esac
    local long
    long=$(printf '%s\n' "$out" | awk 'length > 100' | head -n 1)
    [ -z "$long" ] || fail "a line of --help is longer than 100 columns: $long"
    help=$out
    expect 0 -h
    [ "$out" = "$help" ] || fail "-h and --help differ"
    expect 0 --version
    [[ $out =~ ^$tool\ [0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "--version prints '$out'"
    if [ -w /dev/full ]; then
        "./tools/$tool" --help >/dev/full 2>/dev/null
        [ $? = 1 ] || fail "a full disk is not noticed"
    fi
}

check_refusals() {
    expect 2 --hlep
    case $err in *"did you mean '--help'?"*) ;; *) fail "no suggestion for --hlep: $err" ;; esac
    [ -z "$out" ] || fail "an error goes to standard output"
    expect 2 --password=verysecret
    case $out$err in *verysecret*) fail "a password is repeated" ;; esac
    case $err in *--password-file*) ;; *) fail "a refused password does not say what to do" ;; esac
    expect 2 --protocol 3
    expect 2 --proxy
    case $err in *"not in this version"*) ;; *) fail "--proxy does not say that it comes later: $err" ;; esac
    local word=
    [ "$tool" != cqljobs ] || word="list --state succeeded"
    # shellcheck disable=SC2086 # several words
    expect 2 --host 'cql://127.0.0.1/?protocl=5' $word
    case $err in *'there is no option "protocl"; did you mean "protocol"?'*) ;; *) fail "a connection string with a typo: $err" ;; esac
    # shellcheck disable=SC2086 # several words
    expect 2 -o reqest_timeout=3s $word
    case $err in *'did you mean "request_timeout"?'*) ;; *) fail "-o with a typo: $err" ;; esac
    # shellcheck disable=SC2086 # several words
    expect 2 --tls=require $word
    case $err in *--tls-insecure*) ;; *) fail "--tls=require is not sent to --tls-insecure: $err" ;; esac
    expect 2 --tls=verify-nothing
    expect 2 -o tls_key_password=verysecret
    case $out$err in *verysecret*) fail "a pass phrase is repeated" ;; esac
}

check_man_page() {
    local page=$srcdir/tools/$tool.1 in_help in_page
    in_help=$(printf '%s\n' "$help" | long_options)
    in_page=$(sed -n '/^\.SH OPTIONS/,/^\.SH [^O]/p' "$page" | sed 's/\\-/-/g' | long_options)
    [ "$in_help" = "$in_page" ] ||
        fail "--help and $tool.1 differ: $(diff <(echo "$in_help") <(echo "$in_page") | grep '^[<>]' | tr '\n' ' ')"
    if command -v man >/dev/null; then
        local warnings
        warnings=$(LC_ALL=C.UTF-8 MANROFFSEQ='' man --warnings -l "$page" 2>&1 >/dev/null)
        [ -z "$warnings" ] || fail "$tool.1: $warnings"
    fi
}

# A file of options is read like the environment, and a broken one is a matter of the command line.
check_options_file() {
    local file=options.$$
    printf 'page_size = 10\nport = many\n' >$file
    chmod 600 $file
    expect 2 --options-file $file "$@"
    case $err in *"$file, line 2: option port"*) ;; *) fail "a broken options file: $err" ;; esac
    CQL_OPTIONS_FILE=$file expect 2 "$@"
    case $err in *"$file, line 2: option port"*) ;; *) fail "CQL_OPTIONS_FILE: $err" ;; esac
    printf 'password = verysecret\n' >$file
    chmod 644 $file
    expect 2 --options-file $file "$@"
    case $err in *"chmod 600"*) ;; *) fail "a password for all to read: $err" ;; esac
    case $out$err in *verysecret*) fail "a password is repeated" ;; esac
    rm -f $file
}

check_cqlping() {
    expect 2 --rate 5
    case $err in *"belong to --latency and --load"*) ;; *) fail "--rate alone: $err" ;; esac
    expect 2 --load 'TRUNCATE k.t'
    case $err in *"SELECT, INSERT, UPDATE or DELETE"*) ;; *) fail "--load TRUNCATE: $err" ;; esac
    expect 2 --doctor --watch
    expect 3 --latency --nagios
    expect 2 --latency --in-flight 3
    expect 2 --doctor --all
    expect 3 --doctor 127.0.0.1:1
    case $out in *"problem: 127.0.0.1:1: it refuses connections"*"verdict: 1 problem; 0 of 1 nodes answer"*) ;;
    *) fail "--doctor on a closed port: $out" ;; esac
    expect 3 --latency -c 1 127.0.0.1:1
    expect 3 --load 'SELECT 1' 127.0.0.1:1
    expect 3 --watch 127.0.0.1:1
    expect 3 --prometheus - 127.0.0.1:1
    case $out in *'cqlping_up{target="127.0.0.1:1"} 0'*) ;; *) fail "--prometheus: $out" ;; esac
    expect 1 --prometheus no/such/folder/file 127.0.0.1:1
    expect 2 'cql://me:verysecret@127.0.0.1/'
    case $out$err in *verysecret*) fail "a password is repeated" ;; esac
    if [ -w /dev/full ]; then
        ./tools/cqlping --json -c 1 127.0.0.1:1 >/dev/full 2>err.$$
        grep -qE 'cannot write standard output(: No space left on device)?$' err.$$ ||
            fail "a full disk is told as something else: $(cat err.$$)"
    fi
    expect 2 --count 0
    expect 2 --interval x
    expect 2 -W
    expect 2 --query 'DROP TABLE t'
    expect 2 --warning 3
    expect 2 127.0.0.1:70000
    expect 2 --option protocl=5
    case $err in *protocol*) ;; *) fail "no suggestion for protocl: $err" ;; esac
    expect 0 --option help
    case $out in *connect_timeout*) ;; *) fail "--option help lists nothing" ;; esac
}

# Who watches hears of a mistake as UNKNOWN, and of a cluster that is away, whichever nodes it has.
check_watched() {
    expect 3 --nagios --warning x
    [ "$out" = "CQLPING UNKNOWN - the command line cannot be followed, see standard error" ] ||
        fail "--nagios with a bad option: $out"
    expect 3 --no-such-option --nagios
    expect 3 --nagios --json 127.0.0.1:1
    expect 2 --json --prometheus - 127.0.0.1:1
    expect 3 --nagios 127.0.0.1:70000
    expect 2 --nagios --all 127.0.0.1:1
    case $out in "CQLPING CRITICAL - 127.0.0.1:1 does not answer"*) ;; *) fail "--nagios --all: $out" ;; esac
    expect 3 --prometheus - --all 127.0.0.1:1
    case $out in *'cqlping_up{target="127.0.0.1:1"} 0'*) ;; *) fail "--prometheus --all: $out" ;; esac
}

# A standard stream that is closed is nobody else's descriptor.
check_closed_streams() {
    local code
    "./tools/$tool" "$@" <&- >/dev/null 2>err.$$
    code=$?
    [ $code = 3 ] || fail "with standard input closed it ended with $code: $(cat err.$$)"
    "./tools/$tool" "$@" >&- 2>err.$$
    code=$?
    [ $code -le 3 ] || fail "with standard output closed it ended with $code: $(cat err.$$)"
    "./tools/$tool" "$@" >/dev/null 2>&-
    code=$?
    [ $code = 3 ] || fail "with standard error closed it ended with $code"
}

check_cqljobs() {
    local command
    for command in retry batch recurring cleanup delete; do
        expect 2 $command
        case $err in *"$command needs "*) ;; *) fail "$command: $err" ;; esac
    done
    expect 2 cleanup --older-than 0 --state scheduled
    expect 2 recurring add nightly '61 * * * *' t
    case $err in *minute*) ;; *) fail "a bad cron expression: $err" ;; esac
    expect 2 batch t --lines x --then-json 1
    expect 2 enqueue t 1 --after 17
    expect 2 enqueue t 1 --jitter 10
    expect 2 watch --interval 0
    expect 2
    expect 2 enqeue t 1
    case $err in *"did you mean 'enqueue'?"*) ;; *) fail "no suggestion for enqeue: $err" ;; esac
    expect 2 enqueue t '{"a":'
    case $err in *"not JSON"*) ;; *) fail "broken JSON: $err" ;; esac
    expect 2 list --state done
    expect 2 get 17
    expect 2 work
    expect 2 init --exec true
    expect 3 --host 127.0.0.1:1 list --state succeeded
    case $err in *127.0.0.1:1*) ;; *) fail "the node that was tried is not named: $err" ;; esac
}

for tool in cqlping cqlinit cqljobs; do
    [ -x "./tools/$tool" ] || continue
    check_help
    check_refusals
    check_man_page
    case $tool in
    cqlping) check_options_file --host 127.0.0.1:1 ;;
    cqlinit) check_options_file --host 127.0.0.1:1 "$srcdir/cql/habit.cql" ;;
    cqljobs) check_options_file --host 127.0.0.1:1 list --state succeeded ;;
    esac
    case $tool in
    cqlping) check_watched && check_closed_streams -c 1 127.0.0.1:1 ;;
    cqlinit) check_closed_streams --wait 0 --host 127.0.0.1:1 -e 'DESCRIBE KEYSPACES' ;;
    cqljobs) check_closed_streams --host 127.0.0.1:1 stats ;;
    esac
    if declare -F "check_$tool" >/dev/null; then
        "check_$tool"
    fi
done
# The launcher of nodes is a script.
tool=localcassandra
launcher=$srcdir/tools/$tool
if [ -x "$launcher" ]; then
    out=$("$launcher" --help) || fail "--help failed"
    help=$out
    check_man_page
    for word in $(sed -n '/^Whole clusters/,/^Options of every/s/^  \([a-z][a-z]*\) .*/\1/p' <<<"$help"); do
        grep -q "^.fB$word " "$srcdir/tools/$tool.1" || grep -q "^.fB$word.fP" "$srcdir/tools/$tool.1" ||
            fail "$tool.1 does not name the command $word"
    done
    case $out in *"Usage: $tool "*) ;; *) fail "--help has no usage" ;; esac
    for word in start stop status nodes list fetch; do
        grep -q "^ *$word " <<<"$out" || fail "--help does not name the command $word"
    done
    "$launcher" strat >out.$$ 2>err.$$
    [ $? = 2 ] || fail "a command that is none is not refused"
fi
rm -f out.$$ err.$$
[ -x ./tools/cqlping ] || { tool=cqlping && fail "it was not built"; }
[ "$failures" = 0 ]
