"""Logs in containers and behind FUSE: file systems on which inotify does not see all, in a mount namespace."""
import contextlib
import os
import shutil
import subprocess

import pytest

from conftest import wait_for
from torture import mounts, torture  # noqa: F401

LOOK_S = 15  # more than two turns of the slowest poll


@pytest.fixture
def here(torture):
    """Where the logs are mounted."""
    (torture.logs / "m").mkdir()
    torture.log = torture.logs / "m" / "proxy.log"
    return torture.setup(file="m/proxy.log")


class Disk:
    """A log below a mount, as the test reaches it: it may be written behind the mount."""

    def __init__(self, torture, path):
        self.torture, self.log = torture, path

    def write(self, n):
        self.torture.write(n, self.log)

    def rotate(self):
        os.rename(self.log, f"{self.log}.1")
        self.log.touch()


def old_lines(path):
    """What was there before the first start does not count."""
    path.write_bytes(b"something old\n" * 100)


@contextlib.contextmanager
def tmpfs(torture, mounts):
    mounts.run("mount", "-t", "tmpfs", "-o", "size=4m", "none", str(torture.logs / "m"))
    path = mounts.inside(torture.log)
    old_lines(path)
    yield Disk(torture, path)


@contextlib.contextmanager
def overlay(torture, mounts, other_disk=False):
    """The log is in the lower layer; the first line appended copies it up."""
    base = torture.directory / "layers"
    base.mkdir()
    mounts.run("mount", "-t", "tmpfs", "-o", "size=8m", "none", str(base))  # the machine's may be an overlay itself
    inside = mounts.inside(base)
    for name in ("lower", "upper", "work"):
        (inside / name).mkdir()
    if other_disk:
        mounts.run("mount", "-t", "tmpfs", "-o", "size=4m", "none", str(base / "lower"))
    old_lines(inside / "lower" / "proxy.log")
    done = subprocess.run([*mounts.enter, "mount", "-t", "overlay", "overlay", "-o",
                           f"lowerdir={base}/lower,upperdir={base}/upper,workdir={base}/work", torture.logs / "m"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no overlay here: {done.stderr.strip()}")
    yield Disk(torture, mounts.inside(torture.log))


@contextlib.contextmanager
def other_overlay(torture, mounts):
    with overlay(torture, mounts, other_disk=True) as disk:
        yield disk


@contextlib.contextmanager
def fuse(torture, mounts):
    """bindfs; the log is written in the directory behind it, of which the mount tells nobody."""
    if shutil.which("bindfs") is None or not os.path.exists("/dev/fuse"):
        pytest.skip("bindfs or /dev/fuse is missing")
    behind = torture.directory / "behind"
    behind.mkdir()
    old_lines(behind / "proxy.log")
    program = subprocess.Popen([*mounts.enter, "bindfs", "-f", behind, torture.logs / "m"], stderr=subprocess.PIPE,
                               text=True)
    try:
        wait_for(lambda: program.poll() is not None or mounts.inside(torture.log).exists(), 10, "the mount")
        if program.poll() is not None:
            pytest.skip(f"no FUSE here: {program.stderr.read().strip()}")
        yield Disk(torture, behind / "proxy.log")
    finally:
        torture.kill()
        program.terminate()
        program.wait(timeout=10)
        program.stderr.close()


KINDS = pytest.mark.parametrize("kind", [tmpfs, overlay, other_overlay, fuse],
                                ids=["tmpfs", "overlay", "overlay of two disks", "fuse"])


@KINDS
def test_a_log_on_an_odd_file_system(here, mounts, kind):
    """It starts there, and what is appended is counted, each line once."""
    with kind(here, mounts) as disk:
        here.start()
        for _ in range(3):
            disk.write(20)
            here.caught_up(LOOK_S)
        assert here.source()["rotations"] == 0 and here.source()["state"] == "following"
        assert here.status()["alarms"] == []
        here.exact(sentinel=False, truncations=0)
        here.stop()


@KINDS
def test_a_rotation_on_an_odd_file_system(here, mounts, kind):
    """The file system tells late, and perhaps never, that the name is another file's now; the lines count once."""
    with kind(here, mounts) as disk:
        here.start()
        disk.write(20)
        here.caught_up(LOOK_S)
        disk.write(20)
        here.caught_up(LOOK_S)
        disk.rotate()
        disk.write(20)
        here.caught_up(LOOK_S)
        here.exact(sentinel=False, truncations=0)
        here.stop()


@KINDS
@pytest.mark.parametrize("how", ["term", "kill"])
@pytest.mark.parametrize("rotated", [False, True], ids=["appended", "rotated"])
def test_a_restart_on_an_odd_file_system(here, mounts, kind, how, rotated):
    """It goes on where it was, though the file may have another number by then."""
    with kind(here, mounts) as disk:
        here.start()
        for turn in range(2):
            disk.write(20)
            here.caught_up(LOOK_S)
            wait_for(lambda: here.status()["saved"], 10, "a commit")
            here.down(how)
            disk.write(10)
            if rotated and turn == 1:
                disk.rotate()
                disk.write(10)
            here.start()
            here.caught_up(LOOK_S)
        here.exact(sentinel=False, truncations=0)
        here.stop()


@KINDS
def test_copied_and_truncated_on_an_odd_file_system(here, mounts, kind):
    """copytruncate in a container: what comes after is counted, what was before is not counted again."""
    with kind(here, mounts) as disk:
        here.start()
        disk.write(50)
        here.caught_up(LOOK_S)
        shutil.copy(disk.log, f"{disk.log}.1")
        os.truncate(disk.log, 0)
        disk.write(5)
        here.caught_up(LOOK_S)
        here.exact(sentinel=False, truncations=1)
        here.stop()
