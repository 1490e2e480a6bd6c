"""Texts for the tests of rich text: documents that are well made, and heaps of signs that are not."""

from __future__ import annotations

from hypothesis import strategies as st

_WORDS = """Sitzung Müßig Straße 2026 Amt-für-Öffentlichkeit snake_case_name 5*3 a@b.de @all #12 100% (so) „Zitat“ 🎉
    A&B x<y https://aachen.de/a_b-c?q=1 [x] [ ] 1. - + * _ ~ ^ ! ? : /close {{toc}} [[Seite]] ABC(def) Text[1] &amp;
    \\* -5 +49 ==nein== %so% h1. bq. | > = |x| " 'n' `"""
WORDS = st.sampled_from(_WORDS.split())
LINE = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)


def _around(line: str, sign: str) -> str:
    return f"{sign}{line}{sign}"


SPAN = st.one_of(
    LINE,
    st.builds(_around, WORDS, st.sampled_from(["**", "*", "_", "__", "~~", "`", "***"])),
    st.builds(
        "[{}]({})".format, WORDS, st.sampled_from(["https://aachen.de", "/pfad", "mailto:a@b.de", "javascript:x"])
    ),
    st.builds("![{}]({})".format, WORDS, st.sampled_from(["bild.png", "https://aachen.de/b.png"])),
    st.just("<https://aachen.de>"),
    st.sampled_from(["<b>roh</b>", "<!-- x -->", "a\\\nb", "a  \nb"]),
)
RICH_LINE = st.lists(SPAN, min_size=1, max_size=4).map(" ".join)
PARAGRAPH = st.lists(RICH_LINE, min_size=1, max_size=3).map("\n".join)


def _listed(lines: list[str], sign: str, deep: str) -> str:
    return "\n".join(f"{deep * (n % 3 == 1)}{sign.format(n + 1)} {line}" for n, line in enumerate(lines))


def _table(cells: list[list[str]], rule: str) -> str:
    rows = [f"| {' | '.join(cell.replace('|', '') for cell in row)} |" for row in cells]
    return "\n".join([rows[0], "|".join(["", *[rule] * len(cells[0]), ""]), *rows[1:]])


BLOCK = st.one_of(
    PARAGRAPH,
    st.builds("{} {}".format, st.sampled_from(["#", "##", "######"]), RICH_LINE),
    st.builds("{}\n{}".format, LINE, st.sampled_from(["---", "===", "- a", "# b"])),
    st.builds(
        _listed,
        st.lists(RICH_LINE, min_size=1, max_size=5),
        st.sampled_from(["-", "*", "+", "{}.", "{})", "1.", "- [ ]", "* [x]"]),
        st.sampled_from(["  ", "    ", "   ", "\t"]),
    ),
    st.builds("```{}\n{}\n```".format, st.sampled_from(["", "ruby", "a b"]), PARAGRAPH),
    st.builds("~~~\n{}\n~~~".format, LINE),
    st.builds("    {}".format, LINE),
    PARAGRAPH.map(lambda text: "\n".join(f"> {line}" for line in text.split("\n"))),
    st.builds(
        lambda width, lines, rule: _table([(row * width)[:width] for row in lines], rule),
        st.integers(1, 3),
        st.lists(st.lists(LINE, min_size=1, max_size=3), min_size=1, max_size=3),
        st.sampled_from([" --- ", "---", " :---: ", "---:"]),
    ),
    st.sampled_from(["---", "***", "* * *", "[x]: https://aachen.de", "<div>\n\nroh\n</div>", "  eingerückt"]),
)
DOCUMENT = st.lists(st.tuples(BLOCK, st.sampled_from(["\n", "\n\n", "\n\n\n", "\n \n"])), max_size=6).map(
    lambda blocks: "".join(block + gap for block, gap in blocks).rstrip()
)

SIGNS = st.text(
    st.sampled_from("*_-+^~%?@\"!=<>{}[]()&|#:./\\`'ab1ä \n\t\u2060\u2061\u2063\u2064\ue000\u00a0🎉"), max_size=40
)
TEXT = st.one_of(DOCUMENT, SIGNS)

NASTY = (
    "# Öffnung der Ämter\n\n"
    "- [ ] Räume prüfen\n- [x] Möbel für **alle** bestellen\n  - Stühle\n\n"
    "| Ämter | Größe |\n| --- | ---: |\n| Straßenbau | 12 m² |\n| Grün\\|Fläche | 🎉 |\n\n"
    "```sh\n/close\n@all\n{{include(Geheim)}}\n```\n\n"
    "@all bitte *lesen*, auch /close und {{include(Geheim)}}. 👩‍👩‍👧 🎉\n/close\n\n"
) + "\n\n".join(f"Absatz {number}: " + "Über große Füße, weiß Jürgen. " * 6 for number in range(110)).rstrip()
