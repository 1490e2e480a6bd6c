"""A real WebDAV server (WsgiDAV) on loopback, over a temporary folder. Its ETags are made of time and size.

Measured on WsgiDAV 4.4.0: If-Match and If-None-Match are kept, with 412; PUT answers with the new ETag; LOCK works, and
a PUT without the lock's token then answers 423.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from pathlib import Path
from types import TracebackType

from cheroot import wsgi
from wsgidav.fs_dav_provider import FilesystemProvider
from wsgidav.wsgidav_app import WsgiDAVApp

USER, PASSWORD = "anna", "geheim-42"


class WebDav:
    """One running server. Use it as a context manager."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="webdav-"))
        logging.getLogger("wsgidav").setLevel(logging.CRITICAL)
        app = WsgiDAVApp(
            {
                "provider_mapping": {"/": FilesystemProvider(str(self.folder))},
                "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
                "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
                "lock_storage": True,
                "verbose": 0,
                "logging": {"enable": False},
            }
        )
        self._server = wsgi.Server(("127.0.0.1", 0), app)

    def __enter__(self) -> WebDav:
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, name: str) -> str:
        """The address of a file."""
        return f"http://127.0.0.1:{self._server.bind_addr[1]}/{name}"
