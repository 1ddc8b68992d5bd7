#!/usr/bin/env python3
"""The order of the rooms in src/follow, which has no circle: a file includes only what stands before it.

    follow_order.py [TREE]         exit 1 and a line per fault
    follow_order.py --self-test    exit 1 if one of the faults it is there for would not be found

Four things hold.  No file includes the header of a later one.  What decides is pure: it sees the answers and nothing
else.  A question never acts: a function that returns bool gets what is followed as const.  The state of a file is written where it changes, and
nowhere else.
"""
import pathlib
import re
import sys
import tempfile

ORDER = ["follow.h", "answers", "disk", "inflate", "watcher", "family_name", "followed",       # shapes and the disk
         "wakes",                                                                              # the loop comes back
         "positions", "ghosts", "proof", "index", "left", "directory", "family",               # facts of bytes and names
         "files", "views", "recognise",                                                        # questions
         "decide",                                                                             # pure
         "source_state", "distrust", "budget", "close_file", "open_file", "names", "rotated_file", "going_on",
         "checking", "reading", "judging_view", "judging",                                     # acting on a file
         "history", "listing", "places", "scan", "turns",                                      # acting on a source
         "follow.c",                                                                           # the public functions
         "bookmark", "kind"]                                                                   # what a source is to its host
PURE = {"decide.h": {"answers.h", "stdbool.h"}, "decide.c": {"decide.h"}, "answers.h": set()}
# What is followed, and what is known of it; a candidate remembers what it was asked.
FOLLOWED = r"\bstruct\s+(?:file|ghost|source|sa_follower|left|listing|names|name|sa_position|place)\b"

# Which rooms write the fields that say in what state a file is.
WRITTEN = {"judged": {"files"}, "due": {"wakes"}, "ending": {"close_file", "going_on"},
           "doubt_ms": {"checking", "proof"}, "believed_until": {"checking"}, "emptied": {"checking", "reading"},
           "shown_ms": {"reading"}, "cut": {"reading"}, "gone_ms": {"names", "scan", "rotated_file"}}

COMMENT_OR_TEXT = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.M)
QUESTION = re.compile(r"^(?:static\s+)?bool\s+(\w+)\s*\(([^)]*)\)", re.M)


def place_of(name):
    """A file stands where its name does, or its stem; None: nowhere."""
    for known in (name, name.rpartition(".")[0]):
        if known in ORDER:
            return ORDER.index(known)
    return None


def faults_of_includes(name, text, here):
    includes = INCLUDE.findall(re.sub(r"/\*.*?\*/", " ", text, flags=re.S))
    late = [f"{name} includes {other}, which stands behind it" for other in includes
            if other in here and place_of(other) is not None and place_of(other) > place_of(name)]
    if name in PURE:
        late += [f"{name} decides and has to be pure: {other}" for other in includes if other not in PURE[name]]
    return late


def faults_of_questions(name, text):
    code = COMMENT_OR_TEXT.sub(" ", text)
    return [f"{name}: {function}() answers and could act: {' '.join(part.split())}"
            for function, parameters in QUESTION.findall(code) for part in parameters.split(",")
            if re.search(FOLLOWED + r"\s*\*", part) and not re.match(r"\s*const\b", part)]


def faults_of_writes(name, text):
    code = COMMENT_OR_TEXT.sub(" ", text)
    return [f"{name} writes {field}, which is up to {', '.join(sorted(rooms))}"
            for field, rooms in WRITTEN.items()
            if name.rpartition(".")[0] not in rooms and re.search(rf"->\s*{field}\s*(?:[-+|&]?=(?!=)|\+\+|--)", code)]


def check(tree):
    files = {path.name: path.read_text() for path in sorted((tree / "src/follow").glob("*.[ch]"))}
    faults = []
    for name, text in files.items():
        if place_of(name) is None:
            faults.append(f"{name} has no place: see ORDER in {pathlib.Path(__file__).name}")
            continue
        faults += faults_of_includes(name, text, files) + faults_of_questions(name, text) + faults_of_writes(name, text)
    standing = {place_of(name) for name in files}
    faults += [f"{known} is not there" for at, known in enumerate(ORDER) if at not in standing]
    return faults


# What is added to which file, and what has to be said of it; the rest of the tree is as it stands.
FAULTS = [
    ("proof.c", '#include "reading.h"\n', "proof.c includes reading.h, which stands behind it"),
    ("files.h", '# include "decide.h"\n', "files.h includes decide.h, which stands behind it"),
    ("reading.c", '#include "judging_view.h"\n', "reading.c includes judging_view.h, which stands behind it"),
    ("decide.c", "#include <time.h>\n", "decide.c decides and has to be pure: time.h"),
    ("decide.h", '#include "clock.h"\n', "decide.h decides and has to be pure: clock.h"),
    ("answers.h", "#include <stdint.h>\n", "answers.h decides and has to be pure: stdint.h"),
    ("views.c", "static bool\nhas_it(const struct place *place,\n       struct file *file)\n{\n}\n",
     "views.c: has_it() answers and could act: struct file *file"),
    ("scan.c", "bool sa_scan_is_over(struct sa_follower *follower, struct source *const *source);\n",
     "scan.c: sa_scan_is_over() answers and could act: struct sa_follower *follower"),
    ("scan.c", "void act(struct file *file)\n{\n    file->due = DUE;\n}\n", "scan.c writes due, which is up to wakes"),
    ("new_room.c", "", "new_room.c has no place: see ORDER in follow_order.py"),
]
HARMLESS = [
    ("reading.c", '/*\n#include "turns.h"\n*/ static bool\nis_it(const struct file *file, struct candidate *candidate);\n'),
    ("turns.c", '#include "decide.h"\n#include "follow.h"\n#include <time.h>\nvoid act(struct file *file);\n'),
    ("scan.c", "int it(const struct file *file)\n{\n    return file->due == DUE;\n}\n"),
]


def check_with(tree, name, text):
    with tempfile.TemporaryDirectory() as directory:
        room = pathlib.Path(directory) / "src/follow"
        room.mkdir(parents=True)
        for path in (tree / "src/follow").glob("*.[ch]"):
            (room / path.name).write_text(path.read_text())
        (room / name).write_text(((room / name).read_text() if (room / name).exists() else "") + text)
        return check(pathlib.Path(directory))


def self_test(tree):
    wrong = []
    for name, text in HARMLESS:
        wrong += [f"{name}: found without reason: {fault}" for fault in check_with(tree, name, text)]
    for name, text, wanted in FAULTS:
        if check_with(tree, name, text)[:1] != [wanted]:
            wrong.append(f"{name}: {text!r}\n    should be: {wanted}\n    found: {check_with(tree, name, text)}")
    if not check(pathlib.Path("/nonexistent")):
        wrong.append("an empty tree is taken for a good one")
    print("\n".join(wrong) or f"ok: {len(FAULTS)} faults were found")
    return 1 if wrong else 0


def main():
    tree = pathlib.Path(__file__).resolve().parents[2]
    if sys.argv[1:] == ["--self-test"]:
        return self_test(tree)
    faults = check(pathlib.Path(sys.argv[1]) if sys.argv[1:] else tree)
    print("\n".join(faults) or "ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
