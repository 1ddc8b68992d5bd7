"""Whatever is at the master agent's socket: the daemon goes on counting, answering and notifying, and does not grow."""
import os
import random
import re
import socket
import struct
import threading
import time

import pytest
from conftest import ROOT, SLOW, free_port, reply, snmp, wait_for
from test_control import ask, call, connect
from test_receivers import standalone

# RFC 2741, section 6.1.
OPEN, CLOSE, REGISTER, GET, GET_NEXT, GET_BULK, TEST_SET, COMMIT_SET, UNDO_SET, CLEANUP_SET = 1, 2, 3, 5, 6, 7, 8, 9, 10, 11
NOTIFY, PING, INDEX_ALLOCATE, RESPONSE = 12, 13, 14, 18
BIG_ENDIAN, CONTEXT = 0x10, 0x08
SESSION = 77
ROOT_IDS = [int(part) for part in ROOT.strip(".").split(".")]
QUIET_S = 0.2
RULES = 'rule "r" { codes = {"302"} window = "2s" min_total = 0 minor { count = 5 } clear_for = "0s" }\n'


def pdu(kind, payload=b"", session=SESSION, packet=4711, transaction=1, flags=BIG_ENDIAN, version=1, length=None):
    return struct.pack(">BBBBIIII", version, kind, flags, 0, session, transaction, packet,
                       len(payload) if length is None else length) + payload


def oid(ids, count=None, include=0):
    return struct.pack(">BBBB", len(ids) if count is None else count, 0, include, 0) + struct.pack(f">{len(ids)}I", *ids)


def octets(text, length=None):
    return struct.pack(">I", len(text) if length is None else length) + text + bytes(-len(text) % 4)


def span(first, last=()):
    return oid(first, include=1) + oid(last)


def bulk(non_repeaters, repetitions, *spans):
    return struct.pack(">HH", non_repeaters, repetitions) + b"".join(spans)


def varbind(kind, name, value):
    return struct.pack(">HH", kind, 0) + oid(name) + value


ALL, LONG, COUNTER = span(ROOT_IDS), span([1] * 200), ROOT_IDS + [1, 1, 7, 0]
SHARED = {  # what a connection may survive
    "bulk of everything": [pdu(GET_BULK, bulk(0, 65535, ALL))],
    "bulk of everything, many times": [pdu(GET_BULK, bulk(0, 65535, *[ALL] * 60))],
    "bulk with more non-repeaters than names": [pdu(GET_BULK, bulk(65535, 65535, ALL, ALL))],
    "bulk of nothing": [pdu(GET_BULK, bulk(0, 65535))],
    "get of nothing": [pdu(GET), pdu(GET_NEXT)],
    "get of what is not ours": [pdu(GET, span([1, 3, 6, 1, 2, 1, 1, 1, 0])), pdu(GET_NEXT, span([0], [9]))],
    "another session": [pdu(GET, span(COUNTER), session=SESSION + 1), pdu(GET, span(COUNTER), session=0)],
    "another byte order": [struct.pack("<BBBBIIII", 1, GET, 0, 0, SESSION, 1, 4711, 8) + bytes(8)],
    "names of 128": [pdu(GET_NEXT, span([1] * 128) * 5), pdu(GET, span(ROOT_IDS + [4294967295] * 100))],
    "another context": [pdu(GET, octets(b"other") + span(COUNTER), flags=BIG_ENDIAN | CONTEXT)],
    "set": [pdu(TEST_SET, varbind(2, COUNTER, struct.pack(">I", 0))), pdu(COMMIT_SET), pdu(CLEANUP_SET)],
    "set of another type": [pdu(TEST_SET, varbind(4, COUNTER, octets(b"x" * 60000))), pdu(UNDO_SET), pdu(CLEANUP_SET)],
    "commit of nothing": [pdu(COMMIT_SET), pdu(UNDO_SET), pdu(CLEANUP_SET), pdu(CLEANUP_SET, transaction=9)],
    "sets that stay open": [pdu(TEST_SET, varbind(2, COUNTER, bytes(4)), transaction=i) for i in range(300)],
    "answers to nothing": [pdu(RESPONSE, struct.pack(">IHH", 1, 0, 0), packet=i) for i in range(300)],
    "answers of another session": [pdu(RESPONSE, struct.pack(">IHH", 1, 257, 9), session=3)],
    "what only we may say": [pdu(kind, octets(b"") + span(ROOT_IDS)) for kind in (OPEN, REGISTER, NOTIFY, PING,
                                                                                  INDEX_ALLOCATE)],
}
FATAL = {  # what may end it
    "garbage": [random.Random(1).randbytes(5000)],
    "zeros": [bytes(5000)],
    "another version": [pdu(GET, span(COUNTER), version=2)],
    "no kind": [pdu(0), pdu(255, bytes(64))],
    "all flags": [pdu(GET, span(COUNTER), flags=255)],
    "more than comes": [pdu(GET, span(COUNTER), length=4096)],
    "a huge length": [pdu(GET, bytes(1000), length=0xFFFFFFFC)],
    "the largest length": [pdu(GET, bytes(1000), length=0xFFFFFFFF)],
    "a length of two gigabytes": [pdu(GET, bytes(1000), length=0x7FFFFFFC)],
    "what is too long comes": [pdu(GET, length=0x10000000), bytes(32 << 20)],
    "an odd length": [pdu(GET, bytes(7))],
    "names of 200": [pdu(GET, LONG), pdu(GET_BULK, bulk(0, 100, LONG, LONG)), pdu(GET_NEXT, span([1], [1] * 200))],
    "a name beyond the end": [pdu(GET, oid([1, 2, 3], count=255)), pdu(GET_NEXT, oid([1], count=128))],
    "a text beyond the end": [pdu(TEST_SET, varbind(4, COUNTER, octets(b"x", length=0xFFFFFFFF)))],
    "a context beyond the end": [pdu(GET, octets(b"x", length=0xFFFFFFF0), flags=BIG_ENDIAN | CONTEXT)],
    "a value of no type": [pdu(TEST_SET, varbind(999, COUNTER, bytes(8)))],
    "a set cut off": [pdu(TEST_SET, struct.pack(">HH", 2, 0))],
    "an answer cut off": [pdu(RESPONSE, b"\0\0", packet=1)],
    "the end of the session": [pdu(CLOSE, bytes([6, 0, 0, 0]))],
    "half a header": [pdu(GET)[:11]],
}
GREETINGS = [  # answers to Open; each is followed by 5 s until the next attempt
    lambda packet: pdu(RESPONSE, struct.pack(">IHH", 1, 0, 0), session=0, packet=packet + 1),
    lambda packet: pdu(RESPONSE, bytes(64), packet=packet, length=0xFFFFFFF0),
    lambda packet: pdu(GET_BULK, bulk(0, 65535, ALL, ALL)) * 50,
    lambda packet: random.Random(2).randbytes(3000),
]


class Master:
    """Answers like a master agent, except for what it is given to say: once each, whenever the subagent has nothing to
    say.  With `end` each connection gets one of them, and is closed when the subagent has nothing to say again."""

    def __init__(self, path, greetings=(), attacks=(), end=False):
        self.greetings, self.attacks, self.end = list(greetings), list(attacks), end
        self.notified = self.answered = 0
        self.ended = threading.Event()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(8)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def done(self):
        return not self.greetings and not self.attacks

    def serve(self):
        while not self.ended.is_set():
            try:
                with self.socket.accept()[0] as client:
                    self.attend(client)
            except OSError:  # of one connection, or of the end
                pass

    def attend(self, client):
        client.settimeout(QUIET_S)
        had = False
        while not self.ended.is_set():
            try:
                had = self.answer(client) or had
            except socket.timeout:
                if had and self.end:
                    return
                if self.attacks:
                    had = True
                    client.sendall(b"".join(self.attacks.pop(0)))

    def answer(self, client):
        """One PDU of the subagent.  Returns whether it got a greeting instead of an answer."""
        header = read(client, 20)
        order = ">" if header[2] & BIG_ENDIAN else "<"
        transaction, packet, length = struct.unpack(order + "III", header[8:])
        read(client, length)
        self.answered += header[1] == RESPONSE
        self.notified += header[1] == NOTIFY
        if header[1] == OPEN and self.greetings:
            client.sendall(self.greetings.pop(0)(packet))
            return True
        if header[1] != RESPONSE:
            client.sendall(pdu(RESPONSE, struct.pack(">IHH", 1, 0, 0), packet=packet, transaction=transaction))
        return False

    def close(self):
        self.ended.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(timeout=10)


def read(client, size):
    data = b""
    while len(data) < size:
        part = client.recv(size - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


@pytest.fixture
def master(tmp_path):
    made = []

    def make(**kwargs):
        made.append(Master(tmp_path / "agentx", **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.close()


def peak_kib(daemon):
    status = open(f"/proc/{daemon.process.pid}/status").read()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1))


def live(daemon, trapd, master):
    """Until the master has said all: each question is answered within a second, and each line counts."""
    lines = 0
    daemon.configure(RULES + f'''snmp {{ mode = "agentx" master = "unix:{daemon.directory}/agentx" }}
                     notify "noc" {{ address = "udp:127.0.0.1:{trapd.port}" }}\n''')
    daemon.start()
    before = peak_kib(daemon)
    client = connect(daemon, timeout=60)

    def answered():
        nonlocal lines
        daemon.append(reply(302))
        lines += 1
        asked = time.monotonic()
        assert ask(client, call("status"))["ok"] is True
        assert time.monotonic() - asked < 1 * SLOW
        return master.done()

    wait_for(answered, timeout=100, what="the end of the attacks")
    trapd.wait(1, wanted=1)
    assert daemon.wait_lines(lines)["codes"]["302"]["responses"] == lines
    trapd.wait(1, wanted=2)
    if not os.environ.get("SIPALERT_SANITIZE"):  # which keeps what was freed
        assert peak_kib(daemon) < before + 8192
    # Whoever comes to its senses is a master again.
    wait_for(lambda: daemon.status()["snmp"]["connected"], timeout=30)
    told = master.notified
    daemon.append(reply(302) * 6)
    trapd.wait(2, wanted=1)
    wait_for(lambda: master.notified > told)
    assert daemon.stop() < 3 and daemon.process.returncode == 0


def test_questions(daemon, trapd, master):
    one = master(attacks=SHARED.values())
    live(daemon, trapd, one)
    assert one.answered > 20


def test_what_is_no_agentx(daemon, trapd, master):
    live(daemon, trapd, master(attacks=FATAL.values(), end=True))


def test_greetings(daemon, trapd, master):
    live(daemon, trapd, master(greetings=GREETINGS, end=True))


LONG_MESSAGE = b"\x30\x84\x7f\xff\xff\xf0\x02\x01\x01\x04\x84\x7f\xff\xff\x00"


def is_ended(peer, most=64 << 20):
    """Whether the daemon ends the connection before it took so many bytes of one message."""
    peer.settimeout(SLOW)
    try:
        peer.sendall(LONG_MESSAGE)
        for _ in range(most >> 16):
            peer.sendall(bytes(65536))
    except (BrokenPipeError, ConnectionResetError):
        return True
    return False


def test_receiver_announces_a_long_message(daemon):
    """Each connection that answers with one is ended, and a receiver that answers as it should gets what waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        daemon.configure(f'snmp {{ mode = "off" }}\nnotify "noc" {{ address = "tcp:127.0.0.1:{server.getsockname()[1]}" '
                         'type = "inform" }\n')
        daemon.start()
        daemon.tool("test-notify", check=False)
        before = daemon.rss_kib()
        for _ in range(2):
            peer, _ = server.accept()
            with peer:
                assert is_ended(peer)
        assert daemon.rss_kib() < before + 4096
        assert daemon.status()["notifications"]["queued"] == 1


@pytest.mark.parametrize("kind", ("tcp", "unix"))
def test_manager_announces_a_long_message(daemon, kind):
    port, udp = free_port(socket.SOCK_STREAM), free_port()
    address = f"tcp:127.0.0.1:{port}" if kind == "tcp" else f"unix:{daemon.directory}/snmp.sock"
    daemon.configure(standalone(daemon, address, f"udp:127.0.0.1:{udp}"))
    daemon.start()

    def connected():
        peer = socket.socket(socket.AF_INET if kind == "tcp" else socket.AF_UNIX)
        try:
            peer.connect(("127.0.0.1", port) if kind == "tcp" else f"{daemon.directory}/snmp.sock")
        except OSError:
            peer.close()
            return None
        return peer

    before = daemon.rss_kib()
    for _ in range(3):
        with wait_for(connected, 10, address) as peer:
            assert is_ended(peer)
    assert daemon.rss_kib() < before + 4096
    assert snmp("snmpget", udp, f"{ROOT}.1.1.7.0")
