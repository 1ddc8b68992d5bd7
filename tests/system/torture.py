"""What the torture tests share: a daemon over a directory of logs, and the truth about what was written to them.

Truth is counted here, from the bytes that the test wrote, never from what the product says.  Every batch of lines
bears a status code of its own, so that a difference names the batch that was lost or counted twice.
"""
import collections
import contextlib
import gzip
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from conftest import BUILD, Daemon, reply, wait_for

CALM = 'snmp { mode = "off" }\nrule "none" { codes = {"699"} minor { count = 1000000 } }\n'
SENTINEL = 200
NOBODY = 65534
SLOW = float(os.environ.get("TORTURE_DEADLINE", "8"))  # more than one turn of the slowest poll
REPLY = re.compile(rb"\] (\d{3}) Reason from [0-9.]+:5060 method INVITE\r?$")
pause = time.sleep  # only where the scenario itself is a pause


def lines(code, n=1, host="x"):
    """n complete lines of one code, each different."""
    return b"".join(reply(code, call_id=f"{code}-{i}@{host}").encode() for i in range(n))


class Torture(Daemon):
    def __init__(self, directory):
        super().__init__(directory)
        self.logs = directory / "log"
        self.logs.mkdir()
        self.log = self.logs / "proxy.log"
        self.log.touch()
        self.state_dir = directory / "state"
        self.program = BUILD / "sipalertd"
        self.prefix = []
        self.env = {}
        self.limits = []
        self.codes = collections.Counter()
        self.written = 0  # lines, as wc -l sees them
        self.next_code, self.laps = 300, 0

    # The daemon

    def setup(self, file=None, keys="", body=""):
        """One source; file is a pattern or several under the directory of the logs, keys more keys of it."""
        patterns = [file or "proxy.log"] if isinstance(file, (str, type(None))) else file
        names = ", ".join(f'"{self.logs}/{pattern}"' for pattern in patterns)
        source = f'source "edge" {{ file = {{{names}}} format = {{"edge"}} {keys} }}\n'
        self.configure(source + CALM + body, source=False)
        return self

    def start(self, wait=True):
        if not self.config.exists():
            self.setup()

        def before():
            for limit, value in self.limits:
                resource.setrlimit(limit, (value, value))

        with open(self.stderr, "ab") as err:
            self.process = subprocess.Popen([*self.prefix, self.program, "-c", self.config], stderr=err,
                                            stdin=subprocess.DEVNULL, env=dict(os.environ, **self.env),
                                            preexec_fn=before if self.limits else None)
        if wait:
            wait_for(lambda: self.process.poll() is not None or self.status(check=False), what="the control socket")
            assert self.process.poll() is None, self.errors()
        return self

    def down(self, how):
        if how == "term":
            self.stop()
            assert self.process.returncode == 0, self.errors()
        else:
            self.kill()

    @contextlib.contextmanager
    def asleep(self):
        """The daemon lags: it does nothing while the block runs."""
        self.process.send_signal(signal.SIGSTOP)
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat")
        wait_for(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T", what="stopped")
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def cpu_share(self, seconds=1):
        def ticks():
            fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])

        before, begun = ticks(), time.monotonic()
        pause(seconds)
        return (ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begun)

    def held(self):
        """The log files that the daemon has open, as the kernel names them."""
        found = []
        for link in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found.append(os.readlink(link))
        return sorted(name for name in found if name.startswith(str(self.logs)))

    def alarms(self, kind):
        return [alarm for alarm in self.status()["alarms"] if alarm["kind"] == kind]

    # The truth

    def count(self, data):
        self.written += data.count(b"\n")
        for line in data.split(b"\n")[:-1]:
            if found := REPLY.search(line):
                self.codes[int(found[1])] += 1
        return data

    def batch(self, n, code=None):
        if code is not None:
            return lines(code, n)
        code, self.next_code = self.next_code, 300 + (self.next_code - 299) % 390
        self.laps += code == 300  # calls differ, so that no generation has the content of another
        return lines(code, n, "x" * self.laps)

    def raw(self, data, to=None):
        """Bytes that the test counts by itself, or that are no line yet."""
        if hasattr(to, "write"):
            to.write(data)
        else:
            with open(to or self.log, "ab", 0) as log:
                log.write(data)

    def write(self, n=5, to=None, code=None):
        """Appends n lines to a path or an open file; what open() creates here is a new log."""
        data = self.count(self.batch(n, code))
        self.raw(data, to)
        return data

    def uncount(self, data):
        """Lines that no program can know any more."""
        before = self.written, self.codes.copy()
        self.count(data)
        added = self.written - before[0], self.codes - before[1]
        self.written, self.codes = before[0] - added[0], before[1] - added[1]

    # Rotation as others do it

    def generation(self, ending):
        return self.logs / ("proxy.log" + ending)

    def shift(self):
        """logrotate: .1 becomes .2 and so on, whatever their endings."""
        old = [p for p in self.logs.iterdir() if re.fullmatch(r"proxy\.log\.\d+(\.gz|\.zst)?", p.name)]
        for path in sorted(old, key=lambda p: -int(p.name.split(".")[2])):
            name = path.name.split(".")
            path.rename(self.logs / ".".join(name[:2] + [str(int(name[2]) + 1)] + name[3:]))

    def rotate(self, how="rename", ending=".1"):
        plain = re.sub(r"\.(gz|zst)$", "", ending)
        if plain == ".1":
            self.shift()
        if how == "rename":
            self.log.rename(self.generation(plain))
        else:
            shutil.copy2(self.log, self.generation(plain))
            os.truncate(self.log, 0)
        if ending != plain:
            compress(self.generation(plain), ending[len(plain):])
        return self.generation(ending)

    # The verdict

    def caught_up(self, timeout=SLOW):
        with contextlib.suppress(AssertionError):  # the difference says more
            wait_for(lambda: self.source()["lines"] >= self.written, timeout)
        source = self.source()
        assert source["lines"] == self.written, f"code: (counted, written) {self.difference(source)}, {source['text']}"

    def seen(self, code):
        return self.source()["codes"].get(str(code), {}).get("responses", 0)

    def taken(self, n_bytes):
        """Waits until so many bytes of all files are read, as far as the daemon tells of unfinished lines."""
        def so_many():
            source = self.source()
            return source["bytes"] >= n_bytes or sum(file["offset"] for file in source["files"]) >= n_bytes

        with contextlib.suppress(AssertionError):
            wait_for(so_many, timeout=2)

    def difference(self, source):
        got = {int(code): seen["responses"] for code, seen in source["codes"].items() if seen["responses"]}
        return {code: (got.get(code, 0), self.codes[code]) for code in sorted(set(got) | set(self.codes))
                if got.get(code, 0) != self.codes[code]}

    def exact(self, rotations=None, truncations=None, sentinel=True, timeout=SLOW):
        """Every line written was counted once, and stays so when the daemon has looked at all names again."""
        end = time.monotonic() + timeout

        def until(condition):
            with contextlib.suppress(AssertionError):  # the difference says more
                wait_for(condition, max(end - time.monotonic(), 0.1))

        for turn in range(2 if sentinel else 0):
            self.write(1, sentinel if hasattr(sentinel, "write") else None, SENTINEL)
            until(lambda: self.seen(SENTINEL) >= self.codes[SENTINEL] or self.source()["lines"] > self.written)
            (self.logs / f"look-again-{turn}").touch()
        until(lambda: self.source()["lines"] >= self.written)
        assert self.process.poll() is None, self.errors()
        source = self.source()
        keys = ("state", "text", "rotations", "truncations", "partial_dropped", "files")
        told = {key: source.get(key) for key in keys}
        wrong = self.difference(source)
        assert wrong == {}, f"code: (counted, written) {wrong}, {told}"
        assert source["lines"] == self.written, told
        assert source["responses"] == sum(self.codes.values())
        assert source["lines"] == source["responses"] + source["unmatched"]
        for key, wanted in (("rotations", rotations), ("truncations", truncations)):
            if wanted is not None:
                assert source[key] in (wanted if isinstance(wanted, range) else (wanted,)), told
        return source


def compress(path, ending):
    """As logrotate does: the compressed file has the time of the plain one, which is gone after."""
    packed = pathlib.Path(f"{path}{ending}")
    if ending == ".gz":
        with open(packed, "wb") as file:
            file.write(gzip.compress(path.read_bytes(), 1))
    else:
        subprocess.run(["zstd", "-q", "-1", "-f", path, "-o", packed], check=True)
    shutil.copystat(path, packed)
    path.unlink()
    return packed


needs_zstd = pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")
ZSTD = pytest.param(".1.zst", marks=needs_zstd)


@pytest.fixture
def torture(tmp_path):
    torture = Torture(tmp_path)
    yield torture
    torture.kill()


@pytest.fixture
def nobody():
    """A daemon that may not read everything: root runs it as nobody, in a directory where nobody may go."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="sipalert-"))
    torture = Torture(directory)
    if os.geteuid() == 0:
        directory.chmod(0o755)
        os.chown(directory, NOBODY, NOBODY)
        torture.program = shutil.copy(BUILD / "sipalertd", directory)  # the build may stand where nobody may go
        torture.prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    yield torture
    torture.kill()
    torture.logs.chmod(0o755)
    shutil.rmtree(directory)


class Mounts:
    """A mount namespace kept by a process of its own; the test reaches into it below /proc/PID/root."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-m", "--propagation", "private", "cat"], stdin=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL)
        own = os.readlink("/proc/self/ns/mnt")
        wait_for(lambda: self.holder.poll() is not None or
                 os.readlink(f"/proc/{self.holder.pid}/ns/mnt") != own, what="a mount namespace")
        self.enter = ["nsenter", "-t", str(self.holder.pid), "-m", "--"]

    def run(self, *command):
        subprocess.run([*self.enter, *command], check=True, timeout=10)

    def inside(self, path):
        return pathlib.Path(f"/proc/{self.holder.pid}/root{path}")


@pytest.fixture
def mounts(torture):
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("needs root and a mount namespace")
    mounts = Mounts()
    torture.prefix = mounts.enter
    yield mounts
    torture.kill()
    mounts.holder.stdin.close()
    mounts.holder.wait(timeout=5)


FAULTS = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The file TORTURE_FAULTS says "errno cap pause_us every inode": what reads of followed files meet; none: nothing. */
static int
meddle(int fd, size_t *n)
{
    static unsigned calls;
    char text[100] = "", link[64], name[4096] = "";
    int control = (int)syscall(SYS_openat, AT_FDCWD, getenv("TORTURE_FAULTS"), O_RDONLY | O_CLOEXEC);
    int err = 0, every = 1;
    unsigned long cap = 0, us = 0, ino = 0;
    struct stat st;

    if (control == -1)
        return 0;
    (void)!syscall(SYS_read, control, text, sizeof text - 1);
    (void)syscall(SYS_close, control);
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, name, sizeof name - 1) == -1 || strstr(name, "/log/") == NULL)
        return 0;
    if (sscanf(text, "%d %lu %lu %d %lu", &err, &cap, &us, &every, &ino) != 5)
        return 0;
    if (calls++ % every != 0 || (ino != 0 && fstat(fd, &st) == 0 && st.st_ino != ino))
        return 0;
    if (us != 0)
        (void)usleep(us);
    if (cap != 0 && *n > cap)
        *n = cap;
    if (err == 0)
        return 0;
    errno = err;
    return -1;
}

#define GUARD if (meddle(fd, &n) == -1) return -1
ssize_t read(int fd, void *buf, size_t n) { GUARD; return syscall(SYS_read, fd, buf, n); }
ssize_t pread(int fd, void *buf, size_t n, off_t at) { GUARD; return syscall(SYS_pread64, fd, buf, n, at); }
ssize_t pread64(int fd, void *buf, size_t n, off_t at) { GUARD; return syscall(SYS_pread64, fd, buf, n, at); }
ssize_t __read_chk(int fd, void *buf, size_t n, size_t room) { (void)room; return read(fd, buf, n); }
ssize_t __pread_chk(int fd, void *buf, size_t n, off_t at, size_t room) { (void)room; return pread(fd, buf, n, at); }
ssize_t __pread64_chk(int fd, void *buf, size_t n, off_t at, size_t room) { (void)room; return pread(fd, buf, n, at); }

/* TORTURE_DEAF: watches are granted and nothing ever happens, as on a network file system. */
int
inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    static int watch;

    return getenv("TORTURE_DEAF") != NULL ? ++watch : (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}
"""


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler for the injected faults")
    if os.environ.get("SIPALERT_SANITIZE"):
        pytest.skip("a sanitizer wants to be the first library")
    directory = tmp_path_factory.mktemp("shim")
    (directory / "faults.c").write_text(FAULTS)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", "faults.so", "faults.c"], cwd=directory, check=True)
    return directory / "faults.so"


class Faults:
    def __init__(self, torture, shim):
        self.file = torture.directory / "faults"
        torture.env = {"LD_PRELOAD": str(shim), "TORTURE_FAULTS": str(self.file)}

    def set(self, error=0, cap=0, pause_us=0, every=1, inode=0):
        new = self.file.with_suffix(".new")
        new.write_text(f"{error} {cap} {pause_us} {every} {inode}\n")
        new.rename(self.file)

    def clear(self):
        self.file.unlink()


@pytest.fixture
def faults(torture, shim):
    return Faults(torture, shim)
