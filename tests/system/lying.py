"""Logs on a file system that lies (lies.h, lying_fs.c), and histories of what happens to them (histories.py).

A history is one source with a log of its own: a writer appends lines, each different, and rotates, while lies begin
and end.  Its seed decides all of it but the timing.  Many run in one daemon at once.  Whatever was said meanwhile, in
the end all that was ever written lies on the disk, told truly; so all of it can be known, and counts once.
"""
import collections
import contextlib
import functools
import mmap
import os
import pathlib
import re
import shutil
import subprocess
import time
import warnings

import pytest

from conftest import HERE, Daemon, reply, wait_for
from histories import KINDS, MEDIA, Script

COLUMNS = re.findall(r"^ {4}([A-Z_]+),", (HERE / "lies.h").read_text(), re.M)
ROWS = int(re.search(r"LYING_ROWS (\d+)", (HERE / "lies.h").read_text())[1])
SANITIZER = os.environ.get("SIPALERT_SANITIZE", "")
RUNTIMES = {"address": "libasan.so"}
OLD = 699            # the code of lines that were there before the daemon
SETTLE_S = 15        # after the lies, until the source is well again
LOOK_S = 0.15        # between looks at the daemon
START_S = 5          # until the daemon answers
END_S, DOWN_S = 1.3, 0.3  # when it is ended in the middle, and for how long
AGAIN_S = 2.5        # twice the time in which a follower without inotify looks again, and more


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """What LD_PRELOAD has to be.  A sanitizer's runtime wants to be the first, and passes the calls on to the next."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    preload = [tmp_path_factory.mktemp("lying") / "lying_fs.so"]
    sources = HERE / "lying_fs.c", HERE / "lies.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-pthread", "-o", preload[0], *sources], check=True)
    if SANITIZER:
        if SANITIZER not in RUNTIMES:
            pytest.skip(f"-fsanitize={SANITIZER} does not pass all calls on to a preloaded library")
        runtime = subprocess.run(["cc", f"-print-file-name={RUNTIMES[SANITIZER]}"], capture_output=True, text=True,
                                 check=True).stdout.strip()
        if not os.path.isabs(runtime):
            pytest.skip(f"{runtime} is not found, which has to be loaded first")
        preload.insert(0, runtime)
    return " ".join(map(str, preload))


class Lies:
    """The table that the library reads: set() begins lies about a row's files, truth() ends them."""

    def __init__(self, path):
        path.write_bytes(bytes(ROWS * 2 * len(COLUMNS) * 8))
        with open(path, "r+b") as file:
            self.cells = memoryview(mmap.mmap(file.fileno(), 0)).cast("q")
        self.path = path

    def at(self, row, column):
        return row * 2 * len(COLUMNS) + COLUMNS.index(column)

    def set(self, row, **columns):
        for column, value in columns.items():
            self.cells[self.at(row, column)] = value

    def truth(self, row, *columns):
        self.set(row, **dict.fromkeys(columns or COLUMNS, 0))

    def told(self, row):
        """How often each lie was told."""
        return {c: n for c in COLUMNS if (n := self.cells[self.at(row, c) + len(COLUMNS)])}


class Log:
    """One log as its writer and logrotate make it, and how many lines of which code it was given."""

    def __init__(self, directory, seed):
        self.directory, self.host = directory, re.sub("[^a-z0-9]+", "-", str(seed).lower())
        directory.mkdir()
        self.path = directory / "proxy.log"
        self.serial, self.number = 0, 1
        self.written = collections.Counter()  # lines by code; each generation of the log has a code of its own
        self.rest = b""                       # of a line that is not complete
        self.old = None                       # the writer's descriptor of the generation before
        self.live = self.open()

    def open(self):
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def size(self):
        return os.stat(self.path).st_size

    def inode(self):
        return os.stat(self.path).st_ino

    def snapshot(self):
        """Keeps what the log is now, for a client who does not notice that it changes."""
        shutil.copy2(self.path, self.directory / ".before")
        return self.inode()

    def lines(self):
        return sum(self.written.values())

    def batch(self, count, number=None):
        first, self.serial = self.serial, self.serial + count
        return "".join(reply(300 + (number or self.number), call_id=f"{first + i}@{self.host}")
                       for i in range(count)).encode()

    def count(self, count, number=None):
        self.written[str(300 + (number or self.number))] += count

    # What the history does.  Lines count before they are there: nobody can have seen more than that.

    def finish(self):
        if self.rest:
            self.count(1)
            os.write(self.live, self.rest)
            self.rest = b""

    def write(self, lines, half):
        """So many lines, and half of another if half is more than 0 (thousandths of it)."""
        self.finish()
        data = self.batch(lines)
        self.count(lines)
        if half:
            line = self.batch(1)
            cut = max(len(line) * half // 1000, 1)
            data, self.rest = data + line[:cut], line[cut:]
        os.write(self.live, data)
        return f"{lines}{'½' if half else ''} lines to generation {self.number}, {self.size()} bytes"

    def late(self, lines):
        """To the file that was renamed, by a writer who has not noticed."""
        if self.old is None:
            return "no old file"
        self.count(lines, self.number - 1)
        os.write(self.old, self.batch(lines, self.number - 1))
        return f"{lines} lines to generation {self.number - 1}"

    def shift(self):
        for i in range(20, 0, -1):
            path = pathlib.Path(f"{self.path}.{i}")
            if path.exists():
                path.rename(f"{self.path}.{i + 1}")

    def let_go(self):
        if self.old is not None:
            os.close(self.old)
        self.old = None

    def rename(self):
        self.finish()
        self.let_go()
        self.shift()
        self.path.rename(f"{self.path}.1")
        self.old, self.live = self.live, self.open()
        self.number += 1
        return f"generation {self.number} begins in a new file"

    def copytruncate(self):
        self.finish()
        self.let_go()
        self.shift()
        shutil.copyfile(self.path, f"{self.path}.1")
        os.truncate(self.path, 0)
        self.number += 1
        return f"generation {self.number} begins in the same file"

    def close(self):
        self.let_go()
        os.close(self.live)

    def on_disk(self):
        return {path.name: path.read_bytes().count(b"\n") for path in sorted(self.directory.iterdir())}


class Run:
    """A history on its way, in row N of the table: source hN."""

    def __init__(self, world, number, history):
        self.world, self.number, self.name, self.history = world, number, f"h{number}", history
        self.log = Log(world.logs / f"lying-{number}", history.seed)
        self.told, self.complaints = [], {}
        self.settled_s = self.blind = self.over_s = None
        self.alarms = set()
        self.last = {}
        self.before_the_start()

    def before_the_start(self):
        """What the daemon finds at its first start is old and does not count."""
        if self.history.generation_before:
            old = self.log.directory / "proxy.log.1"
            old.write_text("".join(reply(OLD, call_id=f"older-{i}") for i in range(20)))
            os.utime(old, (time.time() - 3600,) * 2)
        os.write(self.log.live, "".join(reply(OLD, call_id=f"old-{i}") for i in range(self.history.base)).encode())
        self.world.lies.set(self.number, **MEDIA[self.history.medium])

    def config(self):
        path = f"{self.world.shown}/lying-{self.number}/{self.history.pattern}"
        name, most = self.name, self.history.most_lines() + 2
        return (f'source "{name}" {{ file = {{"{path}"}} format = {{"edge"}} }}\n'
                f'rule "{name}" {{ sources = {{"{name}"}} codes = {{"3xx", "4xx", "5xx", "6xx"}} window = "10m" '
                f'minor {{ count = {most} }} }}\n')

    def tell(self, at_s, text):
        self.told.append(f"{at_s:7.3f} {text}")

    def complain(self, kind, text):
        """Once of each kind."""
        if kind not in self.complaints:
            self.complaints[kind] = text
            self.tell(self.world.now(), f"FAULT: {kind}: {text}")

    def do(self, verb, arguments):
        at_s = self.world.now()
        if callable(verb):
            self.tell(at_s, f"{verb.__name__}: {verb(self, *arguments)}")
        elif verb == "lie":
            kind, row = arguments
            row = KINDS[kind].put(self.log, row) if kind in KINDS else row
            self.world.lies.set(self.number, **row)
            self.tell(at_s, f"lie: {kind} {row}")
        elif verb == "truth":
            self.world.lies.truth(self.number, *arguments[1])
            self.tell(at_s, f"truth again: {arguments[0]}")
        elif verb == "end":
            self.log.finish()
            self.over_s = at_s
            self.tell(at_s, f"end of lies, {self.log.lines()} lines written")
        else:
            self.tell(at_s, f"{verb}: {getattr(self.log, verb)(*arguments)}")

    # What the daemon says

    def look(self, source, alarms):
        """Never more than was written, and no alarm for what did not happen."""
        seen = source["state"], source["text"], source["lines"], source["truncations"], source["rotations"]
        if seen != self.last.get("seen"):
            self.tell(self.world.now(), "says: {}{}, {} lines, truncations {}, rotations {}".format(
                seen[0], seen[1] and f" ({seen[1]})", *seen[2:]))
        self.last = {"seen": seen, "source": source}
        if source["state"] not in ("following", "backlog") and source["text"]:
            self.blind = f"{source['state']}: {source['text']}"
        more = {code: (n, self.log.written[code]) for code, n in self.counted().items() if n > self.log.written[code]}
        if more or source["lines"] > self.log.lines():
            self.complain("more", f"{source['lines']} lines counted, {self.log.lines()} written; "
                                  f"code: (counted, written) {more}")
        self.alarms.update(alarm["kind"] for alarm in alarms)
        for alarm in alarms:
            if alarm["kind"] != "sourceBlind":
                self.complain("alarm", f"{alarm['kind']}: {alarm['text']}")
        if self.over_s is not None and self.settled_s is None and self.exact():
            self.settled_s = self.world.now() - self.over_s

    def counted(self):
        codes = self.last["source"]["codes"]
        return {code: seen["responses"] for code, seen in codes.items() if seen["responses"]}

    def done(self):
        """Nothing is to be waited for: it is well, or past help."""
        return self.settled_s is not None or "more" in self.complaints

    def may_be_exact(self):
        return self.settled_s is not None and "more" not in self.complaints

    def exact(self):
        source = self.last["source"]
        return (source["lines"] == source["responses"] == self.log.lines() and self.counted() == +self.log.written
                and source["state"] == "following")

    def judge(self):
        source = self.last.get("source")
        if source is None:
            return self.complain("nothing", "the daemon never told of it")
        wrong = {code: (self.counted().get(code, 0), n) for code, n in self.log.written.items()
                 if self.counted().get(code, 0) != n}
        if self.history.blind_allowed and self.blind and source["lines"] < self.log.lines():
            warnings.warn(f"{self.history}: {source['lines']} of {self.log.lines()} lines counted, and it had said: "
                          f"{self.blind}")
        elif wrong or source["lines"] != self.log.lines() or source["unmatched"]:
            self.complain("not exact", f"{source['lines']} lines counted, {self.log.lines()} written, "
                                       f"{source['unmatched']} not understood; code: (counted, written) {wrong}")
        elif self.over_s is not None and (self.settled_s or SETTLE_S) >= SETTLE_S:
            self.complain("late", f"it was not exact and well within {SETTLE_S} s after the lies")
        if source["state"] != "following" and "more" not in self.complaints:
            self.complain("not well", f"at the end it is {source['state']}: {source['text']}")
        return None

    def replay(self):
        seed = self.history.seed
        return (f", replay with SIPALERT_LYING_SEEDS={seed} SIPALERT_LYING_RESTART={self.world.restart_how}"
                if isinstance(seed, int) else "")

    def report(self):
        return "\n".join([
            f"{self.history}{self.replay()}", *self.told,
            f"lies told: {self.world.lies.told(self.number)}", f"lines on disk: {self.log.on_disk()}",
            f"files followed: {[tuple(f.values()) for f in self.last.get('source', {}).get('files', [])]}",
            *(f"daemon: {line}" for line in self.world.daemon.errors().splitlines()
              if f'"{self.name}"' in line or f"/lying-{self.number}/" in line)])


class World:
    """A daemon over many histories at once; in the middle it may be ended (term, kill) and started again."""

    def __init__(self, directory, library, histories, restart="", logs=None, shown=None):
        """logs: where they are written; shown: where the daemon sees them; if not in the directory."""
        assert len(histories) <= ROWS
        self.logs, self.shown = logs or directory, shown or logs or directory
        self.restart_how = restart
        self.directory = directory
        self.lies = Lies(directory / "lies")
        self.daemon = Daemon(directory)
        self.env = {"LD_PRELOAD": library, "LYING_FS": str(self.lies.path)}
        self.runs = [Run(self, number, history) for number, history in enumerate(histories)]
        self.daemon.configure('snmp { mode = "off" }\n' + "".join(run.config() for run in self.runs), source=False)
        self.begun = self.looked = self.up_s = 0
        self.down = False

    def now(self):
        return time.monotonic() - self.begun

    def look(self):
        starting = self.down or self.daemon.process.poll() is None and self.now() < self.up_s + START_S
        status = None if self.down else self.daemon.status(check=not starting)
        self.looked = self.now()
        if status is None:
            return
        sources = {source["name"]: source for source in status["sources"]}
        for run in self.runs:
            run.look(sources[run.name], [a for a in status["alarms"] if a["source"] == run.name])

    def wait_until(self, at_s, condition=lambda: False):
        while self.now() < at_s and not condition():
            if self.now() >= self.looked + LOOK_S:
                self.look()
            else:
                time.sleep(max(min(at_s, self.looked + LOOK_S) - self.now(), 0))

    def start(self):
        self.daemon.start(env=self.env)
        wait_for(lambda: all(s["state"] == "following" for s in self.daemon.status()["sources"]), what="following")
        self.begun, self.looked = time.monotonic(), 0
        return self

    def run(self):
        """Returns the runs that went wrong."""
        self.start()
        try:
            self.live()
        except (AssertionError, subprocess.TimeoutExpired) as error:
            for run in self.runs:
                run.complain("no answer", f"exit status {self.daemon.process.poll()}, {error}\n"
                                          + self.daemon.errors()[-2000:])
        else:
            for run in self.runs:
                run.judge()
        for run in self.runs:
            run.log.close()
        return [run for run in self.runs if run.complaints]

    def end_daemon(self):
        self.down = True
        if self.restart_how == "kill":
            self.daemon.kill()
        else:
            self.daemon.stop()
        self.tell(f"the daemon is ended: {self.restart_how}")

    def start_daemon(self):
        self.daemon.start(env=self.env, wait=False)
        self.down, self.up_s = False, self.now()
        self.tell("the daemon is started")

    def tell(self, text):
        for run in self.runs:
            run.tell(self.now(), text)

    def live(self):
        steps = [(at / 1000, functools.partial(run.do, verb, arguments))
                 for run in self.runs for at, verb, arguments in run.history.steps]
        if self.restart_how:
            steps += [(END_S, self.end_daemon), (END_S + DOWN_S, self.start_daemon)]
        for at_s, step in sorted(steps, key=lambda step: step[0]):
            self.wait_until(at_s)
            step()
        self.wait_until(max(run.over_s for run in self.runs) + SETTLE_S,
                        lambda: all(run.done() for run in self.runs))
        for run in self.runs:  # one more line, and another look at all names
            run.do("write", (1, 0))
            (run.log.directory / "look-again").touch()
        self.wait_until(self.now() + AGAIN_S)
        self.wait_until(self.now() + SETTLE_S, lambda: all(run.exact() for run in self.runs if run.may_be_exact()))
        self.look()


class Scene(World):
    """A daemon over one log, for a test that says itself what happens."""

    def __init__(self, directory, library, medium="network", most=1000, logs=None, shown=None, **options):
        script = Script("scene", medium=medium, most=most, **options)
        super().__init__(directory, library, [script], logs=logs, shown=shown)
        self.only, self.log = self.runs[0], self.runs[0].log

    def lie(self, **columns):
        self.lies.set(0, **columns)
        self.only.tell(self.now(), f"lie: {columns}")

    def truth(self, *columns):
        """All lies end but those of the medium."""
        self.lies.truth(0, *columns)
        self.lies.set(0, **MEDIA[self.only.history.medium])
        self.only.tell(self.now(), "truth again")

    def do(self, verb, *arguments):
        self.only.do(verb, arguments)

    def write(self, lines):
        self.do("write", lines, 0)

    def until(self, condition, timeout=SETTLE_S):
        """Looks at the daemon until the condition holds of its source, or the time is over; returns whether it does."""
        self.look()
        self.wait_until(self.now() + timeout, lambda: condition(self.source()))
        return condition(self.source())

    def source(self):
        return self.only.last["source"]

    def well(self, timeout=SETTLE_S):
        """It is exact in time and stays so, and has been right all the time."""
        self.until(lambda _: self.only.done() or self.only.exact(), timeout)
        self.wait_until(self.now() + AGAIN_S)
        self.look()
        self.only.judge()
        if self.only.complaints:
            pytest.fail(self.only.report(), pytrace=False)
        return self.source()

    def restart(self, how="term", meanwhile=lambda: None):
        self.restart_how = how
        self.end_daemon()
        meanwhile()
        self.start_daemon()
        wait_for(lambda: self.daemon.status(check=False), what="the control socket")
        self.look()


@contextlib.contextmanager
def world(directory, library, histories, restart=""):
    made = World(directory, library, histories, restart)
    try:
        yield made
    finally:
        made.daemon.kill()


@pytest.fixture
def scene(tmp_path, library):
    made = []

    def make(*arguments, **options):
        made.append(Scene(tmp_path, library, *arguments, **options))
        return made[0]

    yield make
    for one in made:
        one.daemon.kill()
        one.log.close()
