"""What the demo says, in the language that is set; and a screen that is never wider than people like to read."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console

from bridge.screen import Screen
from bridge.texts import Texts, texts

WIDEST = 100


def sentences(language: str) -> Texts:
    """The demo's own sentences."""
    source = Path(__file__).with_name(f"{language}.toml")
    return Texts(language, dict(_flat(tomllib.loads(source.read_text(encoding="utf-8")))))


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)


def console(language: str) -> Console:
    """Where the demo shows its pictures: as wide as the terminal, but no wider than is read well."""
    out = Screen(texts(language)).out
    out.width = min(out.width, WIDEST)
    return out
