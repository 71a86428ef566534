"""The layers of the companion: imports go downwards only, read from the source of the whole package."""

import ast
from pathlib import Path

import pytest

import companion

ROOT = Path(companion.__file__).parent

LAYERS = [
    {"errors", "random", "device"},
    {"autograd", "functional", "metrics", "init", "data", "summary"},
    {"nn", "optim", "lr_scheduler"},
    {"models", "training", "search", "experiments"},
    {"transfer", "detection", "export", "robustness", "explain", "fairness", "privacy", "energy"},
    {"plotting", "figures", "claims", "study"},
    {"checks", "grading", "cli", "train"},
]
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}

# part: what it must not import although the layers would allow it
FORBIDDEN = {"training": {"models"}, "checks": {"plotting", "figures"}}
OUTSIDE = {"tests", "book", "exercises", "solutions", "tools"}
# part: the only packages from elsewhere that it may import (the standard library aside)
ALLOWED_FROM_ELSEWHERE = {
    "errors": set(),
    "random": {"numpy", "torch"},
    "device": {"torch"},
    "autograd": {"numpy"},
}


def module_name(path, root):
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(["companion", *(parts[:-1] if parts[-1] == "__init__" else parts)])


def imported(tree, module, is_package):
    """List every module that a syntax tree imports, in functions too, as (absolute dotted name, line)."""
    found = []
    for node in ast.walk(tree):
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
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
        ):
            found += [
                (a.value, node.lineno)
                for a in node.args[:1]
                if isinstance(a, ast.Constant) and isinstance(a.value, str)
            ]
    return found


def violations(sources, standard_library):
    """Say, for a mapping of module name to (source, is a package), which imports break the rules."""
    faults = []
    for module, (source, is_package) in sources.items():
        part = module.split(".")[1] if "." in module else None
        if part is not None and part not in LEVEL:
            faults.append(f"{module}: {part} stands in no layer; put it into LAYERS of this test and into style.md")
            continue
        for name, line in imported(ast.parse(source), module, is_package):
            top, _, rest = name.partition(".")
            target = rest.partition(".")[0]
            where = f"{module}, line {line}: imports {name}"
            if top in OUTSIDE:
                faults.append(f"{where}, which the package does not carry")
            elif top != "companion":
                allowed = ALLOWED_FROM_ELSEWHERE.get(part)
                if allowed is not None and top not in allowed and top not in standard_library:
                    faults.append(f"{where}, more than this part may need")
            elif part is None and target:
                faults.append(f"{where}, but import companion must stay light")
            elif target in FORBIDDEN.get(part, ()):
                faults.append(f"{where}, which {part} must not")
            elif target in LEVEL and LEVEL[target] > LEVEL[part]:
                faults.append(f"{where}, upwards from layer {LEVEL[part]} to {LEVEL[target]}")
    return faults


def package(root=ROOT):
    return {
        module_name(path, root): (path.read_text(encoding="utf-8"), path.name == "__init__.py")
        for path in sorted(root.rglob("*.py"))
    }


def cycles(sources):
    """List pairs of parts that import each other."""
    edges = set()
    for module, (source, is_package) in sources.items():
        for name, _ in imported(ast.parse(source), module, is_package):
            if name.startswith("companion.") and "." in module:
                edges.add((module.split(".")[1], name.split(".")[1]))
    return sorted((a, b) for a, b in edges if a < b and (b, a) in edges)


@pytest.fixture(scope="module")
def standard_library():
    import sys

    return sys.stdlib_module_names


def test_companion_imports_downwards_only(standard_library):
    sources = package()
    assert "companion.functional.activations" in sources
    assert violations(sources, standard_library) == []


def test_no_two_parts_of_the_companion_import_each_other():
    assert cycles(package()) == []


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("companion.functional.shares", "from companion import nn", "upwards from layer 1 to 2"),
        ("companion.functional", "from companion.nn.linear import Linear", "upwards from layer 1 to 2"),
        (
            "companion.errors",
            "import companion.random as r\nimport companion.data",
            "upwards from layer 0 to 1",
        ),
        ("companion.nn.linear", "from ..models import mlp", "upwards from layer 2 to 3"),
        ("companion.nn.linear", "from .. import training", "upwards from layer 2 to 3"),
        ("companion.data", "def f():\n    from companion import plotting", "upwards from layer 1 to 5"),
        (
            "companion.data",
            "import importlib\nimportlib.import_module('companion.study')",
            "upwards from layer 1 to 5",
        ),
        ("companion.training", "from companion.models import mlp", "which training must not"),
        ("companion.checks.ch01_neurons", "from companion.figures import Figure", "which checks must not"),
        ("companion.checks.core", "from companion import plotting", "which checks must not"),
        ("companion.cli", "import tests.companion", "which the package does not carry"),
        ("companion.study", "from exercises import x", "which the package does not carry"),
        ("companion.errors", "import torch", "more than this part may need"),
        ("companion.autograd", "import torch", "more than this part may need"),
        ("companion.bananas", "import torch", "stands in no layer"),
        ("companion", "from companion import nn", "must stay light"),
    ],
)
def test_a_planted_import_is_caught(standard_library, module, source, fault):
    is_package = module in ("companion", "companion.functional", "companion.data")
    faults = violations({module: (source, is_package)}, standard_library)
    assert len(faults) == 1
    assert fault in faults[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("companion.nn.linear", "from companion import functional as F"),
        ("companion.training", "from companion.errors import bad_value\nimport torch, math"),
        ("companion.grading", "from companion.checks import check"),
        ("companion.study", "from .figures import Figure"),
        ("companion.random", "import random, numpy\nfrom companion.errors import bad_type"),
        ("companion.nn.linear", "from .activation import ReLU"),
        ("companion", "from importlib.metadata import version"),
    ],
)
def test_a_downward_or_sideways_import_passes(standard_library, module, source):
    assert violations({module: (source, False)}, standard_library) == []


def test_two_parts_that_import_each_other_are_caught():
    sources = {
        "companion.models.mlp": ("from companion.search import x", False),
        "companion.search": ("import companion.models", False),
    }
    assert cycles(sources) == [("models", "search")]
