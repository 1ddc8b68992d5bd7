"""What happens to a log on a file system that lies: chosen by a seed, or written down.  lying.py lets it happen."""
import errno
import random

NFS, FUSE = 0x6969, 0x65735546  # as statfs(2) knows them


class Lie:
    """A kind of lie: the columns it needs, chosen when the history is made (rng) and put when it begins (log).

    rotates: it is about files that were renamed.  far: only a file system with another end can tell it.
    """

    def __init__(self, choose, put=None, rotates=False, far=False, weight=2):
        self.choose, self.put, self.weight = choose, put or (lambda log, row: row), weight
        self.rotates, self.far = rotates, far


def failing(*names):
    return lambda rng: rng.choice((0, 0, 2000, 3000)) + getattr(errno, rng.choice(names))


def part_of_log(log, row):
    return dict(row, READ_END=log.size() * row["READ_END"] // 1000 + 1, READ_INODE=log.inode())


KINDS = {
    "attributes lag": Lie(lambda rng: {"LAG_MS": rng.choice((200, 500, 1000, 3000))}, weight=4),
    "reads lag": Lie(lambda rng: {"LAG_MS": rng.choice((200, 500, 1000, 3000)), "LAG_READS": 1}, weight=4),
    "smaller": Lie(lambda rng: {"SIZE_PERMILLE": rng.choice((0, 1, 500, 999, rng.randrange(1000))) + 1}),
    "larger": Lie(lambda rng: {"SIZE_PERMILLE": rng.choice((1001, 1100, 2000, 5000)) + 1}),
    "empty": Lie(lambda rng: {"SIZE_SAID": 1}),
    "size flickers": Lie(lambda rng: {"SIZE_PERMILLE": rng.choice((0, 500)) + 1, "SIZE_FLICKER": rng.choice((2, 3))}),
    "reads end early": Lie(lambda rng: {"READ_END": rng.randrange(1000), "READ_INODE": 0}, part_of_log, weight=3),
    "reads end at once": Lie(lambda rng: {"READ_END": 1}),
    "reads flicker": Lie(lambda rng: {"READ_END": rng.choice((0, 500)), "READ_INODE": 0, "READ_FLICKER": 3},
                         part_of_log),
    "other inodes": Lie(lambda rng: {"INODES": 1, "NO_BIRTH": rng.randrange(2)}, weight=3),
    "an inode a look": Lie(lambda rng: {"INODES": 2, "NO_BIRTH": rng.randrange(2)}),
    "no birth": Lie(lambda rng: {"NO_BIRTH": 1}, weight=1),
    "old name": Lie(lambda rng: {"STALE_INODE": 0}, lambda log, row: {"STALE_INODE": log.inode()}, rotates=True),
    "handle follows name": Lie(lambda rng: {"FOLLOW_NAME": rng.choice((1, 2))}, rotates=True, far=True),
    "old content": Lie(lambda rng: {"OLD_CONTENT": 0}, lambda log, row: {"OLD_CONTENT": log.snapshot()}, weight=3),
    "names fail": Lie(lambda rng: {"FAIL_NAMES": failing("ENOENT", "ENOENT", "ESTALE", "EIO")(rng)}),
    "looks fail": Lie(lambda rng: {"FAIL_LOOKS": failing("ESTALE", "EIO")(rng)}),
    "reads fail": Lie(lambda rng: {"FAIL_READS": failing("ESTALE", "EIO")(rng)}),
    "short reads": Lie(lambda rng: {"SHORT_READS": rng.choice((7, 100, 2000))}),
}
# If the content changes between two reads of a few bytes, nobody can tell what they belong to.
NOT_TOGETHER = ({"handle follows name", "short reads"}, {"old content", "short reads"})
MEDIA = {"local": {}, "network": {"DEAF": 1, "MAGIC": NFS}, "fuse": {"DEAF": 1, "MAGIC": FUSE, "VERSION_BYTES": 1}}


class History:
    """What will happen to a log, decided by the seed: steps (at_ms, verb, arguments)."""

    def __init__(self, seed, kinds=tuple(KINDS)):
        rng = random.Random(seed)
        self.seed = seed
        self.style = rng.choice(("none", "rename", "rename", "copytruncate", "copytruncate", "both"))
        self.medium = rng.choice(tuple(MEDIA))
        self.pattern = rng.choices(("proxy.log", "proxy.log*"), (2, 1))[0]
        self.base, self.generation_before = rng.choice((0, 30)), rng.random() < 0.3
        self.length_ms = rng.randrange(1000, 3000)
        self.spans = self.choose_lies(rng, kinds)
        self.steps = self.writing(rng) + self.rotating(rng)
        for begin, end, kind, row in self.spans:
            self.steps += [(begin, "lie", (kind, row)), (end, "truth", (kind, tuple(row)))]
        self.steps.append((self.length_ms, "end", ()))
        self.steps.sort(key=lambda step: step[0])
        self.blind_allowed = any(kind == "handle follows name" for _, _, kind, _ in self.spans)

    def choose_lies(self, rng, kinds):
        spans = []
        for _ in range(rng.randint(1, 5) if kinds else 0):
            kind = rng.choices(kinds, [KINDS[k].weight for k in kinds])[0]
            if KINDS[kind].rotates and self.style in ("none", "copytruncate"):
                continue
            if KINDS[kind].far and self.medium == "local":
                continue
            row = KINDS[kind].choose(rng)
            begin = rng.randrange(int(self.length_ms * 0.8))
            end = min(begin + rng.choice((50, 200, 600, 1200, 2000)), self.length_ms)
            if not any(self.contradicts(span, begin, end, kind, row) for span in spans):
                spans.append((begin, end, kind, row))
        return spans

    @staticmethod
    def contradicts(span, begin, end, kind, row):
        """Lies that are told by the same means one after the other only."""
        if begin > span[1] or end < span[0]:
            return False
        return not set(row).isdisjoint(span[3]) or {kind, span[2]} in NOT_TOGETHER

    def writing(self, rng):
        steps, at = [], 0
        while at < self.length_ms:
            lines = rng.choice((1, rng.randint(1, 5), rng.randint(1, 30)))
            if rng.random() < 0.02:
                lines = 4000
            steps.append((at, "write", (lines, rng.randrange(1, 1000) if rng.random() < 0.15 else 0)))
            at += rng.choice((3, 30, 100, 200, 400))
        return steps

    def rotating(self, rng):
        verbs = {"none": (), "both": ("rename", "copytruncate")}.get(self.style, (self.style,))
        times = sorted(rng.randrange(self.length_ms) for _ in range(rng.choice((0, 1, 1, 2, 3, 4)) if verbs else 0))
        steps = [(at, rng.choice(verbs), ()) for at in times]
        for begin, end, kind, _ in self.spans:
            if KINDS[kind].rotates:
                steps.append((rng.randint(begin + 1, max(begin + 1, end - 1)), "rename", ()))
        steps += [(at + rng.choice((1, 50, 300)), "late", (rng.randint(1, 5),)) for at, verb, _ in list(steps)
                  if verb == "rename" and rng.random() < 0.3]
        return [step for step in steps if step[0] < self.length_ms]

    def most_lines(self):
        return sum(arguments[0] + 1 for _, verb, arguments in self.steps if verb in ("write", "late"))

    def __str__(self):
        return f"seed {self.seed} ({self.style}, {self.medium}, {self.pattern}, {self.base} old lines)"


class Script(History):
    """A history that is written down: steps (at_s, verb, *arguments); a verb may be a function of the run."""

    def __init__(self, name, steps=(), medium="network", pattern="proxy.log", base=0, most=1000, blind_allowed=False):
        self.seed, self.style, self.medium, self.pattern, self.base = name, "script", medium, pattern, base
        self.generation_before, self.blind_allowed, self.most = False, blind_allowed, most
        self.steps = [(int(1000 * at), verb, arguments) for at, verb, *arguments in steps]
        self.steps.append((max([at for at, _, _ in self.steps], default=0), "end", ()))

    def most_lines(self):
        return self.most
