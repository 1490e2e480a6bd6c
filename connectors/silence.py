"""Why no answer came: what a failed request proves of whether it ever left, for `connectors.http`."""

from __future__ import annotations

import requests
from requests import RequestException
from urllib3.exceptions import MaxRetryError, NewConnectionError, SSLError


def is_certificate(error: RequestException) -> bool:
    """Whether the server's certificate could not be verified."""
    return isinstance(_reason(error), SSLError) and "CERTIFICATE" in str(error).upper()


def is_unsent(error: RequestException) -> bool:
    """Whether the request surely never left: no connection came to be."""
    return isinstance(error, requests.ConnectTimeout) or isinstance(_reason(error), NewConnectionError)


def is_passing(error: RequestException) -> bool:
    """Whether a safe request is worth another try: a broken connection is, a time-out has cost enough already."""
    broken = isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError)
    return broken and not isinstance(error, requests.Timeout) and not is_certificate(error)


def _reason(error: BaseException) -> BaseException | None:
    inner = error.args[0] if error.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    return reason if isinstance(reason, BaseException) else None
