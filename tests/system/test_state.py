"""The state of an earlier life: somebody else has it open, it cannot be opened yet, it is damaged, it may not grow.

Whatever is in the way, the daemon starts, counts, says what it is, and has lost nothing when it is over.
"""
import contextlib
import pathlib
import re
import resource
import sqlite3
import subprocess

import pytest

from conftest import BUILD, reply, wait_for
from torture import nobody  # noqa: F401

OFF = 'snmp { mode = "off" }\n'
CALM = OFF + 'rule "none" { codes = {"699"} minor { count = 1000000 } }\n'
SETS_KEPT = 3  # of damaged states
TOO_LARGE = "file too large|file size limit"


def lost(daemon):
    return [alarm for alarm in daemon.status()["alarms"] if alarm["kind"] == "stateLost"]


def counts(daemon):
    return {code: seen["responses"] for code, seen in daemon.status()["codes"].items()}


def database(daemon):
    return daemon.directory / "state" / "state.db"


def earlier_life(daemon, n=50):
    """Counts n redirects and stops."""
    daemon.configure(CALM)
    daemon.start()
    daemon.append(reply(302) * n)
    daemon.wait_lines(n)
    daemon.stop()


def start_with(daemon, limit, value, err=None):
    """With a soft limit of its own; the hard one stays, so that it can be lifted again.  True: it answers."""
    hard = resource.getrlimit(limit)[1]
    with open(daemon.stderr, "ab") as log:
        daemon.process = subprocess.Popen([BUILD / "sipalertd", "-c", daemon.config], stderr=err or log,
                                          stdin=subprocess.DEVNULL,
                                          preexec_fn=lambda: resource.setrlimit(limit, (value, hard)))
    wait_for(lambda: daemon.process.poll() is not None or daemon.status(check=False), what="the control socket")
    return daemon.process.poll() is None


@contextlib.contextmanager
def client(daemon, doing):
    """A shell or a backup has the state open."""
    with contextlib.closing(sqlite3.connect(database(daemon), isolation_level=None)) as db:
        if doing == "reading":
            db.execute("BEGIN")
        elif doing == "writing":
            db.execute("BEGIN IMMEDIATE")
        assert db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
        yield db


def told_or_saved(daemon):
    """A client that is in nobody's way is no fault: then all of the earlier life is there and is saved."""
    return lost(daemon) or (daemon.status()["saved"] and counts(daemon).get("302") == 50)


@pytest.mark.parametrize("doing", ["reading", "idle", "writing"])
def test_another_program_has_the_state_open_at_the_start(daemon, doing):
    """sqlite3 state.db in another window: the daemon starts and counts, says who is in the way, and saves later."""
    earlier_life(daemon)
    with client(daemon, doing):
        daemon.start()
        daemon.append(reply(404) * 30)
        wait_for(lambda: counts(daemon).get("404") == 30, 10, "30 counted")
        alarm = wait_for(lambda: lost(daemon) or doing != "writing" and told_or_saved(daemon), 10, "an alarm")
        log = daemon.errors()
        assert "another daemon" not in log and "Read-only" not in log
        if alarm is not True:
            assert re.search(r"another program|is locked", alarm[0]["text"]), alarm[0]["text"]
            assert "another daemon" not in alarm[0]["text"]
            assert re.search(r"store: .*(another program|is locked)", log), log
    wait_for(lambda: not lost(daemon) and daemon.status()["saved"], 70, "the end of the alarm")
    daemon.append(reply(486) * 5)
    wait_for(lambda: counts(daemon).get("486") == 5, 10, "5 more counted")
    daemon.stop()
    daemon.start()
    assert counts(daemon) == {"302": 50, "404": 30, "486": 5}
    assert daemon.source()["lines"] == 85 and list(database(daemon).parent.glob("*damaged*")) == []


def test_killed_while_another_program_had_the_state_open(daemon):
    """Nothing could be saved in that life: the next one goes on from the earlier one, and reads again."""
    earlier_life(daemon)
    with client(daemon, "writing"):
        daemon.start()
        daemon.append(reply(404) * 30)
        wait_for(lambda: counts(daemon).get("404") == 30, 10, "30 counted")
        daemon.kill()
    daemon.start()
    wait_for(lambda: counts(daemon) == {"302": 50, "404": 30}, 10, "both lives")


def test_a_second_daemon_is_refused_whoever_has_the_state_open(daemon):
    """With two reasons at once the true one is told: another daemon runs there."""
    earlier_life(daemon)
    with client(daemon, "reading"):
        daemon.start()
        second = daemon.directory / "second.conf"
        second.write_text(daemon.config.read_text().replace("control.sock", "second.sock"))
        done = subprocess.run([BUILD / "sipalertd", "-c", second], capture_output=True, text=True, timeout=10)
        assert done.returncode == 1 and "another daemon" in done.stderr and "is locked" not in done.stderr
        daemon.append(reply(404))
        wait_for(lambda: counts(daemon).get("404") == 1, 10, "the first one goes on")


@pytest.mark.parametrize("descriptors", range(4, 9))
def test_a_kept_state_survives_a_start_with_few_descriptors(daemon, descriptors):
    """What cannot be opened at first is opened later and gone on from, not put aside; or it says what it lacks."""
    earlier_life(daemon)
    if start_with(daemon, resource.RLIMIT_NOFILE, descriptors):
        daemon.append(reply(404) * 30)
        wait_for(lambda: counts(daemon).get("404") == 30, 10, "30 counted")
        wait_for(lambda: not lost(daemon) and daemon.status()["saved"], 30, "a commit")
        daemon.stop()
        expected = {"302": 50, "404": 30}
    else:
        assert re.search("too many open files", daemon.errors(), re.I), daemon.errors()
        expected = {"302": 50}
    assert "Read-only" not in daemon.errors() and "the version that wrote it" not in daemon.errors()
    daemon.start()
    assert counts(daemon) == expected and list(database(daemon).parent.glob("*damaged*")) == []


def test_a_kept_state_that_may_not_be_read_at_first(nobody):
    """state.db belongs to somebody else after a restore; chown mends it, and the counts of before are there."""
    nobody.setup().start()
    nobody.write(50, code=302)
    nobody.caught_up()
    nobody.stop()
    state = nobody.state_dir / "state.db"
    state.chmod(0)
    nobody.start()
    nobody.write(30, code=404)
    wait_for(lambda: nobody.seen(404) == 30, 10, "30 counted")
    alarm = wait_for(lambda: nobody.alarms("stateLost"), 10, "an alarm")[0]
    assert re.search("permission denied", alarm["text"], re.I), alarm["text"]
    assert re.search("store: .*permission denied", nobody.errors(), re.I) and "another" not in nobody.errors()
    state.chmod(0o640)
    wait_for(lambda: not nobody.alarms("stateLost") and nobody.status()["saved"], 70, "the end of the alarm")
    nobody.stop()
    nobody.start()
    assert (nobody.seen(302), nobody.seen(404)) == (50, 30)


def damaged_sets(daemon):
    """{name of the set: content of its database}; the parts of one set share the name."""
    found = {}
    for path in database(daemon).parent.glob("state.db.damaged-*"):
        name = re.sub("-(wal|shm|journal)$", "", path.name)
        found.setdefault(name, b"")
        if path.name == name:
            found[name] = path.read_bytes()
    return found


def test_damaged_states_do_not_pile_up(daemon):
    """A sick disk damages it at each start: the newest three are kept to look at, whole, and no more."""
    earlier_life(daemon)
    for turn in range(1, 6):
        database(daemon).write_bytes(f"damage {turn} ".encode() * 500)
        pathlib.Path(f"{database(daemon)}-wal").write_bytes(b"and its log" * 50)
        daemon.start()
        assert len(lost(daemon)) == 1
        daemon.stop()
    kept = damaged_sets(daemon)
    assert len(kept) <= SETS_KEPT, sorted(kept)
    assert {content[:8] for content in kept.values()} == {b"damage 3", b"damage 4", b"damage 5"}


@pytest.mark.parametrize("room", [0, 20000])
def test_files_may_not_grow_at_the_start(daemon, room):
    """ulimit -f, LimitFSIZE=: it counts all the same, and says why it cannot save, instead of dying of a signal."""
    daemon.configure(CALM)
    with open(daemon.stderr, "wb") as told:  # through a pipe: what it says is not limited
        pipe = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=told)
    try:
        alive = start_with(daemon, resource.RLIMIT_FSIZE, room, pipe.stdin)
        assert alive, f"ended with {daemon.process.returncode}: {daemon.errors()}"
        daemon.append(reply(430) * 10)
        daemon.wait_lines(10)
        alarm = wait_for(lambda: lost(daemon), 20, "an alarm")[0]
        assert re.search(TOO_LARGE, alarm["text"], re.I), alarm["text"]
        wait_for(lambda: re.search(f"store: .*({TOO_LARGE})", daemon.errors(), re.I), 5, "a line in the log")
        daemon.append(reply(430) * 10)
        daemon.wait_lines(20)
    finally:
        pipe.stdin.close()
        daemon.kill()
        pipe.wait(timeout=10)


def test_files_may_not_grow_any_more(daemon):
    """The limit is met while it runs, and is lifted: the alarm clears by itself and nothing was lost."""
    daemon.configure(CALM)
    daemon.start()
    daemon.append(reply(302) * 50)
    daemon.wait_lines(50)
    wait_for(lambda: daemon.status()["saved"], 10, "a commit")
    pid, hard = daemon.process.pid, resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (30000, hard))
    daemon.append(reply(404) * 30)
    alarm = wait_for(lambda: daemon.process.poll() is not None or lost(daemon), 20, "an alarm")
    assert daemon.process.poll() is None, f"it died of signal {-daemon.process.returncode}"
    assert re.search(TOO_LARGE, alarm[0]["text"], re.I), alarm[0]["text"]
    daemon.wait_lines(80)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    wait_for(lambda: not lost(daemon) and daemon.status()["saved"], 70, "the end of the alarm")
    daemon.kill()
    daemon.start()
    assert counts(daemon) == {"302": 50, "404": 30}


def test_rows_that_cannot_be_true(daemon):
    """Something wrote into the state: the daemon says how many rows of which table it left out, and counts on."""
    earlier_life(daemon)
    with contextlib.closing(sqlite3.connect(database(daemon), isolation_level=None)) as db:
        db.execute("UPDATE counts SET method = hex(zeroblob(2000)) WHERE method != '' AND source = ''")
        db.execute("UPDATE bookmarks SET value = replace(value, 'marker_len=', 'marker_len=4500')")
        db.execute("INSERT INTO counts VALUES ('edge', 404, '', 'many', 0, 0, 0)")
    daemon.start()
    alarm = wait_for(lambda: lost(daemon), 10, "an alarm")[0]
    assert alarm["text"].endswith(": bookmarks 1, counts 2") and alarm["value"] == 3, alarm["text"]
    assert "read from its start and counts again" in alarm["remediation"]
    assert daemon.errors().count("3 rows of the saved state cannot be true and were dropped (bookmarks 1, counts 2)") == 1
    wait_for(lambda: counts(daemon)["302"] == 100, 10, "a log without its position is read from its start")
    daemon.append(reply(404) * 30)
    wait_for(lambda: counts(daemon).get("404") == 30, 10, "30 counted")
    daemon.stop()
    daemon.start()
    assert counts(daemon) == {"302": 100, "404": 30}
    assert daemon.errors().count("were dropped (") == 1
    wait_for(lambda: not lost(daemon), 10, "the end of the alarm")
