# shellcheck shell=bash
# Which tests there are, read from the sources alone, and which are chosen.

# ---- the tests of 'make check' ------------------------------------------------

# Every word of TESTS in the makefile fragments, with the variables it is made of.
# shellcheck disable=SC2016
check_tests() {
    find "$SRC/tests" "$SRC/tools" "$SRC/examples" "$SRC/cql" -name '*.am' -print0 2>/dev/null |
        sort -z | xargs -0 awk '
        { line = line $0 }
        /\\$/ { sub(/\\$/, " ", line); next }
        {
            if (match(line, /^[A-Za-z_][A-Za-z0-9_]*[ \t]*[+]?=/)) {
                name = substr(line, 1, RLENGTH)
                sub(/[ \t]*[+]?=$/, "", name)
                value[name] = value[name] " " substr(line, RLENGTH + 1)
            }
            line = ""
        }
        function words(text, depth,    part, count, i, inner) {
            count = split(text, part, " ")
            for (i = 1; i <= count; i++) {
                if (part[i] ~ /^\$\([A-Za-z_0-9]+\)$/ && depth < 8) {
                    inner = substr(part[i], 3, length(part[i]) - 3)
                    words(value[inner], depth + 1)
                } else if (!(part[i] in seen)) {
                    seen[part[i]] = 1
                    print part[i]
                }
            }
        }
        END { words(value["TESTS"], 0) }'
}

# The first sentence of the comment a source file begins with.
about_check() {
    local file
    for file in "$SRC/$1.c" "$SRC/$1"; do
        [ -f "$file" ] || continue
        sed -n -e '1{/^#!/d}' -e '1,4{s,^\(/\*\|//\|#\) *\([A-Za-z`].*\),\2,p}' "$file" |
            head -n 1 | sed -e 's, *\*/$,,' -e 's,\.$,,'
        return
    done
}

# ---- the live tests -----------------------------------------------------------

# header FILE KEY: the values of the lines '# KEY: VALUE' before the first line
# that is no comment.
header() {
    sed -n -e '/^#/!q' -e "s/^# $2: *//p" "$1"
}

header_or() {
    local value
    value=$(header "$1" "$2" | head -n 1)
    echo "${value:-$3}"
}

live_scripts() {
    local file
    for file in "$SRC"/tests/live/*.test; do
        [ -f "$file" ] && echo "$file"
    done
}

live_name() {
    local base=${1##*/}
    header_or "$1" name "${base%.test}"
}

# The names of the script's cases, or its own name if it has none; for a run on 3.11 without those that
# need what came later: version 5, DESCRIBE, virtual tables, a nodetool that runs on the Java that is there.
live_cases() {
    local case cases newer
    cases=$(header "$1" case | sed 's/[ \t].*//')
    newer=
    [ "$RELEASES" != 3.11 ] || newer=" $(header "$1" since_4.0 | tr '\n' ' ') "
    [ "$newer" = ' all  ' ] ||
        for case in ${cases:-$(live_name "$1")}; do
            [[ $newer = *" $case "* ]] || echo "$case"
        done
}

is_long() {
    [ "$(header_or "$1" long no)" = yes ]
}

# needs_of SCRIPT: the releases it can run on, 'none' where it needs no server. What runs on 4.1 runs on
# older ones where --release asks for it.
needs_of() {
    local needs
    needs=$(header_or "$1" needs '5.0 4.1')
    echo "${needs/4.1/4.1 4.0 3.11}"
}

# releases_of SCRIPT: those it runs on in this run. Where it is long on one, that one is for
# --full, for a pattern that names it outright, and for --release.
releases_of() {
    local release
    for release in $(needs_of "$1"); do
        [ "$release" = none ] || [[ " $RELEASES " = *" $release "* ]] || continue
        [ "$release" = "$(header_or "$1" long_on -)" ] && [ "$FULL" = no ] &&
            [ "$RELEASES" != "$release" ] && ! named_outright "$1" && continue
        echo "$release"
    done
}

# ---- listing and choosing -----------------------------------------------------

list_live() {
    local where about name text
    where="live, $(needs_of "$1")"
    ! is_long "$1" || where+=", long"
    [ -z "$(header "$1" long_on)" ] || where+=", long on $(header "$1" long_on)"
    about=$(header_or "$1" about '')
    if [ -z "$(header "$1" case)" ]; then
        printf '%-40s %s: %s\n' "$(live_name "$1")" "$where" "$about"
        return
    fi
    header "$1" case | while read -r name text; do
        printf '%-40s %s: %s\n' "$name" "$where" "$text"
    done
}

list_tests() {
    local name script
    for name in $(check_tests); do
        matches "$name" && printf '%-40s check: %s\n' "$name" "$(about_check "$name")"
    done
    for script in $(live_scripts); do
        chosen_cases "$script" >/dev/null && list_live "$script"
    done
}

# matches NAME: without a pattern everything does.
matches() {
    local pattern
    [ "${#PATTERNS[@]}" -gt 0 ] || return 0
    for pattern in "${PATTERNS[@]}"; do
        # shellcheck disable=SC2053
        [[ $1 = $pattern || ${1##*/} = $pattern ]] && return 0
    done
    return 1
}

# The cases of a script that the patterns choose; its own name chooses them all.
chosen_cases() {
    local name all=no found=1
    matches "$(live_name "$1")" && all=yes
    for name in $(live_cases "$1"); do
        [ "$all" = yes ] || matches "$name" || continue
        echo "$name"
        found=0
    done
    return "$found"
}

# Sets CHECKS and LIVE. A long test runs with --full, or where a pattern names it that is
# no wildcard or begins with a number.
choose_tests() {
    local name script
    CHECKS=()
    LIVE=()
    for name in $(check_tests); do
        matches "$name" && CHECKS+=("$name")
    done
    for script in $(live_scripts); do
        chosen_cases "$script" >/dev/null || continue
        is_long "$script" && [ "$FULL" = no ] && ! named_outright "$script" && continue
        LIVE+=("$script")
    done
}

# unmatched: the first pattern that chooses nothing by itself.
unmatched() {
    local pattern all=("${PATTERNS[@]}")
    for pattern in "${all[@]}"; do
        PATTERNS=("$pattern")
        choose_tests
        [ $((${#CHECKS[@]} + ${#LIVE[@]})) -gt 0 ] || {
            echo "$pattern"
            return 0
        }
    done
    return 1
}

named_outright() {
    local pattern name
    for pattern in "${PATTERNS[@]}"; do
        for name in "$(live_name "$1")" $(live_cases "$1"); do
            [ "$name" = "$pattern" ] && return 0
            # Whoever asks for numbers wants all that have one: long ones too, in their short form.
            # shellcheck disable=SC2053
            [[ $pattern = [0-9]* && $name = $pattern ]] && return 0
        done
    done
    return 1
}
