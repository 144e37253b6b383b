#!/usr/bin/env bash
# archive_test.sh MAKE_ARCHIVE CHANGELOG FORM ARCHIVE SUMS SBOM -- NAME=FILE...: the archive, made once
# more at another time and place by somebody with other habits, is the same bytes; its programs need
# nothing and run, where the form is static and not foreign (to this machine, or by a sanitizer); and what
# is said about it is true.
set -uo pipefail

failed=0

fail() {
    echo "$*"
    failed=1
}

make=$1
changelog=$2
form=$3
outputs=("$4" "$5" "$6")
shift 7

(
    umask 077
    export TZ=Pacific/Auckland LANG=C.UTF-8
    "$make" again.tar.gz again.sums again.json "$changelog" "$@"
) || fail "the archive cannot be made again"
cmp "${outputs[0]}" again.tar.gz || fail "the archive is not reproducible"
cmp "${outputs[1]}" again.sums || fail "the sums are not reproducible"
cmp "${outputs[2]}" again.json || fail "the list of what is linked is not reproducible"

mkdir -p "$TEST_TMPDIR/unpacked"
tar -C "$TEST_TMPDIR/unpacked" -xzf "${outputs[0]}" || fail "the archive cannot be unpacked"
top=$(echo "$TEST_TMPDIR"/unpacked/*)
name=$(basename "$top")
cp "${outputs[0]}" "$TEST_TMPDIR/$name.tar.gz"
cp "${outputs[2]}" "$TEST_TMPDIR/$name.spdx.json"
sums=$PWD/${outputs[1]}
(cd "$TEST_TMPDIR" && sha256sum --check --quiet "$sums") || fail "the sums are wrong"
for program in "$top"/bin/*; do
    if [ "$form" = static ]; then
        ! readelf -d "$program" | grep NEEDED || fail "$program needs a library"
        ! readelf -l "$program" | grep INTERP || fail "$program needs a loader"
        said=$(env -i "$program" --version) || fail "$program does not run"
        version=$(sed 's/numbers-\(.*\)-linux-.*/\1/' <<<"$name")
        [[ $said == "$(basename "$program") $version"* ]] || fail "$program is not of the archive's version: $said"
    fi
    sum=$(sha256sum <"$program")
    grep -q "\"SHA256\", \"checksumValue\": \"${sum%% *}\"" "${outputs[2]}" || fail "no sum of $program"
done
if command -v python3 >/dev/null; then
    python3 -m json.tool "${outputs[2]}" >/dev/null || fail "the list of what is linked is no JSON"
fi
! grep '"versionInfo": ""' "${outputs[2]}" || fail "something without a version is listed"
grep -q '"libc6-dev' "${outputs[2]}" || fail "the C library is not listed"
exit "$failed"
