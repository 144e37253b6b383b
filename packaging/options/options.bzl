"""What is made from a program's table of options, so that nobody writes it down again."""

def option_texts(name, section, program):
    """NAME.SECTION (manual page), NAME.bash (completion) and NAME.md (a page's table) of a program.

    The prose of the manual page is in //packaging/man:NAME.SECTION.
    """
    table = name + ".table"
    native.genrule(
        name = name + "_table",
        srcs = [program] + select({
            "@platforms//cpu:aarch64": ["//third_party/aarch64:libraries"],
            "//conditions:default": [],
        }),
        outs = [table],
        # A program for another processor wants an emulator.
        cmd = ("program=$(execpath %s); $$program --help=table >$@ 2>/dev/null || " +
               "qemu-aarch64 -L /usr/aarch64-linux-gnu " +
               "-E LD_LIBRARY_PATH=$$PWD/third_party/aarch64/libraries $$program --help=table >$@") % program,
    )
    template = "//packaging/man:%s.%d" % (name, section)
    for kind, output, sources in [
        ("manual", "%s.%d" % (name, section), [table, template]),
        ("completion", name + ".bash", [table]),
        ("flags", name + ".md", [table]),
    ]:
        script = kind + ".awk"
        native.genrule(
            name = "%s_%s" % (name, kind),
            srcs = [script] + sources,
            outs = [output],
            cmd = "LC_ALL=C awk -f $(location %s) %s >$@" % (
                script,
                " ".join(["$(location %s)" % source for source in sources]),
            ),
        )
