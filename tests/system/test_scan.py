"""sipalert scan against the packet captures beside the corpora: tests/corpora/cases.json says what the capture
(or, where the log style shows less, its README) counted."""
import gzip
import json
import subprocess

import pytest

from conftest import BUILD, CORPORA

CASES = json.loads((CORPORA / "cases.json").read_text())


def log(case, name):
    """The log, which may be kept compressed."""
    path = CORPORA / case["corpus"] / name
    return path if path.exists() else path.with_name(name + ".gz")


def log_bytes(case, name):
    path = log(case, name)
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def scan(tmp_path, case, *options):
    command = [BUILD / "sipalert", "scan", "--json", *options]
    if case["format"] != "auto":
        (tmp_path / "format.conf").write_text(case["format"])
        command += ["-c", tmp_path / "format.conf", "--format", "f"]
    done = subprocess.run(command + [log(case, name) for name in case["files"]], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def count(report, direction):
    return {code: value[direction] for code, value in report["codes"].items() if value[direction]}


IDS = [f"{c['corpus']}/{c['files'][0]}" for c in CASES]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_case(tmp_path, case):
    report = scan(tmp_path, case)
    for direction, expected in case["expect"].items():
        counted = count(report, direction)
        print(case["corpus"], direction, "expected", expected, "counted", counted)
        assert counted == expected
    peers = {peer["peer"]: peer["codes"] for peer in report["peers"]}
    for peer, expected in case.get("peers", {}).items():
        assert peers.get(peer, {}) == expected, peer
    assert report["lines"] == sum(log_bytes(case, name).count(b"\n") for name in case["files"])


def captured(case):
    """What the capture beside the log counted of the directions that the log shows whole, (directions, truth)."""
    truth = json.loads((CORPORA / case["corpus"] / "truth.json").read_text())
    shown = {"received": "in", "sent": "out"}
    return [shown[d] for d, codes in case["expect"].items() if d in shown and codes == truth["by_direction_code"][shown[d]]], truth


def add_up(tables):
    total = {}
    for table in tables:
        for key, value in table.items():
            total[key] = total.get(key, 0) + value
    return total


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_methods_and_peers_equal_the_capture(tmp_path, case):
    """Where the log shows every response of a direction, its methods and peers are those on the wire."""
    directions, truth = captured(case)
    report = scan(tmp_path, case)
    counted = {d for d in ("received", "sent") if count(report, d)}
    if not directions or len(counted) != len(directions):
        pytest.skip("the log does not show what the wire carried")
    methods = {f"{method} {code}": n for code, value in report["codes"].items() for method, n in value["methods"].items()}
    if methods:  # the template of one log has none
        assert methods == add_up(truth["by_direction_method_code"][d] for d in directions)
    if report["peers"]:
        peers = {f"{p['peer']} {code}": n for p in report["peers"] for code, n in p["codes"].items()}
        assert peers == add_up({f"{peer} {code}": n for peer, codes in truth["by_direction_peer_code"][d].items()
                                for code, n in codes.items()} for d in directions)


def run(*arguments, stdin=None):
    return subprocess.run([BUILD / "sipalert", *arguments], capture_output=True, input=stdin, timeout=60)


LINE = b"Nov 20 16:46:53 sbc01 kamailio[33]: INFO: <script>: [a@b] 302 Moved from 192.0.2.1:5060 method INVITE\n"
XLOG = "[$ci] $rs $rr from $si:$sp method $rm"


def test_stdin_xlog_and_direction():
    done = run("scan", "--json", "--xlog", XLOG, "-", stdin=LINE * 3)
    report = json.loads(done.stdout)
    assert report["codes"]["302"] == {"responses": 3, "received": 3, "sent": 0, "methods": {"INVITE": 3}}
    assert report["peers"] == [{"peer": "192.0.2.1", "responses": 3, "codes": {"302": 3}}]
    sent = json.loads(run("scan", "--json", "--xlog-sent", XLOG, "-", stdin=LINE).stdout)
    assert sent["codes"]["302"]["sent"] == 1


def test_regex():
    done = run("scan", "--json", "--regex", r"status=(?<code>\d{3}) method=(?<method>\w+) peer=(?<peer>\S+)", "-",
               stdin=b"x status=503 method=INVITE peer=[2001:db8::1]:5060\nstatus=99 method=x\n")
    report = json.loads(done.stdout)
    assert report["codes"]["503"]["responses"] == 1 and report["unmatched"] == 1
    assert report["peers"][0]["peer"] == "2001:db8::1"


def test_several_files_are_one_stream(tmp_path):
    (tmp_path / "1").write_bytes(LINE[:50])
    (tmp_path / "2").write_bytes(LINE[50:])
    report = json.loads(run("scan", "--json", "--xlog", XLOG, str(tmp_path / "1"), str(tmp_path / "2")).stdout)
    assert report["responses"] == 1 and report["lines"] == 1


def test_wrong_usage():
    assert run().returncode == 2
    assert run("nonsense").returncode == 2
    assert run("scan").returncode == 2
    assert run("scan", "--format", "nonsense", "/dev/null").returncode == 2
    assert run("scan", "--xlog", "no code here $si", "/dev/null").returncode == 2
    assert run("scan", "/nonexistent").returncode == 1
    assert run("explain", "99").returncode == 2
    assert run("explain", "--json").returncode == 2


def test_explain():
    text = run("explain", "430").stdout.decode()
    assert "430 Flow Failed" in text and "RFC 5626" in text and "keep-alive" in text
    both = json.loads(run("explain", "302", "478", "--json").stdout)
    assert both[0]["phrase"] == "Moved Temporarily" and both[0]["class"] == "Redirection"
    assert both[1]["class"] == "Client Error" and both[1]["remediation"]
    assert len(run("codes").stdout.splitlines()) == 75


def test_first_and_last():
    lines = LINE + LINE.replace(b"16:46:53", b"16:47:54")
    report = json.loads(run("scan", "--json", "--xlog", XLOG, "-", stdin=lines).stdout)
    assert report["first"].endswith("-11-20T16:46:53.000Z") and report["last"].endswith("-11-20T16:47:54.000Z")


SIPDUMP = """====================
tag: rcv
pid: 33
process: 1
time: 1795193090.747025
date: Fri Nov 20 16:44:50 2026
proto: udp ipv4
srcip: {peer}
srcport: 5062
dstip: 127.0.0.1
dstport: 5060
~~~~~~~~~~~~~~~~~~~~
"""
HEADERS = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: {call}@y\r\nCSeq: 1 INVITE\r\n"
END = "||||||||||||||||||||\n"


def sipdump(call, body=""):
    """A received 486 with a body, which is counted as its bytes are."""
    return (SIPDUMP.format(peer="192.0.2.1") + "SIP/2.0 486 Busy\r\n" + HEADERS.format(call=call) +
            f"Content-Length: {len(body)}\r\n\r\n" + body + END)


def test_threads_agree_where_a_body_imitates_the_log(tmp_path):
    """Bodies full of whole records: wherever the file is divided, it must not be inside one of them."""
    forged = (SIPDUMP.format(peer="192.0.2.66") + "SIP/2.0 301 Moved\r\n" + HEADERS.format(call="f") + "\r\n" + END) * 100
    path = tmp_path / "log"
    with open(path, "w", newline="") as out:
        for call in range(700):
            out.write(sipdump(call, forged[:60000]))
    assert path.stat().st_size > 20 << 20
    one, two, three = (json.loads(run("scan", "--json", "-j", n, "--format", "kamailio-sipdump", str(path)).stdout)
                       for n in ("1", "2", "3"))
    assert one == two == three and set(one["codes"]) == {"486"} and one["responses"] == 700


def test_body_whose_line_ends_were_lost(tmp_path):
    """sofia writes LF for CR LF: a body of many short lines seems shorter than it said, and ends all the same."""
    body = "a=1\r\n" * 80
    head = "SIP/2.0 200 OK\r\n" + HEADERS.format(call="x") + f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n"
    text = (head + body).replace("\r\n", "\n")
    log = "".join(f"recv {len(head + body)} bytes from udp/[192.0.2.1]:5060 at 12:30:57.91{i}:\n{'-' * 72}\n{text}" for i in range(10, 20))
    report = json.loads(run("scan", "--json", "--format", "sofia", "-", stdin=log.encode()).stdout)
    assert report["responses"] == 10
