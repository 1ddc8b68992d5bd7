"""One record in many wrappings: what rsyslog, journalctl, containers and JSON loggers make of a proxy's line.

Written by the real programs or after their documentation; expected.json says how many responses each file holds.
"""
import json
import pathlib
import subprocess

import pytest

from conftest import BUILD

FILES = pathlib.Path(__file__).resolve().parent.parent / "envelopes"
EXPECTED = json.loads((FILES / "expected.json").read_text())


@pytest.mark.parametrize("name", EXPECTED)
def test_envelope(tmp_path, name):
    case = EXPECTED[name]
    formats = ["kamailio-acc"] if "-acc" in name else ["sip-message", "auto"] if case["expected"] >= 3 else ["sip-message"]
    command = [BUILD / "sipalert", "scan", "--json", FILES / name]
    if case["format"] != "auto":
        (tmp_path / "format.conf").write_text(case["format"])
        command += ["-c", tmp_path / "format.conf"]
        formats = ["f"]
    for chosen in formats:
        done = subprocess.run([*command, "--format", chosen], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["responses"] == case["expected"], chosen
