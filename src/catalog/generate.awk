# Turns sip-status-codes.tsv into the C table of the catalog.  Fails on a row that cannot be right, so that a
# bad edit of the table breaks the build and not a notification.
BEGIN {
    FS = "\t"
    print "/* Generated from sip-status-codes.tsv; edit that file instead. */"
    print "#include \"catalog_table.h\""
    print "const struct sa_catalog_entry sa_catalog_table[] = {"
    previous = 0
}

function quoted(s) {
    gsub(/\\/, "\\\\", s)
    gsub(/"/, "\\\"", s)
    return "\"" s "\""
}

/^#/ || NF == 0 { next }

{
    if (NF != 6 || $1 !~ /^[1-6][0-9][0-9]$/ || $1 + 0 <= previous || length($5) > 255 || length($6) > 255) {
        printf "sip-status-codes.tsv:%d: bad row\n", NR > "/dev/stderr"
        exit failed = 1
    }
    for (i = 2; i <= 6; i++)
        if ($i == "") {
            printf "sip-status-codes.tsv:%d: empty field %d\n", NR, i > "/dev/stderr"
            exit failed = 1
        }
    previous = $1 + 0
    count++
    printf "    {%d, %s, %s, %s, %s, %s},\n", $1, quoted($2), quoted($3), quoted($4), quoted($5), quoted($6)
}

END {
    if (failed)
        exit 1
    print "};"
    printf "const size_t sa_catalog_count = %d;\n", count
}
