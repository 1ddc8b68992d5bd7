"""Sick disks, full disks, missing inotify: system calls fail under the daemon (faults.c), and it bears that.

With every fault it stays alive, answers within a second, does not spin, ends within 3 s, and counts exactly when
the fault is gone and after a restart.
"""
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from conftest import HERE, reply, wait_for

pytestmark = [
    pytest.mark.skipif(bool(os.environ.get("SIPALERT_SANITIZE")), reason="a sanitizer wants to be loaded first"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler"),
]

CONFIG = 'snmp { mode = "off" }\nrule "none" { codes = {"699"} minor { count = 1 } }\n'
CODES = (200, 302, 404, 430, 503)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("faults") / "faults.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", path, HERE / "faults.c"], check=True)
    return path


class Sick:
    """A daemon under faults, and what was written for it."""

    def __init__(self, daemon, library, rules):
        self.daemon, self.lines = daemon, 0
        self.switch = daemon.directory / "faulty"
        self.env = {"LD_PRELOAD": str(library), "FAULTS": rules, "FAULT_SWITCH": str(self.switch)}
        daemon.configure(CONFIG)

    def start(self, **options):
        self.daemon.start(env=self.env, **options)

    def write(self, lines, cut=0):
        data = "".join(reply(CODES[k % len(CODES)], call_id=f"{k}@x")
                       for k in range(self.lines, self.lines + lines)).encode()
        self.lines += lines
        for at in range(0, len(data), cut or len(data)):
            self.daemon.append(data[at:at + (cut or len(data))])

    def rotate(self):
        for k in range(8, 0, -1):
            path = pathlib.Path(f"{self.daemon.log}.{k}")
            if path.exists():
                path.rename(f"{self.daemon.log}.{k + 1}")
        self.daemon.log.rename(f"{self.daemon.log}.1")
        self.daemon.log.touch()

    def hits(self):
        path = pathlib.Path(f"{self.switch}.hits")
        return path.stat().st_size if path.exists() else 0

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.daemon.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def bears_it(self, seconds=1.0, meeting=False):
        """For a while (or until it meets the fault): alive, answers within a second each time, does not spin."""
        cpu, begun, before = self.cpu_s(), time.monotonic(), self.hits()
        while time.monotonic() < begun + (seconds if not meeting or self.hits() > before else seconds + 8):
            self.write(20)
            asked = time.monotonic()
            self.daemon.status()
            assert time.monotonic() - asked < 1, "the control socket does not answer within a second"
            time.sleep(0.1)
        assert self.daemon.process.poll() is None, self.daemon.errors()[-2000:]
        assert self.cpu_s() - cpu < 0.6 * (time.monotonic() - begun), "it spins"

    def exact(self, timeout=30):
        try:
            wait_for(lambda: self.daemon.source()["lines"] >= self.lines, timeout)
        except AssertionError:
            pass
        status = self.daemon.status()
        source = status["sources"][0]
        assert (source["lines"], source["responses"]) == (self.lines, self.lines), (source, self.daemon.errors()[-1500:])
        expected = {str(c): len(range(k, self.lines, len(CODES))) for k, c in enumerate(CODES)}
        assert {c: v["responses"] for c, v in status["codes"].items()} == {c: n for c, n in expected.items() if n}

    def restart_well(self):
        """Without the library; first what was saved counts, then what is new."""
        self.switch.unlink(missing_ok=True)
        self.daemon.start()
        self.exact()
        self.write(50)
        self.exact()


@pytest.fixture
def sick(daemon, library):
    made = []

    def make(rules):
        made.append(Sick(daemon, library, rules))
        return made[0]

    yield make


def lost(daemon):
    return [a for a in daemon.status()["alarms"] if a["kind"] == "stateLost"]


LOG_READS = "read,pread|proxy.log|"
STATE_SYNC = "fsync,fdatasync|state.db|"
STATE_WRITES = "write,pwrite,ftruncate|state.db|"
FAULTS = {
    "log-eio": LOG_READS + "EIO",
    "log-eintr": LOG_READS + "EINTR|every=2",
    "log-short": LOG_READS + "short",
    "log-eagain": LOG_READS + "EAGAIN",
    "log-estale": LOG_READS + "ESTALE",
    "log-eio-now-and-then": LOG_READS + "EIO|every=3",
    "open-emfile": "open|proxy.log|EMFILE|times=5",
    "open-enfile": "open|proxy.log|ENFILE|times=5",
    "open-eacces": "open|proxy.log|EACCES|times=5",
    "open-estale": "open|proxy.log|ESTALE|times=5",
    "watch-enospc": "inotify_add_watch|*|ENOSPC",
    "watch-silent": "inotify_add_watch|*|silent",
    "state-enospc": STATE_WRITES + "ENOSPC",
    "state-edquot": STATE_WRITES + "EDQUOT",
    "state-write-eio": STATE_WRITES + "EIO",
    "state-read-only": STATE_WRITES + "EROFS;openw|state.db|EROFS",
    "state-short-writes": "pwrite,write|state.db|short|every=2",
    "state-eintr": "read,pread,write,pwrite|state.db|EINTR|every=3",
    "state-sync-eio": STATE_SYNC + "EIO",
    "state-sync-eintr": STATE_SYNC + "EINTR|every=2",
    "state-slow-sync": STATE_SYNC + "sleep=400",
    "state-stalled": "fsync,fdatasync,pwrite|state.db|sleep=5000",
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_comes_and_goes(sick, daemon, name):
    sick = sick(FAULTS[name])
    sick.start()
    sick.write(200)
    sick.exact()
    for ending in ("recovers", "is stopped"):
        sick.switch.touch()
        before = sick.hits()
        sick.write(30, cut=77)
        sick.rotate()
        sick.bears_it(seconds=7 if name == "state-stalled" else 1, meeting=name.startswith("state"))
        if sick.hits() == before and FAULTS[name].startswith(STATE_SYNC):
            pytest.skip("commits are not synced one by one")
        assert sick.hits() > before or before >= 1000 or "times=" in FAULTS[name] and ending != "recovers", "the fault was not met"
        if ending == "recovers":
            sick.switch.unlink()
            sick.exact(60)  # whatever it tried again, it does not wait longer for the next time
        else:
            assert daemon.stop() < 3
    sick.restart_well()


@pytest.mark.parametrize("rule", ("inotify_add_watch|*|ENOSPC", "inotify_add_watch|*|silent", "inotify_init|*|EMFILE",
                                  "inotify_add_watch|*|ENOMEM"))
def test_without_inotify_it_polls(sick, daemon, rule):
    """No watch from the start: appended lines and rotations are found all the same, soon."""
    sick = sick(rule)
    sick.switch.touch()
    sick.start()
    for round_ in range(4):
        sick.write(20)
        if round_ % 2:
            sick.rotate()
            sick.write(20)
        sick.exact(timeout=15)
    assert sick.hits()
    if "silent" not in rule:
        assert "inotify" in daemon.source()["text"] and "disk" not in daemon.source()["text"]
    assert daemon.stop() < 3
    sick.restart_well()


@pytest.mark.parametrize("rule", (LOG_READS + "EINTR|every=2", LOG_READS + "short"), ids=("eintr", "short"))
def test_small_reads_make_progress(sick, daemon, rule):
    """Not only afterwards: while it lasts."""
    sick = sick(rule)
    sick.switch.touch()
    sick.start()
    for _ in range(5):
        sick.write(40)
        sick.exact(timeout=20)
        sick.rotate()
    assert sick.hits()


@pytest.mark.parametrize("after", range(3))
def test_every_third_read_fails(sick, daemon, after):
    """Whichever of a slice's reads it meets, that of its bytes or that which compares its beginning."""
    sick = sick(f"{LOG_READS}EIO|every=3|after={after}")
    sick.start()
    sick.write(20)
    sick.exact()
    sick.switch.touch()
    sick.bears_it()
    sick.switch.unlink()
    sick.exact()


@pytest.mark.parametrize("reads", range(1, 6))
def test_truncated_between_two_reads_of_a_slice(sick, daemon, reads):
    """Copied, truncated and written past the old end while the daemon is about to do its next read."""
    sick = sick("pread|proxy.log|sleep=200")
    sick.start()
    sick.write(3)
    sick.exact()
    sick.switch.touch()
    before = sick.hits()
    sick.write(25)
    wait_for(lambda: sick.hits() >= before + reads, 10, f"read {reads} after the lines were appended")
    shutil.copy(daemon.log, f"{daemon.log}.1")
    os.truncate(daemon.log, 0)
    sick.write(99)
    sick.switch.unlink()
    sick.exact()


def test_rotated_while_the_rests_are_searched(sick, daemon):
    """After a restart the log's rest is in the first generation; while that is opened it becomes the second."""
    sick = sick("open|proxy.log.1|sleep=1000|times=1")
    sick.start()
    sick.write(40)
    sick.exact()
    daemon.kill()
    sick.write(25)
    sick.rotate()
    sick.write(10)
    sick.switch.touch()
    sick.start(wait=False)
    wait_for(sick.hits, 10, "the generation is about to be opened")
    sick.rotate()
    sick.write(5)
    wait_for(lambda: daemon.status(check=False), 10, "the control socket")
    sick.exact()
    assert daemon.stop() < 3
    sick.restart_well()


@pytest.mark.parametrize("error, state, text", (("EIO", "failed", "error"), ("EACCES", "denied", "denied")))
def test_a_log_that_cannot_be_read_says_so(sick, daemon, error, state, text):
    sick = sick(f"{LOG_READS}{error};open|proxy.log|{error}")
    sick.start()
    sick.write(10)
    sick.exact()
    sick.switch.touch()
    sick.rotate()
    sick.write(10)
    found = wait_for(lambda: daemon.source()["state"] == state and daemon.source(), 30, state)
    assert text in found["text"] and "proxy.log" in found["text"]
    sick.switch.unlink()
    sick.exact()
    wait_for(lambda: daemon.source()["state"] == "following", 30, "following")


@pytest.mark.parametrize("name", ("state-enospc", "state-read-only", "state-write-eio"))
def test_state_that_cannot_be_saved_is_one_alarm(sick, daemon, name):
    sick = sick(FAULTS[name])
    sick.start()
    sick.write(100)
    sick.exact()
    assert lost(daemon) == []
    sick.switch.touch()
    sick.write(100)
    alarm = wait_for(lambda: lost(daemon) or sick.bears_it(0.5), 20, "an alarm")
    for _ in range(4):  # one it is and one it stays
        sick.bears_it(seconds=0.5)
        assert [a["id"] for a in lost(daemon)] == [alarm[0]["id"]]
    assert alarm[0]["text"] and alarm[0]["remediation"]
    assert daemon.errors().count("ALARM raised") == 1 and len(daemon.errors().splitlines()) < 40
    sick.exact()  # in memory
    sick.switch.unlink()
    wait_for(lambda: not lost(daemon), 60, "the end of the alarm")
    sick.write(100)
    sick.exact()
    daemon.kill()
    sick.restart_well()


def test_killed_while_nothing_could_be_saved(sick, daemon):
    """What was saved last is whole: the lines since are read again."""
    sick = sick(FAULTS["state-enospc"])
    sick.start()
    sick.write(300)
    sick.exact()
    sick.switch.touch()
    for _ in range(3):
        sick.write(100)
        sick.rotate()
    sick.bears_it(3)
    daemon.kill()
    sick.restart_well()


def test_stopped_while_the_disk_stalls_at_the_start(sick, daemon):
    """It may not answer before its positions are safe, but it ends in time."""
    sick = sick(FAULTS["state-stalled"])
    sick.switch.touch()
    sick.start(wait=False)
    wait_for(lambda: sick.hits() or daemon.process.poll() is not None, what="a call on state.db")
    assert daemon.stop() < 3
    sick.switch.unlink()
    daemon.start()
    sick.write(10)
    sick.exact()


def test_state_that_cannot_be_read_does_not_keep_it_from_starting(sick, daemon):
    sick = sick("read,pread|state.db|EIO")
    sick.start()
    sick.write(50)
    sick.exact()
    assert daemon.stop() < 3
    sick.switch.touch()
    sick.start()
    assert sick.hits()
    wait_for(lambda: lost(daemon), 30, "an alarm")
    before = daemon.source()["lines"]
    sick.write(20)
    wait_for(lambda: daemon.source()["lines"] == before + 20, 30, "20 more lines")
    assert daemon.stop() < 3


@pytest.mark.parametrize("ending", ("drained", "stopped"))
def test_a_backlog_on_a_slow_disk_starves_nobody(sick, daemon, ending):
    """Each read takes 50 ms and there is much to read: it answers meanwhile, says how much is left, and ends in time."""
    sick = sick(LOG_READS + "sleep=50")
    sick.start()
    sick.switch.touch()
    sick.write(250000)
    left = []

    def further():
        asked = time.monotonic()
        backlog = daemon.source()["backlog_bytes"]
        assert time.monotonic() - asked < 1, "the control socket does not answer within a second"
        if not left or backlog < left[-1]:
            left.append(backlog)
        return len(left) == 8

    wait_for(further, 20, "the backlog grows smaller")
    assert left[0] > left[-1] > 0
    if ending == "drained":
        sick.switch.unlink()
        sick.exact()
    assert daemon.stop() < 3
    sick.restart_well()


def test_faults_of_all_kinds_at_once(sick, daemon):
    """Rare errors everywhere while the log grows and rotates; twice with a kill."""
    sick = sick("read,pread|proxy.log|EIO|every=7;open|proxy.log|EMFILE|every=5;pwrite,write|state.db|ENOSPC|every=9;"
                "fsync,fdatasync|state.db|EIO|every=4;inotify_add_watch|*|ENOSPC|every=3")
    sick.start()
    sick.write(10)
    sick.exact()
    for round_ in range(6):
        sick.switch.touch()
        sick.write(200, cut=1500)
        sick.rotate()
        sick.bears_it(0.7)
        if round_ in (2, 4):
            daemon.kill()
            sick.switch.unlink()
            sick.start()
    sick.switch.unlink()
    sick.exact()
    assert daemon.stop() < 3
    sick.restart_well()
