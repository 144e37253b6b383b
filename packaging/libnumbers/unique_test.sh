#!/usr/bin/env bash
# unique_test.sh PROGRAM ARCHIVE PKG_CONFIG_FILE SOURCE FORM: the example, as built by Bazel and, in
# the plain form, against the archive with the libraries that the .pc file names.
set -uo pipefail

failed=0

fail() {
    echo "$*"
    failed=1
}

input=$TEST_TMPDIR/input
awk 'BEGIN { srand(7); for (i = 0; i < 200000; i++) printf "%09d\n", rand() * 100000 * 9999 }' >"$input"
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "%09d\n", i * i % 7919 }' >>"$input"
sort -u "$input" >"$TEST_TMPDIR/expected"

check() {
    "$1" <"$input" >"$TEST_TMPDIR/output" || fail "$1 fails"
    sort "$TEST_TMPDIR/output" | cmp - "$TEST_TMPDIR/expected" || fail "$1 prints something else than sort -u"
    awk '!seen[$0]++' "$input" | cmp - "$TEST_TMPDIR/output" || fail "$1 changes the order"
    "$1" </dev/null | cmp - /dev/null || fail "$1 makes something of nothing"
    ! printf '123456789\n12345678' | "$1" >/dev/null || fail "$1 takes half a line"
    ! printf '123456789\n12345678x\n' | "$1" >/dev/null || fail "$1 takes a line that is none"
}

check "$1"
if [ "$5" = plain ]; then
    libraries=$(sed -n 's/^Libs: -L[^ ]* //p' "$3")
    cp "$2" "$TEST_TMPDIR/libnumbers.a"
    # shellcheck disable=SC2086
    gcc -O2 -I. "$4" -o "$TEST_TMPDIR/unique" -L"$TEST_TMPDIR" $libraries || fail "the example does not link"
    check "$TEST_TMPDIR/unique"
fi
exit "$failed"
