"""SIGKILL at random points of a stream: every line counts once.

SIPALERT_KILLS and SIPALERT_KILL_LINES set the size, SIPALERT_KILL_SEED the moments.
"""
import contextlib
import os
import random
import subprocess
import sys
import time

import pytest

from conftest import reply, wait_for

CONFIG = 'snmp { mode = "off" }\nrule "none" { codes = {"699"} minor { count = 1 } }\n'
KILLS = int(os.environ.get("SIPALERT_KILLS", "200"))
LINES = int(os.environ.get("SIPALERT_KILL_LINES", "1000000"))
SEED = int(os.environ.get("SIPALERT_KILL_SEED", "26"))
CODES = (200, 302, 404, 430, 486, 503, 603)
PACE_S = 0.16  # what one kill takes, about: the stream lasts as long as the kills

# The proxy: writes pieces that end anywhere at an even pace, rotates now and then, and finishes a line where it
# began it.
WRITER = """
import os, random, sys, time
sys.path.insert(0, {here!r})
from test_kill import CODES, reply
path, lines, seconds, rotations, seed = {path!r}, {lines}, {seconds}, {rotations}, {seed}
rng = random.Random(seed)
begun, done, rotated, rest = time.monotonic(), 0, 0, b""
fd = os.open(path, os.O_WRONLY | os.O_APPEND)
while done < lines:
    count = min(lines - done, rng.randint(1, 2000))
    data = rest + "".join(reply(CODES[k % 7], call_id=f"{{k}}@x") for k in range(done, done + count)).encode()
    done += count
    cut = rng.randrange(1, len(data))
    os.write(fd, data[:cut])
    rest = data[cut:]
    if rotated < rotations * done // lines:
        for k in range(rotated, 0, -1):
            os.rename(f"{{path}}.{{k}}", f"{{path}}.{{k + 1}}")
        os.rename(path, path + ".1")
        rotated += 1
        time.sleep(rng.choice((0, 0, 0.05)))
        os.write(fd, rest)
        rest = b""
        os.close(fd)
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    time.sleep(max(0, begun + seconds * done / lines - time.monotonic()))
os.write(fd, rest)
"""


def delay(rng):
    """Many kills fall into the start, most a little later, and a few come late enough for a commit by time."""
    kind = rng.random()
    if kind < 0.25:
        return rng.uniform(0, 0.015)
    if kind < 0.93:
        return rng.uniform(0.015, 0.2)
    return rng.uniform(0.9, 1.3)


def read_to_the_end(daemon, lines):
    """The status when all lines are counted, or after the deadline: then the difference says more."""
    with contextlib.suppress(AssertionError):
        wait_for(lambda: (daemon.status(check=False) or {"sources": [{"lines": -1}]})["sources"][0]["lines"] >= lines, 60)
    return daemon.status()


@pytest.mark.parametrize("rotations, pattern", ((0, "proxy.log"), (12, "proxy.log"), (12, "proxy.log*")),
                         ids=("still", "renamed", "renamed-glob"))
def test_kill_at_any_moment(daemon, rotations, pattern):
    kills, lines = (KILLS, LINES) if rotations == 0 else (KILLS // 4, LINES // 4)
    rng = random.Random(f"{SEED} {pattern} {rotations}")
    daemon.configure(CONFIG)
    daemon.config.write_text(daemon.config.read_text().replace("proxy.log", pattern))
    daemon.start()
    script = WRITER.format(here=os.path.dirname(__file__), path=str(daemon.log), lines=lines, seconds=kills * PACE_S,
                           rotations=rotations, seed=SEED)
    writer = subprocess.Popen([sys.executable, "-c", script])
    survived = 0  # kills that came while the stream was growing
    try:
        for _ in range(kills):
            time.sleep(delay(rng))
            assert daemon.process.poll() is None, daemon.errors()[-2000:]
            daemon.kill()
            survived += writer.poll() is None
            daemon.start(wait=False)
        wait_for(lambda: writer.poll() is not None, kills * PACE_S + 60, "the writer")
    finally:
        writer.kill()
        writer.wait()
    assert writer.returncode == 0 and survived > kills // 3
    written = b"".join(path.read_bytes() for path in daemon.directory.glob("proxy.log*"))
    assert written.count(b"\n") == lines
    expected = {str(code): len(range(k, lines, 7)) for k, code in enumerate(CODES)}
    for how in ("killed", "stopped", "started again"):
        status = read_to_the_end(daemon, lines)
        source = status["sources"][0]
        assert (source["lines"], source["responses"], source["unmatched"]) == (lines, lines, 0), how
        assert source["bytes"] == len(written), how
        assert {code: v["responses"] for code, v in status["codes"].items()} == expected, how
        assert daemon.stop() < 3
        daemon.start()


@pytest.mark.parametrize("begun", (False, True), ids=("whole", "half"))
@pytest.mark.parametrize("before", (0, 50))
def test_the_first_answer_means_that_positions_are_safe(daemon, before, begun):
    """Killed as soon as it answers for the first time: what comes then counts, what was there does not."""
    line = reply(302)
    daemon.append(reply(486) * before + (line[:60] if begun else ""))
    daemon.configure(CONFIG)
    daemon.start()
    daemon.kill()
    daemon.append((line[60:] if begun else "") + reply(404) * 20)
    daemon.start()
    daemon.wait_lines(20 + begun)
    counted = {code: v["responses"] for code, v in daemon.status()["codes"].items()}
    assert counted == {"404": 20, **({"302": 1} if begun else {})}


def test_kill_before_the_first_answer(daemon):
    """Killed during the very first start, again and again: it starts in the end, and counts from there."""
    rng = random.Random(SEED)
    daemon.configure(CONFIG)
    daemon.append(reply(486) * 1000)
    for _ in range(30):
        daemon.start(wait=False)
        time.sleep(rng.uniform(0, 0.03))
        daemon.kill()
    daemon.start()
    daemon.append(reply(404) * 10)
    assert set(daemon.wait_lines(10)["codes"]) == {"404"}
