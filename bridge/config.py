"""Settings: read from the environment and `.env`, checked as a whole, frozen.

`load` either returns `Settings` with which a pass can start, or raises `SettingsError` with *every* problem, each
one sentence that names the setting, its value (never a secret's) and the remedy. Nothing here sends a request.
Every setting is described in docs/settings.md and stands in .env.example; a test holds all three together.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bridge.cron import cron_trigger
from bridge.environment import Environment, Finding, near, read, shown
from bridge.limits import USUAL, Release, Thresholds
from bridge.registry import TypeBroken, load_type, type_names
from bridge.scope import EVERYTHING, Scope
from bridge.scope_reader import ScopeError, parse
from bridge.texts import DEFAULT_LANGUAGE, LANGUAGES, Texts, texts
from bridge.urls import check_url, same
from connectors.base import Access, ConnectorType
from mappings import schema
from mappings.canonical import normal

BRIDGE_SETTINGS = (
    "BRIDGE_CONNECTORS",
    "BRIDGE_DATABASE_URL",
    "BRIDGE_DATABASE_URL_FILE",
    "BRIDGE_TIMEZONE",
    "BRIDGE_LANGUAGE",
    "BRIDGE_INTERVAL",
    "BRIDGE_SCHEDULE",
)
CONNECTOR_SETTINGS = (
    "TYPE",
    "URL",
    "USER",
    "PASSWORD",
    "PASSWORD_FILE",
    "TOKEN",
    "TOKEN_FILE",
    "COLLECTION",
    "MAPPING",
    "MODE",
    "ALLOW_HTTP",
    "WRITES",
    "TIMEOUT",
    "GUARD_DESTROYED",
    "GUARD_MADE",
    "SCOPE",
    "RELEASE",
    "CONFIDENTIAL",
)
SECRETS = ("password", "token")
"""The needs of a type that may also come from a file."""

RELEASES = ("archive", "delete", "leave")
CONNECT_TIMEOUT = 10.0
DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "sqlite": "sqlite"}
DRIVERS |= {"postgresql+psycopg": "postgresql+psycopg", "sqlite+pysqlite": "sqlite"}


@dataclass(frozen=True)
class ConnectorSettings:
    """One connector: how to reach it, what kind of platform it is, and the mapping that gives it meaning.

    ``scope`` says which items belong there, ``release`` what becomes of a record whose item does not any more.
    """

    access: Access
    type: ConnectorType
    mapping: schema.Mapping_
    mapping_path: Path
    read_only: bool = False
    thresholds: Thresholds = USUAL
    scope: Scope = EVERYTHING
    release: Release = "archive"

    @property
    def name(self) -> str:
        """The connector's name, as BRIDGE_CONNECTORS spells it."""
        return self.access.name


@dataclass(frozen=True)
class Settings:
    """Everything that is set. ``schedule`` is a cron line or ""; it goes before ``interval`` (seconds).

    The order of ``connectors`` decides ties (R3). ``database_url`` may hold a password.
    """

    connectors: tuple[ConnectorSettings, ...]
    database_url: str = field(repr=False)
    zone: ZoneInfo
    language: str
    interval: int
    schedule: str
    warnings: tuple[str, ...] = ()


class SettingsError(Exception):
    """The settings do not do. ``problems`` and ``warnings`` are sentences in ``language``."""

    def __init__(self, problems: tuple[str, ...], warnings: tuple[str, ...], language: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.warnings = warnings
        self.language = language


def load(environ: Mapping[str, str] | None = None, folder: Path | None = None, text: str | None = None) -> Settings:
    """The settings of this process, or of what is given. Raises SettingsError with every problem at once.

    ``text`` is a content of `.env` to be taken instead of the file's.
    """
    env = read(os.environ if environ is None else environ, (folder or Path.cwd()).resolve(), text)
    language = env.choice("BRIDGE_LANGUAGE", DEFAULT_LANGUAGE, LANGUAGES)
    if not env.text("BRIDGE_CONNECTORS"):
        _nothing_set(env)
    names = _names(env)
    connectors = tuple(_connector(env, name) for name in names)
    _refuse_doubles(env, names)
    _hint_at_strangers(env, names)
    zone = _zone(env)
    interval = env.number("BRIDGE_INTERVAL", 300, 1, 31_536_000)
    schedule = _schedule(env, zone)
    database_url = _database_url(env)
    problems, warnings = _sentences(env.problems, language), _sentences(env.warnings, language)
    if problems:
        raise SettingsError(problems, warnings, language)
    usable = tuple(connector for connector in connectors if connector)
    return Settings(usable, database_url, zone, language, interval, schedule, warnings)


def language_of(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    """The language that is set, for what is said before (or without) the settings; the default if none is."""
    value = read(os.environ if environ is None else environ, folder or Path.cwd()).text("BRIDGE_LANGUAGE").lower()
    return value if value in LANGUAGES else DEFAULT_LANGUAGE


def example_path(folder: Path) -> Path:
    """The example to copy: the one in the folder, else the one that is installed with the program."""
    here = folder / ".env.example"
    return here if here.is_file() else Path(str(files("bridge").joinpath("env.example")))


def address_problems(access: Access, kind: ConnectorType, language: str) -> tuple[str, ...]:
    """What is wrong with the URL of one connector alone."""
    env = Environment(Path.cwd(), {})
    check_url(env, f"{access.name.upper()}_URL", access, kind)
    return _sentences(env.problems, language)


def _sentences(findings: list[Finding], language: str) -> tuple[str, ...]:
    say = texts(language)
    return tuple(dict.fromkeys(say(finding.key, **_reworded(say, finding.values)) for finding in findings))


def _reworded(say: Texts, values: Mapping[str, object]) -> dict[str, object]:
    """Values of which some are English sentences themselves: those of a mapping file, of a schedule, of the system."""
    return {name: say.reword(str(v)) if name in ("why", "problem") else v for name, v in values.items()}


# ---- the connectors -------------------------------------------------------------------------------------------


def _nothing_set(env: Environment) -> None:
    example = example_path(env.folder)
    source = example.name if example.parent == env.folder else example
    if (env.folder / ".env").exists():
        env.wrong("no_connectors", path=env.folder / ".env", example=source)
    else:
        env.wrong("nothing_set", folder=env.folder, example=source)


def _names(env: Environment) -> tuple[str, ...]:
    """The names that can be used; what is wrong with the others is noted."""
    listed = [name for part in env.text("BRIDGE_CONNECTORS").split(",") if (name := part.strip())]
    prefixes = Counter(name.upper() for name in listed)
    usable: dict[str, str] = {}
    for name in listed:
        if not re.fullmatch(r"[A-Za-z0-9_]+", name):
            env.wrong("name", name=shown(name))
        elif f"{name.upper()}_".startswith("BRIDGE_"):
            env.wrong("name_taken", name=name)
        elif prefixes[name.upper()] > 1:
            same = ", ".join(other for other in listed if other.upper() == name.upper())
            env.wrong("name_twice", names=same, prefix=name.upper())
            usable.setdefault(name.upper(), name)
        else:
            usable[name.upper()] = name
    if len(listed) == 1 and usable:
        env.doubtful("alone", name=listed[0])
    return tuple(usable.values())


def _connector(env: Environment, name: str) -> ConnectorSettings | None:
    """One connector; None when its type or its mapping cannot be used. Everything else is checked all the same."""
    prefix = name.upper()
    kind = _type(env, f"{prefix}_TYPE")
    access = Access(
        name=name,
        url=env.text(f"{prefix}_URL"),
        user=env.text(f"{prefix}_USER"),
        password=env.secret(f"{prefix}_PASSWORD"),
        token=env.secret(f"{prefix}_TOKEN"),
        collection=env.text(f"{prefix}_COLLECTION"),
        allow_http=env.flag(f"{prefix}_ALLOW_HTTP"),
        writes=env.number(f"{prefix}_WRITES", 0, 1, 64) or None,
        timeouts=(CONNECT_TIMEOUT, float(env.number(f"{prefix}_TIMEOUT", 60, 1, 120))),
        confidential=env.flag(f"{prefix}_CONFIDENTIAL"),
    )
    read_only = env.choice(f"{prefix}_MODE", "two-way", ("two-way", "read-only")) == "read-only"
    if access.url:
        check_url(env, f"{prefix}_URL", access, kind)
    path, mapping = _mapping(env, f"{prefix}_MAPPING", kind)
    if kind:
        _check_needs(env, prefix, access, kind)
    thresholds = Thresholds(
        env.limit(f"{prefix}_GUARD_DESTROYED", USUAL.destroyed), env.limit(f"{prefix}_GUARD_MADE", USUAL.made)
    )
    scope = _scope(env, f"{prefix}_SCOPE")
    release: Any = env.choice(f"{prefix}_RELEASE", "archive", RELEASES)
    if kind is None or mapping is None:
        return None
    return ConnectorSettings(access, kind, mapping, path, read_only, thresholds, scope, release)


def _scope(env: Environment, setting: str) -> Scope:
    """Which items belong to the connector."""
    try:
        return parse(env.text(setting))
    except ScopeError as error:
        env.wrong("scope", name=setting, value=shown(env.text(setting)), problem=error)
        return EVERYTHING


def _type(env: Environment, setting: str) -> ConnectorType | None:
    name = env.text(setting)
    if not name:
        env.wrong("type_missing", name=setting, types=", ".join(type_names()))
        return None
    try:
        return load_type(name)
    except KeyError:
        close = near(name, type_names())
        if close:
            env.wrong("type_near", name=setting, value=shown(name), near=close)
        else:
            env.wrong("type", name=setting, value=shown(name), types=", ".join(type_names()))
    except TypeBroken as error:
        env.wrong("type_broken", name=setting, value=shown(name), why=shown(error))
    return None


def _check_needs(env: Environment, prefix: str, access: Access, kind: ConnectorType) -> None:
    for need in kind.needs:
        setting = f"{prefix}_{need.upper()}"
        in_file = need in SECRETS and env.text(f"{setting}_FILE")  # what is wrong with the file has been said
        if not getattr(access, need) and not in_file:
            env.wrong("secret_missing" if need in SECRETS else "missing", name=setting, type=kind.name)


def _mapping(env: Environment, setting: str, kind: ConnectorType | None) -> tuple[Path, schema.Mapping_ | None]:
    """The mapping file: the one that is set, else the one that ships with the type."""
    chosen = env.text(setting)
    if not chosen and kind is None:
        return env.folder, None
    path = env.folder / chosen if chosen or kind is None else schema.shipped(kind.mapping)
    try:
        return path, schema.load(path)
    except schema.MappingError as error:
        for problem in error.problems:
            env.wrong("mapping", name=setting, problem=problem)
    return path, None


def _refuse_doubles(env: Environment, names: tuple[str, ...]) -> None:
    """One collection belongs to one connector (R30): here as far as the settings alone can tell."""
    seen: dict[tuple[str, ...], str] = {}
    for name in names:
        kind, url, user, collection = (env.text(f"{name.upper()}_{x}") for x in ("TYPE", "URL", "USER", "COLLECTION"))
        bound = (kind, same(url), user, normal(collection))
        if url and bound in seen:
            env.wrong("same_collection", first=seen[bound], second=name)
        seen.setdefault(bound, name)


def _hint_at_strangers(env: Environment, names: tuple[str, ...]) -> None:
    """Warn of settings that nothing reads.

    The environment is full of other programs' names: there only a near match is worth a word; in `.env` all are.
    """
    known: dict[str, tuple[str, ...]] = {f"{name.upper()}_": CONNECTOR_SETTINGS for name in names}
    known["BRIDGE_"] = tuple(name.removeprefix("BRIDGE_") for name in BRIDGE_SETTINGS)
    for name in sorted(env.values):
        prefix = max((prefix for prefix in known if name.upper().startswith(prefix)), key=len, default="")
        if not prefix or name in {f"{prefix}{setting}" for setting in known[prefix]}:
            continue
        meant = near(name[len(prefix) :], known[prefix])
        if meant:
            env.doubtful("stranger_near", name=name, near=f"{prefix}{meant}")
        elif name in env.in_file:
            env.doubtful("stranger", name=name)


# ---- the bridge itself ------------------------------------------------------------------------------------------


def _zone(env: Environment) -> ZoneInfo:
    name = env.text("BRIDGE_TIMEZONE", "Europe/Berlin")
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError; "Europe" alone is a folder
        close = near(name, available_timezones()) or "Europe/Berlin"
        env.wrong("zone", value=shown(name), near=close)
        return ZoneInfo("UTC")


def _schedule(env: Environment, zone: ZoneInfo) -> str:
    line = env.text("BRIDGE_SCHEDULE")
    if not line:
        return ""
    try:
        cron_trigger(line, zone)
    except ValueError as error:
        env.wrong("schedule", value=shown(line), why=shown(error))
    if env.text("BRIDGE_INTERVAL"):
        env.doubtful("schedule_wins")
    return line


def _database_url(env: Environment) -> str:
    """The ledger's URL with the driver that is installed; a relative SQLite path counts from the folder."""
    text = env.secret("BRIDGE_DATABASE_URL") or "sqlite:///bridge.db"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        env.wrong("database_syntax")
        return text
    driver = DRIVERS.get(url.drivername.lower())
    if driver is None:
        env.wrong("database_dialect", value=shown(url.drivername))
        return text
    if driver == "sqlite":
        return _sqlite_url(env, url)
    if find_spec("psycopg") is None:
        env.wrong("database_driver")
    if not url.database:
        env.wrong("database_name", value=f"{shown(url.drivername)}://{shown(url.host or '')}")
    return url.set(drivername=driver).render_as_string(hide_password=False)


def _sqlite_url(env: Environment, url: URL) -> str:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        env.wrong("database_file", value=shown(url.database or "sqlite://"))
        return "sqlite://"
    path = env.folder / url.database
    if not path.parent.is_dir():
        env.wrong("database_folder", value=shown(url.database), parent=path.parent)
    elif path.is_dir() or not os.access(path.parent, os.W_OK):
        env.wrong("database_access", value=shown(url.database), parent=path.parent)
    return url.set(drivername="sqlite", database=str(path)).render_as_string(hide_password=False)
