"""The log follower over file systems whose attributes lag, lie, and come back: what NFS, SMB, sshfs and FUSE do.

What a file system says of a file is a hint; bytes that were compared are a proof.  Each case ends with the truth, and
then every line counts once; meanwhile never more is counted than was written (lying.py).
"""
import errno
import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from conftest import wait_for
from histories import Script
from lying import Lies, library, scene, world  # noqa: F401: fixtures
from torture import needs_zstd


LOOKS_S = 2.5  # more than twice the time after which a follower without inotify looks again


# The library itself


PROBE = r"""
import fcntl, json, os, sys
def probe(path, fd):
    def tried(call):
        try:
            return call()
        except OSError as error:
            return "errno %d" % error.errno
    def look(status):
        return [status.st_size, status.st_ino]
    version = bytearray(16)
    tried(lambda: fcntl.ioctl(fd, 0x80087601, version))
    return {"stat": tried(lambda: look(os.stat(path))), "fstat": tried(lambda: look(os.fstat(fd))),
            "end": tried(lambda: os.lseek(fd, 0, os.SEEK_END)), "pread": tried(lambda: os.pread(fd, 100, 0).decode()),
            "rest": tried(lambda: os.pread(fd, 100, 4).decode()), "version": version.hex()}
path = sys.argv[1]
fd = os.open(path, os.O_RDONLY)
for line in sys.stdin:
    print(json.dumps(probe(path, fd)), flush=True)
"""


class Probe:
    """A program under the library: asks what it is told of a file, by its name and by a descriptor kept open."""

    def __init__(self, directory, library):
        (directory / "lying-3").mkdir()
        self.path = directory / "lying-3" / "proxy.log"
        self.path.write_text("0123456789")
        self.lies = Lies(directory / "lies")
        env = dict(os.environ, LD_PRELOAD=library, LYING_FS=str(self.lies.path), ASAN_OPTIONS="detect_leaks=0")
        self.process = subprocess.Popen([sys.executable, "-c", PROBE, self.path], env=env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def ask(self, **columns):
        self.lies.truth(3)
        self.lies.set(3, **columns)
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


@pytest.fixture
def probe(tmp_path, library):
    made = Probe(tmp_path, library)
    yield made
    made.close()


def test_the_library_lies_as_told(probe):
    inode = probe.path.stat().st_ino
    true = {"stat": [10, inode], "fstat": [10, inode], "end": 10, "pread": "0123456789", "rest": "456789"}

    def asked(**columns):
        found = probe.ask(**columns)
        return {key: found[key] for key in true if found[key] != true[key]}

    assert asked() == {}
    assert asked(SIZE_SAID=1) == {"stat": [0, inode], "fstat": [0, inode], "end": 0}
    assert asked(SIZE_PERMILLE=2001) == {"stat": [20, inode], "fstat": [20, inode], "end": 20}
    assert asked(READ_END=1) == {"pread": "", "rest": ""}
    assert asked(READ_END=6, READ_INODE=inode) == {"pread": "01234", "rest": "4"}
    assert asked(READ_END=6, READ_INODE=inode + 1) == {}
    failed = f"errno {errno.ESTALE}"
    assert asked(FAIL_NAMES=errno.ESTALE) == {"stat": failed}
    assert asked(FAIL_LOOKS=errno.ESTALE) == {"fstat": failed, "end": failed}
    assert asked(FAIL_READS=errno.ESTALE) == {"pread": failed, "rest": failed}
    assert set(asked(SHORT_READS=3)) >= {"pread"}
    told = [probe.ask(INODES=kind) for kind in (1, 1, 2, 2)]
    assert len({look["stat"][1] for look in told} | {inode}) == 5
    assert told[0]["fstat"] == told[1]["fstat"] and told[0]["fstat"][1] != inode
    assert told[2]["fstat"] != told[3]["fstat"]
    assert probe.ask(VERSION_BYTES=8)["version"] == "0807060504030201" + "00" * 8
    assert probe.ask(VERSION_BYTES=1)["version"] == "00" * 16
    assert set(probe.lies.told(3)) >= {"SIZE_SAID", "READ_END", "FAIL_NAMES", "FAIL_LOOKS", "FAIL_READS", "INODES"}


def test_the_library_lags_and_mixes_up(probe):
    inode = probe.path.stat().st_ino
    probe.ask()
    with open(probe.path, "a") as log:
        log.write("abc")
    found = probe.ask(LAG_MS=60000)
    assert found["stat"] == found["fstat"] == [10, inode] and found["pread"] == "0123456789abc"
    assert probe.ask(LAG_MS=60000, LAG_READS=1)["pread"] == "0123456789"
    assert probe.ask()["fstat"] == [13, inode]
    probe.path.rename(f"{probe.path}.1")
    probe.path.write_text("NEW.NEW")
    assert probe.ask()["stat"][0] == 7 and probe.ask()["pread"] == "0123456789abc"
    assert probe.ask(STALE_INODE=inode)["stat"] == [13, inode]
    found = probe.ask(FOLLOW_NAME=1)
    assert found["fstat"] == [7, inode] and found["pread"] == "NEW.NEW"
    found = probe.ask(FOLLOW_NAME=2)
    assert found["fstat"] == [7, probe.path.stat().st_ino] and found["pread"] == "NEW.NEW"
    (probe.path.parent / ".before").write_text("bef")
    found = probe.ask(OLD_CONTENT=inode)
    assert found["fstat"] == [3, inode] and found["pread"] == "bef" and found["stat"][0] == 7
    assert probe.ask()["pread"] == "0123456789abc"


def play(directory, library, scripts):
    """Runs the scripts at once; all have to end well.  Returns their runs."""
    with world(directory, library, scripts) as made:
        wrong = made.run()
    if wrong:
        pytest.fail("\n\n".join([one.report() for one in wrong] +
                                [f"wrong: {', '.join(one.history.seed for one in wrong)}"]), pytrace=False)
    return made.runs


# Sizes


@pytest.mark.parametrize("medium", ("local", "network"))
def test_size_lags(tmp_path, library, medium):
    """Attributes are up to 3 s old; what is read is true.  Lines count all the same, and nothing was truncated."""
    steps = [(0, "write", 20, 0), (0.5, "lie", "attributes lag", {"LAG_MS": 3000})]
    steps += [(1 + turn / 2, "write", 10, 0) for turn in range(12)]
    runs = play(tmp_path, library, [
        Script("for ever", steps, medium),
        Script("for a while", [*steps, (7, "truth", "attributes lag", ("LAG_MS",))], medium)])
    for run in runs:
        source = run.last["source"]
        assert (source["truncations"], source["rotations"], run.alarms) == (0, 0, set()), run.report()


SAME_AGAIN = {
    "the size is now and then 0": ({"SIZE_SAID": 1, "SIZE_FLICKER": 2},),
    "the size is 0 for a while": ({"SIZE_SAID": 1}, {}),
    "the size is half for a while": ({"SIZE_PERMILLE": 501}, {}),
    "reads are now and then empty": ({"READ_END": 1, "READ_FLICKER": 2},),
    "reads are empty for a while": ({"READ_END": 1}, {}),
    "reads end after a few lines for a while": ({"READ_END": 1001}, {}),
    "size and reads are empty for a while": ({"SIZE_SAID": 1, "READ_END": 1}, {}),
}


@pytest.mark.parametrize("medium", ("local", "network"))
def test_the_same_content_again(tmp_path, library, medium):
    """The file seems to be gone and comes back as it was, its first bytes always the same: not a new file."""
    a_look_s = 0.5 if medium == "local" else 1.1

    def steps(lies):
        for turn in range(7):
            at = 0.5 + turn * a_look_s
            yield at, "lie", "again", lies[turn % len(lies)]
            yield at, "write", 3, 0
            yield at + a_look_s, "truth", "again", tuple(lies[turn % len(lies)])

    play(tmp_path, library, [Script(name, [(0, "write", 60, 0), *steps(lies)], medium)
                             for name, lies in SAME_AGAIN.items()])


# Names


FAR_SIDE = {
    "the name is stale": {"STALE_INODE": 0},
    "the handle follows the name": {"FOLLOW_NAME": 1},
    "both": {"STALE_INODE": 0, "FOLLOW_NAME": 1},
    "the handle follows the name, which flickers": {"FOLLOW_NAME": 1, "FAIL_NAMES": 2000 + errno.ENOENT},
}


def test_renamed_at_the_far_side(tmp_path, library):
    """For a while the name still means the old file, or the handle of the old file reads the new one, as on sshfs."""

    def begin(run, lies):
        lies = {column: value or run.log.inode() for column, value in lies.items()}
        run.world.lies.set(run.number, **lies)
        return lies

    def steps(lies):
        return [(0, "write", 30, 0), (1.5, begin, lies), (1.5, "write", 5, 0), (1.5, "rename"), (1.6, "write", 20, 0),
                (1.7, "late", 3), (4, "write", 40, 0),  # the new file is longer than the old one was
                (6.5, "truth", "far side", tuple(lies)), (6.6, "write", 2, 0)]

    play(tmp_path, library, [Script(name, steps(lies), blind_allowed="FOLLOW_NAME" in lies)
                             for name, lies in FAR_SIDE.items()])


def test_inodes_are_not_stable(tmp_path, library):
    """Each opening, or each look, sees another inode number: it is the same file by what is in it."""
    scripts = []
    for kind in (1, 2):
        lies = {"INODES": kind, "NO_BIRTH": 1}
        steps = [(0, "write", 30, 0), (0.5, "lie", "inodes", lies), (1, "write", 10, 0), (3.5, "rename"),
                 (3.5, "write", 10, 0), (6, "copytruncate"), (6, "write", 10, 0)]
        for pattern in ("proxy.log", "proxy.log*"):
            name = f"another at each {'look' if kind == 2 else 'opening'}, {pattern}"
            scripts.append(Script(f"{name}, for ever", steps, "fuse", pattern, 30))
            scripts.append(Script(name, [*steps, (8.5, "truth", "inodes", tuple(lies)), (8.6, "write", 5, 0)], "fuse",
                                  pattern, 30))
    play(tmp_path, library, scripts)


def test_names_are_gone_for_a_while(tmp_path, library):
    """The name of a file that is there cannot be looked up; its descriptor reads on."""
    scripts = [Script(name, [(0, "write", 30, 0), (1, "lie", "names", {"FAIL_NAMES": getattr(errno, name)}),
                             (1.5, "write", 10, 0), (6, "truth", "names", ("FAIL_NAMES",)), (6.1, "write", 10, 0)])
               for name in ("ENOENT", "ESTALE")]
    for run in play(tmp_path, library, scripts):
        assert run.last["source"]["rotations"] == 0, run.report()


# Blindness


def test_blind_while_nothing_can_be_read(tmp_path, library):
    """It says so as long as it lasts, and counts what it missed when it is over."""

    def blind(run):
        state, text = run.last["seen"][:2]
        if state != "failed" or not text or run.alarms != {"sourceBlind"}:
            run.complain("not blind", f"it cannot read, and says: {state} {text!r}, alarms {run.alarms}")

    scripts = []
    for name in ("EIO", "ESTALE"):
        for columns in (("FAIL_READS",), ("FAIL_READS", "FAIL_LOOKS", "FAIL_NAMES")):
            lies = dict.fromkeys(columns, getattr(errno, name))
            scripts.append(Script(f"{name} {' '.join(columns)}", [
                (0, "write", 30, 0), (1.5, "lie", "blind", lies), (1.5, "write", 10, 0), (8, blind), (8.5, blind),
                (8.5, "truth", "blind", columns)]))
    play(tmp_path, library, scripts)


# Restarts


@pytest.mark.parametrize("verb", ("nothing", "rename", "copytruncate"))
def test_mounted_anew_while_down(scene, verb):
    """After the restart all files have other numbers, and nobody knows when they were created."""
    scene = scene("fuse")
    scene.start()
    scene.write(30)
    assert scene.until(lambda source: source["lines"] == 30)

    def meanwhile():
        scene.write(20)
        if verb != "nothing":
            scene.do(verb)
            scene.write(10)
        scene.lie(INODES=1, NO_BIRTH=1)

    scene.restart("term", meanwhile)
    scene.write(5)
    scene.well()
    scene.restart("kill", scene.truth)
    scene.write(5)
    scene.well()


# FUSE


def test_version_of_eight_bytes(scene):
    """FUSE answers FS_IOC_GETVERSION with eight bytes, where the request's type says a long."""
    scene = scene("fuse")
    scene.lie(VERSION_BYTES=8)
    scene.start()
    scene.write(20)
    assert scene.until(lambda source: source["lines"] == 20)
    scene.do("rename")
    scene.write(20)
    scene.restart("kill", lambda: (scene.do("rename"), scene.write(10)))
    scene.well()


@pytest.fixture
def bound(tmp_path):
    """A directory and where bindfs shows it; written is behind the mount, as by another client."""
    if shutil.which("bindfs") is None:
        pytest.skip("bindfs is not installed")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("/dev/fuse may not be used here")
    mount = tmp_path / "mount"
    mount.mkdir()
    (tmp_path / "behind").mkdir()
    process = subprocess.Popen(["bindfs", "-f", tmp_path / "behind", mount], stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    wait_for(lambda: os.path.ismount(mount) or process.poll() is not None, what="the mount")
    if process.poll() is not None:
        pytest.skip(f"FUSE cannot be mounted here: {process.stderr.read().strip()}")
    yield tmp_path / "behind", mount
    unmount = ["umount", "-l"] if os.geteuid() == 0 else ["fusermount3", "-u", "-z"]
    subprocess.run([*unmount, mount], check=True)
    process.wait(timeout=10)
    process.stderr.close()


@pytest.mark.parametrize("pattern", ("proxy.log", "proxy.log*"), ids=("name", "glob"))
def test_bindfs(bound, scene, pattern):
    """A real FUSE file system, whose kernel remembers names and attributes for a second."""
    behind, mount = bound
    scene = scene("local", pattern=pattern, base=30, logs=behind, shown=mount)
    scene.only.history.blind_allowed = True  # the kernel gives the new file's pages to the old file's descriptor
    del scene.env["LD_PRELOAD"]
    scene.start()
    for verb in ("write", "rename", "write", "copytruncate", "write", "rename"):
        scene.do(verb, *((20, 0) if verb == "write" else ()))
        scene.wait_until(scene.now() + 0.3)
    scene.well()
    scene.restart("kill", lambda: (scene.write(10), scene.do("rename"), scene.write(10)))
    assert "FUSE" in scene.well()["text"]


# Generations that are still being packed


def pack(path, kind):
    if kind == "gz":
        return gzip.compress(path.read_bytes(), 1)
    return subprocess.run(["zstd", "-q", "-c", path], stdout=subprocess.PIPE, check=True).stdout


@pytest.mark.parametrize("kind", ("gz", pytest.param("zst", marks=needs_zstd)))
@pytest.mark.parametrize("rest", ("while it runs", "while it is down"))
def test_packed_generation_comes_in_halves(scene, kind, rest):
    """The daemon is started when half of the packed file is there; what the other half brings counts too, once."""
    scene = scene("local", most=52000)
    scene.start()
    scene.write(1000)
    assert scene.until(lambda source: source["lines"] == 1000)
    packed = pathlib.Path(f"{scene.log.path}.1.{kind}")
    bytes_ = b""

    def meanwhile():
        nonlocal bytes_
        scene.write(50000)
        scene.do("rename")
        scene.log.let_go()
        plain = pathlib.Path(f"{scene.log.path}.1")
        bytes_ = pack(plain, kind)
        plain.unlink()
        packed.write_bytes(bytes_[:len(bytes_) // 2])
        scene.write(10)

    def complete():
        with open(packed, "ab") as file:
            file.write(bytes_[len(bytes_) // 2:])

    scene.restart("term", meanwhile)
    scene.until(lambda source: source["codes"].get("302", {}).get("responses") == 10, 8)
    scene.wait_until(scene.now() + LOOKS_S)
    if rest == "while it runs":
        complete()
    else:
        scene.restart("term", complete)
    scene.well()
