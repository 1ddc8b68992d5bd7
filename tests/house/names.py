#!/usr/bin/env python3
"""Names that have to be unique over the tree: header guards, tags, and what the external names of a room begin with.

    names.py [TREE]          exit 1 and a line per name that has two meanings
    names.py --self-test     exit 1 if one of the faults it is there for would not be found

Two headers with one guard compile until a file includes both, and then one of them is silently empty.  Two tags
or prefixes with one name send the reader to the wrong room.

The prefix of a function or variable is the name of its header where it begins with that (sa_journal_export_line()
in journal_export.h has sa_journal_export), otherwise its first word (sa_journal).  No two rooms have one prefix.
Tags are unique over all rooms, also those that only one file sees; a test may use the short ones again.
"""
import collections
import pathlib
import re
import sys
import tempfile

INCLUDED_OFTEN = {"src/record/find_kernel.h"}  # a header on purpose without a guard: each time it is another kernel

COMMENT_OR_TEXT = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", re.M)
TAG = re.compile(r"\b(struct|union|enum)\s+(\w+)\s*\{")
FUNCTION = re.compile(r"^(?!typedef\b)\w[^;{}()=]*?\b(sa_\w+)\s*\(", re.M)
VARIABLES = re.compile(r"^extern\b([^;()]*);", re.M)
GUARD = re.compile(r"^#ifndef (\w+)\n#define \1$", re.M)


def without_comments(text):
    return COMMENT_OR_TEXT.sub(lambda match: '""' if match[0][0] in "\"'" else " ", text)


def room_of(path):
    """src/payload/families/acc.c is of src/payload."""
    return "/".join(path.parts[:2]) if path.parts[0] == "src" else path.parts[0]


def prefix_of(name, header):
    stem = f"sa_{header.stem}"
    for own in (stem, stem.removesuffix("s")):
        if own.count("_") > 1 and (name == own or name.startswith(own + "_")):
            return own
    return "_".join(name.split("_")[:2])


def outermost(code):
    """The code without what stands in braces: what is left of a header are its declarations."""
    kept, depth = [], 0
    for part in re.split(r"([{}])", code):
        depth -= part == "}"
        if depth == 0 and part not in "{}":
            kept.append(part)
        depth += part == "{"
    return ";".join(kept)


def external_names(declarations):
    """Functions, also those that every includer gets a copy of, and variables."""
    variables = [re.findall(r"\b(sa_\w+)(?=\s*(?:\[[^\]]*\])*\s*(?:,|$))", names)
                 for names in VARIABLES.findall(declarations)]
    return FUNCTION.findall(declarations) + sum(variables, [])


class Names:
    """What is defined where, by kind of name."""

    def __init__(self, tree):
        self.guards, self.tags, self.prefixes = (collections.defaultdict(set) for _ in range(3))
        self.faults = []
        self.names = 0
        for top in ("src", "agent", "tests"):
            for path in sorted((tree / top).rglob("*.[ch]")):
                self.read(path.relative_to(tree), path.read_text())

    def read(self, path, text):
        if path.suffix == ".h":
            self.read_guard(path, text)
        if path.parts[0] == "tests":
            return
        code = DIRECTIVE.sub("", without_comments(text))
        for kind, tag in TAG.findall(code):
            self.tags[f"{kind} {tag}"].add(str(path))
        if path.suffix == ".h":
            for name in external_names(outermost(code)):
                self.names += 1
                self.prefixes[prefix_of(name, path)].add(room_of(path))

    def read_guard(self, path, text):
        guard = GUARD.search(without_comments(text).replace(" \n", "\n"))
        if guard:
            self.guards[guard[1]].add(str(path))
        elif str(path) not in INCLUDED_OFTEN:
            self.faults.append(f"{path} has no header guard")

    def found(self):
        for what, names in (("header guard", self.guards), ("tag", self.tags), ("prefix", self.prefixes)):
            for name, places in sorted(names.items()):
                if len(places) > 1:
                    self.faults.append(f"{what} {name} is in {', '.join(sorted(places))}")
        return self.faults


def check(tree):
    names = Names(tree)
    if not names.guards or not names.tags or not names.names:
        return [f"{tree}: no names found"]
    return names.found()


GOOD = {
    "src/one/first.h": "/* #ifndef SA_NOT_IT */\n#ifndef SA_FIRST_H\n#define SA_FIRST_H\nstruct sa_first { int a; };\n"
                       "int sa_first_make(struct sa_first *first);\nextern const struct sa_first sa_firsts[];\n#endif\n",
    "src/one/first_part.h": "#ifndef SA_FIRST_PART_H\n#define SA_FIRST_PART_H\nbool sa_first_part_make(void);\n#endif\n",
    "src/one/first.c": "/* struct place { */ static const char text[] = \"enum sa_first {\";\nstruct place { int a; };\n"
                       "static void\nsa_second_inner(struct place *place)\n{\n}\n",
    "src/two/second.h": "#ifndef SA_SECOND_H\n#define SA_SECOND_H\nenum sa_second { SA_A };\n"
                        "static inline int\nsa_second_is(enum sa_second s)\n{\n    return sa_first_make(s);\n}\n"
                        "void sa_second_do(const struct sa_first *first, int (*sa_first_fn)(int));\n#endif\n",
    "tests/unit/check.h": "#ifndef SA_TEST_CHECK_H\n#define SA_TEST_CHECK_H\nstruct place { int a; };\n#endif\n",
}
# What is put where, and what has to be said of it.
FAULTS = [
    ("src/two/other.h", "#ifndef SA_FIRST_H\n#define SA_FIRST_H\n#endif\n", "header guard SA_FIRST_H is in"),
    ("tests/unit/other.h", "#ifndef SA_FIRST_H\n#define SA_FIRST_H\n#endif\n", "header guard SA_FIRST_H is in"),
    ("src/two/other.h", "int sa_second_other(void);\n", "src/two/other.h has no header guard"),
    ("src/two/other.c", "struct sa_first {\n    int b;\n};\n", "tag struct sa_first is in src/one/first.h, src/two"),
    ("src/two/other.c", "struct place\n{\n    int b;\n};\n", "tag struct place is in src/one/first.c, src/two"),
    ("src/two/other.c", "static enum sa_second { SA_B } b;\n", "tag enum sa_second is in"),
    ("src/two/other.h", "#ifndef SA_O_H\n#define SA_O_H\nstruct sa_second\n*sa_first_other(int a,\n  int b);\n#endif\n",
     "prefix sa_first is in src/one, src/two"),
    ("src/two/first_part.h", "#ifndef SA_O_H\n#define SA_O_H\nint sa_first_part_other(void);\n#endif\n",
     "prefix sa_first_part is in src/one, src/two"),
    ("agent/other.h", "#ifndef SA_O_H\n#define SA_O_H\nstatic inline int\nsa_first_o(void)\n{\n  return 1;\n}\n#endif\n",
     "prefix sa_first is in agent, src/one"),
    ("agent/other.h", "#ifndef SA_O_H\n#define SA_O_H\nextern const int sa_own, sa_first_number;\n#endif\n",
     "prefix sa_first is in agent, src/one"),
]


def check_of(files):
    with tempfile.TemporaryDirectory() as directory:
        for name, text in files.items():
            path = pathlib.Path(directory) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check(pathlib.Path(directory))


def self_test():
    wrong = [f"found without reason: {fault}" for fault in check_of(GOOD)]
    for name, text, wanted in FAULTS:
        found = check_of({**GOOD, name: text})
        if len(found) != 1 or not found[0].startswith(wanted):
            wrong.append(f"{name}: {text!r}\n    should be: {wanted}\n    found: {found}")
    if not check_of({"src/nothing.txt": ""}):
        wrong.append("an empty tree is taken for a good one")
    print("\n".join(wrong) or f"ok: {len(FAULTS)} faults were found")
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    tree = pathlib.Path(sys.argv[1]) if sys.argv[1:] else pathlib.Path(__file__).resolve().parents[2]
    faults = check(tree)
    print("\n".join(faults) or "ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
