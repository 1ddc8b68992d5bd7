"""Lines that strangers made to cost much: what they cost the daemon, and what is said of them."""
import json
import socket
import threading
import time

from conftest import SLOW, free_port, reply, wait_for

OFF = 'snmp { mode = "off" }\n'
FREE_TEXTS = "[$ci] $rs $rr from $si ua=$ua contact=$ct method $rm"
DASHES = 'format "dashes" { xlog = {"$rr' + 300 * "-" + ' $rs"} }\n'
DASHED = "Nov 20 16:46:53 sbc01 kamailio[33]: INFO: <script>: x "


def ask_status(daemon):
    """The status and how long it took to come."""
    begun = time.monotonic()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(20)
        client.connect(str(daemon.directory / "control.sock"))
        client.sendall(b'{"sipalert":1,"command":"status"}\n')
        answer = b""
        while not answer.endswith(b"\n"):
            part = client.recv(65536)
            assert part, answer
            answer += part
    return json.loads(answer)["result"], time.monotonic() - begun


class Flood:
    """More of the worst datagrams than can be read, from a thread of its own."""

    def __init__(self, port, unit):
        head = "<134>Nov 20 16:46:53 sbc01 kamailio[33]: INFO: <script>: [a@b] 302 x"
        self.message = (head + unit * ((60000 - len(head)) // len(unit))).encode()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.sent, self.over = 0, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def send(self, message):
        self.socket.send(message)
        self.sent += 1

    def run(self):
        while not self.over.wait(0.002):
            self.send(self.message)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.socket.close()


def test_a_flood_keeps_nobody_from_an_answer(daemon):
    """Thirty templates see every line, so that a turn is over before the datagrams of one call are read."""
    port = free_port()
    templates = ", ".join(f'"{FREE_TEXTS} {i}"' for i in range(30))
    daemon.configure(f'source "wire" {{ syslog = "udp:127.0.0.1:{port}" format = {{"costly"}} }}\n'
                     f'source "edge" {{ file = "{daemon.log}" format = {{"edge"}} }}\n'
                     f'format "costly" {{ xlog = {{{templates}}} }}\n' + OFF, source=False)
    daemon.start()
    with Flood(port, " from 10.9.9.9 ua=x contact=y method a b") as flood:
        wait_for(lambda: ask_status(daemon)[0]["sources"][0]["lines"] > 20)
        daemon.append(reply(302))
        longest, counted = 0, 0
        for _ in range(30):
            status, took = ask_status(daemon)
            longest, counted = max(longest, took), status["sources"][1]["responses"]
            more = flood.sent + 25
            wait_for(lambda: flood.sent >= more, 20, "the flood goes on before the next question")
        assert longest < 1 * SLOW, f"an answer took {longest:.2f} s"
        assert counted == 1  # the other source has its turns too
        flood.over.set()
        flood.thread.join()

        def adds_up():
            flood.send(b"<134>one more")  # with it the kernel says what it dropped
            source = ask_status(daemon)[0]["sources"][0]
            return source["lines"] + source["undercount"] == flood.sent

        wait_for(adds_up, 60, "every datagram is counted or told as lost")
    assert daemon.stop() < 3


def test_lines_at_the_match_limit_are_counted_and_told_once(daemon):
    hostile = DASHED + (250 * "-" + " ") * 30 + "\n"
    daemon.configure(f'source "edge" {{ file = "{daemon.log}" format = {{"dashes"}} }}\n' + DASHES + OFF, source=False)
    daemon.start()
    daemon.append(hostile * 3 + DASHED + 300 * "-" + " 302\nno such line\n")
    daemon.wait_lines(5)
    source = daemon.source()
    assert (source["responses"], source["unmatched"], source["match_limit"]) == (1, 4, 3)
    wait_for(lambda: "more ways to match" in daemon.errors())
    daemon.append(hostile)
    daemon.wait_lines(6)
    assert daemon.source()["match_limit"] == 4
    daemon.append(reply(302))
    daemon.wait_lines(7)
    daemon.stop()
    told = [line for line in daemon.errors().splitlines() if "more ways to match" in line]
    assert len(told) == 1 and "source edge" in told[0]
    daemon.start()  # it is a counter like the others
    assert (daemon.source()["unmatched"], daemon.source()["match_limit"]) == (6, 4)
    report = json.loads(daemon.tool("scan", "--json", "--format", "dashes", str(daemon.log)).stdout)
    assert (report["unmatched"], report["match_limit"]) == (6, 4)
