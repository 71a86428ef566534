"""Serve the built site as its host does: also below the path of its address, with its own page for what is not there."""

from __future__ import annotations

import http.server
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class Handler(http.server.SimpleHTTPRequestHandler):
    """Answers below "/" and below ``root``, the path of the published site; ``404.html`` for the rest."""

    root = "/"

    def translate_path(self, path: str) -> str:
        """Return the file of an address."""
        here = "/" + path.removeprefix(self.root) if path.startswith(self.root) else path
        return super().translate_path(here)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with the site's own page where there is none at the address."""
        page = Path(self.directory) / "404.html"
        if code != HTTPStatus.NOT_FOUND or not page.exists():
            return super().send_error(code, message, explain)
        body = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Quiet(Handler):
    """The same without a word on the terminal."""

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


def below(baseurl: str, handler: type[Handler] = Handler) -> type[Handler]:
    """Return a handler that also answers below the path of a site's address.

    >>> below("https://someone.github.io/course/").root
    '/course/'
    """
    return type("Handler", (handler,), {"root": urlsplit(baseurl).path or "/"})
