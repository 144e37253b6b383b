#!/usr/bin/env bash
# deb_test.sh FORM BUILD_PACKAGES LICENSE CHANGELOG PACKAGE... -- NAME=FILE...: the packages, made once more
# at another time and place by somebody with other habits, are the same bytes; lintian finds nothing.
set -uo pipefail

failed=0

fail() {
    echo "$*"
    failed=1
}

form=$1
build=$2
license=$3
source=$(dirname "$4")
shift 4
packages=()
while [ "$1" != -- ]; do
    packages+=("$1")
    shift
done
shift
[ "${#packages[@]}" -ge 6 ] || fail "only ${#packages[*]} packages"

again=$TEST_TMPDIR/again
mkdir -p "$again"
(
    umask 077
    export TZ=Pacific/Auckland LANG=C.UTF-8
    "$build" "$again" "$license" "$source" "$@"
) || fail "the packages cannot be made again"
for package in "${packages[@]}"; do
    cmp "$package" "$again/$(basename "$package")" || fail "$package is not reproducible"
done

if [ "$form" = sanitized ]; then
    echo "nobody packages programs with sanitizers in them"
elif command -v lintian >/dev/null; then
    # By default it tells of errors and warnings.
    said=$(cd "$again" && lintian --allow-root --no-cfg --tag-display-limit 0 --fail-on none ./*.deb 2>&1)
    [ -z "$said" ] || fail "$said"
else
    echo "SKIPPED: Debian's opinion of the packages (package lintian)"
fi
exit "$failed"
