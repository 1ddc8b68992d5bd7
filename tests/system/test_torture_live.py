"""What happens to logs while the daemon runs.  The number or sNN in a comment names the row of tests/TORTURE.md.

Every test ends with exact(): each line that was written is counted once, and the daemon is alive.
"""
import contextlib
import errno
import itertools
import os
import pathlib
import random
import re
import resource
import shutil
import socket
import subprocess
import time

import pytest

from conftest import wait_for
from torture import ZSTD, faults, lines, mounts, nobody, pause, shim, torture  # noqa: F401

GIB = 1 << 30


# Rotation and replacement


def test_append(torture):  # s01
    torture.start()
    for _ in range(5):
        torture.write(20)
    source = torture.exact(rotations=0, truncations=0)
    assert [f["path"] for f in source["files"]] == [str(torture.log)]
    assert source["files"][0]["offset"] == source["bytes"] == torture.log.stat().st_size


@pytest.mark.parametrize("gap", [0, 0.05, 0.3, 4])
def test_rename_then_create(torture, gap):  # 1, 2, s02
    torture.start()
    torture.write(50)
    torture.caught_up()
    with open(torture.log, "ab", 0) as old:
        torture.rotate()
        torture.write(1, old)
        pause(gap)
        torture.write(10)
        torture.write(3, old)
    torture.exact(rotations=1, truncations=0)


def test_writer_stays_with_the_renamed_file(torture):  # 3
    torture.start()
    torture.write(50)
    torture.caught_up()
    with open(torture.log, "ab", 0) as old:
        torture.rotate()
        for _ in range(15):
            torture.write(2, old)
            torture.write(2)
            pause(0.1)
        torture.exact(rotations=1, truncations=0)
        torture.write(4, old)
        torture.exact(rotations=1, truncations=0)


@pytest.mark.parametrize("new", [3, 500], ids=["shorter", "longer at once"])  # 4, s03; 5, s04
def test_copytruncate(torture, new):
    torture.start()
    for round_ in range(1, 4):
        torture.write(100)
        torture.caught_up()
        torture.rotate("copy")
        torture.write(new * round_)
        torture.caught_up()
    source = torture.exact(rotations=0)
    assert 1 <= source["truncations"] <= 3  # a file found empty or longer may be either


def test_copytruncate_with_the_same_banner(torture):  # 6
    banner = lines(690, 30)
    assert len(banner) > 2048
    torture.start()
    torture.raw(torture.count(banner))
    torture.write(20)
    torture.caught_up()
    with torture.asleep():
        torture.rotate("copy")
        torture.raw(torture.count(banner))
        torture.write(60)
    torture.exact(truncations=1)


@pytest.mark.parametrize("new", [3, 200], ids=["shorter", "longer"])
@pytest.mark.parametrize("ending", [".1", "-20261120", ".1.gz"])
def test_copytruncate_with_unread_bytes(torture, ending, new):  # 7
    """What was written between our last look and the truncation is in the copy only."""
    torture.start()
    torture.write(50)
    torture.caught_up()
    with torture.asleep():
        torture.write(10)
        torture.rotate("copy", ending)
        torture.write(new)
    torture.exact(truncations=1)


@pytest.mark.parametrize("begun", [1, 41, 100])
@pytest.mark.parametrize("before", [0, 1, 20])
@pytest.mark.parametrize("pattern", ["proxy.log", "proxy.log*"])
def test_a_line_is_begun_behind_the_truncation(torture, pattern, before, begun):  # 7
    """Lines begin alike: that of a new one is no sign that the old bytes came back."""
    torture.setup(file=pattern).start()
    torture.write(50)
    torture.caught_up()
    torture.rotate("rename")
    torture.log.touch()
    line = torture.batch(1)
    torture.raw(line[:begun])
    torture.taken(50 * len(line) + begun)
    with torture.asleep():
        torture.raw(torture.count(line)[begun:])
        torture.write(before)
        torture.rotate("copy")
        line = torture.batch(1)
        torture.raw(line[:begun])
    torture.caught_up()
    torture.raw(torture.count(line)[begun:])
    source = torture.exact()
    assert source["text"] == ""


@pytest.mark.parametrize("hole", [0, 64 * GIB], ids=["natural", "64 GiB"])
def test_nul_hole(torture, hole):  # 8, s09
    """A writer without O_APPEND goes on at its old position after a truncation."""
    torture.start()
    with open(torture.log, "r+b", 0) as writer:
        torture.write(20, writer)
        torture.caught_up()
        os.truncate(torture.log, 0)
        position = writer.seek(hole, os.SEEK_CUR)
        torture.write(20, writer)
        begun = time.monotonic()
        torture.caught_up()
        took = time.monotonic() - begun
    source = torture.exact(truncations=1)
    assert took < 2
    assert source["nul_bytes"] == position


def test_unlink_then_create_longer(torture):  # 9, s05 (the inode cannot be reused while we hold it: see down)
    torture.start()
    for round_ in range(1, 4):
        torture.write(20 * round_)
        torture.caught_up()
        torture.log.unlink()
    torture.write(100)
    torture.exact(rotations=3, truncations=0)


def test_two_logs_swap_inodes(torture):  # 10
    torture.setup("*.log").start()
    other = torture.logs / "other.log"
    torture.write(20)
    torture.write(30, other)
    torture.caught_up()
    torture.log.rename(torture.logs / "aside")
    other.rename(torture.log)
    (torture.logs / "aside").rename(other)
    torture.write(5)
    torture.write(7, other)
    torture.exact(truncations=0)


def test_symlink_swapped_to_new_target(torture):  # 11, s06
    first, second = torture.logs / "a", torture.logs / "b"
    torture.log.unlink()
    first.touch()
    torture.log.symlink_to(first)
    torture.start()
    torture.write(50)
    torture.caught_up()
    torture.write(100, second)
    (torture.logs / "new").symlink_to(second)
    (torture.logs / "new").rename(torture.log)
    torture.write(3, first)  # its writer has not noticed
    torture.write(5)
    torture.exact(rotations=1, truncations=0)


def test_symlink_chain_into_another_directory(torture):  # 11
    """Nothing happens in the directory that is configured when the last link or the target is replaced."""
    other = torture.directory / "elsewhere"
    other.mkdir()
    torture.log.unlink()
    torture.log.symlink_to(other / "current")
    torture.start()
    assert torture.source()["state"] == "waiting"  # dangling
    (other / "current").symlink_to(other / "a")
    torture.write(50, other / "a")
    torture.caught_up()
    (other / "a").rename(other / "a.1")  # the target rotates
    torture.write(5, other / "a.1")
    torture.write(50, other / "a")
    torture.caught_up()
    torture.write(200, other / "b")
    (other / "new").symlink_to(other / "b")
    (other / "new").rename(other / "current")
    torture.exact(rotations=2, truncations=0)


@pytest.mark.parametrize("patterns", [["*.log"], ["*.log", "proxy.*", "proxy.log"]])
def test_one_file_under_two_names(torture, patterns):  # 12
    if len(patterns) == 1:
        os.link(torture.log, torture.logs / "same.log")
    torture.setup(patterns).start()
    torture.write(50)
    torture.caught_up()
    torture.write(5, torture.logs / "same.log" if len(patterns) == 1 else None)
    source = torture.exact(rotations=0, truncations=0)
    assert len(source["files"]) == 1


def test_one_file_in_two_sources(torture):  # 13
    torture.setup(body=f'source "again" {{ file = "{torture.log}" format = {{"auto"}} }}\n').start()
    torture.write(50)
    torture.caught_up()
    torture.rotate()
    torture.write(50)
    torture.exact(rotations=1)
    wait_for(lambda: torture.status()["sources"][1]["lines"] >= torture.written)
    again = torture.status()["sources"][1]
    assert again["lines"] == torture.written and again["rotations"] == 1


@pytest.mark.parametrize("before", [3, 50, 50_000])
def test_rewritten_with_the_same_content(torture, before):  # 14, s19
    """An editor, or sed -i: the same text and two lines more under a new inode."""
    torture.start()
    torture.write(before)
    torture.caught_up()
    for _ in range(2):
        new = torture.logs / "new"
        shutil.copyfile(torture.log, new)
        torture.write(2, new)
        new.rename(torture.log)
        torture.write(1)
    torture.exact(truncations=0)


def test_last_line_removed_and_seen_so(torture):  # 15
    """Removed and written on before anybody looked, it cannot be told from a new log that begins the same."""
    torture.start()
    torture.write(50)
    last = torture.write(1)
    torture.caught_up()
    os.truncate(torture.log, torture.log.stat().st_size - len(last))
    wait_for(lambda: torture.source()["files"][0]["offset"] == torture.log.stat().st_size)
    torture.write(3)
    torture.exact()


@pytest.mark.parametrize("rotations, lagging", [(5, False), (5, True), (50, False), (50, True)])
def test_burst_of_rotations(torture, rotations, lagging):  # 16, s20
    torture.start()
    torture.write(50)
    torture.caught_up()
    with torture.asleep() if lagging else contextlib.nullcontext():
        for _ in range(rotations):
            torture.write(50)
            torture.rotate()
            pause(0 if lagging else 0.03 if rotations == 5 else 0.01)
        torture.write(5)
    torture.exact(rotations=range(1, rotations + 1), truncations=0)


@pytest.mark.parametrize("pattern, names", [
    ("proxy.*.log", ["proxy.0001.log", "proxy.0002.log", "proxy.0003.log"]),
    ("proxy-????-??-??", ["proxy-2026-11-30", "proxy-2026-12-01", "proxy-2026-12-02"])])
def test_next_log_has_a_new_name(torture, pattern, names):  # 17
    torture.setup(pattern).start()
    for old, new in itertools.pairwise([None, *names]):
        torture.write(50, torture.logs / new)
        if old is not None:
            torture.write(5, torture.logs / old)  # the last ones of yesterday
            torture.caught_up()
    torture.exact(truncations=0, sentinel=open(torture.logs / names[-1], "ab", 0))


@pytest.mark.parametrize("how", ["rename", "copy"])
@pytest.mark.parametrize("ending", [".1", ".1.gz", ZSTD])
def test_pattern_matches_old_generations_too(torture, how, ending):  # 18
    torture.setup("proxy.log*").start()
    for n in (50, 60, 5, 200):
        torture.write(n)
        torture.caught_up()
        torture.rotate(how, ending)
    torture.write(5)
    torture.exact()


def test_copy_is_met_before_its_log(torture):  # 18
    """Of two new names the pattern gives first the copy, then the log that is yet to be truncated."""
    torture.setup("proxy*.log").start()
    torture.write(50)
    torture.caught_up()
    with torture.asleep():
        torture.log.rename(torture.logs / "proxy-20261119.log")
        torture.write(20)
        shutil.copy(torture.log, torture.logs / "proxy-20261120.log")
    torture.caught_up()
    pause(0.3)
    os.truncate(torture.log, 0)
    torture.write(5)
    torture.exact(truncations=1)


@pytest.mark.parametrize("pattern", ["proxy.log", "proxy.log*"])
def test_renamed_compressed_and_removed_while_we_lag(torture, pattern):  # 19
    torture.setup(pattern).start()
    torture.write(50)
    torture.caught_up()
    with torture.asleep():
        torture.write(100_000)
        torture.rotate("rename", ".1.gz")
        torture.write(50)
    torture.exact(rotations=1, truncations=0)


def test_generation_we_never_saw_is_compressed_already(torture):  # 16 and 19 together
    torture.start()
    torture.write(50)
    torture.caught_up()
    with torture.asleep():
        for _ in range(3):
            torture.write(20)
            torture.rotate("rename", ".1.gz")
        torture.write(50)
    torture.exact(truncations=0)


def test_unlinked_while_its_writer_goes_on(torture):  # 20, s21
    torture.setup(keys='rotate_wait = "1s"').start()
    with open(torture.log, "ab", 0) as writer:
        torture.write(50, writer)
        torture.caught_up()
        torture.log.unlink()
        for _ in range(5):
            torture.write(1, writer)
            pause(0.05)
        torture.caught_up()
        wait_for(lambda: torture.held() == [], what="the descriptor of a file that is gone")  # or the disk stays full
        assert torture.source()["files"] == []
    torture.write(5)
    torture.exact()


def test_directory_renamed_away_and_created_again(torture):  # 21
    torture.start()
    with open(torture.log, "ab", 0) as writer:
        torture.write(50, writer)
        torture.caught_up()
        torture.logs.rename(torture.directory / "log.old")
        torture.write(5, writer)
        torture.logs.mkdir()
        torture.write(50)
        torture.write(5, writer)
    torture.exact(rotations=1, truncations=0)


def test_nested_directories_come_late(torture):  # 22
    torture.log.unlink()
    torture.setup("*/*/x.log").start()
    assert torture.source()["state"] == "waiting"
    paths = [torture.logs / host / day / "x.log" for host in "ab" for day in "12"]
    for path in paths:
        path.parent.mkdir(parents=True)
        torture.write(20, path)
    torture.caught_up()
    for path in paths:
        torture.write(2, path)
    torture.exact(rotations=0, truncations=0, sentinel=open(paths[-1], "ab", 0))


def test_file_system_mounted_over_the_logs(torture, mounts):  # 23
    inside = mounts.inside(torture.log)
    torture.start()
    torture.write(50)
    torture.caught_up()
    mounts.run("mount", "-t", "tmpfs", "-o", "size=4m", "none", str(torture.logs))
    torture.write(20, inside)
    torture.caught_up(timeout=15)
    mounts.run("umount", "-l", str(torture.logs))
    torture.write(5)
    torture.exact(truncations=0, timeout=15)


@pytest.mark.parametrize("kind", ["fifo", "directory", "socket", "device"])
def test_not_a_regular_file(torture, kind):  # 24
    torture.start()
    torture.write(5)
    torture.caught_up()
    torture.log.unlink()
    with contextlib.ExitStack() as stack:
        if kind == "fifo":
            os.mkfifo(torture.log)
        elif kind == "directory":
            torture.log.mkdir()
        elif kind == "socket":
            stack.enter_context(socket.socket(socket.AF_UNIX)).bind(str(torture.log))
        else:
            torture.log.symlink_to("/dev/zero")
        source = wait_for(lambda: torture.source()["state"] == "failed" and torture.source())
        assert kind == "socket" or "not a regular file" in source["text"]  # a socket cannot even be opened
        assert torture.cpu_share(0.3) < 0.3
    torture.log.rmdir() if kind == "directory" else torture.log.unlink()
    torture.write(5)
    torture.exact()


# Bytes


def test_line_in_two_halves(torture):  # 39, s07
    torture.start()
    line = torture.count(lines(503))
    at = line.index(b"503") + 2
    torture.raw(line[:at])
    pause(2.5)
    assert torture.source()["lines"] == 0
    torture.raw(line[at:])
    torture.exact(truncations=0)


def test_every_split_of_a_line(torture):  # 40
    """One file for every place where a line can be cut, so that all are read in two pieces at once."""
    line = lines(503).replace(b"a@b", b"x" * 60)[:-1] + b"\r\n"
    paths = [torture.logs / f"{at:03}.log" for at in range(1, len(line))]
    torture.setup("???.log").start()
    for path in paths:
        torture.raw(line[:int(path.stem)], path)
    torture.taken(sum(int(path.stem) for path in paths))
    assert torture.source()["lines"] == 0
    for path in paths:
        torture.raw(torture.count(line)[int(path.stem):], path)
    torture.exact(sentinel=open(paths[0], "ab", 0))


@pytest.mark.parametrize("how", ["copy", "rename"])
def test_fragment_then_rotation(torture, how):  # 41, s08
    """It was never completed: neither a line, nor the beginning of the next one."""
    fragment = lines(503)[:60]
    torture.start()
    torture.write(20)
    torture.raw(fragment)
    torture.taken(torture.log.stat().st_size)
    torture.rotate(how)
    torture.write(20)
    source = torture.exact(truncations=1 if how == "copy" else 0)
    if how == "copy":
        assert source["partial_dropped"] == 1  # a renamed file may get its end until rotate_wait is over


def test_fragment_of_a_rotated_file_is_dropped_with_it(torture):  # 41
    torture.setup(keys='rotate_wait = "1s"').start()
    torture.write(20)
    torture.raw(lines(503)[:60])
    torture.taken(torture.log.stat().st_size)
    torture.rotate()
    torture.write(20)
    wait_for(lambda: torture.source()["partial_dropped"] == 1)
    torture.exact(rotations=1, truncations=0)


def test_last_line_without_end(torture):  # 42
    torture.start()
    torture.write(5)
    line = torture.batch(1)
    torture.raw(line[:-1])
    torture.taken(torture.log.stat().st_size)
    pause(1.5)
    torture.caught_up()  # not this one
    torture.count(line)
    torture.raw(b"\n")
    torture.exact(truncations=0)


@pytest.mark.parametrize("size", [1 << 20, 64 << 20, 4 * GIB], ids=["1 MiB", "64 MiB", "4 GiB"])
def test_line_without_measure(torture, size):  # 43, s10
    torture.start()
    torture.write(5)
    torture.raw(b"x")
    if size < GIB:
        for _ in range(size >> 20):
            torture.raw(b"y" * (1 << 20))
    else:  # a hole in the middle of a line: NULs that belong to it
        os.truncate(torture.log, torture.log.stat().st_size + size)
    torture.raw(torture.count(b"\n"))
    torture.write(5)
    torture.caught_up(timeout=90)  # 4 GiB on a busy machine
    assert torture.rss_kib() < 64 * 1024
    source = torture.exact(truncations=0)
    assert source["oversize"] == 1 or size > GIB


ODD = {
    "CRLF": lines(604, 20).replace(b"\n", b"\r\n"),  # s11
    "lone CR": lines(604, 2).replace(b"\n", b"\r") + b"\n" + lines(605, 3),
    "mixed ends": lines(604) + lines(605).replace(b"\n", b"\r\n") + b"\r\r\n" + lines(606),
    "empty and blank": b"\n\n\r\n   \n\t\n \r\n" + lines(604, 3) + b"\n",
    "invalid UTF-8": lines(604) + b"\xc3\x28 \xff\xfe caf\xe9\n" + lines(605, 3),
    "NUL in a line": lines(604) + b"a\0b\0\0c\n" + lines(605, 3),  # s12
    "overlong UTF-8": b"\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf\n" + lines(604, 3),
    "UTF-16": "\ufeffone line\n".encode("utf-16-le") + b"\n" + lines(604, 3),
    "run of 0xFF": b"\xff" * 100_000 + b"\n" + lines(604, 3),
    "run of NULs": lines(604) + b"\0" * 100_000 + lines(605, 3),
    "only NULs": b"\0" * 70_000 + b"\n" + lines(604, 3),
    "colours": b"\x1b[32m" + lines(604)[:-1] + b"\x1b[0m\n" + lines(605, 3),  # 46: what they hide is format's part
    "escapes": b"\x1b]0;title\x07\x1b[2J\n\x00\x1b\x9b\n" + lines(604, 3),
}


@pytest.mark.parametrize("piece", ["whole", "bytes"])
@pytest.mark.parametrize("data", ODD.values(), ids=ODD.keys())
def test_odd_bytes(torture, data, piece):  # 44, 45, 46
    if piece == "bytes" and len(data) > 5000:
        pytest.skip("48 has the many small writes")
    torture.start()
    torture.write(5)
    with open(torture.log, "ab", 0) as log:
        for part in [data] if piece == "whole" else (data[i:i + 1] for i in range(len(data))):
            log.write(part)
    torture.count(data)
    torture.write(5)
    source = torture.exact(rotations=0, truncations=0)
    assert source["bytes"] == torture.log.stat().st_size


@pytest.mark.parametrize("size", [1 << 31, 1 << 32, 1 << 43], ids=["2^31", "2^32", "2^43"])
def test_far_offsets(torture, size):  # 47 (file systems end long before 2^63)
    try:
        os.truncate(torture.log, size - 101)
    except OSError as error:
        pytest.skip(f"no file of that size here: {error.strerror}")
    torture.raw(b"\n")
    torture.start()
    torture.write(50)
    source = torture.exact(truncations=0)
    assert source["files"][0]["offset"] == torture.log.stat().st_size > size


def test_burst_of_lines(torture):  # 48, s22
    torture.start()
    torture.write(100_000)
    torture.exact(truncations=0)


def test_writes_of_one_byte(torture):  # 48
    torture.start()
    data = torture.count(torture.batch(2000))
    with open(torture.log, "ab", 0) as log:
        for i in range(len(data)):
            log.write(data[i:i + 1])
    torture.exact(truncations=0)


def test_two_writers_in_one_file(torture):  # 49
    """Their halves mix: what a mixed line says nobody knows, but each newline ends one line."""
    torture.start()
    pieces = random.Random(1)
    mixed = b""
    streams = [lines(604, 200), lines(605, 200)]
    with open(torture.log, "ab", 0) as one, open(torture.log, "ab", 0) as two:
        while any(streams):
            which = pieces.randrange(2)
            part, streams[which] = streams[which][:37], streams[which][37:]
            (one, two)[which].write(part)
            mixed += part
    torture.written += mixed.count(b"\n")
    wait_for(lambda: torture.source()["lines"] >= torture.written)
    source = torture.source()
    assert source["lines"] == torture.written == source["responses"] + source["unmatched"]
    assert source["bytes"] == len(mixed)


# Kernel, permissions, limits


def test_queue_of_events_overflows(torture):  # 50
    limit = int(pathlib.Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 200_000:
        pytest.skip(f"fs.inotify.max_queued_events is {limit}")
    torture.start()
    torture.write(50)
    torture.caught_up()
    with torture.asleep():
        old, new = torture.logs / "flood-a", torture.logs / "flood-b"
        old.touch()
        for _ in range(limit // 2 + 100):
            old.rename(new)
            old, new = new, old
        torture.write(10)
        torture.rotate()
        torture.write(20)
    torture.exact(rotations=1, truncations=0)


@pytest.mark.parametrize("limit, text", [("max_inotify_watches", "inotify watch limit"),
                                         ("max_inotify_instances", "inotify")])
def test_inotify_limits(torture, limit, text):  # 51
    """In a user namespace of its own the daemon has 8 watches for 100 files, or no inotify at all."""
    sysctl = f"/proc/sys/user/{limit}"
    value = 8 if limit == "max_inotify_watches" else 0
    torture.prefix = ["unshare", "-U", "-r", "sh", "-c", f'echo {value} > {sysctl} && exec "$@"', "sh"]
    if subprocess.run([*torture.prefix, "true"], stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("needs a user namespace with limits of its own")
    paths = [torture.logs / f"{i:03}.log" for i in range(100)]
    for path in paths:
        path.touch()
    torture.setup("???.log").start()
    for path in paths:
        torture.write(2, path)
    torture.caught_up()
    source = torture.source()
    assert source["state"] == "following" and text in source["text"] and "polling" in source["text"]
    paths[7].rename(torture.logs / "007.1")
    torture.write(2, torture.logs / "007.1")
    torture.write(2, paths[7])
    torture.exact(rotations=1, truncations=0, sentinel=open(paths[8], "ab", 0))


def test_no_events_at_all(torture, faults):  # 52
    torture.env["TORTURE_DEAF"] = "1"
    torture.start()
    torture.write(50)
    torture.caught_up(timeout=12)
    torture.write(5)
    torture.rotate()
    torture.write(50)
    torture.caught_up(timeout=12)
    torture.exact(rotations=1, truncations=0, sentinel=False)


FAULTY = {
    "ESTALE": dict(error=errno.ESTALE),  # 53
    "EIO": dict(error=errno.EIO),
    "EINTR": dict(error=errno.EINTR, every=2),
    "EAGAIN": dict(error=errno.EAGAIN, every=3),
    "short": dict(cap=100, every=2),
}


@pytest.mark.parametrize("fault", FAULTY.values(), ids=FAULTY.keys())
def test_reads_fail(torture, faults, fault):  # 53, 55
    torture.start()
    torture.write(50)
    torture.caught_up()
    faults.set(**fault)
    torture.write(2000)
    lasting = fault.get("every", 1) == 1
    if lasting:
        wait_for(lambda: torture.source()["state"] == "failed", what="a source that says it cannot read")
        assert torture.cpu_share() < 0.3
        assert torture.errors().count("failed") <= 3  # one line per edge
        torture.rotate()
        torture.write(50)
        faults.clear()
    torture.exact(rotations=1 if lasting else 0, truncations=0, timeout=15)
    assert torture.source()["state"] == "following"


def test_stale_handle_is_opened_again(torture, faults):  # 53
    """The server replaced the file: the old handle is dead for good, the new one has the same text and goes on."""
    torture.start()
    torture.write(50)
    torture.caught_up()
    faults.set(error=errno.ESTALE, inode=torture.log.stat().st_ino)
    new = torture.logs / "new"
    shutil.copyfile(torture.log, new)
    new.rename(torture.log)
    torture.write(5)
    torture.exact(truncations=0, timeout=15)
    assert torture.cpu_share(0.3) < 0.3


def test_new_file_may_be_read_later(nobody):  # 54, s17 (not root)
    nobody.start()
    nobody.write(20)
    nobody.caught_up()
    nobody.rotate()
    nobody.log.touch(0o000)
    if os.geteuid() == 0:
        nobody.write(5)
    wait_for(lambda: nobody.source()["state"] == "denied" and "permission denied" in nobody.source()["text"])
    nobody.log.chmod(0o644)
    nobody.write(5)
    nobody.exact(rotations=1, truncations=0)
    assert nobody.source()["state"] == "following"


def test_owner_changes(nobody):  # 54 (not root)
    """The open file stays readable whatever its mode; the next one is not until its mode is mended."""
    nobody.start()
    nobody.write(20)
    nobody.caught_up()
    with open(nobody.log, "ab", 0) as writer:
        nobody.log.chmod(0o000)
        nobody.write(5, writer)
        nobody.caught_up()
        nobody.log.chmod(0o644)
    nobody.exact(rotations=0, truncations=0)


def test_directory_cannot_be_searched(nobody):  # 54, 57 (not root)
    nobody.start()
    nobody.write(20)
    nobody.caught_up()
    with open(nobody.log, "ab", 0) as writer:
        nobody.logs.chmod(0o000)
        nobody.write(5, writer)
        wait_for(lambda: nobody.source()["state"] == "denied", what="a clear state")
    nobody.logs.chmod(0o755)
    nobody.rotate()
    nobody.write(5)
    nobody.exact(rotations=1, truncations=0)
    assert nobody.source()["state"] == "following"


def test_sandbox_hides_the_logs_at_start(nobody):  # 57 (not root)
    nobody.logs.chmod(0o000)
    nobody.start()
    assert nobody.source()["state"] == "denied" and str(nobody.logs) in nobody.source()["text"]
    assert nobody.cpu_share(0.3) < 0.3
    nobody.logs.chmod(0o755)
    wait_for(lambda: nobody.source()["state"] == "following")
    nobody.write(5)
    nobody.exact()


@pytest.mark.parametrize("descriptors, files", [(16, 40), (64, 80)])
def test_few_descriptors(torture, descriptors, files):  # 56
    """It says what is wrong and neither dies nor spins; all files are counted when there are few enough again."""
    paths = [torture.logs / f"{i:03}.log" for i in range(files)]
    for path in paths:
        path.touch()
    torture.limits = [(resource.RLIMIT_NOFILE, descriptors)]
    torture.setup("???.log", keys="" if descriptors == 16 else 'rotate_wait = "1s"').start(wait=False)
    if descriptors == 16:  # refusing to start with a reason is fair
        wait_for(lambda: torture.status(check=False) or torture.process.poll() is not None)
        if torture.process.poll() is not None:
            assert torture.process.returncode == 1 and re.search("[Tt]oo many open files", torture.errors())
            return
    wait_for(lambda: torture.process.poll() is not None or torture.status(check=False))
    assert torture.process.poll() is None, torture.errors()
    source = torture.source()
    assert source["state"] == "failed" and "open files" in source["text"]
    assert torture.cpu_share(0.5) < 0.3
    if descriptors == 16:
        return
    for path in paths[4:]:
        path.unlink()
    wait_for(lambda: torture.source()["state"] == "following", what="all files open")
    for path in paths[:4]:
        torture.write(5, path)
    torture.exact(sentinel=open(paths[0], "ab", 0))


def test_reader_slower_than_writer(torture, faults):  # 58
    torture.start()
    faults.set(cap=65536, pause_us=60_000)  # some 1 MB/s
    torture.write(250_000)
    wait_for(lambda: torture.source()["state"] == "backlog" and torture.source()["backlog_bytes"] > 16 << 20,
             timeout=8)
    for _ in range(10):
        begun = time.monotonic()
        torture.source()
        assert time.monotonic() - begun < 0.5  # an answer waits for one slice, not for the backlog
    faults.clear()
    torture.exact(truncations=0, timeout=20)
    wait_for(lambda: torture.source()["backlog_bytes"] == 0 and torture.source()["state"] == "following")


def test_backlog_does_not_hold_up_the_stop(torture, faults):  # 58
    torture.start()
    faults.set(cap=65536, pause_us=60_000)  # 20 s of work
    torture.write(200_000)
    pause(0.5)
    assert torture.stop() < 3
    faults.clear()
    torture.start()
    torture.exact(rotations=0, truncations=0, timeout=20)


def test_file_absent_at_start(torture):  # s18
    torture.log.unlink()
    torture.start()
    assert torture.source()["state"] == "waiting"
    torture.write(10)
    torture.exact(rotations=0, truncations=0)


def test_random_walk(torture):
    """All of it in any order: writes, both rotations, deletions, lags; seeded, so that a failure comes again."""
    seed = int(os.environ.get("TORTURE_SEED", "5060"))
    walk = random.Random(seed)
    torture.start()
    old = None
    for _ in range(120):
        step = walk.choice(["write", "write", "write", "late", "rename", "copy", "unlink", "lag"])
        if step == "write":
            torture.write(walk.randrange(1, 200))
        elif step == "late" and old is not None:
            torture.write(walk.randrange(1, 20), old)
        elif step == "rename" and torture.log.exists():
            old = open(torture.log, "ab", 0)
            torture.rotate()
        elif step == "copy" and torture.log.exists():
            torture.caught_up()  # what nobody has read before the truncation is row 7
            old = None
            torture.rotate("copy")
        elif step == "unlink" and torture.log.exists():
            torture.caught_up()
            torture.log.unlink()
        elif step == "lag":
            with torture.asleep():
                torture.write(walk.randrange(1, 200))
                if walk.random() < 0.5:
                    torture.rotate()
                    torture.write(walk.randrange(1, 200))
    torture.write(1)
    torture.exact()
