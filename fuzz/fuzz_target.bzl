"""One macro for every fuzz target: a fuzzer, and a test that replays its corpus.

    load("//fuzz:fuzz_target.bzl", "fuzz_target")

    fuzz_target(
        name = "parser_fuzzer",
        srcs = ["parser_fuzzer.c"],   # defines LLVMFuzzerTestOneInput, declared in fuzz/fuzz_target.h
        corpus = glob(["corpus/parser/*"]),
        dictionary = "dictionaries/parser.dict",
        deps = ["//parser:line_parser"],
    )

makes:

    parser_fuzzer               the program. To fuzz (clang, libFuzzer, ASan and UBSan; starts from the
                                corpus, uses the dictionary):
                                    bazel run --config=fuzz //fuzz:parser_fuzzer -- -max_total_time=60
                                To keep what it discovers, add a folder (an absolute path):
                                    bazel run --config=fuzz //fuzz:parser_fuzzer -- -max_total_time=600 /tmp/new
                                To make the corpus small again, merge into an empty folder:
                                    bazel run --config=fuzz //fuzz:parser_fuzzer -- -merge=1 /tmp/small /tmp/new $PWD/fuzz/corpus/parser
                                To replay a find, which is written to where the command was typed:
                                    bazel run --config=asan //fuzz:parser_fuzzer -- crash-0123abcd
    parser_fuzzer_corpus_test   replays the corpus with any compiler and any sanitizer, without
                                libFuzzer: part of `bazel test //...`. Put each find's input, once
                                it is mended, into the corpus: that is its regression test.
"""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_test")
load("//:copts.bzl", "C_COPTS")

def fuzz_target(name, srcs, corpus, deps = [], dictionary = None, copts = C_COPTS, linkopts = [], size = "small"):
    """A fuzz binary NAME and a test NAME_corpus_test.

    Args:
      name: of the binary.
      srcs: define LLVMFuzzerTestOneInput.
      corpus: the seed inputs, as labels of files; at least one, no spaces in their names.
      deps: what is fuzzed.
      dictionary: the label of a libFuzzer dictionary, or None.
      copts: for srcs; CXX_COPTS for a target in C++.
      linkopts: of both programs.
      size: of the test.
    """
    deps = deps + ["//fuzz:fuzz_target_header"]
    dictionaries = [dictionary] if dictionary else []

    native.filegroup(
        name = name + "_corpus",
        testonly = True,
        srcs = corpus,
    )

    # libFuzzer takes seeds as a comma-separated list in a file; as a folder it would write to it.
    native.genrule(
        name = name + "_seed_list",
        testonly = True,
        srcs = [":" + name + "_corpus"],
        outs = [name + "_seeds.txt"],
        cmd = "printf '%s' '$(rootpaths :" + name + "_corpus)' | tr ' ' ',' > $@",
    )

    cc_binary(
        name = name,
        testonly = True,
        srcs = srcs,
        args = select({
            "//fuzz:libfuzzer": ["-seed_inputs=@$(rootpath :" + name + "_seed_list)"] +
                                ["-dict=$(rootpath " + label + ")" for label in dictionaries],
            "//conditions:default": [],
        }),
        copts = copts,
        data = [
            ":" + name + "_corpus",
            ":" + name + "_seed_list",
        ] + dictionaries,
        linkopts = linkopts + select({
            "//fuzz:libfuzzer": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        deps = deps + select({
            "//fuzz:libfuzzer": ["//fuzz:libfuzzer_options"],
            "//conditions:default": ["//fuzz:replay_driver"],
        }),
    )

    cc_test(
        name = name + "_corpus_test",
        size = size,
        srcs = srcs,
        args = ["$(rootpaths :" + name + "_corpus)"],
        copts = copts,
        data = [":" + name + "_corpus"],
        linkopts = linkopts,
        deps = deps + ["//fuzz:replay_driver"],
    )
