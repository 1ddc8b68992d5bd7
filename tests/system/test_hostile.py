"""What others chose is shown without effect on a terminal: names of files, the configuration, and the answers of
whatever listens at the control socket."""
import json
import os
import pty
import re
import resource
import select
import signal
import socket
import subprocess
import threading
import time

import pytest
from conftest import BUILD, reply, wait_for

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x7f\x9b2J\u200b\u202e\ufeff\u2028"
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def run(*words, **kwargs):
    done = subprocess.run([BUILD / words[0], *words[1:]], capture_output=True, timeout=30, **kwargs)
    return done.returncode, done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode("utf-8", "surrogateescape")


def assert_harmless(text):
    found = RAW.search(text)
    assert found is None, (found, text)
    text.encode("utf-8")  # no bytes that are not UTF-8


class Impostor:
    """Listens in the daemon's place, and says the same to everybody."""

    def __init__(self, path, answer):
        self.answer = answer
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(8)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                client = self.socket.accept()[0]
            except OSError:
                return
            with client:
                try:
                    client.recv(4096)
                    for part in self.answer:
                        client.sendall(part)
                except OSError:
                    pass

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(timeout=10)


@pytest.fixture
def impostor(tmp_path):
    made = []

    def make(*answer):
        made.append(Impostor(tmp_path / "s", answer))
        return str(tmp_path / "s")

    yield make
    for one in made:
        one.close()


def line(result, version=1):
    return json.dumps({"sipalert": version, "ok": True, "result": result}).encode() + b"\n"


def hostile_status():
    text = "x" + ESCAPES
    steps = [-(2**63), 2**63 - 1, -1, 2**40] + [2**63 - 1] * 40
    return {"version": text, "node": text, "since": text, "snmp": {"mode": text, "connected": True, "text": text},
            "sources": [{"name": text, "state": text, "format": text, "text": text, "lines": 2**63 - 1,
                         "responses": -(2**63), "files": [{"path": text}]}],
            "codes": {text: {"responses": 2**63 - 1}, "302": {"responses": -(2**63)}},
            "recent": {"step_s": 15, "codes": {"302": steps, text: steps}},
            "alarms": [{"id": -1, "severity": severity, "identity": text, "raised": text, "text": text + " " + text,
                        "evidence": text, "remediation": text} for severity in ("critical", text)]}


def test_answers_of_an_impostor(impostor):
    path = impostor(line(hostile_status()))
    for command in ("status", "alarms"):
        for option in ([], ["--json"]):
            code, out, err = run("sipalert", "--socket", path, command, *option)
            assert code == 0 and "owned" in out and err == ""
            assert_harmless(out)
    code, out, _ = run("sipalert", "--socket", path, "status", "--json")
    assert json.loads(out)["sources"][0]["lines"] == 2**63 - 1


def test_errors_of_an_impostor(impostor):
    path = impostor(json.dumps({"sipalert": 1, "ok": False, "error": "no" + ESCAPES}).encode() + b"\n")
    for command in ("status", "reload", "test-notify"):
        code, out, err = run("sipalert", "--socket", path, command)
        assert code == 1 and "owned" in err and out == ""
        assert_harmless(err)


@pytest.mark.parametrize("version", [2**32 + 1, 2, -1, 0, None, "1"])
def test_an_answer_of_another_version(impostor, version):
    code, out, err = run("sipalert", "--socket", impostor(line(hostile_status(), version)), "status")
    assert code == 1 and out == "" and "as this version understands" in err


def limit_memory():
    if not os.environ.get("SIPALERT_SANITIZE"):  # which reserves terabytes
        resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))


def test_an_answer_without_end(impostor):
    """It fills no memory: the tool gives up."""
    mebibyte = b"x" * 1048576
    path = impostor(b'{"sipalert":1,"ok":true,"result":["', *[mebibyte] * 1000)
    code, _, err = run("sipalert", "--socket", path, "status", preexec_fn=limit_memory)
    assert code == 1 and "as this version understands" in err


def screen_of(words, started=lambda pid: None):
    """What the program writes to a terminal until it ends, after q."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", LC_ALL="C.UTF-8", LINES="40", COLUMNS="120")
        os.execv(words[0], words)
    started(pid)
    shown = b""
    quit_sent = False
    deadline = time.monotonic() + 20
    try:
        while True:
            if not select.select([fd], [], [], max(0, deadline - time.monotonic()))[0]:
                os.kill(pid, signal.SIGKILL)
            part = os.read(fd, 65536)
            shown += part
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            if not quit_sent and b"owned" in shown and b"active alarms" in shown:
                os.write(fd, b"q")
                quit_sent = True
            if part == b"":
                break
    except OSError:  # the other end is closed
        pass
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode("utf-8", "surrogateescape")


def test_top_of_an_impostor(impostor):
    path = impostor(line(hostile_status()))
    code, shown = screen_of([str(BUILD / "sipalert"), "--socket", path, "top"])
    assert code == 0
    assert "\x1b]0;" not in shown and "\x07" not in shown
    assert not set(ESCAPES[-4:]) & set(shown)


def waits(pid):
    """The process sleeps in a call, as /proc says."""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "S"


def test_top_is_interrupted_while_it_waits(tmp_path):
    """A window that changes its size does not cut off an answer that is on its way."""
    whole, pids = line(hostile_status()), []

    class InParts:
        def __iter__(self):
            wait_for(lambda: pids)
            for at in range(0, len(whole), 1 + len(whole) // 10):
                yield whole[at:at + 1 + len(whole) // 10]
                wait_for(lambda: waits(pids[0]), what="that it waits for the rest")
                os.kill(pids[0], signal.SIGWINCH)

    slow = Impostor(tmp_path / "s", InParts())
    try:
        code, shown = screen_of([str(BUILD / "sipalert"), "--socket", str(tmp_path / "s"), "top"], pids.append)
    finally:
        slow.close()
    assert code == 0 and "did not answer" not in shown


def test_names_of_files(tmp_path):
    path = os.fsencode(tmp_path) + b"/a" + ESCAPES.encode() + b"\xff\n.log"
    with open(path, "w") as log:
        log.write(reply(302))
    for options in (["--by", "source"], ["--json"], []):
        code, out, err = run("sipalert", "scan", "--regex", r"\] (?<code>\d+) ", *options, path)
        assert code == 0
        assert_harmless(out + err)
    code, out, _ = run("sipalert", "scan", "--by", "source", "--regex", r"\] (?<code>\d+) ", path)
    assert len([row for row in out.splitlines() if "owned" in row]) == 1  # the line feed in the name makes no row
    code, out, err = run("sipalert", "scan", path + b"missing")
    assert code == 1 and "owned" in err and len(err.splitlines()) == 1
    assert_harmless(err)


@pytest.mark.parametrize("body", [
    'nonsense{0} = 1\n', 'source "a" {{ file = "/x" start_at = "{0}" }}\n',
    'source "a" {{ file = "/x" format = {{"{0}"}} }}\n', 'include("/nonexistent/{0}")\n',
    'source "{0}" {{ }}\n', 'rule "{0}" {{ codes = {{"{0}"}} }}\n'])
def test_errors_of_the_configuration(tmp_path, body):
    conf = tmp_path / "c.conf"
    conf.write_text(body.format("a" + ESCAPES.replace("[", "")))  # which would make a glob of the name
    code, out, err = run("sipalertd", "-t", "-c", conf)
    assert code == 1 and out == "" and err.startswith(f"{conf}:")
    assert_harmless(err)
    code, out, err = run("sipalert", "-c", conf, "status")
    assert code == 1
    assert_harmless(err)


def test_the_name_of_the_configuration(tmp_path):
    path = os.fsencode(tmp_path) + b"/c" + ESCAPES.encode() + b".conf"
    for text in ("x = 1\n", ""):
        with open(path, "w") as conf:
            conf.write(text)
        _, _, err = run("sipalertd", "-t", "-c", path)
        assert "owned" in err
        assert_harmless(err)


def test_printing_it_back(tmp_path):
    """Printed it shows what it holds, and read again it is the same."""
    conf = tmp_path / "c.conf"
    text = ESCAPES.replace("\u2028", "") + 'a\\"b ${HOME}c\n\tfg'
    conf.write_text(f'source "a" {{ file = "/x/{ESCAPES}" }}\nstate_dir = "/y{ESCAPES}"\n'
                    'rule "r" { codes = {"302"} minor { count = 1 } remediation = \'' + text + "' }\n")
    code, first, err = run("sipalertd", "-T", "-c", conf)
    assert code == 0 and err == ""
    assert_harmless(first)
    conf.write_text(first)
    code, second, err = run("sipalertd", "-T", "-c", conf)
    assert code == 0 and second == first
    assert "\\x1b]0;owned\\x07\\x1b[2J" in first and "\\${HOME}" in first


def test_log_lines(daemon):
    """A name in the configuration, in a line of the daemon's own."""
    daemon.configure(f'snmp {{ mode = "off" }}\nsource "a\x1b[2J" {{ fifo = "{daemon.directory}/none/{ESCAPES}" }}\n')
    daemon.start()
    wait_for(lambda: "owned" in daemon.errors())
    status = daemon.status()
    daemon.stop()
    assert {source["name"] for source in status["sources"]} == {"edge", "a\\x1b[2J"}
    for row in daemon.errors().splitlines():
        assert_harmless(row)
