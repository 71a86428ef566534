"""Downloads from a server on this machine, good and bad: what is said, and that nothing half-written stays."""

import errno
import hashlib
import os
import shutil
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pooch
import pytest

from companion.data import download
from companion.data.download import Remote, cache_folder, fetch

BODY = bytes(range(256)) * 400


class Handler(BaseHTTPRequestHandler):
    """Answers by path: whole, cut short with and without saying how long it is, changed, moved."""

    asked: ClassVar[list[str]] = []

    def do_GET(self):
        Handler.asked.append(self.path)
        kind = self.path.rpartition("/")[2]
        if kind == "moved.bin":
            self.send_error(404)
            return
        body = {"changed.bin": BODY[::-1], "quiet.bin": BODY[:5000]}.get(kind, BODY)
        self.send_response(200)
        if kind != "quiet.bin":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if kind == "cut.bin" else body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve on this machine, with an empty cache and no proxy; return the address."""
    monkeypatch.setenv("NEURONS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NEURONS_OFFLINE", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    Handler.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


def remote(server, name="whole.bin"):
    return Remote(f"{server}/{name}", len(BODY), hashlib.sha256(BODY).hexdigest(), "some-set")


def left():
    """List every file below the cache."""
    return sorted(p.name for p in cache_folder().rglob("*") if p.is_file())


def refused(wanted):
    with pytest.raises(OSError) as caught:
        fetch(wanted, progress=False)
    said = str(caught.value)
    assert said.startswith(f"fetch: {wanted.name} expected ")
    assert "\n" not in said
    return said


def test_a_file_is_fetched_once_and_kept(server):
    path = fetch(remote(server), progress=False)
    assert path == cache_folder() / "some-set" / "whole.bin"
    assert path.read_bytes() == BODY
    assert fetch(remote(server), progress=False) == path
    assert Handler.asked == ["/whole.bin"]
    assert left() == ["whole.bin"]


def test_a_bar_shows_the_progress_unless_it_is_unwanted(server, capsys):
    fetch(remote(server))
    assert "100%" in capsys.readouterr().err
    fetch(remote(server, "other.bin"), progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_spoilt_copy_is_fetched_again(server):
    path = fetch(remote(server), progress=False)
    for spoilt in (BODY[:-1], b"x" * len(BODY)):
        path.write_bytes(spoilt)
        assert fetch(remote(server), progress=False).read_bytes() == BODY
    assert len(Handler.asked) == 3


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cut.bin", "expected 102,400 bytes, got fewer; the connection broke; run it again"),
        ("quiet.bin", "expected 102,400 bytes, got 5,000; the connection broke; run it again"),
        ("changed.bin", "expected SHA-256 {digest}..., got another; the file there has changed or the way to it is not safe; nothing was kept"),
        ("moved.bin", "expected the file at {server}/moved.bin, got status 404; it may have moved; try again later"),
    ],
)  # fmt: skip
def test_a_bad_download_is_named_and_nothing_stays(server, name, said):
    wanted = remote(server, name)
    assert refused(wanted) == f"fetch: {name} " + said.format(server=server, digest=wanted.sha256[:12])
    assert left() == []


def test_a_bad_download_leaves_a_former_copy_of_another_file_alone(server):
    kept = fetch(remote(server), progress=False)
    refused(remote(server, "changed.bin"))
    assert left() == ["whole.bin"]
    assert kept.read_bytes() == BODY


def test_a_missing_server_is_one_sentence(server, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/x.bin"
    wanted = remote(server)._replace(url=address)
    folder = tmp_path / "cache" / "some-set"
    said = f"fetch: x.bin expected an answer from {address}, got none; look at the connection and run it again, or put the file into {folder}"
    assert refused(wanted) == said
    assert left() == []


def test_a_name_that_no_server_has_is_one_sentence(server, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    wanted = remote(server)._replace(url="http://no-such-host.invalid/x.bin")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "expected an answer from http://no-such-host.invalid/x.bin, got none" in refused(wanted)


@pytest.mark.parametrize("value", ["1", "yes"])
def test_offline_refuses_and_says_what_to_do(server, monkeypatch, tmp_path, value):
    monkeypatch.setenv("NEURONS_OFFLINE", value)
    folder = tmp_path / "cache" / "some-set"
    said = f"fetch: whole.bin expected a network, got NEURONS_OFFLINE={value} and no good copy in the cache; unset NEURONS_OFFLINE and run again, or put the file into {folder}"
    assert refused(remote(server)) == said
    assert Handler.asked == []
    assert not (tmp_path / "cache").exists()


def test_offline_takes_what_is_there_if_it_is_good(server, monkeypatch):
    path = fetch(remote(server), progress=False)
    monkeypatch.setenv("NEURONS_OFFLINE", "1")
    assert fetch(remote(server), progress=False) == path
    path.write_bytes(BODY[1:])
    assert "no good copy in the cache" in refused(remote(server))
    for online in ("0", ""):
        monkeypatch.setenv("NEURONS_OFFLINE", online)
        assert fetch(remote(server), progress=False).read_bytes() == BODY


def test_too_little_room_is_seen_before_the_download(server, monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, len(BODY) - 1))
    folder = tmp_path / "cache" / "some-set"
    said = f"fetch: whole.bin expected 102,400 bytes of room in {folder}, got a full disk; make room, or name another folder by NEURONS_CACHE"
    assert refused(remote(server)) == said
    assert Handler.asked == []


def test_just_enough_room_is_enough(server, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, len(BODY)))
    assert fetch(remote(server), progress=False).exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
def test_a_disk_that_fills_up_meanwhile_keeps_nothing(server, monkeypatch, number):
    def fill(url, file, size, progress):
        Path(file).write_bytes(BODY[:1000])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(download, "_stream", fill)
    assert "got a full disk; make room" in refused(remote(server))
    assert left() == []


def test_an_interrupted_download_keeps_nothing(server, monkeypatch):
    def interrupt(url, file, size, progress):
        Path(file).write_bytes(BODY[:1000])
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "_stream", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(remote(server), progress=False)
    assert left() == []


def test_a_cache_that_is_no_folder_is_one_sentence(server, monkeypatch, tmp_path):
    file = tmp_path / "file"
    file.write_text("in the way")
    monkeypatch.setenv("NEURONS_CACHE", str(file))
    said = refused(remote(server))
    assert said.startswith(f"fetch: whole.bin expected a cache folder to write to, {file / 'some-set'}, got ")
    assert said.endswith("; name another folder by NEURONS_CACHE")
    assert file.read_text() == "in the way"


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "Permission denied"), OSError(errno.EROFS, "Read-only file system")])  # fmt: skip
def test_a_read_only_cache_is_one_sentence(server, monkeypatch, error):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(Path, "mkdir", refuse)
    said = refused(remote(server))
    assert f"got {error.strerror}; name another folder by NEURONS_CACHE" in said
    assert Handler.asked == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_one_sentence(server, tmp_path):
    folder = tmp_path / "cache" / "some-set"
    folder.mkdir(parents=True)
    folder.chmod(0o500)
    assert "name another folder by NEURONS_CACHE" in refused(remote(server))
    folder.chmod(0o700)


def test_the_cache_is_the_systems_unless_it_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("NEURONS_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("NEURONS_CACHE", "~/somewhere")
    assert cache_folder() == Path.home() / "somewhere"
    monkeypatch.delenv("NEURONS_CACHE")
    assert cache_folder() == Path(pooch.os_cache("neurons-to-gans"))


def test_poochs_logger_is_as_talkative_as_before(server):
    logger = pooch.get_logger()
    level = logger.level
    fetch(remote(server), progress=False)
    refused(remote(server, "changed.bin"))
    assert logger.level == level


def test_the_module_names_what_it_reads_from_the_environment():
    assert (download.CACHE, download.OFFLINE) == ("NEURONS_CACHE", "NEURONS_OFFLINE")
