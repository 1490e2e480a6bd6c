"""From any address to the one calendar that is meant, and a plain sentence where there is none."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest
import requests
import responses

from connectors.base import Access
from connectors.caldav import TYPE, CalDavConnector
from connectors.errors import NotACollection, PlatformError, Terminal, Transient, Unauthorized
from tests.caldav_calendar import Calendar, Send, edited, says, tamper
from tests.radicale_server import Radicale

pytestmark = pytest.mark.radicale


@pytest.fixture(scope="module")
def server() -> Iterator[Radicale]:
    """A Radicale with a known set of calendars."""
    with Radicale() as radicale:
        radicale.calendar("strategie", "Digitale Strategie")
        radicale.calendar("it", "IT & Betrieb")
        radicale.calendar("termine", "Termine", ("VEVENT",))
        radicale.calendar("alles", "Gemischt", None)
        radicale.calendar("app-generated--deck--board-7", "Deck: Digitale Strategie")
        radicale.calendar("doppelt-1", "Doppelt")
        radicale.calendar("doppelt-2", "Doppelt")
        radicale.share_read_only("leserecht", "Nur lesen")
        yield radicale


def access(server: Radicale, path: str = "/", collection: str = "", **settings: object) -> Access:
    given = {"user": server.user, "password": server.password, **settings}
    return Access("rathaus", server.url + path, collection=collection, **given)  # type: ignore[arg-type]


def connect(server: Radicale, path: str = "/", collection: str = "", **settings: object) -> CalDavConnector:
    return CalDavConnector(access(server, path, collection, **settings))


# ---- what is found --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/anna/strategie/", "/anna/strategie"])
def test_the_url_may_be_the_calendar_itself(server: Radicale, path: str) -> None:
    identity = connect(server, path).identify()
    assert (identity.type, identity.host) == ("caldav", f"127.0.0.1:{server.port}")
    assert (identity.collection, identity.title) == ("/anna/strategie/", "Digitale Strategie")
    assert identity.writable
    assert identity.warnings == ()


@pytest.mark.parametrize(
    "path", ["", "/", "/anna/", "/anna", "/.well-known/caldav", "/anna/it/", "/anna/gibt-es-nicht/"]
)
def test_any_address_leads_to_the_named_calendar(server: Radicale, path: str) -> None:
    assert connect(server, path, "Digitale Strategie").identify().collection == "/anna/strategie/"


@pytest.mark.parametrize(
    "name",
    [
        "IT & Betrieb",
        "it & betrieb ",
        "it",
        "/anna/it/",
        "/anna/it",
        "anna/it",
        "/anna/%69t/",
        "http://h.example/anna/it/",
    ],
)
def test_a_calendar_is_named_by_title_id_or_path(server: Radicale, name: str) -> None:
    assert connect(server, "/", name).identify().collection == "/anna/it/"


def test_a_calendar_url_may_name_itself(server: Radicale) -> None:
    assert connect(server, "/anna/it/", "IT & Betrieb").identify().collection == "/anna/it/"


def test_a_path_settles_equal_titles(server: Radicale) -> None:
    assert connect(server, "/", "/anna/doppelt-2/").identify().collection == "/anna/doppelt-2/"
    assert connect(server, "/", "doppelt-1").identify().collection == "/anna/doppelt-1/"


def test_a_calendar_that_does_not_say_what_it_takes_takes_tasks(server: Radicale) -> None:
    assert connect(server, "/", "Gemischt").identify().title == "Gemischt"


def test_a_calendar_that_may_only_be_read_says_so(server: Radicale) -> None:
    assert not connect(server, "/anna/leserecht/").identify().writable


def test_rights_that_are_not_told_are_assumed(server: Radicale) -> None:
    connector = connect(server, "/anna/leserecht/")
    tamper(connector, lambda method, url, send: edited(send(), "current-user-privilege-set", "something-else"))
    assert connector.identify().writable


def test_a_server_without_deltas_is_told_to_people(server: Radicale) -> None:
    connector = connect(server, "/anna/strategie/")

    def forget(method: str, url: str, send: Send) -> requests.Response:
        return edited(edited(send(), "sync-collection", "other"), "sync-token", "other")

    tamper(connector, forget)
    assert "every pass lists the whole calendar" in connector.identify().warnings[0]


# ---- what is not found ----------------------------------------------------------------------------------------

TITLES = ("Digitale Strategie", "Doppelt", "Doppelt", "Gemischt", "IT & Betrieb", "Nur lesen")


def failure(connector: CalDavConnector, kind: type[PlatformError]) -> PlatformError:
    with pytest.raises(kind) as caught:
        connector.identify()
    assert connector._http.name == "RATHAUS"
    sentence = str(caught.value)
    assert "geheim" not in sentence
    assert "\n" not in sentence
    return caught.value


def test_a_wrong_name_lists_the_right_ones(server: Radicale) -> None:
    error = failure(connect(server, "/", "Strategie 2030"), NotACollection)
    assert isinstance(error, NotACollection)
    assert error.found == TITLES
    assert "“Strategie 2030”" in str(error)
    assert "Digitale Strategie, Doppelt" in str(error)
    assert "RATHAUS_COLLECTION" in str(error)


@pytest.mark.parametrize("path", ["/", "/anna/", "/anna/nix/"])
def test_a_missing_name_lists_what_is_there(server: Radicale, path: str) -> None:
    error = failure(connect(server, path), NotACollection)
    assert isinstance(error, NotACollection)
    assert error.found == TITLES
    assert "RATHAUS_COLLECTION has to name one" in str(error)


def test_equal_titles_are_told_apart_by_path(server: Radicale) -> None:
    error = failure(connect(server, "/", "Doppelt"), NotACollection)
    assert "/anna/doppelt-1/, /anna/doppelt-2/" in str(error)


@pytest.mark.parametrize(("path", "name"), [("/anna/termine/", ""), ("/", "Termine")])
def test_a_calendar_without_tasks_is_said(server: Radicale, path: str, name: str) -> None:
    assert "“Termine”" in str(error := failure(connect(server, path, name), NotACollection))
    assert "holds no tasks (VTODO)" in str(error)


def test_a_mirror_of_a_deck_board_is_refused(server: Radicale) -> None:
    """Facts: nextcloud, section 9: else every card would be mirrored twice."""
    path = "/anna/app-generated--deck--board-7/"
    assert "copy made by Nextcloud" in str(failure(connect(server, path), NotACollection))
    failure(connect(server, "/", "Deck: Digitale Strategie"), NotACollection)


def test_a_wrong_password_names_the_settings(server: Radicale) -> None:
    for path in ("/", "/anna/strategie/", "/.well-known/caldav"):
        error = failure(connect(server, path, "x", password="falsch"), Unauthorized)
        assert "RATHAUS_USER and RATHAUS_PASSWORD" in str(error)
        assert f"127.0.0.1:{server.port}" in str(error)


def test_a_wrong_password_is_sent_once(server: Radicale) -> None:
    connector = connect(server, "/", "x", password="falsch")
    failure(connector, Unauthorized)
    assert connector.requests == 1


def test_other_peoples_calendars_are_forbidden(server: Radicale) -> None:
    assert "forbids PROPFIND on /berta/" in str(error := failure(connect(server, "/berta/"), Unauthorized))
    assert "RATHAUS_URL" in str(error)


def test_a_server_that_is_not_there_names_the_url() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        connector = CalDavConnector(Access("rathaus", f"http://127.0.0.1:{taken.getsockname()[1]}/dav/"))
        assert "RATHAUS_URL" in str(failure(connector, Transient))


@pytest.mark.parametrize("status", [200, 404, 405, 501])
@pytest.mark.parametrize("path", ["/", "/dav/anna/"])
def test_a_website_is_no_calendar(server: Radicale, status: int, path: str) -> None:
    connector = connect(server, path)
    tamper(connector, lambda method, url, send: says(status, "<html>Willkommen</html>", Content_Type="text/html"))
    assert f"no calendar at {path}" in str(error := failure(connector, NotACollection))
    assert "RATHAUS_URL" in str(error)


def test_a_server_in_trouble_is_not_a_wrong_url(server: Radicale) -> None:
    connector = connect(server, "/")
    tamper(connector, lambda method, url, send: says(503, "<html>Wartung</html>", Retry_After="900"))
    assert not isinstance(failure(connector, Transient), Terminal)


def test_an_account_without_calendars_says_so(server: Radicale) -> None:
    error = failure(connect(server, "/", "x", user="berta", password="anderes"), NotACollection)
    assert "There is no calendar at /" in str(error)


# ---- what is remembered ---------------------------------------------------------------------------------------


def test_what_was_found_is_good_for_the_same_settings_only(server: Radicale) -> None:
    first = connect(server, "/", "Digitale Strategie")
    identity = first.identify()
    again = connect(server, "/", "Digitale Strategie")
    assert again.identify(first.memory()) == identity
    assert again.requests == 0
    other = connect(server, "/", "IT & Betrieb")
    assert other.identify(first.memory()).title == "IT & Betrieb"
    assert connect(server, "/anna/alles/").identify(first.memory()).title == "Gemischt"


@pytest.mark.parametrize("memory", ["", "{", "null", "[]", '{"settings": 1}', '{"place": {"url": 1}, "settings": []}'])
def test_a_memory_that_makes_no_sense_is_no_memory(server: Radicale, memory: str) -> None:
    assert connect(server, "/", "Digitale Strategie").identify(memory).collection == "/anna/strategie/"


def test_no_secret_is_remembered(server: Radicale) -> None:
    url = server.url.replace("//", "//anna:geheim-%C3%A4-42@") + "/anna/strategie/"
    connector = CalDavConnector(Access("rathaus", url))
    identity = connector.identify()
    told = f"{connector.memory()} {identity!r} {connector!r}"
    assert "geheim" not in told
    assert identity.title == "Digitale Strategie"


# ---- a server that is laid out like Nextcloud -----------------------------------------------------------------

CLOUD = "https://cloud.example.org"
_PROPS = '<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">{}</d:multistatus>'
_TASKS = "<c:supported-calendar-component-set><c:comp name='VTODO'/></c:supported-calendar-component-set>"
_TYPE = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"


def _entry(href: str, props: str) -> str:
    return (
        f"<d:response><d:href>{href}</d:href><d:propstat><d:prop>{props}</d:prop>"
        "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )


def _multistatus(*entries: str) -> dict[str, object]:
    return {"status": 207, "body": _PROPS.format("".join(entries)), "content_type": "application/xml"}


@pytest.fixture
def cloud() -> Iterator[responses.RequestsMock]:
    dav = CLOUD + "/remote.php/dav"
    principal = (
        "<d:current-user-principal><d:href>/remote.php/dav/principals/users/anna/</d:href></d:current-user-principal>"
    )
    home = "<c:calendar-home-set><d:href>/remote.php/dav/calendars/anna/</d:href></c:calendar-home-set>"
    calendars = [
        _entry("/remote.php/dav/calendars/anna/", "<d:resourcetype><d:collection/></d:resourcetype>"),
        _entry("/remote.php/dav/calendars/anna/inbox/", "<d:resourcetype><c:schedule-inbox/></d:resourcetype>"),
        _entry(
            "/remote.php/dav/calendars/anna/tasks/",
            f"{_TYPE}{_TASKS}<d:displayname>Aufgaben</d:displayname><d:sync-token>http://sabre.io/ns/sync/4</d:sync-token>",
        ),
        _entry(
            "/remote.php/dav/calendars/anna/app-generated--deck--board-1/",
            f"{_TYPE}{_TASKS}<d:displayname>Aufgaben</d:displayname>",
        ),
    ]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add("PROPFIND", CLOUD + "/", status=302, headers={"Location": CLOUD + "/login"})
        mock.add("PROPFIND", CLOUD + "/login", status=405)
        mock.add(
            "PROPFIND",
            CLOUD + "/.well-known/caldav",
            status=301,
            headers={"Location": CLOUD + "/remote.php/dav/"},
        )
        mock.add("PROPFIND", dav + "/", **_multistatus(_entry("/remote.php/dav/", principal)))  # type: ignore[arg-type]
        mock.add(
            "PROPFIND",
            dav + "/principals/users/anna/",
            **_multistatus(_entry("/remote.php/dav/principals/users/anna/", home + principal)),  # type: ignore[arg-type]
        )
        mock.add("PROPFIND", re.compile(re.escape(dav) + "/calendars/anna/$"), **_multistatus(*calendars))  # type: ignore[arg-type]
        yield mock


@pytest.mark.parametrize(
    "path", ["", "/remote.php/dav/", "/remote.php/dav/principals/users/anna/", "/remote.php/dav/calendars/anna/"]
)
def test_nextclouds_layout_is_understood(cloud: responses.RequestsMock, path: str) -> None:
    connector = TYPE.connect(Access("rathaus", CLOUD + path, "anna", "x", collection="Aufgaben"))
    identity = connector.identify()
    assert identity.collection == "/remote.php/dav/calendars/anna/tasks/"
    assert identity.host == "cloud.example.org"
    assert connector.abilities.writes == 1


def test_a_setting_beats_what_nextcloud_is_thought_to_bear(cloud: responses.RequestsMock) -> None:
    connector = TYPE.connect(Access("rathaus", CLOUD, "anna", "x", collection="Aufgaben", writes=4))
    connector.identify()
    assert connector.abilities.writes == 4


def test_everything_but_the_calendar_itself_needs_no_other_setting(server: Radicale) -> None:
    assert TYPE.needs == ("url",)
    assert TYPE.mapping == "caldav.toml"
    assert Calendar(server).connect().identify().type == TYPE.name
