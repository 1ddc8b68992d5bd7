"""Syslog over TCP with more senders than places: who is idle goes first, nothing that was sent is lost in silence."""
import os
import resource
import socket
import threading
import time

import pytest

from conftest import free_port, wait_for
from test_intake import OFF, counted, state, syslog
from torture import torture  # noqa: F401

LINE = syslog(302) + b"\n"


@pytest.fixture
def port():
    return free_port(socket.SOCK_STREAM)


@pytest.fixture
def connect(port):
    """Makes connections that are closed after the test."""
    made = []

    def connect():
        made.append(socket.create_connection(("127.0.0.1", port), timeout=20))
        return made[-1]
    yield connect
    for connection in made:
        connection.close()


def listening(daemon, port, keys=""):
    daemon.configure(OFF + f'source "wire" {{ syslog = "tcp:127.0.0.1:{port}" format = {{"edge"}} {keys} }}\n',
                     source=False)
    return daemon.start()


class Sender(threading.Thread):
    """Sends a line now and then, n of them or until told to stop, and looks at nothing else."""

    def __init__(self, connection, n=None, pause=0.01):
        super().__init__(daemon=True)
        self.connection, self.n, self.pause = connection, n, pause
        self.sent, self.error, self.stopped = 0, None, threading.Event()
        self.start()

    def run(self):
        try:
            while not self.stopped.is_set() and self.sent != self.n:
                self.connection.sendall(LINE)
                self.sent += 1
                time.sleep(self.pause)
        except OSError as error:
            self.error = error

    def stop(self):
        self.stopped.set()
        self.join()
        self.connection.close()
        return self.sent


def test_eighty_senders(daemon, port, connect):
    listening(daemon, port)
    senders = [connect() for _ in range(80)]
    for _ in range(20):
        for sender in senders:
            sender.sendall(LINE)
    counted(daemon, c302=1600)
    assert daemon.source()["undercount"] == 0


def test_idle_strangers_cost_a_busy_sender_nothing(daemon, port, connect):
    """900 strangers that say nothing, with one sender who says something all the time and one who does seldom."""
    listening(daemon, port)
    busy, seldom = connect(), Sender(connect(), pause=0.5)
    for i in range(300):
        for _ in range(3):
            connect()
        busy.sendall(LINE * 10)
    wait_for(lambda: seldom.sent >= 6)
    assert seldom.error is None
    counted(daemon, c302=3000 + seldom.stop())
    assert daemon.source()["undercount"] == 0
    assert "connections closed to make room for others: " in daemon.errors()
    assert len(os.listdir(f"/proc/{daemon.process.pid}/fd")) < 2 * 256 + 40


def test_half_a_line_of_one_that_has_to_go(daemon, port, connect):
    """It is taken as it is, once, when its sender is cut off."""
    listening(daemon, port, "max_connections = 1")
    connect().sendall(LINE + syslog(430))
    counted(daemon, c302=1)

    def crowd():
        connect().sendall(b"\n")
        return "430" in daemon.source()["codes"]
    wait_for(crowd, 20)
    counted(daemon, c302=1, c430=1)
    assert daemon.source()["lines"] == 2


def test_end_in_the_middle_of_a_counted_message(daemon, port):
    """There is nothing of it to take, which is told; half a line is a line."""
    listening(daemon, port)
    with socket.create_connection(("127.0.0.1", port)) as sender:
        sender.sendall(b"%d %s200 <13>not all of it" % (len(syslog(302)), syslog(302)))
    counted(daemon, c302=1)
    wait_for(lambda: daemon.source()["undercount"] == 1, 10)
    alarm = wait_for(lambda: daemon.status()["alarms"], 10)[0]
    assert "a connection ended in the middle of a message" in alarm["text"]
    with socket.create_connection(("127.0.0.1", port)) as sender:
        sender.sendall(syslog(430))
    counted(daemon, c302=1, c430=1)
    assert daemon.source()["undercount"] == 1


def test_who_is_asked_to_go_is_heard_to_the_end(daemon, port, connect):
    listening(daemon, port, "max_connections = 1")
    first = connect()
    first.sendall(LINE)
    counted(daemon, c302=1)
    first.settimeout(0.1)
    wait_for(lambda: connect() and ended(first), 10, "the end of the connection")
    first.sendall(LINE * 5000)
    counted(daemon, c302=5001)
    assert daemon.source()["undercount"] == 0


def ended(connection):
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False


def test_eight_busy_senders_at_four_places(daemon, port, connect):
    listening(daemon, port, "max_connections = 4")
    senders = [Sender(connect(), n=300) for _ in range(8)]
    for sender in senders:
        sender.join()
    assert [sender.error for sender in senders] == [None] * 8
    counted(daemon, c302=8 * 300)
    assert daemon.source()["undercount"] == 0


def test_more_busy_senders_than_there_is_room_for(daemon, port, connect):
    """They wait, the state says so, and who is cut off for them is told as a loss."""
    listening(daemon, port, "max_connections = 1")
    senders = [Sender(connect(), pause=0.05) for _ in range(2)]
    wait_for(lambda: all(sender.sent > 2 for sender in senders))
    senders.append(Sender(connect(), pause=0.05))
    state(daemon, "wire", "failed", f"tcp:127.0.0.1:{port}: all places are taken and senders wait")
    cut = wait_for(lambda: [sender for sender in senders if sender.error], 20)
    wait_for(lambda: daemon.source()["undercount"] >= len(cut), 10)
    state(daemon, "wire", "following")
    sent = sum(sender.stop() for sender in senders)
    wait_for(lambda: daemon.source()["lines"] + daemon.source()["undercount"] >= sent, 10)
    assert sent - len(cut) <= daemon.source()["lines"] <= sent
    assert "cut off though they may have had more to say" in daemon.errors()
    alarm = next(a for a in daemon.status()["alarms"] if a["kind"] == "undercount")
    assert "may have had more to say was cut off" in alarm["text"]


def test_waiting_senders_get_in_when_one_goes(daemon, port, connect):
    listening(daemon, port, "max_connections = 2")
    senders = [Sender(connect(), pause=0.02) for _ in range(4)]
    wait_for(lambda: all(sender.sent > 2 for sender in senders))
    last = Sender(connect(), n=100, pause=0.001)
    state(daemon, "wire", "failed", "senders wait")
    sent = senders.pop().stop()
    last.join()
    sent += last.stop() + sum(sender.stop() for sender in senders)
    counted(daemon, c302=sent)
    assert daemon.source()["undercount"] == 0
    state(daemon, "wire", "following")


def test_no_descriptor_is_left(torture, port, connect):
    """The daemon goes on answering and saving, those for whom there is none wait, and who is cut off is told."""
    torture.limits = [(resource.RLIMIT_NOFILE, 96)]
    listening(torture, port)
    senders = [connect() for _ in range(150)]
    for sender in senders:
        sender.sendall(LINE)
    state(torture, "wire", "failed", "no descriptor is free and senders wait")
    counted(torture, c302=150, timeout=60)
    assert torture.source()["undercount"] > 0  # nobody closes its connection
    busy = Sender(connect(), pause=0.02)
    wait_for(lambda: busy.sent > 100)
    assert busy.error is None
    counted(torture, c302=150 + busy.stop())
    for sender in senders:
        sender.close()
    state(torture, "wire", "following")
    wait_for(lambda: torture.status()["saved"])


@pytest.mark.parametrize("keys,oversize", [("", 1), ('line_limit = "1MiB"', 0)])
def test_long_messages(daemon, port, keys, oversize):
    """As long as line_limit says; a longer one is taken to there and counted."""
    listening(daemon, port, keys)
    with socket.create_connection(("127.0.0.1", port)) as sender:
        sender.sendall(syslog(430) + b" " * 100000 + b"\n" + LINE)
    counted(daemon, c302=1, c430=1)
    assert daemon.source()["oversize"] == oversize


def test_memory_of_idle_places(daemon, port, connect):
    """A connection takes memory only while a message of it is not complete."""
    listening(daemon, port, "max_connections = 1000")
    if os.environ.get("SIPALERT_SANITIZE"):
        pytest.skip("a sanitizer's memory is not measured")
    before = daemon.rss_kib()
    for sender in [connect() for _ in range(500)]:
        sender.sendall(LINE * 100)
    counted(daemon, c302=50000)
    assert daemon.rss_kib() - before < 4 * 1024
