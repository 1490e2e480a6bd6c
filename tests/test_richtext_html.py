"""HTML: what is seen of it, what of other people's HTML is read, and what never gets through."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from hypothesis import example, given, settings

from connectors.richtext import HTML
from connectors.richtext.commonmark import parts
from tests.rendered import Seen, seen, seen_as_characters, seen_of_markdown
from tests.rich_texts import DOCUMENT, NASTY, TEXT

ALLOWED = {
    *("a", "b", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol"),
    *("p", "pre", "s", "strong", "table", "td", "th", "tr", "ul"),
}


@settings(max_examples=150, deadline=None)
@given(DOCUMENT)
@example(NASTY)
def test_what_is_written_is_seen_as_it_was_meant(text: str) -> None:
    meant: Seen = []
    for part in parts(text)[1]:
        meant += seen_of_markdown(part.source) if HTML.says(part.source) else seen_as_characters(part.source)
    assert seen(HTML.write(text)) == meant


@settings(max_examples=150, deadline=None)
@given(TEXT)
@example("[x](javascript:alert(1)) ![x](javascript:alert(1)) <javascript:alert(1)>")
@example('<img src=x onerror="alert(1)"> <script>alert(1)</script>')
@example('[a](https://a.de "x\\" onclick=\\"alert")')
def test_no_tag_and_no_address_gets_through_that_does_something(text: str) -> None:
    for tag in BeautifulSoup(HTML.write(text), "html.parser").find_all(True):
        assert tag.name in ALLOWED
        assert set(tag.attrs) <= {"href", "title", "src", "alt", "class", "style", "data-markdown", "data-mark"}
        assert not str(tag.get("href", tag.get("src", ""))).lower().startswith(("javascript:", "vbscript:", "file:"))


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Sehr <strong>wichtig</strong>, <em>heute</em></p>", "Sehr **wichtig**, *heute*"),
        ("<p>eins<p>zwei", "eins\n\nzwei"),
        ("<div>eins<br>zwei</div>", "eins  \nzwei"),
        ("eins <u>zwei</u> <span style='color:red'>drei</span>", "eins zwei drei"),
        ("<p>5 * 3 * 2 &amp; [x](y)</p>", "5 \\* 3 \\* 2 & \\[x\\](y)"),
        ("<h2>Titel</h2><p>Text</p>", "## Titel\n\nText"),
        ("<ul><li>a<ol><li>b</li></ol></li><li><p>c</p></li></ul>", "- a\n  1. b\n- c"),
        ('<ul><li><input type="checkbox" checked> fertig</li></ul>', "- [x] fertig"),
        ("<table><tr><th>A<th align=right>B<tr><td>1<td>2|3</table>", "| A | B |\n| --- | ---: |\n| 1 | 2\\|3 |"),
        ('<pre><code class="hl language-sh">a\n  b</code></pre>', "```sh\na\n  b\n```"),
        ("<blockquote><p>eins</p><p>zwei</p></blockquote>", "> eins\n>\n> zwei"),
        ('<a href="https://aachen.de">Seite</a> <a href="JavaScript:x">nein</a>', "[Seite](https://aachen.de) nein"),
        ("<p>eins</p><script>alert(1)</script><style>p{}</style><!-- x --><p>zwei</p>", "eins\n\nzwei"),
        ('<img src="https://aachen.de/b.png" alt="Bild"><hr>', "![Bild](https://aachen.de/b.png)\n\n---"),
        ("", ""),
    ],
)
def test_what_people_write_is_read(html: str, text: str) -> None:
    assert HTML.read(html) == text


def test_the_other_paragraphs_keep_their_source() -> None:
    there = '<p style="color:red">eins</p>\n\n<p class="x">zwei</p><hr class="y">\n<div>drei</div>'
    changed = HTML.read(there).replace("zwei", "zwei und mehr")
    assert HTML.write(changed, there) == there.replace('<p class="x">zwei</p>', "<p>zwei und mehr</p>\n")
