"""Tests of code for another processor, under an emulator of it."""

load("@rules_cc//cc:defs.bzl", "cc_test")

def aarch64_test(name, srcs, headers):
    """A program of srcs, built for 64-bit Arm by the test itself, ends with 0 there.

    headers are those beside them that they include.
    """
    cc_test(
        name = name,
        size = "medium",
        args = ["$(location //testing:aarch64_test.sh)"] + ["$(location %s)" % source for source in srcs],
        data = srcs + headers + [
            "//testing:aarch64_test.sh",
            "//testing:guard_buffer.h",
        ],
        target_compatible_with = ["@platforms//cpu:x86_64"],
        deps = ["//testing:exec_script"],
    )
