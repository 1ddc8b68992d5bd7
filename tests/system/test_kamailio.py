"""The lines of conf/kamailio/sipalert.cfg, in a real Kamailio between real SIPp clients and servers on loopback:
sipalert counts in Kamailio's log exactly the responses that SIPp sent to it (received) and got from it (sent).
Truth: SIPp's own message traces, read by the parser below.  Skips when a program is missing."""
import collections, glob, json, os, re, shutil, signal, socket, subprocess
import pytest

from conftest import BUILD, wait_for

SIPALERT = str(BUILD / "sipalert")
SNIPPET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "conf", "kamailio", "sipalert.cfg")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
KAMAILIO, SIPP = shutil.which("kamailio", path=PATH), shutil.which("sipp", path=PATH)
MODULES = next(iter(glob.glob("/usr/lib*/kamailio/modules") + glob.glob("/usr/lib/*/kamailio/modules") +
                    glob.glob("/usr/local/lib*/kamailio/modules")), None)
pytestmark = pytest.mark.skipif(not (KAMAILIO and SIPP and MODULES),
                                reason="needs kamailio and sipp (sip-tester)")

CFG = '''#!KAMAILIO
debug=2
log_stderror=yes
children=2
auto_aliases=no
disable_tcp=yes
sip_warning=no
listen=udp:127.0.0.1:%(port)d
mpath="%(modules)s/"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "textops.so"
loadmodule "siputils.so"
%(mods)s
modparam("tm", "fr_timer", 1500)
modparam("tm", "fr_inv_timer", 8000)
request_route {
  if (is_method("REGISTER")) { sl_send_reply("200", "OK"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (is_method("ACK")) { if (t_check_trans() || has_totag()) t_relay(); exit; }
  if ($rU == "s404") { sl_send_reply("404", "Not Found"); exit; }
  if ($rU == "t302") { t_newtran(); #302 Moved Temporarily
t_reply("302", "Moved Temporarily"); exit; }
  if ($rU == "g430") { send_reply("430", "Flow Failed"); exit; }
  if ($rU == "h380") { t_newtran(); #380 Alternative Service
send_reply("380", "Alternative Service"); exit; }
  %(extra)s
  t_on_failure("SIPALERT"); t_relay();
}
%(snippet)s
'''
INVITE = '''INVITE sip:%(user)s@127.0.0.1:%(uas)d SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:alice@127.0.0.1:[local_port]>;tag=[pid]T%(tag)s[call_number]
To: <sip:%(user)s@127.0.0.1:%(uas)d>
Call-ID: [call_id]
CSeq: 1 %(method)s
Contact: <sip:alice@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0

'''
RESP = '''SIP/2.0 %(line)s
[last_Via:]
[last_From:]
[last_To:];tag=[pid]S[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:bob@[local_ip]:[local_port]>
Content-Length: 0

'''
PHRASE = {200: "OK", 301: "Moved Permanently", 302: "Moved Temporarily", 380: "Alternative Service", 404: "Not Found",
          430: "Flow Failed", 486: "Busy Here", 503: "Service Unavailable", 603: "Decline", 202: "Accepted"}


def send(text, **kw):
    return "<send%s><![CDATA[\n\n%s]]></send>\n" % ("".join(' %s="%s"' % i for i in kw.items()), text)


def scenario(path, body):
    with open(path, "w") as f:
        f.write('<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="x">\n' + body + "</scenario>\n")


def uas_xml(path, code, reason=None, dup=0, delay=0):
    line = "%d %s" % (code, PHRASE[code] if reason is None else reason)
    b = '<recv request="INVITE" crlf="true"/>\n' + send(RESP % {"line": "100 Trying"}) + send(RESP % {"line": "180 Ringing"})
    b += send(RESP % {"line": "183 Session Progress"}) * dup
    b += '<pause milliseconds="%d"/>\n' % delay if delay else ""
    b += send(RESP % {"line": line}, retrans="300") + '<recv request="ACK"/>\n'
    if code < 300:
        b += '<recv request="BYE"/>\n' + send(RESP % {"line": "200 OK"})
    scenario(path, b)


def uac_xml(path, user, uas, final, method="INVITE"):
    d = {"user": user, "uas": uas, "tag": "", "method": method}
    text = INVITE % d
    if method != "INVITE":
        text = text.replace("INVITE sip", method + " sip", 1)
    b = send(text, retrans="5000")
    for c in (100, 180, 183) if method == "INVITE" else ():
        b += '<recv response="%d" optional="true"/>\n' % c
    b += '<recv response="%d" rtd="true"/>\n' % final
    if method == "INVITE":
        via = "[last_Via:]" if final >= 300 else "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]"
        ack = ("""ACK sip:%(user)s@127.0.0.1:%(uas)d SIP/2.0
VIA
From: <sip:alice@127.0.0.1:[local_port]>;tag=[pid]T[call_number]
To: <sip:%(user)s@127.0.0.1:%(uas)d>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

""").replace("VIA", via) % d
        b += send(ack)
        if final < 300:
            bye = ack.replace("ACK", "BYE").replace("CSeq: 1", "CSeq: 2")
            b += send(bye, retrans="5000") + '<recv response="200"/>\n'
    scenario(path, b)


def trace(path, way):
    """codes of the responses SIPp sent or received: Counter, from its -trace_msg file"""
    data = open(path, errors="replace", newline="").read() if os.path.exists(path) else ""
    out = collections.Counter()
    for m in re.finditer(r"^-{20,} [^\n]*\n(?:UDP|TCP) message (sent|received) [^\n]*:\r?\n\r?\nSIP/2\.0 (\d{3})", data, re.M):
        if m[1] == way:
            out[m[2]] += 1
    return out


def free_ports(n):
    s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(n)]
    for x in s:
        x.bind(("127.0.0.1", 0))
    p = [x.getsockname()[1] for x in s]
    for x in s:
        x.close()
    return p


class Lab:
    def __init__(self, tmp, snippet, mods="", extra=""):
        self.tmp, self.procs, self.n, self.traces = str(tmp), [], 0, []
        self.port = free_ports(1)[0]
        self.log = os.path.join(self.tmp, "kamailio.log")
        cfg = os.path.join(self.tmp, "k.cfg")
        with open(cfg, "w") as f:
            hand = re.search(r"^#T *(xlog.*)$", snippet, re.M)     # point 3 of the snippet, where the script replies
            f.write(re.sub(r"#(\d{3}) ([A-Z][A-Za-z ]+)$", lambda m: hand[1].replace("CODE", m[1]).replace("REASON", m[2]) if hand else "",
                           CFG, flags=re.M) % {"port": self.port, "modules": MODULES, "snippet": snippet, "mods": mods, "extra": extra})
        self.kam = self.start([KAMAILIO, "-f", cfg, "-DD", "-E", "-P", os.path.join(self.tmp, "k.pid"), "-Y", self.tmp,
                               "-m", "64"], open(self.log, "wb"))
        wait_for(self.answers, 15, "kamailio is up: " + open(self.log, errors="replace").read()[-500:])

    def answers(self):
        assert self.kam.poll() is None, open(self.log, errors="replace").read()[-800:]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            s.settimeout(0.3)
            s.connect(("127.0.0.1", self.port))
            try:
                p = s.getsockname()[1]
                s.send(("REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKp\r\nFrom: <sip:p@x>;tag=p\r\n"
                        "To: <sip:p@x>\r\nCall-ID: probe\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n" % p).encode())
                return s.recv(2000).startswith(b"SIP/2.0 200")
            except OSError:
                return False

    def start(self, argv, out):
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=self.tmp,
                             start_new_session=True)
        self.procs.append(p)
        return p

    def sipp(self, kind, xml, port, calls):
        msg = os.path.join(self.tmp, "%s%d.msg" % (kind, self.n))
        self.traces.append((kind, msg))
        argv = [SIPP, "-sf", xml, "-i", "127.0.0.1", "-p", str(port), "-m", str(calls), "-nostdin", "-trace_msg",
                "-message_file", msg, "-message_overwrite", "true", "-timeout", "25", "-r", "40"]
        if kind == "uac":
            argv += ["127.0.0.1:%d" % self.port]
        return self.start(argv, open(msg + ".out", "wb"))

    def calls(self, user, final, n, uas_code=None, method="INVITE", **kw):
        """n calls through the proxy; answered by a SIPp server with uas_code, or by the script"""
        self.n += 1
        uas, uac = free_ports(2)
        x = os.path.join(self.tmp, "%d-" % self.n)
        server = None
        if uas_code:
            uas_xml(x + "uas.xml", uas_code, **kw)
            server = self.sipp("uas", x + "uas.xml", uas, n)
            hexport = ":%04X " % uas
            wait_for(lambda: hexport in open("/proc/net/udp").read(), 10, "sipp server")
        uac_xml(x + "uac.xml", user, uas, final, method)
        client = self.sipp("uac", x + "uac.xml", uac, n)
        assert client.wait(30) == 0, (user, final, open(self.traces[-1][1] + ".out", errors="replace").read()[-1500:])
        if server:
            assert server.wait(30) == 0

    def truth(self):
        r, s = collections.Counter(), collections.Counter()
        for kind, f in self.traces:
            if kind == "uas":
                r += trace(f, "sent")
            else:
                s += trace(f, "received")
        return dict(r), dict(s)

    def stop(self):
        for p in reversed(self.procs):
            if p.poll() is None:
                try:
                    os.killpg(p.pid, signal.SIGTERM)
                    p.wait(10)
                except (subprocess.TimeoutExpired, ProcessLookupError):
                    os.killpg(p.pid, signal.SIGKILL)
                    p.wait(10)

    def scan(self, fmt):
        own = os.path.join(self.tmp, "scan.log")
        with open(own, "wb") as f:
            f.writelines(l for l in open(self.log, "rb") if b"[probe]" not in l and b"Call-ID: probe" not in l)
        conf = os.path.join(self.tmp, "s.conf")
        with open(conf, "w") as f:
            f.write(fmt + "\n")
        argv = [SIPALERT, "scan", "--json"] + ([] if fmt == "auto" else ["-c", conf, "--format", "edge"]) + [own]
        r = subprocess.run(argv, capture_output=True, text=True, timeout=30)
        assert r.returncode == 0, r.stderr
        j = json.loads(r.stdout)
        return tuple({c: v[k] for c, v in j["codes"].items() if v[k]} for k in ("received", "sent"))


def snippet():
    text = open(SNIPPET).read()
    return text, re.search(r'^# (format "edge" \{.*?^# \})', text, re.M | re.S)[1].replace("\n# ", "\n")


@pytest.fixture
def lab(tmp_path):
    made = []

    def make(*a, **k):
        made.append(Lab(tmp_path, *a, **k))
        return made[-1]
    yield make
    for x in made:
        x.stop()


def traffic(x):
    for code, n in ((302, 7), (301, 3), (380, 2), (430, 5), (404, 4), (486, 3), (603, 2), (200, 6)):
        x.calls("u%d" % code, code, n, uas_code=code)
    x.calls("odd", 404, 2, uas_code=404, reason="Not Found (was SIP/2.0 301 Moved) 302 from 10.9.9.9:1 method INVITE")
    x.calls("dup", 302, 2, uas_code=302, dup=3)
    x.calls("s404", 404, 4)
    x.calls("t302", 302, 5)
    x.calls("g430", 430, 3)
    x.calls("h380", 380, 2)
    x.calls("reg", 200, 6, method="REGISTER")
    x.calls("dead", 408, 2)


def test_snippet_counts_equal_sipp(lab):
    text, fmt = snippet()
    x = lab(text)
    traffic(x)
    x.stop()
    received, sent = x.truth()
    assert "ERROR" not in open(x.log, errors="replace").read()
    assert received["302"] == 9 and received["430"] == 5 and received["183"] == 6
    got_received, got_sent = x.scan(fmt)
    assert got_received == received
    # The script's own replies; what is relayed is "received", and tm's automatic 100 is in neither
    own = {"404": 4, "302": 5, "430": 3, "380": 2, "200": 6, "408": 2}
    for c, n in own.items():
        assert sent[c] == n + received.get(c, 0)           # the truth agrees with itself
    got_sent.pop("100", None)
    assert got_sent == own
