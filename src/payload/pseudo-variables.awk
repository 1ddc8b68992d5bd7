# Turns pseudo-variables.tsv into the C table that the templates know, sorted by name.  Fails on a row that
# cannot be right.
BEGIN {
    FS = "\t"
    print "/* Generated from pseudo-variables.tsv; edit that file instead. */"
    print "#include \"pseudo_variables.h\""
    print "const struct sa_pseudo_variable sa_pseudo_variables[] = {"
    split("code method cseq callid address number proto uri text", shapes, " ")
    for (i in shapes)
        known[shapes[i]] = 1
}

/^#/ || NF == 0 { next }

{
    if (NF != 4 || $1 !~ /^[A-Za-z_][A-Za-z0-9_.]*$/ || !($4 in known) || $3 !~ /^(none|paren|both)$/ || $1 in seen) {
        printf "pseudo-variables.tsv:%d: bad row\n", NR > "/dev/stderr"
        exit failed = 1
    }
    seen[$1] = 1
    printf "    {\"%s\", %s, SA_SHAPE_%s},\n", $1, $3 == "none" ? "false" : "true", toupper($4)
    count++
}

END {
    if (failed)
        exit 1
    print "};"
    printf "const size_t sa_pseudo_variable_count = %d;\n", count
}
