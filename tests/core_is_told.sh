#!/bin/sh
# core_is_told.sh SOURCES OBJECT...: the core and the rooms below it are told the time.  Fails if one of the objects
# needs a clock, or if a file outside of src/core includes what is inside of it.
sources=$1
shift
clocks='sa_clock_now|sa_clock_mono_ns|clock_gettime|gettimeofday|time|ftime|timespec_get|clock'
found=$(nm -A -u "$@" | grep -E " ($clocks)$")
inside=$(grep -rl '"inside\.h"' "$sources/src" "$sources/agent" "$sources/tests" --include='*.[ch]' | grep -v "/src/core/")
[ -z "$found$inside" ] && exit 0
echo "reads a clock, or sees what is inside of the core:"
echo "$found$inside"
exit 1
