"""Who may do what: the state is the daemon's alone, its lock too, and a FIFO's lines are for the daemon."""
import os
import pathlib
import socket
import stat
import subprocess
import sys

import pytest

from conftest import BUILD, needs_root, reply, wait_for
from torture import NOBODY, nobody  # noqa: F401

OFF = 'snmp { mode = "off" }\n'
VIEWERS = 65533  # a group that may look at the daemon
STRANGER = 65532


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def as_user(uid, gid, code, *arguments):
    """Runs Python as somebody else; what it printed."""
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True,
                          timeout=20, user=uid, group=gid, extra_groups=[])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


TRY = """import sys
try:
    open(sys.argv[1], sys.argv[2]).close()
    print("opened")
except OSError as error:
    print(type(error).__name__)
"""


def test_the_state_is_for_the_daemon_alone(open_daemon):
    """Directory 0700, each file 0600, whatever the umask it was started with; the control socket is the group's."""
    daemon = open_daemon
    daemon.configure(OFF)
    before = os.umask(0)
    try:
        daemon.start()
    finally:
        os.umask(before)
    daemon.append(reply(302))
    daemon.wait_lines(1)
    wait_for(lambda: daemon.status()["saved"], what="a commit")
    state = daemon.directory / "state"
    assert mode(state) == 0o700
    assert {path.name: oct(mode(path)) for path in state.iterdir()} == {path.name: "0o600" for path in state.iterdir()}
    assert {"lock", "state.db"} <= {path.name for path in state.iterdir()}
    assert mode(daemon.directory / "control.sock") == 0o660
    assert "open to others" not in daemon.errors()


def test_a_control_directory_that_the_daemon_makes_is_for_its_group(daemon):
    daemon.configure(OFF)
    run = daemon.directory / "run"
    daemon.config.write_text(daemon.config.read_text().replace("control.sock", "run/control.sock"))
    daemon.start()
    assert mode(run) == 0o750 and mode(run / "control.sock") == 0o660


@needs_root
def test_nobody_else_can_hold_the_lock(open_daemon):
    """A viewer in the daemon's group reads nothing of the state and cannot keep the daemon from starting."""
    daemon = open_daemon
    daemon.configure(OFF)
    daemon.start()
    daemon.stop()
    state = daemon.directory / "state"
    for name in ("lock", "state.db"):
        for how in ("r", "r+"):
            assert as_user(STRANGER, os.getegid(), TRY, state / name, how) == "PermissionError"
    daemon.start()


@needs_root
def test_a_state_directory_of_an_earlier_version_is_closed(open_daemon):
    """It was 0750 with a lock of 0640: closed at the start, said once, and nothing is lost."""
    daemon = open_daemon
    daemon.configure(OFF)
    daemon.start()
    daemon.append(reply(302) * 3)
    daemon.wait_lines(3)
    daemon.stop()
    state = daemon.directory / "state"
    state.chmod(0o750)
    for path in state.iterdir():
        path.chmod(0o640)
    daemon.start()
    assert daemon.errors().count("was open to others (mode 0750) and is closed to them now") == 1
    assert mode(state) == 0o700 and mode(state / "lock") == 0o600
    assert as_user(STRANGER, os.getegid(), TRY, state / "state.db", "r") == "PermissionError"
    assert daemon.source()["responses"] == 3
    daemon.stop()
    daemon.start()
    assert daemon.errors().count("open to others") == 1


@needs_root
def test_a_state_directory_of_somebody_else_is_not_changed(open_daemon):
    """It is another user's to close; the daemon says so and works."""
    daemon = open_daemon
    daemon.configure(OFF)
    state = daemon.directory / "state"
    state.mkdir()
    state.chmod(0o755)
    os.chown(state, STRANGER, STRANGER)
    daemon.start()
    assert mode(state) == 0o755
    assert "open to others (mode 0755) and is not ours to close" in daemon.errors()
    assert {path.name: oct(mode(path)) for path in state.iterdir()} == {path.name: "0o600" for path in state.iterdir()}


def test_a_second_daemon_is_still_refused(daemon):
    daemon.configure(OFF)
    daemon.start()
    second = daemon.directory / "second.conf"
    second.write_text(daemon.config.read_text().replace("control.sock", "second.sock"))
    done = subprocess.run([BUILD / "sipalertd", "-c", second], capture_output=True, text=True, timeout=10)
    assert done.returncode == 1 and "another daemon uses" in done.stderr


def piped(nobody, path):
    nobody.configure(OFF + f'source "pipe" {{ fifo = "{path}" format = {{"edge"}} }}\n', source=False)
    return nobody.start()


def pipe_source(daemon):
    return daemon.status()["sources"][0]


def test_a_fifo_that_is_missing_is_made_for_the_daemon_alone(nobody):
    path = nobody.directory / "pipe"
    piped(nobody, path)
    wait_for(path.exists, what="the FIFO")
    assert mode(path) == 0o600


WRITE = """import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
os.write(fd, sys.argv[2].encode())
"""


@needs_root
def test_the_group_of_a_fifo_writes_and_takes_nothing(nobody):
    """As documented: it belongs to the daemon's user and the proxy's group, 0620."""
    path = nobody.directory / "pipe"
    os.mkfifo(path)
    os.chown(path, NOBODY, VIEWERS)
    path.chmod(0o620)
    piped(nobody, path)
    wait_for(lambda: pipe_source(nobody)["state"] == "following", what="the FIFO is open")
    as_user(STRANGER, VIEWERS, WRITE, path, reply(302))
    wait_for(lambda: pipe_source(nobody)["responses"] == 1, what="its line")
    assert as_user(STRANGER, VIEWERS, TRY, path, "rb") == "PermissionError"
    assert as_user(STRANGER, STRANGER, TRY, path, "wb") == "PermissionError"
    assert "others may read" not in nobody.errors()


@needs_root
def test_a_fifo_that_others_read_is_told(nobody):
    path = nobody.directory / "pipe"
    os.mkfifo(path)
    os.chown(path, NOBODY, VIEWERS)
    path.chmod(0o660)
    piped(nobody, path)
    wait_for(lambda: "others may read from the FIFO" in nobody.errors(), what="a line in the log")


@needs_root
@pytest.mark.parametrize("owner, bits", [(0, 0o620), (0, 0o640), (0, 0o622)])
def test_a_fifo_of_root_is_no_use(nobody, owner, bits):
    """The daemon reads it and holds it open for writing, so that its last writer's going is not the end."""
    path = nobody.directory / "pipe"
    os.mkfifo(path)
    os.chown(path, owner, VIEWERS)
    path.chmod(bits)
    piped(nobody, path)
    wait_for(lambda: pipe_source(nobody)["state"] in ("failed", "denied"), what="a state")
    shown = nobody.tool("status").stdout
    assert "it may not be read and written" in shown, shown


def test_a_unix_listener_is_open_to_writers(daemon):
    """As /dev/log: whoever logs may write to it, at once and whatever the umask."""
    path = daemon.directory / "log.sock"
    daemon.configure(OFF + f'source "wire" {{ syslog = "unix:{path}" format = {{"edge"}} }}\n', source=False)
    daemon.start()
    wait_for(path.exists, what="the socket")
    assert mode(path) == 0o666
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.sendto(f"<134>{reply(302)}".encode(), str(path))
    wait_for(lambda: daemon.status()["sources"][0]["responses"] == 1, what="its line")


UNITS = pathlib.Path(__file__).resolve().parents[2] / "systemd"


def test_the_unit_says_the_same():
    unit = (UNITS / "sipalertd.service").read_text()
    assert "\nUMask=0077\n" in unit and "\nStateDirectoryMode=0700\n" in unit and "\nRuntimeDirectoryMode=0750\n" in unit


def test_the_master_is_for_a_group_of_its_own():
    """Who may look need not be able to register with snmpd."""
    snippet = (UNITS.parent / "conf" / "snmpd.d" / "sipalert.conf").read_text()
    users = (UNITS / "sipalert.sysusers").read_text()
    assert "\nagentXPerms 0660 0755 Debian-snmp sipalert-agentx\n" in snippet
    assert "\ng sipalert-agentx -\nm sipalert sipalert-agentx\n" in users


SECRET = 'notify "noc" { address = "udp:127.0.0.1:9" community = "s3cret" }\n'


def check(daemon, option):
    return subprocess.run([BUILD / "sipalertd", "-c", daemon.config, option], capture_output=True, text=True,
                          timeout=10)


def test_the_configuration_is_printed_without_communities(daemon):
    daemon.configure(OFF + SECRET)
    done = check(daemon, "-T")
    assert done.returncode == 0 and '  community = "********"\n' in done.stdout
    assert "s3cret" not in done.stdout + done.stderr
    secret = daemon.directory / "noc.community"
    secret.write_text("t0psecret\n")
    daemon.configure(OFF + SECRET.replace('community = "s3cret"', f'community_file = "{secret}"'))
    done = check(daemon, "-T")
    assert done.returncode == 0 and f'  community_file = "{secret}"\n' in done.stdout
    assert "t0psecret" not in done.stdout + done.stderr and "  community = " not in done.stdout


def test_a_community_that_everybody_may_read_is_warned_of(daemon):
    """The check says so and passes: it works."""
    daemon.configure(OFF + SECRET)
    daemon.config.chmod(0o644)
    done = check(daemon, "-t")
    assert done.returncode == 0 and done.stdout == "configuration ok\n"
    assert "warning: notify \"noc\": everybody may read the community here" in done.stderr
    daemon.config.chmod(0o640)
    assert check(daemon, "-t").stderr == ""
