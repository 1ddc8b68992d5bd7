"""What waits and must not hold up anything else: DNS, a master agent that hangs, a peer that does not read, an
address that is taken.  Real snmpd and snmptrapd."""
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest

from conftest import HERE, ROOT, SLOW, Snmpd, Trapd, free_port, needs_root, needs_snmpd, reply, snmp, wait_for, \
    walk_codes

pytestmark = needs_snmpd

CODES = range(400, 430)
RULES = "".join(f'rule "r{code}" {{ codes = {{"{code}"}} window = "1s" min_total = 1 minor {{ count = 1 }} '
                'clear_for = "0s" }\n' for code in CODES)


def receiver(trapd, kind="inform", name="noc"):
    return f'notify "{name}" {{ address = "udp:127.0.0.1:{trapd.port}" type = "{kind}" }}\n'


def agentx(snmpd):
    return f'snmp {{ mode = "agentx" master = "{snmpd.socket}" }}\n'


def standalone(daemon, *addresses):
    (daemon.directory / "access.conf").write_text("rocommunity public\n")
    quoted = ", ".join(f'"{address}"' for address in addresses)
    return f'snmp {{ mode = "standalone" listen = {{{quoted}}} access = "{daemon.directory}/access.conf" }}\n'


def sequences(trapd):
    return sorted(int(n[2][1].split(": ")[1]) for n in trapd.notifications())


def connected(daemon):
    return daemon.status()["snmp"]["connected"]


@pytest.fixture
def own(tmp_path):
    """A receiver of our own, beside the one of snmpd."""
    (tmp_path / "own").mkdir()
    trapd = Trapd(tmp_path / "own")
    yield trapd
    trapd.stop()


@needs_root
@pytest.mark.parametrize("name", ["test_silent_dns", "test_name_resolves_later", "test_name_moves",
                                  "test_access_names_hold_up_nobody", "test_interface_address_comes_later"])
def test_in_private_network(name, tmp_path):
    (tmp_path / "hosts").write_text("127.0.0.1 localhost\n")
    (tmp_path / "resolv").write_text("nameserver 127.0.0.53\n")
    if subprocess.run(["unshare", "-n", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("no namespaces here")
    script = ('ip link set lo up && mount --bind "$HOSTS" /etc/hosts && mount --bind "$RESOLV" /etc/resolv.conf && '
              'exec "$@"')
    with tempfile.TemporaryDirectory() as inside:  # short, because paths of sockets are
        done = subprocess.run(["unshare", "-n", "-m", "sh", "-c", script, "sh", sys.executable, "-m", "pytest", "-q",
                               "-p", "no:cacheprovider", "--basetemp", f"{inside}/t",
                               f"{HERE}/private_network.py::{name}"],
                              env=dict(os.environ, HOSTS=str(tmp_path / "hosts"), RESOLV=str(tmp_path / "resolv")),
                              capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def fill_backlog(path):
    """Connects until the listener, which does not accept, has no room any more."""
    waiting = []
    while True:
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        one.setblocking(False)
        try:
            one.connect(path)
        except BlockingIOError:
            one.close()
            return waiting
        waiting.append(one)


def test_hanging_master_holds_up_nobody(daemon, snmpd, trapd, own):
    """snmpd hangs for longer than six attempts to connect: the receivers of our own are served all the time, and its
    own get each notification once when it is back."""
    snmpd.start()
    daemon.configure(RULES + agentx(snmpd) + receiver(own))
    daemon.start()
    wait_for(lambda: connected(daemon))
    snmpd.process.send_signal(signal.SIGSTOP)
    hung = time.monotonic()
    wait_for(lambda: not connected(daemon), timeout=16, what="the link to be given up")
    codes = itertools.cycle(CODES)
    while time.monotonic() - hung < 42:
        before = len(own.notifications(1))
        daemon.append(reply(next(codes)))
        own.wait(before + 1, wanted=1, timeout=2 * SLOW)
        assert daemon.status()["snmp"]["text"].startswith(f"{snmpd.socket}: ")
        wait_for(lambda: daemon.status()["alarms"] == [])
    assert trapd.notifications() == []
    assert daemon.status()["snmp"]["text"] == f"{snmpd.socket}: it does not answer"
    status = daemon.status()["notifications"]
    assert status["sent"] == status["queued"] > 10 and status["suppressed"] == 0
    snmpd.process.send_signal(signal.SIGCONT)
    wait_for(lambda: daemon.status()["notifications"]["queued"] == 0, timeout=30, what="all delivered")
    sent = daemon.status()["notifications"]["sent"]
    assert sent == daemon.status()["notifications"]["sequence"]  # one event counts once
    wait_for(lambda: len(sequences(trapd)) >= sent)
    assert sequences(own) == sequences(trapd) == list(range(1, sent + 1))
    assert daemon.stop() < 0.5 * SLOW


def test_stop_with_hanging_master(daemon, snmpd, own):
    snmpd.start()
    daemon.configure(RULES + agentx(snmpd) + receiver(own))
    daemon.start()
    wait_for(lambda: connected(daemon))
    snmpd.process.send_signal(signal.SIGSTOP)
    waiting = fill_backlog(snmpd.socket.split(":", 1)[1])
    wait_for(lambda: "the master agent at" in daemon.errors().split("lost the master agent")[-1] and
             not connected(daemon), timeout=30, what="an attempt that finds no room")
    daemon.append(reply(404))
    own.wait(1, wanted=1, timeout=2 * SLOW)
    assert daemon.stop(deadline=10) < 1.5 * SLOW
    assert daemon.process.returncode == 0
    for one in waiting:
        one.close()


def test_stop_just_after_the_master_hung(daemon, snmpd, own):
    snmpd.start()
    daemon.configure(RULES + agentx(snmpd) + receiver(own))
    daemon.start()
    wait_for(lambda: connected(daemon))
    snmpd.process.send_signal(signal.SIGSTOP)
    assert daemon.stop(deadline=10) < 1.5 * SLOW
    assert daemon.process.returncode == 0


@pytest.mark.parametrize("mode", ["agentx", "standalone", "off"])
def test_healthy_stop(daemon, snmpd, own, mode):
    if mode == "agentx":
        snmpd.start()
    snmp_section = {"agentx": agentx(snmpd), "off": 'snmp { mode = "off" }\n',
                    "standalone": standalone(daemon, f"udp:127.0.0.1:{free_port()}")}[mode]
    daemon.configure(RULES + snmp_section + receiver(own) + receiver(own, "trap", "second"))
    daemon.start()
    wait_for(lambda: mode == "off" or connected(daemon))
    daemon.append(reply(404))
    own.wait(2, wanted=1)
    assert daemon.stop() < 0.5 * SLOW
    assert daemon.process.returncode == 0 and "left behind" not in daemon.errors()


def test_stop_while_a_receiver_is_dead(daemon, own):
    daemon.configure(RULES + 'snmp { mode = "off" }\n' + receiver(own) +
                     f'notify "dead" {{ address = "udp:127.0.0.1:{free_port()}" type = "inform" }}\n'
                     f'notify "refuses" {{ address = "tcp:127.0.0.1:{free_port(socket.SOCK_STREAM)}" }}\n')
    daemon.start()
    daemon.append(reply(404))
    own.wait(1, wanted=1)
    wait_for(lambda: "receiver refuses cannot be reached at tcp:127.0.0.1:" in daemon.errors())
    assert daemon.stop() < 0.5 * SLOW
    assert daemon.process.returncode == 0


def test_every_address_form(daemon, tmp_path):
    """Each receiver has a community of its own, by which its notifications are told apart."""
    port, tcp = free_port(), free_port(socket.SOCK_STREAM)
    path = f"{tmp_path}/trapd.sock"
    addresses = {"udp": f"udp:127.0.0.1:{port}", "bare": f"127.0.0.1:{port}", "named": f"localhost:{port}",
                 "udp6": f"udp6:[::1]:{port}", "bare6": f"[::1]:{port}", "udpv6": f"UDPv6:[::1]:{port}",
                 "tcp": f"tcp:localhost:{tcp}", "unix": f"unix:{path}", "path": path, "port": str(port)}
    if os.path.exists("/proc/net/if_inet6") and "00000001 01" in open("/proc/net/if_inet6").read():
        listening = [f"udp:127.0.0.1:{port}", f"udp6:[::1]:{port}", f"tcp:127.0.0.1:{tcp}", f"unix:{path}"]
    else:
        listening = [f"udp:127.0.0.1:{port}", f"tcp:127.0.0.1:{tcp}", f"unix:{path}"]
        addresses = {name: text for name, text in addresses.items() if "6" not in name}
    (tmp_path / "forms.conf").write_text("".join(f"authCommunity log c-{name}\n" for name in addresses))
    output = tmp_path / "forms.txt"
    program = subprocess.Popen(["/usr/sbin/snmptrapd", "-f", "-Lf", output, "-F", "community %P\n", "-C", "-c",
                                tmp_path / "forms.conf", *listening], stdin=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=dict(os.environ, MIBS="", SNMP_PERSISTENT_DIR=tmp_path))
    try:
        wait_for(lambda: output.exists() and "NET-SNMP" in output.read_text(), what="snmptrapd")
        daemon.configure('snmp { mode = "off" }\n' + "".join(
            f'notify "{name}" {{ address = "{text}" community = "c-{name}" type = "{kind}" }}\n'
            for (name, text), kind in zip(addresses.items(), ["inform", "trap"] * 5)))
        daemon.start()
        daemon.tool("test-notify")
        wait_for(lambda: set(re.findall(r"community c-(\w+)", output.read_text())) == set(addresses),
                 what="one notification by each address")
        wait_for(lambda: daemon.status()["notifications"]["queued"] == 0)
    finally:
        program.terminate()
        program.wait(timeout=20)


def test_tcp_receiver_comes_back(daemon, tmp_path):
    """A connection that breaks, and one that is not accepted: the notifications wait and come once."""
    port = free_port(socket.SOCK_STREAM)
    (tmp_path / "tcp.conf").write_text("authCommunity log public\n")
    daemon.configure('snmp { mode = "off" }\n' +
                     f'notify "noc" {{ address = "tcp:127.0.0.1:{port}" type = "inform" }}\n')

    def start(name):
        output = tmp_path / name
        program = subprocess.Popen(["/usr/sbin/snmptrapd", "-f", "-On", "-Lf", output, "-F", "got %v\n", "-C", "-c",
                                    tmp_path / "tcp.conf", f"tcp:127.0.0.1:{port}"], stdin=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL,
                                   env=dict(os.environ, MIBS="", SNMP_PERSISTENT_DIR=tmp_path))
        wait_for(lambda: output.exists() and "NET-SNMP" in output.read_text(), what="snmptrapd")
        return program, output

    def numbers(output):
        return [int(n) for n in re.findall(r"\.1\.1\.15\.0 = Gauge32: (\d+)", output.read_text())]

    program, output = start("first")
    try:
        daemon.start()
        daemon.tool("test-notify")
        wait_for(lambda: numbers(output) == [1])
        program.terminate()
        program.wait(timeout=20)
        daemon.tool("test-notify", check=False)
        wait_for(lambda: "receiver noc cannot be reached at" in daemon.errors())
        daemon.tool("test-notify", check=False)
        program, output = start("second")
        wait_for(lambda: daemon.status()["notifications"]["queued"] == 0, timeout=40)
        assert numbers(output) == [2, 3]
        assert "receiver noc answers again" in daemon.errors()
    finally:
        program.terminate()
        program.wait(timeout=20)


def test_port_taken_at_start(daemon):
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        daemon.configure(standalone(daemon, f"udp:127.0.0.1:{port}"))
        daemon.start()
        wait_for(lambda: daemon.status()["snmp"].get("text") == f"udp:127.0.0.1:{port}: Address already in use")
        assert not connected(daemon)
        assert "Address already in use" in daemon.tool("status").stdout
        wait_for(lambda: "cannot listen at" in daemon.errors())
    wait_for(lambda: connected(daemon), timeout=15, what="another try")
    assert snmp("snmpget", port, f"{ROOT}.1.1.1.0")
    assert daemon.errors().count("cannot listen at") == 1


def test_one_of_two_addresses_taken(daemon):
    taken, free = free_port(), free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", taken))
        daemon.configure(standalone(daemon, f"udp:127.0.0.1:{taken}", f"udp:localhost:{free}"))
        daemon.start()
        wait_for(lambda: snmp("snmpget", free, f"{ROOT}.1.1.1.0", check=False, timeout=1), timeout=5)
        assert daemon.status()["snmp"] == {"mode": "standalone", "connected": False,
                                           "text": f"udp:127.0.0.1:{taken}: Address already in use"}
    wait_for(lambda: daemon.status()["snmp"] == {"mode": "standalone", "connected": True}, timeout=15)
    assert snmp("snmpget", taken, f"{ROOT}.1.1.1.0") and snmp("snmpget", free, f"{ROOT}.1.1.1.0")


def getbulk():
    """An SNMPv2c GetBulk of the whole MIB as bytes."""
    def field(tag, *parts):
        body = b"".join(parts)
        length = bytes([len(body)]) if len(body) < 128 else bytes([0x82, len(body) >> 8, len(body) & 255])
        return bytes([tag]) + length + body

    numbers = [int(n) for n in ROOT.split(".")[3:]]
    oid = b"\x2b" + b"".join(bytes([0x80 | n >> 7, n & 127]) if n > 127 else bytes([n]) for n in numbers)
    bindings = field(0x30, field(0x30, field(6, oid), b"\x05\x00"))
    pdu = field(0xa5, field(2, b"\x01"), field(2, b"\x00"), field(2, b"\x64"), bindings)
    return field(0x30, field(2, b"\x01"), field(4, b"public"), pdu)


def test_peer_that_does_not_read(daemon):
    """It asks by TCP and never reads what it is answered, until the agent can write no more: others are answered."""
    port, tcp = free_port(), free_port(socket.SOCK_STREAM)
    daemon.configure(standalone(daemon, f"udp:127.0.0.1:{port}", f"tcp:127.0.0.1:{tcp}"))
    daemon.start()
    wait_for(lambda: connected(daemon))
    with socket.create_connection(("127.0.0.1", tcp)) as peer:
        peer.setblocking(False)
        question, ended, until = getbulk() * 50, False, time.monotonic() + 60
        while not ended and time.monotonic() < until:
            try:
                peer.send(question)
            except BlockingIOError:
                pass
            except (ConnectionResetError, BrokenPipeError):
                ended = True
            assert snmp("snmpget", port, f"{ROOT}.1.1.1.0", timeout=2 * SLOW)
        assert ended, "who does not read is cut off"
    assert snmp("snmpget", port, f"{ROOT}.1.1.1.0", timeout=2 * SLOW)
    assert daemon.errors().count("net-snmp:") < 5
    assert daemon.stop() < 0.5 * SLOW


def test_master_by_a_name(daemon, tmp_path, trapd):
    snmpd = Snmpd(tmp_path, trapd.port)
    port = free_port(socket.SOCK_STREAM)
    config = tmp_path / "snmpd-test.conf"
    config.write_text(config.read_text().replace(snmpd.socket, f"tcp:127.0.0.1:{port}"))
    daemon.configure(RULES + f'snmp {{ mode = "agentx" master = "tcp:localhost:{port}" }}\n')
    daemon.start()
    wait_for(lambda: daemon.status()["snmp"].get("text") == f"tcp:localhost:{port}: Connection refused")
    snmpd.start()
    try:
        wait_for(lambda: connected(daemon), timeout=15)
        daemon.append(reply(404))
        trapd.wait(1, wanted=1)
        wait_for(lambda: walk_codes(snmpd.port).get("404") == (1, 1, 0))
    finally:
        snmpd.stop()
    wait_for(lambda: not connected(daemon))


def switches(pid):
    """Voluntary context switches of each thread: how often it went to sleep."""
    counts = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        status = open(f"/proc/{pid}/task/{thread}/status").read()
        counts[int(thread)] = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M).group(1))
    return counts


@pytest.mark.skipif(SLOW > 1, reason="a sanitizer has threads of its own")
@pytest.mark.parametrize("mode", ["agentx", "standalone"])
def test_idle(daemon, snmpd, own, mode):
    """With nothing to do, all threads together wake less than once a second, and those of SNMP far less."""
    snmpd.start()
    daemon.configure(receiver(own) + {"agentx": agentx(snmpd),
                                      "standalone": standalone(daemon, f"udp:127.0.0.1:{free_port()}")}[mode])
    daemon.start()
    wait_for(lambda: connected(daemon))
    pid = daemon.process.pid
    before, begun = switches(pid), time.monotonic()
    wait_for(lambda: time.monotonic() - begun >= 5, timeout=10)  # what the start has left to do is over
    before, begun = switches(pid), time.monotonic()
    wait_for(lambda: time.monotonic() - begun >= 30, timeout=40)
    after, seconds = switches(pid), time.monotonic() - begun
    assert sum(after.values()) - sum(before.values()) < seconds
    others = sum(count - before.get(thread, 0) for thread, count in after.items() if thread != pid)
    assert others < 0.35 * seconds, "threads beside the main one"


def test_rows_of_sources_stay_with_their_names(daemon):
    """In the MIB, over restarts: whatever is put before them, swapped, taken away or added later."""
    port = free_port()

    def begin(*names):
        sources = "".join(f'source "{name}" {{ file = "{daemon.directory}/{name}.log" format = {{"edge"}} }}\n'
                          for name in names)
        daemon.configure(sources + standalone(daemon, f"udp:127.0.0.1:{port}"), source=False)
        daemon.start()
        rows = wait_for(lambda: snmp("snmpwalk", port, f"{ROOT}.1.2.1.2", check=False), 10, "the rows of the sources")
        daemon.stop()
        return {int(name.rsplit(".", 1)[1]): value.split(": ")[1].strip('"') for name, value in rows.items()}

    assert begin("a", "b") == {1: "a", 2: "b"}
    assert begin("b", "a") == {1: "a", 2: "b"}
    assert begin("c", "b", "a") == {1: "a", 2: "b", 3: "c"}
    assert begin("d", "a") == {1: "a", 4: "d"}
    assert begin("b", "d") == {2: "b", 4: "d"}
