"""The one list of compiler options: every C target of ours takes C_COPTS, every C++ test CXX_COPTS."""

_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wconversion",
    "-Wshadow",
]

C_COPTS = ["-std=gnu11", "-D_GNU_SOURCE"] + _WARNINGS + [
    # Assertions stay on: none is in a hot loop, and a server that is wrong must not go on.
    "-UNDEBUG",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
]

CXX_COPTS = _WARNINGS
