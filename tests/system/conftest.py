"""Fixtures: a temporary directory with a daemon, and real net-snmp programs beside it.

Every wait is for a condition with a deadline; nothing here waits for a guessed time.
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

import pytest

ROOT = ".1.3.6.1.4.1.8072.9999.9999.5060"
HERE = pathlib.Path(__file__).resolve().parent
CORPORA = HERE.parent / "corpora"
BUILD = pathlib.Path(os.environ.get("SIPALERT_BUILD", HERE.parent.parent / "build"))
SLOW = 4 if os.environ.get("SIPALERT_SANITIZE") else 1  # how much longer things may take
XLOG = """format "edge" {
  xlog = {"[$ci] $rs $rr from $si:$sp method $rm"}
  xlog_sent = {"[$ci] replying $rs $rr to $si:$sp method $rm", "[$ci] stateless reply $rs $rr method $rm"}
}
"""


def wait_for(condition, timeout=20, what=None):
    """Returns the first true value of condition(); fails loudly after the deadline."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or condition}; last value {value!r}")
        time.sleep(0.02)


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def quiet_env(directory):
    return dict(os.environ, MIBS="", SNMP_PERSISTENT_DIR=str(directory / "persistent"), SNMPCONFPATH=str(directory),
                TZ="UTC")


class Daemon:
    def __init__(self, directory):
        self.directory = directory
        self.log = directory / "proxy.log"
        self.config = directory / "sipalertd.conf"
        self.stderr = directory / "daemon.err"
        self.process = None

    def configure(self, body, source=True, formats=XLOG):
        text = f"""node = "edge1"
state_dir = "{self.directory}/state"
control = "{self.directory}/control.sock"
log = "stderr"
"""
        if source:
            text += f'source "edge" {{ file = "{self.log}" format = {{"edge"}} }}\n'
        self.config.write_text(text + formats + body)

    def program(self):
        return [BUILD / "sipalertd"]

    def start(self, *options, env=None, wait=True, stderr_mode="ab"):
        with open(self.stderr, stderr_mode) as err:
            self.process = subprocess.Popen([BUILD / "sipalertd", "-c", self.config, *options], stderr=err,
                                            stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))
        if wait:
            wait_for(lambda: self.status(check=False) or self.process.poll() is not None, what="the control socket")
            assert self.process.poll() is None, self.errors()
        return self

    def tool(self, *arguments, check=True):
        done = subprocess.run([BUILD / "sipalert", "-c", self.config, *arguments], capture_output=True, text=True,
                              timeout=30)
        if check:
            assert done.returncode == 0, done.stderr
        return done

    def status(self, check=True):
        done = self.tool("status", "--json", check=check)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def source(self):
        return self.status()["sources"][0]

    def errors(self):
        return self.stderr.read_text() if self.stderr.exists() else ""

    def append(self, data):
        with open(self.log, "ab") as log:
            log.write(data if isinstance(data, bytes) else data.encode())

    def wait_lines(self, lines, timeout=30):
        return wait_for(lambda: (self.source()["lines"] == lines) and self.status(), timeout, f"{lines} lines")

    def stop(self, deadline=3):
        """SIGTERM; returns how long it took and fails beyond the deadline."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=deadline)
        return time.monotonic() - begun

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def rss_kib(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1))


class Snmpd:
    """A real snmpd as AgentX master, with its socket in the temporary directory."""

    def __init__(self, directory, trap_port=None):
        self.directory = directory
        self.socket = f"unix:{directory}/agentx"
        self.port = free_port()
        self.process = None
        config = f"""rocommunity public 127.0.0.1
master agentx
agentXSocket {self.socket}
agentXPerms 0660 0770
"""
        if trap_port:
            config += f"trap2sink 127.0.0.1:{trap_port} public\n"
        (directory / "snmpd-test.conf").write_text(config)

    def start(self):
        self.process = subprocess.Popen(
            ["/usr/sbin/snmpd", "-f", "-Lf", self.directory / "snmpd.log", "-C", "-c",
             self.directory / "snmpd-test.conf", "-I", "-smux", f"udp:127.0.0.1:{self.port}"],
            env=quiet_env(self.directory), stdin=subprocess.DEVNULL)
        wait_for(lambda: snmp("snmpget", self.port, ".1.3.6.1.2.1.1.3.0", check=False, timeout=0.2), what="snmpd")
        return self

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(timeout=20)


class Trapd:
    """A real snmptrapd; a notification is a list of numeric OID and printed value, in order."""


    def __init__(self, directory, port=None, host="127.0.0.1"):
        self.port = port or free_port()
        self.output = directory / "traps.txt"
        (directory / "snmptrapd-test.conf").write_text("authCommunity log public\n")
        self.process = subprocess.Popen(
            ["/usr/sbin/snmptrapd", "-f", "-On", "-Oe", "-Lf", self.output, "-F", "@@%V|%v\x1e\n", "-C", "-c",
             directory / "snmptrapd-test.conf", f"udp:{host}:{self.port}"],
            env=quiet_env(directory), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: self.output.exists() and "NET-SNMP" in self.output.read_text(), what="snmptrapd")

    def notifications(self, wanted=None):
        found = []
        text = self.output.read_text(errors="replace")
        for notification in re.findall("^@@(.*?)\x1e$", text, re.M | re.S):  # octets are on several lines
            fields = re.split(r"\|(?=\.1\.3\.6)", notification)
            found.append([tuple(field.lstrip("|").split(" = ", 1)) for field in fields if " = " in field])
        ours = f"OID: {ROOT}.0." + ("" if wanted is None else str(wanted))  # snmpd sends coldStart besides
        return [n for n in found if n[1][1].startswith(ours)]

    def wait(self, count, wanted=None, timeout=20):
        return wait_for(lambda: len(self.notifications(wanted)) >= count and self.notifications(wanted), timeout,
                        f"{count} notifications")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


def snmp(program, port, *oids, check=True, timeout=5):
    done = subprocess.run([program, "-v2c", "-c", "public", "-On", "-Oe", "-t", str(timeout), "-r", "0",
                           f"127.0.0.1:{port}", *oids], capture_output=True, text=True,
                          env=dict(os.environ, MIBS=""))
    if done.returncode != 0:
        assert not check, done.stderr
        return None
    lines = re.split(r"\n(?=\.1\.)", done.stdout.rstrip("\n"))  # octets are on several
    return dict(line.split(" = ", 1) for line in lines if " = " in line and " = No " not in line)


def walk_codes(port):
    """{code: (responses, received, sent)} of the codes that were seen, as snmpwalk shows them; {} while the tables
    are not (all) registered."""
    columns = [snmp("snmpwalk", port, f"{ROOT}.1.3.1.{column}", check=False) or {} for column in (3, 4, 5)]
    if len({len(column) for column in columns}) != 1:
        return {}
    counts = {}
    for name in columns[0]:
        code = name.rsplit(".", 1)[1]
        values = tuple(int(column[f"{ROOT}.1.3.1.{k}.{code}"].split(": ")[1])
                       for k, column in zip((3, 4, 5), columns))
        if values[0]:
            counts[code] = values
    return counts


@pytest.fixture
def daemon(tmp_path):
    daemon = Daemon(tmp_path)
    daemon.log.touch()
    yield daemon
    daemon.kill()


@pytest.fixture
def open_daemon():
    """A daemon in a directory that other users may enter: pytest's own is closed again by each suite that starts."""
    with tempfile.TemporaryDirectory(prefix="sipalert-") as name:
        directory = pathlib.Path(name)
        directory.chmod(0o755)
        daemon = Daemon(directory)
        daemon.log.touch()
        yield daemon
        daemon.kill()


@pytest.fixture
def trapd(tmp_path):
    trapd = Trapd(tmp_path)
    yield trapd
    trapd.stop()


@pytest.fixture
def snmpd(tmp_path, trapd):
    snmpd = Snmpd(tmp_path, trapd.port)
    yield snmpd
    snmpd.stop()


def corpus(name, file="kamailio.log"):
    return (CORPORA / name / file).read_bytes()


def case(name):
    return next(c for c in json.loads((CORPORA / "cases.json").read_text()) if c["corpus"] == name)


def reply(code, peer="192.0.2.1", method="INVITE", call_id="a@b"):
    return (f"Nov 20 16:46:53 sbc01 kamailio[33]: INFO: <script>: [{call_id}] {code} Reason from {peer}:5060 "
            f"method {method}\n")


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
needs_no_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
needs_snmpd = pytest.mark.skipif(not os.path.exists("/usr/sbin/snmpd"), reason="snmpd is not installed")
