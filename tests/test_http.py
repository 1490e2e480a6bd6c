"""What connectors.http promises: retries, errors by what to do about them, the clock, and no secret in any sentence."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from types import SimpleNamespace

import pytest
import requests
import responses

from connectors.base import Access
from connectors.errors import (
    Forbidden,
    Lost,
    NotFound,
    PlatformError,
    RateLimited,
    Rejected,
    Terminal,
    Transient,
    Unauthorized,
    VersionMismatch,
)
from connectors.http import Http, problem_with

URL = "https://cloud.example.org"
SECRET = "pa/ss wörd+1"


@pytest.fixture(autouse=True)
def no_proxy_and_no_ca_file(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def net() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def http(url: str = URL, naps: list[float] | None = None, **settings: object) -> Http:
    access = Access("rathaus", url, **{"user": "anna", "password": SECRET, **settings})  # type: ignore[arg-type]
    return Http(access, sleep=(naps if naps is not None else []).append)


# ---- settings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["", "cloud.example.org", "ftp://cloud.example.org", "https://", "https://a:port/", "https://[::1/"]
)
def test_a_url_that_is_none_is_named_by_its_setting(url: str) -> None:
    problem = problem_with(Access("rathaus", url))
    assert problem is not None
    assert problem.startswith("RATHAUS_URL ")


def test_plain_http_is_refused_off_loopback_and_the_sentence_names_the_setting() -> None:
    with pytest.raises(Terminal, match="RATHAUS_ALLOW_HTTP=true"):
        http("http://cloud.example.org")
    assert problem_with(Access("rathaus", "http://cloud.example.org", allow_http=True)) is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_plain_http_is_fine_on_loopback(host: str) -> None:
    assert problem_with(Access("rathaus", f"http://{host}:8080/x")) is None


def test_the_host_is_told_without_credentials_and_without_the_usual_port() -> None:
    assert http("https://anna:geheim@Cloud.example.org:443/dav").host == "cloud.example.org"
    assert http("http://127.0.0.1:5232/").host == "127.0.0.1:5232"


def test_certificates_are_checked_time_outs_set_and_nothing_is_looked_up_per_request(
    net: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, object]] = []
    send = requests.Session.send

    def watch(self: requests.Session, request: requests.PreparedRequest, **kwargs: object) -> requests.Response:
        seen.append({**kwargs, "environment": self.trust_env})
        return send(self, request, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(requests.Session, "send", watch)
    net.get(URL + "/", json={})
    http(timeouts=(3, 4)).request("GET", "/")
    assert (seen[0]["verify"], seen[0]["timeout"], seen[0]["environment"]) == (True, (3, 4), False)


def test_a_ca_file_of_the_house_and_a_proxy_are_looked_up_once(
    net: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/house.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org:3128")
    seen: list[dict[str, object]] = []
    send = requests.Session.send

    def watch(self: requests.Session, request: requests.PreparedRequest, **kwargs: object) -> requests.Response:
        seen.append(kwargs)
        return send(self, request, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(requests.Session, "send", watch)
    net.get(URL + "/", json={})
    way = http()
    monkeypatch.undo()
    monkeypatch.setattr(requests.Session, "send", watch)
    way.request("GET", "/")
    assert seen[0]["verify"] == "/etc/ssl/house.pem"
    assert seen[0]["proxies"] == {"https": "http://proxy.example.org:3128"}


# ---- signing in -----------------------------------------------------------------------------------------------


def test_a_password_goes_as_basic_and_a_token_as_bearer(net: responses.RequestsMock) -> None:
    net.get(URL + "/", json={})
    http(user="änne", password="x").request("GET", "/")
    http(user="", password="", token="abc").request("GET", "/")
    http("https://anna:x@cloud.example.org/", user="", password="").request("GET", "/")
    sent = [call.request.headers["Authorization"] for call in net.calls]
    assert sent == ["Basic w6RubmU6eA==", "Bearer abc", "Basic YW5uYTp4"]


def test_a_token_may_hold_any_character() -> None:
    way = http(server(half_an_answer), user="", password="", token="schlüssel-…")
    with pytest.raises(PlatformError) as failure:
        way.request("PUT", "x", body="x")
    assert isinstance(failure.value, Lost)


def test_cookies_are_not_sent_back(net: responses.RequestsMock) -> None:
    net.get(URL + "/", json={}, headers={"Set-Cookie": "session=1; Path=/"})
    way = http()
    way.request("GET", "/")
    way.request("GET", "/")
    assert "Cookie" not in net.calls[1].request.headers


# ---- redirects ------------------------------------------------------------------------------------------------


def test_a_redirect_on_the_same_host_keeps_the_method(net: responses.RequestsMock) -> None:
    net.add("PROPFIND", URL + "/.well-known/caldav", status=301, headers={"Location": "/dav/"})
    net.add("PROPFIND", URL + "/dav/", status=207, body="x")
    way = http()
    assert way.request("PROPFIND", "/.well-known/caldav").url == URL + "/dav/"
    assert way.requests == 2


@pytest.mark.parametrize("target", ["https://evil.example.org/", "http://cloud.example.org/", "//other.example/"])
def test_the_password_is_not_taken_to_another_host_or_off_tls(net: responses.RequestsMock, target: str) -> None:
    net.get(URL + "/", status=302, headers={"Location": target})
    with pytest.raises(Terminal, match="RATHAUS_URL"):
        http().request("GET", "/")
    assert len(net.calls) == 1


def test_an_address_on_another_host_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(Terminal):
        http().request("GET", "https://evil.example.org/x")


def test_a_redirect_in_a_circle_ends(net: responses.RequestsMock) -> None:
    net.get(URL + "/", status=302, headers={"Location": "/"})
    with pytest.raises(Terminal, match="circle"):
        http().request("GET", "/")


def test_a_write_is_not_turned_into_a_read_by_a_redirect(net: responses.RequestsMock) -> None:
    net.put(URL + "/a", status=302, headers={"Location": "/b"})
    with pytest.raises(Terminal):
        http().request("PUT", "/a", body="x")
    assert len(net.calls) == 1


# ---- retries --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"])
@pytest.mark.parametrize("status", [502, 503, 504])
def test_safe_methods_are_tried_three_times(net: responses.RequestsMock, method: str, status: int) -> None:
    for _ in range(2):
        net.add(method, URL + "/", status=status)
    net.add(method, URL + "/", status=200)
    naps: list[float] = []
    way = http(naps=naps)
    assert way.request(method, "/").status_code == 200
    assert (way.requests, len(naps)) == (3, 2)


def test_a_safe_method_gives_up_after_the_third_try(net: responses.RequestsMock) -> None:
    net.get(URL + "/", status=503)
    with pytest.raises(Transient, match="503"):
        http().request("GET", "/")
    assert len(net.calls) == 3


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
def test_a_write_is_sent_once(net: responses.RequestsMock, method: str) -> None:
    net.add(method, URL + "/", status=503)
    with pytest.raises(Transient):
        http().request(method, "/")
    assert len(net.calls) == 1


def test_a_short_retry_after_is_waited_out(net: responses.RequestsMock) -> None:
    net.get(URL + "/", status=429, headers={"Retry-After": "7"})
    net.get(URL + "/", json={})
    naps: list[float] = []
    http(naps=naps).request("GET", "/")
    assert naps == [7.0]


def test_a_retry_after_may_be_a_date(net: responses.RequestsMock) -> None:
    now = 1_800_000_000
    headers = {"Date": formatdate(now, usegmt=True), "Retry-After": formatdate(now + 12, usegmt=True)}
    net.get(URL + "/", status=503, headers=headers)
    net.get(URL + "/", json={})
    naps: list[float] = []
    http(naps=naps).request("GET", "/")
    assert naps == [12.0]


def test_a_long_retry_after_is_told_to_the_caller(net: responses.RequestsMock) -> None:
    net.get(URL + "/", status=429, headers={"Retry-After": "31"})
    with pytest.raises(RateLimited) as failure:
        http().request("GET", "/")
    assert failure.value.retry_after == 31.0
    assert len(net.calls) == 1


def test_a_limit_without_a_time_is_not_tried_again(net: responses.RequestsMock) -> None:
    net.get(URL + "/", status=429)
    with pytest.raises(RateLimited) as failure:
        http().request("GET", "/")
    assert failure.value.retry_after == 60.0
    assert len(net.calls) == 1


def test_a_limit_on_a_write_is_told_at_once(net: responses.RequestsMock) -> None:
    net.put(URL + "/", status=429, headers={"Retry-After": "3"})
    with pytest.raises(RateLimited) as failure:
        http().request("PUT", "/", body="x")
    assert failure.value.retry_after == 3.0


# ---- what a failure means -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (405, Rejected),
        (409, Rejected),
        (410, NotFound),
        (412, VersionMismatch),
        (413, Rejected),
        (415, Rejected),
        (422, Rejected),
        (423, Transient),
        (500, Transient),
        (502, Lost),
        (503, Transient),
        (504, Lost),
        (507, Transient),
    ],
)
def test_an_error_is_named_by_what_to_do_about_it(
    net: responses.RequestsMock, status: int, kind: type[PlatformError]
) -> None:
    net.put(URL + "/", status=status, body="database is locked")
    with pytest.raises(PlatformError) as failure:
        http().request("PUT", "/", body="x")
    assert type(failure.value) is kind
    assert "cloud.example.org" in str(failure.value)


def test_a_locked_database_answered(net: responses.RequestsMock) -> None:
    net.put(URL + "/", status=500, body="<error><m>SQLSTATE: database is locked</m></error>")
    with pytest.raises(Transient, match="database is locked") as failure:
        http().request("PUT", "/", body="x")
    assert failure.value.answered


def test_an_accepted_status_is_handed_back(net: responses.RequestsMock) -> None:
    net.get(URL + "/", status=404, body="gone")
    assert http().request("GET", "/", accept={404}).text == "gone"


@pytest.mark.parametrize("status", [401, 403])
def test_a_failed_sign_in_names_host_and_settings(net: responses.RequestsMock, status: int) -> None:
    net.get(URL + "/", status=status)
    with pytest.raises(Unauthorized, match="RATHAUS_USER and RATHAUS_PASSWORD") as failure:
        http().request("GET", "/")
    assert "cloud.example.org" in str(failure.value)
    with pytest.raises(Unauthorized, match="RATHAUS_TOKEN"):
        http(user="", password="", token="t").request("GET", "/")


def test_a_web_page_instead_of_json_is_transient_and_says_so(net: responses.RequestsMock) -> None:
    net.get(URL + "/", body="<html><title>Wartung</title></html>", content_type="text/html")
    way = http()
    answer = way.request("GET", "/")
    with pytest.raises(Transient, match="a web page where JSON was expected"):
        way.json(answer)


def test_json_is_read(net: responses.RequestsMock) -> None:
    net.get(URL + "/", json={"a": ["ä"]})
    way = http()
    assert way.json(way.request("GET", "/")) == {"a": ["ä"]}


@pytest.mark.parametrize("form", [SECRET, "pa/ss%20w%C3%B6rd%2B1", "pa%2Fss%20w%C3%B6rd%2B1", "pa/ss w\\u00f6rd+1"])
@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_no_secret_is_repeated_from_an_answer(net: responses.RequestsMock, status: int, form: str) -> None:
    net.put(URL + "/", status=status, body=f"you sent {form} to https://anna:{form}@cloud.example.org/")
    with pytest.raises(PlatformError) as failure:
        http().request("PUT", "/", body="x")
    assert form not in str(failure.value)


def test_no_secret_is_in_the_repr() -> None:
    way = http(token="tok-123")
    assert SECRET not in repr(way)
    assert "tok-123" not in repr(way)


# ---- no answer ------------------------------------------------------------------------------------------------


def server(act: Callable[[socket.socket], None], times: int = 1) -> str:
    """A server on loopback that does ``act`` with each of ``times`` connections; its URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener:
            for _ in range(times):
                connection, _ = listener.accept()
                with connection:
                    act(connection)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/"


def hang_up(connection: socket.socket) -> None:
    connection.recv(65536)


def stay_silent(connection: socket.socket) -> None:
    while connection.recv(65536):  # until the client closes
        pass


def half_an_answer(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 50\r\n\r\nhalf")


@pytest.mark.parametrize("act", [hang_up, half_an_answer])
def test_a_write_whose_connection_breaks_is_lost(act: Callable[[socket.socket], None]) -> None:
    way = http(server(act))
    with pytest.raises(Lost, match="whether PUT was carried out is unknown") as failure:
        way.request("PUT", "x", body="x")
    assert not failure.value.answered
    assert way.requests == 1


def test_a_write_that_is_not_answered_in_time_is_lost() -> None:
    with pytest.raises(Lost, match=r"within 0\.2 seconds"):
        http(server(stay_silent), timeouts=(1, 0.2)).request("PUT", "x", body="x")


def test_a_read_whose_connection_breaks_is_tried_again_and_then_transient() -> None:
    way = http(server(hang_up, 3))
    with pytest.raises(Transient) as failure:
        way.request("GET", "x")
    assert not isinstance(failure.value, Lost)
    assert way.requests == 3


def test_a_read_that_is_not_answered_in_time_is_transient_and_not_repeated() -> None:
    way = http(server(stay_silent), timeouts=(1, 0.2))
    with pytest.raises(Transient) as failure:
        way.request("GET", "x")
    assert not isinstance(failure.value, Lost)
    assert way.requests == 1


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_nothing_is_lost_where_nobody_listens(method: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        way = http(f"http://127.0.0.1:{taken.getsockname()[1]}/")
        with pytest.raises(Transient, match="cannot be reached: is RATHAUS_URL right") as failure:
            way.request(method, "x")
    assert failure.value.answered


def test_a_name_that_does_not_resolve_is_a_sentence() -> None:
    with pytest.raises(Transient, match=r"nowhere\.invalid cannot be reached"):
        http("https://nowhere.invalid/").request("PUT", "x", body="x")


def test_a_certificate_that_fails_is_said(net: responses.RequestsMock) -> None:
    from urllib3.exceptions import MaxRetryError, SSLError

    pool: object = None
    broken = MaxRetryError(pool, "/", SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))  # type: ignore[arg-type]
    net.put(URL + "/", body=requests.exceptions.SSLError(broken))
    with pytest.raises(Transient, match=r"certificate of cloud\.example\.org") as failure:
        http().request("PUT", "/", body="x")
    assert failure.value.answered


# ---- the clock ------------------------------------------------------------------------------------------------


def test_the_clock_is_unknown_without_a_date(net: responses.RequestsMock) -> None:
    net.get(URL + "/", json={})
    way = http()
    way.request("GET", "/")
    assert way.clock is None


def test_the_clock_is_narrowed_by_every_answer(net: responses.RequestsMock) -> None:
    way = http()
    now = time.time()
    ahead = 3600.0
    for fraction in (0.0, 0.4, 0.9):
        net.get(URL + "/", json={}, headers={"Date": formatdate(int(now + ahead + fraction), usegmt=True)})
    widths = []
    for _ in range(3):
        way.request("GET", "/")
        assert way.clock is not None
        widths.append(way.clock[1] - way.clock[0])
    assert way.clock is not None
    assert ahead - 2 < way.clock[0] <= way.clock[1] < ahead + 2
    assert widths == sorted(widths, reverse=True)


def test_the_clock_lies_between_sending_and_the_head_of_the_answer(
    net: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = iter([1000.25, 1000.75])
    monkeypatch.setattr("connectors.http.time", SimpleNamespace(time=lambda: next(ours)))
    net.get(URL + "/", json={}, headers={"Date": formatdate(1010, usegmt=True)})
    way = http()
    way.request("GET", "/")
    assert way.clock == (1010 - 1000.75, 1011 - 1000.25)


def test_a_clock_that_was_set_anew_starts_from_the_newest_answer(net: responses.RequestsMock) -> None:
    now = time.time()
    net.get(URL + "/", json={}, headers={"Date": formatdate(int(now), usegmt=True)})
    net.get(URL + "/", json={}, headers={"Date": formatdate(int(now) + 500, usegmt=True)})
    way = http()
    way.request("GET", "/")
    way.request("GET", "/")
    assert way.clock is not None
    assert 495 < way.clock[0] < way.clock[1] < 505


def test_a_date_out_of_a_cache_says_nothing_about_the_clock(net: responses.RequestsMock) -> None:
    net.get(URL + "/", json={}, headers={"Date": formatdate(0, usegmt=True), "Age": "900"})
    way = http()
    way.request("GET", "/")
    assert way.clock is None


def test_several_threads_may_ask_at_once(net: responses.RequestsMock) -> None:
    net.get(URL + "/", json={}, headers={"Date": formatdate(time.time(), usegmt=True)})
    way = http()
    threads = [threading.Thread(target=way.request, args=("GET", "/")) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert way.requests == 12
