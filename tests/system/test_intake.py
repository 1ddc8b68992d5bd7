"""Sources that are not files: syslog over UDP, TCP and a unix socket, a FIFO, standard input, the journal."""
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import time

import pytest

from conftest import free_port, reply, wait_for
from torture import nobody, torture  # noqa: F401

OFF = 'snmp { mode = "off" }\n'
needs_journal = pytest.mark.skipif(not os.path.exists("/lib/systemd/systemd-journal-remote"),
                                   reason="systemd-journal-remote is not installed")


def syslog(code, n=1, call_id="a@b"):
    """A message as a logger sends it: with its priority, without a line end."""
    return ("<134>" + reply(code, call_id=call_id).rstrip("\n")).encode() if n == 1 else [syslog(code)] * n


def listening(daemon, spec):
    daemon.configure(OFF + f'source "wire" {{ syslog = {{"{spec}"}} format = {{"edge"}} }}\n', source=False)
    return daemon.start()


def counted(daemon, timeout=10, **codes):
    wanted = {code.lstrip("c"): n for code, n in codes.items()}
    return wait_for(lambda: {c: v["responses"] for c, v in daemon.source()["codes"].items()} == wanted, timeout,
                    f"{wanted}, last {daemon.source()['codes']}")


@pytest.mark.parametrize("host,family", [("127.0.0.1", socket.AF_INET), ("[::1]", socket.AF_INET6)])
def test_udp(daemon, host, family):
    port = free_port()
    listening(daemon, f"udp:{host}:{port}")
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        for code in (302, 302, 430):
            sender.sendto(syslog(code), (host.strip("[]"), port))
        sender.sendto(b"<134>1 2026-11-20T16:46:53Z sbc01 kamailio 33 - - INFO: <script>: "
                      b"[c@d] 301 Moved from 192.0.2.1:5060 method INVITE\n", (host.strip("[]"), port))
        sender.sendto(b"", (host.strip("[]"), port))
    counted(daemon, c302=2, c430=1, c301=1)
    assert daemon.source()["state"] == "following"


def test_a_dump_in_one_datagram_is_one_message(daemon):
    port = free_port()
    daemon.configure(OFF + f'source "wire" {{ syslog = "udp:127.0.0.1:{port}" format = {{"sip-message"}} }}\n',
                     source=False)
    daemon.start()
    message = ("<134>Nov 20 16:46:53 sbc01 kamailio[3]: INFO: <script>: received:\nSIP/2.0 302 Moved Temporarily\r\n"
               "Via: SIP/2.0/UDP 192.0.2.1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: x@y\r\n"
               "CSeq: 1 INVITE\r\nContact: <sip:e@f>\r\nContent-Length: 0\r\n\r\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(message.encode(), ("127.0.0.1", port))
    counted(daemon, c302=1)


@pytest.mark.parametrize("size", [1, 7, 65536], ids=lambda n: f"{n}-bytes")
def test_tcp_in_both_framings(daemon, size):
    port = free_port(socket.SOCK_STREAM)
    listening(daemon, f"tcp:127.0.0.1:{port}")
    counted_frames = b"".join(b"%d %s" % (len(m), m) for m in (syslog(302), syslog(430) + b"\n7 <13>not a frame"))
    lines = syslog(301) + b"\n" + syslog(301) + b"\n12345 years ago\n99999999999 is no length\n" + syslog(380)
    for data in (counted_frames, lines):
        with socket.create_connection(("127.0.0.1", port)) as sender:
            sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(data), size):
                sender.sendall(data[at:at + size])
    counted(daemon, c302=1, c301=2, c380=1)  # 430's frame holds more than its line, so it does not match


def test_tcp_garbage_and_many_connections(daemon):
    port = free_port(socket.SOCK_STREAM)
    listening(daemon, f"tcp:127.0.0.1:{port}")
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(80)]
    with socket.create_connection(("127.0.0.1", port)) as sender:
        sender.sendall(b"9999999 " + b"x" * 200000)
    with socket.create_connection(("127.0.0.1", port)) as sender:
        sender.sendall(b"y" * 200000 + b"\n" + syslog(302) + b"\n")
    counted(daemon, c302=1)
    for connection in held:
        connection.close()


def test_unix_datagram_and_restart(daemon):
    path = daemon.directory / "log.sock"
    listening(daemon, f"unix:{path}")
    for turn in (1, 2):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(path))
            for _ in range(50):
                sender.send(syslog(302))
        counted(daemon, c302=50 * turn)
        daemon.stop()
        assert not path.exists()
        daemon.start()
    counted(daemon, c302=100)


def test_an_address_in_use_is_said_and_tried_again(daemon):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        listening(daemon, f"udp:127.0.0.1:{port}")
        source = daemon.source()
        assert source["state"] == "failed" and "in use" in source["text"]
        wait_for(lambda: [a["kind"] for a in daemon.status()["alarms"]] == ["sourceBlind"], 10)
    wait_for(lambda: daemon.source()["state"] == "following", 10)
    wait_for(lambda: daemon.status()["alarms"] == [], 10)


def state(daemon, name, wanted, words="", timeout=15):
    def source():
        return next(s for s in daemon.status()["sources"] if s["name"] == name)
    return wait_for(lambda: (s := source())["state"] == wanted and words in s["text"] and s, timeout,
                    f"{wanted} {words!r}, last {source()}")


def quiet(daemon, seconds=10):
    """Whether the daemon's threads together wake up less than once a second."""
    def wakeups():
        return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.M).group(1))
                   for task in pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir())

    before, begun = wakeups(), time.monotonic()
    wait_for(lambda: time.monotonic() - begun >= seconds, seconds + 10)
    return (wakeups() - before) / (time.monotonic() - begun) < 1


def test_unix_socket_made_anew(daemon):
    """Who had connected to the old one learns that it is closed, and loses nothing."""
    path = daemon.directory / "run" / "log.sock"
    path.parent.mkdir()
    listening(daemon, f"unix:{path}")
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    connected.connect(str(path))
    sent = 0

    def closed():
        nonlocal sent
        try:
            connected.send(syslog(302))
        except OSError:
            connected.close()
            return True
        sent += 1
        return False

    def send():
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            try:
                sender.connect(str(path))
            except OSError:
                return False
            sender.send(syslog(302))
            return True

    for how in ("removed", "replaced", "directory"):
        old = path.stat().st_ino
        if how == "removed":
            path.unlink()
        elif how == "replaced":
            other = daemon.directory / "other.sock"
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stale:
                stale.bind(str(other))
            os.rename(other, path)  # nobody listens there any more
        else:
            shutil.rmtree(path.parent)
            state(daemon, "wire", "failed", f"unix:{path}: its directory does not exist")
            path.parent.mkdir()
        wait_for(closed, 15, "the end of the old one")
        wait_for(send, 15, how)
        sent += 1
        assert path.stat().st_ino != old or how == "directory"
        counted(daemon, c302=sent)
        state(daemon, "wire", "following")
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        connected.connect(str(path))
    connected.close()
    assert daemon.errors().count("listening at a new one") == 3


def test_unix_socket_of_another_program_is_left_alone(daemon):
    path = daemon.directory / "log.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        listening(daemon, f"unix:{path}")
        state(daemon, "wire", "failed", "another program listens there")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"to the other", str(path))
        assert other.recv(100) == b"to the other"
    state(daemon, "wire", "following")  # its file is left behind, but nobody listens
    path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        state(daemon, "wire", "failed", "another program listens there")
        daemon.stop()
        assert path.exists()  # it is not ours to remove


def test_unix_datagrams_are_not_dropped(daemon):
    """A full queue is the sender's to wait for; a message longer than the limit is counted as oversize."""
    path = daemon.directory / "log.sock"
    listening(daemon, f"unix:{path}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400000)
        sender.connect(str(path))
        for _ in range(5000):
            sender.send(syslog(302))
        sender.send(syslog(430) + b" " * 70000)
    counted(daemon, c302=5000, c430=1)
    assert daemon.source()["oversize"] == 1 and daemon.source()["undercount"] == 0


def test_one_address_of_two(daemon):
    """The one that can be opened is served while the other is told."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port, free = taken.getsockname()[1], free_port()
        listening(daemon, f'udp:127.0.0.1:{port}", "udp:127.0.0.1:{free}')
        assert daemon.source()["state"] == "failed"  # from the start
        state(daemon, "wire", "failed", f"udp:127.0.0.1:{port}: Address already in use")
        assert str(free) not in daemon.source()["text"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(syslog(302), ("127.0.0.1", free))
        counted(daemon, c302=1)
        state(daemon, "wire", "failed")
        wait_for(lambda: [a["kind"] for a in daemon.status()["alarms"]] == ["sourceBlind"], 10)
    state(daemon, "wire", "following")
    wait_for(lambda: daemon.status()["alarms"] == [], 10)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(syslog(302), ("127.0.0.1", port))
    counted(daemon, c302=2)


def test_two_addresses_that_are_both_missing_are_both_told(daemon):
    listening(daemon, f'unix:{daemon.directory}/a/log", "unix:{daemon.directory}/b/log')
    text = state(daemon, "wire", "failed")["text"]
    assert text == "; ".join(f"unix:{daemon.directory}/{name}/log: its directory does not exist" for name in "ab")


@pytest.mark.skipif(shutil.which("ip") is None or subprocess.run(["unshare", "-n", "true"]).returncode != 0,
                    reason="needs root and ip")
@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_an_address_that_the_machine_loses(torture, kind):
    """As one that moves between two machines: nothing can arrive while it is with the other."""
    holder = subprocess.Popen(["unshare", "-n", "cat"], stdin=subprocess.PIPE)
    try:
        own = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != own, what="a network namespace")
        enter = ["nsenter", "-t", str(holder.pid), "-n", "--"]

        def ip(*command):
            subprocess.run([*enter, "ip", *command], check=True)
        ip("link", "set", "lo", "up")
        torture.prefix = enter
        listening(torture, f"{kind}:192.0.2.1:5514")
        state(torture, "wire", "failed", f"{kind}:192.0.2.1:5514: this machine does not have the address")
        ip("address", "add", "192.0.2.1/32", "dev", "lo")
        state(torture, "wire", "following")
        ip("address", "delete", "192.0.2.1/32", "dev", "lo")
        state(torture, "wire", "failed", "this machine does not have the address")
    finally:
        torture.kill()
        holder.stdin.close()
        holder.wait(timeout=5)


@pytest.mark.parametrize("kind", ["fifo", "unix"])
def test_why_it_cannot_be_made(nobody, kind):
    """Each cause in its own words, each over when it is."""
    directory = nobody.directory / "there"
    path = directory / "in"
    spec = f'fifo = "{path}"' if kind == "fifo" else f'syslog = "unix:{path}"'
    shown = "" if kind == "fifo" else "unix:"
    nobody.configure(OFF + f'source "in" {{ {spec} format = {{"edge"}} }}\n', source=False)
    nobody.start()
    state(nobody, "in", "failed", f"{shown}{path}: its directory does not exist")
    directory.mkdir(mode=0o555)
    state(nobody, "in", "denied", f"{shown}{path}: ")
    assert "directory may not be written" in nobody.source()["text"]
    directory.chmod(0o777)
    state(nobody, "in", "following")
    path.unlink()
    path.write_text("a file")
    state(nobody, "in", "failed", f"{shown}{path}: not a " + ("FIFO" if kind == "fifo" else "socket"))
    path.unlink()
    state(nobody, "in", "following")
    assert (stat.S_ISFIFO if kind == "fifo" else stat.S_ISSOCK)(path.stat().st_mode)


def test_fifo_made_anew(daemon):
    path = daemon.directory / "run" / "pipe"
    path.parent.mkdir()
    daemon.configure(OFF + f'source "pipe" {{ fifo = "{path}" format = {{"edge"}} }}\n', source=False)
    daemon.start()
    total = 0
    for how in ("removed", "replaced", "directory"):
        old = open(path, "w")  # goes on writing into the FIFO that has no name
        old.write(reply(302) * 2000)
        if how == "directory":
            shutil.rmtree(path.parent)
            state(daemon, "pipe", "failed", f"{path}: its directory does not exist")
            path.parent.mkdir()
        else:
            path.unlink()
        if how == "replaced":
            os.mkfifo(path)
        wait_for(lambda: path.exists() and writable(path), 15, how)
        with open(path, "w") as new:
            new.write(reply(302) * 500)
        old.write(reply(302) * 3000)
        old.close()
        total += 5500
        counted(daemon, c302=total)
        state(daemon, "pipe", "following")
    assert daemon.errors().count("the FIFO was replaced, reading the new one") == 3
    wait_for(lambda: len(pipes(daemon)) == 1, what="the old ones are closed")


def writable(path):
    """Whether somebody has the FIFO open for reading."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def pipes(daemon):
    """The FIFOs that the daemon has open."""
    links = [os.readlink(fd) for fd in pathlib.Path(f"/proc/{daemon.process.pid}/fd").iterdir() if fd.is_symlink()]
    return {link for link in links if "/pipe" in link}


@needs_journal
def test_idle_sources_wake_nobody(daemon):
    """Many sources of all kinds: together less than a wake-up a second."""
    port = free_port(socket.SOCK_STREAM)
    (daemon.directory / "journal").mkdir()
    journals = "".join(f'source "journal{i}" {{ journal = "{daemon.directory}/journal" }}\n' for i in range(10))
    daemon.configure(OFF + 'rule "none" { codes = {"699"} minor { count = 1 } }\n' + journals + f'''
        source "tcp" {{ syslog = {{"tcp:127.0.0.1:{port}", "udp:127.0.0.1:{free_port()}"}} format = {{"edge"}} }}
        source "unix" {{ syslog = "unix:{daemon.directory}/log.sock" format = {{"edge"}} }}
        source "fifo" {{ fifo = "{daemon.directory}/pipe" format = {{"edge"}} }}
        source "missing" {{ fifo = "{daemon.directory}/nowhere/pipe" format = {{"edge"}} }}\n''', source=False)
    daemon.start()
    with socket.create_connection(("127.0.0.1", port)) as idle:
        idle.sendall(syslog(302) + b"\n")
        state(daemon, "tcp", "following")
        if os.environ.get("SIPALERT_SANITIZE"):
            pytest.skip("a sanitizer's run time has threads of its own")
        wait_for(lambda: daemon.status()["alarms"], 20, "the alarm of the missing one")
        wait_for(lambda: quiet(daemon, 20), 100, "twenty seconds with less than a wake-up a second")


def test_fifo(daemon):
    path = daemon.directory / "pipe"
    daemon.configure(OFF + f'source "pipe" {{ fifo = "{path}" format = {{"edge"}} }}\n', source=False)
    daemon.start()
    for turn in (1, 2):  # a writer that comes and goes is no end
        with open(path, "w") as writer:
            writer.write(reply(302) * 500)
        counted(daemon, c302=500 * turn)
    assert daemon.source()["state"] == "following"


def test_a_fifo_that_is_none(daemon):
    daemon.configure(OFF + f'source "pipe" {{ fifo = "{daemon.log}" }}\n', source=False)
    daemon.start()
    assert daemon.source()["state"] == "failed" and "not a FIFO" in daemon.source()["text"]


@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_stdin(daemon, kind):
    daemon.configure(OFF + 'source "in" { stdin = true format = {"edge"} }\n', source=False)
    daemon.log.write_text(reply(302) * 3000)
    reader, writer = os.pipe()
    stdin = open(daemon.log) if kind == "file" else os.fdopen(reader)
    daemon.process = subprocess.Popen([*daemon.program(), "-c", daemon.config], stdin=stdin,
                                      stderr=subprocess.DEVNULL)
    stdin.close()
    wait_for(lambda: daemon.status(check=False), what="the control socket")
    if kind == "pipe":
        with os.fdopen(writer, "w") as pipe:
            pipe.write(reply(302) * 3000)
    counted(daemon, c302=3000)
    wait_for(lambda: daemon.source()["text"] == "the input has ended", 10)


@needs_journal
def test_journal(daemon):
    def entries(first, n):
        return "".join(f"__REALTIME_TIMESTAMP={1795000000000000 + i}\n__MONOTONIC_TIMESTAMP={1000000 + i}\n"
                       "_BOOT_ID=6e2d4b0a1f6c4b7e9d1a2b3c4d5e6f70\n"
                       f"_HOSTNAME=sbc01\nSYSLOG_IDENTIFIER=kamailio\n_SYSTEMD_UNIT=kamailio.service\n"
                       f"MESSAGE=INFO: <script>: [{i}@x] 302 Moved from 192.0.2.1:5060 method INVITE\n\n"
                       f"__REALTIME_TIMESTAMP={1795000000000000 + i}\n__MONOTONIC_TIMESTAMP={1000000 + i}\n"
                       "_BOOT_ID=6e2d4b0a1f6c4b7e9d1a2b3c4d5e6f70\n"
                       f"SYSLOG_IDENTIFIER=other\n_SYSTEMD_UNIT=other.service\n"
                       f"MESSAGE=INFO: <script>: [{i}@x] 301 Moved from 192.0.2.1:5060 method INVITE\n\n"
                       for i in range(first, first + n))

    def write(name, text):
        export = daemon.directory / "export"
        export.write_text(text)
        subprocess.run(["/lib/systemd/systemd-journal-remote", f"--output={logs / name}", str(export)], check=True,
                       capture_output=True)

    logs = daemon.directory / "journal"
    logs.mkdir()
    write("a.journal", entries(0, 40))
    daemon.configure(OFF + f'''source "journal" {{ journal = {{"{logs}", "_SYSTEMD_UNIT=kamailio.service"}}
                               format = {{"edge"}} start_at = "begin" }}\n''', source=False)
    daemon.start()
    counted(daemon, c302=40)
    daemon.stop()
    write("b.journal", entries(100, 30))
    daemon.start()
    counted(daemon, c302=70)
    wait_for(lambda: daemon.status()["saved"], 10, "a commit")
    daemon.kill()
    daemon.start()
    counted(daemon, c302=70)


def test_lines_that_log_daemons_dropped(daemon):
    daemon.configure(OFF)
    daemon.start()
    stamp = "Nov 20 16:46:53 sbc01 "
    daemon.append(stamp + "rsyslogd: imuxsock lost 12 messages from pid 456 due to rate-limiting\n"
                  + stamp + "systemd-journald[99]: Suppressed 30 messages from kamailio.service\n"
                  + stamp + "kamailio[1]: systemd-journald[99]: Suppressed 500 messages from a stranger\n")
    wait_for(lambda: daemon.source()["undercount"] == 42, 10)
    alarm = wait_for(lambda: daemon.status()["alarms"], 10)[0]
    assert alarm["kind"] == "undercount" and alarm["severity"] == "minor" and "42 log lines" in alarm["text"]
    assert "rate" in alarm["remediation"]


def test_lines_that_syslog_ng_folded(daemon):
    daemon.configure(OFF)
    daemon.start()
    line = reply(302)
    text = line.split("]: ", 1)[1]
    daemon.append(line + f"Nov 20 16:46:54 sbc01 kamailio[33]: Last message '{text[:20]}' repeated 5 times, "
                  "suppressed by syslog-ng on sbc01\n"
                  "Nov 20 16:46:55 sbc01 kamailio[33]: Last message 'something else' repeated 9 times, "
                  "suppressed by syslog-ng on sbc01\n")
    counted(daemon, c302=6)
