"""The one list of compiler and linker options of ours.

Every C target takes C_COPTS, every C++ test CXX_COPTS, every program LINKOPTS. What a program has
of it in the end is checked by //server:hardening_test.
"""

# Warnings are errors with --config=ci (.bazelrc): a compiler that is newer than this file may know
# more of them, and whoever has one shall get a build.
_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Wshadow",
]

# What Debian builds its packages with against attacks on memory, and what its hardening-check looks
# for. Position-independent programs are the compilers' default.
_HARDENING = [
    "-fstack-protector-strong",
    "-fstack-clash-protection",
] + select({
    # Sanitizers watch the functions that this would replace.
    "//:optimized_and_sanitized": ["-U_FORTIFY_SOURCE"],
    "//:optimized": [
        "-U_FORTIFY_SOURCE",
        "-D_FORTIFY_SOURCE=3",
    ],
    # Without optimization it is nothing but a warning.
    "//conditions:default": ["-U_FORTIFY_SOURCE"],
}) + select({
    "@platforms//cpu:x86_64": ["-fcf-protection"],
    "@platforms//cpu:aarch64": ["-mbranch-protection=standard"],
    "//conditions:default": [],
})

C_COPTS = ["-std=gnu11", "-D_GNU_SOURCE"] + _WARNINGS + [
    # Assertions stay on: none is in a hot loop, and a server that is wrong must not go on.
    "-UNDEBUG",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
] + _HARDENING

# gcc's -Wconversion leaves signs alone in C++, where tests count with int; clang's does not.
CXX_COPTS = _WARNINGS + ["-Wno-sign-conversion"] + _HARDENING

LINKOPTS = [
    # Bazel offers every program the C++ library and libm: pure C needs neither.
    "-Wl,--as-needed",
    # What the dynamic linker has set up can no longer be written to.
    "-Wl,-z,relro,-z,now",
]
