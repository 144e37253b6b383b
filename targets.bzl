"""What every target of ours has, so that a BUILD file says only what is particular to one."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")
load("//:copts.bzl", "CXX_COPTS", "C_COPTS", "LINKOPTS")

def c_library(name, srcs = None, hdrs = None, copts = [], **kwargs):
    """A part in C: NAME.c and NAME.h unless it says otherwise."""
    cc_library(
        name = name,
        srcs = [name + ".c"] if srcs == None else srcs,
        hdrs = [name + ".h"] if hdrs == None else hdrs,
        copts = C_COPTS + copts,
        **kwargs
    )

def c_binary(name, srcs = None, copts = [], linkopts = [], **kwargs):
    """A program in C: NAME.c unless it says otherwise."""
    cc_binary(
        name = name,
        srcs = [name + ".c"] if srcs == None else srcs,
        copts = C_COPTS + copts,
        linkopts = LINKOPTS + linkopts,
        **kwargs
    )

def static_binary(name, srcs = None, linkopts = [], **kwargs):
    """A program in C for any Linux: nothing of it is looked for when it starts."""
    c_binary(
        name = name,
        srcs = srcs,
        linkopts = linkopts + select({
            # A sanitizer is a shared library's business.
            "//:optimized_and_sanitized": [],
            # Not -static-pie, which gold, Bazel's first choice of a linker, does not know.
            "//conditions:default": ["-static"],
        }),
        visibility = ["//packaging:__subpackages__"],
        **kwargs
    )

def test_library(name, srcs = None, hdrs = None, copts = [], **kwargs):
    """What tests share, in C++: NAME.cc and NAME.h unless it says otherwise."""
    cc_library(
        name = name,
        testonly = True,
        srcs = [name + ".cc"] if srcs == None else srcs,
        hdrs = [name + ".h"] if hdrs == None else hdrs,
        copts = CXX_COPTS + copts,
        **kwargs
    )

def bench_program(name, srcs = None, **kwargs):
    """A program that measures, in C++: NAME.cc unless it says otherwise."""
    cc_binary(
        name = name,
        testonly = True,
        srcs = [name + ".cc"] if srcs == None else srcs,
        copts = CXX_COPTS,
        **kwargs
    )

def gtest(name, srcs = None, size = "small", copts = [], deps = None, **kwargs):
    """A GoogleTest: NAME.cc, small, unless it says otherwise; PART_test, beside PART, tests that."""
    deps = [":" + name[:-len("_test")]] if deps == None else deps
    cc_test(
        name = name,
        size = size,
        srcs = [name + ".cc"] if srcs == None else srcs,
        copts = CXX_COPTS + copts,
        deps = deps + ["@com_google_googletest//:gtest_main"],
        **kwargs
    )

def kernel_libraries(prefix, deps, x86_64, aarch64):
    """A library kernel_SET of PREFIX_SET.c for each instruction set: only that file is compiled for it.

    The sets of each processor come with their flags. Result: the libraries for this processor.
    """
    libraries = {}
    for cpu, sets in {"x86_64": x86_64, "aarch64": aarch64}.items():
        processor = "@platforms//cpu:" + cpu
        libraries[processor] = [":kernel_" + set for set in sets]
        for set, flags in sets.items():
            c_library(
                name = "kernel_" + set,
                srcs = ["%s_%s.c" % (prefix, set)],
                hdrs = [],
                copts = flags,
                target_compatible_with = [processor],
                deps = deps,
            )
    return select(dict(libraries, **{"//conditions:default": []}))

def published(libraries, headers):
    """For //packaging: what a room publishes by itself, each header under its name, too."""
    visibility = ["//packaging:__subpackages__"]
    native.filegroup(
        name = "libraries",
        srcs = libraries,
        visibility = visibility,
    )
    native.filegroup(
        name = "headers",
        srcs = headers,
        visibility = visibility,
    )
    native.exports_files(
        headers,
        visibility = visibility,
    )
