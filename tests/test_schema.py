"""Mapping files: the shipped ones are sound, and a wrong one is told everything that is wrong with it, at once."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical import FIELDS, Kind
from mappings.schema import MappingError, load, shipped
from mappings.tables import Choice

SHIPPED = ("caldav.toml", "gitlab.toml", "nextcloud-deck.toml", "memory.toml", "openproject.toml")
GOOD = """
platform = "x"
[kinds]
native = "labels"
[kinds.elements]
milestone = ["Meilenstein", "Milestone"]
task = []
[archive]
native = "archived"
value = true
[fields.title]
native = "title"
[fields.status]
native = "state"
empty = "planned"
[fields.status.values]
open = "planned"
closed = "done"
[fields.status.shown_as]
idea = "planned"
in_progress = "planned"
ongoing = "planned"
on_hold = "planned"
unknown = "planned"
cancelled = "done"
[fields.due]
native = "due"
as = "date"
[fields.milestone]
native = "labels"
by = "title"
[fields.labels]
native = "labels"
[fields.visibility]
native = "labels"
[fields.visibility.elements]
public = ["public"]
internal = []
"""
PRIORITY = GOOD + '[fields.priority]\nnative = "p"\n'


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "city.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError) as caught:
        load(path)
    assert str(caught.value) == "\n".join(caught.value.problems)
    assert all(line.startswith(f"{path}: ") for line in caught.value.problems)
    return [line.removeprefix(f"{path}: ") for line in caught.value.problems]


def swap(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_mapping_is_sound(name: str) -> None:
    assert load(shipped(name)).platform == name.removesuffix(".toml")


def test_a_path_may_be_text(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(GOOD, encoding="utf-8")
    assert load(str(tmp_path / "m.toml")).fields.title.native == "title"


def test_memory_holds_every_kind_and_every_field() -> None:
    memory = load(shipped("memory.toml"))
    assert set(memory.kinds.values) == {kind.value for kind in Kind}
    assert set(memory.fields.tables()) == set(FIELDS)
    assert all(name == table.native for name, table in memory.fields.tables().items())


def test_deck_leaves_out_what_deck_cannot_hold() -> None:
    left_out = set(FIELDS) - set(load(shipped("nextcloud-deck.toml")).fields.tables())
    assert left_out == {"priority", "progress", "parent", "depends_on", "responsible"}


@pytest.mark.parametrize("title", ["Offen", "In Arbeit", "Erledigt", "To do", "Doing", "Done", "To Do", "In Progress"])
def test_deck_knows_the_titles_of_its_default_stacks(title: str) -> None:
    status = load(shipped("nextcloud-deck.toml")).fields.status
    assert status is not None
    assert title.casefold() in {known.casefold() for known in status.values}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_status_is_reachable_in_a_shipped_mapping(name: str) -> None:
    status = load(shipped(name)).fields.status
    assert isinstance(status, Choice)
    assert set(FIELDS["status"].choices) <= set(status.values.values()) | set(status.shown_as)


def test_the_good_file_is_good(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(GOOD, encoding="utf-8")
    assert load(tmp_path / "m.toml").fields.status is not None


def test_a_mapping_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(shipped("memory.toml")).platform = "other"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (swap("platform =", "plattform ="), 'plattform = "x": is not a key here. Did you mean "platform"?'),
        (swap("platform =", "plattform ="), "platform: is missing. Add it."),
        (swap("[fields.due]", "[fields.faellig]"), "fields.faellig = {...}: is not a key here. Known are: title,"),
        (swap("[fields.due]", "[fields.dues]"), 'fields.dues = {...}: is not a key here. Did you mean "due"?'),
        (swap('as = "date"', 'art = "date"'), 'fields.due.art = "date": is not a key here. Known are: native, as.'),
        (swap('as = "date"', ""), "fields.due.as: is missing. Add it."),
        (swap('as = "date"', 'as = "day"'), 'fields.due.as = "day": must be "date" or "moment"'),
        (swap('native = "due"', 'native = ""'), 'fields.due.native = "": must not be empty.'),
        (swap('native = "due"', "native = 1"), "fields.due.native = 1: must be text, in quotes."),
        (swap('native = "title"', 'native = "title"\nlimit = 0'), "fields.title.limit = 0: must be greater than 0."),
        (swap('native = "title"', 'native = "title"\nlimit = true'), "fields.title.limit = true: must be a whole"),
        (swap("value = true", "value = 1"), "archive.value = 1: must be true, false or text in quotes."),
        (swap("milestone = [", "milestones = ["), 'kinds.elements.milestones: is not a kind. Did you mean "mile'),
        (swap('milestone = ["Meilenstein", "Milestone"]', 'milestone = "M"'), 'milestone = "M": must be a list'),
        (swap("task = []", ""), "kinds.elements: one entry must be [], what no element means; none has."),
        (swap("task = []", "task = []\ngoal = []"), "what no element means; task and goal have. Leave exactly one"),
        (swap("task = []", 'task = []\ngoal = [" "]'), 'kinds.elements.goal = [" "]: an element needs a name.'),
        (swap('task = []\n[archive]', 'task = []\n[kinds.values]\na = "task"\n[archive]'), "either elements or values"),
        (swap('open = "planned"', 'open = "offen"'), 'fields.status.values.open = "offen": is not a value of status.'),
        (swap('"planned"', '"planed"'), 'fields.status.empty = "planed": is not a value of status. Did you mean "pl'),
        (swap('closed = "done"', 'OPEN = "done"'), 'values.OPEN = "done": stands there already as "open"'),
        (swap('closed = "done"', ""), "fields.status.shown_as.done: nothing shows done. Say as which value it is"),
        (swap('cancelled = "done"', ""), "fields.status.shown_as.cancelled: nothing shows cancelled."),
        (swap('cancelled = "done"', 'cancelled = "idea"\nidea2 = "done"'), "fields.status.shown_as.idea2"),
        (swap('cancelled = "done"', 'cancelled = "unknwon"'), 'cancelled = "unknwon": is not a value of status.'),
        (swap('native = "due"', 'native = "title"'), 'fields.due.native = "title": belongs to fields.title already.'),
        (swap('native = "due"', 'native = "labels"'), 'fields.due.native = "labels": belongs to kinds already.'),
        (swap('native = "archived"', 'native = "due"'), 'archive.native = "due": belongs to fields.due already.'),
        (swap('native = "state"', 'native = "state"\nstamp = "due"'), 'status.stamp = "due": belongs to fields.due'),
        (swap('native = "state"', 'native = "state"\nflag = "title"'), 'status.flag = "title": belongs to fields.ti'),
        (swap('public = ["public"]', 'public = ["MILESTONE"]'), 'public = "MILESTONE": stands for kinds.elements.mile'),
        (swap('public = ["public"]', "public = []"), "fields.visibility.elements: one entry must be []"),
        (swap('[fields.labels]', '[fields.parent]\nnative = "up"\nby = "title"\n[fields.labels]'), 'parent.by = "ti'),
        (PRIORITY + 'flag = "f"\n[fields.priority.values]\n1 = 1', 'priority.flag = "f": only'),
        (PRIORITY + '[fields.priority.values]\n1 = 1', "priority.shown_as.none: nothing shows"),
        (PRIORITY + 'as = "number"\n[fields.priority.values]\nhigh = 1', "is not a number."),
        (PRIORITY, "fields.priority: needs either values or elements"),
    ],
)  # fmt: skip
def test_a_problem_is_named_with_its_key_its_value_and_a_remedy(tmp_path: Path, text: str, problem: str) -> None:
    assert any(problem in line for line in problems(tmp_path, text))


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    text = swap("platform =", "plattform =").replace('native = "due"', 'native = "title"')
    text = text.replace('cancelled = "done"', 'cancelled = "dome"').replace("value = true", "value = 1")
    assert [line.split(": ")[0] for line in problems(tmp_path, text)] == [
        "platform",
        "archive.value = 1",
        'plattform = "x"',
        'fields.status.shown_as.cancelled = "dome"',
        "fields.status.shown_as.cancelled",
        'fields.due.native = "title"',
    ]


def test_what_is_wrong_in_one_place_does_not_hide_what_is_wrong_there_too(tmp_path: Path) -> None:
    text = swap('native = "archived"', 'native = "title"').replace("value = true", "")
    assert [line.split(":")[0] for line in problems(tmp_path, text)] == ["archive.value", 'archive.native = "title"']


def test_an_empty_file_says_what_is_missing(tmp_path: Path) -> None:
    assert [line.split(":")[0] for line in problems(tmp_path, "")] == ["platform", "kinds", "fields"]


def test_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    assert "at line 2, column 8" in problems(tmp_path, 'platform = "x"\nkinds =\n')[0]


def test_the_same_key_twice_is_a_syntax_error(tmp_path: Path) -> None:
    assert "is not TOML" in problems(tmp_path, swap('open = "planned"', 'open = "planned"\nopen = "done"'))[0]


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "city.toml").write_bytes('platform = "Köln"'.encode("latin-1"))
    with pytest.raises(MappingError, match="is not UTF-8 text \\(byte 13\\)"):
        load(tmp_path / "city.toml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"nowhere\.toml: cannot be read \(No such file or directory\)"):
        load(tmp_path / "nowhere.toml")


def test_a_loop_in_shown_as_ends_where_something_is_there(tmp_path: Path) -> None:
    text = swap('in_progress = "planned"', 'in_progress = "planned"\nplanned = "in_progress"')
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    assert load(tmp_path / "m.toml").fields.status is not None


def test_done_needs_no_value_where_a_flag_means_it(tmp_path: Path) -> None:
    text = swap('closed = "done"', "").replace('native = "state"', 'native = "state"\nflag = "ticked"')
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    assert load(tmp_path / "m.toml").fields.status is not None


def test_shown_as_may_take_two_steps(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(swap('idea = "planned"', 'idea = "on_hold"'), encoding="utf-8")
    assert load(tmp_path / "m.toml").fields.status is not None


def test_what_only_follows_from_a_wrong_key_is_not_said_too(tmp_path: Path) -> None:
    found = problems(tmp_path, swap("[fields.visibility.elements]", "[fields.visibility.element]"))
    assert found == ['fields.visibility.element = {...}: is not a key here. Did you mean "elements"?']


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["native", "as", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.data())
def test_whatever_is_broken_is_said_and_never_a_crash(data: st.DataObject) -> None:
    from mappings import schema

    broken: dict[str, Any] = copy.deepcopy(tomllib.loads(GOOD))
    for _ in range(data.draw(st.integers(1, 4))):
        table = broken
        while True:
            key = data.draw(st.sampled_from([*sorted(table), "other"]))
            if isinstance(table.get(key), dict) and data.draw(st.booleans()):
                table = table[key]
                continue
            table[key] = data.draw(junk)
            break
    found, _ = schema._check(broken)
    assert all(str(problem) for problem in found)
