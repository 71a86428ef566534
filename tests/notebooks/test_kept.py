"""What is kept from build to build is made anew when anything that it is made from changes, and only then."""

from __future__ import annotations

import kept
import pytest


@pytest.fixture
def count(tmp_path, monkeypatch):
    """Return a function that makes something and counts how often it did."""
    monkeypatch.setattr(kept, "FOLDER", tmp_path / "made")
    made = []

    def make():
        made.append(1)
        return f"made {len(made)}".encode()

    make.made = made
    return make


def test_the_same_things_are_made_once(count, tmp_path):
    source = tmp_path / "a.py"
    source.write_text("a")
    for _ in range(2):
        assert kept.kept(["words", b"bytes", source], count) == b"made 1"
    assert len(count.made) == 1


def test_a_changed_file_a_changed_word_and_another_split_are_something_else(count, tmp_path):
    source = tmp_path / "a.py"
    source.write_text("a")
    found = [kept.kept(parts, count) for parts in (["ab", source], ["abc", source], ["a", "b", source])]
    source.write_text("b")
    found.append(kept.kept(["ab", source], count))
    assert found == [b"made 1", b"made 2", b"made 3", b"made 4"]


def test_what_fails_is_not_kept(count):
    def fails():
        raise ValueError("too large")

    with pytest.raises(ValueError, match="too large"):
        kept.kept(["words"], fails)
    assert kept.kept(["words"], count) == b"made 1"


def test_nothing_is_not_kept(count):
    assert kept.kept(["words"], lambda: b"") == b""
    assert kept.kept(["words"], count) == b"made 1"
    assert kept.kept(["words"], lambda: b"") == b"made 1"


def test_what_the_gallery_is_made_from_has_scripts_styles_and_aids_and_nothing_compiled():
    found = {path.suffix for path in kept.sources("companion")}
    assert {".py", ".js", ".css", ".yml"} <= found
    assert ".pyc" not in found
