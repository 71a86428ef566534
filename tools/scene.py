"""What happens in a chapter's film: who speaks how long, what the figures do meanwhile, and the captions of it.

The words are the chapter's dialogue (``companion/aids``). What the figures do is data too, in ``tools/scenes/NN.yml``: beside the
tool and not in the aids file, because the aids travel in the wheel and are part of the key of the executed notebooks,
and a film is of no use to either. One entry per turn, by its number; turns without one let the figure stand::

    1:
      - show: neuron_boundary
      - move: {figure: neuron_boundary, to: {weight w₁: 1.2, bias b: -3}}     # sliders, together, each in its own units
      - choose: {figure: activation_explorer, control: function, to: sigmoid}  # the words of an option; for a box on or off
      - press: {figure: perceptron_steps, button: Next}
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import figure_page
import yaml
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError, model_validator

from companion import study

FOLDER = Path(__file__).resolve().parent / "scenes"
WORDS_PER_SECOND, SHORTEST = 2.6, 3.0  # reading aloud, unhurried


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Move(_Strict):
    """Sliders of one figure on their way to new values, together."""

    figure: str
    to: dict[str, float] = Field(min_length=1)


class Choose(_Strict):
    """An option of a list, by its words, or a box to tick or clear."""

    figure: str
    control: str
    to: str | bool


class Press(_Strict):
    """A button, by the words that its name begins with."""

    figure: str
    button: str


class Action(_Strict):
    """One thing that is done; exactly one of the four."""

    show: str | None = None
    move: Move | None = None
    choose: Choose | None = None
    press: Press | None = None

    @model_validator(mode="after")
    def _one(self) -> Action:
        if len(self.model_fields_set) != 1:
            raise ValueError("expected exactly one of show, move, choose, press")
        return self

    @property
    def figure(self) -> str:
        """Return the figure that it happens on."""
        done = self.move or self.choose or self.press
        return done.figure if done else self.show or ""


class Scene(RootModel[dict[int, list[Action]]]):
    """The actions of each turn, by its number from 1."""

    @property
    def figures(self) -> list[str]:
        """Return the figures that take part, in the order of their appearance."""
        return list(dict.fromkeys(a.figure for _, actions in sorted(self.root.items()) for a in actions))


@dataclass(frozen=True)
class Line:
    """A turn of the dialogue with its time in the film, in seconds."""

    who: str
    say: str
    start: float
    end: float


def lines(chapter: str) -> list[Line]:
    """Return the turns of a chapter's dialogue, each as long as reading it aloud takes."""
    found, now = [], 0.0
    for turn in study.load(chapter).dialogue:
        end = now + max(SHORTEST, round(len(turn.say.split()) / WORDS_PER_SECOND, 1))
        found.append(Line(turn.who, turn.say, round(now, 3), round(end, 3)))
        now = end
    return found


def load(chapter: str) -> Scene:
    """Return the scene of a chapter; what is wrong in its file is one sentence."""
    file = FOLDER / f"{chapter}.yml"
    if not file.exists():
        raise SystemExit(
            f"videos: chapter {chapter} has no scene: write {file.name} in tools/scenes, as tools/scene.py says"
        )
    return parse(file.read_text(encoding="utf-8"), file.name, len(study.load(chapter).dialogue))


def parse(text: str, name: str, turns: int) -> Scene:
    """Return the scene in a YAML text, for a dialogue of so many turns."""
    try:
        scene = Scene.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise SystemExit(f"videos: {name} expected valid YAML, got {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SystemExit(f"videos: {name}, {where}: {first['msg']}, got {str(first['input'])[:60]!r}") from None
    known = figure_page.names()
    for turn, actions in scene.root.items():
        if not 1 <= turn <= turns:
            raise SystemExit(f"videos: {name} expected turns 1 to {turns} of the dialogue, got {turn}")
        for action in actions:
            if action.figure not in known:
                raise SystemExit(
                    f"videos: {name}, turn {turn}: figure expected one of {', '.join(sorted(known))}, got {action.figure!r}"
                )
    if not scene.root.get(1):
        raise SystemExit(f"videos: {name} expected something to see in turn 1, got nothing; begin with `show`")
    return scene


def captions(spoken: Sequence[Line], note: str = "") -> str:
    """Return WebVTT: one cue a sentence, without gap or overlap; the speaker's name opens each turn."""
    cues = [f"{_clock(start)} --> {_clock(end)}\n<v {who}>{text}\n" for who, text, start, end in _sentences(spoken)]
    head = f"WEBVTT\n\nNOTE {note}\n\n" if note else "WEBVTT\n\n"
    return head + "\n".join(cues)


def _sentences(spoken: Sequence[Line]) -> Iterator[tuple[str, str, float, float]]:
    for line in spoken:
        parts = re.split(r"(?<=[.?!]) ", line.say)
        counts = [len(part.split()) for part in parts]
        edges = [line.start + (line.end - line.start) * sum(counts[:k]) / sum(counts) for k in range(len(parts) + 1)]
        for k, part in enumerate(parts):
            name = f"{line.who}: " if k == 0 else ""
            yield line.who, html.escape(name + part, quote=False), edges[k], edges[k + 1]


def _clock(seconds: float) -> str:
    thousandths = round(seconds * 1000)
    return f"{thousandths // 3_600_000:02}:{thousandths // 60_000 % 60:02}:{thousandths // 1000 % 60:02}.{thousandths % 1000:03}"


def timed(actions: Sequence[Action], frames: int, rate: int) -> list[tuple[Action, int, int]]:
    """Return each action of a turn with its first and last frame: half a second of rest before, and between them a share each.

    A slider takes at most three seconds; somebody has to see where it went.
    """
    rest = min(rate // 2, frames // 4)
    share = (frames - rest) / max(1, len(actions))
    spans: list[tuple[Action, int, int]] = []
    for k, action in enumerate(actions):
        first = rest + int(k * share)
        spans.append((action, first, first + max(1, min(int(share * 0.75), 3 * rate))))
    return spans


def json_of(action: Action) -> dict[str, Any]:
    """Return an action as the page's script wants it."""
    return action.model_dump(exclude_none=True)
