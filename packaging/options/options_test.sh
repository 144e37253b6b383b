#!/usr/bin/env bash
# options_test.sh (PROGRAM MANUAL COMPLETION TABLE PAGE)...: what is made from a program's table of
# options has every option that --help has, can be read by those who shall, and is what the page
# shows.
set -uo pipefail

failed=0

fail() {
    echo "$*"
    failed=1
}

# format_manual MANUAL: makes it what a terminal shows; prints nothing but complaints.
format_manual() {
    LC_ALL=C.UTF-8 MANWIDTH=80 MANROFFSEQ='' man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 >/dev/null
}

expect_silence() {
    local said
    said=$("$@")
    [ -z "$said" ] || fail "$*: $said"
}

check_manual() {
    local manual=$1 option plain
    if command -v man >/dev/null; then
        expect_silence format_manual "$manual"
    else
        echo "SKIPPED: the manual pages are not formatted (package man-db)"
    fi
    if command -v mandoc >/dev/null; then
        expect_silence mandoc -Tlint -Wwarning "$manual"
    else
        echo "SKIPPED: the manual pages are not checked (package mandoc)"
    fi
    plain=$(sed 's/\\-/-/g; s/\\f[BIR]//g' "$manual")
    for option in $options; do
        grep -qE -- "^(-[a-z], )?--$option(=|\$)" <<<"$plain" || fail "$manual lacks --$option"
    done
    for section in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
        grep -qxF ".SH $section" "$manual" || fail "$manual lacks $section"
    done
    ! grep '^@' "$manual" || fail "$manual has an empty place"
}

# complete_words WORD...: what is offered for the last word of a command line.
complete_words() {
    local function
    function=$(complete -p "$1" | sed 's/.*-F \([^ ]*\) .*/\1/')
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    "$function" 2>/dev/null
    printf '%s\n' "${COMPREPLY[@]}"
}

check_completion() {
    local name=$1 completion=$2 option offered
    # shellcheck disable=SC1090
    source "$completion" || fail "$completion cannot be read"
    offered=$(complete_words "$name" --)
    for option in $options; do
        grep -qE -- "^--$option=?\$" <<<"$offered" || fail "$completion does not offer --$option"
    done
    [ "$(complete_words "$name" --vers)" = --version ] || fail "$completion: --vers"
    if [[ " $options " == *" log-level "* ]]; then
        [ "$(complete_words "$name" --log-level = w)" = warning ] || fail "$completion: --log-level=w"
        [ "$(complete_words "$name" --log-level =)" = $'debug\ninfo\nwarning\nerror' ] ||
            fail "$completion: --log-level="
    fi
    if [[ $name == *-client ]]; then
        [ "$(complete_words "$name" C)" = CONTINUE ] || fail "$completion: C"
    fi
}

check_page() {
    local name=$1 table=$2 page=$3
    diff <(sed -n "/^| flag of \`$name\`/,/^\$/{/^|/p}" "$page") "$table" ||
        fail "$page lags behind $name: run packaging/options/update_pages"
}

[ $# -gt 0 ] || fail "nothing to look at"
while [ $# -gt 0 ]; do
    name=$(basename "$4" .md)
    options=$("$1" --help | sed -nE 's/^  +(-[a-z], )?--([a-z-]+).*/\2/p' | tr '\n' ' ')
    [ "$(wc -w <<<"$options")" -ge 3 ] || fail "$name --help shows no options"
    check_manual "$2"
    check_completion "$name" "$3"
    check_page "$name" "$4" "$5"
    shift 5
done
exit "$failed"
