"""A system that lets no process make machine code: regular expressions are interpreted, and that is said once."""
import ctypes
import os
import struct
import subprocess

import pytest

from conftest import BUILD, Daemon, reply, wait_for

NUMBERS = {"x86_64": {"mmap": 9, "mprotect": 10, "pkey_mprotect": 329},
           "aarch64": {"mmap": 222, "mprotect": 226, "pkey_mprotect": 288}}.get(os.uname().machine)
PROT_WRITE, PROT_EXEC = 2, 4
pytestmark = pytest.mark.skipif(NUMBERS is None, reason="the numbers of system calls here are not known")


def deny_write_execute():
    """As systemd does for MemoryDenyWriteExecute=: no mapping to write and execute, and none made executable."""
    def instruction(code, value, yes=0, no=0):
        return struct.pack("HBBI", code, yes, no, value)

    load, equal, mask_equal, give = 0x20, 0x15, 0x54, 0x06
    allow, deny = instruction(give, 0x7fff0000), instruction(give, 0x00050000 | 1)  # EPERM
    program = []
    for name, bits in (("mmap", PROT_WRITE | PROT_EXEC), ("mprotect", PROT_EXEC), ("pkey_mprotect", PROT_EXEC)):
        program += [instruction(load, 0), instruction(equal, NUMBERS[name], 0, 4),
                    instruction(load, 16 + 2 * 8),  # the third argument, its lower half
                    instruction(mask_equal, bits), instruction(equal, bits, 0, 1), deny]
    program.append(allow)
    code = b"".join(program)
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(code)
    filters = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer)))
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, ctypes.byref(filters), 0, 0) == 0, ctypes.get_errno()  # PR_SET_SECCOMP


REGEX = """format "mine" { regex = {'\\] (?<code>\\d{3}) (?:\\w+ )+from (?<peer>\\S+):\\d+ method (?<method>\\w+)'} }
"""


@pytest.mark.skipif(bool(os.environ.get("SIPALERT_SANITIZE")), reason="the sanitizers make code themselves")
def test_daemon(daemon: Daemon):
    sources = "".join(f'source "s{i}" {{ file = "{daemon.log}" format = {{"mine"}} }}\n' for i in range(3))
    daemon.configure('snmp { mode = "off" }\n' + sources + REGEX, source=False)
    with open(daemon.stderr, "ab") as err:
        daemon.process = subprocess.Popen([BUILD / "sipalertd", "-c", daemon.config], stderr=err,
                                          stdin=subprocess.DEVNULL, preexec_fn=deny_write_execute)
    wait_for(lambda: daemon.status(check=False))
    daemon.append(reply(302) * 3 + reply(430))
    wait_for(lambda: [s["responses"] for s in daemon.status()["sources"]] == [4, 4, 4])
    daemon.stop()
    assert daemon.errors().count("regular expressions are interpreted") == 1
    daemon.start()
    daemon.stop()
    assert daemon.errors().count("regular expressions are interpreted") == 1  # with JIT there is nothing to say
