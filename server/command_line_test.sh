#!/usr/bin/env bash
# command_line_test.sh PROGRAM...: each shows its help and its version, in full or with an error.
set -uo pipefail

failed=0

fail() {
    echo "$*"
    failed=1
}

# One line on standard error, and no success, where the text cannot be written.
expect_complaint() {
    local program=$1 option=$2 device=$3 errors status
    errors=$("$program" "$option" 2>&1 >"$device")
    status=$?
    [ "$status" -eq 2 ] || fail "$program $option >$device exits with $status"
    [[ $errors == *"cannot write to standard output: "* && $(wc -l <<<"$errors") -eq 1 ]] ||
        fail "$program $option >$device says: $errors"
}

for program; do
    "$program" --help >"$TEST_TMPDIR/long" || fail "$program --help fails"
    "$program" -h >"$TEST_TMPDIR/short" || fail "$program -h fails"
    grep -q '^Usage: ' "$TEST_TMPDIR/long" || fail "$program --help shows no usage"
    cmp "$TEST_TMPDIR/long" "$TEST_TMPDIR/short" || failed=1
    "$program" --version >"$TEST_TMPDIR/version" || fail "$program --version fails"
    grep -qE '[0-9]+\.[0-9]+\.[0-9]+' "$TEST_TMPDIR/version" ||
        fail "$program --version says: $(cat "$TEST_TMPDIR/version")"
    for option in --help -h --version; do
        expect_complaint "$program" "$option" /dev/full
    done
done
exit "$failed"
