#!/bin/sh
# usage: check_mib.sh MIB-FILE
# The MIB has to be clean at smilint's strictest level.  smilint always exits with 0, and says nothing of what
# it could not check, so the gate is that it prints nothing; and the gate itself is tried on broken MIBs.
mib=$1
fail=0

command -v smilint >/dev/null || {
  echo "SKIPPED: smilint is not installed (Debian: smitools)"
  exit 77
}
# Debian's free copies of the base modules come with Erlang.
base=
for dir in /usr/lib/erlang/lib/snmp-*/mibs; do
  [ -f "$dir/SNMPv2-SMI.mib" ] && base=$dir
done
[ -n "$base" ] || {
  echo "SKIPPED: no base modules for smilint (Debian: erlang-snmp)"
  exit 77
}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# gate FILE SMIPATH: 0 if smilint has nothing to say; what it says goes to $dir/said
gate() {
  SMIPATH=$2 smilint -c /dev/null -l 6 -s "$1" >"$dir/said" 2>&1
  [ ! -s "$dir/said" ]
}

if gate "$mib" "$base"; then
  echo "ok: $mib is clean"
else
  echo "FAILED: $mib:"
  cat "$dir/said"
  fail=1
fi

# must_fail WHAT FILE SMIPATH
must_fail() {
  if cmp -s "$mib" "$2" && [ "$3" = "$base" ]; then
    echo "FAILED: $1: the MIB does not have what was to be broken"
    fail=1
  elif gate "$2" "$3"; then
    echo "FAILED: the gate lets through: $1"
    fail=1
  else
    echo "ok: the gate stops: $1"
  fi
}

bad=$dir/SIPALERT-MIB.txt
sed '/^sipAlertCodeCode OBJECT-TYPE/,/::=/s/not-accessible/read-only/' "$mib" >"$bad"
must_fail "an index column that can be read" "$bad" "$base"
sed '/^sipAlertAgentGroup/,/STATUS/{/sipAlertAgentVersion,/d}' "$mib" >"$bad"
must_fail "an object in no group" "$bad" "$base"
sed 's/::= { sipAlertAgent 16 }/::= { sipAlertAgent 15 }/' "$mib" >"$bad"
must_fail "two objects with one OID" "$bad" "$base"
sed 's/^    Counter64, Gauge32,/    Gauge32,/' "$mib" >"$bad"
must_fail "a type that is not imported" "$bad" "$base"
must_fail "no base modules" "$mib" ""
exit $fail
