"""One macro for every fuzz target: a fuzzer, and a test that replays its corpus.

    load("//fuzz:fuzz_target.bzl", "fuzz_target")

    fuzz_target(
        name = "parser_fuzzer",       # parser_fuzzer.c defines LLVMFuzzerTestOneInput, declared in fuzz_target.h
        deps = ["//parser:line_parser"],
    )

makes, of that and of corpus/parser and dictionaries/parser.dict:

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

def fuzz_target(name, deps, corpus = None, dictionary = None):
    """A fuzz binary NAME of NAME.c, and a test NAME_corpus_test.

    Args:
      name: of the binary, ends with _fuzzer.
      deps: what is fuzzed.
      corpus: the folder of the seed inputs, at least one, no spaces in their names; NAME without
        _fuzzer unless it says otherwise.
      dictionary: a libFuzzer dictionary, called as the corpus unless it says otherwise.
    """
    corpus = corpus or name[:-len("_fuzzer")]
    dictionary = "dictionaries/%s.dict" % (dictionary or corpus)
    srcs = [name + ".c"]
    deps = deps + ["//fuzz:fuzz_target_header"]

    native.filegroup(
        name = name + "_corpus",
        testonly = True,
        srcs = native.glob(["corpus/%s/*" % corpus]),
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
            "//fuzz:libfuzzer": [
                "-seed_inputs=@$(rootpath :" + name + "_seed_list)",
                "-dict=$(rootpath " + dictionary + ")",
            ],
            "//conditions:default": [],
        }),
        copts = C_COPTS,
        data = [
            ":" + name + "_corpus",
            ":" + name + "_seed_list",
            dictionary,
        ],
        linkopts = select({
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
        size = "small",
        srcs = srcs,
        args = ["$(rootpaths :" + name + "_corpus)"],
        copts = C_COPTS,
        data = [":" + name + "_corpus"],
        deps = deps + ["//fuzz:replay_driver"],
    )
