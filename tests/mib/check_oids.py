"""usage: check_oids.py SOURCE-DIR MIB-FILE ROOT

The OIDs that the agent uses (agent/oids.h, src/values/alarm.h) against those of the MIB as net-snmp reads it,
and both against the published list below, on which other people's tools rely.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

SKIP = 77

# Name prefix: (macro of the header, OID below the root, names of sub-identifiers from 1 on).
OBJECTS = {
    "Agent": ("SA_OID_AGENT", "1.1",
              "Version StartTime CountersSince ConfigTime Lines Bytes Responses Unmatched WorstSeverity ActiveAlarms "
              "AlarmsLastChange NotificationsSent NotificationsQueued NotificationsSuppressed NotificationSequence Node"),
    "Source": ("SA_OID_SOURCE_TABLE", "1.2",
               "Index Name Kind Location Format State StateText Lines Bytes Responses Unmatched Oversize Rotations "
               "Truncations BacklogBytes LastLine LastResponse"),
    "Code": ("SA_OID_CODE_TABLE", "1.3",
             "Code ReasonPhrase Responses Received Sent LastMinute Last5Minutes Last15Minutes LastSeen Meaning "
             "Remediation"),
    "Alarm": ("SA_OID_ALARM_TABLE", "1.7",
              "Index Identity Severity Kind Rule Source Peer Codes Value Unit Threshold Window Total Raised Changed Text "
              "Remediation Evidence Acknowledged"),
}
NOTIFICATIONS = {"ThresholdRaised": 1, "ThresholdCleared": 2, "ThresholdChanged": 3, "SourceFault": 4,
                 "SourceRestored": 5, "Test": 7}

failures = 0


def check(what, got, wanted):
    global failures
    if got != wanted:
        failures += 1
        print(f"FAILED: {what}: {got} instead of {wanted}")


def camel(words):
    return "".join(word.capitalize() for word in words.split("_"))


def enumerators(text, prefix):
    """Names (in the MIB's spelling) and values of the enum whose first name starts with prefix."""
    body = re.search(r"enum[^{;]*\{\s*(" + prefix + r"[^}]*)\}", text).group(1)
    values, value = {}, -1
    for item in body.split(","):
        name, _, number = item.partition("=")
        value = int(number) if number.strip() else value + 1
        if name.strip():
            values[camel(name.strip()[len(prefix):])] = value
    return values


def translate(names, mib, base):
    with tempfile.TemporaryDirectory() as state:
        os.mkdir(f"{state}/cert_indexes")  # which net-snmp would make, and say so
        os.mkdir(f"{state}/mib_indexes")
        environment = dict(os.environ, MIBDIRS=f"{base}:{os.path.dirname(mib)}", MIBS="SIPALERT-MIB",
                           SNMPCONFPATH=state, SNMP_PERSISTENT_DIR=state)
        done = subprocess.run(["snmptranslate", "-On"] + [f"SIPALERT-MIB::{name}" for name in names],
                              env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True)
    check("snmptranslate's exit status", done.returncode, 0)
    check("what snmptranslate complains about", done.stderr, "")
    oids = done.stdout.split()
    check("number of translated names", len(oids), len(names))
    return dict(zip(names, oids))


def check_objects(source, mib, base, root):
    header = re.sub(r"/\*.*?\*/", "", open(f"{source}/agent/oids.h", encoding="utf-8").read(), flags=re.S)
    wanted = {}
    for prefix, (macro, arc, names) in OBJECTS.items():
        below = re.search(rf"#define {macro}\s+SA_OID_ROOT, ([0-9, ]+)", header).group(1).replace(", ", ".").strip()
        entry = "" if prefix == "Agent" else ".1"
        used = enumerators(header, f"SA_{prefix.upper()}_")
        check(macro, below, arc)
        for number, name in enumerate(names.split(), 1):
            wanted[f"sipAlert{prefix}{name}"] = f".{root}.{arc}{entry}.{number}"
            if entry == "" or number > 1:  # the agent does not speak of index columns
                check(f"{name} in the enum of {macro}", used.pop(name, None), number)
        check(f"enumerators without an object in {macro}", used, {})
        if entry:
            wanted[f"sipAlert{prefix}Table"] = f".{root}.{arc}"
    transitions = enumerators(open(f"{source}/src/values/alarm.h", encoding="utf-8").read(), "SA_")
    check("enum sa_transition", sorted(transitions.values()), sorted(NOTIFICATIONS.values()))
    for name, number in NOTIFICATIONS.items():
        wanted[f"sipAlert{name}"] = f".{root}.0.{number}"
    translated = translate(sorted(wanted), mib, base)
    for name, oid in wanted.items():
        check(name, translated.get(name), oid)
    return len(wanted)


def check_notifications(mib):
    text = open(mib, encoding="utf-8").read()
    alarm = OBJECTS["Alarm"][2].split()
    wanted = ["sipAlertAgentNotificationSequence"] + [f"sipAlertAlarm{name}" for name in alarm[1:17]]
    found = re.findall(r"^(sipAlert\w+) NOTIFICATION-TYPE(.*?)::= \{ sipAlertNotifications", text, flags=re.M | re.S)
    check("notifications", sorted(name for name, _ in found), sorted(f"sipAlert{n}" for n in NOTIFICATIONS))
    for name, body in found:
        check(f"OBJECTS of {name}", re.search(r"OBJECTS\s*\{([^}]*)\}", body).group(1).replace(",", " ").split(), wanted)
        hints = dict(re.findall(r"--#(\w+)\s+(.*)", body))
        check(f"SNMPTT comments of {name}", sorted(hints), ["ARGUMENTS", "SEVERITY", "SUMMARY", "TYPE"])
        arguments = [int(n) for n in re.findall(r"\d+", hints.get("ARGUMENTS", ""))]
        check(f"arguments of {name}", len(arguments), hints.get("SUMMARY", "").count("%s"))
        check(f"objects shown by {name}", [wanted[n] for n in arguments],
              ["sipAlertAlarmIdentity", "sipAlertAlarmText", "sipAlertAlarmRemediation"])


def main():
    source, mib, root = sys.argv[1:]
    bases = [d for d in glob.glob("/usr/lib/erlang/lib/snmp-*/mibs") if os.path.exists(f"{d}/SNMPv2-SMI.mib")]
    if not bases:
        print("SKIPPED: no base modules for snmptranslate (Debian: erlang-snmp)")
        return SKIP
    try:
        checked = check_objects(source, mib, bases[0], root)
    except FileNotFoundError as error:
        if error.filename != "snmptranslate":
            raise
        print("SKIPPED: snmptranslate is not installed (Debian: snmp)")
        return SKIP
    check_notifications(mib)
    print(f"{checked} OIDs, {len(NOTIFICATIONS)} notifications, {failures} failures")
    return failures != 0


sys.exit(main())
