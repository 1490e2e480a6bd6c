"""The laws of text formats (connectors/richtext/formats.py), over well made texts and over heaps of signs."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.richtext import FORMATS, HTML, TEXTILE
from connectors.richtext.translation import Translation
from tests.rich_texts import BLOCK, NASTY, TEXT

ALL = pytest.mark.parametrize("name", sorted(FORMATS))


@ALL
@settings(max_examples=150, deadline=None)
@given(text=TEXT)
@example(text=NASTY)
def test_what_is_written_is_read_back_as_it_was(name: str, text: str) -> None:
    assert FORMATS[name].read(FORMATS[name].write(text)) == text.replace("\r", "\n")


@ALL
@settings(max_examples=100, deadline=None)
@given(text=TEXT, there=TEXT)
@example(text=NASTY, there=NASTY)
def test_what_stood_there_before_changes_nothing_in_that(name: str, text: str, there: str) -> None:
    written = FORMATS[name].write(text.rstrip(), there)
    assert FORMATS[name].read(written).rstrip() == text.rstrip()


@ALL
@settings(max_examples=150, deadline=None)
@given(native=TEXT)
def test_what_nobody_changed_stays_as_people_wrote_it(name: str, native: str) -> None:
    assert FORMATS[name].write(FORMATS[name].read(native), native) == native


@ALL
@settings(max_examples=100, deadline=None)
@given(blocks=st.lists(BLOCK, min_size=2, max_size=5), data=st.data())
def test_an_edit_of_one_block_leaves_the_others_alone(name: str, blocks: list[str], data: st.DataObject) -> None:
    """Headings between the blocks, so that no edit makes two of them one."""
    texts = [part for number, block in enumerate(blocks) for part in (f"# Teil {number}", block)]
    there = FORMATS[name].write("\n\n".join(texts))
    texts[2 * data.draw(st.integers(0, len(blocks) - 1)) + 1] = "Geändert"
    now = FORMATS[name].write("\n\n".join(texts), there)
    for text in texts:
        own = FORMATS[name].write(text)
        assert own in now


@pytest.mark.parametrize("form", [TEXTILE, HTML])
def test_a_dialect_that_is_wrong_costs_looks_and_never_text(form: Translation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that run into each other in the native text: each is right, and the whole is not."""
    monkeypatch.setattr(type(form._dialect), "gap_said", lambda self, gap: "\n")
    text = "Erst **das**,\n\n\ndann *dies*\n\n- und\n- das"
    assert form.read(form.write(text)) == text
