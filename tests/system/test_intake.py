"""Sources that are not files: syslog over UDP, TCP and a unix socket, a FIFO, standard input, the journal."""
import os
import shutil
import socket
import subprocess

import pytest

from conftest import free_port, reply, wait_for

OFF = 'snmp { mode = "off" }\n'
needs_journal = pytest.mark.skipif(not os.path.exists("/lib/systemd/systemd-journal-remote"),
                                   reason="systemd-journal-remote is not installed")


def syslog(code, n=1, call_id="a@b"):
    """A message as a logger sends it: with its priority, without a line end."""
    return ("<134>" + reply(code, call_id=call_id).rstrip("\n")).encode() if n == 1 else [syslog(code)] * n


def listening(daemon, spec):
    daemon.configure(OFF + f'source "wire" {{ syslog = {{"{spec}"}} format = {{"edge"}} }}\n', source=False)
    return daemon.start()


def counted(daemon, **codes):
    wanted = {code.lstrip("c"): n for code, n in codes.items()}
    return wait_for(lambda: {c: v["responses"] for c, v in daemon.source()["codes"].items()} == wanted, 10,
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
        return "".join(f"__REALTIME_TIMESTAMP={1795000000000000 + i}\n_BOOT_ID=6e2d4b0a1f6c4b7e9d1a2b3c4d5e6f70\n"
                       f"_HOSTNAME=sbc01\nSYSLOG_IDENTIFIER=kamailio\n_SYSTEMD_UNIT=kamailio.service\n"
                       f"MESSAGE=INFO: <script>: [{i}@x] 302 Moved from 192.0.2.1:5060 method INVITE\n\n"
                       f"__REALTIME_TIMESTAMP={1795000000000000 + i}\n_BOOT_ID=6e2d4b0a1f6c4b7e9d1a2b3c4d5e6f70\n"
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
