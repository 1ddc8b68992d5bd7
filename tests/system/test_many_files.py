"""A file for each call: more files than a source may hold.  The newest are followed, and nothing of the others is lost.
"""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import socket
import threading
import time

import pytest

from conftest import reply, wait_for

OFF = 'snmp { mode = "off" }\nrule "none" { codes = {"699"} minor { count = 1000000 } }\n'
FILES = 1024  # a source holds at least so many
SLOWER = 3 if os.environ.get("SIPALERT_SANITIZE") else 1
START_S = 10 * SLOWER  # about 2 where nothing else runs
ANSWER_S = 1 * SLOWER
COUNT_S = 15 * SLOWER


class Calls:
    """A directory with a file for each call, from the oldest to the newest, and what was written to them since."""

    def __init__(self, daemon, n, backwards=False):
        self.daemon, self.written = daemon, {}
        self.logs = daemon.directory / "calls"
        self.logs.mkdir()
        now = time.time()
        self.paths = [self.logs / f"call-{n - k if backwards else k:05}.log" for k in range(n)]
        for k, path in enumerate(self.paths):
            path.write_text(reply(200, call_id=path.stem))
            os.utime(path, (now - 60 - (n - k),) * 2)
        daemon.configure(f'source "calls" {{ file = "{self.logs}/*.log" format = {{"edge"}} }}\n' + OFF, source=False)

    def start(self):
        begun = time.monotonic()
        self.daemon.start()
        return time.monotonic() - begun

    def write(self, path, code, n):
        with open(path, "a") as log:
            log.write(reply(code, call_id=pathlib.Path(path).stem) * n)
        self.written[str(code)] = self.written.get(str(code), 0) + n

    def more(self, n, code, lines):
        """New calls, after all others."""
        fresh = [self.logs / f"later-{len(self.paths) + k:05}.log" for k in range(n)]
        for path in fresh:
            self.write(path, code, lines)
        self.paths += fresh
        return fresh

    def held(self):
        return [pathlib.Path(file["path"]) for file in self.daemon.source()["files"] if file["state"] == "following"]

    def left_out(self):
        held = set(self.held())
        return [path for path in self.paths if path not in held]

    def exact(self, timeout=COUNT_S):
        def counts():
            return {code: seen["responses"] for code, seen in self.daemon.status()["codes"].items()}

        with contextlib.suppress(AssertionError):  # the difference says more
            wait_for(lambda: counts() == self.written, timeout)
        source = self.daemon.source()
        assert counts() == self.written, (source["state"], source["text"])
        assert source["lines"] == sum(self.written.values())


def ask(daemon):
    """One status over the control socket; how long it took."""
    begun, answer = time.monotonic(), b""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(daemon.directory / "control.sock"))
        client.sendall(b'{"sipalert":1,"command":"status"}\n')
        while not answer.endswith(b"\n"):
            part = client.recv(1 << 20)
            assert part, "the daemon hung up"
            answer += part
    took = time.monotonic() - begun
    assert json.loads(answer)["ok"]
    return took


@contextlib.contextmanager
def answering(daemon):
    """Asks for the status all the time; no answer takes longer than a second."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        over = threading.Event()

        def all_the_time():
            worst = ask(daemon)
            while not over.wait(0.05):
                worst = max(worst, ask(daemon))
            return worst

        worst = pool.submit(all_the_time)
        try:
            yield
        finally:
            over.set()
        assert worst.result() < ANSWER_S, f"an answer took {worst.result():.2f} s"


@pytest.mark.parametrize("n, backwards", [(1100, False), (1100, True), (12000, False)],
                         ids=["1100", "1100 named backwards", "12000"])
def test_more_files_than_a_source_holds(daemon, n, backwards):
    """The live calls are counted at once, new ones too; the oldest are left out, and count when they grow again."""
    calls = Calls(daemon, n, backwards)
    assert calls.start() < START_S
    held, left_out = calls.held(), calls.left_out()
    assert len(held) >= min(n, FILES) and left_out == calls.paths[:len(left_out)]  # the oldest
    with answering(daemon):
        for path in calls.paths[-5:]:
            calls.write(path, 302, 200)
        calls.exact()
        calls.more(20, 430, 10)
        calls.exact()
        for path in (calls.paths[0], calls.paths[1], calls.paths[len(left_out)]):  # two old ones, one just let go
            calls.write(path, 486, 7)
        calls.exact()
        calls.write(calls.paths[0], 503, 3)
        calls.exact()


@pytest.mark.parametrize("n", [1100, 12000])
def test_more_files_than_a_source_holds_over_a_restart(daemon, n):
    """Each file goes on where it was, whether it was held or left out, and what was written meanwhile counts once."""
    calls = Calls(daemon, n)
    calls.start()
    calls.write(calls.paths[0], 404, 5)
    calls.write(calls.paths[-1], 404, 5)
    calls.exact()
    wait_for(lambda: daemon.status()["saved"], 30, "a commit")
    for how, code in ((daemon.stop, 486), (daemon.kill, 503)):
        how()
        calls.write(calls.paths[1], code, 2)
        calls.write(calls.paths[-2], code, 2)
        calls.more(3, 430, 4)
        assert calls.start() < START_S
        with answering(daemon):
            calls.exact()
            calls.write(calls.paths[0], code, 1)
            calls.write(calls.paths[-1], code, 1)
            calls.exact()
        wait_for(lambda: daemon.status()["saved"], 30, "a commit")


@pytest.mark.parametrize("n, at_once", [(1200, True), (12000, True), (3000, False)],
                         ids=["1200 at once", "12000 at once", "3000 one after the other"])
def test_calls_that_come_while_it_runs(daemon, n, at_once):
    """Busy hour: each new file counts from its first line, however many there are by then."""
    calls = Calls(daemon, 10)
    calls.start()
    with answering(daemon):
        for _ in range(1 if at_once else n // 100):
            calls.more(n if at_once else 100, 430, 1)
            if not at_once:
                wait_for(lambda: daemon.source()["lines"] > sum(calls.written.values()) - 100, COUNT_S)
        calls.exact(30)
        calls.write(calls.paths[0], 302, 2)
        calls.write(calls.paths[-1], 302, 2)
        calls.exact()
    wait_for(lambda: daemon.status()["saved"], 30, "a commit")
    daemon.kill()
    calls.start()
    calls.write(calls.paths[5], 486, 1)
    calls.exact()


def test_fewer_files_than_a_source_holds(daemon):
    """Nothing is left out and there is nothing to say."""
    calls = Calls(daemon, 200)
    calls.start()
    assert sorted(calls.held()) == sorted(calls.paths)
    for path in calls.paths[::20]:
        calls.write(path, 302, 3)
    calls.more(5, 430, 2)
    calls.exact()
    source = daemon.source()
    assert (source["state"], source["text"], len(source["files"])) == ("following", "", 205)
    assert daemon.status()["alarms"] == []


def test_what_is_left_out_is_said_and_is_no_blindness(daemon):
    """While every line is counted no alarm says that the source cannot be read."""
    calls = Calls(daemon, 3 * FILES)
    calls.start()
    calls.write(calls.paths[-1], 302, 20)
    calls.exact()
    left_out = calls.left_out()
    if left_out:
        assert daemon.source()["text"] != ""
    assert daemon.source()["state"] == "following"
    assert [alarm["kind"] for alarm in daemon.status()["alarms"]] == []
