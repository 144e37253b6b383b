#!/usr/bin/env bash
# units_test.sh (UNIT PROGRAM)... --sockets SOCKET...: systemd takes the units as they are, and finds
# each service exposed to little.
set -uo pipefail

readonly EXPOSURE_MAX=2.5
failed=0

fail() {
    echo "$*"
    failed=1
}

if ! command -v systemd-analyze >/dev/null; then
    echo "SKIPPED: systemd's opinion of the units (package systemd)"
    exit 0
fi

root=$TEST_TMPDIR/units
mkdir -p "$root"
units=()
while [ $# -gt 0 ] && [ "$1" != --sockets ]; do
    # The programs are not installed here.
    sed "s|^ExecStart=/usr/sbin/[^ ]*|ExecStart=$PWD/$2|" "$1" >"$root/$(basename "$1")"
    units+=("$(basename "$1")")
    shift 2
done
[ "${#units[@]}" -gt 0 ] || fail "nothing to look at"
shift
for socket; do
    cp "$socket" "$root"
done

cd "$root" || exit 1
for unit in *; do
    said=$(SYSTEMD_UNIT_PATH=$root: systemd-analyze verify --man=no "./$unit" 2>&1) || fail "$unit is refused"
    # Of the machine's own units it has opinions, too.
    said=$(grep -F -e "${unit%.*}" -e "$root" <<<"$said")
    [ -z "$said" ] || fail "$unit: $said"
done
for unit in "${units[@]}"; do
    exposure=$(systemd-analyze security --offline=true --no-pager "./$unit" |
        sed -n 's/.*Overall exposure level for .*: \([0-9.]*\) .*/\1/p')
    echo "$unit: exposure $exposure"
    awk -v exposure="$exposure" -v most=$EXPOSURE_MAX 'BEGIN { exit !(exposure != "" && exposure < most) }' ||
        fail "$unit is too exposed"
done
exit "$failed"
