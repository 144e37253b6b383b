#!/usr/bin/env bash
# hardening_test.sh PROGRAM...: each has the hardening of copts.bzl, in its own code and as it is
# linked, and needs no library that pure C does not. Debian's hardening-check is asked, too, where it
# is installed (package devscripts).
set -uo pipefail

failed=0

# expect PROGRAM WHAT COMMAND...: complains unless the command succeeds.
expect() {
    local program=$1 what=$2
    shift 2
    "$@" || {
        echo "$program: $what"
        failed=1
    }
}

first_instruction_of_main() {
    objdump --disassemble=main --no-show-raw-insn "$1" | sed -n '/<main>:/{n;p;q}'
}

starts_with() {
    [[ $(first_instruction_of_main "$1") == *$2* ]]
}

check() {
    local program=$1 header symbols dynamic
    header=$(readelf --wide --file-header --segments "$program")
    symbols=$(readelf --wide --dyn-syms "$program")
    dynamic=$(readelf --wide --dynamic "$program")
    expect "$program" "is not position-independent" grep -q 'Type:.*DYN' <<<"$header"
    expect "$program" "has no read-only relocations" grep -q 'GNU_RELRO' <<<"$header"
    expect "$program" "has an executable stack" grep -q 'GNU_STACK.* RW ' <<<"$header"
    expect "$program" "binds its symbols late" grep -qE 'BIND_NOW|FLAGS_1.* NOW' <<<"$dynamic"
    expect "$program" "has no stack protector" grep -q 'UND __stack_chk_fail' <<<"$symbols"
    expect "$program" "has no fortified calls" grep -qE 'UND __[a-z]+_chk@' <<<"$symbols"
    expect "$program" "needs the C++ library" [ -z "$(grep 'NEEDED.*libstdc++' <<<"$dynamic")" ]
    expect "$program" "needs libm" [ -z "$(grep 'NEEDED.*libm\.' <<<"$dynamic")" ]
    case $(uname -m) in
    x86_64) expect "$program" "has no marks where jumps may lead" starts_with "$program" endbr64 ;;
    aarch64) expect "$program" "does not sign return addresses" starts_with "$program" paciasp ;;
    esac
    if command -v hardening-check >/dev/null; then
        # Debian's own start files have no control-flow marks, so no program as a whole has them.
        expect "$program" "fails hardening-check" hardening-check --quiet --nocfprotection "$program"
    fi
}

if [ $# -eq 0 ]; then
    echo "SKIPPED: sanitizers and builds without optimization have a hardening of their own"
fi
for program; do
    check "$program"
done
exit "$failed"
