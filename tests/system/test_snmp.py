"""The SNMP face against real snmpd, snmptrapd and the net-snmp tools."""
import os
import signal
import time

import pytest

from conftest import ROOT, case, corpus, free_port, needs_snmpd, reply, snmp, wait_for, walk_codes

pytestmark = needs_snmpd

REDIRECTS = """rule "redirects" {
  codes = {"300-302", "305", "380"}  window = "2s"  min_total = 10
  minor { count = 20 ratio = "10%" }  clear_for = "1s"
}
"""
# Columns 2 to 17 of the alarm table in order, behind sysUpTime.0, snmpTrapOID.0 and the sequence number.
COLUMNS = ["Identity", "Severity", "Kind", "Rule", "Source", "Peer", "Codes", "Value", "Unit", "Threshold", "Window",
           "Total", "Raised", "Changed", "Text", "Remediation"]


def storm(redirects=30, others=70):
    return "".join(reply(302, call_id=f"r{i}@x") for i in range(redirects)) + \
        "".join(reply(200, call_id=f"o{i}@x") for i in range(others))


def fields(notification):
    """Checks the place of every varbind and returns the values by name."""
    names = [name for name, _ in notification]
    assert names[0] == ".1.3.6.1.2.1.1.3.0" and names[1] == ".1.3.6.1.6.3.1.1.4.1.0"
    assert names[2] == f"{ROOT}.1.1.15.0"
    index = names[3].rsplit(".", 1)[1]
    assert names[3:] == [f"{ROOT}.1.7.1.{column}.{index}" for column in range(2, 18)]
    values = dict(zip(COLUMNS, [value for _, value in notification[3:]]))
    values["Sequence"] = int(notification[2][1].split(": ")[1])
    values["Notification"] = notification[1][1].rsplit(".", 1)[1]
    return values


def check_raise_and_clear(daemon, trapd):
    daemon.append(storm())
    raised = fields(trapd.wait(1, wanted=1)[0])
    assert raised["Identity"] == 'STRING: "edge1/redirects/edge"'
    assert raised["Severity"] == "INTEGER: 5" and raised["Kind"] == "INTEGER: 1"
    assert raised["Rule"] == 'STRING: "redirects"' and raised["Source"] == 'STRING: "edge"'
    assert raised["Peer"] == '""' and raised["Codes"] == 'STRING: "302"'
    assert raised["Value"] == "Gauge32: 300" and raised["Unit"] == "INTEGER: 2"  # 30 of 100, per mille
    assert raised["Threshold"] == "Gauge32: 100" and raised["Window"] == "Gauge32: 2"
    assert raised["Total"] == "Gauge32: 100"
    assert "302 Moved Temporarily" in raised["Text"]
    assert "forwarding loops" in raised["Remediation"]  # the catalog's text for 302
    cleared = fields(trapd.wait(1, wanted=2)[0])
    assert cleared["Identity"] == raised["Identity"]
    assert cleared["Severity"] == "INTEGER: 1"
    assert cleared["Raised"] == raised["Raised"] and cleared["Sequence"] == raised["Sequence"] + 1
    assert len(trapd.notifications()) == 2
    assert daemon.status()["alarms"] == []


def test_agentx_counts_equal_the_case(daemon, snmpd):
    snmpd.start()
    daemon.configure(f'snmp {{ mode = "agentx" master = "{snmpd.socket}" }}\n')
    daemon.start()
    daemon.append(corpus("kamailio-xlog-traditional"))
    expected = case("kamailio-xlog-traditional")["expect"]["received"]
    wait_for(lambda: {c: v[1] for c, v in walk_codes(snmpd.port).items() if v[1]} == expected, what="the case's counts")
    scalars = snmp("snmpwalk", snmpd.port, f"{ROOT}.1.1")
    assert scalars[f"{ROOT}.1.1.5.0"] == "Counter64: 1482"
    assert scalars[f"{ROOT}.1.1.16.0"] == 'STRING: "edge1"'
    rows = snmp("snmpwalk", snmpd.port, f"{ROOT}.1.3.1.2")
    assert len(rows) == 75  # every registered code, seen or not, without any SET
    assert snmp("snmpbulkwalk", snmpd.port, f"{ROOT}.1.3") == snmp("snmpwalk", snmpd.port, f"{ROOT}.1.3")
    source = snmp("snmpwalk", snmpd.port, f"{ROOT}.1.2")
    assert source[f"{ROOT}.1.2.1.2.1"] == 'STRING: "edge"' and source[f"{ROOT}.1.2.1.6.1"] == "INTEGER: 1"


def test_agentx_one_raise_one_clear(daemon, snmpd, trapd):
    snmpd.start()
    daemon.configure(REDIRECTS + f'snmp {{ mode = "agentx" master = "{snmpd.socket}" }}\n')
    daemon.start()
    wait_for(lambda: daemon.status()["snmp"]["connected"])
    check_raise_and_clear(daemon, trapd)


def listening(pid):
    """The TCP sockets at which a process listens, as /proc/net/tcp shows them."""
    links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    rows = [line.split() for table in ("tcp", "tcp6") for line in open(f"/proc/net/{table}").readlines()[1:]]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in links]


@pytest.mark.parametrize("kind", ["trap", "inform"])
def test_standalone(daemon, trapd, kind):
    port = free_port()
    (daemon.directory / "access.conf").write_text("rocommunity public 127.0.0.1\n")
    daemon.configure(REDIRECTS + f"""snmp {{ mode = "standalone" listen = {{"udp:127.0.0.1:{port}"}}
      access = "{daemon.directory}/access.conf" }}
      notify "noc" {{ address = "udp:127.0.0.1:{trapd.port}" type = "{kind}" }}\n""")
    daemon.start()
    check_raise_and_clear(daemon, trapd)
    assert listening(daemon.process.pid) == []  # net-snmp would open the SMUX port at 0.0.0.0
    daemon.append(corpus("kamailio-xlog-traditional"))
    expected = dict(case("kamailio-xlog-traditional")["expect"]["received"])
    expected["302"] += 30
    expected["200"] += 70
    wait_for(lambda: {c: v[1] for c, v in walk_codes(port).items() if v[1]} == expected, what="the case's counts")
    assert snmp("snmpset", port, f"{ROOT}.1.1.7.0", "u", "0", check=False) is None


def test_severity_change_between_raise_and_clear(daemon, snmpd, trapd):
    snmpd.start()
    daemon.configure(f"""rule "flow" {{ codes = {{"430"}} window = "2s" min_total = 1 clear_for = "0s"
      minor {{ count = 5 }} major {{ count = 20 }} }}
      snmp {{ mode = "agentx" master = "{snmpd.socket}" }}\n""")
    daemon.start()
    wait_for(lambda: daemon.status()["snmp"]["connected"])
    daemon.append(reply(430) * 6)
    trapd.wait(1, wanted=1)
    daemon.append(reply(430) * 16)
    changed = fields(trapd.wait(1, wanted=3)[0])
    assert changed["Severity"] == "INTEGER: 4" and changed["Kind"] == "INTEGER: 2"
    cleared = fields(trapd.wait(1, wanted=2)[0])
    raised = fields(trapd.notifications(1)[0])
    assert raised["Severity"] == "INTEGER: 5"
    assert raised["Identity"] == changed["Identity"] == cleared["Identity"]
    sequences = [fields(n)["Sequence"] for n in trapd.notifications()]
    assert sequences == list(range(1, len(sequences) + 1))


def test_snmpd_starts_late(daemon, snmpd, trapd):
    daemon.configure(REDIRECTS + f'snmp {{ mode = "agentx" master = "{snmpd.socket}" }}\n')
    daemon.start()
    daemon.append(storm())
    wait_for(lambda: daemon.status()["alarms"], what="the alarm")
    assert not daemon.status()["snmp"]["connected"]
    wait_for(lambda: not daemon.status()["alarms"], what="the clear")
    snmpd.start()
    assert fields(trapd.wait(1, wanted=1, timeout=40)[0])["Sequence"] == 1
    assert fields(trapd.wait(1, wanted=2)[0])["Sequence"] == 2
    wait_for(lambda: walk_codes(snmpd.port).get("302") == (30, 30, 0))


def test_snmpd_restarts(daemon, snmpd, trapd):
    snmpd.start()
    daemon.configure(REDIRECTS + f'snmp {{ mode = "agentx" master = "{snmpd.socket}" }}\n')
    daemon.start()
    wait_for(lambda: daemon.status()["snmp"]["connected"])
    snmpd.stop()
    wait_for(lambda: not daemon.status()["snmp"]["connected"], what="the lost link")
    daemon.append(storm())
    wait_for(lambda: daemon.status()["alarms"])
    snmpd.start()
    trapd.wait(1, wanted=1, timeout=40)
    wait_for(lambda: walk_codes(snmpd.port).get("302") == (30, 30, 0), what="the tables again")


def test_stopped_snmpd_stops_nothing_else(daemon, snmpd, trapd):
    """snmpd hangs for 30 s while 100,000 lines arrive: all are counted, and its notifications come later."""
    snmpd.start()
    daemon.configure(REDIRECTS + f'snmp {{ mode = "agentx" master = "{snmpd.socket}" }}\n')
    daemon.start()
    wait_for(lambda: daemon.status()["snmp"]["connected"])
    snmpd.process.send_signal(signal.SIGSTOP)
    hung = time.monotonic()
    block = storm(redirects=300, others=700)
    for i in range(100):
        daemon.append(block)
        answered = time.monotonic()
        daemon.status()
        assert time.monotonic() - answered < 2, "the control socket waits for snmpd"
    daemon.wait_lines(100000)
    assert daemon.status()["codes"]["302"]["responses"] == 30000
    assert daemon.status()["codes"]["200"]["responses"] == 70000
    wait_for(lambda: not daemon.status()["alarms"], what="the clear during the hang")
    wait_for(lambda: time.monotonic() - hung >= 30, timeout=40)
    assert trapd.notifications() == []
    snmpd.process.send_signal(signal.SIGCONT)
    trapd.wait(1, wanted=1, timeout=60)
    trapd.wait(1, wanted=2, timeout=60)
    wait_for(lambda: daemon.status()["notifications"]["queued"] == 0, timeout=60)
    sent = daemon.status()["notifications"]["sent"]
    sequences = {fields(n)["Sequence"] for n in trapd.notifications()}
    assert sequences == set(range(1, sent + 1)), "none lost; repeats have the same number"


def test_sigterm_with_stopped_snmpd(daemon, snmpd):
    snmpd.start()
    daemon.configure(REDIRECTS + f'snmp {{ mode = "agentx" master = "{snmpd.socket}" }}\n')
    daemon.start()
    wait_for(lambda: daemon.status()["snmp"]["connected"])
    snmpd.process.send_signal(signal.SIGSTOP)
    daemon.append(storm())
    wait_for(lambda: daemon.status()["alarms"])
    wait_for(lambda: not daemon.status()["snmp"]["connected"], timeout=30, what="the link to be given up")
    assert daemon.stop(deadline=3) < 3
    assert daemon.process.returncode == 0


def test_dead_inform_receiver_blocks_nobody(daemon, snmpd, trapd):
    snmpd.start()
    daemon.configure(REDIRECTS + f"""snmp {{ mode = "agentx" master = "{snmpd.socket}" }}
      notify "dead" {{ address = "udp:127.0.0.1:{free_port()}" type = "inform" }}\n""")
    daemon.start()
    wait_for(lambda: daemon.status()["snmp"]["connected"])
    check_raise_and_clear(daemon, trapd)
    assert daemon.status()["notifications"]["queued"] == 2
    assert daemon.stop() < 3




def test_burst_of_alarms_is_delivered_whole(daemon, trapd):
    """1200 alarms are raised and cleared within seconds: an acknowledging receiver gets every one, once."""
    rules = "".join(f'rule "r{i}" {{ codes = {{"{code}"}} window = "5s" min_total = 1 minor {{ count = 1 }} '
                    'clear_for = "0s" }\n' for i, code in enumerate((302, 404, 430, 486, 500, 503)))
    sources = "".join(f'source "s{i}" {{ file = "{daemon.directory}/{i}.log" format = {{"edge"}} }}\n'
                      for i in range(200))
    daemon.configure(rules + sources + f"""snmp {{ mode = "off" }}
      notify "noc" {{ address = "udp:127.0.0.1:{trapd.port}" type = "inform" }}\n""", source=False)
    for i in range(200):
        (daemon.directory / f"{i}.log").touch()
    daemon.start()
    burst = "".join(reply(code) for code in (302, 404, 430, 486, 500, 503))
    for i in range(200):
        (daemon.directory / f"{i}.log").write_text(burst)
    wait_for(lambda: daemon.status()["notifications"]["sent"] == 2400, timeout=60, what="2400 sent")
    wait_for(lambda: daemon.status()["notifications"]["queued"] == 0)
    assert daemon.status()["notifications"]["suppressed"] == 0
    sequences = sorted(fields(n)["Sequence"] for n in trapd.notifications())
    assert sorted(set(sequences)) == list(range(1, 2401))
    assert daemon.errors().count("ALARM raised") == daemon.errors().count("ALARM cleared") == 1200


def test_receiver_that_hung_gets_all_soon_after(daemon, trapd):
    """However many notifications went unanswered together, it is one outage and the first retry comes after 5 s."""
    rules = "".join(f'rule "r{code}" {{ codes = {{"{code}"}} window = "1s" min_total = 1 minor {{ count = 1 }} '
                    'clear_for = "0s" }\n' for code in range(400, 430))
    daemon.configure(rules + f"""snmp {{ mode = "off" }}
      notify "noc" {{ address = "udp:127.0.0.1:{trapd.port}" type = "inform" }}\n""")
    daemon.start()
    trapd.process.send_signal(signal.SIGSTOP)
    daemon.append("".join(reply(code) for code in range(400, 430)))
    wait_for(lambda: "receiver noc does not answer" in daemon.errors(), timeout=30)
    trapd.process.send_signal(signal.SIGCONT)
    wait_for(lambda: daemon.status()["notifications"]["queued"] == 0, timeout=20, what="all delivered")
    assert {fields(n)["Sequence"] for n in trapd.notifications()} == set(range(1, 61))


def test_sent_counts_what_a_living_receiver_took(daemon, trapd):
    daemon.configure(REDIRECTS + f"""snmp {{ mode = "off" }}
      notify "dead" {{ address = "udp:127.0.0.1:{free_port()}" type = "inform" }}
      notify "noc" {{ address = "udp:127.0.0.1:{trapd.port}" type = "inform" }}\n""")
    daemon.start()
    check_raise_and_clear(daemon, trapd)
    wait_for(lambda: daemon.status()["notifications"]["sent"] == 2)
    assert daemon.status()["notifications"]["queued"] == 2  # the dead one is still waited for
