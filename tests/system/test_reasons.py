"""Why the state cannot be saved: the log and the alarm say the true reason, each its own, and it ends by itself."""
import contextlib
import re
import resource
import shutil

import pytest

from conftest import wait_for
from torture import mounts, nobody, torture  # noqa: F401

REASONS = {
    "file": "not a directory",
    "denied": "permission denied",
    "full": "no space left|disk (is )?full",
    "descriptors": "too many open files",
}


def lost(daemon):
    return [alarm for alarm in daemon.status()["alarms"] if alarm["kind"] == "stateLost"]


def says(text, reason):
    """This one, and none of the others."""
    assert re.search(REASONS[reason], text, re.I), text
    others = [*(other for name, other in REASONS.items() if name != reason), "another daemon", "is locked",
              "read-only file system"]
    assert not re.search("|".join(others), text, re.I), text


def complaints(daemon):
    """But not that a directory was too open, which small disks are mounted as."""
    return "\n".join(line for line in daemon.errors().splitlines()
                     if ("store: " in line or "cannot use" in line) and "is closed to them now" not in line)


def raised(daemon, reason):
    """The alarm is there, with the reason, and so is a line of the log."""
    alarms = wait_for(lambda: lost(daemon), 20, "an alarm")
    assert len(alarms) == 1
    says(alarms[0]["text"], reason)
    says(wait_for(lambda: complaints(daemon), 5, "a line in the log"), reason)


def mended(daemon):
    """Nothing but the trouble had to go: it saves, and a kill loses nothing."""
    wait_for(lambda: not lost(daemon) and daemon.status()["saved"], 70, "the end of the alarm")
    before = daemon.status()["codes"]
    daemon.kill()
    daemon.start()
    assert {c: v["responses"] for c, v in daemon.status()["codes"].items()} == \
        {c: v["responses"] for c, v in before.items()}


def test_the_directory_is_a_file(torture):
    """state_dir names a file: the reason is that, not a full disk or another daemon."""
    torture.setup()
    torture.state_dir.write_text("somebody's")
    torture.start()
    torture.write(20)
    torture.caught_up()
    raised(torture, "file")
    assert torture.state_dir.read_text() == "somebody's"
    torture.state_dir.unlink()
    mended(torture)


@pytest.mark.parametrize("what", ["directory", "parent"])
def test_the_directory_may_not_be_written(nobody, what):
    """The user of the service may not write there, or may not make it: permission denied, whatever SQLite calls it."""
    nobody.setup()
    if what == "directory":
        nobody.state_dir.mkdir()
    shut = nobody.state_dir if what == "directory" else nobody.directory / "shut"
    if what == "parent":
        shut.mkdir()
        nobody.config.write_text(nobody.config.read_text().replace(f"{nobody.state_dir}", f"{shut}/state"))
    shut.chmod(0o555)
    nobody.start()
    nobody.write(20)
    nobody.caught_up()
    raised(nobody, "denied")
    shut.chmod(0o777)
    mended(nobody)


def test_the_state_may_be_read_only(nobody):
    """Restored by root: the counts of before go on, and what is new cannot be saved for want of permission."""
    nobody.setup().start()
    nobody.write(50)
    nobody.caught_up()
    nobody.stop()
    (nobody.state_dir / "state.db").chmod(0o444)
    nobody.start()
    nobody.write(20)
    nobody.caught_up()
    raised(nobody, "denied")
    (nobody.state_dir / "state.db").chmod(0o640)
    mended(nobody)
    nobody.exact()


@pytest.fixture
def small_disk(torture, mounts):
    """The state on a disk of its own, of 512 KiB."""
    torture.setup()
    torture.state_dir.mkdir()
    mounts.run("mount", "-t", "tmpfs", "-o", "size=512k", "none", str(torture.state_dir))
    disk = mounts.inside(torture.state_dir)

    def fill():
        with contextlib.suppress(OSError), open(disk / "fill", "ab", 0) as file:
            while True:
                file.write(b"x" * 4096)

    def free():
        (disk / "fill").unlink()
        mounts.run("mount", "-o", "remount,size=8m", str(torture.state_dir))

    yield fill, free


@pytest.mark.parametrize("when", ["before the start", "while it runs"])
def test_the_disk_is_full(torture, small_disk, when):
    """No space left: it is called that, and free space is all it takes."""
    fill, free = small_disk
    if when == "before the start":
        fill()
    torture.start()
    torture.write(20)
    torture.caught_up()
    if when == "while it runs":
        fill()
        torture.write(2000)
        torture.caught_up()
    raised(torture, "full")
    free()
    mended(torture)
    torture.exact()


def test_the_process_has_too_many_open_files(torture):
    """The state was removed and no descriptor is left to make it anew: it says that, and a higher limit ends it."""
    torture.start()
    torture.write(20)
    torture.caught_up()
    wait_for(lambda: torture.status()["saved"], 10, "a commit")
    pid, (soft, hard) = torture.process.pid, resource.prlimit(torture.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
    shutil.rmtree(torture.state_dir)
    torture.write(20)
    wait_for(lambda: "ALARM raised" in torture.errors(), 20, "an alarm")  # it cannot be asked meanwhile
    says(next(line for line in torture.errors().splitlines() if "ALARM raised" in line), "descriptors")
    says(complaints(torture), "descriptors")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    mended(torture)
    torture.exact()
