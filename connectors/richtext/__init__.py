"""Rich text between formats: CommonMark is what everything is translated from and to (ADR 0020)."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.richtext.formats import TextFormat, Verbatim
from connectors.richtext.html import HTML
from connectors.richtext.textile import TEXTILE

MARKDOWN: TextFormat = Verbatim("markdown", formatted=True)
PLAIN: TextFormat = Verbatim("plain", formatted=False)

FORMATS: Mapping[str, TextFormat] = {one.name: one for one in (MARKDOWN, PLAIN, TEXTILE, HTML)}
"""The formats by their names."""

__all__ = ["FORMATS", "HTML", "MARKDOWN", "PLAIN", "TEXTILE", "TextFormat"]
