"""What is seen in a real terminal (tmux): top with a live daemon, the bar of scan, and its plot."""
import os
import shutil
import subprocess

import pytest
from conftest import BUILD, corpus, reply, wait_for

pytestmark = pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")


class Terminal:
    """A tmux of its own, with one window that runs one program."""

    def __init__(self, directory, *words, columns=80, lines=24, env=()):
        self.socket = str(directory / f"tmux{columns}x{lines}")
        conf = directory / "tmux.conf"
        conf.write_text("set-option -g remain-on-exit on\n")
        self.tmux("-f", str(conf), "new-session", "-d", "-x", str(columns), "-y", str(lines),
                  *[part for item in env for part in ("-e", item)], *words)

    def tmux(self, *words):
        env = dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8")
        return subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, text=True, encoding="utf-8",
                              check=True, timeout=20, env=env).stdout

    def lines(self, colours=False):
        return self.tmux("capture-pane", "-p", *(["-e"] if colours else [])).split("\n")

    def wait(self, text, timeout=20):
        return wait_for(lambda: any(text in line for line in self.lines()) and self.lines(), timeout,
                        f"{text!r} in {self.lines()}")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def dead(self):
        return self.tmux("display-message", "-p", "#{pane_dead}").strip() == "1"

    def close(self):
        self.tmux("kill-server")


@pytest.fixture
def terminal(tmp_path):
    opened = []

    def open_terminal(*words, **kwargs):
        opened.append(Terminal(tmp_path, *map(str, words), **kwargs))
        return opened[-1]

    yield open_terminal
    for one in opened:
        one.close()


CONF = """snmp { mode = "off" }
rule "redirects" { codes = {"300-302"} minor { count = 2 } }
rule "flow-failures" { codes = {"430"} critical { count = 1 } }
"""


def test_top(daemon, terminal):
    daemon.configure(CONF)
    daemon.start()
    screen = terminal(BUILD / "sipalert", "-c", daemon.config, "top", "--every", "0.3")
    lines = screen.wait("0 active alarms")
    assert "sipalertd" in lines[0] and "edge1" in lines[0] and lines[0].rstrip().endswith("q quits")
    assert any("following" in line and "edge" in line for line in lines)
    daemon.append(reply(302) * 5 + reply(430) * 3 + reply(200) * 7)
    lines = screen.wait("2 active alarms")
    row = next(line for line in lines if line.startswith("302  Moved Temporarily"))
    assert row.split()[4] == "5" and row.rstrip()[-1] in "▁▂▃▄▅▆▇█"
    worst, minor = (next(i for i, line in enumerate(lines) if text in line) for text in
                    ("critical  edge1/flow-failures/edge", "minor  edge1/redirects/edge"))
    assert worst < minor and any("What to do" in line for line in lines)
    assert max(map(len, lines)) <= 80
    screen.keys("q")
    wait_for(screen.dead)
    daemon.stop()


def test_top_follows_the_size_of_the_window(daemon, terminal):
    daemon.configure(CONF)
    daemon.start()
    daemon.append(reply(430) * 3)
    screen = terminal(BUILD / "sipalert", "-c", daemon.config, "top", "--every", "0.3", columns=80, lines=30)
    screen.wait("critical")
    for columns, lines in ((60, 12), (40, 5), (20, 2), (160, 50)):
        screen.tmux("resize-window", "-x", str(columns), "-y", str(lines))
        wait_for(lambda: max(map(len, screen.lines())) <= columns and any(line.strip() for line in screen.lines()))
    wait_for(lambda: screen.lines()[0].rstrip().endswith("q quits") and len(screen.lines()[0].rstrip()) > 150, 20)
    screen.wait("What to do")
    screen.keys("Down", "Down", "Up")
    screen.keys("x")
    assert not screen.dead()
    screen.keys("q")
    wait_for(screen.dead)
    daemon.stop()


def test_top_outlives_the_daemon(daemon, terminal):
    daemon.configure(CONF)
    daemon.start()
    screen = terminal(BUILD / "sipalert", "-c", daemon.config, "top", "--every", "0.3")
    screen.wait("following")
    daemon.stop()
    lines = screen.wait("cannot reach the daemon")
    assert any("following" in line for line in lines)  # what was seen last stays
    daemon.start()
    wait_for(lambda: not any("cannot reach" in line for line in screen.lines()))
    screen.keys("q")
    wait_for(screen.dead)
    daemon.stop()


def test_top_in_russian_without_colour(daemon, terminal):
    daemon.configure(CONF)
    daemon.start()
    daemon.append(reply(430) * 3)
    screen = terminal(BUILD / "sipalert", "--lang", "ru", "-c", daemon.config, "top", "--every", "0.3",
                      env=("NO_COLOR=1",))
    screen.wait("430  Flow Failed")
    shown = "\n".join(screen.lines())
    assert "active alarms" not in shown and "What to do" not in shown and "edge1/flow-failures/edge" in shown
    assert not any(f"\033[{n}m" in "\n".join(screen.lines(colours=True)) for n in range(31, 38))
    screen.keys("q")
    wait_for(screen.dead)
    daemon.stop()


def test_top_shows_trouble_first(daemon, terminal):
    daemon.configure(CONF + "".join(f'source "s{i}" {{ file = "{daemon.log}" }}\n' for i in range(40)) +
                     f'source "lost" {{ file = "{daemon.directory}/none" }}\n')
    daemon.start()
    daemon.append("".join(reply(code) for code in (302, 302, 430)))
    wait_for(lambda: len(daemon.status()["alarms"]) > 10)
    command = f"trap : INT; {BUILD / 'sipalert'} -c {daemon.config} top --every 0.3; echo ended with $?; read line"
    screen = terminal("sh", "-c", command, columns=80, lines=20)
    lines = screen.wait("critical")
    assert lines[3].startswith("lost") and "waiting" in lines[3] and any("and 3" in line for line in lines)
    first = lines[-3]
    screen.keys("NPage")
    wait_for(lambda: screen.lines()[-3] != first, what="another page")
    screen.keys("End")
    wait_for(lambda: not any("critical" in line for line in screen.lines()), what="the end")
    screen.keys("Home")
    screen.wait("critical")
    screen.tmux("resize-window", "-x", "40", "-y", "10")
    screen.wait("critical")  # the codes make room for it
    screen.keys("C-c")
    screen.wait("ended with 0")
    daemon.stop()


def test_top_without_terminal(daemon, terminal):
    daemon.configure(CONF)
    daemon.start()
    dumb = terminal("sh", "-c", f"TERM=dumb {BUILD / 'sipalert'} -c {daemon.config} top; read line")
    dumb.wait("needs a terminal")
    done = daemon.tool("top", check=False)
    assert done.returncode == 1 and "needs a terminal" in done.stderr and done.stdout == ""
    process = subprocess.Popen([BUILD / "sipalert", "-c", daemon.config, "top", "--json", "--every", "0.2"],
                               stdout=subprocess.PIPE, text=True)
    assert all(process.stdout.readline().startswith('{"version":') for _ in range(3))
    process.kill()
    process.wait()
    process.stdout.close()
    daemon.stop()


def test_bar_of_a_long_scan(tmp_path, terminal):
    """A large file read by a slow pattern: the bar has a name, a share, a rate and the time that is left."""
    log = tmp_path / "proxy.log"
    with open(log, "wb") as out:
        block = corpus("kamailio-xlog-traditional") * 20
        while out.tell() < 1 << 28:
            out.write(block)
    screen = terminal(BUILD / "sipalert", "scan", "--regex", r"(?:\w+\W+){2,}?(?<code>\d{3})(?:\W+\w+){30,}$", log)

    def bar():
        lines = screen.lines()
        if any(line.startswith("format") for line in lines):
            raise AssertionError(f"it was over without a bar: {lines}")
        return next((line for line in lines if "left" in line and "%" in line and "B/s" in line), None)

    shown = wait_for(bar)
    assert len(shown) <= 80 and (set("▏▎▍▌▋▊▉█") & set(shown) or " 0%" in shown)


def test_plot_in_a_terminal(tmp_path, terminal):
    log = tmp_path / "proxy.log"
    stamp = "2026-11-20T16:{:02d}:00.000+00:00 sbc01 kamailio[1]: INFO: <script>: [a@b] 302 Moved from 192.0.2.1:5060 method INVITE\n"
    log.write_text("".join(stamp.format(minute) * (minute + 1) for minute in range(0, 48)))
    # what ends at once may take what it wrote with it
    screen = terminal("sh", "-c", f"{BUILD / 'sipalert'} scan --plot {log}; read line")
    lines = screen.wait("302  │")
    row = next(line for line in lines if line.startswith("302  │"))
    assert row.count("│") == 2 and "▁" in row and "█" in row and len(row) <= 80
    bars = row.split("│")[1]
    assert len(bars) == 48 and list(bars) == sorted(bars)
