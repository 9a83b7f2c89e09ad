#!/bin/bash
# Completion in bash: each option and command that --help of a tool names is offered, nothing else is,
# and values are completed where they can be. Runs in the build folder.
set -u
failures=0
build=$PWD
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
PATH=$build/tools:$PATH

fail() {
    echo "$tool: $*" >&2
    failures=$((failures + 1))
}

# offers WORDS...: what is offered for the last word, one a line, sorted.
offers() {
    COMP_WORDS=("$tool" "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    "_$tool" "$tool" "${*: -1}" ''
    printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} | LC_ALL=C sort -u
}

# expect WANTED WORDS...
expect() {
    local wanted=$1 got
    shift
    got=$(offers "$@")
    [ "$got" = "$wanted" ] || fail "'$*' offers '$got', not '$wanted'"
}

for tool in cqlping cqlinit cqljobs; do
    file=packaging/completion/$tool
    [ -e "$file" ] || { fail "there is no $file"; continue; }
    # shellcheck source=/dev/null
    . "$file" || { fail "$file cannot be read"; continue; }
    complete -p "$tool" >/dev/null 2>&1 || fail "$file completes nothing"
    wanted=$("$tool" --help | sed -n -E 's/^ +(-[A-Za-z], )?(--[a-z][a-z-]*).*/\2/p' | LC_ALL=C sort -u)
    [ "$(wc -l <<<"$wanted")" -gt 20 ] || fail "--help names hardly an option: $wanted"
    expect "$wanted" --
    expect "$(printf '%s\n' --password-fd --password-file)" --password-f
    expect --verbose --verb
    expect page_size= -o page_s
    expect page_size= --option page_s
    expect page_size= --option = page_s
    expect '' --port ''
    expect '' --no-such
    touch "$tmp/one.pem" "$tmp/two words.pem"
    expect "$tmp/one.pem" --tls-ca "$tmp/on"
    expect "$tmp/two words.pem" --tls-ca = "$tmp/tw"
done
tool=cqlinit
expect "$(printf '%s\n' full off shape)" --verify =
expect shape --verify = s
mkdir "$tmp/folder"
expect "$tmp/folder" --migrate "$tmp/f"
expect "$tmp/one.pem" "$tmp/on"
expect LOCAL_QUORUM --consistency LOCAL_Q
tool=cqljobs
expect "$(printf '%s\n' batch cancel cleanup delete enqueue get init list recurring retry schedule \
    stats watch work)" ''
expect enqueue enq
[ "$failures" = 0 ]
