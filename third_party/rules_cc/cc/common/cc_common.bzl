"""What rules_cc offers, as it is built into Bazel 4."""

load("//cc:builtins.bzl", "builtin_cc_common")

cc_common = builtin_cc_common
