#!/bin/sh
# insides.sh SOURCES DIRECTORY...: what a room keeps to itself is touched by nobody else.  Fails if a file of the
# directories, outside of the room, reaches into a window (its struct is seen, since there are thousands of them and each
# response counts in some), or includes a header that is for the files of one room alone.
sources=$1
shift
private='rules_parts.h alarm
groups.h alarm
judge.h alarm
inside.h core'
found=$(grep -rnE '(\.|->)inside\.' "$@" --include='*.[ch]' | grep -v "^$sources/src/count/")
while read -r header room; do
    includes=$(grep -rn "\"$header\"" "$@" --include='*.[ch]' | grep -v "^$sources/src/$room/")
    found="$found${includes:+
$includes}"
done <<EOF
$private
EOF
[ -z "$found" ] && exit 0
echo "what is for the files of one room alone:"
echo "$found"
exit 1
