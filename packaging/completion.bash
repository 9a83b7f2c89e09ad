# Completion of @tool@ in bash. What there is to complete is read from its own --help (and, of the
# library's options, from --option help), so that it is always that of the version installed.
# shellcheck shell=bash

# From --help on standard input, lines "--name VALUE", "-x VALUE", "command NAME" (VALUE: - for none).
_@tool@_table() {
    awk '
        /^[A-Z]/ { commands = $0 == "Commands:" }
        commands && /^  [a-z]/ { print "command", $1; next }
        /^  -[A-Za-z], --[a-z]|^      --[a-z]/ {
            line = substr($0, 1, 8) ~ /-/ ? $0 : ""
            letter = ""
            if (match(line, /^  -[A-Za-z], /)) {
                letter = substr(line, 3, 2)
                line = substr(line, RLENGTH + 1)
            }
            sub(/^ */, "", line)
            sub(/  .*/, "", line)
            name = line
            sub(/[ [].*/, "", name)
            value = substr(line, length(name) + 1)
            sub(/^ /, "", value)
            if (value == "")
                value = "-"
            print name, value
            if (letter != "")
                print letter, value
        }'
}

# _@tool@_values TOOL VALUE WORD: what may stand for VALUE.
_@tool@_values() {
    case $2 in
    FILE) compgen -f -- "$3" ;;
    FOLDER) compgen -d -- "$3" ;;
    HOST*) compgen -A hostname -- "$3" ;;
    LEVEL)
        compgen -W 'ANY ONE TWO THREE QUORUM ALL LOCAL_QUORUM EACH_QUORUM SERIAL LOCAL_SERIAL LOCAL_ONE' \
            -- "$3"
        ;;
    NAME=VALUE) compgen -S = -W "$("$1" --option help 2>/dev/null | awk '{ print $1 }')" -- "$3" ;;
    '[='*'|'*) compgen -W "$(printf '%s' "$2" | tr -d '[=]' | tr '|' ' ')" -- "$3" ;;
    esac
}

_@tool@() {
    local word=${COMP_WORDS[COMP_CWORD]} before='' table value line
    [ "$COMP_CWORD" -lt 1 ] || before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    table=$("$1" --help 2>/dev/null | _@tool@_table)
    # bash splits --name=value in three
    if [ "$word" = = ]; then
        word=
    elif [ "$before" = = ] && [ "$COMP_CWORD" -ge 2 ]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    elif value=$(awk -v name="$before" '$1 == name { print $2 }' <<<"$table") &&
        case $value in '['*) true ;; *) false ;; esac; then
        before= # a value that may be left out stands only behind a =
    fi
    value=$(awk -v name="$before" 'name != "" && $1 == name { print $2 }' <<<"$table")
    if [ -n "$value" ] && [ "$value" != - ]; then
        value=$(_@tool@_values "$1" "$value" "$word")
    elif [[ $word == -* ]]; then
        value=$(compgen -W "$(awk '/^-/ { print $1 }' <<<"$table")" -- "$word")
    elif [ "$(awk '/^command / { n++ } END { print n + 0 }' <<<"$table")" -gt 0 ]; then
        value=$(compgen -W "$(awk '/^command / { print $2 }' <<<"$table")" -- "$word")
    else
        value=$(compgen -f -- "$word"; compgen -A hostname -- "$word")
    fi
    while IFS= read -r line; do
        [ -z "$line" ] || COMPREPLY+=("$line")
    done <<<"$value"
    if [ "${#COMPREPLY[@]}" = 1 ] && [[ ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o filenames -F _@tool@ @tool@
