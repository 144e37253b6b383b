# awk -f flags.awk TABLE: a page's table of a program's flags, from its --help=table.
BEGIN { FS = "\t" }
function cell(text) {
    gsub(/\|/, "\\|", text)
    return text
}
$1 == "program" { print "| flag of `" $2 "` | default | what it does |\n| --- | --- | --- |" }
$1 == "option" {
    print "| " ($3 == "" ? "" : "`-" $3 "`, ") "`--" $2 ($4 == "" ? "" : "=" cell($4)) "` | " \
        ($6 == "" ? "" : cell($6) " ") "| " cell($8) " |"
}
