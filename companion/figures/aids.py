"""Study aids as figures: practice test, flashcards, dialogue, tabs.

Texts come as safe HTML; ``study.py`` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from companion.errors import bad_value
from companion.figures.figure import Figure


def quiz(items: Sequence[Mapping[str, Any]]) -> Figure:
    """Return a practice test.

    Args:
        items: each ``{id, question, options: [{text, correct, why}]}``; exactly one option is correct.
    """
    for item in items:
        right = sum(bool(option.get("correct")) for option in item["options"])
        if right != 1:
            raise bad_value("quiz", f"item {item['id']!r}", "exactly one correct option", right)
    body = "".join(_question(item) for item in items)
    return Figure(
        "quiz",
        {"items": [dict(item) for item in items]},
        alt=f"{_count(len(items), 'question')}, each with an explanation for every option.",
        caption="Practice test",
        fallback=f"<ol>{body}</ol>",
    )


def _question(item: Mapping[str, Any]) -> str:
    options = "".join(f"<li>{option['text']}</li>" for option in item["options"])
    answers = "".join(
        f"<li>{'Right.' if option.get('correct') else 'Not this one.'} {option['why']}</li>"
        for option in item["options"]
    )
    summary = "<summary>Explanations</summary>"
    return (
        f'<li><p>{item["question"]}</p><ol type="a">{options}</ol>'
        f'<details>{summary}<ol type="a">{answers}</ol></details></li>'
    )


def flashcards(cards: Sequence[Mapping[str, str]]) -> Figure:
    """Return a deck of cards, each ``{front, back}``."""
    body = "".join(f"<details><summary>{c['front']}</summary><p>{c['back']}</p></details>" for c in cards)
    return Figure(
        "flashcards",
        {"cards": [dict(card) for card in cards]},
        alt=f"{_count(len(cards), 'card')} with a question in front and its answer on the back.",
        caption="Flashcards",
        fallback=body,
    )


def dialogue(title: str, turns: Sequence[Mapping[str, str]]) -> Figure:
    """Return a conversation to read and to listen to.

    Args:
        title: what it is about.
        turns: each ``{who, text}``; where the text holds formulas, ``say`` is what is spoken in its place.
    """
    body = "".join(f'<li class="nfig-turn"><b>{escape(t["who"])}:</b> {t["text"]}</li>' for t in turns)
    speakers = " and ".join(dict.fromkeys(turn["who"] for turn in turns))
    return Figure(
        "dialogue",
        {"title": title, "turns": [dict(turn) for turn in turns]},
        alt=f"A conversation of {_count(len(turns), 'turn')} between {speakers}.",
        caption=f"Dialogue: {title}",
        fallback=f'<ol class="nfig-turns">{body}</ol>',
    )


def tabs(items: Sequence[Mapping[str, str]], *, caption: str, label: str = "Choose a version") -> Figure:
    """Return texts behind tabs, each ``{title, html}``; without JavaScript they stand one under the other."""
    body = "".join(f'<p class="nfig-h"><b>{escape(t["title"])}</b></p>{t["html"]}' for t in items)
    return Figure(
        "tabs",
        {"tabs": [dict(item) for item in items], "label": label},
        alt="Tabs: " + ", ".join(item["title"] for item in items) + ".",
        caption=caption,
        fallback=body,
    )


def _count(n: int, word: str) -> str:
    return f"{n} {word}{'' if n == 1 else 's'}"
