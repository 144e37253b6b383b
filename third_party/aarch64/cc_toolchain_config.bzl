"""How Bazel calls Debian's gcc-aarch64-linux-gnu."""

load("@rules_cc//cc:action_names.bzl", "ACTION_NAMES")
load("@rules_cc//cc:cc_toolchain_config_lib.bzl", "feature", "flag_group", "flag_set", "tool_path")
load("@rules_cc//cc/common:cc_common.bzl", "cc_common")
load("@rules_cc//cc/toolchains:cc_toolchain_config_info.bzl", "CcToolchainConfigInfo")

_PREFIX = "/usr/bin/aarch64-linux-gnu-"

# Where fetch_libraries.sh puts them.
_LIBRARIES = "third_party/aarch64/libraries"

_COMPILE = [
    ACTION_NAMES.assemble,
    ACTION_NAMES.c_compile,
    ACTION_NAMES.cpp_compile,
    ACTION_NAMES.preprocess_assemble,
]

_LINK = [
    ACTION_NAMES.cpp_link_dynamic_library,
    ACTION_NAMES.cpp_link_executable,
    ACTION_NAMES.cpp_link_nodeps_dynamic_library,
]

def _flags(name, actions, flags):
    return feature(
        name = name,
        enabled = True,
        flag_sets = [flag_set(actions = actions, flag_groups = [flag_group(flags = flags)])],
    )

def _impl(ctx):
    tools = {
        "ar": "ar",
        "cpp": "cpp",
        "gcc": "gcc",
        "gcov": "gcov",
        "ld": "ld",
        "nm": "nm",
        "objdump": "objdump",
        "strip": "strip",
    }
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        toolchain_identifier = "aarch64-linux-gnu",
        host_system_name = "local",
        target_system_name = "aarch64-linux-gnu",
        target_cpu = "aarch64",
        target_libc = "glibc",
        compiler = "gcc",
        abi_version = "unknown",
        abi_libc_version = "unknown",
        tool_paths = [tool_path(name = name, path = _PREFIX + tool) for name, tool in tools.items()],
        # gcc and its libraries; the headers of libraries are the same for all processors.
        cxx_builtin_include_directories = [
            "/usr/lib/gcc-cross/aarch64-linux-gnu",
            "/usr/aarch64-linux-gnu/include",
            "/usr/include",
            "%workspace%/" + _LIBRARIES + "/include",
        ],
        features = [
            feature(name = "supports_pic", enabled = True),
            _flags("optimized", _COMPILE, ["-O2", "-DNDEBUG", "-ffunction-sections", "-fdata-sections"]),
            _flags("headers", _COMPILE, ["-idirafter", _LIBRARIES + "/include"]),
            _flags("reproducible", _COMPILE, ["-fno-canonical-system-headers", "-no-canonical-prefixes"]),
            _flags("libraries", _LINK, [
                "-L" + _LIBRARIES,
                "-Wl,-rpath-link=" + _LIBRARIES,
                "-lstdc++",
                "-lm",
                "-Wl,--gc-sections",
            ]),
        ],
    )

cc_toolchain_config = rule(
    implementation = _impl,
    provides = [CcToolchainConfigInfo],
)
