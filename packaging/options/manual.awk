# awk -f manual.awk TABLE TEMPLATE: a manual page, from a program's --help=table and the prose that no
# table has. In the template @HEADER SECTION@, @SYNOPSIS@, @OPTIONS@, @EXIT@ and @EXAMPLES@ stand for
# what the table says, each in a line of its own.
BEGIN { FS = "\t" }

# Text for the formatter: no character in it is a command, and options keep their dashes.
function quoted(text) {
    gsub(/\\/, "\\e", text)
    gsub(/--/, "\\-\\-", text)
    sub(/^[.']/, "\\\\\\&&", text)
    return text
}

# `word` in bold.
function prose(text) {
    text = quoted(text)
    while (match(text, /`[^`]*`/)) {
        text = substr(text, 1, RSTART - 1) "\\fB" substr(text, RSTART + 1, RLENGTH - 2) "\\fR" \
            substr(text, RSTART + RLENGTH)
    }
    return text
}

function hyphenated(name) {
    gsub(/-/, "\\-", name)
    return name
}

# A choice is written as it is, anything else is a name for what is meant.
function argument(text, is_choice) {
    if (text == "") {
        return ""
    }
    if (!is_choice) {
        return "=\\fI" text "\\fR"
    }
    gsub(/\|/, "\\fR|\\fB", text)
    return "=\\fB" text "\\fR"
}

FNR == NR && $1 == "option" {
    options = options ".TP\n" ($3 == "" ? "" : "\\fB\\-" $3 "\\fR, ") "\\fB\\-\\-" hyphenated($2) "\\fR" \
        argument($4, $5 == "choice") "\n" prose(toupper(substr($8, 1, 1)) substr($8, 2)) \
        ($6 == "" ? "" : " (default " quoted($6) ")") ".\n"
    next
}
FNR == NR && $1 == "exit" {
    code = $2
    sub(/ .*/, "", code)
    meaning = $2
    sub(/^[0-9]+ +/, "", meaning)
    exits = exits ".TP\n" code "\n" prose(toupper(substr(meaning, 1, 1)) substr(meaning, 2)) ".\n"
    next
}
FNR == NR && $1 == "example" { examples = examples hyphenated(quoted($2)) "\n"; next }
FNR == NR { fact[$1] = $2; next }

/^@HEADER / {
    sub(/ .*/, "", fact["version"]) # the commit is no business of a manual's
    section = substr($0, 9, 1)
    print ".\\\" Made from the program's table of options and packaging/man."
    print ".TH " hyphenated(toupper(fact["program"])) " " section " 2026-11-28 \"numbers " fact["version"] "\""
    next
}
/^@SYNOPSIS@/ {
    print ".SH SYNOPSIS\n.B " hyphenated(fact["program"]) "\n[\\fIOPTION\\fR]..."
    if (fact["arguments"] != "") {
        print fact["arguments"]
    }
    next
}
/^@OPTIONS@/ { printf ".SH OPTIONS\n%s", options; next }
/^@EXIT@/ { printf ".SH EXIT STATUS\n%s", exits; next }
/^@EXAMPLES@/ { printf ".SH EXAMPLES\n.EX\n%s.EE\n", examples; next }
{ print }
