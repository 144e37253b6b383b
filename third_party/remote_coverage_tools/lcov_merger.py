#!/usr/bin/python3
"""Adds up coverage, for `bazel coverage` on Bazel 4: gcov's JSON of one test, or the tracefiles of all.

    lcov_merger.py --coverage_dir=DIRECTORY --output_file=FILE
    lcov_merger.py --reports_file=FILE_OF_PATHS --output_file=FILE

Writes a tracefile as lcov and genhtml read it, with the lines of this project's own sources.
"""
import collections
import glob
import gzip
import json
import os
import sys

FOREIGN = ("/", "external/", "bazel-out/")


def lines_of_gcov(path):
    with gzip.open(path) as stream:
        for source in json.load(stream)["files"]:
            for line in source["lines"]:
                yield source["file"], line["line_number"], line["count"]


def lines_of_tracefile(path):
    source = ""
    with open(path) as stream:
        for line in stream:
            kind, _, value = line.rstrip("\n").partition(":")
            if kind == "SF":
                source = value
            elif kind == "DA":
                number, count = value.split(",")[:2]
                yield source, int(number), int(count)


def main():
    options = dict(argument[2:].partition("=")[::2] for argument in sys.argv[1:])
    if "reports_file" in options:
        with open(options["reports_file"]) as stream:
            tracefiles, gcov_files = stream.read().split(), []
    else:
        tracefiles = glob.glob(os.path.join(options["coverage_dir"], "*.dat"))
        gcov_files = glob.glob(os.path.join(options["coverage_dir"], "*.gcov.json.gz"))
    counts = collections.defaultdict(lambda: collections.defaultdict(int))
    for paths, read in ((tracefiles, lines_of_tracefile), (gcov_files, lines_of_gcov)):
        for path in paths:
            for source, line, count in read(path):
                source = os.path.normpath(source).replace("/proc/self/cwd/", "")
                if not source.startswith(FOREIGN):
                    counts[source][line] += count
    with open(options["output_file"], "w") as output:
        for source, lines in sorted(counts.items()):
            output.write(f"SF:{source}\n")
            output.writelines(f"DA:{line},{count}\n" for line, count in sorted(lines.items()))
            output.write("end_of_record\n")


main()
