"""Alarms through syslog(3), with a log daemon of the test's own behind /dev/log (in a private mount namespace)."""
import os
import re
import shutil
import socket
import subprocess

import pytest

from conftest import BUILD, needs_root, reply, wait_for

pytestmark = [needs_root, pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")]

RULES = """snmp { mode = "off" }
rule "flow" { codes = {"430"} window = "1s" min_total = 1 minor { count = 5 } major { count = 20 } clear_for = "0s" }
syslog { facility = "local3" }
"""


@pytest.fixture
def syslog(tmp_path):
    """A datagram socket that becomes /dev/log of the daemon."""
    (tmp_path / "dev").mkdir()
    os.mknod(tmp_path / "dev" / "null", 0o666 | 0o020000, os.makedev(1, 3))
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(str(tmp_path / "dev" / "log"))
    server.settimeout(10)
    yield server
    server.close()


def start(daemon):
    if subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0:
        pytest.skip("mount namespaces are not permitted here")
    with open(daemon.stderr, "ab") as err:
        daemon.process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", f"mount --bind {daemon.directory}/dev /dev && exec {BUILD}/sipalertd -c "
             f"{daemon.config}"], stderr=err, stdin=subprocess.DEVNULL)
    wait_for(lambda: daemon.status(check=False) or daemon.process.poll() is not None)
    assert daemon.process.poll() is None, daemon.errors()


def receive(syslog, what):
    while True:
        text = syslog.recv(8192).decode()
        if what in text:
            return text


def test_priorities_and_form(daemon, syslog):
    daemon.configure(RULES)
    start(daemon)
    daemon.append(reply(430) * 6)
    local3 = 19 * 8
    raised = receive(syslog, "ALARM raised")
    assert raised.startswith(f"<{local3 + 3}>")  # minor: error (RFC 5674)
    assert re.search(r"sipalertd\[\d+\]: ALARM raised id=1 identity=\"edge1/flow/edge\" severity=minor rule=flow", raised)
    cleared = receive(syslog, "ALARM cleared")
    assert cleared.startswith(f"<{local3 + 5}>")  # cleared: notice
    daemon.append(reply(430) * 30)
    assert receive(syslog, "ALARM raised").startswith(f"<{local3 + 2}>")  # major: critical


def test_own_lines_go_where_syslog_listens(daemon, syslog):
    daemon.configure(RULES)
    daemon.config.write_text(daemon.config.read_text().replace('log = "stderr"', 'log = "auto"'))
    start(daemon)
    assert "runs" in receive(syslog, "main: sipalertd")


def test_stalled_log_daemon_stalls_nothing(daemon, syslog):
    """Nobody reads /dev/log: after a few lines syslog(3) blocks.  Counting and answering go on, SIGTERM ends it."""
    daemon.configure(RULES)
    start(daemon)
    for i in range(12):  # each round is a raise and a clear, and the socket holds some ten datagrams
        daemon.append(reply(430) * 6)
        wait_for(lambda: len(daemon.status()["alarms"]) == 1, what="the raise")
        wait_for(lambda: not daemon.status()["alarms"], what="the clear")
    daemon.append(reply(486) * 1000)
    daemon.wait_lines(12 * 6 + 1000)
    assert daemon.stop(deadline=3) < 3
