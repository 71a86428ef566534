"""One interactive figure with three front ends: a live widget, a static page, and plain words."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, NamedTuple

from companion.errors import bad_value
from companion.figures.controls import Control, described

_JS = resources.files("companion.figures") / "js"
_STYLES = ("figures.css", "aids.css")
_LIBRARY = ("kit", "runtime")
SITE_VARIABLE = "NEURONS_SITE"


class Figure:
    """Show an ES module of ``companion/figures/js`` with its state, and say in words what it shows.

    With the environment variable ``NEURONS_SITE=1`` only ``text/html`` and ``text/plain`` are given, because
    the page mounts the module itself; otherwise an anywidget view is added. ``text/plain`` is deterministic:
    a notebook stores it and nbval compares it, so ``alt`` should hold numbers of the default state, computed.

    Args:
        name: module, a file name in ``companion/figures/js`` without its ending.
        state: what the module reads; anything that JSON can hold, finite numbers only.
        alt: what is seen in the default state, with its numbers.
        caption: the finding, one sentence.
        controls: what the reader can move, by the name that the module and the address of a shared state use.
        task: what to predict or to try; empty for none.
        guesses: predictions to choose from before the answer is opened.
        right: which of them comes true.
        answer: shown when the reader asks for it.
        fallback: SVG or HTML of the default state, shown without JavaScript and on paper.

    Raises:
        ValueError: an unknown module, a state that JSON cannot hold, a control that starts outside of its range, or guesses
            without a right one.
    """

    def __init__(
        self,
        name: str,
        state: dict[str, Any],
        *,
        alt: str,
        caption: str,
        controls: Mapping[str, Control] | None = None,
        task: str = "",
        guesses: Sequence[str] = (),
        right: int = 0,
        answer: str = "",
        fallback: str = "",
    ) -> None:
        if name not in modules():
            raise bad_value("Figure", "name", f"one of {', '.join(modules())}", repr(name))
        if guesses and (right not in range(len(guesses)) or len(set(guesses)) < len(guesses)):
            expected = f"the place of one of {len(guesses)} different guesses, from 0"
            raise bad_value(f"Figure {name}", "right", expected, right)
        if taken := {"controls", "figure", "linked"} & set(state):
            raise bad_value(f"Figure {name}", "state", "no field of this name, which the kit sets", ", ".join(taken))
        self.controls = dict(controls or {})
        if controls:
            state = {**state, "controls": described(name, controls)}
        try:
            self._json = json.dumps(state, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        except (TypeError, ValueError) as error:
            hint = "convert tensors with .tolist() and replace nan and inf"
            raise bad_value("Figure", "state", "finite numbers, texts, lists and dicts", error, hint) from None
        self.name, self.state = name, state
        self.guesses, self.right = tuple(guesses), right
        self.alt, self.caption, self.task, self.answer, self.fallback = alt, caption, task, answer, fallback
        self.words = ""  # more text for the notebook's file: what a study aid says in full

    @property
    def text(self) -> str:
        """Return the figure in words, as it is stored in a notebook."""
        guesses = "".join(f"\n   - {guess}" for guess in self.guesses)
        task = f"\nTask: {self.task}{guesses}" if self.task else ""
        words = f"\n{self.words}" if self.words else ""
        return f"Interactive figure: {self.caption}\n{self.alt}{task}{words}"

    @property
    def html(self) -> str:
        """Return the figure for a static page, with state, fallback, caption, task and answer."""
        data = self._json.replace("<", "\\u003c")  # "</script>" in a text must not end the element
        return self._shell(f'<script type="application/json">{data}</script>')

    def _shell(self, data: str = "") -> str:
        return (
            f'<figure class="nfig" data-nfig="{self.name}" aria-label="{html.escape(self.alt)}">'
            f"{data}{self._question()}"
            f'<div class="nfig-body"><div class="nfig-fallback">{self.fallback}</div></div>'
            f"{self._folded_answer()}<figcaption>{html.escape(self.caption)}</figcaption></figure>"
        )

    def _question(self) -> str:
        """Return the task and the guesses: above the picture, because a prediction comes first."""
        if not self.task:
            return ""
        guesses = "".join(f"<li>{html.escape(guess)}</li>" for guess in self.guesses)
        if guesses:
            guesses = f'<ol type="a" class="nfig-guesses" data-right="{self.right}">{guesses}</ol>'
        return f'<div class="nfig-task"><p>{html.escape(self.task)}</p>{guesses}</div>'

    def _folded_answer(self) -> str:
        if not self.answer:
            return ""
        answer = f"<p>{html.escape(self.answer)}</p>"
        return f'<details class="nfig-answer"><summary>Show the answer</summary>{answer}</details>'

    def widget(self) -> Any:
        """Return a new anywidget that shows this figure; anywidget is imported here and not before."""
        import anywidget
        import traitlets

        members = {
            "_esm": widget_module(self.name),
            "_css": _style(),
            "state": traitlets.Dict(json.loads(self._json)).tag(sync=True),
            # The widget mounts itself, so the attribute that a page's runtime looks for is left out.
            "shell": traitlets.Unicode(self._shell().replace(f' data-nfig="{self.name}"', "")).tag(sync=True),
        }
        return type(f"Figure_{self.name}", (anywidget.AnyWidget,), members)()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        words = {"text/html": self.html, "text/plain": self.text}
        if os.environ.get(SITE_VARIABLE) == "1":
            return words
        view = self.widget()._repr_mimebundle_() or {}
        return {**(view[0] if isinstance(view, tuple) else view), **words}

    def __repr__(self) -> str:
        return self.text


class Entry(NamedTuple):
    """A figure's place in the gallery: chapter, heading, and the function that makes it."""

    chapter: str
    title: str
    make: Callable[[], Figure]


#: Every interactive figure by its name: the gallery, the stored pictures and the tests that all figures share follow this table.
GALLERY: dict[str, Entry] = {}


def figure(chapter: str, title: str) -> Callable[[Callable[[], Figure]], Callable[[], Figure]]:
    """Return a decorator that puts the maker of a figure, whose name is its module's, into the gallery."""

    def entered(make: Callable[[], Figure]) -> Callable[[], Figure]:
        GALLERY[make.__name__] = Entry(chapter, title, make)
        return make

    return entered


def minus(text: str) -> str:
    """Return a text with the typographic minus sign before numbers and in exponents.

    >>> minus("a 2-2-1 network, b = -0.5, 1e-07")
    'a 2-2-1 network, b = −0.5, 1e−07'
    """
    return re.sub(r"(?<![\w-])-(?=\d)|(?<=\de)-", "−", text)


@cache
def modules() -> tuple[str, ...]:
    """Return the names of all figure modules, sorted."""
    names = (p.name.removesuffix(".js") for p in _JS.iterdir() if p.name.endswith(".js"))
    return tuple(sorted(n for n in names if n not in _LIBRARY))


@cache
def page_files() -> Mapping[str, str]:
    """Return the scripts and the stylesheet that static pages load, by file name.

    The scripts are classic ones (they work from ``file://``): ``kit.js`` is on each page with a figure and mounts every
    ``[data-nfig]`` of it; each module has a file of its own, so that a page loads the ones it shows.
    """
    files = {"kit.js": f"window.NFIG = {{ kit: {_library()}, modules: {{}} }};\nNFIG.kit.start(NFIG.modules);\n"}
    files |= {f"{name}.js": f'NFIG.modules["{name}"] = {_scoped(name)}(NFIG.kit);\n' for name in modules()}
    return MappingProxyType(files | {"figures.css": _style()})


@cache
def widget_module(name: str) -> str:
    """Return one module with the shared library inside, as the single file that anywidget loads."""
    return f"const kit = {_library()};\nexport default kit.framed({_scoped(name)}(kit));\n"


@cache
def _library() -> str:
    """Return kit.js and runtime.js as one expression whose value holds what they export."""
    parts = re.findall(r'^export \* from "\./(kit/\w+)\.js";', _read("kit"), flags=re.M)
    sources = [_read(part) for part in (*parts, "runtime")]
    names = [
        n for source in sources for n in re.findall(r"^export (?:const|(?:async )?function) (\w+)", source, flags=re.M)
    ]
    body = "\n".join(_plain(part) for part in (*parts, "runtime"))
    return f'(() => {{\n"use strict";\n{body}\nreturn {{ {", ".join(names)} }};\n}})()'


def _scoped(name: str) -> str:
    """Return a module as a function of the library whose value is the module's default export."""
    parts = re.findall(
        r'^import \{[^}]*\} from "\./(parts/\w+)\.js";', _read(name), flags=re.M
    )  # shared by a few modules
    taken = [
        re.search(r'^import \{([^}]*)\} from "\.{1,2}/kit\.js";', _read(one), flags=re.M) for one in (name, *parts)
    ]
    wanted = dict.fromkeys(word for found in taken if found for word in re.findall(r"\w+", found[1]))
    head = f"const {{ {', '.join(wanted)} }} = kit;\n" if wanted else ""
    own = "".join(f"{_plain(part)}\n" for part in parts)
    return f'((kit) => {{\n"use strict";\n{head}{own}{_plain(name)}\n}})'


def _plain(name: str) -> str:
    """Return a module's source without import and export, comment lines and indentation."""
    source = re.sub(r'^import \{[^}]*\} from "\.{1,2}/[\w/]+\.js";\n', "", _read(name), flags=re.M)
    source = re.sub(r"^export default ", "return ", source, flags=re.M)
    source = re.sub(r"^export (?=const|function|async function)", "", source, flags=re.M)
    if stray := re.search(r"^(import|export)\b.*", source, flags=re.M):
        expected = "imports of names from ./kit.js and exports of const, function or default"
        raise bad_value("figures", f"{name}.js", expected, stray[0])
    source = re.sub(r"/\*\*.*?\*/", "", source, flags=re.S)
    source = re.sub(r"^\s*//.*\n|\s+// .*$", "", source, flags=re.M)
    return re.sub(r"\n\s+", "\n", source).strip()


def _style() -> str:
    return "\n".join((_JS / name).read_text(encoding="utf-8") for name in _STYLES)


def _read(name: str) -> str:
    return (_JS / f"{name}.js").read_text(encoding="utf-8")
