"""What is confidential goes only to connectors that are marked as fit for it (ADR 0021)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge import match
from bridge.release import RESTS_UNFIT
from bridge.state import LinkState
from connectors.base import Native
from connectors.memory_platform import GONE
from mappings import schema
from mappings.canonical import Kind
from mappings.translate import Translator
from tests.faces import ZONE
from tests.translating import CALDAV, NOBODY, PLAIN
from tests.world import World

SECRET: dict[str, Native] = {"visibility": "confidential"}


def world(faces: str = "aba", fit: str = "AC", release: str = "archive") -> World:
    """Platforms of these faces; A and C are fit for what is confidential, B is not."""
    made = World("")
    for name, face in zip("ABC", faces, strict=False):
        made.builds(name, face)
        made.connects(name, name, fit=name in fit, release=release)  # type: ignore[arg-type]
    return made


def said_on(made: World, platform: str) -> str:
    """Everything that can be read on a platform, what was put away included."""
    server = made.platforms[platform]
    return str([entry.fields for entry in server.entries.values() if entry.place != GONE]) + str(server.options)


def test_a_confidential_record_goes_to_fit_connectors_only_and_is_confidential_there() -> None:
    made = world()
    made.person("A").creates("geheim", **SECRET).creates("offen")
    made.sync_until_quiet()
    made.shows("C", "geheim", visibility="confidential")
    made.absent("B", "geheim")
    made.everywhere("offen")
    assert "geheim" not in said_on(made, "B")


def test_where_nothing_is_marked_nothing_confidential_is_mirrored() -> None:
    made = world(fit="")
    made.person("A").creates("geheim", **SECRET)
    made.sync_until_quiet()
    made.absent("B", "geheim")
    made.absent("C", "geheim")
    assert made.store.all_items() == []


@pytest.mark.parametrize("release", ["archive", "delete"])
def test_what_becomes_confidential_is_released_elsewhere_without_another_word(release: str) -> None:
    made = world(release=release)
    made.person("A").creates("t1")
    made.sync_until_quiet()
    made.person("A").edits("t1", title="Kündigung", visibility="confidential", description="streng geheim")
    made.sync_until_quiet()
    made.shows("C", "t1", title="Kündigung", visibility="confidential")
    assert "Kündigung" not in said_on(made, "B")
    assert "geheim" not in said_on(made, "B")
    if release == "archive":
        assert made.archived("B", "t1")
        assert made.link("B", "t1").problem == RESTS_UNFIT
    else:
        made.absent("B", "t1")
    assert not made.item("t1").dead


def test_a_person_on_an_unfit_platform_can_make_it_confidential_too() -> None:
    made = world()
    made.person("B").creates("t1")
    made.sync_until_quiet()
    made.person("B").edits("t1", visibility="confidential")
    made.sync_until_quiet()
    assert made.archived("B", "t1")
    for name in "AC":
        made.shows(name, "t1", visibility="confidential")


def test_what_is_confidential_no_more_appears_everywhere() -> None:
    made = world()
    made.person("A").creates("t1", **SECRET)
    made.sync_until_quiet()
    made.person("C").edits("t1", visibility="internal")
    made.sync_until_quiet()
    made.everywhere("t1", visibility="internal")


def learnt_in_the_midst(first: str, other: str) -> bool:
    """Somebody makes a task confidential on one platform while it is written to two; whether the other hears more."""
    made = world("abb", fit="A")
    made.person("A").creates("t1")
    made.sync_until_quiet()
    made.person("A").edits("t1", title="Abmahnung")
    made.during(first, "listing", "after", lambda: made.person(first).edits("t1", visibility="confidential"))
    made.sync_until_quiet()
    assert made.link(other, "t1").state is LinkState.FROZEN
    assert made.provenance.leaks == set()
    return "Abmahnung" in said_on(made, other)


def test_what_is_learnt_in_the_midst_of_writing_stops_what_was_planned() -> None:
    # One of the two is written before the other, and nobody can know then.
    assert not (learnt_in_the_midst("B", "C") and learnt_in_the_midst("C", "B"))


def test_a_reference_to_what_is_confidential_is_kept_and_not_shown() -> None:
    made = world()
    made.person("A").creates("geheim", **SECRET).creates("t1", parent="geheim", depends_on=("geheim",))
    made.sync_until_quiet()
    made.shows("C", "t1", parent="geheim", depends_on=("geheim",))
    made.shows("B", "t1", parent=None, depends_on=())
    made.person("B").edits("t1", due="2026-05-04")
    made.sync_until_quiet()
    made.shows("A", "t1", parent="geheim", depends_on=("geheim",), due="2026-05-04")


@pytest.mark.parametrize("face", "de")
def test_a_milestone_that_is_confidential_is_no_label_where_it_must_not_be_shown(face: str) -> None:
    made = world("a" + face, fit="A")
    made.person("A").creates("Umzug", kind="milestone", **SECRET)
    made.person("A").creates("t1", milestone="Umzug").creates("t2")
    made.sync_until_quiet()
    assert "Umzug" not in said_on(made, "B")
    made.person("A").edits("Umzug", visibility="internal")
    made.sync_until_quiet()
    assert "Umzug" in said_on(made, "B")
    made.shows("A", "t1", milestone="Umzug")


@pytest.mark.parametrize("face", "de")
def test_the_label_of_a_milestone_that_became_confidential_does_not_get_its_new_name(face: str) -> None:
    made = world("a" + face, fit="A")
    made.person("A").creates("Umzug", kind="milestone").creates("t1", milestone="Umzug")
    made.sync_until_quiet()
    made.person("A").edits("Umzug", title="Kündigung des Mietvertrags", visibility="confidential")
    made.sync_until_quiet()
    made.person("A").creates("t2", milestone="Umzug")
    made.sync_until_quiet()
    assert "Mietvertrag" not in said_on(made, "B")
    made.shows("A", "t1", milestone="Umzug")
    made.shows("A", "t2", milestone="Umzug")


@pytest.mark.parametrize("face", "de")
def test_a_label_that_is_called_like_a_confidential_milestone_stays_a_label(face: str) -> None:
    made = world("a" + face, fit="A")
    label = made.platforms["B"].option("labels", "Umzug")
    made.person("B").creates("t1", labels=(label,))
    made.sync_until_quiet()
    made.person("A").creates("Umzug", kind="milestone", **SECRET)
    made.sync_until_quiet()
    made.shows("A", "t1", labels=("Umzug",), milestone=None)
    made.shows("B", "t1", labels=(label,))


@pytest.mark.parametrize("face", "de")
def test_nothing_that_is_told_of_an_unfit_connector_names_what_is_confidential(face: str) -> None:
    made = world("a" + face, fit="A")
    long = "Kündigung " * 12  # longer than a label may be, and than a board takes as a title
    made.person("A").creates("geheim", title=long, kind="milestone", **SECRET)
    made.person("A").creates("t1", milestone="geheim")
    made.sync_until_quiet()
    told = [*made.outcome.warnings]
    for link in made.links("B"):
        told += [parked.reason for parked in link.parked.values()] + [link.problem]
    told += [entry.why for entry in made.store.journal() if entry.connector == "B"]
    assert "Kündigung" not in str(told)
    assert made.outcome.exit_code == 0


def test_becoming_fit_and_unfit_waits_for_a_person() -> None:
    made = world()
    made.person("A").creates("geheim", **SECRET)
    made.sync_until_quiet()
    made.connects("B", "B", fit=True)
    outcome = made.sync(accept=False)
    assert [one.reason for one in outcome.contacts] == ["it is marked as fit for confidential items now"]
    made.absent("B", "geheim")
    made.sync_until_quiet()
    made.shows("B", "geheim", visibility="confidential")
    made.connects("B", "B")
    outcome = made.sync(accept=False)
    assert [one.reason for one in outcome.contacts] == ["it is not marked as fit for confidential items any more"]
    made.sync_until_quiet()
    assert made.archived("B", "geheim")


# ---- who is who ---------------------------------------------------------------------------------------------------


def test_a_confidential_record_is_not_paired_with_one_that_is_not() -> None:
    made = world()
    made.person("A").creates("Bericht a", title="Bericht", **SECRET)
    made.person("B").creates("Bericht b", title="Bericht")
    made.sync_until_quiet()
    assert len(made.store.all_items()) == 2
    made.absent("B", "Bericht a")
    made.shows("B", "Bericht b", archived=False)
    made.shows("A", "Bericht b", visibility="internal")


def test_a_confidential_record_outside_is_not_the_one_of_an_item_that_is_not() -> None:
    made = world("aba", fit="A")
    made.connects("A", "A", fit=True, scope="label = Presse")
    made.person("A").creates("Bericht a", title="Bericht")
    made.person("B").creates("Bericht b", title="bericht")
    made.sync_until_quiet()
    made.person("A").edits("Bericht a", visibility="confidential")
    made.sync_until_quiet()
    made.connects("A", "A")
    for _ in range(3):
        made.sync()
    made.shows("A", "Bericht a", visibility="confidential")
    made.shows("A", "Bericht b", visibility="internal")
    assert [item.value("visibility") for item in made.store.all_items()] == ["internal"]


def test_who_cannot_tell_waits_where_both_are_there() -> None:
    secret = match.Stray("a", "1", "task", "Bericht", secret=True)
    plain = match.Stray("b", "1", "task", "Bericht", secret=False)
    unsure = match.Stray("c", "1", "task", "Bericht", secret=None)
    assert match.pair([secret, unsure], {}) == [match.Pairing((secret, unsure))]
    assert match.pair([plain, unsure], {}) == [match.Pairing((plain, unsure))]
    assert match.pair([secret, plain], {}) == [match.Pairing((plain,)), match.Pairing((secret,))]
    *_, last = match.pair([secret, plain, unsure], {})
    assert isinstance(last, match.Ambiguous)
    assert last.strays == (unsure,)


# ---- mappings -----------------------------------------------------------------------------------------------------


def test_a_calendar_says_it_by_its_class() -> None:
    caldav, voc = CALDAV, PLAIN
    made = caldav.create(Kind.TASK, {"title": "t", "visibility": "confidential"}, voc, NOBODY, 0).fields
    assert made["CLASS"] == "CONFIDENTIAL"
    plain: dict[str, Native] = {"SUMMARY": "t", "CATEGORIES": (), "CLASS": None}
    for label, meant in [(None, "internal"), ("PUBLIC", "internal"), ("PRIVATE", "confidential")]:
        assert caldav.read({**plain, "CLASS": label}, voc, NOBODY).asserted("visibility") == {meant}
    closed: dict[str, Native] = {**plain, "CLASS": "PRIVATE"}
    assert caldav.write({"visibility": "confidential"}, closed, voc, NOBODY, 0).fields == {}
    assert caldav.write({"visibility": "internal"}, closed, voc, NOBODY, 0).fields == {"CLASS": None}
    opened = caldav.write({"visibility": "public"}, closed, voc, NOBODY, 0).fields
    assert opened == {"CLASS": None, "CATEGORIES": ("öffentlich",)}


def test_a_platform_may_have_nothing_but_a_mark_of_secrecy(tmp_path: Path) -> None:
    text = schema.shipped("memory.toml").read_text(encoding="utf-8")
    text = text[: text.index("[fields.visibility]")] + '[fields.visibility]\nnative = "private"\n'
    text += '[fields.visibility.secret]\nnative = "private"\nvalues = [true]\n'
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    mapping = Translator(schema.load(tmp_path / "m.toml"), ZONE)
    for native, meant in [(True, {"confidential"}), (False, {"internal", "public"})]:
        assert mapping.read({"title": "t", "private": native}, PLAIN, NOBODY).asserted("visibility") == meant
    shown: dict[str, Native] = {"title": "t", "private": True}
    assert mapping.write({"visibility": "public"}, shown, PLAIN, NOBODY, 0).fields == {"private": False}
    bad = text.replace("[fields.visibility.secret]", "[fields.priority.secret]")
    (tmp_path / "bad.toml").write_text(bad, encoding="utf-8")
    with pytest.raises(schema.MappingError, match="only visibility has one"):
        schema.load(tmp_path / "bad.toml")
