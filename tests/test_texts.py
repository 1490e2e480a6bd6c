"""Both languages say everything, with the same values, and no sentence is asked for that is not there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from bridge.texts import DEFAULT_LANGUAGE, LANGUAGES, texts

SOURCE = sorted((Path(__file__).parents[1] / "bridge").rglob("*.py"))


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def test_both_languages_have_the_same_keys_and_placeholders() -> None:
    german, english = (texts(language).sentences for language in ("de", "en"))
    assert set(german) == set(english)
    assert [key for key in german if placeholders(german[key]) != placeholders(english[key])] == []
    assert not [key for key in german if "" in placeholders(german[key])], "a placeholder needs a name"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty(language: str) -> None:
    assert [key for key, sentence in texts(language).sentences.items() if not sentence.strip()] == []


def calls() -> Iterator[tuple[str, str, str, set[str] | None]]:
    """Every call in the source that asks for a sentence by a literal key: where, how, which, with what values."""
    for path in SOURCE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            key, function = str(node.args[0].value), node.func
            names = [keyword.arg for keyword in node.keywords]
            values = None if None in names else {str(name) for name in names}
            where = f"{path.name}:{node.lineno}"
            match function:
                case ast.Name(id="t" | "say") | ast.Attribute(attr="t"):
                    yield where, "say", key, values
                case ast.Attribute(value=ast.Name(id="t") | ast.Attribute(attr="t"), attr="count"):
                    yield where, "count", key, values
                case ast.Attribute(value=ast.Name(id="env" | "found" | "self"), attr="wrong" | "doubtful"):
                    yield where, "say", f"settings.{key}", values


def test_every_sentence_that_the_source_asks_for_exists_and_gets_its_values() -> None:
    sentences = texts("en").sentences
    found = list(calls())
    assert len(found) > 80, "the calls are not recognised any more"
    for where, how, key, values in found:
        for full in [key] if how == "say" else [f"{key}.one", f"{key}.many"]:
            assert full in sentences, f"{where} asks for {full}"
            given = None if values is None else values | ({"number"} if how == "count" else set())
            assert given is None or placeholders(sentences[full]) <= given, f"{where} gives {full} too little"


def test_german_is_what_nobody_set() -> None:
    assert texts() == texts(DEFAULT_LANGUAGE) == texts("de")


def test_dates_and_numbers_are_written_as_people_read_them() -> None:
    german, english = texts("de"), texts("en")
    assert (german.date("2026-03-29"), english.date("2026-03-29")) == ("29.03.2026", "2026-03-29")
    assert german.date(date(2026, 3, 29)) == "29.03.2026"
    assert (german.date(None), german.date(""), german.date("bald")) == ("", "", "bald")
    assert (german.number(1234567), english.number(1234567)) == ("1.234.567", "1,234,567")
    assert (german.decimal(2.5), english.decimal(2.5)) == ("2,5", "2.5")


def test_a_moment_is_shown_by_the_citys_clock() -> None:
    summer, winter = 1_774_746_000, 1_774_742_400  # an hour apart, the clock change of 2026-03-29 between them
    zone = ZoneInfo("Europe/Berlin")
    assert [texts("de").moment(at, zone) for at in (winter, summer)] == ["29.03.2026 01:00", "29.03.2026 03:00"]
    assert texts("en").moment(winter, ZoneInfo("UTC")) == "2026-03-29 00:00"


def test_one_and_many_have_a_form_each() -> None:
    german = texts("de")
    assert [german.count("items.count", n) for n in (0, 1, 2000)] == ["0 Einträge", "Ein Eintrag", "2.000 Einträge"]


def test_a_value_with_braces_stays_as_it_is() -> None:
    assert "{x} {0}" in texts("de")("settings.stranger", name="{x} {0}")


def test_every_reason_is_said_again_in_german() -> None:
    """The pattern of each English reason finds its own German sentence, and not that of another."""
    german, english = texts("de"), texts("en")
    for key in (key for key in english.sentences if key.startswith("reason.")):
        values = {name: f"<{number}>" for number, name in enumerate(sorted(placeholders(english.sentences[key])))}
        values |= {name: "" for name in ("brackets", "who") if name in values}  # mostly there is nothing
        assert german.reword(english(key, **values)) == german(key, **values), key


def test_a_reason_that_nobody_translated_stays_as_it_was_written() -> None:
    assert texts("de").reword("Something unheard of.") == "Something unheard of."
    assert texts("en").reword("new elsewhere") == "new elsewhere"
