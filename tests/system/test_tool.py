"""sipalert as a reference: explain and compare in three languages, help, colour, man pages, completions."""
import json
import os
import pty
import re
import shutil
import subprocess
import unicodedata

import pytest
from conftest import BUILD, HERE

SOURCE = HERE.parent.parent
GOLDEN = HERE.parent / "golden"
LANGUAGES = ["en", "ru", "vi"]
CODES = ["200", "202", "300", "301", "302", "305", "380", "430", "439"]
PAIRS = ["301 380", "302 380", "200 380", "202 301", "301 430", "301 302", "408 430", "403 430"]
OUTPUTS = [["explain", code] for code in CODES] + [["compare", *pair.split()] for pair in PAIRS]
MAN = sorted((SOURCE / "man").iterdir())


def tool(*words, env=None, **kwargs):
    clean = {k: v for k, v in os.environ.items() if k not in ("LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "NO_COLOR")}
    return subprocess.run([BUILD / "sipalert", *words], capture_output=True, text=True, encoding="utf-8", timeout=60,
                          env=dict(clean, **(env or {})), **kwargs)


def output(*words, **kwargs):
    done = tool(*words, **kwargs)
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("words", OUTPUTS, ids="-".join)
def test_golden(words, language):
    """As reviewed; SIPALERT_GOLDEN=write takes new outputs over, for the next review."""
    path = GOLDEN / language / ("-".join(words) + ".txt")
    shown = output(*words, "--lang", language)
    if os.environ.get("SIPALERT_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")
    assert max(cells(line) for line in shown.splitlines()) <= 80
    assert not [line for line in shown.splitlines() if line != line.rstrip()]


def catalog(language):
    return json.loads(output("codes", "--json", "--lang", language))


FACTS = ["effect", "dialog", "future", "retry", "cache", "actor", "class_meaning"]
NAMES = {"code", "phrase", "class", "reference", "kind"}


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_text_is_translated(language):
    """Each text of each code is another one than in English, fits the MIB, and no two sentences have become one."""
    english, other = catalog("en"), catalog(language)
    assert len(english) == len(other) == 75
    for a, b in zip(english, other):
        assert a.keys() == b.keys()
        for key in a:
            if key in NAMES:
                assert a[key] == b[key]
                continue
            assert b[key] != a[key] and b[key].strip() == b[key] != "", (a["code"], key)
            assert unicodedata.normalize("NFC", b[key]) == b[key]
            if key in ("meaning", "remediation"):
                assert len(b[key].encode()) <= 255, (a["code"], key, len(b[key].encode()))
    for key in FACTS:
        pairs = {(a[key], b[key]) for a, b in zip(english, other)}
        assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs), key


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_names_and_numbers_survive_translation(language):
    """Codes, header names and RFC numbers of the English text are in the other one too."""
    token = re.compile(r"\b(?:RFC \d+|Max-Forwards|Retry-After|Min-SE|Min-Expires|Record-Route|flow_token_secret|"
                       r"application/3gpp-ims\+xml|instance-id|reg-id|Path|Path with ob|MAC|ACK|CANCEL|NOTIFY|SUBSCRIBE|"
                       r"REGISTER|OPTIONS|PRACK|(?<!\d)[1-6]\d\d(?!\d))\b")
    missing = []
    for a, b in zip(catalog("en"), catalog(language)):
        for key in a:
            if key not in NAMES:
                lost = set(token.findall(a[key])) - set(token.findall(b[key]))
                # the MIB's texts are shortened, but what is named in them stays right
                if lost and key not in ("meaning", "remediation"):
                    missing.append((a["code"], key, sorted(lost)))
    assert not missing


def test_language_of_the_environment():
    russian = output("explain", "302", "--lang", "ru")
    english = output("explain", "302", "--lang", "en")
    assert russian != english
    for env, wanted in [({"LANG": "ru_RU.UTF-8"}, russian), ({"LANG": "ru"}, russian),
                        ({"LC_ALL": "ru_RU", "LANG": "vi_VN"}, russian),
                        ({"LANG": "C.UTF-8", "LANGUAGE": "ru:en"}, russian),
                        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "de:fr:ru"}, russian),
                        ({"LANG": "ru_RU.UTF-8", "LANGUAGE": "de"}, english), ({"LANG": "fr_FR.UTF-8"}, english),
                        ({"LANG": "C", "LANGUAGE": "ru"}, english), ({}, english), ({"LANG": "russian"}, english)]:
        assert output("explain", "302", env=env) == wanted, env
    assert output("explain", "302", "--lang", "en", env={"LANG": "ru_RU.UTF-8"}) == english


def test_usage_errors():
    for words in (["explain"], ["explain", "99"], ["explain", "30x"], ["compare", "301"], ["compare", "301", "301"],
                  ["compare", "301", "302", "303"], ["--lang", "fr", "explain", "302"], ["--lang"], ["nonsense"],
                  ["codes", "--kind"], ["codes", "--kind", "zzz"], ["--bogus"], ["explain", "--bogus", "302"], ["top", "--every", "0"], ["top", "--every", "nan"], ["reload", "now"], []):
        done = tool(*words)
        assert done.returncode == 2 and done.stdout == "" and done.stderr.strip(), words
        assert words == [] or "--help" in done.stderr, words


def test_messages_say_what_to_do():
    assert "needs a value" in tool("codes", "--kind").stderr and "redirect, " in tool("codes", "--kind", "zzz").stderr
    assert 'option "--bogus"' in tool("--bogus").stderr and 'option "--bogus"' in tool("explain", "--bogus").stderr
    assert output("--lang=ru", "explain", "302") == output("explain", "302", "--lang", "ru")
    assert output("help", "scan") == output("scan", "--help") and output("help") == output("--help")


def test_what_was_typed_is_shown_harmless(tmp_path):
    for words in (["scan", "evil\033[31mx"], ["explain", "\033[31m"], ["match", "--format", "\033]0;x\007", "/dev/null"],
                  ["dance\033[2J"], ["scan", "--by", "\033[31m", "x"]):
        done = tool(*words)
        assert done.returncode in (1, 2) and "\033" not in done.stderr and "\007" not in done.stderr, words


def test_output_that_cannot_be_written():
    for words in (["codes"], ["explain", "302", "--json"], ["--help"], ["formats"], ["compare", "301", "302"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BUILD / "sipalert", *words], stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and "No space left" in done.stderr, words


def test_match_in_json(tmp_path):
    log = tmp_path / "x.log"
    log.write_text("nothing\nfoo status=430 method=INVITE peer=192.0.2.4\n")
    lines = [json.loads(line) for line in output("match", "--json", "--format", "kv", log).splitlines()]
    assert lines[0]["line"] == 1 and "no response" in lines[0]["missed"]
    assert (lines[1]["line"], lines[1]["code"], lines[1]["peer"]) == (2, 430, "192.0.2.4")
    assert lines[2]["summary"] == {"format": "kv", "lines": 2, "responses": 1, "unmatched": 1,
                                   "best": {"preset": "kv", "responses": 1}, "next": None, "template": None}
    missed = [json.loads(line) for line in output("match", "--json", "--missed", "--format", "kv", log).splitlines()]
    assert missed == [lines[0], lines[2]]


def test_json_is_the_same_whatever_the_language():
    """Keys and names are; sentences are not."""
    for language in LANGUAGES:
        done = json.loads(output("compare", "301", "380", "--json", "--lang", language))
        assert [e["code"] for e in done["codes"]] == [301, 380]
        assert {p["point"] for p in done["different"]} == {"effect", "future", "retry", "cache", "reference"}
        assert {p["point"] for p in done["alike"]} == {"class", "finality", "dialog", "actor"}


def test_unregistered():
    assert "(unregistered)" in output("explain", "478", "999")
    assert "Key differences" in output("compare", "478", "408")


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_fits_a_screen(language):
    commands = re.findall(r"^  ([a-z][a-z-]+) ", output("--help", "--lang", language), re.M)
    assert len(commands) == 12
    for words in (["--help"], *([command, "--help"] for command in commands)):
        lines = output(*words, "--lang", language).splitlines()
        assert len(lines) <= 24 and max(map(cells, lines)) <= 80, words
    assert tool("-h").stdout == output("--help") == output("help")


def on_terminal(*words, env):
    """What a program writes when its output is a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen([BUILD / "sipalert", *words], stdout=slave, env=dict(os.environ, **env))
    os.close(slave)
    shown = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(master)
    assert process.wait() == 0
    return shown


def test_colour_on_a_terminal_only():
    assert b"\033[1m" in on_terminal("explain", "302", env={"TERM": "xterm", "NO_COLOR": ""})
    assert b"\033" not in on_terminal("explain", "302", env={"TERM": "xterm", "NO_COLOR": "1"})
    assert b"\033" not in on_terminal("explain", "302", env={"TERM": "dumb", "NO_COLOR": ""})
    assert "\033" not in output("explain", "302", env={"TERM": "xterm"})


def test_a_reader_that_leaves():
    """sipalert codes | head -1"""
    process = subprocess.Popen([BUILD / "sipalert", "codes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline().startswith(b"100")
    process.stdout.close()
    process.wait(timeout=20)
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
@pytest.mark.parametrize("page", MAN, ids=lambda page: page.name)
def test_man_page(page):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True)
    assert done.stdout == done.stderr == "" and done.returncode == 0


def man(name):
    return (SOURCE / "man" / name).read_text(encoding="utf-8")


def test_man_pages_say_what_the_code_says():
    commands = re.findall(r"^  ([a-z][a-z-]+) ", output("--help"), re.M)
    for command in commands:
        assert re.search(rf"^\.It (Xo )?Cm {command}\b", man("sipalert.1"), re.M), command
    for preset in json.loads(output("formats", "--json")):
        words = preset["description"]
        assert f".It Cm {preset['name']}\n{words[0].upper()}{words[1:]}" in man("sipalert-formats.5"), preset["name"]
    for name in re.findall(r"^(sipAlert\w+) NOTIFICATION-TYPE", (SOURCE / "mibs/SIPALERT-MIB.txt").read_text(), re.M):
        assert name in man("sipalert-mib.7"), name


def test_completions_know_every_command():
    commands = re.findall(r"^  ([a-z][a-z-]+) ", output("--help"), re.M)
    for name in ("sipalert.bash", "_sipalert", "sipalert.fish"):
        text = (SOURCE / "conf/completions" / name).read_text()
        for word in commands + ["--format", "--xlog-sent", "--by", "--plot", "--missed", "--every"]:
            assert re.search(rf"\b{word.removeprefix('--')}\b", text), (name, word)


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_completion_in_bash():
    script = f"""source {SOURCE}/conf/completions/sipalert.bash
PATH={BUILD}:$PATH
complete_words() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _sipalert; echo "${{COMPREPLY[*]}}"; }}
complete_words sipalert s
complete_words sipalert -c x compare 38
complete_words sipalert scan --format kamailio-a
complete_words sipalert codes --kind redi
"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["scan status", "380", "kamailio-acc", "redirect"] and done.stderr == ""


@pytest.mark.skipif(not shutil.which("msgfmt"), reason="gettext is not installed")
@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_catalog_is_complete(language, tmp_path):
    """Every text that the source marks has a translation, none is marked as a guess, and its % words are right."""
    po = SOURCE / "po" / f"{language}.po"
    subprocess.run(["msgfmt", "--check", "-o", "/dev/null", po], check=True, capture_output=True)
    assert "#, fuzzy" not in po.read_text(encoding="utf-8")
    sources = [str(p) for p in sorted((SOURCE / "src").rglob("*.c"))] + [str(BUILD / "catalog_table.c")]
    pot = tmp_path / "sipalert.pot"
    subprocess.run(["xgettext", "--language=C", "--from-code=UTF-8", "-k_", "-kN_", "--force-po", "-o", pot, *sources],
                   check=True)
    done = subprocess.run(["msgcmp", po, pot], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    # and nothing that the source has no more
    assert set(ids(po)) == set(ids(pot))


@pytest.mark.skipif(not shutil.which("msgfmt"), reason="gettext is not installed")
@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_advice_on_faults_fits_the_mib(language, tmp_path):
    """A longer text would be cut in the notification; the source and the language have 255 octets each."""
    pot = tmp_path / "advice.pot"
    subprocess.run(["xgettext", "--language=C", "--from-code=UTF-8", "-kN_", "--force-po", "-o", pot,
                    SOURCE / "src/alarm/advice.c"], check=True)
    merged = subprocess.run(["msgmerge", "--quiet", "--no-fuzzy-matching", "--no-wrap", "-o", "-",
                             SOURCE / "po" / f"{language}.po", pot], capture_output=True, text=True, check=True)
    texts = re.findall(r'^msgid (".+")\nmsgstr (".+")$', merged.stdout, re.M)
    assert len(texts) == (SOURCE / "src/alarm/advice.c").read_text().count("N_(") and '""' not in dict(texts).values()
    for text in (json.loads(quoted) for pair in texts for quoted in pair):
        assert len(text.encode()) <= 255, (len(text.encode()), text)


def ids(path):
    done = subprocess.run(["msgcat", "--no-location", "--no-wrap", "--sort-output", path], capture_output=True,
                          text=True, check=True)
    return re.findall(r'^msgid (".*(?:\n".*)*)', done.stdout, re.M)
