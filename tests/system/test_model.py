"""The follower against a model: random writing, rotating, compressing and restarting, and every line counts once.

A seed decides everything but the timing.  SIPALERT_MODEL_SEED runs one seed (what a failure prints replays it),
SIPALERT_MODEL_STEPS sets the steps of each run.  Each generation of the log (what lies between two rotations) has a
status code of its own, so that a difference names the file whose lines are missing or counted twice.

What no follower can get right is not generated: lines written between the copy and the truncation of copytruncate,
a half line cut by a truncation, files deleted before anybody could read them, and lines in a deleted file that
were read but not yet saved when SIGKILL comes.
"""
import gzip
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from conftest import reply, wait_for

CONFIG = 'snmp { mode = "off" }\nrule "none" { codes = {"699"} minor { count = 1 } }\n'
STEPS = int(os.environ.get("SIPALERT_MODEL_STEPS", "200"))
SEEDS = [int(s) for s in os.environ.get("SIPALERT_MODEL_SEED", "").split(",") if s]
SEEDS = SEEDS or [1, 2, 3, 4, 5, random.SystemRandom().randrange(100, 10**9)]
LATE_S = 15  # a writer may keep an old file for a while; the follower waits 60 s


class Generation:
    def __init__(self, number, base=0):
        self.number = number
        self.code = 300 + number % 300
        self.base = base  # lines that were there before the follower's first start
        self.lines = 0    # complete lines since


class Writer:
    """One open file of the proxy; rest is what is missing of the line begun last."""

    def __init__(self, path, generation):
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self.generation = generation
        self.rest = b""
        self.left = None  # when its file was renamed

    def write(self, data):
        assert os.write(self.fd, data) == len(data)


class World:
    """The directory as proxy and logrotate make it, and how many lines it has seen."""

    def __init__(self, daemon, seed):
        self.daemon, self.seed, self.rng = daemon, seed, random.Random(seed)
        self.style = self.rng.choice(("rename", "copytruncate", "both"))
        self.steps, self.serial = [], 0
        self.lines, self.codes = 0, {}    # the model
        self.removed = 0                  # lines in files that are gone
        self.rotated = []                 # rotated[i]: (generation, suffix) of proxy.log.(i + 1)
        self.generations = 0
        self.late = None                  # a writer that has not noticed the rotation
        self.caught_up = False            # everything was counted, and nothing was written since
        self.unsaved = False              # a file is gone whose lines may not be committed yet
        self.unread = False               # a file is gone whose lines may not be read yet
        self.up, self.saved = False, False
        self.before_the_start()

    # -- the proxy ---------------------------------------------------------------------------------------------

    def before_the_start(self):
        """What the follower finds at its first start is old and does not count."""
        for i in range(self.rng.randrange(4)):
            path = self.path(i, "")
            path.write_text("".join(reply(699, call_id=f"old{i}-{k}") for k in range(20 + i)))
            os.utime(path, (time.time() - 3600 * (i + 1),) * 2)
            self.rotated.append((Generation(-i, 20 + i), ""))
        base = self.rng.choice((0, 30))
        self.daemon.append("".join(reply(699, call_id=f"old-{k}") for k in range(base)))
        self.base = base + sum(g.base for g, _ in self.rotated)
        self.live = Writer(self.daemon.log, self.generation())
        self.live.generation.base = base

    def generation(self):
        self.generations += 1
        return Generation(self.generations)

    def path(self, i, suffix):
        return self.daemon.directory / f"proxy.log.{i + 1}{suffix}"

    def line(self, writer):
        self.serial += 1
        return reply(writer.generation.code, call_id=f"{self.serial}@{self.seed}").encode()

    def finish(self, writer):
        if writer.rest:
            writer.write(writer.rest)
            writer.rest = b""
            self.completed(writer, 1)

    def completed(self, writer, lines):
        self.caught_up = False
        self.lines += lines
        writer.generation.lines += lines
        code = str(writer.generation.code)
        self.codes[code] = self.codes.get(code, 0) + lines

    def write(self, writer=None, most=40):
        writer = writer or self.live
        count = self.rng.choice((1, self.rng.randint(1, most), self.rng.randint(1, most)))
        if self.rng.random() < 0.04:
            count = 4000
        self.finish(writer)
        data = b"".join(self.line(writer) for _ in range(count))
        cut = self.rng.randrange(len(data)) if self.rng.random() < 0.3 else 0
        if cut:
            writer.write(data[:cut])
        writer.write(data[cut:])
        self.completed(writer, count)
        return f"{count} lines to generation {writer.generation.number}"

    def partial(self):
        if self.live.rest:
            return None
        line = self.line(self.live)
        cut = self.rng.randrange(1, len(line))
        self.live.write(line[:cut])
        self.live.rest = line[cut:]
        return f"{cut} bytes of a line to generation {self.live.generation.number}"

    def late_write(self):
        return self.late and self.write(self.late, 5)

    def drop_late(self):
        if self.late is not None:
            self.finish(self.late)
            os.close(self.late.fd)
            self.late = None

    # -- logrotate ---------------------------------------------------------------------------------------------

    def shift(self):
        for i in reversed(range(len(self.rotated))):
            suffix = self.rotated[i][1]
            self.path(i, suffix).rename(self.path(i + 1, suffix))

    def rename(self):
        """Leaves the writer on the renamed file; reopen() ends the gap."""
        self.reopen()
        self.drop_late()
        self.shift()
        self.daemon.log.rename(self.path(0, ""))
        self.rotated.insert(0, (self.live.generation, ""))
        self.live.left = time.monotonic()
        return f"generation {self.live.generation.number} renamed" + (" with half a line" if self.live.rest else "")

    def reopen(self):
        if self.live.left is None:
            return None
        self.drop_late()
        self.late = self.live
        self.live = Writer(self.daemon.log, self.generation())
        if self.rng.random() < 0.6:
            self.drop_late()
        return f"generation {self.live.generation.number} opened" + (", the old one kept" if self.late else "")

    def rotate(self):
        return f"{self.rename()}; {self.reopen()}"

    def burst(self):
        done = []
        for _ in range(self.rng.randint(2, 6)):
            if self.rng.random() < 0.85:
                done.append(self.write(most=10))
            done.append(self.rotate() if self.style != "copytruncate" else self.copytruncate())
        return "burst: " + "; ".join(done)

    def copytruncate(self):
        self.reopen()
        self.finish(self.live)
        self.shift()
        subprocess.run(["cp", self.daemon.log, self.path(0, "")], check=True)
        os.truncate(self.daemon.log, 0)
        old = self.live.generation
        self.rotated.insert(0, (old, ""))
        self.live.generation = self.generation()
        return f"generation {old.number} copied, truncated: {self.live.generation.number} begins"

    def compress(self):
        busy = {w.generation for w in (self.live, self.late) if w is not None}
        plain = [i for i, (g, suffix) in enumerate(self.rotated) if not suffix and g not in busy]
        if not plain:
            return None
        i = self.rng.choice(plain)
        generation = self.rotated[i][0]
        kind = self.rng.choice((".gz", ".gz", ".zst" if shutil.which("zstd") else ".gz"))
        plain, packed = self.path(i, ""), self.path(i, kind)
        status = plain.stat()
        if kind == ".zst":
            subprocess.run(["zstd", "-q", plain, "-o", packed], check=True)
        elif self.rng.random() < 0.5:
            subprocess.run(["gzip", "-k", plain], check=True)
        else:
            packed.write_bytes(gzip.compress(plain.read_bytes()))
        os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
        plain.unlink()
        self.rotated[i] = (generation, kind)
        return f"{plain.name} is now {packed.name}"

    def purge(self):
        """Removes the oldest files; all their lines are counted."""
        if len(self.rotated) < 4:
            return None
        self.drop_late()
        if self.up:
            self.check()
            self.unsaved = True
        elif not (self.caught_up and self.saved):
            return None
        while len(self.rotated) > 3:
            generation, suffix = self.rotated.pop()
            self.path(len(self.rotated), suffix).unlink()
            self.removed += generation.base + generation.lines
        return "all but 3 rotated files removed"

    def delete(self):
        """Unlinks the live file, some of whose lines may be unread: the follower has it open."""
        self.reopen()
        self.finish(self.live)
        if self.up:
            if self.live.generation.lines == 0:
                self.write()
            self.check()
            frozen = self.rng.random() < 0.3 and self.freeze()
            self.write()
            self.daemon.log.unlink()
            if self.rng.random() < 0.5:
                self.write()
            self.unread = self.unsaved = True
        elif self.caught_up and self.saved:
            frozen = False
            self.daemon.log.unlink()
        else:
            return None
        old = self.live
        os.close(old.fd)
        self.removed += old.generation.base + old.generation.lines
        self.live = Writer(self.daemon.log, self.generation())
        self.write()
        if frozen:
            self.thaw()
        return f"generation {old.generation.number} deleted: {self.live.generation.number} begins"

    # -- the follower ------------------------------------------------------------------------------------------

    def freeze(self):
        self.daemon.process.send_signal(signal.SIGSTOP)
        return True

    def thaw(self):
        self.daemon.process.send_signal(signal.SIGCONT)

    def lag(self):
        """The follower sleeps while things happen."""
        self.freeze()
        done = [self.step(self.OUTSIDE) for _ in range(self.rng.randint(2, 6))]
        self.thaw()
        return "while it lags: " + "; ".join(done)

    def stop(self, how):
        if self.unread or (how == "kill" and self.unsaved):
            self.check()
        if how == "kill" and self.unsaved:
            how = "term"
        self.saved = how == "term"
        if how == "kill":
            self.daemon.kill()
        else:
            took = self.daemon.stop()
            assert took < 3 and self.daemon.process.returncode == 0, f"SIGTERM: {took} s, {self.daemon.errors()[-500:]}"
            self.unsaved = False
        self.up = False

    def start(self):
        while self.rng.random() < 0.15:
            self.daemon.start(wait=False)
            time.sleep(self.rng.random() * 0.05)
            self.daemon.kill()
        self.daemon.start()
        self.up = True

    def restart(self):
        how = self.rng.choice(("term", "kill", "kill"))
        if self.rng.random() < 0.3:
            self.check()
        self.stop(how)
        done = [self.step(self.OUTSIDE + ((self.delete, 2), (self.purge, 2)))
                for _ in range(self.rng.choice((0, 1, 2, 4, 8)))]
        self.start()
        return f"{how}: " + "; ".join(done)

    def pause(self):
        seconds = self.rng.choice((0.002, 0.02, 0.1, 0.3, 1.2 if self.rng.random() < 0.2 else 0.05))
        time.sleep(seconds)
        return f"{seconds} s"

    def check(self):
        status = wait_for(self.settled, 20, f"{self.lines} lines")
        counted = {code: v["responses"] for code, v in status["codes"].items()}
        if status["sources"][0]["lines"] != self.lines or counted != self.codes:
            raise AssertionError(f"{status['sources'][0]['lines']} lines counted, {self.lines} written")
        self.caught_up, self.unread = True, False
        return f"{self.lines} lines"

    def settled(self):
        status = self.daemon.status()
        return status["sources"][0]["lines"] >= self.lines and status

    # -- the dice ----------------------------------------------------------------------------------------------

    @property
    def OUTSIDE(self):
        """What happens whether or not the follower runs."""
        renames, copies = {"rename": (8, 0), "copytruncate": (0, 8), "both": (4, 4)}[self.style]
        return ((self.write, 30), (self.partial, 6), (self.rotate, renames), (self.rename, renames // 2),
                (self.reopen, 5), (self.copytruncate, copies), (self.burst, 3), (self.late_write, 4),
                (self.drop_late, 1), (self.compress, 7))

    def step(self, choices):
        now = time.monotonic()
        if self.live.left is not None and now - self.live.left > LATE_S:
            self.reopen()
        if self.late is not None and now - self.late.left > LATE_S:
            self.drop_late()
        what = self.rng.choices([c[0] for c in choices], [c[1] for c in choices])[0]
        return f"{what.__name__} {what() or '-'}"

    def run(self, steps):
        self.start()
        for number in range(steps):
            text = self.step(self.OUTSIDE + ((self.pause, 5), (self.check, 15), (self.lag, 4), (self.delete, 2),
                                             (self.purge, 2), (self.restart, 7)))
            self.steps.append(f"{number} {text}")
        self.steps.append("end")
        self.check()
        self.stop("kill" if not self.unsaved else "term")
        self.start()
        self.check()

    def on_disk(self):
        """Complete lines of each file, as zcat and wc -l see them."""
        found = {}
        for path in sorted(self.daemon.directory.glob("proxy.log*"), key=lambda p: (len(p.name), p.name)):
            tool = {".gz": ["zcat"], ".zst": ["zstdcat"]}.get(path.suffix, ["cat"])
            found[path.name] = subprocess.run([*tool, path], stdout=subprocess.PIPE, check=True).stdout.count(b"\n")
        return found

    def report(self, error):
        try:
            counted = {c: v["responses"] for c, v in self.daemon.status()["codes"].items()}
            source = {k: v for k, v in self.daemon.source().items() if k not in ("codes", "name", "format")}
            source["files"] = [(f["path"].rsplit("/", 1)[1], f["state"], f["offset"]) for f in source["files"]]
        except Exception as problem:  # the daemon may be the one that failed
            counted, source = {}, repr(problem)
        wrong = {int(c) - 300 if c != "699" else "old": f"counted {counted.get(c, 0)} of {self.codes.get(c, 0)}"
                 for c in sorted(set(counted) | set(self.codes)) if counted.get(c, 0) != self.codes.get(c, 0)}
        names = {f"proxy.log.{i + 1}{s}": g.number for i, (g, s) in enumerate(self.rotated)}
        return "\n".join([
            f"replay with SIPALERT_MODEL_SEED={self.seed} SIPALERT_MODEL_STEPS={STEPS} ({self.style})",
            f"{type(error).__name__}: {error}", *self.steps[-30:], f"wrong generations: {wrong}",
            f"files (lines): {self.on_disk()}", f"generations: {names}", f"source: {source}",
            "daemon: " + self.daemon.errors()[-1500:]])


@pytest.mark.parametrize("pattern", ("proxy.log", "proxy.log*"), ids=("name", "glob"))
@pytest.mark.parametrize("seed", SEEDS)
def test_every_line_counts_once(daemon, seed, pattern):
    daemon.configure(CONFIG)
    daemon.config.write_text(daemon.config.read_text().replace("proxy.log", pattern))
    world = World(daemon, seed)
    try:
        world.run(STEPS)
        assert sum(world.on_disk().values()) + world.removed == world.lines + world.base  # the model itself
    except Exception as error:
        if world.up:
            world.thaw()
        pytest.fail(world.report(error), pytrace=False)
