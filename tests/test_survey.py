"""What `check` tells of fields and formatting, on connectors of every kind."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from bridge import render
from bridge.survey import CHARACTERS, COARSER, CONSTRUCTS, KEPT, MISSING, survival
from bridge.texts import texts
from bridge.views import CheckView
from connectors.base import Abilities, Changes, Connector, Options
from connectors.memory import MemoryConnector
from connectors.memory_platform import MemoryPlatform
from mappings.schema import load, shipped
from mappings.translate import Translator
from tests.deck_tools import ready as deck_ready
from tests.fakes.deck import Deck
from tests.mirror import Desk, Mirror
from tests.radicale_server import Radicale
from tests.redmine_person import RedminePerson
from tests.redmine_server import Redmine
from tests.redmine_tools import ready as redmine_ready

ZONE = ZoneInfo("Europe/Berlin")


class Platform(MemoryConnector):
    """A platform of which only its promises matter here."""

    def __init__(self, abilities: Abilities, formats: Mapping[str, str]) -> None:
        super().__init__(MemoryPlatform("muster"))
        self.abilities = abilities
        self._formats = formats

    def text_formats(self) -> Mapping[str, str]:
        return self._formats


def found(name: str, connector: Connector, options: Options | None = None) -> tuple[dict[str, str], dict[str, str]]:
    changes = connector.pull(None, {}) if options is None else Changes((), None, True, options=options)
    survives = survival(Translator(load(shipped(f"{name}.toml")), ZONE), connector, changes)
    return dict(survives.fields), dict(survives.formatting)


def test_a_board_shows_markdown_and_has_no_priority() -> None:
    with Deck() as deck:
        deck.board("Digitale Strategie")
        fields, formatting = found("nextcloud-deck", deck_ready(deck))
    assert fields["priority"] == fields["progress"] == MISSING
    assert fields["status"] == COARSER
    assert fields["labels"] == fields["title"] == fields["due"] == KEPT
    assert set(formatting.values()) == {KEPT}


@pytest.mark.redmine
@pytest.mark.xdist_group("redmine")
def test_a_redmine_with_textile_shows_most_and_the_rest_as_characters(redmine: Redmine) -> None:
    person = RedminePerson(redmine)
    person.add("eins")
    fields, formatting = found("redmine", redmine_ready(person))
    assert fields["labels"] == fields["visibility"] == MISSING
    assert fields["description"] == fields["parent"] == KEPT
    assert {name for name, word in formatting.items() if word == CHARACTERS} == {
        "tasks",
        "other_numbers",
        "code_in_lists",
    }
    assert MISSING not in formatting.values()


def test_what_a_collection_has_no_place_for_is_missing() -> None:
    platform = Platform(Abilities(create_fields=frozenset({"title", "due"})), {"description": "plain"})
    fields, formatting = found("workbook", platform, {})
    assert {name for name, word in fields.items() if word == KEPT} == {"title", "due"}
    assert formatting == {}


@pytest.mark.parametrize(
    ("form", "words"), [("markdown", {KEPT}), ("plain", {CHARACTERS}), ("textile", {KEPT, CHARACTERS}), ("?", set())]
)
def test_the_format_that_a_connector_names_is_measured(form: str, words: set[str]) -> None:
    formatting = found("workbook", Platform(Abilities(), {"description": form}), {})[1]
    assert set(formatting.values()) == words
    assert not formatting or list(formatting) == list(CONSTRUCTS)


def test_a_format_that_loses_something_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.richtext.formats.Verbatim.read", lambda self, native: native.replace("*", ""))
    formatting = found("workbook", Platform(Abilities(), {"description": "markdown"}), {})[1]
    assert formatting["bold"] == formatting["italic"] == MISSING
    assert formatting["headings"] == KEPT


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_picture_says_it_in_words(language: str) -> None:
    t = texts(language)
    view = CheckView(
        "a", "b", "c", "d", fields={"title": KEPT, "due": COARSER}, formatting=dict.fromkeys(CONSTRUCTS, CHARACTERS)
    )
    shown = io.StringIO()
    Console(file=shown, width=80).print(render.check(t, [view]))
    said = shown.getvalue()
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert f"{t('survives.kept')} {t('field.title')}" in lines
    assert f"{t('survives.coarser')} {t('field.due')}" in lines
    assert t("survives.missing") not in said
    flowing = " ".join(said.split())
    assert all(t(f"construct.{name}").split()[0] in flowing for name in CONSTRUCTS)


@pytest.mark.radicale
def test_check_prints_what_survives(tmp_path: Path, radicale: Radicale) -> None:
    desks = {name: Desk(radicale, name) for name in ("rathaus", "entwicklung")}
    mirror = Mirror(tmp_path, **desks)
    told = mirror.json("check")["connectors"]["rathaus"]
    assert told["fields"]["priority"] == KEPT
    assert told["formatting"]["tables"] == CHARACTERS
    assert "shown as plain characters" in " ".join(mirror.run("check").said.split())
