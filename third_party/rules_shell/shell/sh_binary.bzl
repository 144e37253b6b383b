"""What rules_shell offers, as the rule that is built into Bazel 4."""

sh_binary = native.sh_binary
