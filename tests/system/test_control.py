"""The control socket: looking and acting, other users, hostile and slow clients; and what the tool makes of it."""
import json
import os
import socket
import subprocess

import pytest
from conftest import BUILD, ROOT, needs_root, needs_snmpd, reply, wait_for

RULES = 'rule "r" { codes = {"302"} minor { count = 1 } }\n'
OFF = 'snmp { mode = "off" }\n'


def connect(daemon, timeout=10):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(timeout)

    def connected():
        try:
            client.connect(str(daemon.directory / "control.sock"))
        except BlockingIOError:  # more are waiting than the kernel queues
            return False
        return True

    wait_for(connected)
    return client


def ask(client, line):
    client.sendall(line if isinstance(line, bytes) else line.encode())
    answer = b""
    while not answer.endswith(b"\n"):
        part = client.recv(65536)
        assert part, answer
        answer += part
    return json.loads(answer)


def call(command):
    return json.dumps({"sipalert": 1, "command": command}) + "\n"


def test_protocol(daemon):
    daemon.configure(OFF)
    daemon.start()
    client = connect(daemon)
    answer = ask(client, call("status"))
    assert answer["sipalert"] == 1 and answer["ok"] is True and answer["result"]["node"] == "edge1"
    for line, error in [('{"sipalert":2,"command":"status"}\n', "version 1"), ("nonsense\n", "not a request"),
                        ('{"sipalert":1,"command":"dance"}\n', "unknown"), (b"\xff\xfe\0\n", "not a request"),
                        ("[" * 3000 + "\n", "not a request")]:
        answer = ask(client, line)
        assert answer["ok"] is False and error in answer["error"], line
    both = call("status") + call("nonsense")
    client.sendall(both.encode())  # one at a time, in order
    got = b""
    while got.count(b"\n") < 2:
        got += client.recv(65536)
    assert [json.loads(line)["ok"] for line in got.splitlines()] == [True, False]
    assert os.stat(daemon.directory / "control.sock").st_mode & 0o777 == 0o660
    daemon.stop()


def test_reload(daemon):
    daemon.configure(OFF + RULES)
    daemon.start()
    assert daemon.tool("reload").stdout == "1 rules are in force\n"
    daemon.configure(OFF + RULES + RULES.replace('"r"', '"s"'))
    assert daemon.tool("reload").stdout == "2 rules are in force\n"
    daemon.configure(OFF + RULES + "nonsense = 1\n")
    done = daemon.tool("--socket", str(daemon.directory / "control.sock"), "reload", check=False)
    assert done.returncode == 1 and "nonsense" in done.stderr and "keeping the configuration" in done.stderr
    daemon.configure(OFF + RULES + 'language = "ru"\n')
    done = daemon.tool("reload", check=False)
    assert done.returncode == 1 and "restart sipalertd" in done.stderr
    wait_for(lambda: "reload, asked for by uid" in daemon.errors())  # a thread of its own writes the log
    daemon.stop()


@needs_snmpd
def test_test_notify(daemon, snmpd, trapd):
    """It arrives as notification 7 with all 17 objects, goes to syslog, and is no alarm."""
    snmpd.start()
    daemon.configure(f'snmp {{ master = "{snmpd.socket}" }}\n')
    daemon.start()
    wait_for(lambda: daemon.status()["snmp"]["connected"])
    done = daemon.tool("test-notify")
    assert done.stdout == "test notification 1: SNMP has taken it; syslog has it\n"
    notification = trapd.wait(1, wanted=7)[0]
    assert len(notification) == 2 + 17
    values = dict(notification)
    assert values[f"{ROOT}.1.1.15.0"].endswith(" 1")
    assert any('"edge1/test"' in value for value in values.values())
    wait_for(lambda: "ALARM test id=1" in daemon.errors())
    status = daemon.status()
    assert status["alarms"] == [] and status["notifications"]["sent"] == 1
    daemon.stop()


def test_test_notify_without_receiver(daemon):
    daemon.configure(OFF + "syslog { enabled = false }\n")
    daemon.start()
    done = daemon.tool("test-notify", check=False)
    assert done.returncode == 1 and "no receiver" in done.stderr
    daemon.stop()


def as_member(daemon, program, *words):
    """Runs a program as another user, as if in the socket's group; sys.argv[1] is the socket."""
    os.chmod(daemon.directory / "control.sock", 0o666)
    done = subprocess.run(["/usr/bin/python3", "-c", program, daemon.directory / "control.sock", *words], user=65534,
                          group=65534, extra_groups=[], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


ask_one = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode())
print(s.makefile().readline(), end="")
"""

# As many connections as one can get; prints how many are left when the last was answered.
crowd = """
import select, socket, sys
held = []
for i in range(100):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])  # waits while more are waiting than the kernel queues
    s.settimeout(10)
    held.append(s)
held[-1].sendall(sys.argv[2].encode())
answer = held[-1].makefile().readline()
assert '"ok":true' in answer, answer
gone = select.select(held[:-1], [], [], 0)[0]
print(len(held) - len(gone))
"""

refused = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect(sys.argv[1])
lines = s.makefile()
for i in range(3000):
    s.sendall(sys.argv[2].encode())
    assert "only root" in lines.readline()
"""


@needs_root
def test_a_member_takes_no_place_of_root(open_daemon):
    """One user holds so many connections and no more, and root's stay open and are answered meanwhile."""
    daemon = open_daemon
    daemon.configure(OFF)
    daemon.start()
    ours = connect(daemon)
    assert ask(ours, call("status"))["ok"] is True
    assert int(as_member(daemon, crowd, call("status"))) == 8
    assert ask(ours, call("status"))["ok"] is True
    assert daemon.status()["node"] == "edge1"
    daemon.stop()


@needs_root
def test_refusals_do_not_fill_the_log(open_daemon):
    """Whatever one user asks for in vain within a minute is one line, and others are told apart from it."""
    daemon = open_daemon
    daemon.configure(OFF + RULES)
    daemon.start()
    as_member(daemon, refused, call("reload"))
    daemon.tool("reload")
    wait_for(lambda: "reload, asked for by uid 0" in daemon.errors())  # it is written behind the others
    daemon.stop()
    assert daemon.errors().count("refused to uid 65534") == 1
    assert "more lines like this" not in daemon.errors() and "lines were not written" not in daemon.errors()


@needs_root
def test_others_may_look_but_not_act(open_daemon):
    daemon = open_daemon
    daemon.configure(OFF + RULES)
    daemon.start()
    assert json.loads(as_member(daemon, ask_one, call("status")))["ok"] is True
    for command in ("reload", "test-notify"):
        answer = json.loads(as_member(daemon, ask_one, call(command)))
        assert answer["ok"] is False and "only root" in answer["error"]
    wait_for(lambda: "reload refused to uid 65534" in daemon.errors())
    assert "rules are in force" not in daemon.errors()
    daemon.stop()


def test_clients_that_never_read(daemon):
    """They cost their own connection: others are answered, nothing grows, the log is read on."""
    daemon.configure(OFF + RULES)
    daemon.start()
    before = daemon.rss_kib()
    deaf = []
    for _ in range(40):
        client = connect(daemon)
        client.setblocking(False)
        try:
            for _ in range(2000):
                client.send(call("status").encode() * 20)
        except (BlockingIOError, ConnectionError):
            pass
        deaf.append(client)
    daemon.append(reply(302) * 10)
    daemon.wait_lines(10)
    assert wait_for(lambda: daemon.status()["alarms"])
    if not os.environ.get("SIPALERT_SANITIZE"):  # which keeps what was freed
        assert daemon.rss_kib() < before + 8192
    for client in deaf:
        client.close()
    daemon.stop()


def test_slow_and_hostile_clients(daemon):
    daemon.configure(OFF)
    daemon.start()
    slow = connect(daemon)
    for byte in call("status")[:-1].encode():
        slow.send(bytes([byte]))
    endless = connect(daemon)
    with pytest.raises(ConnectionError):  # no request is that long: it is cut off
        for _ in range(10000):
            endless.send(b"x" * 4096)
    gone = connect(daemon)
    gone.send(call("status").encode())
    gone.close()
    assert ask(slow, "\n")["ok"] is True
    crowd = [connect(daemon) for _ in range(60)]  # more than there is room for: the oldest give way
    assert ask(crowd[-1], call("status"))["ok"] is True
    assert daemon.status()["node"] == "edge1"
    for client in crowd:
        client.close()
    daemon.stop()


def test_a_broken_configuration_does_not_hide_the_daemon(daemon):
    """Somebody has just edited it: the default socket is asked, and --socket needs no configuration."""
    daemon.configure(OFF)
    daemon.start()
    broken = daemon.directory / "broken.conf"
    broken.write_text("x {\n")
    done = subprocess.run([BUILD / "sipalert", "-c", broken, "status"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "never closed" in done.stderr and "name it with --socket" in done.stderr
    assert "cannot reach the daemon at /run/sipalert/control.sock" in done.stderr
    done = daemon.tool("-c", str(broken), "--socket", str(daemon.directory / "control.sock"), "status")
    assert "edge1" in done.stdout and done.stderr == ""
    assert "sipalert alarms: " in daemon.tool("--socket", "/nonexistent", "alarms", check=False).stderr
    daemon.stop()


def test_advice_without_daemon(daemon):
    daemon.configure(OFF)
    done = daemon.tool("alarms", check=False)
    assert done.returncode == 1 and "Is sipalertd running?" in done.stderr and "control.sock" in done.stderr
    done = daemon.tool("--lang", "ru", "status", check=False)
    assert done.returncode == 1 and "systemctl status sipalertd" in done.stderr and "Is sipalertd" not in done.stderr


def test_alarms_and_status_for_people(daemon):
    levels = {"302": "minor", "430": "critical", "503": "warning", "404": "major"}
    daemon.configure(OFF + "".join(f'rule "{code}" {{ codes = {{"{code}"}} {level} {{ count = 1 }} }}\n'
                                   for code, level in levels.items()))
    daemon.start()
    assert daemon.tool("alarms").stdout == "No active alarms.\n"
    daemon.append("".join(map(reply, levels)))
    wait_for(lambda: len(daemon.status()["alarms"]) == 4)
    shown = daemon.tool("alarms").stdout
    heads = [line.split(" #")[0] for line in shown.splitlines() if " #" in line]
    assert heads == ["critical", "major", "minor", "warning"]  # the worst first
    assert "edge1/430/edge" in shown and "What to do" in shown and "a@b" in shown
    assert {a["codes"] for a in json.loads(daemon.tool("alarms", "--json").stdout)} == set(levels)
    status = daemon.tool("status").stdout
    assert max(map(len, status.splitlines())) <= 80 and "critical #" in status and "Flow Failed" in status
    recent = daemon.status()["recent"]
    assert recent["step_s"] == 15 and sum(recent["codes"]["430"]) == 1 and len(recent["codes"]["302"]) == 60
    daemon.stop()
