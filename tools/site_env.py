"""What is remembered of each page when it is read, from build to build, so that a build opens only the pages that changed."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def remembered(env: BuildEnvironment, what: str) -> dict[str, Any]:
    """Return what is known of every page under this name."""
    if not hasattr(env, "neurons"):
        env.neurons = {}  # type: ignore[attr-defined]
    return env.neurons.setdefault(what, {})  # type: ignore[attr-defined, no-any-return]


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Drop what was known of a page that is read anew or gone."""
    for known in getattr(env, "neurons", {}).values():
        known.pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    """Take over what another process read."""
    for what, found in getattr(other, "neurons", {}).items():
        remembered(env, what).update({page: found[page] for page in docnames if page in found})


def connect(app: Sphinx) -> None:
    """Connect the hooks."""
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
