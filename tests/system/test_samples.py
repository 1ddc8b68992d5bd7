"""Every preset against an annotated sample: "# expect: {…}" before each record says what is in it, or "none".

The layouts are those of the programs' own sources; what each record holds was written down with the sample.
"""
import json
import os
import pathlib
import subprocess

import pytest

from conftest import BUILD

SAMPLES = sorted((pathlib.Path(__file__).resolve().parent.parent / "samples").glob("*.log"))
WRITTEN = 1795194000  # 2026-11-20T17:00:00Z, which stamps without a year are nearest to
UNKNOWN = {"direction": "", "peer": "", "method": ""}


def read_sample(path):
    """(preset, the log as the program wrote it, the responses that are in it)"""
    preset, log, expected = None, [], []
    for line in path.read_bytes().splitlines(keepends=True):
        if line.startswith(b"# preset: "):
            preset = line.decode().split()[2]
        elif line.startswith(b"# expect: "):
            text = line[len(b"# expect: "):].decode().strip()
            expected += [] if text == "none" else [UNKNOWN | json.loads(text)]
        elif not line.startswith(b"# "):
            log.append(line)
    return preset, b"".join(log), expected


def responses(path, preset):
    os.utime(path, (WRITTEN, WRITTEN))
    done = subprocess.run([BUILD / "sipalert", "match", "--json", "--format", preset, path], capture_output=True, text=True,
                          timeout=60, env=dict(os.environ, TZ="UTC"))
    assert done.returncode == 0, done.stderr
    return [found for found in map(json.loads, done.stdout.splitlines()) if "code" in found]


CASES = [(path, how) for path in SAMPLES for how in ("preset", "auto") if (path.stem, how) != ("kv", "auto")]


@pytest.mark.parametrize("sample, how", CASES, ids=[f"{path.stem}-{how}" for path, how in CASES])
def test_sample(tmp_path, sample, how):
    preset, log, expected = read_sample(sample)
    path = tmp_path / "log"
    path.write_bytes(log)
    found = responses(path, preset if how == "preset" else "auto")
    for one, other in zip(found, expected):
        assert {key: one[key] for key in other} == other, f"line {one['line']}"
    assert [one["code"] for one in found] == [one["code"] for one in expected]
    assert len(expected) >= 5


def test_every_preset_has_a_sample():
    listed = subprocess.run([BUILD / "sipalert", "formats"], capture_output=True, text=True, timeout=60).stdout
    names = {line.split()[0] for line in listed.splitlines() if line and not line.startswith(" ")}
    assert names == {read_sample(path)[0] for path in SAMPLES}
