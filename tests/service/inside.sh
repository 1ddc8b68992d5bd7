#!/bin/bash
# Runs inside the booted container: the service as an operator meets it.
set -eu

fail() {
    echo "FAILED: $*"
    journalctl --no-pager -u sipalertd -n 40
    journalctl --no-pager -u snmpd -n 10
    ls -la /var/agentx
    snmpget -v2c -c public 127.0.0.1 .1.3.6.1.4.1.8072.9999.9999.5060.1.3.1.3.302 2>&1 | tail -3
    exit 1
}

# Waits for a condition, but no longer than 30 s.
await() {
    local what=$1
    shift
    for _ in $(seq 300); do
        if "$@" >/dev/null 2>&1; then
            echo "ok: $what"
            return
        fi
        sleep 0.1
    done
    fail "$what"
}

responses_are() { sipalert status --json | grep -q "^   \"responses\": $1,"; }
pid() { systemctl show -P MainPID sipalertd; }
restarted() { [ "$(pid)" != "$1" ] && [ "$(pid)" != 0 ] && systemctl is-active -q sipalertd; }
walk_shows() { snmpget -v2c -c public -Oqv 127.0.0.1 "$1" | grep -qx "$2"; }
in_journal() { journalctl --no-pager -t sipalertd | grep -q "$1"; }

touch /var/log/kamailio.log
chown root:adm /var/log/kamailio.log
chmod 640 /var/log/kamailio.log
sed -i 's/format     = {"auto"}/format     = {"kamailio-xlog"}/' /etc/sipalert/sipalertd.conf

systemctl restart snmpd
systemctl start sipalertd || fail "start"
echo "ok: started, so READY=1 came"
[ "$(stat -c %U /proc/"$(pid)")" = sipalert ] || fail "runs as sipalert"

cat /corpus.log >>/var/log/kamailio.log
await "the log of the group adm is counted" responses_are 638
await "counts come through snmpd's view and AgentX socket" walk_shows .1.3.6.1.4.1.8072.9999.9999.5060.1.3.1.3.302 27
await "the alarm is in the journal" in_journal 'ALARM raised id=1 identity=.*redirects'
await "STATUS= shows the link" sh -c 'systemctl show -P StatusText sipalertd | grep -q "agentx connected"'

sipalert test-notify | grep -q 'SNMP has taken it; syslog has it' || fail "test-notify"
echo "ok: a test notification is taken by snmpd"
[ "$(stat -c '%a %U %G' /etc/sipalert/sipalertd.conf)" = "640 root sipalert" ] || fail "the configuration is not for all"
[ "$(stat -c '%a %U' /var/lib/sipalert)" = "700 sipalert" ] || fail "the state is for the daemon alone"
[ "$(stat -c '%a %G' /var/agentx/master)" = "660 sipalert-agentx" ] || fail "the master is for its group"
[ "$(stat -c '%a %G' /run/sipalert/control.sock)" = "660 sipalert" ] || fail "the control socket is for the group"
echo "ok: who may do what"
runuser -u nobody -- sipalert status 2>&1 | grep -q "daemon's group" || fail "nobody may look"
runuser -u sipalert -- sipalert alarms | grep -q redirects || fail "the daemon's user may not look"

printf 'rule "r" { codes = {"486"} minor { count = 1 } }\n' >>/etc/sipalert/sipalertd.conf
systemctl reload sipalertd || fail "reload"
await "reload applies rules" in_journal '3 rules are in force'
echo 'nonsense = 1' >>/etc/sipalert/sipalertd.conf
systemctl reload sipalertd || fail "reload of a broken file"
await "a broken file is refused" in_journal 'keeping the configuration in force'
sed -i '$d' /etc/sipalert/sipalertd.conf

old=$(pid)
kill -KILL "$old"
await "restarted after a crash" restarted "$old"
await "counts outlive a crash" responses_are 638
cat /corpus.log >>/var/log/kamailio.log
await "and go on" responses_are 1276

mkdir -p /run/systemd/system/sipalertd.service.d
printf '[Service]\nWatchdogSec=3\n' >/run/systemd/system/sipalertd.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart sipalertd
old=$(pid)
kill -STOP "$old"
await "restarted by the watchdog" restarted "$old"
old=$(pid)
killall -STOP snmpd 2>/dev/null || kill -STOP "$(systemctl show -P MainPID snmpd)"
for _ in $(seq 80); do # longer than the watchdog waits
    [ "$(pid)" = "$old" ] || fail "a hung snmpd ended the daemon"
    sleep 0.1
done
echo "ok: a hung snmpd does not stop the watchdog messages"

killall -CONT snmpd 2>/dev/null || kill -CONT "$(systemctl show -P MainPID snmpd)"
cat >>/etc/sipalert/sipalertd.conf <<'END'
source "journal" { journal = {"SYSLOG_IDENTIFIER=proxy"} format = {"kamailio-xlog"} }
END
sed -i 's/^# language .*/language = "ru"/' /etc/sipalert/sipalertd.conf
systemctl restart sipalertd
for i in $(seq 7); do logger -t proxy "INFO: <script>: [$i@x] 430 Flow Failed from 192.0.2.9:5060 method INVITE"; done
await "journald is a source" responses_are 7
await "counts outlive a restart" responses_are 1276
await "the remediation is in Russian" in_journal $'codes=430 .*remediation=".*\xd0'
LANG=vi_VN.UTF-8 sipalert explain 302 | grep -q 'Chuyển' || fail "the tool in Vietnamese, as installed"
echo "ok: the tool in Vietnamese, as installed"

begun=$(date +%s)
systemctl stop sipalertd
[ $(($(date +%s) - begun)) -le 3 ] || fail "stops within 3 s"
[ "$(systemctl show -P Result sipalertd)" = success ] || fail "stops cleanly"
echo "ok: stopped within 3 s beside a hung snmpd"
