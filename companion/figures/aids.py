"""Study aids as figures: objectives, practice test, flashcards, matching game, dialogue, tabs, progress, listening.

Texts come as safe HTML; ``companion.study`` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from companion.errors import bad_value
from companion.figures.figure import Figure


def objectives(items: Sequence[Mapping[str, Any]], *, chapter: str) -> Figure:
    """Return what the reader can do afterwards, with check marks.

    Args:
        items: each ``{id, text, exercises, questions}``, the last two as ids.
        chapter: the chapter under which the marks are kept.
    """
    body = "".join(
        f'<li><span class="nfig-box"></span><div>{item["text"]}<p class="nfig-shown">{_shown_by(item)}</p></div></li>'
        for item in items
    )
    return Figure(
        "objectives",
        {"chapter": chapter, "items": [dict(item) for item in items]},
        alt=f"{_count(len(items), 'objective')}, each with a box to tick and with what shows it.",
        caption="Tick what you can do. The marks stay in your browser.",
        fallback=f'<p class="nfig-h">After this chapter you can</p><ul class="nfig-goals">{body}</ul><p class="nfig-say nfig-tally"></p>',
    )


def _shown_by(item: Mapping[str, Any]) -> str:
    questions = len(item["questions"])
    told = [f"exercise {number}" for number in item["exercises"]]
    told += (
        [f"{'one question' if questions == 1 else f'{questions} questions'} of the practice test"] if questions else []
    )
    return f"Shown by: {', '.join(told)}" if told else ""


def quiz(
    items: Sequence[Mapping[str, Any]], *, chapter: str = "", objectives: Sequence[Mapping[str, str]] = ()
) -> Figure:
    """Return a practice test.

    Args:
        items: each ``{id, question, options: [{text, correct, why}]}``; exactly one option is correct. With
            ``objective`` and ``section`` the result is told by objective, with links to what to read again.
        chapter: the chapter under which the best result is kept; none keeps nothing.
        objectives: each ``{id, text}``.
    """
    for item in items:
        right = sum(bool(option.get("correct")) for option in item["options"])
        if right != 1:
            raise bad_value("quiz", f"item {item['id']!r}", "exactly one correct option", right)
    body = "".join(_question(item) for item in items)
    return Figure(
        "quiz",
        {
            "chapter": chapter,
            "objectives": [dict(objective) for objective in objectives],
            "items": [dict(item) for item in items],
        },
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


def flashcards(cards: Sequence[Mapping[str, str]], *, caption: str = "Flashcards", only_due: bool = False) -> Figure:
    """Return a deck of cards that come back when they are about to be forgotten.

    Args:
        cards: each ``{front, back}``, with ``key`` and ``chapter`` where the browser is to keep its history.
        caption: what deck it is.
        only_due: leave new cards out, as a page over all chapters does.
    """
    body = "".join(f"<details><summary>{c['front']}</summary><p>{c['back']}</p></details>" for c in cards)
    return Figure(
        "flashcards",
        {"cards": [dict(card) for card in cards], "onlyDue": only_due},
        alt=f"{_count(len(cards), 'card')} with a question in front and its answer on the back.",
        caption=caption,
        fallback=body,
    )


def matching(pairs: Sequence[Mapping[str, str]], *, chapter: str = "") -> Figure:
    """Return a matching game.

    Args:
        pairs: each ``{term, definition}``; two or more.
        chapter: the chapter under which the longest streak is kept; none keeps nothing.
    """
    if len(pairs) < 2:
        raise bad_value("matching", "pairs", "two or more", len(pairs))
    body = "".join(f"<dt>{p['term']}</dt><dd>{p['definition']}</dd>" for p in pairs)
    return Figure(
        "matching",
        {"chapter": chapter, "pairs": [dict(pair) for pair in pairs]},
        alt=f"{_count(len(pairs), 'term')} and what they mean, to be put together five at a time.",
        caption="Matching game: terms and what they mean",
        fallback=f"<dl>{body}</dl>",
    )


def dialogue(title: str, turns: Sequence[Mapping[str, str]], *, chapter: str = "") -> Figure:
    """Return a conversation to read and to listen to.

    Args:
        title: what it is about.
        turns: each ``{who, text}``; where the text holds formulas, ``say`` is what is spoken in its place.
        chapter: the chapter under which the place is kept; none keeps nothing.
    """
    body = "".join(f'<li class="nfig-turn"><b>{escape(t["who"])}:</b> {t["text"]}</li>' for t in turns)
    speakers = " and ".join(dict.fromkeys(turn["who"] for turn in turns))
    return Figure(
        "dialogue",
        {"title": title, "chapter": chapter, "turns": [dict(turn) for turn in turns]},
        alt=f"A conversation of {_count(len(turns), 'turn')} between {speakers}.",
        caption=f"Dialogue: {title}",
        fallback=f'<ol class="nfig-turns">{body}</ol>',
    )


def profile(chapters: Sequence[Mapping[str, Any]]) -> Figure:
    """Return the reader's progress over the chapters, which the browser alone knows.

    Args:
        chapters: each ``{id, title, page, objectives, questions, cards}``: ids, a count, and keys.
    """
    body = "".join(f"<li>{escape(c['id'])} {c['title']}</li>" for c in chapters)
    return Figure(
        "profile",
        {"chapters": [dict(chapter) for chapter in chapters]},
        alt="A table of the finished chapters with what this browser has kept of your progress.",
        caption="Your progress. It stays in your browser and goes nowhere else.",
        fallback=f"<p>Your browser keeps your progress in these chapters, once it may run scripts:</p><ul>{body}</ul>",
    )


def listener(chapter: str) -> Figure:
    """Return the player that reads the page on which it stands aloud; ``chapter`` is where the place is kept."""
    return Figure(
        "listener",
        {"chapter": chapter},
        alt="Buttons that have this chapter read aloud by a voice of your browser.",
        caption="Listen to this chapter",
        fallback="<p>A browser with a voice can read this chapter to you.</p>",
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
