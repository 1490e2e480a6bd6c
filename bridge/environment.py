"""The raw settings: the environment, `.env` in the working directory, and secrets kept in files.

The environment wins over `.env`; an empty value counts as not set. Nothing is expanded in `.env` (a password may
hold ``${``). Every problem is collected, never raised, so that all of them can be reported at once; a problem
names a setting or a line and never shows a secret.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

TRUE = frozenset({"true", "1", "yes", "on", "ja"})
FALSE = frozenset({"false", "0", "no", "off", "nein"})
SHOWN = 80
"""Characters of a wrong value that are repeated to the person who set it."""


@dataclass(frozen=True)
class Finding:
    """A sentence to be said: its key in `bridge.texts`, and the values to put in."""

    key: str
    values: Mapping[str, object]


@dataclass
class Environment:
    """Settings by name, and what was found wrong while reading them.

    ``in_file`` are the names that `.env` sets, for hints about names nobody knows.
    """

    folder: Path
    values: Mapping[str, str]
    in_file: Collection[str] = ()
    problems: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def wrong(self, key: str, **values: object) -> None:
        """Note a problem: with it, the program does not start."""
        self.problems.append(Finding(f"settings.{key}", values))

    def doubtful(self, key: str, **values: object) -> None:
        """Note a warning."""
        self.warnings.append(Finding(f"settings.{key}", values))

    def text(self, name: str, default: str = "") -> str:
        """A setting as it is."""
        return self.values.get(name, default)

    def number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """A whole number within bounds."""
        text = self.values.get(name)
        if text is None:
            return default
        if re.fullmatch(r"[0-9]{1,9}", text) and lowest <= int(text) <= highest:
            return int(text)
        self.wrong("number", name=name, value=shown(text), lowest=lowest, highest=highest)
        return default

    def limit(self, name: str, default: tuple[int, float]) -> tuple[int, float]:
        """A number and a share, such as ``3 10%``; the number alone means no share."""
        text = self.values.get(name)
        if text is None:
            return default
        match = re.fullmatch(r"(\d{1,6})(?:[ ,]+(\d{1,3}) ?%)?", text)
        if match:
            return int(match[1]), int(match[2] or 0) / 100
        self.wrong("limit", name=name, value=shown(text))
        return default

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        """One of several words, in any case."""
        text = self.values.get(name, default)
        if text.lower() in choices:
            return text.lower()
        self.wrong("choice", name=name, value=shown(text), choices=", ".join(choices))
        return default

    def flag(self, name: str) -> bool:
        """Yes or no; no if not set."""
        text = self.values.get(name, "false")
        if text.lower() not in TRUE | FALSE:
            self.wrong("choice", name=name, value=shown(text), choices="true, false")
        return text.lower() in TRUE

    def secret(self, name: str) -> str:
        """A secret: the setting itself, or the one line of the file that ``<name>_FILE`` names."""
        direct, file = self.values.get(name, ""), self.values.get(f"{name}_FILE", "")
        if not file:
            return direct
        if direct:
            self.wrong("secret_twice", name=name)
            return direct
        try:
            content = (self.folder / file).read_text(encoding="utf-8-sig").rstrip("\r\n")
        except OSError as error:
            self.wrong("secret_file", name=name, path=shown(file), why=error.strerror or type(error).__name__)
            return ""
        except ValueError:  # not UTF-8, or a path with a null in it: the error would repeat what it read
            self.wrong("secret_bytes", name=name, path=shown(file))
            return ""
        if not content.strip() or "\n" in content or "\r" in content:
            self.wrong("secret_lines", name=name, path=shown(file))
            return ""
        return content


def read(environ: Mapping[str, str], folder: Path, text: str | None = None) -> Environment:
    """The settings of a folder: what `environ` says, else what its `.env` (or ``text`` in its place) says."""
    found = Environment(folder, {})
    in_file = _read_file(folder / ".env", found) if text is None else _read_text(text, folder / ".env", found)
    found.in_file = tuple(in_file)
    merged = in_file | {name: value for name, value in environ.items() if value.strip()}
    found.values = {name: value.strip() if _trims(name) else value for name, value in merged.items()}
    return found


def _trims(name: str) -> bool:
    """Whether blanks around a value are an oversight; in a secret they may be meant."""
    return not name.endswith(("_PASSWORD", "_TOKEN"))


def _read_file(path: Path, found: Environment) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except OSError as error:
        found.wrong("env_unreadable", path=path, why=error.strerror or type(error).__name__)
        return {}
    except UnicodeDecodeError:
        found.wrong("env_bytes", path=path)
        return {}
    return _read_text(text, path, found)


def _read_text(text: str, path: Path, found: Environment) -> dict[str, str]:
    values: dict[str, str] = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            found.wrong("env_line", path=path, line=_line_of(binding.original.string, binding.original.line))
        elif binding.key and binding.value and binding.value.strip():
            if binding.key in values:
                found.doubtful("env_twice", name=binding.key, path=path)
            values[binding.key] = binding.value
    return values


def _line_of(statement: str, line: int) -> int:
    """The line that a statement stands in: the parser counts the blank lines before it as part of it."""
    return line + statement[: len(statement) - len(statement.lstrip())].count("\n")


def shown(value: object) -> str:
    """A wrong value as it is repeated to a person: on one line, and not too long."""
    text = " ".join(str(value).split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def near(name: str, names: Collection[str]) -> str:
    """The name that was probably meant, or ""."""
    by_lower = {known.lower(): known for known in names}
    close = get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.75)
    return by_lower[close[0]] if close else ""
