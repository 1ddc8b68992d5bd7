"""Tests that want a network, a name server and a hosts file of their own; test_receivers.py runs them in namespaces
where /etc/hosts and /etc/resolv.conf are the files HOSTS and RESOLV of the environment."""
import os
import pathlib
import socket
import time

from conftest import ROOT, SLOW, Trapd, free_port, reply, snmp, wait_for

HOSTS = pathlib.Path(os.environ["HOSTS"])
RULES = "".join(f'rule "r{code}" {{ codes = {{"{code}"}} window = "60s" min_total = 1 minor {{ count = 1 }} }}\n'
                for code in (302, 404, 430))


def receiver(name, address, kind="inform"):
    return f'notify "{name}" {{ address = "{address}" type = "{kind}" }}\n'


def name_is(address):
    HOSTS.write_text(f"127.0.0.1 localhost\n{address} nms.example.net\n" if address else "127.0.0.1 localhost\n")


def test_silent_dns(daemon, trapd):
    """The name server swallows the questions: neither a GET nor another receiver waits for it."""
    hole = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    hole.bind(("127.0.0.53", 53))
    port = free_port()
    (daemon.directory / "access.conf").write_text("rocommunity public\n")
    daemon.configure(RULES + receiver("good", f"udp:127.0.0.1:{trapd.port}") +
                     receiver("named", "udp:nms.example.net:162", "trap") +
                     receiver("another", "nms2.example.net") + f"""snmp {{ mode = "standalone"
                     listen = {{"udp:nms3.example.net:{port}", "udp:127.0.0.1:{port}"}}
                     access = "{daemon.directory}/access.conf" }}\n""")
    daemon.start()
    wait_for(lambda: snmp("snmpget", port, f"{ROOT}.1.1.1.0", check=False, timeout=1), timeout=5)
    begun = time.monotonic()
    daemon.append(reply(302) * 2)
    trapd.wait(1, wanted=1, timeout=2 * SLOW)
    for code in (404, 430):  # until after the first answer that is none
        daemon.append(reply(code) * 2)
        until = time.monotonic() + 8
        while time.monotonic() < until:
            asked = time.monotonic()
            assert snmp("snmpget", port, f"{ROOT}.1.1.1.0", timeout=1), time.monotonic() - begun
            daemon.status()
            assert time.monotonic() - asked < 1.5 * SLOW
    assert len(trapd.notifications(1)) == 3
    wait_for(lambda: daemon.errors().count("failure in name resolution, retrying") == 3, timeout=30)
    status = daemon.status()
    assert not status["snmp"]["connected"]
    assert status["snmp"]["text"].startswith(f"udp:nms3.example.net:{port}: Temporary failure")
    assert status["notifications"]["sent"] == 3 and status["notifications"]["queued"] == 3
    assert daemon.stop() < 0.5 * SLOW


def test_name_resolves_later(daemon, trapd):
    name_is(None)
    daemon.configure(RULES + 'snmp { mode = "off" }\n' + receiver("noc", f"nms.example.net:{trapd.port}"))
    daemon.start()
    daemon.append(reply(302) * 2)
    wait_for(lambda: "receiver noc cannot be reached at nms.example.net:" in daemon.errors())
    assert trapd.notifications() == []
    name_is("127.0.0.1")
    trapd.wait(1, wanted=1)
    wait_for(lambda: daemon.status()["notifications"]["queued"] == 0)
    assert daemon.errors().count("cannot be reached") == 1  # one line per edge
    assert "receiver noc answers again" in daemon.errors()


def test_name_moves(daemon, trapd, tmp_path):
    """The receiver has another address all of a sudden: the name is looked up when the old one does not answer."""
    (tmp_path / "other").mkdir()
    other = Trapd(tmp_path / "other", trapd.port, host="127.0.0.2")
    name_is("127.0.0.1")
    daemon.configure(RULES + 'snmp { mode = "off" }\n' + receiver("noc", f"udp:nms.example.net:{trapd.port}"))
    daemon.start()
    daemon.append(reply(302) * 2)
    trapd.wait(1, wanted=1)
    trapd.stop()
    name_is("127.0.0.2")
    daemon.append(reply(404) * 2)
    other.wait(1, wanted=1, timeout=15)
    wait_for(lambda: daemon.status()["notifications"]["queued"] == 0)
    other.stop()


def test_access_names_hold_up_nobody(daemon, trapd):
    """A name in the access file is looked up by the agent alone, which nobody may read before that."""
    hole = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    hole.bind(("127.0.0.53", 53))
    (daemon.directory / "access.conf").write_text("rocommunity public nms.example.net\n")
    daemon.configure(RULES + receiver("good", f"udp:127.0.0.1:{trapd.port}") + f"""snmp {{ mode = "standalone"
                     listen = {{"udp:127.0.0.1:{free_port()}"}} access = "{daemon.directory}/access.conf" }}\n""")
    daemon.start()
    daemon.append(reply(302) * 2)
    trapd.wait(1, wanted=1, timeout=3 * SLOW)
    assert daemon.stop() < 1.5 * SLOW


def test_interface_address_comes_later(daemon):
    """An address that is not there when the daemon starts, as at a boot before the network is up."""
    port = free_port()
    (daemon.directory / "access.conf").write_text("rocommunity public\n")
    daemon.configure(f"""snmp {{ mode = "standalone" access = "{daemon.directory}/access.conf"
                     listen = {{"udp:192.0.2.77:{port}", "udp:127.0.0.1:{port}"}} }}\n""")
    daemon.start()
    wait_for(lambda: snmp("snmpget", port, f"{ROOT}.1.1.1.0", check=False, timeout=1), timeout=5)
    assert daemon.status()["snmp"] == {"mode": "standalone", "connected": False,
                                       "text": f"udp:192.0.2.77:{port}: Cannot assign requested address"}
    assert os.system("ip address add 192.0.2.77/32 dev lo") == 0
    wait_for(lambda: daemon.status()["snmp"] == {"mode": "standalone", "connected": True}, timeout=15)
    assert f"snmp: listening at udp:192.0.2.77:{port} now" in daemon.errors()
    os.system("ip address del 192.0.2.77/32 dev lo")
