"""What an alarm, a notification and a window are after a restart."""
import datetime
import os

import pytest

from conftest import ROOT, Trapd, free_port, reply, wait_for

RULE = ('rule "r" { codes = {"302"} window = "5s" minor { count = 5 } clear_for = "1s" }\n'
        'snmp { mode = "off" }\n')


def receiver(port):
    return f'notify "noc" {{ address = "udp:127.0.0.1:{port}" community = "public" type = "inform" }}\n'


def fresh(code):
    """A line that was written now, as far as it says itself."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return reply(code).replace("Nov 20 16:46:53", now.strftime("%b %e %H:%M:%S"))


def value(notification, column):
    return next(v for oid, v in notification if oid.startswith(f"{ROOT}.1.7.1.{column}."))


def restart(daemon, how):
    wait_for(lambda: daemon.status()["saved"], 10, "a commit")
    daemon.kill() if how == "kill" else daemon.stop()
    return daemon.start(env={"TZ": "UTC"})


@pytest.mark.parametrize("how", ["term", "kill"])
def test_restart_while_firing(daemon, trapd, how):
    """No second raise; one clear, with the same identity, when it is over."""
    daemon.configure(RULE + receiver(trapd.port))
    daemon.start(env={"TZ": "UTC"})
    daemon.append(reply(302) * 20)
    raised = trapd.wait(1, 1)[0]
    before = wait_for(lambda: daemon.status()["alarms"], 10)[0]
    restart(daemon, how)
    after = daemon.status()["alarms"]
    assert [(a["id"], a["identity"], a["raised"]) for a in after] == [(before["id"], before["identity"], before["raised"])]
    cleared = trapd.wait(1, 2, timeout=30)[0]
    assert value(cleared, 2) == value(raised, 2)
    assert len(trapd.notifications(1)) == 1 and len(trapd.notifications(2)) == 1
    assert daemon.status()["alarms"] == []


@pytest.mark.parametrize("how", ["term", "kill"])
def test_a_notification_waits_for_its_receiver_over_a_restart(daemon, tmp_path, how):
    port = free_port()
    daemon.configure(RULE.replace('"1s"', '"1h"') + receiver(port))
    daemon.start()
    daemon.append(reply(302) * 20)
    wait_for(lambda: daemon.status()["alarms"], 10)
    restart(daemon, how)
    trapd = Trapd(tmp_path, port)
    try:
        assert len(trapd.wait(1, 1, timeout=60)) == 1
        wait_for(lambda: daemon.status()["notifications"]["queued"] == 0, 30)
    finally:
        trapd.stop()


def test_a_rule_that_left_meanwhile_is_cleared(daemon, trapd):
    daemon.configure(RULE.replace('"1s"', '"1h"') + receiver(trapd.port))
    daemon.start()
    daemon.append(reply(302) * 20)
    trapd.wait(1, 1)
    wait_for(lambda: daemon.status()["saved"], 10)
    daemon.stop()
    daemon.configure(RULE.replace('"r"', '"other"').replace("302", "404") + receiver(trapd.port))
    daemon.start()
    trapd.wait(1, 2)
    assert daemon.status()["alarms"] == []


@pytest.mark.parametrize("line,alarms", [(fresh, 1), (reply, 0)], ids=["fresh", "late"])
def test_what_was_written_meanwhile_alarms_if_it_is_fresh(daemon, line, alarms):
    daemon.configure(RULE.replace('"5s"', '"10m"'))
    daemon.start(env={"TZ": "UTC"})
    wait_for(lambda: daemon.status()["saved"], 10)
    daemon.stop()
    daemon.append(line(302) * 20)
    daemon.start(env={"TZ": "UTC"})
    status = daemon.wait_lines(20)
    if alarms:
        wait_for(lambda: daemon.status()["alarms"], 10)
    assert daemon.source()["responses"] == 20
    assert len(daemon.status()["alarms"]) == alarms
    daemon.append(reply(302) * 20)  # what comes while it looks is now, whatever its clock says
    wait_for(lambda: daemon.status()["alarms"], 10)
    assert status["sources"][0]["state"] == "following"


def test_windows_go_on(daemon):
    """Three before and two after make five in the window."""
    daemon.configure(RULE.replace('"5s"', '"10m"'))
    daemon.start()
    daemon.append(reply(302) * 3)
    daemon.wait_lines(3)
    restart(daemon, "kill")
    daemon.append(reply(302))
    daemon.wait_lines(4)
    assert daemon.status()["alarms"] == []
    daemon.append(reply(302))
    wait_for(lambda: daemon.status()["alarms"], 10)


def test_counters_since(daemon):
    daemon.configure(RULE)
    daemon.start()
    daemon.append(reply(302) * 3)
    daemon.wait_lines(3)
    since = daemon.status()["since"]
    restart(daemon, "kill")
    assert daemon.status()["since"] == since and daemon.status()["codes"]["302"]["responses"] == 3
    daemon.stop()
    for name in os.listdir(daemon.directory / "state"):
        (daemon.directory / "state" / name).write_bytes(b"garbage" * 1000)
    daemon.start()
    assert daemon.status()["since"] > since and daemon.status()["codes"] == {}


def test_state_directory_removed_while_running(daemon):
    """rm -rf of the state: it is made again, and a restart goes on."""
    daemon.configure(RULE)
    daemon.start()
    daemon.append(reply(404) * 3)
    daemon.wait_lines(3)
    wait_for(lambda: daemon.status()["saved"], 10)
    for name in os.listdir(daemon.directory / "state"):
        (daemon.directory / "state" / name).unlink()
    (daemon.directory / "state").rmdir()
    daemon.append(reply(404) * 3)
    daemon.wait_lines(6)
    wait_for(lambda: daemon.status()["saved"] and (daemon.directory / "state" / "state.db").exists(), 20)
    daemon.kill()
    daemon.start()
    daemon.append(reply(404))
    daemon.wait_lines(7)
