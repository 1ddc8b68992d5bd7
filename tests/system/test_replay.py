"""sipalert replay: when the rules would have spoken, on the log's own clock.  What is expected follows from what was
written and when, by the rules' own words."""
import calendar
import gzip
import json
import re
import subprocess
import time

import pytest

from conftest import BUILD

START = calendar.timegm((2026, 11, 20, 16, 0, 0))
RULES = '''rule "redirects" { codes = {"302"} window = "60s" min_total = 0 minor { count = 5 } major { count = 50 } clear_for = "120s" }
rule "quiet" { codes = {"603"} window = "60s" min_total = 0 minor { count = 1 } }
'''
XLOG = 'format "edge" { xlog = "[$ci] $rs $rr from $si:$sp method $rm" }\n'


def line(second, code, call):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + second))
    return f"{stamp} sbc01 kamailio[33]: INFO: <script>: [{call}@x] {code} Reason from 192.0.2.1:5060 method INVITE\n"


def text(*parts):
    """Parts are (first second, seconds, responses a second, code)."""
    return "".join(line(first + s, code, f"{first}-{code}-{s}-{k}")
                   for first, seconds, rate, code in parts for s in range(seconds) for k in range(rate))


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "sipalertd.conf"
    path.write_text(f'node = "edge1"\nstate_dir = "{tmp_path}"\nsnmp {{ mode = "off" }}\n{XLOG}{RULES}'
                    f'source "edge" {{ file = "{tmp_path}/proxy.log" format = {{"edge"}} }}\n')
    return path


def replay(config, *words, status=0):
    done = subprocess.run([BUILD / "sipalert", "-c", config, "replay", *words], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def events(output):
    """(second, event, severity) of each."""
    return [(calendar.timegm(time.strptime(e["time"][:19], "%Y-%m-%dT%H:%M:%S")) - START, e["event"], e["severity"])
            for e in map(json.loads, output.splitlines())]


STORM = [(0, 1200, 1, 200), (600, 100, 1, 302)]  # a redirect a second for 100 s, among 20 minutes of traffic
EXPECTED = [(604, "raised", "minor"), (649, "changed", "major"),
            # From the last second with five in the window until clear_for is over; the window is empty of all but four
            # 56 s after the last redirect, at second 699.
            ]


def ordered(log):
    return "".join(sorted(log.splitlines(keepends=True), key=lambda each: each[:20]))


def test_raises_and_clears_on_the_logs_own_time(config, tmp_path):
    log = tmp_path / "proxy.log"
    log.write_text(ordered(text(*STORM)))
    found = events(replay(config, "--json", log))
    assert found[:2] == EXPECTED
    assert [event for _, event, _ in found] == ["raised", "changed", "changed", "cleared"] or \
        [event for _, event, _ in found] == ["raised", "changed", "cleared"]
    second, _, severity = found[-1]
    assert severity == "cleared" and 699 + 56 + 120 <= second <= 699 + 60 + 120 + 1


def test_the_table_counts_and_names_every_rule(config, tmp_path):
    log = tmp_path / "proxy.log"
    log.write_text(ordered(text(*STORM, (3000, 100, 1, 302), (3600, 600, 1, 200))))
    output = replay(config, "--plot", log)
    rows = {row.split()[0]: row.split()[1:] for row in output.splitlines() if row.startswith(("redirects", "quiet"))}
    assert re.search(r"^redirects +2 +2\.0 +4m\d+s +9m\d+s +0$", output, re.M), output
    assert re.search(r"^quiet +0 +0\.0 +0s +0s +0$", output, re.M), output
    assert rows and re.search(r"^redirects +\|.*[-=].*[-=].*\|$", output, re.M)
    assert "2000 responses in 2000 lines from 2026-11-20T16:00:00" in output


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_generations_in_any_order_are_one_log(config, tmp_path, order):
    log = ordered(text(*STORM)).splitlines(keepends=True)
    paths = [tmp_path / "proxy.log.2.gz", tmp_path / "proxy.log.1", tmp_path / "proxy.log"]
    cuts = [0, 500, 660, len(log)]  # the second cut is within the storm
    for path, begin, end in zip(paths, cuts, cuts[1:]):
        data = "".join(log[begin:end]).encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    (tmp_path / "whole.log").write_text("".join(log))
    found = replay(config, "--json", *[paths[i] for i in order])
    assert found == replay(config, "--json", "--source", "edge", tmp_path / "whole.log")
    assert events(found)[:2] == EXPECTED


def test_two_sources_meet_as_they_did(config, tmp_path):
    config.write_text(config.read_text() +
                      f'source "core" {{ file = "{tmp_path}/core.log" format = {{"edge"}} }}\n')
    (tmp_path / "proxy.log").write_text(text((0, 60, 1, 302)))
    (tmp_path / "core.log").write_text(text((10, 60, 1, 302)))
    found = [json.loads(each) for each in replay(config, "--json", tmp_path / "core.log", tmp_path / "proxy.log").splitlines()]
    raised = [(each["time"][14:19], each["source"]) for each in found if each["event"] == "raised"]
    assert raised == [("00:04", "edge"), ("00:14", "core")]
    assert [each["time"] for each in found] == sorted(each["time"] for each in found)


def test_a_part_of_the_time(config, tmp_path):
    log = tmp_path / "proxy.log"
    log.write_text(ordered(text(*STORM)))
    assert events(replay(config, "--json", "--until", "2026-11-20T16:10:04Z", log)) == []
    assert events(replay(config, "--json", "--until", "2026-11-20T16:10:05Z", log)) == EXPECTED[:1]
    late = events(replay(config, "--json", "--since", "2026-11-20T16:10:50Z", log))
    assert late[0] == (654, "raised", "minor")


def test_a_summer_of_silence_takes_no_time(config, tmp_path):
    """Nothing is due in a gap once all is clear."""
    log = tmp_path / "proxy.log"
    day = 86400
    log.write_text(text((0, 100, 1, 302)) + text((90 * day, 100, 1, 302)))
    begun = time.process_time()
    found = events(replay(config, "--json", log))
    assert [event for _, event, _ in found if event != "changed"] == ["raised", "cleared", "raised"]
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("words, message", [
    ([], "which file"), (["--since", "yesterday", "x"], "a time like"), (["--since"], "needs a value"),
    (["--nonsense", "x"], "not understood"), (["--source", "nobody", "x"], "no such source")])
def test_wrong_usage(config, words, message):
    assert message in replay(config, *words, status=2)


def test_what_cannot_be_read_says_so(config, tmp_path):
    assert "No such file" in replay(config, tmp_path / "missing.log", status=1)
    config.write_text(config.read_text() + f'source "core" {{ file = "{tmp_path}/core.log" format = {{"edge"}} }}\n')
    (tmp_path / "other.txt").write_text(text((0, 10, 1, 302)))
    assert "of which source" in replay(config, tmp_path / "other.txt", status=2)
    data = gzip.compress(ordered(text(*STORM)).encode())
    (tmp_path / "proxy.log.1.gz").write_bytes(data[:len(data) // 2])
    assert "proxy.log.1.gz" in replay(config, tmp_path / "proxy.log.1.gz", status=1)
    config.write_text("nonsense")
    assert "nonsense" in replay(config, tmp_path / "proxy.log", status=1)
