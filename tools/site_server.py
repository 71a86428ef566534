"""Serve the built site as its host does: also below the path of its address, with its own page for what is not there."""

from __future__ import annotations

import contextlib
import functools
import gzip
import http.server
import threading
from collections.abc import Iterator
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


class Compressed(Quiet):
    """The same with text files compressed, as any static host sends them."""

    def do_GET(self) -> None:
        """Send a file."""
        path = Path(self.translate_path(self.path))
        if path.suffix not in {".html", ".css", ".js", ".svg", ".json", ".vtt"} or not path.is_file():
            super().do_GET()
            return
        body = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)) + "; charset=utf-8")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def served(folder: Path, baseurl: str = "/", handler: type[Handler] = Quiet) -> Iterator[str]:
    """Serve a folder on this machine as long as the context lasts; gives the address."""
    answer = functools.partial(below(baseurl, handler), directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def below(baseurl: str, handler: type[Handler] = Handler) -> type[Handler]:
    """Return a handler that also answers below the path of a site's address.

    >>> below("https://someone.github.io/course/").root
    '/course/'
    """
    return type("Handler", (handler,), {"root": urlsplit(baseurl).path or "/"})
