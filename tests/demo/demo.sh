#!/bin/sh
# The main job on a small scale: sipalertd with its own SNMP agent on loopback follows a real Kamailio log as it
# grows, raises an alarm on a redirect storm and clears it.  Needs no running snmpd; leaves nothing behind.
set -eu

build=$(cd "${1:-build}" && pwd)
source=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
daemon= trapd=

finish() {
    for pid in $daemon $trapd; do
        kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || :
    done
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

# Waits until the file holds the text, but no longer than 30 s.
await() {
    tries=0
    until grep -q "$2" "$1" 2>/dev/null; do
        tries=$((tries + 1))
        if [ $tries -gt 300 ]; then
            echo "demo: \"$2\" did not appear in $1" >&2
            cat "$dir/daemon.err" >&2
            exit 1
        fi
        sleep 0.1
    done
}

free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Names instead of numbers where the base modules are installed (Debian has them in erlang-snmp).
export MIBS= MIBDIRS= SNMP_PERSISTENT_DIR="$dir/snmp" SNMPCONFPATH="$dir"
for base in /usr/lib/erlang/lib/snmp-*/mibs; do
    [ -d "$base" ] && MIBS=SNMPv2-MIB:SIPALERT-MIB MIBDIRS="$base:$source/mibs"
done

agent_port=$(free_port)
trap_port=$(free_port)
: >"$dir/kamailio.log"
echo 'rocommunity public 127.0.0.1' >"$dir/access.conf"
echo 'authCommunity log public' >"$dir/trapd.conf"
cat >"$dir/sipalertd.conf" <<EOF
node      = "demo"
state_dir = "$dir/state"
control   = "$dir/control.sock"
log       = "stderr"
source "edge" { file = "$dir/kamailio.log"  format = {"edge"} }
format "edge" {
  xlog      = {"[\$ci] \$rs \$rr from \$si:\$sp method \$rm"}
  xlog_sent = {"[\$ci] replying \$rs \$rr to \$si:\$sp method \$rm"}
}
rule "redirects" {            # as built in, with a short window so that the demo is short
  codes = {"300-302", "305", "380"}  window = "3s"  min_total = 40
  minor { count = 10 ratio = "10%" }  clear_for = "2s"
}
snmp { mode = "standalone"  listen = {"udp:127.0.0.1:$agent_port"}  access = "$dir/access.conf" }
notify "demo" { address = "udp:127.0.0.1:$trap_port" }
EOF

say "Configuration"
"$build/sipalertd" -t -c "$dir/sipalertd.conf"

snmptrapd -f -Lf "$dir/trapd.log" -F 'Notification from %B:\n  %V\n  %v\n' -C -c "$dir/trapd.conf" -OQ "udp:127.0.0.1:$trap_port" 2>/dev/null &
trapd=$!
await "$dir/trapd.log" NET-SNMP
"$build/sipalertd" -c "$dir/sipalertd.conf" 2>"$dir/daemon.err" &
daemon=$!
await "$dir/daemon.err" runs:

say "A Kamailio log grows (a capture beside it says what it should count)"
awk -v out="$dir/kamailio.log" '{ print >>out } NR % 50 == 0 { fflush(out); system("sleep 0.1") }' \
    "$source/tests/corpora/kamailio-xlog-traditional/kamailio.log"
await "$dir/daemon.err" 'ALARM raised'
await "$dir/trapd.log" sipAlertThresholdRaised\\\|5060.0.1

say "The alarm, as 'sipalert status' shows it"
"$build/sipalert" -c "$dir/sipalertd.conf" status

lines=$(wc -l <"$dir/kamailio.log")
until snmpget -v2c -c public -OQ "127.0.0.1:$agent_port" .1.3.6.1.4.1.8072.9999.9999.5060.1.1.5.0 | grep -q " = $lines"; do
    sleep 0.1
done

say "The MIB: agent, source, and the codes that were seen"
snmpwalk -v2c -c public -OQ "127.0.0.1:$agent_port" .1.3.6.1.4.1.8072.9999.9999.5060.1.1
snmpwalk -v2c -c public -OQ "127.0.0.1:$agent_port" .1.3.6.1.4.1.8072.9999.9999.5060.1.2
snmpwalk -v2c -c public -OQ "127.0.0.1:$agent_port" .1.3.6.1.4.1.8072.9999.9999.5060.1.3.1.3 | grep -v ' = 0\>'

await "$dir/daemon.err" 'ALARM cleared'
await "$dir/trapd.log" sipAlertThresholdCleared\\\|5060.0.2

say "The notifications that the receiver got: raise, with what to do about it, and clear"
sed -n '/^Notification/,$p' "$dir/trapd.log"

say "The same in syslog (here on standard error)"
grep ALARM "$dir/daemon.err"

say "What does 302 mean?"
"$build/sipalert" explain 302
