"""Where log daemons say what they lost: a file of their own beside the log, or the log itself.

And the daemon's own lines in a log into which a log daemon writes everything.
"""
import contextlib
import os
import time

import pytest

from conftest import reply, wait_for

OFF = 'snmp { mode = "off" }\n'
CALM = OFF + 'rule "none" { codes = {"699"} minor { count = 1000000 } }\n'
OLD, ISO = "Nov 20 16:46:53 sbc01 ", "2026-11-20T16:46:53.123456+00:00 sbc01 "
LOSSES = {
    "imuxsock lost": ("rsyslogd: imuxsock lost 12 messages from pid 456 due to rate-limiting", 12),
    "imuxsock": ("rsyslogd: imuxsock[pid: 3, name: /usr/sbin/kamailio]: 7 messages lost due to rate-limiting "
                 "(200 allowed within 5 seconds)", 7),
    "imjournal": ("rsyslogd: imjournal: 1234 messages lost due to rate-limiting (20000 allowed within 600 seconds)",
                  1234),
    "tagged": ("rsyslogd-2177: imuxsock lost 3 messages from pid 456 due to rate-limiting", 3),
    "missed": ("systemd-journald[99]: Forwarding to syslog missed 41 messages.", 41),
    "suppressed": ("systemd-journald[99]: Suppressed 30 messages from kamailio.service", 30),
}
NO_LOSSES = (
    "systemd-journald[99]: Missed 5 kernel messages",
    "systemd-journald[99]: Journal started, 12 messages",
    "rsyslogd: [origin software=\"rsyslogd\" swVersion=\"8.2302.0\"] rsyslogd was HUPed",
    "rsyslogd: imuxsock begins to drop messages from pid 456 due to rate-limiting",
    "kamailio[33]: systemd-journald[99]: Suppressed 500 messages from a stranger",
    "kamailio[33]: Forwarding to syslog missed 500 messages.",
    "cron[7]: rsyslogd: imuxsock lost 500 messages from pid 456 due to rate-limiting",
    "kamailio[33]: SIP/2.0 302 Moved Temporarily",
    "",
    "\x00\xff" * 50,
)


@pytest.fixture
def watching(daemon):
    """Two sources; where the log daemons write is named for the first one."""
    daemon.watched = daemon.directory / "syslog"
    other = daemon.directory / "other.log"
    other.touch()
    daemon.configure(f'source "edge" {{ file = "{daemon.log}" format = {{"edge"}} watch = {{"{daemon.watched}"}} }}\n'
                     f'source "other" {{ file = "{other}" format = {{"edge"}} }}\n' + CALM, source=False)
    return daemon


def tell(daemon, *lines, stamp=OLD):
    with open(daemon.watched, "a", errors="surrogateescape", encoding="latin-1") as log:
        log.writelines(f"{stamp}{line}\n" for line in lines)


def told(line):
    return LOSSES[line][0]


def undercounts(daemon):
    return [alarm for alarm in daemon.status()["alarms"] if alarm["kind"] == "undercount"]


def lost(daemon, number, timeout=15):
    with contextlib.suppress(AssertionError):  # the difference says more
        wait_for(lambda: daemon.source()["undercount"] >= number, timeout)
    assert [source["undercount"] for source in daemon.status()["sources"]] == [number, 0]


@pytest.mark.parametrize("stamp", [OLD, ISO], ids=["traditional", "iso"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_in_a_watched_file(watching, name, stamp):
    """/var/log/syslog says how many of the proxy's lines were dropped: an alarm of that source, with the number."""
    watching.watched.touch()
    watching.start()
    line, number = LOSSES[name]
    tell(watching, line, stamp=stamp)
    lost(watching, number)
    alarm = wait_for(lambda: undercounts(watching), 10, "an alarm")
    assert [(a["source"], a["severity"]) for a in alarm] == [("edge", "minor")]
    assert str(number) in alarm[0]["text"] and alarm[0]["remediation"]
    tell(watching, line, line, stamp=stamp)
    lost(watching, 3 * number)
    assert len(undercounts(watching)) == 1


def test_nothing_else_of_a_watched_file_counts(watching):
    """It is no log of the proxy: a response in it, or a line of somebody else about losses, counts nowhere."""
    watching.watched.touch()
    watching.start()
    tell(watching, *NO_LOSSES)
    with open(watching.watched, "a") as log:
        log.write(reply(302) * 50 + "x" * 200000 + "\n")
    tell(watching, told("missed"))
    lost(watching, 41)
    watching.append(reply(404) * 3)
    wait_for(lambda: watching.source()["lines"] == 3, 10, "three lines")
    status = watching.status()
    assert {code: seen["responses"] for code, seen in status["codes"].items()} == {"404": 3}
    source = status["sources"][0]
    assert (source["responses"], source["unmatched"], source["oversize"], source["state"]) == (3, 0, 0, "following")
    assert len(status["alarms"]) == 1


@pytest.mark.parametrize("how", ["term", "kill"])
def test_a_loss_counts_once_over_restarts(watching, how):
    """Not what was there before the first start; what came while it was down, and each once."""
    tell(watching, told("missed"), told("suppressed"))
    watching.start()
    tell(watching, told("missed"))
    lost(watching, 41)
    expected = 41
    for _ in range(2):
        wait_for(lambda: watching.status()["saved"], 10, "a commit")
        watching.kill() if how == "kill" else watching.stop()
        tell(watching, told("suppressed"))
        watching.start()
        expected += 30
        lost(watching, expected)
        tell(watching, told("imuxsock"))
        expected += 7
        lost(watching, expected)


def test_a_watched_file_is_rotated_and_truncated(watching):
    """logrotate takes it away in between: nothing is counted twice, and the rest of the old file is read."""
    watching.watched.touch()
    watching.start()
    tell(watching, told("missed"))
    lost(watching, 41)
    tell(watching, told("imuxsock"))
    os.rename(watching.watched, f"{watching.watched}.1")
    tell(watching, told("suppressed"))
    lost(watching, 78)
    os.truncate(watching.watched, 0)
    tell(watching, told("tagged"))
    lost(watching, 81)


def test_a_watched_file_that_is_missing(watching):
    """The source is not blind for that; when the file comes it is read from its first line."""
    watching.start()
    watching.append(reply(302) * 2)
    wait_for(lambda: watching.source()["lines"] == 2, 10, "two lines")
    assert watching.source()["state"] == "following"
    tell(watching, told("missed"))
    lost(watching, 41)
    assert {alarm["kind"] for alarm in watching.status()["alarms"]} == {"undercount"}


def test_one_file_watched_by_two_sources(daemon):
    """What was lost may be of either: both say so."""
    daemon.watched = daemon.directory / "syslog"
    daemon.watched.touch()
    other = daemon.directory / "other.log"
    other.touch()
    daemon.configure("".join(f'source "{name}" {{ file = "{path}" format = {{"edge"}} watch = "{daemon.watched}" }}\n'
                             for name, path in (("edge", daemon.log), ("other", other))) + CALM, source=False)
    daemon.start()
    tell(daemon, told("missed"))
    wait_for(lambda: [s["undercount"] for s in daemon.status()["sources"]] == [41, 41], 15, "41 of both")
    wait_for(lambda: {a["source"] for a in undercounts(daemon)} == {"edge", "other"}, 10, "two alarms")


@pytest.mark.parametrize("how", ["name", "pattern", "symbolic link", "hard link"])
def test_a_watched_file_that_the_source_follows_too(daemon, how):
    """One file with everything, named twice: a loss that it tells is one loss, also when it was rotated."""
    daemon.watched = watched = daemon.log
    other = daemon.directory / "other.log"
    daemon.log.touch()
    other.touch()
    if how == "pattern":
        watched = f"{str(daemon.log)[:-1]}?"
    elif "link" in how:
        watched = daemon.directory / "link"
        (os.symlink if how == "symbolic link" else os.link)(daemon.log, watched)
    daemon.configure(f'source "edge" {{ file = "{daemon.log}" format = {{"edge"}} watch = {{"{watched}", "{other}"}} }}\n'
                     + CALM, source=False)
    daemon.start()
    tell(daemon, told("missed"))
    daemon.append(reply(302))
    wait_for(lambda: daemon.source()["undercount"] == 41, 15, "41")
    daemon.watched = other  # the other watched file is none of the log's
    tell(daemon, told("suppressed"))
    wait_for(lambda: daemon.source()["undercount"] == 71, 15, "71")
    wait_for(lambda: daemon.status()["saved"], 10, "a commit")
    daemon.kill()
    daemon.watched = daemon.log
    tell(daemon, told("imuxsock"))
    if how != "hard link":  # which keeps the old file
        os.rename(daemon.log, f"{daemon.log}.1")
    daemon.start()
    tell(daemon, told("tagged"))
    daemon.watched = other
    tell(daemon, told("imjournal"))
    daemon.append(reply(404))
    wait_for(lambda: "404" in daemon.status()["codes"], 15, "the last line")
    wait_for(lambda: daemon.source()["undercount"] >= 71 + 7 + 3 + 1234, 15, "all of them")
    begun = time.monotonic()
    wait_for(lambda: time.monotonic() - begun > 2, 10)  # the watched one is read in the same turn of the loop
    assert daemon.source()["undercount"] == 71 + 7 + 3 + 1234


@pytest.mark.parametrize("stamp", [OLD, ISO], ids=["traditional", "iso"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_in_the_followed_log_itself(daemon, name, stamp):
    """All of it in one file: journald's word about what it did not forward is understood like the others'."""
    daemon.configure(CALM)
    daemon.start()
    line, number = LOSSES[name]
    daemon.append(f"{stamp}{line}\n" + "".join(f"{stamp}{other}\n" for other in NO_LOSSES[:7]) + reply(302))
    wait_for(lambda: daemon.status()["codes"].get("302"), 10, "the last line")
    assert daemon.source()["undercount"] == number
    alarm = wait_for(lambda: undercounts(daemon), 10, "an alarm")[0]
    assert str(number) in alarm["text"]


# Our own lines

RULE = OFF + 'rule "r" { codes = {"302"} window = "60s" minor { count = 2 } }\n'
OWN = (
    'ALARM raised id=17 identity="edge1/redirects/edge" severity=major rule=redirects source=edge peer=- codes=302 '
    'value=231 threshold=200 window=60s text="SIP/2.0 302 Moved" remediation="[a@b] 302 Reason from 192.0.2.1:5060 '
    'method INVITE"',
    "[a@b] 302 Reason from 192.0.2.1:5060 method INVITE",
    "INFO: <script>: [a@b] 302 Reason from 192.0.2.1:5060 method INVITE",
    "SIP/2.0 302 Moved Temporarily",
    "follow: source edge: code=302;reason=Moved",
    "rsyslogd: imuxsock lost 12 messages from pid 456 due to rate-limiting",
)
FORMATS = {
    "xlog": ('{"edge"}', ""),
    "auto": ('{"auto"}', ""),
    "regex": ('{"re"}', "format \"re\" { regex = {'(?:codes=|\\] |SIP/2.0 )(?<code>[0-9]{3})'} }\n"),
}


def counts(daemon):
    return {code: seen["responses"] for code, seen in daemon.status()["codes"].items()}


@pytest.mark.parametrize("stamp", [OLD, ISO], ids=["traditional", "iso"])
@pytest.mark.parametrize("name", FORMATS)
def test_own_lines_in_the_followed_log_count_nothing(daemon, name, stamp):
    """rsyslog writes everything into one file, our alarms too: they are no responses, whatever they quote."""
    chosen, formats = FORMATS[name]
    daemon.configure(f'source "edge" {{ file = "{daemon.log}" format = {chosen} }}\n' + formats + RULE, source=False)
    daemon.start()
    daemon.append("".join(f"{stamp}sipalertd[123]: {line}\n" for line in OWN) * 20)
    daemon.append("".join(f"{stamp}sipalertd: {line}\n" for line in OWN) * 20)
    daemon.append(reply(486) * 3)
    wait_for(lambda: counts(daemon).get("486") == 3, 10, "what comes after them")
    status = daemon.status()
    assert counts(daemon) == {"486": 3} and status["alarms"] == []
    assert status["sources"][0]["responses"] == 3 and status["sources"][0]["undercount"] == 0


def test_an_alarm_does_not_raise_itself(daemon):
    """The real alarm, as the log daemon writes it back into the followed log: no loop."""
    formats = "format \"re\" { regex = {'(?:codes=|\\] )(?<code>[0-9]{3}) '} }\n"
    daemon.configure(f'source "edge" {{ file = "{daemon.log}" format = "re" }}\n' + formats + RULE, source=False)
    daemon.start()
    daemon.append(reply(302) * 3)
    line = wait_for(lambda: [line for line in daemon.errors().splitlines() if "ALARM raised" in line], 10)[0]
    assert "codes=302 " in line
    daemon.append((OLD + line[line.index("sipalertd["):] + "\n") * 100 + reply(486))
    wait_for(lambda: counts(daemon).get("486") == 1, 10, "what comes after it")
    assert counts(daemon) == {"302": 3, "486": 1}
    assert len(daemon.status()["alarms"]) == 1
