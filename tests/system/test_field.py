"""What operators meet: odd includes, a control socket that somebody removed, a stop that has to be quick, old
generations at the first start, and the daemon's own log.
"""
import calendar
import gzip
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time

import pytest

from conftest import BUILD, reply, wait_for

OFF = 'snmp { mode = "off" }\n'
CALM = OFF + 'rule "none" { codes = {"699"} minor { count = 1000000 } }\n'
SOON_S = 5  # nobody waits longer for an answer about a configuration


# Stopping


@pytest.mark.skipif(bool(os.environ.get("SIPALERT_SANITIZE")), reason="a sanitizer looks for leaks first")
def test_a_healthy_stop_is_quick(daemon):
    """A restart of the service: five logs are followed and everything is well, so it takes no half second."""
    logs = [daemon.directory / f"{k}.log" for k in range(5)]
    daemon.configure("".join(f'source "{log.stem}" {{ file = "{log}" format = {{"edge"}} }}\n' for log in logs) + CALM,
                     source=False)
    for log in logs:
        log.touch()
    took = []
    for turn in range(1, 6):
        daemon.start()
        for log in logs:
            with open(log, "a") as file:
                file.write(reply(302) * 20)
        wait_for(lambda: [s["lines"] for s in daemon.status()["sources"]] == [20 * turn] * 5, 10, "all lines")
        took.append(daemon.stop())
        assert daemon.process.returncode == 0
    assert statistics.median(took) < 0.5, took


# The first start beside old generations


def dump(code, second, call):
    return (f"2026-11-20T16:46:{second:02}.000000+00:00 sbc01 kamailio[33]: INFO: <script>: [{call}] 1 {code} Moved "
            f"from 192.0.2.1:5060 method INVITE\n")


TRANSACTIONS = 'format "edge" { xlog = {"[$ci] $cs $rs $rr from $si:$sp method $rm"} }\n'


class Generations:
    """kam.log and three older ones, two of them compressed."""

    def __init__(self, daemon, keys=""):
        self.daemon = daemon
        daemon.log = daemon.directory / "log" / "kam.log"
        daemon.log.parent.mkdir()
        daemon.configure(f'source "edge" {{ file = "{daemon.log}*" format = {{"edge"}} start_at = "begin" {keys} }}\n'
                         + CALM, source=False, formats=TRANSACTIONS)

    def fill(self, texts):
        """From the oldest to the newest."""
        names = (".3.gz", ".2.gz", ".1", "")
        for age, (ending, text) in enumerate(zip(names, texts)):
            path = pathlib.Path(f"{self.daemon.log}{ending}")
            path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
            os.utime(path, (time.time() - 3600 * (3 - age) - 60,) * 2)

    def counts(self):
        return {code: seen["responses"] for code, seen in self.daemon.status()["codes"].items()}


def test_all_generations_at_the_first_start(daemon):
    """start_at = "begin" with kam.log*: the compressed ones count too, each line once, and not again later."""
    generations = Generations(daemon)
    generations.fill(dump(code, 1, f"c{code}") * 50 for code in (301, 302, 480, 486))
    daemon.start()
    wait_for(lambda: sum(generations.counts().values()) >= 200, 20, "200 lines")
    expected = {"301": 50, "302": 50, "480": 50, "486": 50}
    daemon.append(dump(404, 2, "new") * 3)
    wait_for(lambda: generations.counts().get("404") == 3, 10, "what comes then")
    assert generations.counts() == {**expected, "404": 3}
    for how in (daemon.stop, daemon.kill):
        wait_for(lambda: daemon.status()["saved"], 10, "a commit")
        how()
        daemon.start()
        daemon.append(dump(503, 3, "newer"))
        wait_for(lambda: generations.counts().get("503") == (1 if how == daemon.stop else 2), 10, "what comes then")
        assert {c: n for c, n in generations.counts().items() if c != "503"} == {**expected, "404": 3}


def test_generations_are_read_in_the_order_they_were_written(daemon):
    """A response that came again within 32 s is the same; only oldest first do the four of them make two."""
    generations = Generations(daemon, 'count = "transactions"')
    generations.fill(dump(302, second, "same") + dump(200, second, f"mark{second}") for second in (0, 20, 40, 59))
    daemon.start(env={"TZ": "UTC"})
    wait_for(lambda: daemon.source()["lines"] == 8 and generations.counts().get("200") == 4, 20, "8 lines")
    assert generations.counts()["302"] == 2


def test_rotation_after_the_first_start_beside_old_generations(daemon):
    """The next logrotate run shifts all of them: nothing is counted again under its new name."""
    generations = Generations(daemon)
    generations.fill(dump(code, 1, f"c{code}") * 50 for code in (301, 302, 480, 486))
    daemon.start()
    wait_for(lambda: sum(generations.counts().values()) >= 200, 20, "200 lines")
    log = daemon.log
    os.rename(f"{log}.3.gz", f"{log}.4.gz")
    os.rename(f"{log}.2.gz", f"{log}.3.gz")
    pathlib.Path(f"{log}.2.gz").write_bytes(gzip.compress(pathlib.Path(f"{log}.1").read_bytes()))
    os.unlink(f"{log}.1")
    os.rename(log, f"{log}.1")
    daemon.append(dump(404, 2, "new") * 3)
    wait_for(lambda: generations.counts().get("404") == 3, 10, "what comes then")
    wait_for(lambda: daemon.source()["state"] == "following", 10)
    daemon.append(dump(503, 2, "new"))
    wait_for(lambda: generations.counts().get("503") == 1, 10, "what comes then")
    assert generations.counts() == {"301": 50, "302": 50, "480": 50, "486": 50, "404": 3, "503": 1}


# Includes that are no files


def make_odd(path, kind):
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))


ODD = pytest.mark.parametrize("kind", ["fifo", "directory", "socket"])


@pytest.fixture
def including(daemon):
    """A configuration that includes whatever is in a directory; the sound file is there."""
    daemon.odd = daemon.directory / "parts.d" / "20-odd"
    daemon.odd.parent.mkdir()
    (daemon.odd.parent / "10-rule").write_text('rule "part" { codes = {"302"} minor { count = 1 } }\n')
    daemon.configure(OFF + f'include("{daemon.directory}/*.d/*")\n')
    return daemon


def told_where(daemon, text):
    """One line of the form FILE:LINE: message that names what is odd."""
    lines = [line for line in text.splitlines() if str(daemon.odd) in line]
    assert lines and any(re.search(rf"({re.escape(str(daemon.config))}|{re.escape(str(daemon.odd))}):\d+: .", line)
                         for line in lines), text


@ODD
@pytest.mark.parametrize("options", [["-t"], ["-T"], []], ids=["check", "print", "start"])
def test_an_include_that_is_no_file(including, kind, options):
    """conf.d holds something else: the check and the start fail at once, and say which line it is."""
    make_odd(including.odd, kind)
    done = subprocess.run([BUILD / "sipalertd", "-c", including.config, *options], capture_output=True, text=True,
                          timeout=SOON_S)
    assert done.returncode == 1 and "configuration ok" not in done.stdout
    told_where(including, done.stderr)


@ODD
def test_reload_with_an_include_that_is_no_file(including, kind):
    """systemctl reload meanwhile: what runs goes on with the configuration it has, and can be stopped."""
    including.start()
    make_odd(including.odd, kind)
    including.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "keeping the configuration" in including.errors(), SOON_S, "the complaint")
    told_where(including, including.errors())
    including.append(reply(302) * 2)
    wait_for(lambda: [alarm["rule"] for alarm in including.status()["alarms"]] == ["part"], 10, "the rule in force")
    done = including.tool("reload", check=False)
    assert done.returncode == 1 and "keeping the configuration" in done.stderr
    assert including.stop() < 3 and including.process.returncode == 0


@ODD
def test_the_tool_finds_the_daemon_beside_an_odd_include(including, kind):
    """sipalert -c CONF status answers: control stands in the file itself."""
    including.start()
    make_odd(including.odd, kind)
    done = subprocess.run([BUILD / "sipalert", "-c", including.config, "status"], capture_output=True, text=True,
                          timeout=SOON_S)
    assert done.returncode == 0 and "edge1" in done.stdout, done.stderr


# The control socket


@pytest.mark.parametrize("what", ["socket", "directory"])
def test_the_control_socket_was_removed(daemon, what):
    """A cleaner of /run took it away: it is made anew, with the same rights, and nobody has to restart anything."""
    run = daemon.directory / "run"
    run.mkdir()
    daemon.configure(CALM)
    daemon.config.write_text(daemon.config.read_text().replace("control.sock", "run/control.sock"))
    daemon.start()
    for turn in range(1, 3):
        if what == "socket":
            (run / "control.sock").unlink()
        else:
            shutil.rmtree(run)
        wait_for(lambda: daemon.status(check=False), 10, "an answer")
        assert (run / "control.sock").stat().st_mode & 0o777 == 0o660
        daemon.append(reply(302))
        wait_for(lambda: daemon.source()["lines"] == turn, 10)
    daemon.stop()
    assert not (run / "control.sock").exists()


def test_somebody_elses_file_at_the_control_socket(daemon):
    """It is not ours to remove; the daemon says so and goes on, and stops without it."""
    daemon.configure(CALM)
    daemon.start()
    path = daemon.directory / "control.sock"
    path.unlink()
    path.write_text("precious")
    lines = len(daemon.errors().splitlines())
    daemon.append(reply(302) * 10)
    wait_for(lambda: any("control" in line for line in daemon.errors().splitlines()[lines:]), 15, "a complaint")
    assert daemon.process.poll() is None and path.read_text() == "precious"
    path.unlink()
    wait_for(lambda: daemon.status(check=False), 15, "an answer")
    assert daemon.source()["lines"] == 10
    path.unlink()
    path.write_text("precious")
    daemon.stop()
    assert path.read_text() == "precious"


# The daemon's own log


def own_lines(daemon):
    return [line for line in daemon.errors().splitlines() if "ALARM" not in line]


STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:?\d\d) ")


def test_own_lines_have_a_time_outside_systemd(daemon):
    """In the foreground, in a container, under runit: each line says when."""
    daemon.configure(CALM)
    begun = time.time()
    daemon.start(env={"TZ": "UTC"})
    daemon.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: "dump: source edge" in daemon.errors(), 5, "a dump")
    daemon.stop()
    wait_for(lambda: "stopping" in daemon.errors(), 5)
    lines = own_lines(daemon)
    assert len(lines) >= 4
    for line in lines:
        found = STAMP.match(line)
        assert found, line
        when = calendar.timegm(time.strptime(found[1], "%Y-%m-%dT%H:%M:%S"))
        assert begun - 2 <= when <= time.time() + 2 and "sipalertd" in line, line


def test_own_lines_have_no_time_under_systemd(daemon):
    """journald has the time itself: there is the priority in front, and then the text."""
    daemon.configure(CALM)
    daemon.stderr.touch()
    status = daemon.stderr.stat()
    daemon.start(env={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
    daemon.stop()
    lines = own_lines(daemon)
    assert len(lines) >= 3
    for line in lines:
        assert re.match(r"<[0-7]>\w+: ", line), line


def test_the_same_complaint_again_and_again(daemon):
    """A log that comes and goes fifty times in a minute fills no disk: few lines, and how many were left out."""
    daemon.configure(CALM)
    daemon.start()
    away = daemon.directory / "away"
    for _ in range(50):
        daemon.log.rename(away)
        daemon.log.mkdir()
        wait_for(lambda: daemon.source()["state"] == "failed", 10, "failed")
        daemon.log.rmdir()
        away.rename(daemon.log)
        wait_for(lambda: daemon.source()["state"] == "following", 10, "following")
    assert len(own_lines(daemon)) < 30, f"{len(own_lines(daemon))} lines"
    daemon.append(reply(302))
    wait_for(lambda: daemon.source()["lines"] == 1, 10)

    def summary():
        lines = [line for line in own_lines(daemon) if re.search("suppressed|left out|not written|repeated", line)]
        return [max(map(int, re.findall(r"\b\d+\b", line.split("]: ", 1)[1])), default=0) for line in lines]

    numbers = wait_for(summary, 90, "a line that says how many were suppressed")
    assert sum(numbers) >= 50 and len(own_lines(daemon)) < 30
