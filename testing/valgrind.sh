#!/bin/sh
# Runs a test, and the programs of ours that it starts, under valgrind's memcheck; what --config=valgrind
# puts in front of each test. A find is an exit code of 99.
set -eu

if ! command -v valgrind >/dev/null; then
    echo "valgrind is not installed (Debian: valgrind)" >&2
    exit 1
fi

# What is not ours to mend.
suppressions=$TEST_TMPDIR/valgrind.supp
cat >"$suppressions" <<'END'
{
   libunwind asks the kernel by a write whether memory may be read, when gperftools starts
   Memcheck:Param
   write(buf)
   ...
   obj:*/libunwind.so.*
   ...
   obj:*/libprofiler.so.*
}
END

# -q: nothing is said but finds, because tests look at what programs say. Threads take turns, or one
# that spins would keep the others from running. The distribution's own programs are not examined.
# No gdb is waited for: its pipes in /tmp are named by process ids, which tests in sandboxes share.
exec valgrind -q --vgdb=no --error-exitcode=99 --suppressions="$suppressions" \
    --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
    --fair-sched=yes --trace-children=yes --trace-children-skip='/bin/*,/sbin/*,/usr/*' "$@"
