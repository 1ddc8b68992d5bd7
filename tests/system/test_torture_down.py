"""What happens to logs and to our state while the daemon is down.  The number or sNN in a comment names the row of
tests/TORTURE.md.

Counts go on where the last commit left them, so the truth is what was written over all lives of the daemon.
"""
import contextlib
import gzip
import os
import random
import re
import shutil
import sqlite3
import subprocess
import threading
import time

import pytest

from conftest import BUILD, wait_for
from torture import ZSTD, lines, mounts, nobody, pause, torture  # noqa: F401

BOTH = pytest.mark.parametrize("how", ["term", "kill"])
ENDINGS = pytest.mark.parametrize("ending", [".1", "-20261120", ".1.gz", "-20261120.gz", ZSTD])
KILLS = int(os.environ.get("TORTURE_KILLS", "12"))


def prepared(torture, n=50, **setup):
    """A daemon that has counted and committed something."""
    torture.setup(**setup).start()
    torture.write(n)
    torture.caught_up()
    wait_for(lambda: torture.status()["saved"], 10, "a commit")
    return torture


def database(torture):
    return torture.state_dir / "state.db"


def settled(torture):
    """SIGTERM, and all of the state is in the one file."""
    torture.stop()
    assert database(torture).stat().st_size > 0
    with contextlib.closing(sqlite3.connect(database(torture))) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return database(torture)


# Down and up again


@BOTH
def test_append_while_down(torture, how):  # 25, 26, s13, s14
    prepared(torture)
    since = torture.status()["since"]
    for _ in range(3):
        torture.down(how)
        torture.write(5)
        torture.start()
        torture.caught_up()
    torture.exact(rotations=0, truncations=0)
    assert torture.status()["since"] == since  # the counters were never reset


@BOTH
def test_nothing_while_down(torture, how):  # 25
    prepared(torture)
    for _ in range(3):
        torture.down(how)
        torture.start()
    torture.exact(rotations=0, truncations=0)


def test_kill_at_a_random_byte(torture):  # 26, 27 (TORTURE_KILLS=200 for the whole of it)
    """A busy writer that also rotates; whatever the moment, the position and the counts are of the same commit."""
    moments = random.Random(26)
    prepared(torture)
    finished = threading.Event()

    def writer():
        for round_ in range(1, 100_000):
            torture.write(200)
            if round_ % 40 == 0:
                torture.rotate("rename", moments.choice([".1", ".1.gz"]))
            if finished.wait(0.005):
                return

    thread = threading.Thread(target=writer)
    thread.start()
    try:
        for _ in range(KILLS):
            pause(moments.random() * 0.4)
            torture.kill()
            torture.start()
    finally:
        finished.set()
        thread.join()
    torture.log.touch()
    torture.exact(truncations=0, timeout=30)


def test_kill_while_it_starts(torture):  # 26, 27
    prepared(torture)
    torture.kill()
    for after in range(0, 40, 4):
        torture.write(3)
        torture.start(wait=False)
        pause(after / 1000)
        torture.kill()
    torture.start()
    torture.exact(rotations=0, truncations=0)


@ENDINGS
@BOTH
def test_renamed_while_down(torture, ending, how):  # 29, s15
    prepared(torture)
    torture.down(how)
    torture.write(5)
    torture.rotate("rename", ending)
    torture.write(10)
    torture.start()
    torture.exact(rotations=1, truncations=0)


def test_renamed_while_down_and_not_created_yet(torture):  # 29
    prepared(torture)
    torture.kill()
    torture.write(5)
    torture.rotate()
    torture.start()
    torture.caught_up()
    torture.write(5, torture.generation(".1"))  # its writer is still there
    torture.write(5)
    torture.exact(truncations=0)


def test_moved_to_another_directory_while_down(torture):  # 29, olddir
    archive = torture.directory / "archive"
    archive.mkdir()
    prepared(torture, keys=f'olddir = "{archive}"')
    torture.kill()
    torture.write(5)
    torture.log.rename(archive / "proxy.log.1")
    torture.write(10)
    torture.start()
    torture.exact(rotations=1, truncations=0)


@pytest.mark.parametrize("endings", [[".1", ".1", ".1"], [".1.gz", ".1.gz", ".1"], [".1.gz"] * 3,
                                     ["-20261118.gz", "-20261119.gz", "-20261120"]], ids=" ".join)
@pytest.mark.parametrize("pattern", ["proxy.log", "proxy.log*"])
def test_three_rotations_while_down(torture, endings, pattern):  # 30
    prepared(torture, file=pattern)
    torture.kill()
    for n, ending in enumerate(endings):
        torture.write(5 + n)
        torture.rotate("rename", ending)
        pause(0.01)  # so that the generations differ in time
    torture.write(10)
    torture.start()
    torture.exact(rotations=range(1, 4), truncations=0)


def test_more_generations_than_are_inflated_at_once(torture):  # 30
    """Those that wait for a place are found again by lives that begin later, each killed at its first commit."""
    prepared(torture)
    torture.stop()
    stopped = time.time()
    for n in range(60):
        torture.write(3)
        generation = torture.rotate("rename", ".1.gz")
        os.utime(generation, (stopped - 9 + n / 100,) * 2)
    wait_for(lambda: time.time() > stopped + 3, 10, "later commits than the generations are remembered for")
    for _ in range(2):
        torture.start()
        wait_for(lambda: torture.status()["saved"], 10, "a commit")
        torture.kill()
    torture.start()
    torture.exact(truncations=0)


def test_rotations_with_strangers_beside(torture):  # 30 (check_logfiles 035chaosrotations)
    """Files with names like ours were never ours."""
    prepared(torture)
    torture.kill()
    strangers = ["proxy.log.old-stuff.gz", "proxy.log-errors", "moreproxy.log", "moreproxy.log.1", "proxy.login.1"]
    for name in strangers:
        (torture.logs / name).write_bytes(gzip.compress(lines(699, 50)) if name.endswith("gz") else lines(699, 50))
        os.utime(torture.logs / name, (time.time() - 3 * 86400,) * 2)  # older than anything that we have read
    torture.write(5)
    torture.rotate()
    torture.write(10)
    torture.start()
    torture.exact(rotations=1, truncations=0)


@pytest.mark.parametrize("new", [3, 500], ids=["shorter", "longer"])
@pytest.mark.parametrize("ending", [".1", "-20261120", ".1.gz"])
def test_copytruncated_while_down(torture, ending, new):  # 31, s16
    prepared(torture)
    torture.kill()
    torture.write(5)
    torture.rotate("copy", ending)
    torture.write(new)
    torture.start()
    torture.exact(truncations=1)


def test_copytruncated_twice_while_down(torture):  # 31
    prepared(torture)
    torture.kill()
    for ending in (".1.gz", ".1"):
        torture.write(5)
        torture.rotate("copy", ending)
        pause(0.01)
    torture.write(500)
    torture.start()
    torture.exact()


@pytest.mark.parametrize("unread", [0, 5])
@pytest.mark.parametrize("pattern", ["proxy.log", "proxy.log*"])
def test_copy_comes_to_light_after_the_truncation(torture, pattern, unread):  # 31
    """What was only recognised as a copy has to be recognised in the next life too."""
    hidden = torture.logs / "elsewhere"
    prepared(torture, file=pattern)
    with torture.asleep():
        torture.write(unread)
        shutil.copy2(torture.log, hidden)
        os.truncate(torture.log, 0)
    torture.write(10)
    wait_for(lambda: torture.source()["truncations"] == 1, 10, "a truncation")
    hidden.rename(torture.logs / "proxy.log.1")
    torture.caught_up()
    pause(1.5)  # for a commit
    torture.kill()
    torture.start()
    torture.exact(truncations=1)


def test_truncated_while_down_without_a_copy(torture):  # 31
    """The five lines that nobody kept are lost by nature; nothing else may be."""
    prepared(torture)
    torture.kill()
    lost = torture.write(5)
    os.truncate(torture.log, 0)
    torture.write(500)
    torture.uncount(lost)
    torture.start()
    torture.exact(rotations=0, truncations=1)


def test_removed_while_down(torture):  # 31
    """As before, with unlink."""
    prepared(torture)
    torture.kill()
    lost = torture.write(5)
    torture.log.unlink()
    torture.write(500)
    torture.uncount(lost)
    torture.start()
    torture.exact(truncations=0)


@pytest.mark.parametrize("reused", [True, False])
def test_created_again_while_down_with_the_same_inode(torture, reused):  # 9, s05
    prepared(torture)
    inode = torture.log.stat().st_ino
    torture.stop()
    torture.log.unlink()
    for i in range(200):
        torture.log.touch()
        if (torture.log.stat().st_ino == inode) == reused:
            break
        torture.log.rename(torture.directory / f"other-inode-{i}") if reused else torture.log.rename(
            torture.directory / "same-inode")
    else:
        pytest.skip("the file system does not give this inode again")
    torture.write(500)
    torture.start()
    torture.exact()


def test_two_logs_swap_inodes_while_down(torture):  # 10
    other = torture.logs / "other.log"
    torture.setup("*.log").start()
    torture.write(50)
    torture.write(80, other)
    torture.caught_up()
    torture.stop()
    torture.write(5)
    torture.write(5, other)
    torture.log.rename(torture.logs / "aside")
    other.rename(torture.log)
    (torture.logs / "aside").rename(other)
    torture.write(7)
    torture.write(9, other)
    torture.start()
    torture.exact(truncations=0)


@pytest.mark.parametrize("ahead", [50, 5000])
def test_rewritten_with_the_same_content_while_down(torture, ahead):  # 14, s19
    prepared(torture, ahead)
    torture.kill()
    new = torture.logs / "new"
    shutil.copyfile(torture.log, new)
    torture.write(2, new)
    new.rename(torture.log)
    torture.start()
    torture.exact(truncations=0)


def test_last_line_removed_while_down(torture):  # 15
    prepared(torture)
    last = torture.write(1)
    torture.caught_up()
    torture.stop()
    os.truncate(torture.log, torture.log.stat().st_size - len(last))
    torture.start()
    torture.write(3)
    torture.exact()


def test_symlink_swapped_while_down(torture):  # 11
    torture.log.unlink()
    (torture.logs / "a").touch()
    torture.log.symlink_to(torture.logs / "a")
    prepared(torture)
    torture.kill()
    torture.write(5, torture.logs / "a")
    torture.write(70, torture.logs / "b")
    torture.log.unlink()
    torture.log.symlink_to(torture.logs / "b")
    torture.start()
    torture.exact(truncations=0)


def test_new_files_of_a_pattern_while_down(torture):  # 17
    prepared(torture, file="proxy*.log")
    torture.kill()
    torture.write(5)
    torture.write(20, torture.logs / "proxy2.log")  # it came after our first start: from its start
    torture.start()
    torture.exact(truncations=0)


def test_saved_offset_beyond_the_end(torture):  # 32
    prepared(torture)
    torture.stop()
    os.truncate(torture.log, 0)
    torture.write(3)
    for _ in range(3):  # it is reset once, not at every start
        torture.start()
        torture.caught_up()
        torture.stop()
    torture.start()
    torture.exact(rotations=0, truncations=1)


@BOTH
@pytest.mark.parametrize("ending", [None, ".1", ".1.gz"])
def test_partial_line_completed_while_down(torture, how, ending):  # 33
    prepared(torture)
    line = torture.count(torture.batch(1))
    torture.raw(line[:70])
    torture.taken(torture.log.stat().st_size)
    torture.down(how)
    torture.raw(line[70:])
    if ending is not None:
        torture.rotate("rename", ending)
    torture.write(5)
    torture.start()
    torture.exact(truncations=0)


@BOTH
def test_partial_line_behind_whole_ones_in_one_write(torture, how):  # 33
    prepared(torture)
    line = torture.count(torture.batch(1))
    whole = torture.count(torture.batch(3))
    torture.raw(whole + line[:70])
    torture.taken(torture.log.stat().st_size)
    torture.down(how)
    torture.raw(line[70:])
    torture.start()
    torture.exact(rotations=0, truncations=0)


def test_partial_line_over_several_lives(torture):  # 33
    prepared(torture)
    line = torture.count(torture.batch(1))
    for at in range(0, len(line), 20):
        torture.raw(line[at:at + 20])
        torture.taken(torture.log.stat().st_size)
        torture.down("kill" if at % 40 else "term")
        torture.start()
    torture.exact(rotations=0, truncations=0)


def test_line_too_long_over_two_lives(torture):  # 33, 43
    torture.setup(keys='line_limit = "4KiB"').start()
    torture.write(5)
    torture.caught_up()
    torture.raw(b"x" * 100_000)
    torture.taken(torture.log.stat().st_size)
    torture.kill()
    torture.raw(torture.count(b"y" * 1000 + lines(699)[-30:]))
    torture.start()
    assert torture.exact(rotations=0, truncations=0)["oversize"] == 1


@pytest.mark.parametrize("size", [1 << 32, 1 << 43], ids=["2^32", "2^43"])
def test_far_offsets_are_resumed(torture, size):  # 47
    try:
        os.truncate(torture.log, size - 101)
    except OSError as error:
        pytest.skip(f"no file of that size here: {error.strerror}")
    torture.raw(b"\n")
    prepared(torture)
    torture.kill()
    torture.write(5)
    torture.start()
    torture.exact(truncations=0)


# Generations that cannot be had


@pytest.mark.parametrize("damage", ["cut", "garbage", "two members", "empty", "bomb"])
def test_compressed_generation_is_odd(torture, damage):  # 30
    prepared(torture)
    torture.kill()
    tail = torture.write(5)
    plain = torture.log.read_bytes()
    torture.log.unlink()
    packed = torture.generation(".1.gz")
    if damage == "two members":
        packed.write_bytes(gzip.compress(plain[:3000]) + gzip.compress(plain[3000:]))
    elif damage == "bomb":  # a stream of 4 GiB that is not ours
        packed.write_bytes(gzip.compress(bytes(32 << 20), 1) * 128)
    else:
        packed.write_bytes({"cut": gzip.compress(plain)[:-200], "garbage": os.urandom(500), "empty": b""}[damage])
    if damage != "two members":
        torture.uncount(tail)  # lost by nature
    torture.write(10)
    torture.start()
    if damage == "cut":  # what of the tail can still be unpacked is not ours to say
        torture.write(1)
        wait_for(lambda: torture.source()["lines"] >= torture.written, 90)  # the bomb is 4 GiB
        assert torture.written <= torture.source()["lines"] <= torture.written + 5
    else:
        torture.exact(truncations=0, timeout=90)


@pytest.mark.parametrize("keys", ['backfill_max_age = "1h"', 'backfill_max_bytes = "1KiB"'])
def test_back_fill_has_a_limit(torture, keys):  # 30
    """Beyond the limits the tail stays unread: that is what was asked for.  What is new is counted."""
    prepared(torture, keys=keys)
    torture.kill()
    tail = torture.write(500)
    old = torture.rotate()
    os.utime(old, (time.time() - 7200,) * 2)
    torture.write(10)
    torture.uncount(tail)
    torture.start()
    torture.write(1)
    wait_for(lambda: torture.source()["lines"] >= torture.written)
    assert torture.source()["lines"] < torture.written + 500
    assert torture.seen(torture.next_code - 1) == 1


# The state itself


def zeros(path):
    path.write_bytes(bytes(path.stat().st_size))


def half(path):
    os.truncate(path, path.stat().st_size // 2)


def garbage(path):
    path.write_bytes(os.urandom(path.stat().st_size))


def pages(path):
    data = bytearray(path.read_bytes())
    for at in range(4096, len(data), 4096):
        data[at:at + 4096] = b"\xff" * 4096
    path.write_bytes(data)


def text(path):
    path.write_text("this was never a database\n" * 500)


@pytest.mark.parametrize("damage", [zeros, half, garbage, pages, text])
def test_state_is_damaged(torture, damage):  # 28
    """It is set aside and said to be lost; the counts begin again with what is written from now on."""
    prepared(torture)
    damage(settled(torture))
    damaged = database(torture).read_bytes()
    torture.codes.clear()
    torture.written = 0
    torture.start()
    lost = wait_for(lambda: torture.alarms("stateLost"), what="an alarm that the state was lost")[0]
    assert lost["source"] == "edge" or lost["source"] == ""
    assert damaged in [file.read_bytes() for file in torture.state_dir.iterdir()], "nothing was set aside"
    torture.write(20)
    torture.exact(rotations=0, truncations=0)
    torture.kill()
    torture.write(5)
    torture.start()  # and the new state is a good one
    torture.exact(rotations=0, truncations=0)


def test_state_is_empty(torture):  # 28
    """To SQLite a file of no bytes is a database: it may start quietly, but it starts."""
    prepared(torture)
    os.truncate(settled(torture), 0)
    torture.codes.clear()
    torture.written = 0
    torture.start()
    torture.write(20)
    torture.exact(rotations=0, truncations=0)


@pytest.mark.parametrize("ending", ["-wal", "-journal", "-shm"])
def test_debris_beside_the_state(torture, ending):  # 27, 28
    """What a crash can leave of SQLite's own files does not spoil the last commit."""
    prepared(torture)
    path = settled(torture)
    path.with_name(path.name + ending).write_bytes(os.urandom(5000))
    torture.write(5)
    torture.start()
    torture.exact(rotations=0, truncations=0)


def test_state_of_a_newer_version(torture):  # 35
    """It may refuse to start, or go on without; what the newer version saved is kept."""
    prepared(torture)
    path = settled(torture)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 9999")
        db.commit()
    torture.start(wait=False)
    wait_for(lambda: torture.process.poll() is not None or torture.status(check=False))
    if torture.process.poll() is None:
        assert torture.alarms("stateLost")
        torture.stop()
    else:
        assert torture.process.returncode == 1 and "version" in torture.errors()
    kept = []
    for file in torture.state_dir.iterdir():
        with contextlib.suppress(sqlite3.DatabaseError), contextlib.closing(sqlite3.connect(file)) as db:
            kept += db.execute("PRAGMA user_version").fetchone()
    assert 9999 in kept


def test_state_directory_cannot_be_written(nobody):  # 34 (not root)
    prepared(nobody)
    nobody.stop()
    os.chown(nobody.state_dir, 0, 0) if os.geteuid() == 0 else None
    nobody.state_dir.chmod(0o555)
    for file in nobody.state_dir.iterdir():
        os.chown(file, 0, 0) if os.geteuid() == 0 else None
        file.chmod(0o444)
    nobody.write(5)
    nobody.start()  # with what can be read, or without: but it starts, counts and says so
    nobody.write(5)
    wait_for(lambda: nobody.seen(nobody.next_code - 1) == 5)
    assert nobody.alarms("stateLost") or "state" in nobody.errors()
    assert nobody.cpu_share(0.5) < 0.3
    assert nobody.stop() < 3


def full(mounts, path):
    with contextlib.suppress(OSError), open(mounts.inside(path), "wb", 0) as file:
        while True:
            file.write(bytes(4096))


def small_state(torture, mounts):
    """Its state on a file system of its own, and what will fill that."""
    torture.state_dir.mkdir()
    mounts.run("mount", "-t", "tmpfs", "-o", "size=8m", "none", str(torture.state_dir))
    prepared(torture)
    return torture.state_dir / "filler"


def test_killed_while_the_disk_is_full(torture, mounts):  # 34 (root)
    """Counted in memory; what was saved last is whole, and the rest is read again."""
    filler = small_state(torture, mounts)
    full(mounts, filler)
    for _ in range(3):
        torture.write(200)
        torture.caught_up()
        pause(0.7)
    assert torture.cpu_share(0.5) < 0.3
    torture.kill()
    mounts.inside(filler).unlink()
    torture.write(5)
    torture.start()
    torture.exact(rotations=0, truncations=0)


def test_full_disk_says_so_once_and_recovers(torture, mounts):  # 34 (root)
    filler = small_state(torture, mounts)
    full(mounts, filler)
    for _ in range(40):  # until a commit needs room
        torture.write(50)
        torture.caught_up()
        if "No space left" in torture.errors() or "disk is full" in torture.errors():
            break
        pause(0.1)
    assert re.search("No space left|disk is full", torture.errors())
    pause(1)
    assert len(re.findall("No space left", torture.errors())) <= 2  # its own line, and the alarm's
    mounts.inside(filler).unlink()
    torture.write(5)
    torture.caught_up()
    assert torture.stop() < 3
    torture.start()
    torture.exact(rotations=0, truncations=0)


def test_state_copied_to_another_host(torture):  # 36
    """Same path, but another file: nothing of the old position may be used."""
    prepared(torture)
    torture.stop()
    strange = torture.directory / "strange"
    torture.write(400, strange)
    torture.log.rename(torture.directory / "kept")
    shutil.copyfile(strange, torture.log)
    torture.start()
    torture.exact(truncations=0)


def test_state_moved_to_another_place(torture):  # 36
    prepared(torture)
    torture.kill()
    copied = torture.directory / "elsewhere"
    shutil.copytree(torture.state_dir, copied)
    torture.config.write_text(torture.config.read_text().replace(str(torture.state_dir), str(copied)))
    torture.write(5)
    torture.start()
    torture.exact(rotations=0, truncations=0)


def test_logs_moved_to_another_file_system(torture, mounts):  # 36 (root)
    """Backup, new disk, restore: other device and inodes, same bytes."""
    prepared(torture)
    torture.stop()
    torture.write(5)
    data = torture.log.read_bytes()
    mounts.run("mount", "-t", "tmpfs", "-o", "size=4m", "none", str(torture.logs))
    inside = mounts.inside(torture.log)
    inside.write_bytes(data)
    torture.start()
    torture.write(5, inside)
    torture.exact(truncations=0, sentinel=open(inside, "ab", 0))


def test_two_daemons_on_one_state(torture):  # 37
    prepared(torture)
    other = torture.directory / "other.conf"
    other.write_text(torture.config.read_text().replace("control.sock", "other.sock"))
    done = subprocess.run([BUILD / "sipalertd", "-c", other], capture_output=True, text=True, timeout=5)
    assert done.returncode == 1 and "another daemon" in done.stderr
    torture.write(5)
    torture.exact(rotations=0, truncations=0)
    torture.kill()
    torture.config = other  # the lock went with its owner
    torture.write(5)
    torture.start()
    torture.exact(rotations=0, truncations=0)


def multiply(db, n):
    """As many more places of files that are gone, as that of the log."""
    source, key, value, reader = db.execute("SELECT * FROM bookmarks WHERE key = '1'").fetchone()
    for i in range(1, n + 1):
        gone = re.sub(r"( ino=)(\d+)", lambda m: f"{m[1]}{int(m[2]) + 1_000_000 + i}", value) + f".gone-{i}"
        db.execute("INSERT INTO bookmarks VALUES (?, ?, ?, ?)", (source, str(int(key) + i), gone, reader))


def test_ten_thousand_stale_entries(torture):  # 38
    """Files of last year: they cost no time at the start, and go."""
    prepared(torture)
    path = settled(torture)
    with contextlib.closing(sqlite3.connect(path)) as db:
        multiply(db, 10_000)
        db.commit()
        assert db.execute("SELECT count(*) FROM bookmarks").fetchone()[0] > 10_000
    torture.write(5)
    torture.start()
    tasks = os.listdir(f"/proc/{torture.process.pid}/task")
    spent = sum(int(open(f"/proc/{torture.process.pid}/task/{t}/schedstat").read().split()[0]) for t in tasks) / 1e9
    assert spent < 1  # its own time: what else the machine does meanwhile does not count
    torture.exact(rotations=0, truncations=0)
    torture.stop()
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM bookmarks").fetchone()[0] < 1000


def test_source_renamed_or_gone_in_the_configuration(torture):  # 38
    """A source that is new has no past: its files are those of a first start."""
    prepared(torture)
    torture.stop()
    torture.write(5)
    torture.codes.clear()
    torture.written = 0
    torture.config.write_text(torture.config.read_text().replace('source "edge"', 'source "other"'))
    torture.start()
    torture.write(5)
    torture.exact(rotations=0, truncations=0)


@pytest.mark.parametrize("start_at, counted", [("end", False), ("beginning", True)])
def test_first_start(torture, start_at, counted):  # s18 and 1.4 (5)
    old = torture.write(30)
    if not counted:
        torture.uncount(old)
    torture.setup(keys=f'start_at = "{start_at}"').start()
    torture.write(5)
    torture.caught_up()
    torture.kill()
    torture.write(5)
    torture.start()  # now there is a saved position
    torture.exact(rotations=0, truncations=0)


def test_killed_before_anything_was_read(torture):  # 26
    """The position of the first start is saved before the daemon answers."""
    torture.uncount(torture.write(30))
    torture.start()
    torture.kill()
    torture.write(5)
    torture.start()
    torture.exact(rotations=0, truncations=0)


@BOTH
def test_random_lives(torture, how):
    """Rotations of both kinds while up and while down, in any order; seeded."""
    walk = random.Random(int(os.environ.get("TORTURE_SEED", "5060")))
    torture.start()
    up = True
    for _ in range(60):
        step = walk.choice(["write", "write", "rename", "copy", "gz", "toggle"])
        if step == "write":
            torture.write(walk.randrange(1, 100))
        elif step == "toggle":
            torture.down(how) if up else torture.start()
            up = not up
        elif torture.log.exists() and torture.log.stat().st_size > 2000:  # what has no size has no identity
            torture.rotate("copy" if step == "copy" else "rename", ".1.gz" if step == "gz" else ".1")
            pause(0.01)
    if not up:
        torture.start()
    torture.exact(timeout=15)
