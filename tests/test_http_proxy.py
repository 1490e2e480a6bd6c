"""City networks go out by a proxy: what it refuses is its own, and not the server's."""

from __future__ import annotations

import pytest

from connectors.base import Access
from connectors.errors import Transient
from connectors.http import Http


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_proxy_that_does_not_answer_is_named_and_nothing_was_sent(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://benutzer:geheimwort@127.0.0.1:9")
    with pytest.raises(Transient, match="HTTPS_PROXY and NO_PROXY") as caught:
        Http(Access("rathaus", "https://cloud.example.org/"), sleep=lambda _: None).request(method, "")
    assert caught.value.answered
    assert "geheimwort" not in str(caught.value)
