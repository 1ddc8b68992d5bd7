#!/usr/bin/env python3
"""An include against the direction of the house does not compile: each room is asked what it can see.

    layering.py BUILD [TREE]    exit 1 and a line per header that a room can see and should not
    layering.py --self-test     the same over a copy of the tree whose CMakeLists.txt lets count see alarm: 1 if
                                that is not found, or if anything else is

The probe is compiled with the command that CMake made for a file of the room's target, so that what CMakeLists.txt
says is what is asked.
"""
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

# From the ground up: a room sees rooms that stand before it, and none behind it.
ORDER = ["lang", "values", "net",                                                                    # values
         "catalog", "record", "payload", "format", "count", "packed", "scan", "config", "report", "alarm",     # pure logic
         "bus", "log", "io", "store", "source", "intake", "follow", "agent",                                   # effects
         "core", "replay",                                                                           # the counting half
         "daemon", "cli"]                                                                            # glue
# Rooms that see even less.
BELOW_CORE = {"lang", "values", "record", "payload", "format", "count", "config", "alarm", "store"}
ONLY = {"agent": {"lang", "values", "net", "catalog", "bus", "log"}, "core": BELOW_CORE, "replay": BELOW_CORE | {"scan", "core"}}


def folder(tree, room):
    return tree / "agent" if room == "agent" else tree / "src" / room


def headers(tree, rooms):
    return {path.name for room in rooms for path in folder(tree, room).glob("*.h")}


def commands(build):
    """How a file of each room is compiled, without the file and what becomes of it."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        output = words.index("-o")
        target = re.search(r"CMakeFiles/(\w+)\.dir/", words[output + 1])
        rest = words[:output] + words[output + 2:]
        rest.remove("-c")
        rest.remove(entry["file"])
        found.setdefault(target[1], rest)
    return found


def probe_of(tree, room):
    """A file that compiles if the room sees its own headers and none that it should not; what it says otherwise."""
    allowed = ONLY.get(room, set(ORDER[:ORDER.index(room)])) | {room}
    seen_rightly = headers(tree, allowed)
    lines = [f'#if !__has_include("{name}")\n#error "{room} cannot see its own {name}"\n#endif'
             for name in sorted(headers(tree, [room]))]
    for other in sorted(set(ORDER) - allowed):
        telling = headers(tree, [other]) - seen_rightly  # others have the name, too
        if not telling:
            sys.exit(f"no header of {other} has a name of its own: nobody can tell whether {room} sees it")
        lines += [f'#if __has_include("{name}")\n#error "{room} can see {other}: {name}"\n#endif'
                  for name in sorted(telling)]
    return "\n".join(lines) + "\n"


def check(build, tree):
    compile_with = commands(build)
    built = {room for room in compile_with if folder(tree, room).is_dir()}
    faults = [f"{room} has no place in the house: see ORDER in {pathlib.Path(__file__).name}"
              for room in sorted(built - set(ORDER))]
    faults += [f"{room} is not built" for room in ORDER if room not in built]
    with tempfile.TemporaryDirectory() as directory:
        probe = pathlib.Path(directory) / "probe.c"
        for room in ORDER:
            if room not in built:
                continue
            probe.write_text(probe_of(tree, room))
            done = subprocess.run([*compile_with[room], "-fsyntax-only", probe], cwd=build, capture_output=True,
                                  text=True, check=False)
            told = re.findall(r'#error "?(.+?)"?$', done.stderr, re.M)
            if done.returncode != 0:
                faults += sorted(set(told)) or [f"{room}: {done.stderr}"]
    return faults


def self_test(tree):
    with tempfile.TemporaryDirectory() as directory:
        copy, build = pathlib.Path(directory) / "tree", pathlib.Path(directory) / "build"
        copy.mkdir()
        for path in tree.iterdir():
            if path.name not in ("CMakeLists.txt", "build", ".git"):
                (copy / path.name).symlink_to(path)
        rules, changed = re.subn(r"^(sa_room\(count .* SEES)\b", r"\1 alarm", (tree / "CMakeLists.txt").read_text(),
                                 flags=re.M)
        (copy / "CMakeLists.txt").write_text(rules)
        subprocess.run(["cmake", "-S", copy, "-B", build, "-DSIPALERT_TESTS=OFF"], check=True, capture_output=True)
        faults = check(build, copy)
    print("\n".join(faults))
    return 0 if changed == 1 and faults and all(fault.startswith("count can see alarm: ") for fault in faults) else 1


def main():
    tree = pathlib.Path(__file__).resolve().parents[2]
    if sys.argv[1:] == ["--self-test"]:
        return self_test(tree)
    faults = check(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve() if sys.argv[2:] else tree)
    print("\n".join(faults) or "ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
