"""Study aids as data: one YAML file per chapter, checked by a schema, shown in the page and in the notebook.

``companion/aids/NN_topic.yml`` holds the dialogue, the summaries, memory aids, flashcards, quiz, open questions and
glossary terms of chapter NN. From it come the sections of the page, the Anki deck and the glossary.
"""

from __future__ import annotations

import hashlib
import html
import inspect
import re
import sys
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from . import figures
from .errors import bad_type, bad_value
from .figures import Figure

Id = str


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Objective(_Strict):
    """What the reader can do afterwards, and the exercises (or quiz questions) that show it."""

    text: str = Field(min_length=15)
    shown_by: list[Id] = Field(min_length=1)


class Turn(_Strict):
    """One turn of the dialogue; it is also spoken, so it holds no markup."""

    who: Literal["Student", "Teacher"]
    say: str = Field(min_length=5, pattern=r"^[^`*$<>]+$")


class Summary(_Strict):
    """The chapter at three depths: half a minute, two minutes, five minutes."""

    quick: str = Field(min_length=80)
    standard: str = Field(min_length=400)
    detailed: str = Field(min_length=1000)


class Memory(_Strict):
    """The four kinds of memory aid."""

    acronym: str = Field(min_length=40)
    rhyme: str = Field(min_length=40)
    story: str = Field(min_length=150)
    picture: str = Field(min_length=80)


class Card(_Strict):
    """A flashcard; ``key`` never changes, so that mending a typo keeps a learner's history in Anki."""

    key: str = Field(pattern=r"^[a-z0-9-]+$")
    front: str = Field(min_length=8)
    back: str = Field(min_length=8)


class Option(_Strict):
    """A quiz option and why it is right or wrong."""

    text: str
    why: str = Field(min_length=25)
    correct: bool = False


class Question(_Strict):
    """A quiz question with exactly one right option."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    question: str = Field(min_length=15)
    options: list[Option] = Field(min_length=3, max_length=5)

    @model_validator(mode="after")
    def _one_right(self) -> Question:
        if sum(o.correct for o in self.options) != 1:
            raise ValueError(f"question {self.id}: exactly one option must be correct")
        return self


class Attempt(_Strict):
    """A weak answer and what would improve it."""

    answer: str = Field(min_length=20)
    critique: str = Field(min_length=20)


class OpenQuestion(_Strict):
    """A question without one right wording: model answer, rubric, and a weak answer improved step by step."""

    question: str = Field(min_length=20)
    model_answer: str = Field(min_length=150)
    rubric: list[str] = Field(min_length=3)
    attempts: list[Attempt] = Field(min_length=2)


class Term(_Strict):
    """A glossary term and the anchor of the section that explains it."""

    term: str
    definition: str = Field(min_length=30)
    anchor: str = Field(pattern=r"^[a-z0-9-]+$")


class Given(_Strict):
    """A number in the prose that no cell makes: a worked example by hand or a published figure, with its source."""

    number: str
    source: str = Field(min_length=8)


class Aids(_Strict):
    """Everything in one chapter's file."""

    chapter: str = Field(pattern=r"^\d\d[a-f]?$")
    title: str
    promise: str = Field(min_length=30, max_length=170)
    status: Literal["draft", "done"]
    objectives: list[Objective] = Field(min_length=3, max_length=6)
    dialogue: list[Turn] = Field(min_length=8, max_length=14)
    summary: Summary
    concepts: list[str] = Field(min_length=4)
    applications: list[str] = Field(min_length=3)
    memory: Memory
    flashcards: list[Card]
    quiz: list[Question]
    open_questions: list[OpenQuestion] = Field(min_length=2)
    terms: list[Term]
    given: list[Given] = []


def chapters() -> list[str]:
    """Return the ids of the chapters that have an aids file, in order."""
    return sorted(p.name[:2] for p in files("companion").joinpath("aids").iterdir() if p.name.endswith(".yml"))


@cache
def load(chapter: str) -> Aids:
    """Return a chapter's aids; a missing file or field is one sentence that says what to do."""
    folder = files("companion").joinpath("aids")
    names = sorted(p.name for p in folder.iterdir() if p.name.endswith(".yml"))
    found = [n for n in names if n.split("_")[0] == chapter]
    if not found:
        known = ", ".join(n.split("_")[0] for n in names)
        raise bad_value("study", "chapter", f"one of {known}", repr(chapter), "write it as text, for example '01'")
    return parse(folder.joinpath(found[0]).read_text(encoding="utf-8"), found[0])


def parse(text: str, name: str) -> Aids:
    """Return the aids in a YAML text, or say in one sentence which field of which file is wrong."""
    try:
        return Aids.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}" if mark else "somewhere"
        raise bad_value(
            "study", name, "valid YAML", f"a fault in {line}", str(getattr(error, "problem", error))
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        got = repr(first["input"])[:60] if first["type"] != "missing" else "nothing"
        raise bad_value(
            "study", f"{name}, field {field}", first["msg"].lower(), got, "see companion/study.py for the fields"
        ) from None


def dialogue(chapter: str) -> Figure:
    """Show the dialogue; where the browser has a voice it can be listened to."""
    aids = load(chapter)
    shown = figures.dialogue(
        aids.title, [{"who": t.who, "text": html.escape(t.say), "say": t.say} for t in aids.dialogue]
    )
    return _with_words(shown, "\n".join(f"{t.who}: {t.say}" for t in aids.dialogue))


def summary(chapter: str) -> Figure:
    """Show the summary at three depths as tabs."""
    depths = load(chapter).summary.model_dump()
    items = [{"title": depth.capitalize(), "html": block(text)} for depth, text in depths.items()]
    shown = figures.tabs(items, caption="Summary at three depths", label="Choose a depth")
    return _with_words(shown, "\n\n".join(f"{depth.upper()}\n{text}" for depth, text in depths.items()))


def flashcards(chapter: str) -> Figure:
    """Show the chapter's flashcards."""
    cards = load(chapter).flashcards
    shown = figures.flashcards([{"front": inline(c.front), "back": inline(c.back)} for c in cards])
    return _with_words(shown, "\n".join(f"{c.front} | {c.back}" for c in cards))


def quiz(chapter: str) -> Figure:
    """Show the practice test: one right option each, every option explained; options stand in an order that gives nothing away."""
    questions = load(chapter).quiz
    items = [
        {
            "id": q.id,
            "question": inline(q.question),
            "options": [{"text": inline(o.text), "correct": o.correct, "why": inline(o.why)} for o in _mixed(q)],
        }
        for q in questions
    ]
    lines = (
        f"{n}. {q.question}\n" + "\n".join(f"   - {o.text}" for o in _mixed(q)) for n, q in enumerate(questions, 1)
    )
    return _with_words(figures.quiz(items), "\n".join(lines))


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


def source(thing: Any) -> Panel:
    """Show a function or class of the companion as its own file has it, folded.

    Args:
        thing: what to show, for example ``F.sigmoid``; the notebook's file keeps its signature and the first line of its docstring.
    """
    home = getattr(thing, "__module__", "") or ""
    if not (inspect.isfunction(thing) or inspect.isclass(thing)) or home.split(".")[0] != "companion":
        hint = "pass the function itself, without brackets: source(F.sigmoid)"
        raise bad_type("source", "thing", "a function or class of the companion", thing, hint)
    parts = home.split(".")
    outer = (".".join(parts[:n]) for n in range(1, len(parts) + 1))
    word = str(thing.__name__)
    name = next(f"{m}.{word}" for m in outer if getattr(sys.modules[m], word, None) is thing)
    asked = inspect.signature(thing)
    bare = asked.replace(
        parameters=[p.replace(annotation=p.empty) for p in asked.parameters.values()], return_annotation=asked.empty
    )
    line = (inspect.getdoc(thing) or "").split("\n")[0]
    from pygments import highlight  # comes with IPython, so wherever a notebook runs
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    code = highlight(inspect.getsource(thing), PythonLexer(), HtmlFormatter(nowrap=True))
    shown = html.escape(name)
    body = (
        f'<details class="source"><summary>Source of <code>{shown}</code></summary>'
        f'<div class="highlight"><pre>{code}</pre></div><p class="api-entry" data-api="{shown}"></p></details>'
    )
    return Panel(body, f"Source of {name}{bare}\n{line}")


def inline(text: str) -> str:
    """Return text with `code`, *emphasis*, **strong** and [links](https://...) as HTML; everything else is escaped."""
    text = html.escape(" ".join(text.split()), quote=False)
    codes: list[str] = []

    def keep(match: re.Match[str]) -> str:
        codes.append(f"<code>{match[1]}</code>")
        return f"\0{len(codes) - 1}\0"

    text = re.sub(r"`([^`]+)`", keep, text)
    text = re.sub(r"\*\*(\S[^*]*)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"(?<![\w*])\*(\S[^*]*)\*(?!\w)", r"<em>\1</em>", text)
    text = re.sub(
        r"\[([^\]]+)\]\((https?://[^)\s\"]+|[\w./-]+\.(?:html|ipynb)(?:#[\w-]+)?)\)", r'<a href="\2">\1</a>', text
    )
    return re.sub(r"\0(\d+)\0", lambda m: codes[int(m[1])], text)


def block(text: str) -> str:
    """Return paragraphs (separated by blank lines) and lists (lines that begin with "- ") as HTML."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = paragraph.strip().splitlines()
        if all(line.lstrip().startswith("- ") for line in lines):
            parts.append("<ul>" + "".join(f"<li>{inline(line.lstrip()[2:])}</li>" for line in lines) + "</ul>")
        else:
            parts.append(f"<p>{inline(paragraph)}</p>")
    return "".join(parts)


def _mixed(q: Question) -> list[Option]:
    """Return the options in an order that is fixed but does not follow the file's."""
    return sorted(q.options, key=lambda o: hashlib.sha256(f"{q.id}/{o.text}".encode()).digest())


def _with_words(shown: Figure, words: str) -> Figure:
    """Return the figure with its whole text stored in the notebook, so that it reads where no script runs."""
    shown.words = words
    return shown
