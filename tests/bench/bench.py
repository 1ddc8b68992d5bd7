"""One table, all in one run: sipalert scan against what users would use instead, on the same warm files.

The ratio is to `grep -c` on the same file.  Instructions per line come from callgrind on a part of the file and
do not depend on the machine's load.
"""
import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import follow

BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
CORPORA = pathlib.Path(__file__).resolve().parent.parent / "corpora"
SIZE = int(os.environ.get("BENCH_MIB", "200")) << 20
XLOG = ["--xlog", "[$ci] $rs $rr from $si:$sp method $rm", "--xlog-sent", "[$ci] replying $rs $rr to $si:$sp method $rm"]
FAMILIES = [  # name, corpus, options, what grep looks for
    ("xlog lines", "kamailio-xlog-traditional/kamailio.log", XLOG, " 302 "),
    ("acc lines", "kamailio-acc/acc.log", ["--format", "kamailio-acc"], "code=302"),
    ("SIP messages", "kamailio-fulldump-multiline/kamailio.log", ["--format", "sip-message"], "^SIP/2.0 302"),
    ("sipdump", "kamailio-sipdump-file/ksipdump.log", ["--format", "kamailio-sipdump"], "^SIP/2.0 302"),
    ("PJSIP logger", "asterisk-pjsip-full/full.log", ["--format", "asterisk-pjsip"], "^SIP/2.0 302"),
    ("JSON records", "kamailio-logengine-json/kamailio.log", XLOG, " 302 "),
]
RECORDED = pathlib.Path(__file__).with_name("instructions.json")  # per line; what grows by a tenth is a finding


def read_corpus(name):
    path = CORPORA / name
    return path.read_bytes() if path.exists() else gzip.decompress(path.with_name(path.name + ".gz").read_bytes())


def best_of(command, runs=3):
    """Fastest of some runs, output to a pipe as a script would take it."""
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        times.append(time.perf_counter() - begun)
    return min(times)


def rsyslog_seconds(directory, path, needle):
    """rsyslogd reading the file and writing the lines with the needle, from its start to the last of them."""
    wanted = int(subprocess.run(["grep", "-c", needle, path], capture_output=True, text=True, check=False).stdout)
    out = directory / "rsyslog.out"
    out.unlink(missing_ok=True)
    shutil.rmtree(directory / "rsyslog", ignore_errors=True)
    (directory / "rsyslog").mkdir()
    config = directory / "rsyslog.conf"
    config.write_text(f"""global(workDirectory="{directory}/rsyslog")
module(load="imfile")
input(type="imfile" File="{path}" Tag="log")
template(name="raw" type="string" string="%rawmsg%\\n")
if re_match($rawmsg, "{needle}") then action(type="omfile" file="{out}" template="raw" ioBufferSize="64k")
""")
    begun = time.perf_counter()
    daemon = subprocess.Popen(["rsyslogd", "-n", "-f", config, "-i", directory / "rsyslog.pid"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lines, seconds = 0, float("nan")
    while time.perf_counter() - begun < 120 and daemon.poll() is None:
        lines = out.read_bytes().count(b"\n") if out.exists() else 0
        if lines >= wanted:
            seconds = time.perf_counter() - begun
            break
        time.sleep(0.05)
    daemon.terminate()
    daemon.wait()
    return seconds


def instructions(path, options):
    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory) / "callgrind"
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", BUILD / "sipalert",
                               "scan", *options, path], capture_output=True, text=True, check=False)
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def instructions_per_line(path, options):
    """Without what starting and ending the program costs."""
    return (instructions(path, options) - instructions("/dev/null", options)) / path.read_bytes().count(b"\n")


def main():
    recorded, grown = json.loads(RECORDED.read_text()), []
    print(f"{'family':<14}{'tool':<24}{'seconds':>9}{'MB/s':>9}{'k lines/s':>11}{'x grep -c':>11}")
    with tempfile.TemporaryDirectory() as directory:
        for family, corpus, options, needle in FAMILIES:
            data = read_corpus(corpus)
            path = pathlib.Path(directory) / "log"
            with open(path, "wb") as log:
                for _ in range(max(1, SIZE // len(data))):
                    log.write(data)
            size, lines = path.stat().st_size, path.read_bytes().count(b"\n")
            tools = [("cat (read only)", ["cat", path]), ("wc -l", ["wc", "-l", path]),
                     ("grep -c", ["grep", "-c", needle, path]),
                     ("sipalert scan --json", [BUILD / "sipalert", "scan", "--json", *options, path]),
                     ("sipalert scan -j 2", [BUILD / "sipalert", "scan", "-j", "2", "--json", *options, path])]
            if shutil.which("mtail"):
                program = pathlib.Path(directory) / "count.mtail"
                program.write_text('counter responses by code\n/ (?P<code>\\d{3}) .* from / {\n'
                                   '  responses[$code]++\n}\n')
                tools.append(("mtail --one_shot", ["mtail", "--one_shot", "--progs", program, "--logs", path]))
            seconds = {name: best_of(command, 1 if name.startswith("mtail") else 3) for name, command in tools}
            if shutil.which("rsyslogd"):
                tools.append(("rsyslogd imfile", None))
                seconds["rsyslogd imfile"] = rsyslog_seconds(pathlib.Path(directory), path, needle)
            for name, _ in tools:
                print(f"{family:<14}{name:<24}{seconds[name]:>9.3f}{size / seconds[name] / 1e6:>9.0f}"
                      f"{lines / seconds[name] / 1e3:>11.0f}{seconds['grep -c'] / seconds[name]:>11.2f}")
            if shutil.which("valgrind"):
                part = pathlib.Path(directory) / "part"
                part.write_bytes(data)
                now, before = instructions_per_line(part, options), recorded.get(family, 0)
                print(f"{family:<14}{'instructions per line':<24}{now:>9.0f}  (recorded {before})")
                if now > 1.1 * before:
                    grown.append(f"{family}: {before} -> {now:.0f} instructions per line")
    for tool in ("mtail", "rsyslogd"):
        if not shutil.which(tool):
            print(f"not measured: {tool} is not installed")
    follow.main(BUILD, SIZE)
    if grown:
        sys.exit("grown by more than a tenth:\n" + "\n".join(grown))


main()
