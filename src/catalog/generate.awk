# Turns the data files of codes/ into the C table of the catalog.  Fails on a record that cannot be right, so that a
# bad edit breaks the build and not a notification.
BEGIN {
    RS = ""
    FS = "\n"
    n_required = split("code phrase reference kind effect dialog future retry cache actor meaning when remediation", \
                       required, " ")
    n_depth = split("contact caching loops caller callee proxy registrar watch", depths, " ")
    for (i = 1; i <= n_required; i++)
        known[required[i]] = 1
    for (i = 1; i <= n_depth; i++)
        known[depths[i]] = 1
    split("effect dialog future retry cache actor", facts, " ")
    print "/* Generated from the files of src/catalog/codes; edit those instead. */"
    print "#include \"catalog_table.h\""
    print "#include \"lang.h\""
    print "const struct sa_catalog_entry sa_catalog_table[] = {"
}

function bad(what) {
    printf "%s: record %d, code %s: %s\n", FILENAME, FNR, value["code"], what > "/dev/stderr"
    exit failed = 1
}

function quoted(s) {
    gsub(/\\/, "\\\\", s)
    gsub(/"/, "\\\"", s)
    return "\"" s "\""
}

function translated(s) {
    return "N_(" quoted(s) ")"
}

{
    split("", value)
    key = ""
    for (i = 1; i <= NF; i++) {
        if ($i ~ /^#/)
            continue
        if ($i ~ /^  / && key != "") {
            sub(/^ +/, "", $i)
            value[key] = value[key] " " $i
            continue
        }
        colon = index($i, ":")
        key = substr($i, 1, colon - 1)
        if (!(key in known) || key in value)
            bad("bad line: " $i)
        value[key] = substr($i, colon + 1)
        sub(/^ +/, "", value[key])
    }
    if (key == "") # comments alone
        next
    for (i = 1; i <= n_required; i++)
        if (value[required[i]] == "")
            bad("no " required[i])
    if (value["code"] !~ /^[1-6][0-9][0-9]$/ || value["code"] + 0 <= previous)
        bad("not a code, or not in order")
    if (length(value["meaning"]) > 255 || length(value["remediation"]) > 255)
        bad("too long for the MIB")
    previous = value["code"] + 0
    count++
    printf "    {.code = %d, .phrase = %s, .reference = %s, .kind = %s,\n", value["code"], quoted(value["phrase"]),
           quoted(value["reference"]), quoted(value["kind"])
    printf "     .facts = {"
    for (i = 1; i <= 6; i++)
        printf "SA_%s_%s, ", toupper(facts[i]), toupper(value[facts[i]])
    printf "},\n     .meaning = %s,\n     .when = %s,\n     .remediation = %s,\n     .depth = {", translated(value["meaning"]),
           translated(value["when"]), translated(value["remediation"])
    for (i = 1; i <= n_depth; i++)
        if (depths[i] in value)
            printf "[SA_DEPTH_%s] = %s, ", toupper(depths[i]), translated(value[depths[i]])
    print "}},"
}

END {
    if (failed)
        exit 1
    print "};"
    printf "const size_t sa_catalog_count = %d;\n", count
}
