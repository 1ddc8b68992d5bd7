"""Who may write to a syslog source: the networks that allow names, and nobody else."""
import ctypes
import os
import re
import socket
import struct

import pytest

from conftest import free_port, wait_for
from test_intake import OFF, counted, syslog

LINE = syslog(302) + b"\n"


def listening(daemon, spec, allow, keys=""):
    names = ", ".join(f'"{name}"' for name in allow)
    daemon.configure(OFF + f'source "wire" {{ syslog = "{spec}" format = {{"edge"}} allow = {{{names}}} {keys} }}\n',
                     source=False)
    return daemon.start()


def send(source, to, n=1, code=302):
    family = socket.AF_INET6 if ":" in to[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.bind((source, 0))
        for _ in range(n):
            sender.sendto(syslog(code), to)


def notes(daemon):
    return re.findall(r"that allow does not name: (\d+), the latest from (\S+)", daemon.errors())


def test_datagrams(daemon):
    port = free_port()
    listening(daemon, f"udp:127.0.0.1:{port}", ["127.0.1.0/24", "192.0.2.1", "2001:db8::/32"])
    send("127.0.0.1", ("127.0.0.1", port), 300)
    send("127.0.2.1", ("127.0.0.1", port))
    send("127.0.1.200", ("127.0.0.1", port), code=430)  # behind the others in the same queue
    counted(daemon, c430=1)
    source = daemon.source()
    assert source["refused"] == 301 and source["lines"] == 1
    assert source["undercount"] == 0 and source["state"] == "following"
    assert daemon.status()["alarms"] == []
    daemon.stop()
    assert len(notes(daemon)) == 1  # not a line each
    assert notes(daemon)[0] == ("1", "127.0.0.1")
    daemon.start()
    assert "  301 datagrams" not in daemon.tool("status").stdout  # of this life
    send("127.0.0.1", ("127.0.0.1", port), 3)
    wait_for(lambda: "  3 datagrams or connections of senders that allow does not name" in daemon.tool("status").stdout)
    daemon.stop()


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_mapped_addresses(daemon, kind):
    """A socket that takes both families sees IPv4 senders under addresses of IPv6."""
    port = free_port(socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    listening(daemon, f"{kind}:[::]:{port}", ["127.0.0.9/32", "2001:db8::/32"])
    if kind == "udp":
        send("127.0.0.1", ("127.0.0.1", port))
        send("::1", ("::1", port))
        send("127.0.0.9", ("127.0.0.1", port), code=430)
    else:
        for host, source in (("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("127.0.0.1", "127.0.0.9")):
            with socket.create_connection((host, port), source_address=(source, 0)) as sender:
                sender.sendall(LINE.replace(b"302", b"430"))
    counted(daemon, c430=1)
    assert daemon.source()["refused"] == 2
    daemon.stop()
    assert "everybody who reaches" not in daemon.errors()


def test_strangers_take_no_places(daemon):
    """At one place that is taken: strangers are closed at once, and the sender that has it keeps it."""
    port = free_port(socket.SOCK_STREAM)
    listening(daemon, f"tcp:127.0.0.1:{port}", ["127.0.0.2"], "max_connections = 1")
    with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0), timeout=20) as sender:
        sender.sendall(LINE)
        counted(daemon, c302=1)
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as stranger:
                try:
                    stranger.sendall(LINE)
                    assert stranger.recv(1) == b""
                except ConnectionError:  # it was closed before it was read
                    pass
        wait_for(lambda: daemon.source()["refused"] == 200)
        sender.sendall(LINE)
        counted(daemon, c302=2)
        sender.setblocking(False)
        with pytest.raises(BlockingIOError):  # it was not even asked to go
            sender.recv(1)
        assert daemon.source()["state"] == "following"
    daemon.stop()
    assert len(notes(daemon)) == 1
    assert "to make room" not in daemon.errors()


def test_listening_for_everybody_is_warned_of(daemon):
    port = free_port()
    listening(daemon, f"udp:0.0.0.0:{port}", [])
    daemon.stop()
    assert f"everybody who reaches udp:0.0.0.0:{port} can write to it" in daemon.errors()
    daemon.start("-t", wait=False)
    assert daemon.process.wait(timeout=20) == 0
    assert re.search(r"^\S+sipalertd.conf:\d+: warning: ", daemon.errors(), re.M)


class Inotify:
    """What happens in a directory."""
    ATTRIB, CREATE = 0x4, 0x100

    def __init__(self, directory):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_CLOEXEC)
        assert libc.inotify_add_watch(self.fd, os.fsencode(directory), self.ATTRIB | self.CREATE) >= 0

    def events(self):
        found, data = [], os.read(self.fd, 65536)
        while data:
            _, mask, _, length = struct.unpack("iIII", data[:16])
            found.append((mask, data[16:16 + length].rstrip(b"\0").decode()))
            data = data[16 + length:]
        os.close(self.fd)
        return found


def test_a_unix_socket_has_its_mode_from_the_first_moment(daemon):
    path = daemon.directory / "log.sock"
    watched = Inotify(daemon.directory)
    daemon.configure(OFF + f'source "wire" {{ syslog = "unix:{path}" format = {{"edge"}} }}\n', source=False)
    daemon.start()
    daemon.stop()
    assert [mask for mask, name in watched.events() if name == "log.sock"] == [Inotify.CREATE]
    daemon.start()
    assert path.stat().st_mode & 0o777 == 0o666
    daemon.stop()
