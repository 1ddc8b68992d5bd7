"""The journal as a source, with journals that systemd-journal-remote wrote: where they are, when they are removed, made
anew, vacuumed, damaged or may not be read."""
import os
import shutil
import subprocess
import time

import pytest

from conftest import wait_for
from test_intake import OFF, counted, needs_journal, quiet
from torture import mounts, nobody, torture  # noqa: F401

pytestmark = needs_journal
REMOTE = "/lib/systemd/systemd-journal-remote"
BOOT = "6e2d4b0a1f6c4b7e9d1a2b3c4d5e6f70"
BOOTED_US = int((time.time() - 86400) * 1e6)  # the clock of that boot began a day ago
DROPPED, MISSED = "a596d6fe7bfa4994828e72309e95d61e", "0027229ca0644181a76c4e92458afa2e"
CALM = 'rule "none" { codes = {"699"} minor { count = 1 } }\n'  # an active alarm is not idle
FAULTS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* While the file FAULT_SWITCH exists the journal cannot be read. */
static int
call(const char *name, void *journal)
{
    if (access(getenv("FAULT_SWITCH"), F_OK) == 0)
        return -EIO;
    return ((int (*)(void *))dlsym(RTLD_NEXT, name))(journal);
}

int sd_journal_next(void *journal) { return call("sd_journal_next", journal); }
int sd_journal_process(void *journal) { return call("sd_journal_process", journal); }
"""


class Journals:
    """Journal files in one directory; every entry is of now, and later than the one before."""

    def __init__(self, directory):
        self.scratch = directory
        self.directory = directory / "journal"
        self.directory.mkdir()
        self.last_us = 0

    def entries(self, code, n):
        first = max(self.last_us + 1, int(time.time() * 1e6))
        self.last_us = first + n - 1
        return "".join(f"__REALTIME_TIMESTAMP={us}\n__MONOTONIC_TIMESTAMP={us - BOOTED_US}\n_BOOT_ID={BOOT}\n"
                       f"_HOSTNAME=sbc01\nSYSLOG_IDENTIFIER=kamailio\n"
                       f"_SYSTEMD_UNIT=kamailio.service\n"
                       f"MESSAGE=INFO: <script>: [{us}@x] {code} Moved from 192.0.2.1:5060 method INVITE\n\n"
                       for us in range(first, first + n))

    def told(self, message, message_id=DROPPED, transport="driver", **fields):
        """A record of journald's own, as it writes them; a field that is empty is left out."""
        self.last_us = max(self.last_us + 1, int(time.time() * 1e6))
        record = {"__REALTIME_TIMESTAMP": self.last_us, "__MONOTONIC_TIMESTAMP": self.last_us - BOOTED_US,
                  "_BOOT_ID": BOOT, "_HOSTNAME": "sbc01", "PRIORITY": 6,
                  "SYSLOG_IDENTIFIER": "systemd-journald", "_SYSTEMD_UNIT": "systemd-journald.service",
                  "_TRANSPORT": transport, "MESSAGE_ID": message_id, "MESSAGE": message, **fields}
        return "".join(f"{field}={value}\n" for field, value in record.items() if value != "") + "\n"

    def suppressed(self, n, unit, **fields):
        return self.told(f"Suppressed {n} messages from {unit}", N_DROPPED=n, OBJECT_SYSTEMD_UNIT=unit, **fields)

    def put(self, name, *texts):
        """Appended, or made: entries and records in this order."""
        export = self.scratch / "export"
        export.write_text("".join(texts))
        subprocess.run([REMOTE, f"--output={self.directory / name}", export], check=True, capture_output=True)

    def write(self, name, code, n=1):
        """Written beside it and moved: a journal that is being made is not one yet."""
        export, made = self.scratch / "export", self.scratch / "made.journal"
        export.write_text(self.entries(code, n))
        made.unlink(missing_ok=True)
        subprocess.run([REMOTE, f"--output={made}", export], check=True, capture_output=True)
        os.rename(made, self.directory / name)

    def append(self, name, code, n=1):
        self.put(name, self.entries(code, n))


@pytest.fixture
def journals(tmp_path):
    return Journals(tmp_path)


def configure(daemon, paths, keys='start_at = "begin"', body=""):
    named = "".join(f'"{path}", ' for path in paths)
    daemon.configure(OFF + body + f'''source "journal" {{ journal = {{{named}"_SYSTEMD_UNIT=kamailio.service"}}
                     format = {{"edge"}} {keys} }}\n''', source=False)
    return daemon


def state(daemon, wanted, words="", timeout=15):
    return wait_for(lambda: (s := daemon.source())["state"] == wanted and words in s["text"] and s, timeout,
                    f"{wanted} {words!r}, last {daemon.source()}")


def test_of_another_place_is_followed_and_its_alarm_clears(daemon, journals):
    rule = 'rule "r" { codes = {"302"} window = "3s" min_total = 0 minor { count = 5 } clear_for = "1s" }\n'
    journals.write("a.journal", 200, 5)
    configure(daemon, [journals.directory], keys="", body=rule).start()
    state(daemon, "following")
    journals.write("b.journal", 302, 40)
    wait_for(lambda: [a["rule"] for a in daemon.status()["alarms"]] == ["r"], 10)
    wait_for(lambda: daemon.status()["alarms"] == [], 20)
    assert daemon.source()["text"] == ""


def test_an_empty_directory_is_waited_for(daemon, journals):
    configure(daemon, [journals.directory], keys="").start()
    state(daemon, "waiting", "no journal file")
    journals.write("a.journal", 302, 3)  # it was not there, so all of it is new
    counted(daemon, c302=3)
    state(daemon, "following")


def test_a_missing_directory_is_looked_for(daemon, journals):
    journals.directory.rmdir()
    configure(daemon, [journals.directory], keys="").start()
    state(daemon, "failed", f"{journals.directory}: it does not exist")
    journals.directory.mkdir()
    journals.write("a.journal", 302, 3)
    counted(daemon, c302=3)
    state(daemon, "following")


def test_directory_made_anew(daemon, journals):
    journals.write("a.journal", 302, 20)
    configure(daemon, [journals.directory]).start()
    counted(daemon, c302=20)
    for turn in (1, 2):
        shutil.rmtree(journals.directory)
        state(daemon, "failed", "it does not exist")
        journals.directory.mkdir()
        state(daemon, "waiting", "no journal file")
        journals.write("a.journal", 430, 7)
        counted(daemon, c302=20, c430=7 * turn)
        state(daemon, "following")
    shutil.rmtree(journals.directory)  # at once, and perhaps with the same inode number
    journals.directory.mkdir()
    journals.write("a.journal", 301, 5)
    counted(daemon, c302=20, c430=14, c301=5)
    assert "the journal was replaced" in daemon.errors()
    daemon.kill()
    daemon.start()
    journals.append("a.journal", 380, 2)
    counted(daemon, c302=20, c430=14, c301=5, c380=2)


def test_what_is_left_in_a_removed_directory_is_read_first(daemon, journals):
    """More than is read in one turn, all of it removed at once."""
    journals.write("a.journal", 302, 1)
    configure(daemon, [journals.directory]).start()
    counted(daemon, c302=1)
    journals.write("b.journal", 430, 3000)
    wait_for(lambda: "430" in daemon.source()["codes"], 10)
    shutil.rmtree(journals.directory)
    counted(daemon, c302=1, c430=3000)


@pytest.mark.parametrize("left", [1, 2, 600])
def test_vacuumed_under_the_cursor(daemon, journals, left):
    journals.write("a.journal", 302, 10)
    configure(daemon, [journals.directory]).start()
    counted(daemon, c302=10)
    wait_for(lambda: daemon.status()["saved"], 10)
    daemon.kill() if left == 2 else daemon.stop()
    journals.write("b.journal", 430, left)
    (journals.directory / "a.journal").unlink()
    daemon.start()
    counted(daemon, c302=10, c430=left)
    daemon.stop()
    journals.append("b.journal", 301, 1)
    daemon.start()
    counted(daemon, c302=10, c430=left, c301=1)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_resumed_over_two_files_after_a_commit(daemon, journals, how):
    """The cursor that was saved is of the second file: nothing of either is read again, and what came to both is."""
    journals.write("a.journal", 302, 40)
    configure(daemon, [journals.directory]).start()
    counted(daemon, c302=40)
    journals.write("b.journal", 302, 30)
    counted(daemon, c302=70)
    wait_for(lambda: daemon.status()["saved"], 10, "a commit")
    getattr(daemon, how)()
    journals.append("a.journal", 301, 2)
    journals.append("b.journal", 430, 3)
    daemon.start()
    counted(daemon, c302=70, c301=2, c430=3)
    wait_for(lambda: daemon.status()["saved"], 10, "a commit")
    daemon.kill()
    journals.append("a.journal", 380, 1)
    daemon.start()
    counted(daemon, c302=70, c301=2, c430=3, c380=1)


def test_vacuumed_to_the_last_entry(daemon, journals):
    journals.write("a.journal", 302, 10)
    configure(daemon, [journals.directory]).start()
    counted(daemon, c302=10)
    daemon.stop()
    os.rename(journals.directory / "a.journal", journals.scratch / "away")
    daemon.start()
    state(daemon, "waiting")
    os.rename(journals.scratch / "away", journals.directory / "a.journal")  # it was counted before
    journals.append("a.journal", 430, 4)
    counted(daemon, c302=10, c430=4)


def test_what_came_while_down_is_counted_though_nothing_came_before(daemon, journals):
    """start_at = "end" is of the first start, also if nothing came during the first life."""
    journals.write("a.journal", 302, 10)
    configure(daemon, [journals.directory], keys="").start()
    state(daemon, "following")
    daemon.stop()
    journals.append("a.journal", 430, 4)
    daemon.start()
    counted(daemon, c430=4)


def test_another_place_in_the_configuration(daemon, journals):
    """Sections are put before and behind it, and entries come and do not come: each counts once."""
    before = f'source "other" {{ file = "{daemon.directory}/other.log" format = {{"edge"}} }}\n'
    journals.write("a.journal", 302, 40)
    configure(daemon, [journals.directory]).start()
    expected = 40

    def responses():
        return next(source["responses"] for source in daemon.status()["sources"] if source["name"] == "journal")

    wait_for(lambda: responses() == 40, 10, "40 entries")
    for place in (before, "", before, before, "", ""):
        daemon.stop()
        configure(daemon, [journals.directory], body=place).start()
        if place:
            journals.append("a.journal", 302, 10)
            expected += 10
        wait_for(lambda: responses() == expected, 10, f"{expected} entries, last {responses()}")


def test_files_of_which_one_is_missing(daemon, journals):
    journals.write("a.journal", 302, 4)
    files = [journals.directory / "a.journal", journals.directory / "b.journal"]
    configure(daemon, files).start()
    counted(daemon, c302=4)
    state(daemon, "failed", f"{files[1]}: it does not exist")
    journals.write("b.journal", 430, 3)
    counted(daemon, c302=4, c430=3)
    state(daemon, "following")
    files[0].unlink()
    state(daemon, "failed", f"{files[0]}: it does not exist")
    journals.write("a.journal", 301, 2)
    counted(daemon, c302=4, c430=3, c301=2)
    state(daemon, "following")


def test_what_is_in_the_others_is_passed_though_one_is_missing(daemon, journals):
    journals.write("a.journal", 302, 4)
    files = [journals.directory / "a.journal", journals.directory / "b.journal"]
    configure(daemon, files, keys="").start()
    state(daemon, "failed", f"{files[1]}: it does not exist")
    journals.append("a.journal", 430, 2)
    counted(daemon, c430=2)


def test_a_directory_stands_alone(daemon, journals):
    journals.write("a.journal", 302, 4)
    configure(daemon, [journals.directory, journals.directory / "a.journal"]).start()
    state(daemon, "failed", "has to be the only path")


def test_one_that_is_no_journal(daemon, journals):
    """It says so, reads the others, and does not try all the time."""
    journals.write("a.journal", 302, 4)
    (journals.directory / "b.journal").write_bytes(b"no journal" * 1000)
    configure(daemon, [journals.directory]).start()
    counted(daemon, c302=4)
    state(daemon, "failed", f"{journals.directory}/b.journal: it is damaged, or no journal")
    (journals.directory / "b.journal").unlink()
    state(daemon, "following")


def cpu_seconds(daemon):
    fields = open(f"/proc/{daemon.process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_damaged_in_its_middle(daemon, journals):
    """What can be read of it is, no spinning, and what comes after is counted."""
    journals.write("a.journal", 302, 2000)
    with open(journals.directory / "a.journal", "r+b") as file:
        file.seek(4200000)  # among the entries, behind the hash tables
        file.write(b"\xff" * 300000)
    configure(daemon, [journals.directory], body=CALM).start()
    wait_for(lambda: daemon.source()["responses"] > 0, 10)
    if not os.environ.get("SIPALERT_SANITIZE"):  # which has threads of its own
        wait_for(lambda: quiet(daemon), 100, "less than a wake-up a second")
    assert daemon.source()["responses"] < 2000, "nothing was damaged"
    journals.write("b.journal", 430, 3)
    wait_for(lambda: daemon.source()["codes"].get("430", {}).get("responses") == 3, 15)


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler for the injected faults")
@pytest.mark.skipif(bool(os.environ.get("SIPALERT_SANITIZE")), reason="a sanitizer wants to be the first library")
def test_an_error_does_not_make_it_spin(daemon, journals):
    faults, shim = daemon.directory / "faults", daemon.directory / "faults.so"
    (daemon.directory / "faults.c").write_text(FAULTS)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, daemon.directory / "faults.c"], check=True)
    journals.write("a.journal", 302, 5)
    configure(daemon, [journals.directory], body=CALM)
    daemon.start(env={"LD_PRELOAD": str(shim), "FAULT_SWITCH": str(faults)})
    counted(daemon, c302=5)
    faults.touch()
    journals.append("a.journal", 430, 5)
    state(daemon, "failed", "Input/output error")
    before, begun = cpu_seconds(daemon), time.monotonic()
    wait_for(lambda: time.monotonic() - begun > 8, 20)  # more than one look
    assert cpu_seconds(daemon) - before < 0.5
    faults.unlink()
    counted(daemon, c302=5, c430=5)
    state(daemon, "following")


def test_may_not_be_read(nobody, journals):
    nobody.directory.chmod(0o755)
    journals = Journals(nobody.directory)
    journals.write("a.journal", 302, 4)
    os.chmod(journals.directory / "a.journal", 0o600)
    if os.geteuid() != 0:
        os.chmod(journals.directory / "a.journal", 0)
    configure(nobody, [journals.directory]).start()
    state(nobody, "denied", "a.journal: it may not be read")
    os.chmod(journals.directory / "a.journal", 0o644)
    counted(nobody, c302=4)
    state(nobody, "following")
    os.chmod(journals.directory, 0)
    state(nobody, "denied", f"{journals.directory}: it may not be read")
    os.chmod(journals.directory, 0o755)
    state(nobody, "following")


def test_the_systems_own(torture, mounts, tmp_path):
    """/var/log/journal is made while the daemon runs, as when the journal becomes persistent."""
    machine = open("/etc/machine-id").read().strip()
    for path in ("/var/log", "/run"):
        mounts.run("mount", "-t", "tmpfs", "none", path)
    configure(torture, [], keys='start_at = "begin"').start()
    state(torture, "waiting", "no journal file")
    journals = Journals(tmp_path)
    for turn, root in enumerate(("/run/log/journal", "/var/log/journal"), 1):
        directory = mounts.inside(root) / machine
        directory.mkdir(parents=True)
        journals.write("made.journal", 302, 5)
        shutil.copy(journals.directory / "made.journal", directory / "part")
        os.rename(directory / "part", directory / "system.journal")
        counted(torture, c302=5 * turn)
        state(torture, "following")
        (journals.directory / "made.journal").unlink()
    for root in ("/run/log/journal", "/var/log/journal"):
        shutil.rmtree(mounts.inside(root))
    state(torture, "waiting", "no journal file")


# What journald says that it dropped

def select(daemon, journals, *matches, keys='start_at = "begin"'):
    named = "".join(f', "{match}"' for match in matches)
    daemon.configure(OFF + CALM + f'''source "journal" {{ journal = {{"{journals.directory}"{named}}}
                     format = {{"edge"}} {keys} }}\n''', source=False)
    return daemon


def lost(daemon, undercount, lines, **codes):
    """All of it has been read when the codes are there."""
    counted(daemon, **codes)
    wait_for(lambda: daemon.source()["undercount"] == undercount, 10, f"{undercount}, last {daemon.source()}")
    source = daemon.source()
    assert (source["lines"], source["unmatched"], source["undercount"]) == (lines, 0, undercount)


def undercounts(daemon):
    return [alarm for alarm in daemon.status()["alarms"] if alarm["kind"] == "undercount"]


@pytest.mark.parametrize("matches", [
    ["_SYSTEMD_UNIT=kamailio.service"],
    ["_SYSTEMD_UNIT=opensips.service", "_SYSTEMD_UNIT=kamailio.service", "_HOSTNAME=sbc01"],
    ["SYSLOG_IDENTIFIER=kamailio"],
    ["_HOSTNAME=sbc01", "SYSLOG_IDENTIFIER=kamailio"],
], ids=["unit", "units", "identifier", "identifier-of-a-host"])
def test_what_journald_dropped_of_a_unit(daemon, journals, matches):
    """Told in the journal, by nobody that the matches know: counted once, as no line, and only of what is read."""
    journals.put("a.journal", journals.entries(302, 5))
    select(daemon, journals, *matches).start()
    lost(daemon, 0, 5, c302=5)
    journals.put("a.journal", journals.suppressed(1234, "kamailio.service"), journals.entries(302, 1),
                 journals.suppressed(5000, "nginx.service"), journals.entries(430, 1))
    lost(daemon, 1234, 7, c302=6, c430=1)
    alarm = wait_for(lambda: undercounts(daemon), 10, "an alarm")[0]
    assert alarm["source"] == "journal" and "1234 log lines" in alarm["text"] and "journald" in alarm["text"]
    wait_for(lambda: daemon.status()["saved"], 10)
    daemon.kill()
    daemon.start()
    journals.put("a.journal", journals.entries(430, 1))
    lost(daemon, 1234, 8, c302=6, c430=2)
    daemon.stop()
    journals.put("a.journal", journals.suppressed(7, "kamailio.service"), journals.entries(301, 1))
    daemon.start()
    lost(daemon, 1241, 9, c302=6, c430=2, c301=1)


def test_what_journald_dropped_when_everything_is_read(daemon, journals):
    journals.put("a.journal", journals.entries(302, 2), journals.suppressed(30, "kamailio.service"),
                 journals.suppressed(5, "nginx.service"), journals.entries(430, 1))
    select(daemon, journals).start()
    lost(daemon, 35, 3, c302=2, c430=1)


def test_a_loss_of_what_was_not_read_yet_waits(daemon, journals):
    """An identifier says no unit: the first entry that is read does, and what was lost before it counts then."""
    journals.put("a.journal", journals.suppressed(30, "kamailio.service"), journals.suppressed(500, "nginx.service"))
    select(daemon, journals, "SYSLOG_IDENTIFIER=kamailio").start()
    state(daemon, "following")
    assert daemon.source()["undercount"] == 0
    journals.put("a.journal", journals.entries(302, 3))
    lost(daemon, 30, 3, c302=3)


def test_a_loss_of_no_unit_that_can_be_compared(daemon, journals):
    """Better told than not, with a word about it."""
    journals.put("a.journal", journals.told("Suppressed 12 messages from /"), journals.entries(302, 1))
    select(daemon, journals, "_SYSTEMD_UNIT=kamailio.service").start()
    lost(daemon, 12, 1, c302=1)
    assert "does not say of which unit" in wait_for(lambda: undercounts(daemon), 10, "an alarm")[0]["text"]


@pytest.mark.parametrize("text", ["/system.slice/kamailio.service", "kamailio.service"])
def test_a_loss_as_old_versions_tell_it(daemon, journals, text):
    """Only in words, with the control group's path, and by the shorter name."""
    record = journals.told(f"Suppressed 12 messages from {text}", SYSLOG_IDENTIFIER="systemd-journal", transport="")
    journals.put("a.journal", record, journals.entries(302, 1))
    select(daemon, journals, "_SYSTEMD_UNIT=kamailio.service").start()
    lost(daemon, 12, 1, c302=1)


@pytest.mark.parametrize("matches", [[], ["_SYSTEMD_UNIT=kamailio.service"], ["SYSLOG_IDENTIFIER=kamailio"]],
                         ids=["all", "unit", "identifier"])
def test_a_forged_loss_is_nothing(daemon, journals, matches):
    """Everybody may name himself journald and bear its message's number, but not write as its driver."""
    forged = {"_SYSTEMD_UNIT": "user@1000.service", "transport": "journal"}
    journals.put("a.journal", journals.suppressed(5, "kamailio.service", **forged),
                 journals.told("[a@b] 301 Moved from 192.0.2.1:5060 method INVITE", **forged),
                 journals.told("Forwarding to syslog missed 5 messages.", MISSED, **forged), journals.entries(302, 1))
    select(daemon, journals, *matches).start()
    lost(daemon, 0, 1, c302=1)


def test_a_loss_of_another_machine(daemon, journals):
    """In a journal of many machines: the source reads one."""
    journals.put("a.journal", journals.suppressed(5, "kamailio.service", _HOSTNAME="sbc02"),
                 journals.suppressed(7, "kamailio.service"), journals.entries(302, 1))
    select(daemon, journals, "_SYSTEMD_UNIT=kamailio.service", "_HOSTNAME=sbc01").start()
    lost(daemon, 7, 1, c302=1)


@pytest.mark.parametrize("matches", [[], ["_SYSTEMD_UNIT=kamailio.service"]], ids=["all", "unit"])
def test_what_was_not_forwarded_is_in_the_journal(daemon, journals, matches):
    """It is missing from syslog's files, not from here: no loss, no line, and one word of it in the log."""
    missed = [journals.told(f"Forwarding to syslog missed {n} messages.", MISSED) for n in (41, 12)]
    journals.put("a.journal", *missed, journals.entries(302, 1))
    select(daemon, journals, *matches).start()
    lost(daemon, 0, 1, c302=1)
    assert daemon.errors().count("journald did not forward everything to syslog") == 1


def test_a_loss_before_the_start_is_not_of_now(daemon, journals):
    journals.put("a.journal", journals.entries(302, 2), journals.suppressed(5, "kamailio.service"))
    select(daemon, journals, "_SYSTEMD_UNIT=kamailio.service", keys="").start()
    state(daemon, "following")
    journals.put("a.journal", journals.suppressed(7, "kamailio.service"), journals.entries(430, 1))
    lost(daemon, 7, 1, c430=1)
