"""The demo: its data, its judgement of its own promises, and the whole of it as a newcomer runs it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from string import Formatter

import pytest

from bridge.texts import LANGUAGES
from mappings import schema
from mappings.canonical import STATUS, Kind
from tests.demo import promises
from tests.demo.people import KINDS, Task, Value, typed
from tests.demo.pictures import Stages
from tests.demo.place import MAPPING, ROOT, Busy, Place
from tests.demo.sentences import sentences
from tests.demo.stories import DELETED, DISPUTED, LOST, STORIES, WON, Seen
from tests.demo.strategy import NEXT_STEPS, SOURCE, load

STRATEGY = load()

# ---- the data -----------------------------------------------------------------------------------------------------


def test_the_strategy_has_38_items_and_three_entries_for_the_reports() -> None:
    assert Counter(entry.kind for entry in STRATEGY.entries) == {
        Kind.STRATEGY: 1,
        Kind.GOAL: 4,
        Kind.ACTION_FIELD: 4,
        Kind.MEASURE: 10,
        Kind.MILESTONE: 6,
        Kind.TASK: 13,
    }
    assert [item["type"] for item in STRATEGY.for_reports] == ["indicator", "indicator", "decision"]


def test_every_reference_of_the_strategy_resolves() -> None:
    known = {entry.id for entry in STRATEGY.entries}
    assert len(known) == 38
    for entry in STRATEGY.entries:
        assert {entry.parent, entry.milestone, *entry.depends_on} - {None} <= known, entry.id
        assert entry.milestone is None or STRATEGY.entry(entry.milestone).kind is Kind.MILESTONE
        assert entry.status in STATUS
    units = {unit["id"] for unit in STRATEGY.units}
    text = SOURCE.read_text(encoding="utf-8")
    ids = known | units | {item["id"] for item in STRATEGY.for_reports}
    assert set(re.findall(r'"((?:u|ac)-[a-z0-9-]+)"', text)) == ids


def test_parents_lead_to_the_strategy() -> None:
    for entry in STRATEGY.entries:
        steps = 0
        while entry.parent is not None:
            entry, steps = STRATEGY.entry(entry.parent), steps + 1
            assert steps < 10
        assert entry.kind is Kind.STRATEGY


def test_the_dates_bite() -> None:
    """The days of the clock change, and a task without a date."""
    days = {day for entry in STRATEGY.entries for day in (entry.start, entry.due)}
    assert {date(2018, 3, 25), date(2018, 10, 28)} <= days
    assert STRATEGY.entry("ac-t-02").due is None


def test_titles_keep_their_typographic_quotes_and_are_unique() -> None:
    titles = [entry.title for entry in STRATEGY.entries]
    assert len(set(titles)) == 38
    assert "Klärung, inwieweit FB 02 als ‚Experimentfachbereich‘ für die Verwaltung dienen kann" in titles
    assert any("–" in title for title in titles)


def test_the_next_steps_are_there_and_in_no_story() -> None:
    titles = {STRATEGY.entry(id).title for id in NEXT_STEPS}
    assert len(titles) == 6
    assert titles.isdisjoint(story.title for story in STORIES)


def test_the_second_vocabulary_is_a_mapping_that_can_be_used() -> None:
    assert set(schema.load(MAPPING).kinds.elements) == {kind.value for kind in Kind}


def test_the_demo_says_the_same_in_every_language() -> None:
    said = [
        {key: {name for _, name, _, _ in Formatter().parse(text) if name} for key, text in t.sentences.items()}
        for t in map(sentences, LANGUAGES)
    ]
    assert said[0] == said[1]


# ---- the promises: a demo that cannot fail would prove nothing -------------------------------------------------------

Fields = Mapping[str, Value]
IN_ENGLISH = dict(zip((*KINDS.values(), "Handlungsfeld", "öffentlich"), (
    "Strategy", "Goal", "Activity", "Measure", "Milestone", "Activity", "public"), strict=True))  # fmt: skip


class Lists(Seen):
    """Two task lists as they would be, without a server."""

    def __init__(self, *sides: Mapping[str, Fields]) -> None:
        self.sides = tuple(  # type: ignore[assignment]
            [Task(title, f"/{title}.ics", "", repr(sorted(fields.items())), fields) for title, fields in side.items()]
            for side in sides
        )
        self._titles = tuple({title: title for title in side} for side in sides)

    def with_side(self, side: int, change: Callable[[list[Task]], list[Task]]) -> Lists:
        """The same, one side changed."""
        found = Lists()
        found.sides = tuple(change(tasks) if i == side else tasks for i, tasks in enumerate(self.sides))  # type: ignore[assignment]
        found._titles = self._titles
        return found


def as_promised() -> promises.Evidence:
    """A morning on which everything went well."""
    german: dict[str, Fields] = {entry.title: typed(STRATEGY, entry) for entry in STRATEGY.entries}
    english = {title: _in_english(fields) for title, fields in german.items()}
    after: list[dict[str, Fields]] = [dict(german), dict(english)]
    for story in STORIES:
        for side, end in enumerate(story.ends):
            if end is None:
                del after[side][story.title]
            else:
                after[side][story.title] = {"SUMMARY": story.title, **after[side].get(story.title, {}), **end}
    before, end_ = Lists(german, english), Lists(*after)
    idle = {"requests": 1, "created": 0, "updated": 0, "deleted": 0, "parked": 0}
    return promises.Evidence(
        STRATEGY,
        Lists(german, {}),
        Stages(before, before, end_),
        end_,
        [{"title": DISPUTED, "field": "due", "winner": str(WON), "loser": str(LOST)}],
        {"connectors": {"fb02": idle, "dienstleister": idle}},
    )


def _in_english(fields: Fields) -> Fields:
    words = fields.get("CATEGORIES", ())
    assert isinstance(words, tuple)
    return {**fields, "CATEGORIES": tuple(IN_ENGLISH.get(word, word) for word in words)}


def _without(title: str) -> Callable[[list[Task]], list[Task]]:
    return lambda tasks: [task for task in tasks if task.title != title]


def _touched(title: str) -> Callable[[list[Task]], list[Task]]:
    return lambda tasks: [replace(task, ics=task.ics + "x" * (task.title == title)) for task in tasks]


def _renamed(title: str, to: str) -> Callable[[list[Task]], list[Task]]:
    return lambda tasks: [
        replace(task, values={**task.values, "SUMMARY": to}) if task.title == title else task for task in tasks
    ]


def _revealed(title: str, word: str) -> Callable[[list[Task]], list[Task]]:
    return lambda tasks: [
        replace(task, values={**task.values, "CATEGORIES": (word,)}) if task.title == title else task for task in tasks
    ]


def _mirrored(seen: promises.Evidence, side: int, change: Callable[[list[Task]], list[Task]]) -> promises.Evidence:
    before = seen.stages.before
    assert isinstance(before, Lists)
    return replace(seen, stages=replace(seen.stages, before=before.with_side(side, change)))


def _settled(seen: promises.Evidence, side: int, change: Callable[[list[Task]], list[Task]]) -> promises.Evidence:
    after = seen.stages.after
    assert isinstance(after, Lists)
    return replace(seen, stages=replace(seen.stages, after=after.with_side(side, change)))


def _ended(seen: promises.Evidence, side: int, change: Callable[[list[Task]], list[Task]]) -> promises.Evidence:
    end = seen.end
    assert isinstance(end, Lists)
    return replace(seen, end=end.with_side(side, change))


def broken(seen: promises.Evidence) -> set[str]:
    """The promises that were not kept."""
    return {name for name, _, wrong in (promise(seen) for promise in promises.ALL) if wrong}


STEP = STRATEGY.entry("ac-t-01").title
OTHER = STRATEGY.entry("ac-t-05").title
SPOILT: dict[str, tuple[Callable[[promises.Evidence], promises.Evidence], str]] = {
    "one was not mirrored": (lambda seen: _mirrored(seen, 1, _without("Attraktiver Wirtschaftsstandort")), "mirror"),
    "quotes were straightened": (
        lambda seen: _mirrored(seen, 1, _renamed(STEP, STEP.replace("‚", "'"))),
        "mirror",
    ),
    "an internal task was made public": (lambda seen: _mirrored(seen, 1, _revealed(OTHER, "public")), "public"),
    "a label went missing": (
        lambda seen: _settled(seen, 0, _revealed("Netzwerk der digitalen Lotsinnen und Lotsen", "Maßnahme")),
        "stories",
    ),
    "what was deleted is there": (
        lambda seen: _settled(seen, 1, lambda tasks: [*tasks, replace(tasks[0], values={"SUMMARY": DELETED})]),
        "stories",
    ),
    "what was created is not there": (lambda seen: _settled(seen, 0, _without(STORIES[-1].title)), "stories"),
    "a next step was touched": (lambda seen: _ended(seen, 0, _touched(STEP)), "steps"),
    "a next step is gone": (lambda seen: _ended(seen, 1, _without(STEP)), "steps"),
    "another item was touched": (
        lambda seen: _ended(seen, 1, _touched("Attraktiver Wirtschaftsstandort")),
        "rest",
    ),
    "an item is there twice": (lambda seen: _ended(seen, 0, lambda tasks: [*tasks, tasks[0]]), "duplicates"),
    "the conflict is not in the ledger": (lambda seen: replace(seen, conflicts=[]), "conflict"),
    "the other value won": (
        lambda seen: replace(seen, conflicts=[{**seen.conflicts[0], "winner": str(LOST), "loser": str(WON)}]),
        "conflict",
    ),
    "the quiet pass wrote": (
        lambda seen: replace(seen, quiet={"connectors": {"fb02": {**seen.quiet["connectors"]["fb02"], "updated": 1}}}),
        "quiet",
    ),
    "the quiet pass asked too often": (
        lambda seen: replace(seen, quiet={"connectors": {"fb02": {**seen.quiet["connectors"]["fb02"], "requests": 2}}}),
        "quiet",
    ),
}


def test_a_good_morning_keeps_every_promise() -> None:
    assert broken(as_promised()) == set()


@pytest.mark.parametrize("what", SPOILT)
def test_the_demo_notices_when(what: str) -> None:
    spoil, promise = SPOILT[what]
    assert promise in broken(spoil(as_promised()))


# ---- the whole ------------------------------------------------------------------------------------------------------


def _environment(home: Path) -> dict[str, str]:
    """As little as a newcomer's shell may have."""
    home.mkdir()
    return {"PATH": os.environ["PATH"], "HOME": str(home)}


def _answers(place: Place) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", place.port)) == 0


@pytest.mark.radicale
def test_the_demo_keeps_its_promises_without_a_terminal_and_with_an_empty_home(tmp_path: Path) -> None:
    home, place = tmp_path / "home", Place(tmp_path / "demo")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.demo", "--folder", str(place.folder)],
        cwd=ROOT,
        env=_environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        start_new_session=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-3000:]
    assert "\x1b" not in done.stdout, "no control sequences without a terminal"
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stdout.count("\n✓ ") >= len(promises.ALL)
    assert DISPUTED in done.stdout
    assert list(home.iterdir()) == []
    assert {path.name for path in place.folder.iterdir()} >= {".env", "bridge.db", MAPPING.name, "radicale"}
    assert not _answers(place), "the server is ended"


@pytest.mark.radicale
def test_play_goes_on_where_it_was_left(tmp_path: Path) -> None:
    place, environment = Place(tmp_path / "demo"), _environment(tmp_path / "home")
    ports = []
    for number in (signal.SIGINT, signal.SIGTERM):
        command = [sys.executable, "-u", "-m", "tests.demo", "play", "--folder", str(place.folder)]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, encoding="utf-8") as process:
            assert process.stdout is not None
            told = []
            for line in process.stdout:
                told.append(line)
                if "--data-binary" in line:
                    break
            ports.append(place.port)
            assert _answers(place)
            assert any(f"http://127.0.0.1:{place.port}/anna/fb02/" in line for line in told), told
            with pytest.raises(Busy), place.taken():
                pass
            process.send_signal(number)
            process.communicate(timeout=60)
        assert process.returncode == (0 if number == signal.SIGINT else 143)
        assert not _answers(place)
    assert ports[0] == ports[1]
    assert len(list((place.folder / "radicale" / "data" / "collection-root" / "anna" / "fb02").glob("*.ics"))) == 38


def test_settings_that_people_changed_stay_when_the_port_is_another(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (tmp_path / ".env").write_text("BRIDGE_LANGUAGE=en\nFB02_URL=http://127.0.0.1:1234/\n# mine\n", encoding="utf-8")
    assert place.port == 1234
    place.move_settings(5678)
    assert (tmp_path / ".env").read_text(encoding="utf-8").splitlines() == [
        "BRIDGE_LANGUAGE=en",
        "FB02_URL=http://127.0.0.1:5678/",
        "# mine",
    ]


def test_wiping_takes_only_what_a_demo_left(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for name in (".env", "bridge.db", "bridge.db-wal", MAPPING.name, "diary.txt"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    (tmp_path / "radicale" / "data").mkdir(parents=True)
    place.wipe()
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]
