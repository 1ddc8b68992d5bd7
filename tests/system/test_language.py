"""The daemon in other languages: what the trap, the syslog line, the MIB and the tool say."""
import json
import re

import pytest
from conftest import ROOT, needs_snmpd, reply, snmp, wait_for
from test_tool import catalog

TEXTS = [f"{ROOT}.1.7.1.{column}" for column in (2, 16, 17)]
LETTERS = {"ru": "[а-яё]", "vi": "[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]"}


def text_of(value):
    """A printed value of snmptrapd or snmpget: a quoted string, or octets in hexadecimal."""
    kind, _, rest = value.partition(": ")
    if kind.startswith("Hex"):
        return bytes.fromhex(rest.replace(" ", "").replace("\n", "")).decode()
    return re.fullmatch(r'"(.*)"', rest, re.S).group(1)


@needs_snmpd
@pytest.mark.parametrize("language", ["ru", "vi"])
def test_notification_and_mib(daemon, snmpd, trapd, language):
    snmpd.start()
    daemon.configure(f'language = "{language}"\nsnmp {{ master = "{snmpd.socket}" }}\n'
                     'rule "flows" { codes = {"430"} minor { count = 1 } clear_for = "1s" window = "1s" }\n')
    daemon.start()
    wait_for(lambda: daemon.status()["snmp"]["connected"])
    entry = next(e for e in catalog(language) if e["code"] == 430)
    daemon.append(reply(430))
    raised = dict(trapd.wait(1, wanted=1)[0])
    cleared = dict(trapd.wait(1, wanted=2)[0])
    texts = {name.rsplit(".", 2)[1]: text_of(value) for name, value in raised.items()
             if name.rsplit(".", 1)[0] in TEXTS}
    assert texts["17"] == entry["remediation"]
    assert re.search(LETTERS[language], texts["16"]) and "430 Flow Failed" in texts["16"]
    after = {name.rsplit(".", 2)[1]: text_of(value) for name, value in cleared.items()
             if name.rsplit(".", 1)[0] in TEXTS}
    assert after["2"] == texts["2"] and re.search(LETTERS[language], after["16"])
    wait_for(lambda: f'remediation="{entry["remediation"]}"'.replace('"', "") in daemon.errors().replace('"', ""))
    meaning, remediation = f"{ROOT}.1.3.1.10.302", f"{ROOT}.1.3.1.11.302"
    shown = wait_for(lambda: snmp("snmpget", snmpd.port, meaning, remediation, check=False))
    entry = next(e for e in catalog(language) if e["code"] == 302)
    assert text_of(shown[remediation]) == entry["remediation"]
    daemon.stop()


def test_own_remediation_and_json_stay(daemon):
    daemon.configure('language = "ru"\nsnmp { mode = "off" }\n'
                     'rule "r" { codes = {"302"} remediation = "call Bob" minor { count = 1 } }\n')
    daemon.start()
    daemon.append(reply(302))
    alarm = wait_for(lambda: daemon.status()["alarms"])[0]
    assert alarm["remediation"] == "call Bob" and alarm["severity"] == "minor" and alarm["kind"] == "redirect"
    assert re.search(LETTERS["ru"], alarm["text"])
    wait_for(lambda: "ALARM raised" in daemon.errors() and "severity=minor" in daemon.errors())
    shown = daemon.tool("alarms", "--lang", "ru").stdout
    assert re.search(LETTERS["ru"], shown.splitlines()[0])
    daemon.stop()


def test_faults_too(daemon):
    """The reason as well as the sentence around it; the log line stays English."""
    daemon.configure('language = "ru"\nsnmp { mode = "off" }\n', source=False)
    with open(daemon.config, "a") as conf:
        conf.write(f'source "gone" {{ file = "{daemon.directory}/none.log" }}\n')
    daemon.start()
    alarm = wait_for(lambda: daemon.status()["alarms"])[0]
    assert "none.log: файла ещё нет" in alarm["text"] and "gone" in alarm["text"]
    assert re.search(LETTERS["ru"], alarm["remediation"])
    wait_for(lambda: "follow: source gone: waiting" in daemon.errors() and "does not exist yet" in daemon.errors())
    daemon.stop()


def test_a_language_that_there_is_not(daemon):
    daemon.configure('language = "fr"\n')
    done = daemon.tool("status", check=False)
    assert done.returncode == 1 and '"fr" is not one of en, ru, vi' in done.stderr
    assert json.loads(daemon.tool("explain", "302", "--json").stdout)
