# awk -f completion.awk TABLE: how bash completes a program's options, from its --help=table.
BEGIN {
    FS = "\t"
    # Names of values that are names of files.
    is_file["FILE"] = is_file["PATH"] = 1
}
$1 == "program" {
    program = $2
    name = "_" $2
    gsub(/-/, "_", name)
}
$1 == "arguments" {
    # Words in capitals that stand by themselves or come first are meant literally: NEW, CONTINUE.
    for (count = split($2, parts, / \| /); count > 0; count--) {
        split(parts[count], words, " ")
        if (words[1] ~ /^[A-Z]+$/) {
            commands = words[1] (commands == "" ? "" : " " commands)
        }
    }
}
$1 == "option" {
    options = options " --" $2 ($4 == "" ? "" : "=")
    if ($5 == "choice") {
        choices = $7
        gsub(/\|/, " ", choices)
        cases = cases "    --" $2 ")\n        COMPREPLY=($(compgen -W '" choices "' -- \"$word\"))\n        return\n        ;;\n"
    } else if ($4 in is_file) {
        cases = cases "    --" $2 ")\n        compopt -o filenames 2>/dev/null\n" \
            "        COMPREPLY=($(compgen -f -- \"$word\"))\n        return\n        ;;\n"
    } else if ($4 != "") {
        cases = cases "    --" $2 ") return ;;\n"
    }
}
END {
    print "# Completion of " program " for bash; made from its table of options."
    print name "() {"
    print "    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}"
    print "    COMPREPLY=()"
    print "    # Bash takes --option=value for three words."
    print "    if [[ $word == = ]]; then"
    print "        word="
    print "    elif [[ $option == = ]] && ((COMP_CWORD >= 2)); then"
    print "        option=${COMP_WORDS[COMP_CWORD - 2]}"
    print "    fi"
    print "    case $option in"
    printf "%s", cases
    print "    esac"
    print "    COMPREPLY=($(compgen -W '" substr(options, 2) (commands == "" ? "" : " " commands) "' -- \"$word\"))"
    print "    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then"
    print "        compopt -o nospace 2>/dev/null"
    print "    fi"
    print "}"
    print "complete -F " name " " program
}
