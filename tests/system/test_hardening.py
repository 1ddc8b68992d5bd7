"""The built programs are hardened, as far as their compiler takes it; read from the programs themselves."""
import os
import re
import shutil
import subprocess

import pytest

from conftest import BUILD

PROGRAMS = ("sipalertd", "sipalert")
COMPILED = ("-fstack-protector-strong", "-fstack-clash-protection", "-fcf-protection", "-mbranch-protection=standard",
            "-ftrivial-auto-var-init=zero")


def cache():
    text = (BUILD / "CMakeCache.txt").read_text()
    return dict(re.findall(r"^(CMAKE_C_COMPILER|CMAKE_BUILD_TYPE|CMAKE_C_FLAGS):\w+=(.*)$", text, re.M))


pytestmark = [
    pytest.mark.skipif(not shutil.which("readelf"), reason="readelf is not installed"),
    pytest.mark.skipif(os.environ.get("SIPALERT_SANITIZE", "") != "" or not re.search(
        r"^Rel|^MinSize| -O[123s]", f"{cache()['CMAKE_BUILD_TYPE']} {cache().get('CMAKE_C_FLAGS', '')}"),
        reason="the build is not optimised"),
]


def readelf(program, *options):
    return subprocess.run(["readelf", "-W", *options, BUILD / program], capture_output=True, text=True, check=True,
                          env=dict(os.environ, LC_ALL="C")).stdout


def compiler_takes(flag, source="int main(void) { return 0; }"):
    return subprocess.run([cache()["CMAKE_C_COMPILER"], "-O2", "-Werror", *flag.split(), "-x", "c", "-", "-c", "-o",
                           "/dev/null"], input=source, text=True, capture_output=True).returncode == 0


@pytest.mark.parametrize("program", PROGRAMS)
def test_position_and_relocations(program):
    assert re.search(r"Type:\s+DYN", readelf(program, "-h"))
    dynamic = readelf(program, "-d")
    assert re.search(r"FLAGS_1\).*\bPIE\b", dynamic) and re.search(r"FLAGS_1\).*\bNOW\b", dynamic)
    assert "TEXTREL" not in dynamic and "RPATH" not in dynamic and "RUNPATH" not in dynamic
    segments = readelf(program, "-l")
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK.*\bRW\b", segments)
    assert not re.search(r"LOAD.*\bRWE\b", segments)


@pytest.mark.parametrize("program", PROGRAMS)
def test_checks_of_the_c_library(program):
    wanted = {f"__{name}_chk" for name in ("memcpy", "vsnprintf", "snprintf", "printf", "vfprintf", "fprintf")}
    symbols = readelf(program, "--dyn-syms")
    assert "__stack_chk_fail" in symbols
    assert len({name for name in wanted if name in symbols}) >= 3


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_room_is_compiled_with_the_flags(program):
    """The compiler writes into each unit what it was called with."""
    units = re.findall(r"DW_AT_producer.*?: (GNU C\d.*)$", readelf(program, "--debug-dump=info", "--dwarf-depth=1"), re.M)
    if not units:
        pytest.skip("the compiler does not record its flags, or the programs are stripped")
    assert len(units) > 20
    wanted = [flag for flag in COMPILED if compiler_takes(flag)]
    assert len(wanted) >= 3
    for unit in units:
        assert not [flag for flag in wanted if flag not in unit], unit
        assert "-fPIE" in unit or "-fpie" in unit, unit


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="another machine")
@pytest.mark.parametrize("program", PROGRAMS)
def test_targets_of_jumps_are_marked(program):
    done = subprocess.run(["objdump", "-d", "--no-show-raw-insn", BUILD / program], capture_output=True, text=True,
                          check=True)
    functions = len(re.findall(r"^[0-9a-f]+ <\w+>:$", done.stdout, re.M))
    marked = len(re.findall(r">:\n\s+[0-9a-f]+:\s+endbr64", done.stdout))
    assert marked > functions // 2, (marked, functions)


def test_the_level_of_the_checks():
    """3 where compiler and C library have it: it is in the commands only, not in what they made."""
    commands = (BUILD / "compile_commands.json").read_text().split('"command":')[1:]
    ours = [command for command in commands if re.search(r"/(src|agent)/\S+\.c\b", command)]
    has_3 = compiler_takes("-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3",
                           "#include <string.h>\n#if __USE_FORTIFY_LEVEL < 3\n#error\n#endif\n")
    assert len(ours) > 50
    assert all(f"-D_FORTIFY_SOURCE={3 if has_3 else 2}" in command for command in ours)
