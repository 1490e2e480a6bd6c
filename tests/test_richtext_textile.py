"""Textile as Redmine has it; that it looks so on the real one is seen in test_redmine_formatting.py."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings

from connectors.richtext import TEXTILE
from connectors.richtext.invisible import FUSE, MARKER
from connectors.richtext.textile_inline import ALIENS
from tests.rich_texts import NASTY, TEXT


@pytest.mark.parametrize(
    ("text", "native"),
    [
        ("## Stand", "h2. Stand"),
        ("**fett** *kursiv* ~~weg~~ `code`", "*fett* __kursiv__ -weg- <code>code</code>"),
        ("__fett__ _kursiv_", "**fett** _kursiv_"),
        ("[Seite](https://aachen.de)", '"Seite":https://aachen.de'),
        ("![Bild](https://aachen.de/b.png)", "!https://aachen.de/b.png(Bild)!"),
        ("- eins\n  - zwei\n    1. drei\n- [ ] vier", "* eins\n** zwei\n**# drei\n* [ ] vier"),
        ("> eins\n>\n> - zwei", "> eins\n>\n> * zwei"),
        ("| A | B |\n| --- | ---: |\n| 1 | 2 |", "|_. A |_>. B |\n| 1 |>. 2 |"),
        ("```ruby\nputs 1\n```", '<pre><code class="ruby">\nputs 1\n</code></pre>'),
        ("eins  \nzwei\n\n\n---", "eins  \nzwei\n\n\n---"),
        ("[[Seite]] und #12", "[[Seite]] und #12"),
        ("2026 - 5 * 3, 100 % (so) + „Amt-für“", "2026 - 5 * 3, 100 % (so) + „Amt-für“"),
    ],
)
def test_both_say_the_same(text: str, native: str) -> None:
    assert TEXTILE.write(text) == native
    assert TEXTILE.read(native) == text


@pytest.mark.parametrize(
    ("native", "text"),
    [
        ("p=. Mitte", "Mitte"),
        ("h1{color:red}. Rot", "# Rot"),
        ("bq. Zitat", "> Zitat"),
        ("Liste:\n* eins\n* zwei", "Liste:\n- eins\n- zwei"),
        ("* eins\nund mehr", "- eins\n  und mehr"),
        ("Bitte @make test@ rufen", "Bitte `make test` rufen"),
        ("1. kein Punkt", "1\\. kein Punkt"),
        ("# Punkt", "1. Punkt"),
        ("Das ist *kein* ~~weg~~ *hier", "Das ist **kein** \\~\\~weg\\~\\~ \\*hier"),
        ("+neu+ ^hoch^ %{color:red}rot% {{toc}}", "+neu+ ^hoch^ %{color:red}rot% {{toc}}"),
        ('"böse":javascript:alert(1)', '"böse":javascript:alert(1)'),
        ("<pre>\nif a\n\n* kein Punkt\n</pre>\nText", "```\nif a\n\n* kein Punkt\n```\nText"),
        ("*** tief\n* flach", "- tief\n- flach"),
        ("> eins\n> > zwei", "> eins\n>\n> > zwei"),
        ("<pre>\n<code>x</code> y\n</pre>", "```\n<code>x</code> y\n```"),
        ('<pre><code class="ruby">\nputs 1\n</code></pre>', "```ruby\nputs 1\n```"),
        ("<pre>offen\n\n*fett*", "\\<pre>offen\n\n**fett**"),
        ("table{width:9%}.\n|_. A |\n|\\2. b|c|", "| A |  |\n| --- | --- |\n| b | c |"),
    ],
)
def test_what_people_write_is_read(native: str, text: str) -> None:
    assert TEXTILE.read(native) == text
    assert TEXTILE.write(text, native) == native


@settings(max_examples=200, deadline=None)
@given(TEXT)
@example("{{include(Geheim)}} ![{{toc}}](https://a.de/b.png) [x](https://a.de/{{toc}})")
@example("ABC(def) +neu+ Text[1] ==so== x<y")
@example("    {{include(Geheim)}}\n\n{{include(Geheim)}}")
@example(NASTY)
def test_nothing_comes_to_life_that_only_textile_knows(text: str) -> None:
    native = TEXTILE.write(TEXTILE.read(TEXTILE.write(text)) + "\n\nx", TEXTILE.write(text))
    prose = re.sub(r"<(pre|code)\b.*?</\1>", "", native, flags=re.DOTALL)
    found = [match[0] for alien in ALIENS for match in alien.finditer(prose)]
    assert [one for one in found if not one.startswith("|")] == []  # a row within a table is none of these


def test_what_lived_there_before_lives_on() -> None:
    there = "{{toc}}\n\nHier ist %{color:red}rot% und viel Text."
    text = TEXTILE.read(there).replace("viel", "sehr viel") + "\n\n{{include(Geheim)}} +neu+"
    native = TEXTILE.write(text, there)
    assert native.startswith("{{toc}}\n\nHier ist %{color:red}rot% und sehr viel Text.\n\n")
    assert native.endswith(f"{{{FUSE}{{include(Geheim)}}}} {FUSE}+neu+")


def test_only_the_block_that_changed_is_written_anew() -> None:
    there = "h2{color:red}. Stand\n\n\np>. Rechts\n\n|a|b|\n\n* eins\n\n<pre>\nx</pre>\n\n+Ende+"
    text = TEXTILE.read(there).replace("Rechts", "Links")
    assert TEXTILE.write(text, there) == there.replace("p>. Rechts", "Links")


def test_what_cannot_be_said_stands_there_word_for_word() -> None:
    native = TEXTILE.write("3. drei\n4. vier\n\nDas ist **wichtig**.")
    assert native == f"{MARKER}{FUSE}3. drei\n{MARKER}{FUSE}4. vier\n\nDas ist *wichtig*."
    assert TEXTILE.read(native + "\n") == "3. drei\n4. vier\n\nDas ist **wichtig**.\n"
    assert TEXTILE.read(native.replace("drei\n", "drei\nund *mehr*\n")).startswith("3. drei\nund **mehr**\n4. vier")


def test_a_spelling_travels_along_and_a_note_that_people_lose_does_no_harm() -> None:
    text = "Titel\n=====\n\n* eins\n* zwei"
    native = TEXTILE.write(text)
    assert TEXTILE.read(native) == text
    lost = "\n".join(line.rstrip("\u2061\u2062\u2063\u2064 ") for line in native.split("\n"))
    assert lost == "h1. Titel\n\n* eins\n* zwei"
    assert TEXTILE.read(lost) == "# Titel\n\n- eins\n- zwei"
    assert TEXTILE.read(native.replace("zwei", "drei")) == text.replace("zwei", "drei")


@pytest.mark.parametrize("sign", ["*a ", "{{a(b ", "<pre>", "==a ", '"a":', "> ", "[[", "|a"])
def test_a_heap_of_signs_is_read_and_written(sign: str) -> None:
    text = sign * 3000
    assert TEXTILE.read(TEXTILE.write(text)) == text
    assert TEXTILE.write(TEXTILE.read(text), text) == text


def test_lists_of_any_depth_are_no_reason_to_stop() -> None:
    deep = "".join("*" * number + " a\n" for number in range(1, 900))
    assert TEXTILE.write(TEXTILE.read(deep), deep) == deep
