"""The aids of a chapter as a notebook shows them: one function each, called by one line."""

from __future__ import annotations

import hashlib
import html
from typing import Any

from companion import figures
from companion.figures import Figure
from companion.study.files import finished, load, stem
from companion.study.markup import block, inline
from companion.study.schema import Aids, Option, Question


def objectives(chapter: str) -> Figure:
    """Show what the reader can do afterwards, with check marks that the browser keeps."""
    aids = load(chapter)
    questions = {q.id for q in aids.quiz}
    items = [
        {
            "id": o.id,
            "text": inline(o.text),
            "exercises": [i for i in o.shown_by if i not in questions],
            "questions": [q.id for q in aids.quiz if q.objective == o.id],
        }
        for o in aids.objectives
    ]
    lines = "\n".join(f"- {o.text}" for o in aids.objectives)
    return _with_words(figures.objectives(items, chapter=chapter), f"After this chapter you can\n{lines}")


def dialogue(chapter: str) -> Figure:
    """Show the dialogue; where the browser has a voice it can be listened to."""
    aids = load(chapter)
    turns = [{"who": t.who, "text": html.escape(t.say), "say": t.say} for t in aids.dialogue]
    shown = figures.dialogue(aids.title, turns, chapter=chapter)
    return _with_words(shown, "\n".join(f"{t.who}: {t.say}" for t in aids.dialogue))


def summary(chapter: str) -> Figure:
    """Show the summary at three depths as tabs."""
    depths = load(chapter).summary.model_dump()
    items = [{"title": depth.capitalize(), "html": block(text)} for depth, text in depths.items()]
    shown = figures.tabs(items, caption="Summary at three depths", label="Choose a depth")
    return _with_words(shown, "\n\n".join(f"{depth.upper()}\n{text}" for depth, text in depths.items()))


def flashcards(chapter: str) -> Figure:
    """Show the chapter's flashcards, each of which comes back when it is about to be forgotten."""
    shown = figures.flashcards(_cards(load(chapter)))
    return _with_words(shown, _listed(load(chapter)))


def due_cards() -> Figure:
    """Show the cards of all finished chapters that are due today."""
    done = finished()
    cards = [card for aids in done for card in _cards(aids)]
    shown = figures.flashcards(cards, caption="Cards that are due today, from all chapters", only_due=True)
    return _with_words(shown, "\n".join(map(_listed, done)))


def matching(chapter: str) -> Figure:
    """Show the matching game: the chapter's terms and what they mean."""
    aids = load(chapter)
    pairs = [{"term": html.escape(t.term), "definition": inline(t.definition)} for t in aids.terms]
    shown = figures.matching(pairs, chapter=chapter)
    return _with_words(shown, "\n".join(f"{t.term}: {t.definition}" for t in aids.terms))


def quiz(chapter: str) -> Figure:
    """Show the practice test: one right option each, every option explained; options stand in an order that gives nothing away."""
    aids = load(chapter)
    items = [
        {
            "id": q.id,
            "objective": q.objective,
            "section": q.section,
            "question": inline(q.question),
            "options": [{"text": inline(o.text), "correct": o.correct, "why": inline(o.why)} for o in _mixed(q)],
        }
        for q in aids.quiz
    ]
    lines = (
        f"{n}. {q.question}\n" + "\n".join(f"   - {o.text}" for o in _mixed(q)) for n, q in enumerate(aids.quiz, 1)
    )
    goals = [{"id": o.id, "text": inline(o.text)} for o in aids.objectives]
    return _with_words(figures.quiz(items, chapter=chapter, objectives=goals), "\n".join(lines))


def profile() -> Figure:
    """Show the reader's progress in all finished chapters, with export, import and erase."""
    rows = [
        {
            "id": aids.chapter,
            "title": html.escape(aids.title),
            "page": stem(aids.chapter),
            "objectives": [o.id for o in aids.objectives],
            "questions": len(aids.quiz),
            "cards": [c.key for c in aids.flashcards],
        }
        for aids in finished()
    ]
    return figures.profile(rows)


def listener(chapter: str) -> Figure:
    """Return the player that reads a chapter's page aloud; the site puts it under the chapter's title."""
    return figures.listener(chapter)


def _cards(aids: Aids) -> list[dict[str, str]]:
    return [
        {"key": c.key, "chapter": aids.chapter, "front": inline(c.front), "back": inline(c.back)}
        for c in aids.flashcards
    ]


def _listed(aids: Aids) -> str:
    return "\n".join(f"{c.front} | {c.back}" for c in aids.flashcards)


class Panel:
    """Study text that needs no script: HTML for the page, plain text for the notebook's file."""

    def __init__(self, body: str, plain: str) -> None:
        self.body, self.plain = body, plain

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": f'<div class="panel">{self.body}</div>', "text/plain": self.plain}

    def __repr__(self) -> str:
        return self.plain


def concepts(chapter: str) -> Panel:
    """Show the box of key concepts and the box of examples and applications."""
    aids = load(chapter)
    boxes = [("Key concepts", aids.concepts), ("Examples and applications", aids.applications)]
    body = "".join(
        f"<section><h3>{t}</h3><ul>{''.join(f'<li>{inline(i)}</li>' for i in items)}</ul></section>"
        for t, items in boxes
    )
    return Panel(
        f'<div class="boxes">{body}</div>', "\n".join(t + "".join(f"\n- {i}" for i in items) for t, items in boxes)
    )


def memory(chapter: str) -> Panel:
    """Show the four memory aids."""
    aids = load(chapter).memory
    kinds = [("Acronym", aids.acronym), ("Rhyme", aids.rhyme), ("Story", aids.story), ("Picture", aids.picture)]
    body = "".join(f"<section><h3>{t}</h3>{block(text)}</section>" for t, text in kinds)
    return Panel(f'<div class="boxes">{body}</div>', "\n".join(f"{t}: {text}" for t, text in kinds))


def open_questions(chapter: str) -> Panel:
    """Show the open questions: model answer, rubric, and a weak answer improved step by step."""
    body, plain = [], []
    for n, q in enumerate(load(chapter).open_questions, 1):
        steps = "".join(f"<li><p>“{inline(a.answer)}”</p><p><em>{inline(a.critique)}</em></p></li>" for a in q.attempts)
        rubric = "".join(f"<li>{inline(r)}</li>" for r in q.rubric)
        body.append(
            f"<section><h3>Question {n}</h3><p>{inline(q.question)}</p>"
            f"<details><summary>A weak answer, improved step by step</summary><ol>{steps}</ol></details>"
            f"<details><summary>Rubric</summary><ul>{rubric}</ul></details>"
            f"<details><summary>A model answer</summary>{block(q.model_answer)}</details></section>"
        )
        plain.append(f"{n}. {q.question}\nModel answer: {q.model_answer}")
    return Panel("".join(body), "\n".join(plain))


def _mixed(q: Question) -> list[Option]:
    """Return the options in an order that is fixed but does not follow the file's."""
    return sorted(q.options, key=lambda o: hashlib.sha256(f"{q.id}/{o.text}".encode()).digest())


def _with_words(shown: Figure, words: str) -> Figure:
    """Return the figure with its whole text stored in the notebook, so that it reads where no script runs."""
    shown.words = words
    return shown
