"""One platform, from nothing to settings that hold: type, name, address, sign-in, collection.

Whatever a platform answers is believed before a person is: the password is right when it signs in, the collection is
there when it was found. What fails is said in the connector's own sentence and asked for again, as far as somebody is
there to answer; else it ends the command (1, or 2 where nothing was sent).
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.table import Table
from rich.text import Text

from bridge import config, words
from bridge.environment import Environment
from bridge.registry import TypeBroken, load_type, type_names
from bridge.screen import Screen
from bridge.setup.ask import Asks, Stop
from bridge.setup.draft import SECRETS, Draft, complete, suggested, usable
from bridge.texts import Texts
from connectors.base import ConnectorType, Identity, ListsCollections, Offer
from connectors.errors import Forbidden, NotACollection, PlatformError, Unauthorized
from mappings.canonical import normal

HIDDEN = frozenset({"memory"})
"""Types that can be set and are not offered: what is in memory is forgotten when the process ends."""


@dataclass
class Given:
    """What was said as options. Each counts once: what did not hold is asked for."""

    options: dict[str, str] = field(default_factory=dict)
    allow_http: bool = False
    read_only: bool = False
    replace: bool = False

    @classmethod
    def by(cls, args: Namespace) -> Given:
        """The options of the command line."""
        names = ("type", "name", "url", "user", "password_file", "token_file", "collection")
        said = {name: str(value) for name in names if (value := getattr(args, name)) is not None}
        return cls(said, args.allow_http, args.read_only, args.replace)

    def take(self, name: str) -> str:
        """An option, once."""
        return self.options.pop(name, "")


@dataclass(frozen=True)
class Connected:
    """A draft that holds, and what it is bound to. ``offers`` is what there was to choose from."""

    draft: Draft
    identity: Identity
    offers: tuple[Offer, ...] = ()


class Connecting:
    """The conversation about one platform. ``problems`` says what would be wrong with the settings of a draft."""

    def __init__(
        self,
        screen: Screen,
        ask: Asks,
        given: Given,
        names: Collection[str],
        environ: Mapping[str, str],
        problems: Callable[[Draft], Sequence[str]],
    ) -> None:
        self._screen, self._ask, self._given = screen, ask, given
        self._t: Texts = screen.t
        self._names, self._environ, self._problems = names, environ, problems
        self._last_url = self._last_user = ""

    def connect(self) -> Connected:
        """Ask until it holds."""
        kind = self._type()
        draft = Draft(self._name(kind), kind, allow_http=self._given.allow_http, read_only=self._given.read_only)
        self._refuse_gaps(draft)
        while True:
            self._address(draft)
            self._sign_in(draft)
            try:
                offers = self._offers(draft)
            except PlatformError as error:
                self._failed(error)
                if isinstance(error, Unauthorized) and not isinstance(error, Forbidden):
                    draft.user, draft.secrets = "", {}
                else:
                    draft.url = ""
                draft.kept = {}
                continue
            found = self._bound(draft, offers)
            if found is not None:
                return found
            draft.url = ""

    # ---- type and name ---------------------------------------------------------------------------------------

    def _type(self) -> ConnectorType:
        names = [name for name in type_names() if name not in HIDDEN]
        said = self._given.take("type")
        while True:
            if not said:
                rows = [(self._t(f"init.type.{name}") if f"init.type.{name}" in self._t else "") for name in names]
                self._ask.tell(_list([(name, text) for name, text in zip(names, rows, strict=True)]))
                said = self._ask.line(self._t("init.which_type"), "--type")
            known = {one.casefold(): one for one in type_names()}
            name = names[int(said) - 1] if _is_number(said, len(names)) else known.get(said.casefold(), said)
            try:
                return load_type(name)
            except KeyError:
                self._wrong(self._t("init.no_type", value=words.harmless(said), names=", ".join(type_names())))
            except TypeBroken as error:
                self._wrong(self._t("settings.type_broken", name="--type", value=name, why=str(error)))
            said = ""

    def _name(self, kind: ConnectorType) -> str:
        said = self._given.take("name")
        while True:
            said = said or self._ask.line(self._t("init.which_name"), "--name", suggested(kind.name, self._names))
            taken = [name for name in self._names if name.upper() == said.upper()]
            if not usable(said):
                self._wrong(self._t("init.bad_name", value=words.harmless(said)))
            elif not taken:
                return said
            elif self._given.replace or (
                self._ask.answers and self._ask.yes(self._t("init.replace", name=said), False)
            ):
                return taken[0]
            elif not self._ask.answers:
                raise Stop(2, self._t("init.taken", name=said))
            said = ""

    def _refuse_gaps(self, draft: Draft) -> None:
        """Where nobody answers, name everything that is missing at once."""
        if self._ask.answers:
            return
        has: set[str] = {name for name in ("url", "user") if name in self._given.options}
        has |= {
            secret
            for secret in SECRETS
            if f"{secret}_file" in self._given.options or self._from_environment(draft, secret)
        }
        options = {"url": "--url", "user": "--user", "password": "--password-file", "token": "--token-file"}
        missing = [option for name, option in options.items() if name in draft.type.needs and name not in has]
        if missing:
            raise Stop(2, self._t("init.missing", options=", ".join(missing)))

    # ---- address and sign-in ---------------------------------------------------------------------------------

    def _address(self, draft: Draft) -> None:
        """The address, once it can be used; nothing is sent for that. One that failed can be tried again by Enter."""
        needed = "url" in draft.type.needs
        while draft.wants("url") and not draft.url:
            said = self._given.take("url")
            if not said and self._asks("url", needed):
                question = self._t("init.which_url" if needed else "init.which_url_if")
                said = self._ask.line(question, "--url", self._last_url if needed else "")
            if not said and not needed:
                return
            draft.url = self._last_url = complete(said)
            problems = self._of_address(draft)
            if problems and self._would_do(draft, problems) and self._ask.yes(self._t("init.plain_http"), False):
                draft.allow_http, problems = True, ()
            if problems:
                draft.url = ""
                self._wrong(*problems)

    def _asks(self, name: str, needed: bool) -> bool:
        """Whether a field is asked for: one that may stay empty only where somebody can leave it so."""
        return needed or self._ask.answers

    def _of_address(self, draft: Draft) -> Sequence[str]:
        return config.address_problems(draft.access(), draft.type, self._t.language) if draft.url else ()

    def _would_do(self, draft: Draft, problems: Sequence[str]) -> bool:
        """Whether the address is wrong only for being plain http, and somebody is there to decide."""
        return self._ask.answers and bool(problems) and not self._of_address(_in_the_clear(draft))

    def _sign_in(self, draft: Draft) -> None:
        if "url" in draft.type.asks and not draft.url:
            return  # a file on this machine
        if draft.wants("user") and not draft.user:
            needed = "user" in draft.type.needs
            draft.user = self._given.take("user")
            while not draft.user and self._asks("user", needed):
                question = self._t("init.which_user" if needed else "init.which_user_if")
                draft.user = self._ask.line(question, "--user", self._last_user)
                if not needed:
                    break
            self._last_user = draft.user
        for secret in SECRETS:
            if not draft.wants(secret) or secret in draft.secrets or (secret == "password" and not draft.user):
                continue
            draft.secrets[secret] = self._secret(draft, secret)

    def _secret(self, draft: Draft, secret: str) -> str:
        path = self._given.take(f"{secret}_file")
        if path == "-":
            return sys.stdin.readline().rstrip("\r\n")
        if path:
            draft.kept[secret] = path
            return self._read({f"{draft.prefix}{secret.upper()}_FILE": path}, f"{draft.prefix}{secret.upper()}")
        if self._from_environment(draft, secret):
            draft.kept[secret] = ""
            return self._read(self._environ, f"{draft.prefix}{secret.upper()}")
        said = ""
        while not said:
            said = self._ask.secret(self._t(f"init.which_{secret}"), f"--{secret}-file")
            if secret not in draft.type.needs:
                break
        return said

    def _from_environment(self, draft: Draft, secret: str) -> bool:
        name = f"{draft.prefix}{secret.upper()}"
        return any(self._environ.get(one, "").strip() for one in (name, f"{name}_FILE"))

    def _read(self, values: Mapping[str, str], name: str) -> str:
        """A secret as every command reads it."""
        env = Environment(Path.cwd(), values)
        found = env.secret(name)
        if env.problems:
            raise Stop(2, *(self._t(one.key, **one.values) for one in env.problems))
        return found

    # ---- the collection --------------------------------------------------------------------------------------

    def _offers(self, draft: Draft) -> tuple[Offer, ...] | None:
        """What there is to choose from; None where the type cannot say."""
        connector = draft.type.connect(draft.access())
        if isinstance(connector, ListsCollections):
            with self._screen.waiting(self._t("init.looking")):
                return tuple(sorted(connector.collections(), key=lambda one: (normal(one.title), one.name)))
        return None

    def _bound(self, draft: Draft, offers: tuple[Offer, ...] | None) -> Connected | None:
        """Choose, and find what was chosen. None where nothing was chosen: then the address may be wrong."""
        while True:
            chosen = self._chosen(offers)
            if chosen is None:
                return None
            draft.collection = chosen
            try:
                if not draft.url and offers and (inner := self._offers(draft)) and len(inner) > 1 and inner != offers:
                    offers = inner  # a file with several tables
                    continue
                identity = draft.type.connect(draft.access()).identify()
            except PlatformError as error:
                found = error.found if isinstance(error, NotACollection) else ()
                self._failed(error, found)
                if offers is None and found:
                    offers = tuple(Offer(title, title) for title in found)
                continue
            if not identity.writable and not draft.read_only:
                self._ask.tell(Text(self._t("init.only_read", title=words.harmless(identity.title))))
                draft.read_only = True
            problems = self._problems(draft)
            if not problems:
                return Connected(draft, identity, offers or ())
            self._wrong(*problems)

    def _chosen(self, offers: tuple[Offer, ...] | None) -> str | None:
        said = self._given.take("collection")
        if said:
            return _meant(said, offers or ())
        if offers and len(offers) == 1 and (not self._ask.answers or self._ask.yes(self._only(offers[0]), True)):
            return offers[0].name
        if not self._ask.answers:
            titles = self._there(offers or ())
            raise Stop(1 if offers is not None else 2, self._t("init.which", option="--collection", titles=titles))
        if offers:
            self._ask.tell(
                _list([(one.title, self._t("init.read_only") if one.writable is False else "") for one in offers])
            )
        else:
            self._ask.tell(Text(self._t("init.nothing_found") if offers is not None else self._t("init.no_list")))
        while True:
            said = self._ask.line(self._t("init.which_collection"), "--collection")
            if not said:
                return None
            if offers and _is_number(said, len(offers)):
                return offers[int(said) - 1].name
            alike = [one for one in offers or () if normal(said) in (normal(one.title), normal(one.name))]
            if len(alike) < 2:
                return _meant(said, offers or ())
            self._wrong(self._t("init.several", title=words.harmless(said)))

    def _about(self, offer: Offer, offers: Sequence[Offer]) -> str:
        """What tells an offer from others of its title, and whether it may only be read."""
        twins = [one for one in offers if normal(one.title) == normal(offer.title)]
        said = [offer.name] if len(twins) > 1 else []
        return " · ".join(said + ([self._t("init.read_only")] if offer.writable is False else []))

    def _only(self, offer: Offer) -> str:
        return self._t("init.only_one", title=words.harmless(offer.title))

    def _there(self, offers: Sequence[Offer]) -> str:
        return ", ".join(self._t.quoted(words.harmless(one.title)) for one in offers) or "–"

    # ---- what is wrong ---------------------------------------------------------------------------------------

    def _failed(self, error: PlatformError, found: Sequence[str] = ()) -> None:
        """Say what a platform answered; without somebody to answer, that is the end."""
        said = [str(error)]
        if found and not all(title in str(error) for title in found):
            said.append(self._t("init.there", titles=", ".join(self._t.quoted(words.harmless(one)) for one in found)))
        if not self._ask.answers:
            raise Stop(1, *said)
        self._screen.problems(said)

    def _wrong(self, *sentences: str) -> None:
        """Say what is wrong before anything was sent."""
        if not self._ask.answers:
            raise Stop(2, *sentences)
        self._screen.problems(list(sentences))


def _in_the_clear(draft: Draft) -> Draft:
    return replace(draft, allow_http=True)


def _is_number(said: str, most: int) -> bool:
    return said.isdecimal() and 1 <= int(said) <= most


def _meant(said: str, offers: Sequence[Offer]) -> str:
    """The name of the one collection that is called so; else what was said, which the platform may know."""
    exact = [one.name for one in offers if said in (one.name, one.title)]
    alike = [one.name for one in offers if normal(said) in (normal(one.name), normal(one.title))]
    for found in (exact, alike):
        if len(found) == 1:
            return found[0]
    return said


def _list(rows: Sequence[tuple[str, str]]) -> Table:
    """Things to choose from by number."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for number, (name, text) in enumerate(rows, 1):
        table.add_row(Text(f"{number:>4}", "bold cyan"), Text(words.harmless(name)), Text(text, "dim"))
    return table
