"""Texts on their way to OpenProject and back (R15): none does anything there, and every one comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.openproject.text import GAP, text_from, text_to, title_from, title_to
from tests.fakes.openproject_text import called, replaced

TEXTS = (
    "",
    'user#5 group#5 user:"anna" (user#5) ü#5 xuser#5 user#\u200b5 user#\u200b\u200b5',
    '<mention class="mention" data-id="5" data-type="user" data-text="@Anna">@Anna</mention>',
    '<MENTION data-type="group" data-id="5"> data-id="5" data-type="user">',
    "#12 ##12 (#12) **#12** \\#12 !#12 version#3 projekt:document#17 a#1 &#12; &#12 # 12 #",
    "workPackageValue:12:subject projectLabel:status Value:x Wert: 3 meinLabel: y",
    "{{opSetting:base_url}} {{x}} {opSetting:x}",
    '<macro class="toc"></macro> <opce-macro-toc> < macro>',
    "@all @anna, (@berta) und foo@bar.de",
    "https://social.example/@amt/#1 (https://a.de/x#12) https://a.de/user#5 https://a.de/aValue:b:c",
    'https://a.de/user:"anna"',
    "| @anna | #1 |\n| --- | --- |\n| user#5 | 2 |",
    "- [ ] offen\n- [x] fertig 👩‍💻\n```\n#12 user#5\n```",
    "\n".join(f"{number}. Zeile @anna #{number} äöü 🚀 user#{number}" for number in range(800)),
)
WORDS = (
    *("user", "group", "#", ":", '"', "5", "12", "@", "anna", "<", ">", "mention", "macro", "opce-macro", "data-id"),
    *("=", '="5"', ' data-type="user"', "Label", "Value", "workPackage", "x", "_", "{", "{{opSetting", "}}", " ", "\n"),
    *("\\", "*", "(", ")", ".", ",", ";", "!", "&", "ü", GAP, "https://a.de/", "https://", "/", "version"),
)
MADE_UP = st.lists(st.sampled_from(WORDS), max_size=14).map("".join) | st.text(max_size=60)


def harmless(text: str) -> bool:
    return not called(text) and not replaced(text)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_does_nothing_and_comes_back(text: str) -> None:
    assert harmless(text_to(text))
    assert text_from(text_to(text)) == text
    assert not called(title_to(text))
    assert title_from(title_to(text)) == text


@settings(max_examples=400, deadline=None, derandomize=True)
@given(MADE_UP, MADE_UP)
def test_any_text_does_nothing_and_comes_back(text: str, there: str) -> None:
    text, there = text.replace("\r", ""), there.replace("\r", "")
    assert harmless(text_to(text)), text_to(text)
    assert text_from(text_to(text)) == text
    assert text_from(text_to(text, there)) == text
    assert not called(title_to(text))
    assert title_from(title_to(text)) == text


def test_what_staff_wrote_stays_as_they_wrote_it() -> None:
    there = "Bitte ansehen, user#5\n#12 ist erledigt"
    sent = text_to("Bitte ansehen, user#5\nNeu für user#6\n#12 ist erledigt", there)
    assert sent == f"Bitte ansehen, user#5\nNeu für user#{GAP}6\n#12 ist erledigt"
    assert called(sent) == called(there)


def test_what_was_held_apart_stays_held_apart_when_another_line_changes() -> None:
    there = text_to("user#5\nzwei")
    assert text_to("user#5\ndrei", there) == f"user#{GAP}5\ndrei"


def test_a_plain_text_is_sent_letter_by_letter() -> None:
    text = "# Überschrift\n\nC# kostet 12 €: siehe Nr. 12, a@b.de und https://a.de/x#12 – &amp; 50 %"
    assert text_to(text) == text


def test_a_title_keeps_its_numbers() -> None:
    assert (
        title_to("[Entwurf] #12 @alle: workPackageValue:12:subject")
        == "[Entwurf] #12 @alle: workPackageValue:12:subject"
    )


def test_line_ends_are_the_engine_s() -> None:
    assert text_from("eins\r\nzwei\rdrei") == "eins\nzwei\ndrei"
