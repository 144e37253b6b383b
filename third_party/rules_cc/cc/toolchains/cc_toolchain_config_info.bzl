"""What rules_cc offers, as it is built into Bazel 4."""

load("//cc:builtins.bzl", "builtin_toolchain_config_info")

CcToolchainConfigInfo = builtin_toolchain_config_info
