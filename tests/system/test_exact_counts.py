"""What is counted is counted under its name and once: methods among invented ones, transactions among very many."""
import re

import pytest

from conftest import reply, wait_for

OFF = 'snmp { mode = "off" }\nrule "none" { codes = {"699"} minor { count = 100000000 } }\n'
METHODS = ("ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS", "PRACK", "PUBLISH", "REFER",
           "REGISTER", "SUBSCRIBE", "UPDATE")  # all that are registered at IANA
INVENTED = 500  # more than anybody has places for
BRANCHES = ('format "edge" { xlog = {"[$ci] $cs $T_branch $rs $rr from $si:$sp method $rm"} }\n',
            'format "edge" { xlog = {"[$ci] $cs $rs $rr from $si:$sp method $rm"} }\n')


# Methods


def invented(n, code=405):
    return "".join(reply(code, method=f"X{k}") for k in range(n))


def everywhere(daemon):
    """The codes of the whole daemon and of its source, which say the same."""
    status = daemon.status()
    assert status["codes"] == status["sources"][0]["codes"]
    for code, seen in status["codes"].items():
        assert sum(seen["methods"].values()) == seen["responses"], code
    return status["codes"]


def methods_after(daemon, data):
    lines = daemon.source()["lines"] + data.count("\n")
    daemon.append(data)
    daemon.wait_lines(lines)
    return {code: seen["methods"] for code, seen in everywhere(daemon).items()}


def test_registered_methods_have_their_places(daemon):
    """A scanner invents methods first: the real traffic is counted under its names all the same."""
    daemon.configure(OFF)
    daemon.start()
    methods_after(daemon, invented(INVENTED))
    found = methods_after(daemon, "".join(reply(302, method=method) * (k + 1) for k, method in enumerate(METHODS)))
    assert found["302"] == {method: k + 1 for k, method in enumerate(METHODS)}
    assert found["405"]["OTHER"] > 1 and not set(METHODS) & set(found["405"])


@pytest.mark.parametrize("how", ["term", "kill"])
def test_other_methods_over_a_restart(daemon, how):
    """OTHER keeps its counts, and every code the sum of its methods, however often it starts."""
    daemon.configure(OFF)
    daemon.start()
    methods_after(daemon, invented(INVENTED) + invented(INVENTED, 501) + reply(302) * 10)
    for turn in range(3):
        before = everywhere(daemon)
        wait_for(lambda: daemon.status()["saved"], 10, "a commit")
        daemon.kill() if how == "kill" else daemon.stop()
        daemon.start()
        assert everywhere(daemon) == before
        found = methods_after(daemon, invented(50) + invented(50, 489) + reply(302) * 10
                              + reply(200, method="REGISTER"))
        assert found["302"] == {"INVITE": 10 * (turn + 2)} and found["200"] == {"REGISTER": turn + 1}
        assert sum(found["405"].values()) == INVENTED + 50 * (turn + 1)
        assert before["405"]["methods"]["OTHER"] <= found["405"]["OTHER"]


def test_the_tool_counts_methods_as_the_daemon_does(daemon):
    """scan of the same log: INVITE is INVITE there too."""
    daemon.configure(OFF)
    daemon.append(invented(INVENTED) + reply(302) * 5 + reply(200, method="REGISTER") * 3)
    codes = daemon.tool("scan", "--format", "edge", "--json", str(daemon.log))
    assert '"INVITE":5' in codes.stdout.replace(" ", "") and '"REGISTER":3' in codes.stdout.replace(" ", "")


# Transactions


def transaction(k, formats, code=302):
    branch = "" if formats is BRANCHES[1] else f"z9hG4bK{k:x} "
    return (f"Nov 20 16:46:53 sbc01 kamailio[33]: INFO: <script>: [call{k}@192.0.2.2] {k % 7} {branch}{code} Moved "
            f"from 192.0.2.1:5060 method INVITE\n")


def traffic(n, formats, first=0):
    return "".join(transaction(k, formats, (302, 486)[k % 2]) for k in range(first, first + n))


def counting_transactions(daemon, formats):
    daemon.configure(f'source "edge" {{ file = "{daemon.log}" format = "edge" count = "transactions" }}\n' + OFF,
                     source=False, formats=formats)
    daemon.start(env={"TZ": "UTC"})


def forgotten(source):
    """How many were forgotten too early, as the source says itself: a number of that name, or one in its text."""
    numbers = [value for name, value in source.items() if "forgotten" in name]
    numbers += [number.replace(",", "") for number in re.findall(r"([\d,]+)[^.;]* forgotten", source["text"])]
    return int(numbers[0]) if numbers else 0


def counted(daemon):
    """The responses of the source, which are those of its codes."""
    source = daemon.source()
    assert source["responses"] == sum(seen["responses"] for seen in source["codes"].values())
    return source["responses"]


@pytest.mark.parametrize("formats", BRANCHES, ids=["with branch", "without"])
def test_each_transaction_counts_once(daemon, formats):
    """20,000 calls within the 32 s in which a response may come again, and each does: 20,000 it is."""
    counting_transactions(daemon, formats)
    daemon.append(traffic(20000, formats))
    daemon.wait_lines(20000)
    assert counted(daemon) == 20000
    daemon.append(traffic(20000, formats))
    daemon.wait_lines(40000)
    assert counted(daemon) == 20000 and forgotten(daemon.source()) == 0


@pytest.mark.parametrize("how", ["term", "kill"])
def test_each_transaction_counts_once_over_a_restart(daemon, how):
    """Sent before the restart, sent again after: the same transaction."""
    formats = BRANCHES[1]
    counting_transactions(daemon, formats)
    daemon.append(traffic(10000, formats))
    daemon.wait_lines(10000)
    wait_for(lambda: daemon.status()["saved"], 10, "a commit")
    daemon.kill() if how == "kill" else daemon.stop()
    daemon.append(traffic(5000, formats))
    daemon.start(env={"TZ": "UTC"})
    daemon.wait_lines(15000)
    daemon.append(traffic(15000, formats, first=5000))
    daemon.wait_lines(30000)
    assert counted(daemon) == 20000


def test_responses_of_a_source_are_those_of_its_codes(daemon):
    """What came again is in neither."""
    formats = BRANCHES[1]
    counting_transactions(daemon, formats)
    daemon.append(traffic(10, formats) * 3 + "something else\n")
    daemon.wait_lines(31)
    assert counted(daemon) == 10
    source = daemon.source()
    assert source["unmatched"] == 1
    wait_for(lambda: daemon.status()["saved"], 10, "a commit")
    daemon.kill()
    daemon.start(env={"TZ": "UTC"})
    assert counted(daemon) == 10 and daemon.source()["unmatched"] == 1


def test_more_transactions_than_can_be_remembered(daemon):
    """A flood of calls: it counts no more too many than it says it has forgotten."""
    n, formats = 300000, BRANCHES[1]
    counting_transactions(daemon, formats)
    written = 0
    for _ in range(2):
        for first in range(0, n, 50000):
            daemon.append(traffic(50000, formats, first))
            written += 50000
        daemon.wait_lines(written, timeout=60)
    too_many = counted(daemon) - n
    daemon.log.write_text("")  # it is large
    assert 0 <= too_many <= forgotten(daemon.source()), f"{too_many} counted twice, not a word of it"


def test_a_rule_counts_transactions_beside_a_flood(daemon):
    """Among 18,700 others within the same 32 s: thirty calls, each response sent eleven times, are thirty."""
    formats = BRANCHES[1]
    daemon.configure(f'source "edge" {{ file = "{daemon.log}" format = "edge" }}\nsnmp {{ mode = "off" }}\n'
                     'rule "once" { codes = "302" count = "transactions" window = "1h" min_total = 1 '
                     'minor { count = 31 } }\n', source=False, formats=formats)
    daemon.start(env={"TZ": "UTC"})
    ours = "".join(transaction(10_000_000 + k, formats) for k in range(30))  # a second before the others
    written = 0
    for turn in range(11):
        others = "".join(transaction(k, formats, 486) for k in range(1700 * turn, 1700 * turn + 1700))
        data = ours + others.replace("16:46:53", "16:46:54")
        daemon.append(data)
        written += data.count("\n")
        daemon.wait_lines(written)
    assert daemon.status()["alarms"] == []
    daemon.append(transaction(10_000_030, formats))
    wait_for(lambda: [alarm["rule"] for alarm in daemon.status()["alarms"]] == ["once"], 10, "one more")
