"""Files from the network: fetched once, checked, kept; or one sentence that says why not."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from companion.errors import bad_value

CACHE = "NEURONS_CACHE"
OFFLINE = "NEURONS_OFFLINE"
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}  # Windows knows no quota


class Remote(NamedTuple):
    """A file on the network.

    Attributes:
        url: Where it lives.
        size: Its length in bytes.
        sha256: Its SHA-256, in hexadecimal digits.
        folder: Where it is kept below the cache.
    """

    url: str
    size: int
    sha256: str
    folder: str

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.url.rpartition("/")[2]


def cache_folder() -> Path:
    """Return the folder that keeps downloads: ``NEURONS_CACHE``, or the operating system's place for caches."""
    import pooch

    return Path(os.environ.get(CACHE) or pooch.os_cache("neurons-to-gans")).expanduser()


def fetch(remote: Remote, *, progress: bool = True) -> Path:
    """Return the place of a file in the cache, and download it before if it is not there.

    A download is written under a temporary name and moved into place once its length and SHA-256 are right. What was
    kept is checked again each time. With ``NEURONS_OFFLINE=1`` nothing is downloaded.

    Args:
        remote: What to fetch.
        progress: Whether a bar shows how far the download is.

    Returns:
        The path of a complete file.

    Raises:
        OSError: If the file cannot be had; the sentence says why and what to do. Chapters catch it and go on with
            embedded data.
    """
    folder = cache_folder() / remote.folder
    path = folder / remote.name
    if _is_complete(path, remote):
        return path
    if os.environ.get(OFFLINE, "") not in ("", "0"):
        got = f"{OFFLINE}={os.environ[OFFLINE]} and no good copy in the cache"
        raise _failure(remote, "a network", got, f"unset {OFFLINE} and run again, or put the file into {folder}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < remote.size:
            raise OSError(errno.ENOSPC, "too little room")
        return _download(remote, folder, progress)
    except OSError as error:
        if isinstance(error, _Refused):
            raise
        raise _explained(error, remote, folder) from None


class _Refused(OSError):
    """A failure that already has its sentence."""


def _download(remote: Remote, folder: Path, progress: bool) -> Path:
    import pooch

    def to_file(url: str, file: str, manager: object) -> None:
        """Download, and refuse what is too short before its hash is asked for."""
        _stream(url, file, remote.size, progress)
        size = os.path.getsize(file)
        if size < remote.size:
            raise _failure(remote, f"{remote.size:,} bytes", f"{size:,}", "the connection broke; run it again")

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")  # the bar says enough
    try:
        return Path(pooch.retrieve(remote.url, f"sha256:{remote.sha256}", remote.name, folder, downloader=to_file))
    except ValueError:
        hint = "the file there has changed or the way to it is not safe; nothing was kept"
        raise _failure(remote, f"SHA-256 {remote.sha256[:12]}...", "another", hint) from None
    finally:
        logger.setLevel(level)


def _stream(url: str, file: str, size: int, progress: bool) -> None:
    """Copy what is at an address into a file, and let the connection go whatever happens (pooch's own leaves it open)."""
    import requests
    from tqdm import tqdm

    with (
        requests.get(url, stream=True, timeout=30, headers={"Accept-Encoding": "identity"}) as answer,
        open(file, "wb") as out,
        tqdm(total=size, unit="B", unit_scale=True, desc=url.rpartition("/")[2], disable=not progress) as bar,
    ):
        answer.raise_for_status()
        for chunk in answer.iter_content(2**16):
            out.write(chunk)
            bar.update(len(chunk))


def _is_complete(path: Path, remote: Remote) -> bool:
    import pooch

    return path.is_file() and path.stat().st_size == remote.size and pooch.file_hash(str(path)) == remote.sha256


def _explained(error: OSError, remote: Remote, folder: Path) -> OSError:
    """Put into one sentence what the network or the disk said."""
    elsewhere = f"name another folder by {CACHE}"
    if error.errno in _FULL:
        return _failure(
            remote, f"{remote.size:,} bytes of room in {folder}", "a full disk", f"make room, or {elsewhere}"
        )
    if isinstance(error, PermissionError | FileExistsError | NotADirectoryError) or error.errno == errno.EROFS:
        return _failure(
            remote, f"a cache folder to write to, {folder}", error.strerror or "no right to write", elsewhere
        )
    response = getattr(error, "response", None)
    if response is not None:
        got = f"status {response.status_code}"
        return _failure(remote, f"the file at {remote.url}", got, "it may have moved; try again later")
    if "IncompleteRead" in str(error) or "Connection broken" in str(error):
        return _failure(remote, f"{remote.size:,} bytes", "fewer", "the connection broke; run it again")
    hint = f"look at the connection and run it again, or put the file into {folder}"
    return _failure(remote, f"an answer from {remote.url}", "none", hint)


def _failure(remote: Remote, expected: str, got: str, hint: str) -> OSError:
    return _Refused(str(bad_value("fetch", remote.name, expected, got, hint)))
