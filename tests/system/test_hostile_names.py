"""What somebody may put beside a log who may create files there: archives that keep a reader busy, and names that are no
logs.  The log itself is read on, and the daemon answers."""
import gzip
import json
import os
import socket
import struct
import time
import zlib

import pytest

from conftest import reply, wait_for
from torture import needs_zstd

OFF = 'snmp { mode = "off" }\n'
ANSWER_S = 3 if os.environ.get("SIPALERT_SANITIZE") else 1
SKIPPABLE = 0x184D2A50  # RFC 8878 section 3.1.2
EMPTY_MEMBER = gzip.compress(b"", 9, mtime=0)


def ask(daemon):
    """How long an answer of the control socket takes."""
    begun, answer = time.monotonic(), b""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(daemon.directory / "control.sock"))
        client.sendall(b'{"sipalert":1,"command":"status"}\n')
        while not answer.endswith(b"\n"):
            part = client.recv(1 << 20)
            assert part, "the daemon hung up"
            answer += part
    assert json.loads(answer)["ok"]
    return time.monotonic() - begun


def skippable_frames(path):
    """100 kB on the disk, 107 GB to read: frames of nothing, as large as they may be, in a file with holes."""
    with open(path, "wb") as archive:
        for _ in range(25):
            archive.write(struct.pack("<II", SKIPPABLE, 0xFFFFFFF0))
            archive.seek(0xFFFFFFF0, os.SEEK_CUR)
        archive.truncate()


def empty_members(path):
    path.write_bytes(EMPTY_MEMBER * 3_000_000)


def windows(path):
    """Blocks of nothing, each of which asks for another 64 or 128 MiB."""
    headers = [b"\2\0\x21\1" + bytes([window]) + b"\0\0\0" for window in (28, 30)]
    blocks = b"".join(header + struct.pack("<I", zlib.crc32(header)) + b"\0\0\0\0" for header in headers)
    path.write_bytes(b"\xfd7zXZ\0\0\0" + struct.pack("<I", zlib.crc32(b"\0\0")) + blocks * 1_000_000)


TRAPS = {"zst": pytest.param("zst", skippable_frames, marks=needs_zstd), "gz": pytest.param("gz", empty_members),
         "xz": pytest.param("xz", windows)}


def live(daemon, meanwhile):
    """The daemon counts, and answers at once, for some scans after something was put beside the log."""
    begun = time.monotonic()
    meanwhile()
    worst, written = 0, daemon.source()["lines"]
    while time.monotonic() < begun + 12:  # more than two scans, which come every 5 s at the latest
        daemon.append(reply(302))
        written += 1
        worst = max(worst, ask(daemon))
        wait_for(lambda: daemon.source()["lines"] == written, 5)
    assert worst < ANSWER_S, f"an answer took {worst:.2f} s"


@pytest.mark.parametrize("kind, trap", TRAPS.values(), ids=TRAPS)
def test_an_archive_that_is_a_trap(daemon, kind, trap):
    daemon.configure(OFF)
    daemon.append(reply(302))
    daemon.start()
    live(daemon, lambda: trap(daemon.directory / f"{daemon.log.name}.1.{kind}"))
    begun = time.monotonic()
    daemon.stop()
    daemon.start()  # it is there at the start too
    assert time.monotonic() - begun < 5 * ANSWER_S
    daemon.append(reply(430))
    wait_for(lambda: daemon.status()["codes"].get("430", {}).get("responses") == 1)


def test_what_archives_inflate_to_is_bounded(daemon):
    """Small archives of large logs: no more than backfill_max_bytes is read of all of them, and that is said."""
    daemon.configure(OFF)
    daemon.config.write_text(daemon.config.read_text().replace("format", 'backfill_max_bytes = "1MiB" format', 1))
    daemon.append(reply(302))
    daemon.start()
    for number in range(16):
        lines = reply(503, call_id=f"bomb-{number}") * 30000  # 3 MB
        (daemon.directory / f"{daemon.log.name}.{number + 1}.gz").write_bytes(gzip.compress(lines.encode()))
    wait_for(lambda: "more than backfill_max_bytes" in daemon.errors(), 30)
    daemon.append(reply(430))
    wait_for(lambda: daemon.status()["codes"].get("430", {}).get("responses") == 1)
    counted = daemon.status()["codes"].get("503", {}).get("responses", 0)
    assert counted * len(reply(503, call_id="bomb-1")) <= 1 << 20
    wait_for(lambda: daemon.status()["saved"], 30, "a commit")
    daemon.kill()
    daemon.start()
    daemon.append(reply(430))
    wait_for(lambda: daemon.status()["codes"].get("430", {}).get("responses") == 2)


def test_names_that_are_no_logs(daemon):
    """A pattern matches a directory, a FIFO, links to a device and into /proc: the logs are followed all the same."""
    logs = daemon.directory / "logs"
    logs.mkdir()
    log, daemon.log = daemon.log, logs / "a.log"
    daemon.log.touch()
    daemon.configure(OFF)
    daemon.config.write_text(daemon.config.read_text().replace(str(daemon.log), f"{logs}/*.log"))
    (logs / "directory.log").mkdir()
    os.mkfifo(logs / "fifo.log")
    (logs / "device.log").symlink_to("/dev/zero")
    (logs / "kernel.log").symlink_to("/proc/kmsg")
    (logs / "sys.log").symlink_to("/sys/kernel/uevent_helper")
    (logs / "self.log").symlink_to("/proc/self/status")
    daemon.start()
    daemon.append(reply(302))
    wait_for(lambda: daemon.source()["responses"] == 1)
    source = daemon.source()
    assert (source["state"], [f["path"] for f in source["files"]]) == ("following", [str(daemon.log)])
    assert daemon.errors().count("no regular file") == 1
    assert daemon.status()["alarms"] == []
    daemon.log = log


def test_the_kernels_files_are_no_logs(daemon):
    """Named outright, it is said; nothing of it is opened."""
    daemon.configure(OFF)
    daemon.config.write_text(daemon.config.read_text().replace(str(daemon.log), "/proc/self/status"))
    daemon.start()
    assert daemon.source()["state"] == "failed" and "not a regular file" in daemon.source()["text"]
