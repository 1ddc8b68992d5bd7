"""The name of the node when the host's is longer than an identity has room for (in a UTS namespace of its own)."""
import os
import re
import shutil
import subprocess

import pytest

from conftest import needs_root, reply, wait_for
from torture import torture  # noqa: F401

OCTETS = 32
RULE = 'snmp { mode = "off" }\nrule "r" { codes = {"302"} window = "1h" minor { count = 2 } }\n'
LONG = "sbc01-edge-frankfurt-am-main-rack-17"
NAMES = (f"{LONG}-a.example.net", f"{LONG}-b.example.net")

pytestmark = [needs_root, pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")]


def life(torture, name, body=""):
    """Starts on a host of that name, without a node of the configuration; returns the node."""
    if subprocess.run(["unshare", "-u", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        pytest.skip("host names of one's own are not permitted here")
    source = f'source "edge" {{ file = "{torture.log}" format = {{"edge"}} }}\n'
    torture.configure(source + RULE, source=False)
    text = torture.config.read_text()
    assert text.startswith('node = "edge1"\n')
    torture.config.write_text(body + text.split("\n", 1)[1])
    torture.prefix = ["unshare", "-u", "sh", "-c", 'echo "$0" > /proc/sys/kernel/hostname && exec "$@"', name]
    torture.start()
    return torture.status()["node"]


def anew(torture):
    torture.stop()
    shutil.rmtree(torture.state_dir)


def warnings(torture):
    return [line for line in torture.errors().splitlines() if re.search(r"\bnode\b|host ?name", line) and
            re.search(r"32|long", line) and "ALARM" not in line]


def test_hosts_that_differ_at_the_end_have_names_of_their_own(torture):
    """Ten proxies of one site, named alike for 32 octets: the manager can tell their alarms apart."""
    assert len(NAMES[0]) > OCTETS and NAMES[0][:OCTETS] == NAMES[1][:OCTETS]
    nodes = []
    for name in NAMES:
        node = life(torture, name)
        assert 0 < len(node.encode()) <= OCTETS and node.isprintable() and " " not in node and "/" not in node
        nodes.append(node)
        torture.append(reply(302) * 3)
        alarm = wait_for(lambda: torture.status()["alarms"], 10, "an alarm")[0]
        assert alarm["identity"] == f"{node}/r/edge"
        anew(torture)
    assert nodes[0] != nodes[1]
    assert all(node.startswith(LONG[:8]) for node in nodes)  # a person knows it still


def test_the_name_of_a_host_stays_and_is_told(torture):
    """The same at each start, so that a clear finds its raise; and the operator reads what it became."""
    node = life(torture, NAMES[0])
    wait_for(lambda: warnings(torture), 5, "a line about the name")
    assert node in torture.errors()
    torture.append(reply(302) * 3)
    before = wait_for(lambda: torture.status()["alarms"], 10, "an alarm")
    wait_for(lambda: torture.status()["saved"], 10, "a commit")
    torture.stop()
    assert life(torture, NAMES[0]) == node
    after = torture.status()["alarms"]
    assert [(a["id"], a["identity"]) for a in after] == [(a["id"], a["identity"]) for a in before]
    anew(torture)
    assert life(torture, NAMES[0]) == node  # nothing of it depends on the state


@pytest.mark.parametrize("name", ["sbc01", "sbc01.frankfurt.example.net", "a" * OCTETS])
def test_a_name_that_has_room_stays_as_it_is(torture, name):
    """And there is nothing to say about it."""
    assert life(torture, name) == name
    torture.append(reply(302))
    torture.taken(1)
    assert warnings(torture) == []


def test_a_name_of_the_configuration_goes_first(torture):
    """node = in the file, whatever the host is called."""
    assert life(torture, NAMES[0], body='node = "edge7"\n') == "edge7"
    assert warnings(torture) == []
    assert os.uname().nodename not in NAMES  # the machine's own name is as it was
