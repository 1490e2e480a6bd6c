"""Texts on their way to GitLab and back (R15): no text does anything there, and every text comes back as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.gitlab.text import CANCELLED, GAP, cancelled_at, line_in, text_from, text_to, title_from, title_to
from tests.fakes.gitlab_text import COMMANDS, called, carried_out, referred_to

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STAMPED = "<!-- strategy-bridge: cancelled 2026-11-23T12:00Z -->"
LONG = "\n".join(f"{number}. Zeile @anna #{number} äöü 🚀 /close" for number in range(800))
TEXTS = (
    "/close",
    "Zuerst\n/close\n/label ~a ~b\nzuletzt",
    "/CLOSE\n  /close\n\t/close\n\\/close\n\\\\/close",
    "```\n/close\n@all\n```",
    "~~~\n/close\n~~~\n<div>\n```\n\n/close\n```",
    "> /close\n- /close\n1. /close",
    "@all @anna, (@berta) und ü@all oder foo@bar.de",
    "@\u200ball @\u200b\u200ball @ all @",
    "#12 !3 &4 gruppe/projekt#12 &#12; &#12 ![bild](x) a#1",
    "| @anna | #1 |\n| --- | --- |\n| /close | !2 |",
    "- [ ] offen\n- [x] fertig 👩‍💻",
    "https://social.example/@amt/#1 (https://social.example/@amt) <https://social.example/@amt>",
    "[x](https://social.example/y)@all",
    CANCELLED,
    f"Text\n\n{CANCELLED}",
    f"{CANCELLED}\nText {CANCELLED}",
    STAMPED,
    "/",
    "//close",
    "/1",
    "",
    LONG,
)
WORDS = (
    "all",
    "anna",
    "close",
    "label ~x",
    "1",
    "42",
    " ",
    "\t",
    "x",
    "ü",
    "_",
    ".",
    ";",
    "(",
    ")",
    "`",
    "```",
    "<",
    ">",
)
BITS = (
    *WORDS,
    "/",
    "\\",
    "@",
    "#",
    "!",
    "&",
    "\n",
    "\n\n",
    GAP,
    "https://a.de/",
    "http",
    CANCELLED,
    STAMPED,
    "!-- strategy-bridge:",
)
LINES = st.lists(st.sampled_from(BITS) | st.text(max_size=3), max_size=25).map("".join)


def lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def silent(text: str, before: str = "") -> None:
    """A GitLab server that gets this text carries out nothing and tells nobody anything."""
    assert carried_out(text, before).commands == []
    assert called(text) <= called(before)
    assert referred_to(text) <= referred_to(before)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_comes_back_as_it_was_and_does_nothing(text: str) -> None:
    assert len(LONG) > 20_000
    for line in ("", CANCELLED, STAMPED):
        sent = text_to(text, line=line)
        silent(sent)
        assert text_from(sent) == text
        assert line_in(sent) == line
    assert title_from(title_to(text)) == text
    assert called(title_to(text)) == set()


@settings(max_examples=1_000, deadline=None)
@given(text=LINES, there=LINES, line=st.sampled_from(("", CANCELLED, STAMPED)))
def test_any_text_comes_back_as_it_was_and_does_nothing(text: str, there: str, line: str) -> None:
    """R15 with R11: whatever is there already, and whatever GitLab does to the ends of lines and texts."""
    sent = text_to(text, there, line=line)
    silent(sent, there)
    assert text_from(sent) == lf(text)
    assert line_in(sent) == line
    stored = carried_out(sent, there).text
    assert text_from(stored).rstrip() == text_from(sent).rstrip()
    assert title_from(title_to(text)) == text


@settings(max_examples=300, deadline=None)
@given(there=LINES)
def test_what_is_read_and_written_back_without_an_edit_stays_as_it_was(there: str) -> None:
    """Staff's own mentions stay links; only what would be carried out is defused."""
    there = lf(there).replace(CANCELLED, "").replace(STAMPED, "")
    sent = text_to(text_from(there), there)
    assert text_from(sent) == text_from(there)
    if "/" not in there:
        assert sent == there


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_defused_and_unknown_ones_too(command: str) -> None:
    for text in (f"/{command}", f"/{command} mit Wert", f"/{command.upper()}", f"/{command}_neu"):
        assert text_to(text) == f"\\{text}"


def test_a_line_that_could_become_a_command_is_defused_even_where_it_stands_already() -> None:
    """An unknown command of today is text; with another release of GitLab it may be one."""
    assert text_to("/neu\n@anna", "/neu\n@anna") == "\\/neu\n@anna"


def test_titles_are_no_commands() -> None:
    assert title_to("/close") == "/close"


def test_an_address_stays_one_link_and_what_follows_it_is_none() -> None:
    assert title_to("https://social.example/@amt") == "https://social.example/@amt"
    assert title_to("https://localhost/@amt") == f"https://localhost/@{GAP}amt"
    assert title_to("[x](https://social.example/y)@all") == f"[x](https://social.example/y)@{GAP}all"
    assert title_to("xhttps://social.example/@all") == f"xhttps://social.example/@{GAP}all"


def test_an_address_of_mail_is_nobodys_mention() -> None:
    assert title_to("strategie@aachen.example") == "strategie@aachen.example"
    assert title_to("büro ü@all") == f"büro ü@{GAP}all"  # in Ruby ü is no letter of a word


def test_the_line_of_what_is_not_done_goes_wherever_staff_put_it() -> None:
    assert text_from(f"eins\n\n{CANCELLED}\n\nzwei") == "eins\n\nzwei"
    assert line_in(f"eins\n\n{CANCELLED}\n\nzwei") == CANCELLED


def test_the_line_is_of_one_closing() -> None:
    assert cancelled_at(NOON) == STAMPED
    assert cancelled_at(None) == CANCELLED
    assert line_in(STAMPED, NOON + timedelta(minutes=59)) == STAMPED
    assert line_in(STAMPED, NOON + timedelta(days=1)) == ""
    assert line_in(STAMPED) == STAMPED
    assert line_in(CANCELLED, NOON) == CANCELLED
