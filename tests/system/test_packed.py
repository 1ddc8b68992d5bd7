"""Logs that are packed, by whatever is in use for it: what they are shows in their content, and each is counted whole,
or it is said why not."""
import bz2
import gzip
import json
import lzma
import pathlib
import shutil
import struct
import subprocess
import zlib

import pytest

from conftest import BUILD, XLOG, reply, wait_for

OFF = 'snmp { mode = "off" }\n'
LINES = 3000


def command(*words):
    return lambda data: subprocess.run(words, input=data, stdout=subprocess.PIPE, check=True).stdout


PACK = {"gz": lambda data: gzip.compress(data, 1), "zst": command("zstd", "-q", "-c"), "xz": lambda data: lzma.compress(data, preset=0),
        "bz2": lambda data: bz2.compress(data, 1), "lz4": command("lz4", "-q", "-c", "-B4")}
TOOLS = {"zst": "zstd", "lz4": "lz4"}
KINDS = [pytest.param(kind, marks=pytest.mark.skipif(kind in TOOLS and shutil.which(TOOLS[kind]) is None,
                                                     reason=f"{TOOLS.get(kind)} is not installed")) for kind in PACK]
NAMES = {"gz": "gzip", "zst": "zstd", "xz": "xz", "bz2": "bzip2", "lz4": "lz4"}
kinds = pytest.mark.parametrize("kind", KINDS)


def log(lines=LINES, code=302):
    """So many different lines, each a response."""
    return "".join(reply(code, call_id=f"{zlib.crc32(str(i).encode()):x}@x") for i in range(lines)).encode()


def scan(tmp_path, *files, stdin=None):
    (tmp_path / "format.conf").write_text(XLOG)
    return subprocess.run([BUILD / "sipalert", "scan", "--json", "-c", tmp_path / "format.conf", "--format", "edge", *files],
                          stdin=stdin or subprocess.DEVNULL, capture_output=True, timeout=60)


def responses(done):
    return json.loads(done.stdout)["responses"]


def failure(done):
    """What is said of a file that could not be read."""
    assert done.returncode == 1, done
    return done.stderr.decode()


# scan


@kinds
@pytest.mark.parametrize("name", ["x.log.1.{kind}", "x.log", "x.gz"])
def test_scan_goes_by_the_content(tmp_path, kind, name):
    path = tmp_path / name.format(kind=kind)
    path.write_bytes(PACK[kind](log()))
    for done in (scan(tmp_path, path), scan(tmp_path, "-", stdin=open(path, "rb"))):
        assert (done.returncode, responses(done), done.stderr) == (0, LINES, b"")


@kinds
def test_scan_of_several_members(tmp_path, kind):
    path = tmp_path / f"x.{kind}"
    path.write_bytes(PACK[kind](log(10)) + PACK[kind](b"") + PACK[kind](log(5)))
    done = scan(tmp_path, path)
    assert (done.returncode, responses(done)) == (0, 15)


@kinds
def test_scan_of_what_is_cut_off(tmp_path, kind):
    path = tmp_path / f"x.{kind}"
    path.write_bytes(PACK[kind](log())[:-30])
    done = scan(tmp_path, path)
    assert f"{path}: {NAMES[kind]}: cut off; counted up to there" in failure(done)
    assert 0 < responses(done) <= LINES


@kinds
def test_scan_of_what_is_damaged(tmp_path, kind):
    path = tmp_path / f"x.{kind}"
    packed = bytearray(PACK[kind](log()))
    for at in range(len(packed) - 300, len(packed) - 200):
        packed[at] ^= 0x5a
    path.write_bytes(packed)
    assert f"{path}: {NAMES[kind]}: damaged; counted up to there" in failure(scan(tmp_path, path))


def test_scan_of_a_text_with_a_packed_name(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(log(7))
    done = scan(tmp_path, path)
    assert (done.returncode, responses(done)) == (0, 7)


BINARY = {
    "a program": (lambda: pathlib.Path(BUILD / "sipalert").read_bytes()[:100000], "ELF executable: cannot be read as a log"),
    "an archive": (lambda: b"PK\3\4" + bytes(100) + log(5), "ZIP archive: cannot be read as a log"),
    "another packing": (lambda: b"\x1f\x9d\x90" + bytes(range(256)), "compress (.Z): cannot be read as a log"),
    "UTF-16": (lambda: log(5).decode().encode("utf-16"), "UTF-16 text: cannot be read as a log"),
    "numbers": (lambda: struct.pack("<1000I", *range(1000)), "binary data and no log; nothing was counted"),
    "packed numbers": (lambda: gzip.compress(struct.pack("<1000I", *range(1000))),
                       "gzip: binary data and no log; nothing was counted"),
}


@pytest.mark.parametrize("make, why", BINARY.values(), ids=BINARY)
def test_scan_of_what_is_no_log(tmp_path, make, why):
    """A file that cannot be read is an error, also beside one that can, and by match too."""
    path, sound = tmp_path / "x.log", tmp_path / "y.log"
    path.write_bytes(make())
    sound.write_bytes(log(3))
    done = scan(tmp_path, sound, path)
    assert f"{path}: {why}" in failure(done) and responses(done) == 3
    assert why in failure(scan(tmp_path, "-", stdin=open(path, "rb")))
    assert f"{path}: {why}" in failure(subprocess.run([BUILD / "sipalert", "match", path], capture_output=True, timeout=60))


def test_scan_of_a_log_with_binary_in_it(tmp_path):
    """The hole that truncation leaves, and bodies that are no text."""
    path = tmp_path / "x.log"
    path.write_bytes(bytes(1 << 20) + log(5) + bytes(range(256)) * 20 + b"\n" + log(5))
    done = scan(tmp_path, path)
    assert (done.returncode, responses(done)) == (0, 10)


def test_scan_of_a_window_that_is_too_large(tmp_path):
    """xz with a dictionary of 1.5 GiB."""
    header = b"\xfd7zXZ\0\0\0" + struct.pack("<I", zlib.crc32(b"\0\0"))
    block = b"\2\0\x21\1\x25\0\0\0"
    path = tmp_path / "x.xz"
    path.write_bytes(header + block + struct.pack("<I", zlib.crc32(block)) + bytes(100))
    assert f"{path}: xz: needs a window of more than 128 MiB" in failure(scan(tmp_path, path))


# Followed


def counted(daemon, code):
    return daemon.status()["codes"].get(str(code), {}).get("responses", 0)


def begun(daemon):
    """Some lines are counted and saved."""
    daemon.configure(OFF)
    daemon.append(reply(302) * 5)
    daemon.config.write_text(daemon.config.read_text().replace("format", 'start_at = "beginning" format', 1))
    daemon.start()
    daemon.wait_lines(5)
    wait_for(lambda: daemon.status()["saved"], 30, "a commit")
    daemon.stop()


def rotate(daemon, name, pack):
    """While nobody follows: some more is written, and the log becomes a generation."""
    daemon.append(log(LINES, 503))
    generation = daemon.directory / name
    generation.write_bytes(pack(daemon.log.read_bytes()))
    daemon.log.unlink()
    daemon.append(reply(430))
    return generation


def check_generation(daemon, name, pack):
    begun(daemon)
    rotate(daemon, name, pack)
    for _ in range(2):  # and another life counts nothing again
        daemon.start()
        wait_for(lambda: counted(daemon, 503) >= LINES and counted(daemon, 430) >= 1, 30, "the generation")
        wait_for(lambda: daemon.status()["saved"], 30, "a commit")
        assert [counted(daemon, code) for code in (302, 503, 430)] == [5, LINES, 1]
        daemon.stop()


@kinds
@pytest.mark.parametrize("name", ["proxy.log.1", "proxy-20261120.log"])
def test_generation_is_packed(daemon, kind, name):
    check_generation(daemon, f"{name}.{kind}", PACK[kind])


@pytest.mark.parametrize("kind", ["gz", "xz", "lz4"])
def test_generation_is_text_with_a_packed_name(daemon, kind):
    check_generation(daemon, f"proxy.log.1.{kind}", bytes)


@pytest.mark.parametrize("kind", ["xz", "bz2"])
def test_generation_is_packed_otherwise_than_its_name_says(daemon, kind):
    check_generation(daemon, "proxy.log.1.gz", PACK[kind])


@kinds
def test_generation_comes_in_halves(daemon, kind):
    """What is there counts, its end is waited for, and nothing counts twice."""
    begun(daemon)
    generation = rotate(daemon, f"proxy.log.1.{kind}", PACK[kind])
    packed = generation.read_bytes()
    generation.write_bytes(packed[:-len(packed) // 4])
    daemon.start()
    wait_for(lambda: "is cut off, its rest is read when it comes" in daemon.errors(), 30)
    assert 0 < counted(daemon, 503) < LINES
    generation.write_bytes(packed)
    wait_for(lambda: counted(daemon, 503) >= LINES, 30, "the rest")
    daemon.append(reply(404))
    wait_for(lambda: counted(daemon, 404) == 1)
    assert [counted(daemon, code) for code in (302, 503, 430)] == [5, LINES, 1]


MAGIC = {"gzip": b"\x1f\x8b\x08", "zstd": b"\x28\xb5\x2f\xfd", "bzip2": b"BZh91AY&SY", "xz": b"\xfd7zXZ\0"}


@pytest.mark.parametrize("magic", MAGIC.values(), ids=MAGIC)
def test_live_log_begins_as_a_packed_file(daemon, magic):
    """Only a name with such an ending makes a file packed: a log that is written is read as it is."""
    daemon.configure(OFF)
    daemon.log.write_bytes(b"")
    daemon.start()
    daemon.append(magic + b"\n" + reply(302).encode() * 3)
    wait_for(lambda: counted(daemon, 302) == 3)
    daemon.append(reply(302))
    wait_for(lambda: counted(daemon, 302) == 4)
