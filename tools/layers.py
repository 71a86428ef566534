"""The layers of the companion: which part stands on which, and how the imports of its source are read.

Imports go downwards only, or sideways within a layer. tests/companion/test_layers.py holds the whole package to that, and
tools/architecture_page.py draws it.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import notebooks

PACKAGE = notebooks.ROOT / "companion"
Sources = Mapping[str, tuple[str, bool]]  # the name of a module: its source, and whether it is a package

#: The parts of the companion from the lowest layer up; some are planned and not there yet.
LAYERS = {
    "helpers": {"errors", "random", "device"},
    "functions and data": {"autograd", "functional", "metrics", "init", "data", "summary"},
    "layers and optimizers": {"nn", "optim", "lr_scheduler"},
    "models and training": {"models", "training", "search", "experiments"},
    "practice and responsibility": {
        "transfer",
        "detection",
        "export",
        "robustness",
        "explain",
        "fairness",
        "privacy",
        "energy",
    },
    "what a page shows": {"plotting", "figures", "claims", "study"},
    "exercises and commands": {"checks", "grading", "cli", "train"},
}
LEVEL = {part: level for level, parts in enumerate(LAYERS.values()) for part in parts}
#: What a part must not import although the layers would allow it.
FORBIDDEN = {"training": {"models"}, "checks": {"plotting", "figures"}}
#: What the package does not carry.
OUTSIDE = {"tests", "book", "exercises", "solutions", "tools"}
#: The only packages from elsewhere that a part may import, the standard library aside.
ALLOWED_FROM_ELSEWHERE: dict[str, set[str]] = {
    "errors": set(),
    "random": {"numpy", "torch"},
    "device": {"torch"},
    "autograd": {"numpy"},
}


def package(root: Path = PACKAGE) -> dict[str, tuple[str, bool]]:
    """Return the source of every module below a folder, by its dotted name."""
    return {
        module_name(path, root): (path.read_text(encoding="utf-8"), path.name == "__init__.py")
        for path in sorted(root.rglob("*.py"))
    }


def module_name(path: Path, root: Path) -> str:
    """Return the dotted name of a file of the package."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(["companion", *(parts[:-1] if parts[-1] == "__init__" else parts)])


@functools.cache
def imported(source: str, module: str, is_package: bool) -> list[tuple[str, int]]:
    """List every module that a source imports, in functions too, as (absolute dotted name, line)."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")
                above = above[: len(above) - node.level + is_package]
                base = ".".join([*above, *([node.module] if node.module else [])])
            if base == "companion":  # from companion import nn
                found += [(f"companion.{alias.name}", node.lineno) for alias in node.names]
            else:
                found.append((base, node.lineno))
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "__import__"):
            found += [
                (a.value, node.lineno)
                for a in node.args[:1]
                if isinstance(a, ast.Constant) and isinstance(a.value, str)
            ]
    return found


def called(node: ast.Call) -> str:
    """Return the last name of what is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def part_of(module: str) -> str:
    """Return the part of the companion to which a module belongs, nothing for the package itself and for others' modules."""
    top, _, rest = module.partition(".")
    return rest.partition(".")[0] if top == "companion" else ""


def violations(sources: Sources) -> list[str]:
    """Say which imports break the rules, each in a sentence."""
    faults = []
    for module, (source, is_package) in sources.items():
        part = part_of(module)
        if part and part not in LEVEL:
            faults.append(f"{module}: {part} stands in no layer; put it into LAYERS of tools/layers.py")
            continue
        for name, line in imported(source, module, is_package):
            if why := broken(part, name):
                faults.append(f"{module}, line {line}: imports {name}, {why}")
    return faults


def broken(part: str, name: str) -> str:
    """Say which rule the import of a module by a part breaks, or nothing."""
    top, target = name.partition(".")[0], part_of(name)
    if top in OUTSIDE:
        return "which the package does not carry"
    if top != "companion":
        allowed = ALLOWED_FROM_ELSEWHERE.get(part)
        fine = allowed is None or top in allowed or top in sys.stdlib_module_names
        return "" if fine else "more than this part may need"
    if not part and target:
        return "but import companion must stay light"
    if target in FORBIDDEN.get(part, ()):
        return f"which {part} must not"
    if target in LEVEL and LEVEL[target] > LEVEL[part]:
        return f"upwards from layer {LEVEL[part]} to {LEVEL[target]}"
    return ""


def edges(sources: Sources) -> Iterator[tuple[str, str]]:
    """Yield for every import of one part by another (who imports, what)."""
    for module, (source, is_package) in sources.items():
        for name, _ in imported(source, module, is_package):
            part, target = part_of(module), part_of(name)
            if part and target in LEVEL and target != part:
                yield part, target


def cycles(sources: Sources) -> list[tuple[str, str]]:
    """List pairs of parts that import each other."""
    found = set(edges(sources))
    return sorted((a, b) for a, b in found if a < b and (b, a) in found)
