"""What is built into Bazel 4, under names that a file which gives it its own can load."""

builtin_cc_common = cc_common
builtin_toolchain_config_info = CcToolchainConfigInfo
