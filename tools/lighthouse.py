"""Lighthouse on the built chapter pages, mobile profile: `make lighthouse` (fetches the pinned lighthouse from npm, so not in the gate)."""

from __future__ import annotations

import functools
import http.server
import json
import subprocess
import sys
import threading
from pathlib import Path

import gate
import notebooks

VERSION = "13.5.0"
PAGES = ("book/01_neurons.html", "book/02_activations.html")
WANTED = {"performance": 90, "accessibility": 100, "best-practices": 100, "seo": 100}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that compresses as any static host does and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Send text files compressed."""
        import gzip

        path = Path(self.translate_path(self.path))
        if path.suffix not in {".html", ".css", ".js", ".svg", ".json"} or not path.is_file():
            super().do_GET()
            return
        body = gzip.compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)) + "; charset=utf-8")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Run, print the scores, fail below what is wanted."""
    browser = gate.chromium()
    if not browser:
        sys.exit("lighthouse: no Chromium found; install it or set CHROMIUM=/path/to/chrome")
    html = notebooks.ROOT / "_build" / "html"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    low = []
    with server:
        for page in PAGES:
            scores = measure(f"http://127.0.0.1:{server.server_port}/{page}", browser)
            print(f"{page}: " + ", ".join(f"{k} {v}" for k, v in scores.items()))
            low += [f"{page} {k} {scores[k]} < {v}" for k, v in WANTED.items() if scores[k] < v]
    if low:
        sys.exit("lighthouse: " + "; ".join(low))


def measure(url: str, browser: str) -> dict[str, int]:
    """Return the four scores of one page."""
    report = notebooks.ROOT / "_build" / "lighthouse.json"
    npx = Path(sys.executable).with_name("npx")
    flags = "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --no-first-run"
    words = [
        str(npx),
        "--yes",
        f"lighthouse@{VERSION}",
        url,
        "--quiet",
        "--output=json",
        f"--output-path={report}",
        f"--chrome-flags={flags}",
    ]
    done = subprocess.run(
        words, env={**notebooks.environment(), "CHROME_PATH": browser}, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"lighthouse: could not run: {done.stderr.strip()[-400:]}")
    found = json.loads(report.read_text())["categories"]
    return {name: round(100 * found[name]["score"]) for name in WANTED}


if __name__ == "__main__":
    main()
