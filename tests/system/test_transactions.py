"""count = "transactions": what is sent again, or logged twice, counts once; and stamps without a zone."""
import datetime
import subprocess

import pytest

from conftest import BUILD, wait_for

TEMPLATE = '"[$ci] $cs $rs $rr from $si:$sp method $rm"'
FORMATS = f'format "edge" {{ xlog = {{{TEMPLATE}}} }}\n'


def line(call, cseq, code, second=53):
    return (f"Nov 20 16:46:{second} sbc01 kamailio[33]: INFO: <script>: [{call}@192.0.2.2] {cseq} {code} Moved "
            f"from 192.0.2.1:5060 method INVITE\n")


def later(call, cseq, code):
    """A minute on: no retransmission any more."""
    return line(call, cseq, code).replace("16:46", "16:48")


TRAFFIC = line("a", 1, 302) * 3 + line("a", 2, 302) + line("b", 1, 302) + line("b", 1, 486) + later("a", 1, 302)


def responses(daemon):
    return daemon.status()["codes"]["302"]["responses"]


def test_source_counts_responses_by_default(daemon):
    daemon.configure('snmp { mode = "off" }\n', formats=FORMATS)
    daemon.start(env={"TZ": "UTC"})
    daemon.append(TRAFFIC)
    daemon.wait_lines(7)
    assert responses(daemon) == 6


def test_source_counts_transactions(daemon):
    daemon.configure(f'source "edge" {{ file = "{daemon.log}" format = "edge" count = "transactions" }}\n'
                     'snmp { mode = "off" }\n', source=False, formats=FORMATS)
    daemon.start(env={"TZ": "UTC"})
    daemon.append(TRAFFIC)
    daemon.wait_lines(7)
    assert responses(daemon) == 4  # a/1, a/2, b/1 and a/1 a minute later
    assert daemon.status()["codes"]["486"]["responses"] == 1


def test_rule_counts_transactions_beside_one_that_counts_responses(daemon):
    daemon.configure('rule "all" { codes = "302" minor { count = 3 } }\n'
                     'rule "once" { codes = "302" count = "transactions" minor { count = 3 } }\n'
                     'snmp { mode = "off" }\n', formats=FORMATS)
    daemon.start(env={"TZ": "UTC"})
    daemon.append(line("a", 1, 302) * 3)
    raised = wait_for(lambda: daemon.status()["alarms"], 10)
    assert [alarm["rule"] for alarm in raised] == ["all"]
    daemon.append(line("b", 1, 302) + line("c", 1, 302))
    wait_for(lambda: {alarm["rule"] for alarm in daemon.status()["alarms"]} == {"all", "once"}, 10)
    assert responses(daemon) == 5


@pytest.mark.parametrize("zone, fires", [("-05:00", True), ("utc", False)])
def test_time_zone_of_the_log(daemon, zone, fires):
    """What was written before the start has its place in the windows by the log's own clock."""
    daemon.configure(f'source "edge" {{ file = "{daemon.log}" format = "edge" timezone = "{zone}" start_at = "begin" }}\n'
                     'rule "r" { codes = "302" minor { count = 3 } }\nsnmp { mode = "off" }\n', source=False, formats=FORMATS)
    stamp = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%S")
    daemon.append(line("a", 1, 302).replace("Nov 20 16:46:53", stamp) * 5)
    daemon.start(env={"TZ": "UTC"})
    daemon.wait_lines(5)
    daemon.append("x\n")
    daemon.wait_lines(6)
    assert responses(daemon) == 5 and bool(daemon.status()["alarms"]) == fires


def test_bad_words(daemon):
    daemon.configure('rule "r" { codes = "302" count = "calls" minor { count = 3 } }\n'
                     f'source "s" {{ file = "{daemon.log}" timezone = "CET" }}\n', source=False)
    done = subprocess.run([BUILD / "sipalertd", "-t", "-c", daemon.config], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and 'count: "calls"' in done.stderr and 'timezone: "CET"' in done.stderr
