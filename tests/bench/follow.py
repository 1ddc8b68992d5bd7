"""The daemon at work, measured in one run: how fast it follows, what it costs, how soon it answers.

Printed as a table; nothing is asserted.  Other followers read the same file from its start beside it.
"""
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import threading
import time

CORPORA = pathlib.Path(__file__).resolve().parent.parent / "corpora"
XLOG = (CORPORA / "kamailio-xlog-traditional/kamailio.log").read_bytes()
FORMAT = """format "edge" { xlog = {"[$ci] $rs $rr from $si:$sp method $rm"}
                xlog_sent = {"[$ci] replying $rs $rr to $si:$sp method $rm"} }
"""


def row(what, value, unit, wanted=""):
    print(f"{what:<58}{value:>12}  {unit:<14}{wanted}")


def until(condition, timeout=300):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise SystemExit("the daemon did not get there")


class Daemon:
    def __init__(self, build, directory, sources, snmp='mode = "off"', state=True):
        self.build, self.directory = build, pathlib.Path(directory)
        self.config = self.directory / "sipalertd.conf"
        self.control = self.directory / "control.sock"
        state_dir = self.directory / "state" if state else "/proc/no-state"
        self.config.write_text(f'node = "bench"\nstate_dir = "{state_dir}"\ncontrol = "{self.control}"\n'
                               f'log = "stderr"\nsnmp {{ {snmp} }}\n{FORMAT}{sources}')
        self.process = subprocess.Popen([build / "sipalertd", "-c", self.config], stderr=subprocess.DEVNULL)
        until(lambda: self.control.exists() and self.status())

    def status(self):
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(self.control))
                client.sendall(b'{"sipalert":1,"command":"status"}\n')
                data = b""
                while not data.endswith(b"\n"):
                    data += client.recv(1 << 20)
            return json.loads(data)["result"]
        except OSError:
            return None

    def lines(self):
        return sum(source["lines"] for source in self.status()["sources"])

    def cpu_s(self, thread=None):
        tasks = self.threads() if thread is None else [thread]
        stats = (pathlib.Path(f"/proc/{self.process.pid}/task/{tid}/schedstat").read_text() for tid in tasks)
        return sum(int(stat.split()[0]) for stat in stats) / 1e9

    def threads(self):
        return [int(name) for name in os.listdir(f"/proc/{self.process.pid}/task")]

    def rss_mib(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait()


def source(path, name="edge"):
    return f'source "{name}" {{ file = "{path}" format = {{"edge"}} start_at = "begin" }}\n'


def repeated(path, size):
    with open(path, "wb") as log:
        for _ in range(max(1, size // len(XLOG))):
            log.write(XLOG)
    return path.stat().st_size // len(XLOG) * XLOG.count(b"\n")


def catching_up(build, size):
    """A file that is there already, read as fast as it can be."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "proxy.log"
        lines = repeated(path, size)
        begun = time.perf_counter()
        daemon = Daemon(build, directory, source(path))
        until(lambda: daemon.lines() == lines)
        seconds = time.perf_counter() - begun
        row("follow: a log read up, one file", f"{lines / seconds / 1e6:.2f}", "M lines/s", "1 wanted")
        row("follow: CPU for it", f"{daemon.cpu_s() / seconds * 100:.0f}", "% of a core")
        daemon.stop()
        if shutil.which("mtail"):
            program = pathlib.Path(directory) / "count.mtail"
            program.write_text('counter responses by code\n/ (?P<code>\\d{3}) .* from / {\n  responses[$code]++\n}\n')
            begun = time.perf_counter()
            subprocess.run(["mtail", "--one_shot", "--progs", program, "--logs", path], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            row("follow: times mtail on the same file", f"{(time.perf_counter() - begun) / seconds:.1f}", "x")
        else:
            print("not measured: mtail is not installed")


def growing(build, rate, seconds):
    """A log that grows at a steady rate: what the daemon costs then, and the state commits in it."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "proxy.log"
        path.touch()
        daemon = Daemon(build, directory, source(path))
        chunk = XLOG * (rate // 20 // XLOG.count(b"\n") + 1)
        lines = chunk.count(b"\n")
        store = min(set(daemon.threads()) - {daemon.process.pid}, key=lambda tid: -tid)
        begun, cpu, store_cpu, written = time.perf_counter(), daemon.cpu_s(), daemon.cpu_s(store), 0
        with open(path, "ab", buffering=0) as log:
            while time.perf_counter() - begun < seconds:
                log.write(chunk)
                written += lines
                time.sleep(max(0, begun + written / rate - time.perf_counter()))
        until(lambda: daemon.lines() == written)
        elapsed = time.perf_counter() - begun
        row(f"follow: CPU at {written / elapsed / 1e3:.0f} k lines/s", f"{(daemon.cpu_s() - cpu) / elapsed * 100:.1f}",
            "% of a core", "10 wanted")
        row("follow: of that, the thread that commits the state",
            f"{(daemon.cpu_s(store) - store_cpu) / elapsed * 100:.2f}", "% of a core", "2 wanted")
        daemon.stop()


def many_files(build):
    with tempfile.TemporaryDirectory() as directory:
        sources = ""
        for i in range(100):
            logs = pathlib.Path(directory) / str(i)
            logs.mkdir()
            for k in range(10):
                (logs / f"{k}.log").write_bytes(XLOG[:20000])
            sources += source(logs / "*.log", f"s{i}")
        daemon = Daemon(build, directory, sources)
        expected = 1000 * XLOG[:20000].count(b"\n")
        until(lambda: daemon.lines() == expected)
        row("size: 100 sources with 10 files each", f"{daemon.rss_mib():.1f}", "MiB resident", "48 wanted")
        daemon.stop()


def answering(build, size):
    """SNMP GET and the control socket while a backlog is read."""
    if not shutil.which("snmpget"):
        print("not measured: snmpget is not installed")
        return
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "proxy.log"
        path.touch()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        access = pathlib.Path(directory) / "snmp.conf"
        access.write_text("rocommunity public 127.0.0.1\n")
        daemon = Daemon(build, directory, source(path),
                        f'mode = "standalone" listen = {{"udp:127.0.0.1:{port}"}} access = "{access}"')
        # GET sipAlertAgentResponses.0, version 2c, community public
        oid = bytes.fromhex("2b06010401bf08ce0fce0fa74401010700")
        varbind = bytes([0x30, len(oid) + 4, 0x06, len(oid)]) + oid + b"\x05\x00"
        pdu = b"\x02\x04\x01\x02\x03\x04\x02\x01\x00\x02\x01\x00" + bytes([0x30, len(varbind)]) + varbind
        body = b"\x02\x01\x01\x04\x06public" + bytes([0xa0, len(pdu)]) + pdu
        request = bytes([0x30, len(body)]) + body
        times, stop = [], threading.Event()
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.settimeout(2)
        client.connect(("127.0.0.1", port))

        def ask():
            begun = time.perf_counter()
            client.send(request)
            answer = client.recv(2000)
            assert len(answer) > len(request) and oid in answer, answer  # a Counter64 where the request had a NULL
            return time.perf_counter() - begun

        ask()
        lines = repeated(path, size)
        while daemon.process.poll() is None and not stop.is_set():
            times.append(ask())
            if len(times) % 200 == 0 and daemon.lines() == lines:
                stop.set()
        times.sort()
        row(f"SNMP GET while {size >> 20} MiB are read: median", f"{times[len(times) // 2] * 1e3:.2f}", "ms")
        row(f"SNMP GET while {size >> 20} MiB are read: 99th percentile of {len(times)}",
            f"{times[len(times) * 99 // 100] * 1e3:.2f}", "ms", "5 wanted")
        daemon.stop()


def main(build, size):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    print(f"\n{'the daemon':<58}{'':>12}")
    catching_up(build, size)
    growing(build, 100_000, 10)
    many_files(build)
    answering(build, int(os.environ.get("BENCH_BACKLOG_MIB", "1024")) << 20)
