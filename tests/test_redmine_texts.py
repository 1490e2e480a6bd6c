"""What becomes of text on the way to Redmine and back; no server is needed for that."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.redmine import texts
from connectors.redmine.shapes import Named, Priority, Status, Tracker, Version
from connectors.redmine.words import Words
from connectors.richtext import MARKDOWN, TEXTILE, TextFormat

HOLD = "\u2060"
TEXTS = st.text(st.sampled_from(f"@{HOLD}abä_.- \n\r,<]"), max_size=12)


@given(TEXTS, TEXTS)
@example(f"@{HOLD}a", "@a")
@example("@@a", "")
def test_what_is_held_back_is_let_go_again(text: str, there: str) -> None:
    assert texts.plain(texts.quiet(text, there)) == texts.lines(text)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Hallo @anna, bitte", f"Hallo @{HOLD}anna, bitte"),
        ("@anna", f"@{HOLD}anna"),
        ("ü@anna", f"ü@{HOLD}anna"),
        ("(@anna)", f"(@{HOLD}anna)"),
        ("presse@aachen.de", "presse@aachen.de"),
        ("für 5 @ 20 Euro", "für 5 @ 20 Euro"),
    ],
)
def test_nobody_is_called_by_a_copy(text: str, sent: str) -> None:
    assert texts.quiet(text, None) == sent


def test_who_was_called_there_already_stays_as_people_wrote_it() -> None:
    assert texts.quiet("@anna und @dora", "Bitte @anna !") == f"@anna und @{HOLD}dora"


@pytest.mark.parametrize("formatting", [MARKDOWN, TEXTILE])
def test_a_macro_works_only_where_it_stood_already(formatting: TextFormat) -> None:
    there = "{{toc}}\r\n\r\n<pre>{{include(a)}}</pre>\r\n\r\n```\r\n{{include(b)}}\r\n```"
    text = "{{toc}}\n\n{{include(a)}}\n\n{{include(b)}}\n\n{{{x}}}"
    sent = texts.said(text, there, formatting)
    assert re.findall(r"\{\{\w", sent) == ["{{t"]
    assert texts.heard(sent, formatting) == text


@given(st.text(st.sampled_from("@{}toc|*_a \n" + HOLD), max_size=20), st.sampled_from([MARKDOWN, TEXTILE]))
def test_what_is_said_is_heard(text: str, formatting: TextFormat) -> None:
    assert texts.heard(texts.said(text, None, formatting), formatting) == text


@pytest.mark.parametrize("length", [59, 60])
def test_a_title_that_fits_is_left_alone(length: int) -> None:
    assert texts.name("ä" * length) == "ä" * length


def test_a_long_title_is_cut_at_sixty_characters() -> None:
    assert texts.name("ä" * 61) == "ä" * 59 + "…"
    assert texts.name("ä" * 58 + "  bb") == "ä" * 58 + "…"


def test_a_description_of_a_version_has_one_line() -> None:
    assert texts.brief("eins  zwei") == "eins  zwei"
    assert texts.brief("eins\n\n zwei\n") == "eins zwei"
    assert texts.brief("ä" * 300) == "ä" * 254 + "…"


# ---- words -------------------------------------------------------------------------------------------------------


def words(*statuses: str) -> Words:
    """A vocabulary with these statuses; those with a star are closed."""
    found = [Status(id=n, name=name.strip("*"), is_closed="*" in name) for n, name in enumerate(statuses, 1)]
    tracker = Tracker(id=1, name="Aufgabe", default_status=Named(id=1))
    return Words((tracker,), found, (Priority(id=1, name="Normal", is_default=True),), (Named(id=1, name="Aufgabe"),))


@pytest.mark.parametrize(
    ("statuses", "away"),
    [
        (("Neu", "Erledigt*", "Abgewiesen*"), "Abgewiesen"),
        (("Neu", "Abgewiesen*", "Erledigt*"), "Abgewiesen"),
        (("Neu", "Won't fix*", "Closed*", "REJECTED*"), "REJECTED"),
        (("Neu", "Erledigt*"), ""),
        (("Neu", "Abgewiesen", "Erledigt*"), ""),
    ],
)
def test_what_was_put_away_has_a_closed_status_of_its_own(statuses: tuple[str, ...], away: str) -> None:
    found = words(*statuses).away
    assert (found.name if found else "") == away


@pytest.mark.parametrize(
    ("statuses", "shown"),
    [
        (("Neu", "Erledigt*", "Abgewiesen*"), "2"),
        (("Neu", "Abgewiesen*", "Erledigt*"), "3"),
        (("Neu", "Duplikat*", "Closed*"), "3"),
        (("Neu", "Beiseite*"), "2"),
        (("Neu", "Rejected*"), "away"),
    ],
)
def test_a_closed_version_shows_the_status_that_says_done(statuses: tuple[str, ...], shown: str) -> None:
    version = Version(
        id=1, project=Named(id=1), name="eins", status="closed", created_on="2026-11-23", updated_on="2026-11-23"
    )
    assert words(*statuses).of_version(version) == shown
    assert words(*statuses).version_status(shown) == "closed"
    open_version = version.model_copy(update={"status": "locked"})
    assert words(*statuses).of_version(open_version) == "1"
    assert words(*statuses).version_status("1") == "open"


def test_a_priority_that_is_out_of_use_is_read_and_not_chosen() -> None:
    priorities = (Priority(id=1, name="Alt", active=False), Priority(id=2, name="Normal"))
    assert list(Words(priorities=priorities).options["priority"].values()) == ["Normal", "Alt"]
