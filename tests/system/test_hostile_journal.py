"""Entries of the journal that somebody made to disturb: each costs its own line, and tells nothing of others."""
import os
import re
import struct
import subprocess
import time

import pytest
from conftest import wait_for
from test_intake import counted, needs_journal
from test_intake_journal import BOOT, DROPPED, MISSED, REMOTE, journals, select  # noqa: F401

pytestmark = needs_journal
UNIT = "_SYSTEMD_UNIT=kamailio.service"
SUPPRESSED = b"Suppressed 5000 messages from kamailio.service"
RATE_LIMITED = b"imjournal: 5000 messages lost due to rate-limiting (20000 allowed within 600 seconds)"


def text(code):
    return b"INFO: <script>: [a@b] %d Moved from 192.0.2.1:5060 method INVITE" % code


def entry(*fields, us=None, identifier=b"kamailio"):
    """In the export format, each field with its length, so that it may hold any byte."""
    known = [(b"_HOSTNAME", b"sbc01"), (b"_SYSTEMD_UNIT", b"kamailio.service"), (b"SYSLOG_IDENTIFIER", identifier)]
    return b"__REALTIME_TIMESTAMP=%d\n_BOOT_ID=%s\n" % (us or int(time.time() * 1e6), BOOT.encode()) + b"".join(
        name + b"\n" + struct.pack("<Q", len(value)) + value + b"\n" for name, value in [*known, *fields]) + b"\n"


def message(value, *more, **keys):
    return entry((b"MESSAGE", value), *more, **keys)


def put(journals, *entries):
    export = journals.scratch / "export"
    export.write_bytes(b"".join(entries))
    subprocess.run([REMOTE, f"--output={journals.directory / 'a.journal'}", export], check=True, capture_output=True)


def anonymous_kib(daemon):
    status = open(f"/proc/{daemon.process.pid}/status").read()  # without the journal's pages
    return int(re.search(r"RssAnon:\s+(\d+) kB", status).group(1))


def test_fields_of_all_kinds(daemon, journals):
    put(journals, message(text(200)))
    select(daemon, journals, UNIT).start()
    counted(daemon, c200=1)
    before = anonymous_kib(daemon)
    put(journals, message(b"x" * 5000000), message(b"x" * 5000000 + text(301)),  # cut
        message(text(302), (b"CORE_DUMP", os.urandom(5000000))),
        message(text(302), *[(b"FIELD_%d" % i, b"x") for i in range(1000)]),
        message(text(302) + b"\0\0\n\0"), message(text(302).replace(b"Moved", b"Mo\0ved")),
        message(text(302) + b"\nNov 20 16:46:53 sbc01 kamailio[33]: " + text(301)),
        message(b"nothing\n" + text(301) + b"\r\n" + text(301)),
        entry(), message(text(302), (b"MESSAGE", text(301))),  # none, and two: one is read
        message(text(302), (b"lower", b"x"), (b"1", b"x"), (b"X" * 65, b"x"), (b"X Y", b"x")),
        message(text(302), identifier=b"k" * 5000), message(text(302), identifier=b""),
        message(text(302), identifier=b"kamailio\nNov 20 16:46:53 sbc01 kamailio"),
        message(text(302), identifier=b"kamailio: " + text(301)), message(text(430)))
    counted(daemon, c200=1, c302=11, c430=1)
    source = daemon.source()
    assert (source["lines"], source["unmatched"], source["oversize"], source["undercount"]) == (17, 4, 2, 0)
    if not os.environ.get("SIPALERT_SANITIZE"):  # which keeps what was freed
        assert anonymous_kib(daemon) < before + 4096


@pytest.mark.parametrize("matches", [[], [UNIT]], ids=["all", "unit"])
def test_nobody_speaks_for_log_daemons(daemon, journals, matches):
    """Neither by a name nor by a text: what is missing from the journal is only what journald's driver tells."""
    number = (b"MESSAGE_ID", DROPPED.encode())
    put(journals, message(text(302)), message(SUPPRESSED), message(RATE_LIMITED), message(b"rsyslogd: " + RATE_LIMITED),
        *[message(words, (b"_TRANSPORT", transport), identifier=name)
          for transport in (b"syslog", b"stdout", b"journal")
          for name, words in [(b"systemd-journald", SUPPRESSED), (b"systemd-journal", SUPPRESSED),
                              (b"systemd-journald", b"Forwarding to syslog missed 5000 messages."),
                              (b"rsyslogd", RATE_LIMITED), (b"rsyslogd-2177", RATE_LIMITED),
                              (b"rsyslogd[5]", RATE_LIMITED), (b"rsyslogd: " + RATE_LIMITED, b"x"),
                              (b"rsyslogd", b"imuxsock lost 5000 messages from pid 3 due to rate-limiting")]],
        message(SUPPRESSED, number, (b"SYSLOG_IDENTIFIER", b"systemd-journald"), (b"_TRANSPORT", b"journal")),
        message(SUPPRESSED, number, (b"MESSAGE_ID", MISSED.encode()), (b"_TRANSPORT", b"journal"),
                (b"N_DROPPED", b"5000"), identifier=b"systemd-journald"),
        message(text(430)))
    select(daemon, journals, *matches).start()
    counted(daemon, c302=1, c430=1)
    assert daemon.source()["undercount"] == 0 and daemon.source()["unmatched"] == 28


def test_times_of_all_kinds(daemon, journals):
    """They are read in the journal's order, once, also over a restart."""
    put(journals, *[message(text(302), us=us) for us in (86400000000, 7258118400000000, 1 << 54, 2000000, 1 << 54)])
    select(daemon, journals, UNIT).start()
    counted(daemon, c302=5)
    wait_for(lambda: daemon.status()["saved"], 10)
    daemon.kill()
    daemon.start()
    put(journals, message(text(430)))
    counted(daemon, c302=5, c430=1)
    assert daemon.stop() < 3 and daemon.process.returncode == 0
