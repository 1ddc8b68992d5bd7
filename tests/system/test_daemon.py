"""The daemon by itself: configuration, following, bad input, control socket, size and quiet."""
import gzip
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import time

import pytest

from conftest import BUILD, CORPORA, case, corpus, needs_root, reply, wait_for

OFF = 'snmp { mode = "off" }\n'


def check(daemon, *options):
    return subprocess.run([BUILD / "sipalertd", "-c", daemon.config, *options], capture_output=True, text=True,
                          timeout=20)


def test_configuration_ok_and_printed_back(daemon):
    daemon.configure(OFF)
    assert check(daemon, "-t").stdout == "configuration ok\n"
    printed = check(daemon, "-T").stdout
    (daemon.directory / "again.conf").write_text(printed)
    daemon.config = daemon.directory / "again.conf"
    assert check(daemon, "-T").stdout == printed
    assert 'rule "redirects"' in printed and 'rule "flow-failures"' in printed  # the built-in ones


def test_one_source_section_is_enough(daemon):
    daemon.config.write_text(f'source "edge" {{ file = "{daemon.log}" }}\n')
    assert check(daemon, "-t").returncode == 0


def test_semantic_errors_are_all_listed_with_their_lines(daemon):
    daemon.config.write_text(f"""source "edge" {{
  file = "{daemon.log}"
  format = {{"nonsense"}}
  start_at = "middle"
}}
rule "r" {{
  codes = {{"302", "99"}}
  window = "soon"
  minor {{ count = 5 }}
  minor {{ count = 6 }}
}}
""")
    done = check(daemon, "-t")
    assert done.returncode == 1 and done.stdout == ""
    lines = [int(m) for m in re.findall(rf"^{re.escape(str(daemon.config))}:(\d+): ", done.stderr, re.M)]
    assert {3, 4, 7, 8} <= set(lines), done.stderr
    assert len(done.stderr.splitlines()) == len(lines)


def test_syntax_error_stops_at_the_first(daemon):
    daemon.config.write_text('source "a" {\n  file = \n}\nnonsense = 3\n')
    done = check(daemon)
    assert done.returncode == 1 and re.match(rf"{re.escape(str(daemon.config))}:\d+: ", done.stderr)
    assert len(done.stderr.splitlines()) == 1
    assert not (daemon.directory / "control.sock").exists()


def test_missing_configuration(daemon):
    done = check(daemon, "-t")
    assert done.returncode == 1 and str(daemon.config) in done.stderr


def test_counts_equal_the_case(daemon):
    daemon.configure(OFF)
    daemon.start()
    data = corpus("kamailio-xlog-traditional")
    for at in range(0, len(data), 9973):  # the writer's pieces end anywhere in a line
        daemon.append(data[at:at + 9973])
    status = daemon.wait_lines(data.count(b"\n"))
    expected = case("kamailio-xlog-traditional")["expect"]["received"]
    assert {c: v["received"] for c, v in status["codes"].items() if v["received"]} == expected
    source = status["sources"][0]
    assert source["bytes"] == len(data) == source["files"][0]["offset"]
    assert source["responses"] + source["unmatched"] == source["lines"]
    assert source["codes"] == status["codes"]
    assert set(status) >= {"version", "since", "sources", "codes", "alarms", "snmp"}
    assert status["snmp"] == {"mode": "off", "connected": False}


def test_automatic_format(daemon):
    daemon.config.write_text(f'state_dir = "{daemon.directory}/s"\ncontrol = "{daemon.directory}/control.sock"\n'
                             f'source "edge" {{ file = "{daemon.log}" }}\n' + OFF)
    daemon.start()
    data = corpus("kamailio-acc", "acc.log")
    daemon.append(data)
    status = daemon.wait_lines(data.count(b"\n"))
    assert {c: v["sent"] for c, v in status["codes"].items() if v["sent"]} == case("kamailio-acc")["expect"]["sent"]
    assert status["sources"][0]["format"] == "kamailio-acc"


def test_starts_at_the_end_and_reads_later_files_from_their_start(daemon):
    daemon.append(reply(302) * 5 + reply(486)[:40])
    daemon.configure(OFF)
    daemon.start()
    daemon.append(reply(486)[40:] + reply(404))
    status = daemon.wait_lines(2)  # the line that was being written at the start counts once
    assert set(status["codes"]) == {"486", "404"}


def test_rename_rotation(daemon):
    daemon.configure(OFF)
    daemon.start()
    daemon.append(reply(302))
    daemon.log.rename(daemon.directory / "proxy.log.1")
    with open(daemon.directory / "proxy.log.1", "a") as old:
        old.write(reply(486))  # the writer does not know yet
    daemon.append(reply(404))
    with open(daemon.directory / "proxy.log.1", "a") as old:
        old.write(reply(503))
    status = daemon.wait_lines(4)
    assert {c: v["responses"] for c, v in status["codes"].items()} == {"302": 1, "404": 1, "486": 1, "503": 1}
    assert status["sources"][0]["rotations"] == 1


def test_truncation(daemon):
    daemon.configure(OFF)
    daemon.start()
    daemon.append(reply(302) * 20 + "half a line")
    daemon.wait_lines(20)
    with open(daemon.log, "w") as log:
        log.write(reply(404))
    status = daemon.wait_lines(21)
    assert status["codes"]["404"]["responses"] == 1 and status["sources"][0]["truncations"] == 1


def test_truncated_and_longer_at_once(daemon):
    """copytruncate with a busy writer: the file is longer than before when it is looked at again."""
    daemon.configure(OFF)
    daemon.start()
    total = 0
    for round_ in range(1, 20):
        with open(daemon.log, "r+b") as log:
            log.truncate()
            log.write((reply(302, call_id=f"{round_}@x") * 10 * round_).encode())
        total += 10 * round_
        daemon.wait_lines(total)
    assert daemon.status()["codes"]["302"]["responses"] == total
    assert daemon.source()["truncations"] == 18  # the first one found the file empty


def test_globs_leave_compressed_files_alone(daemon):
    daemon.configure(OFF)
    daemon.config.write_text(daemon.config.read_text().replace("proxy.log", "proxy.log*"))
    daemon.start()
    daemon.append(reply(302) * 5)
    daemon.wait_lines(5)
    daemon.log.rename(daemon.directory / "proxy.log.1")
    daemon.append(reply(404))
    (daemon.directory / "proxy.log.1.gz").write_bytes(gzip.compress(reply(302).encode() * 5) + b"\n\n")
    daemon.wait_lines(6)
    daemon.append(reply(404))
    assert daemon.wait_lines(7)["codes"]["302"]["responses"] == 5


def test_missing_file_appears(daemon):
    daemon.log.unlink()
    daemon.configure(OFF)
    daemon.start()
    assert daemon.source()["state"] == "waiting" and str(daemon.log) in daemon.source()["text"]
    daemon.append(reply(302))
    wait_for(lambda: daemon.source()["responses"] == 1)
    assert daemon.source()["state"] == "following"
    assert daemon.errors().count("waiting") == 1  # one line per edge


def test_missing_directory_and_glob(daemon):
    directory = daemon.directory / "later"
    daemon.log = directory / "a.log"
    daemon.configure(OFF)
    daemon.config.write_text(daemon.config.read_text().replace("a.log", "*.log"))
    daemon.start()
    assert daemon.source()["state"] == "waiting"
    directory.mkdir()
    daemon.append(reply(302))
    daemon.log = directory / "b.log"
    daemon.append(reply(404))
    wait_for(lambda: daemon.source()["responses"] == 2)


@needs_root
def test_denied_file_is_picked_up(open_daemon):
    daemon = open_daemon
    daemon.configure(OFF)
    (daemon.directory / "state").mkdir()
    (daemon.directory / "run").mkdir()
    for name in ("state", "run"):
        os.chown(daemon.directory / name, 65534, 65534)
    daemon.config.write_text(daemon.config.read_text().replace("control.sock", "run/control.sock"))
    daemon.log.chmod(0o600)
    program = shutil.copy(BUILD / "sipalertd", daemon.directory)  # the build may stand where nobody may go
    with open(daemon.stderr, "wb") as err:
        daemon.process = subprocess.Popen([program, "-c", daemon.config], stderr=err, user=65534,
                                          group=65534, extra_groups=[])
    wait_for(lambda: daemon.status(check=False) or daemon.process.poll() is not None)
    assert daemon.process.poll() is None, daemon.errors()
    assert daemon.source()["state"] == "denied" and "permission denied" in daemon.source()["text"]
    daemon.append(reply(302))
    daemon.log.chmod(0o644)
    wait_for(lambda: daemon.source()["responses"] == 1)
    assert daemon.errors().count("permission denied") == 1


def test_fifo_is_refused_without_blocking(daemon):
    daemon.log.unlink()
    os.mkfifo(daemon.log)
    daemon.configure(OFF)
    daemon.start()
    assert daemon.source()["state"] == "failed" and "not a regular file" in daemon.source()["text"]


def test_hostile_bytes_count_as_unmatched_or_oversize(daemon):
    daemon.configure(OFF)
    daemon.config.write_text(daemon.config.read_text().replace('{"edge"}', '{"auto"}'))
    daemon.start()
    noise = random.Random(7)
    lines = [bytes(noise.choices([b for b in range(256) if b != 10], k=300)) for _ in range(200)]
    lines += [b"\0" * 5000, b"x" * (1 << 20), b"SIP/2.0 302 Moved", b"Via: SIP/2.0/UDP x", b"SIP/2.0 302", b"",
              b'INFO: <script>: ua="SIP/2.0 302 Moved"', b"SIP/2.0 99 x", b"SIP/2.0 2000 x", b"\xff\xfe", b"\r"]
    daemon.append(b"\n".join(lines) + b"\n")
    status = daemon.wait_lines(len(lines))
    assert status["codes"] == {} and status["sources"][0]["oversize"] == 1
    daemon.append(corpus("kamailio-fulldump-multiline"))
    expected = case("kamailio-fulldump-multiline")["expect"]["responses"]
    wait_for(lambda: {c: v["responses"] for c, v in daemon.status()["codes"].items()} == expected)


def test_second_daemon_is_refused(daemon):
    daemon.configure(OFF)
    daemon.start()
    done = check(daemon)
    assert done.returncode == 1 and "another daemon" in done.stderr
    daemon.status()
    other = daemon.config.read_text().replace(f'state_dir = "{daemon.directory}/state"',
                                              f'state_dir = "{daemon.directory}/state2"')
    daemon.config.write_text(other)
    done = check(daemon)  # another state directory, but the same socket
    assert done.returncode == 1 and "another daemon answers" in done.stderr
    daemon.status()


def test_stale_socket_is_replaced(daemon):
    daemon.configure(OFF)
    daemon.start()
    daemon.kill()
    assert (daemon.directory / "control.sock").exists()
    daemon.start()
    assert (daemon.directory / "control.sock").stat().st_mode & 0o777 == 0o660


def test_control_socket_bears_anything(daemon):
    daemon.configure(OFF)
    daemon.start()
    path = str(daemon.directory / "control.sock")
    clients = []
    for i in range(40):  # more than it takes: some never ask, some never read
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        if i % 2:
            client.send(b'{"sipalert":1,"command":"status"}\n' * 50)
        clients.append(client)
    daemon.status()
    for garbage in (b"\0\xff\n", b"{}\n", b'{"sipalert":2,"command":"status"}\n', b"x" * 10000, b"[[[[[[\n",
                    b'{"sipalert":1,"command":"explode"}\n'):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.settimeout(5)
            try:
                client.sendall(garbage)
                answer = client.recv(4096)
            except (BrokenPipeError, ConnectionResetError):
                answer = b""
            assert answer == b"" or json.loads(answer)["ok"] is False
    daemon.status()
    for client in clients:
        client.close()


def test_signals(daemon):
    daemon.configure(OFF)
    daemon.start()
    daemon.append(reply(302))
    daemon.wait_lines(1)
    daemon.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: "1 responses" in daemon.errors())
    daemon.process.send_signal(signal.SIGPIPE)
    good = daemon.config.read_text()
    daemon.config.write_text("nonsense = 1\n")
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "keeping the configuration" in daemon.errors())
    daemon.config.write_text(good)
    assert daemon.stop() < 3 and daemon.process.returncode == 0
    assert not (daemon.directory / "control.sock").exists()


def test_alarm_in_syslog_form_on_standard_error(daemon):
    daemon.configure(OFF + """rule "flow" { codes = {"430"} window = "2s" min_total = 1 minor { count = 5 }
                              clear_for = "0s" }\n""")
    daemon.start()
    daemon.append(reply(430, call_id="evil\x1b[31m@x") * 6)
    wait_for(lambda: "ALARM cleared" in daemon.errors())
    raised, cleared = [line for line in daemon.errors().splitlines() if "ALARM" in line]
    pattern = (rf'sipalertd\[{daemon.process.pid}\]: ALARM (\w+) id=1 identity="edge1/flow/edge" severity=(\w+) '
               r'rule=flow source=edge peer=- codes=430 value=(\d+) threshold=5 window=2s '
               r'text="([^"]*)" remediation="([^"]*)"$')
    assert re.fullmatch(pattern, raised).groups()[:3] == ("raised", "minor", "6")
    assert re.fullmatch(pattern, cleared).groups()[:2] == ("cleared", "cleared")
    assert "keep-alive" in re.fullmatch(pattern, raised).group(5)
    assert "\x1b" not in daemon.errors()


def test_redirects_of_both_directions_are_not_added(daemon):
    """A relayed response is received and sent: 15 of each do not cross a limit of 20."""
    daemon.configure(OFF + 'rule "r" { codes = {"302"} window = "1m" min_total = 1 minor { count = 20 } }\n')
    daemon.start()
    sent = reply(302).replace("] 302 Reason from", "] replying 302 Reason to")
    daemon.append((reply(302) + sent) * 15)
    daemon.wait_lines(30)
    assert daemon.status()["alarms"] == []
    daemon.append(reply(302) * 5)
    alarm = wait_for(lambda: daemon.status()["alarms"])[0]
    assert alarm["value"] == 20 and alarm["threshold"] == 20 and alarm["identity"] == "edge1/r/edge"


def test_size_and_quiet(daemon):
    """Under 16 MB resident with one source; under one wake-up a second when idle, all threads together."""
    daemon.configure(f'snmp {{ mode = "agentx" master = "unix:{daemon.directory}/nobody" }}\n'
                     'rule "none" { codes = {"699"} minor { count = 1 } }\n')  # an active alarm is not idle
    daemon.start()
    data = corpus("kamailio-xlog-traditional")
    for _ in range(20):
        daemon.append(data)
    daemon.wait_lines(20 * data.count(b"\n"))
    if os.environ.get("SIPALERT_SANITIZE"):
        pytest.skip("a sanitizer's run time has a size and threads of its own")
    assert daemon.rss_kib() < 16 * 1024

    def wakeups():
        return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.M).group(1))
                   for task in pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir())

    def quiet():
        before, begun = wakeups(), time.monotonic()
        wait_for(lambda: time.monotonic() - begun >= 10)
        return (wakeups() - before) / (time.monotonic() - begun) < 1

    wait_for(quiet, timeout=100, what="ten seconds with less than one wake-up a second")


def test_no_state_directory_is_not_the_end(daemon):
    daemon.configure(OFF)
    (daemon.directory / "state").write_text("a file where the directory should be")
    daemon.start()
    daemon.append(reply(302))
    daemon.wait_lines(1)
    assert "cannot use state directory" in daemon.errors()


def test_shipped_configurations_are_correct(tmp_path):
    conf = CORPORA.parent.parent / "conf" / "sipalertd.conf"
    done = subprocess.run([BUILD / "sipalertd", "-t", "-c", conf], capture_output=True, text=True)
    assert done.stdout == "configuration ok\n", done.stderr
    printed = subprocess.run([BUILD / "sipalertd", "-T", "-c", conf], capture_output=True, text=True).stdout
    bare = tmp_path / "bare.conf"
    bare.write_text('source "edge" { file = "/var/log/kamailio.log" }\n')
    built_in = subprocess.run([BUILD / "sipalertd", "-T", "-c", bare], capture_output=True, text=True).stdout

    def rules(text):
        return re.findall(r'rule "[^"]+" \{.*?\n\}', text, re.S)

    assert rules(printed) == rules(built_in) and len(rules(printed)) == 2  # the file shows the built-in rules


def test_reload_of_rules(daemon):
    """Rules change under way: an alarm whose rule stays is kept, one whose rule is gone is cleared."""
    rule = 'rule "%s" { codes = {"%s"} window = "1m" min_total = 1 minor { count = %d } }\n'
    daemon.configure(OFF + rule % ("a", "302", 5) + rule % ("b", "430", 5))
    daemon.start()
    daemon.append(reply(302) * 6 + reply(430) * 6 + reply(486) * 6)
    wait_for(lambda: len(daemon.status()["alarms"]) == 2)
    kept = next(a for a in daemon.status()["alarms"] if a["rule"] == "a")
    daemon.configure(OFF + rule % ("c", "486", 5) + rule % ("a", "302", 6))
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "2 rules are in force" in daemon.errors())
    wait_for(lambda: "ALARM cleared" in daemon.errors())
    alarms = daemon.status()["alarms"]
    assert [(a["id"], a["rule"]) for a in alarms] == [(kept["id"], "a")]
    assert re.search(r'ALARM cleared .*identity="edge1/b/edge"', daemon.errors())
    daemon.append(reply(486) * 5)  # the new rule counts from now on
    wait_for(lambda: {a["rule"] for a in daemon.status()["alarms"]} == {"a", "c"})
    assert daemon.status()["codes"]["486"]["responses"] == 11
    daemon.config.write_text(daemon.config.read_text().replace("proxy.log", "other.log"))
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "restart sipalertd" in daemon.errors())
    daemon.append(reply(404))
    wait_for(lambda: "404" in daemon.status()["codes"])


def test_control_path_is_somebodys_file(daemon):
    (daemon.directory / "control.sock").write_text("precious")
    daemon.configure(OFF)
    done = check(daemon)
    assert done.returncode == 1 and "control socket" in done.stderr
    assert (daemon.directory / "control.sock").read_text() == "precious"


def test_deleted_log_is_not_ok(daemon):
    """A log that is gone is said to be gone, and clears no alarm."""
    daemon.configure(OFF + 'rule "r" { codes = {"430"} window = "1m" min_total = 1 minor { count = 5 } }\n')
    daemon.start()
    daemon.append(reply(430) * 6)
    wait_for(lambda: daemon.status()["alarms"])
    daemon.log.unlink()
    wait_for(lambda: daemon.source()["state"] == "waiting", timeout=30)
    assert daemon.status()["alarms"]
    daemon.append(reply(486))
    wait_for(lambda: daemon.source()["state"] == "following" and daemon.source()["responses"] == 7)


def test_descriptors_run_out(daemon):
    """More files than descriptors: the source says so, the rest goes on, nothing spins."""
    daemon.configure(OFF)
    daemon.config.write_text(daemon.config.read_text().replace("proxy.log", "*.log"))
    for i in range(150):
        (daemon.directory / f"{i:03}.log").touch()
    with open(daemon.stderr, "wb") as err:
        daemon.process = subprocess.Popen([BUILD / "sipalertd", "-c", daemon.config], stderr=err,
                                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)))
    wait_for(lambda: daemon.status(check=False) or daemon.process.poll() is not None)
    assert daemon.source()["state"] == "failed" and "too many open files" in daemon.source()["text"]
    (daemon.directory / "000.log").write_text(reply(302))
    wait_for(lambda: daemon.source()["responses"] == 1)

    def cpu_ticks():
        fields = pathlib.Path(f"/proc/{daemon.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    clients = [socket.socket(socket.AF_UNIX) for _ in range(60)]
    for client in clients:
        client.setblocking(False)
        client.connect_ex(str(daemon.directory / "control.sock"))
    before, begun = cpu_ticks(), time.monotonic()
    wait_for(lambda: time.monotonic() - begun > 2)
    assert cpu_ticks() - before < 100  # of some 200
    for client in clients:
        client.close()
    daemon.status()
