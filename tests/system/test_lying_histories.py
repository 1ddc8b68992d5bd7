"""Seeded histories of logs on a file system that lies (lying.py): every line counts once, whatever was said meanwhile.

Never more is counted than was written, no alarm tells of traffic that was not, and within 15 s after the last lie the
count is exact and the source well.  Only where handles change their file may lines be missing, if the source said at
the time that it was blind.

SIPALERT_HISTORIES says how many histories are run (`make test-long`: a thousand), SIPALERT_LYING_SEEDS which ones (what
a failure prints replays it; few are run several times at once, so that the daemon has as much to do),
SIPALERT_LYING_RESTART how the daemon is ended in the middle of these, and SIPALERT_LYING_KINDS which kinds of lies of
histories.py they may tell.
"""
import collections
import errno
import os

import pytest

from histories import KINDS, History
from lying import COLUMNS, library, world  # noqa: F401: a fixture

pytestmark = pytest.mark.skipif("SIPALERT_LYING_SEEDS" in os.environ and "SIPALERT_HISTORIES" in os.environ,
                                reason="either how many or which")
SEEDS = [int(seed) for seed in os.environ.get("SIPALERT_LYING_SEEDS", "").split(",") if seed]
CHOSEN = bool(SEEDS)
SEEDS = SEEDS * max(20 // len(SEEDS), 1) if CHOSEN else list(range(1, int(os.environ.get("SIPALERT_HISTORIES", "60")) + 1))
AT_ONCE = 20 if len(SEEDS) <= 60 else 40
CHOSEN_KINDS = tuple(k for k in os.environ.get("SIPALERT_LYING_KINDS", "").split(",") if k) or tuple(KINDS)
WORLDS = [SEEDS[i:i + AT_ONCE] for i in range(0, len(SEEDS), AT_ONCE)]
ENDINGS = ("", "kill", "term")
MANNERS = {"READ_INODE", "SIZE_FLICKER", "READ_FLICKER", "MAGIC", "VERSION_BYTES"}  # they say how others lie, or once
worlds, told = [], collections.Counter()


def ending(number):
    return os.environ.get("SIPALERT_LYING_RESTART", "") if CHOSEN else ENDINGS[number % len(ENDINGS)]


def run(directory, library, histories, restart=""):
    with world(directory, library, histories, restart) as made:
        wrong = made.run()
        worlds.append(made)
        for one in made.runs:
            told.update(made.lies.told(one.number))
    if wrong:
        together = ",".join(str(history.seed) for history in histories)
        pytest.fail("\n\n".join([one.report() for one in wrong] + [
            f"all of them together: SIPALERT_LYING_SEEDS={together} SIPALERT_LYING_RESTART={restart}",
            f"{len(wrong)} of {len(histories)} histories are wrong, seeds "
            + ",".join(str(one.history.seed) for one in wrong)]), pytrace=False)


@pytest.mark.parametrize("number", range(len(WORLDS)),
                         ids=lambda n: f"{WORLDS[n][0]}-{WORLDS[n][-1]}{ending(n) and '-' + ending(n)}")
def test_every_line_counts_once(tmp_path, library, number):
    run(tmp_path, library, [History(seed, CHOSEN_KINDS) for seed in WORLDS[number]], ending(number))


@pytest.mark.skipif(CHOSEN, reason="seeds are chosen")
@pytest.mark.parametrize("kinds, restart", (((), ""), ((), "kill"), (("short reads",), "term")),
                         ids=("no lies", "no lies-kill", "short reads-term"))
def test_without_lies(tmp_path, library, kinds, restart):
    """What a follower has to get right anyway; if this fails, the histories above say nothing."""
    run(tmp_path, library, [History(seed, kinds) for seed in range(1001, 1021)], restart)


@pytest.mark.skipif(CHOSEN, reason="seeds are chosen")
def test_every_lie_was_told():
    """The histories above have met each kind of lie (this one runs after them)."""
    if len(worlds) < len(WORLDS) or CHOSEN_KINDS != tuple(KINDS):
        pytest.skip("not all histories were run")
    missing = set(COLUMNS) - MANNERS - set(told)
    assert not any("READ" in column for column in missing), missing
    if missing:
        pytest.skip(f"the daemon never asked for what these lie about: {', '.join(sorted(missing))}")


def meddle(run_, at, what):
    run_.history.steps.append((at, what, ()))
    run_.history.steps.sort(key=lambda step: step[0])


@pytest.mark.skipif(CHOSEN, reason="seeds are chosen")
def test_what_is_wrong_is_said(tmp_path, library, monkeypatch):
    """The verdict itself: things happen that the model does not know of, or that do not end."""
    monkeypatch.setattr("lying.SETTLE_S", 4)
    with world(tmp_path, library, [History(seed, ()) for seed in range(4)]) as made:
        _, many, few, blind = made.runs

        def smuggle(run_):
            run_.log.finish()
            os.write(run_.log.live, run_.log.batch(run_.history.most_lines() + 9))

        def swallow(run_):
            run_.log.count(1)

        def go_blind(run_):
            made.lies.set(run_.number, FAIL_READS=errno.EIO)

        for run_, at, what in ((many, 500, smuggle), (few, 500, swallow), (blind, blind.history.length_ms, go_blind)):
            meddle(run_, at, what)
        wrong = made.run()
        assert [run_.number for run_ in wrong] == [1, 2, 3]
        assert set(many.complaints) == {"more", "alarm", "not exact"}
        assert set(few.complaints) == {"not exact"}
        assert "not well" in blind.complaints
        assert "FAULT: more" in many.report() and f"SEEDS={many.history.seed} " in many.report()


def test_a_dead_daemon_is_said(tmp_path, library):
    with world(tmp_path, library, [History(0, ())]) as made:
        meddle(made.runs[0], 500, lambda run_: made.daemon.kill())
        assert [set(run_.complaints) for run_ in made.run()] == [{"no answer"}]
