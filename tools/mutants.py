"""Plant one small fault at a time in the numeric core and see whether a test notices: `python tools/mutants.py [--sample N] [--seed S] [module ...]`.

Where faults can be planted and how is cosmic-ray's. Here each faulty version lives only in a process of its own, forked from one that
has PyTorch loaded already: nothing on disk is touched. A fault that no test notices must stand in tests/mutants.toml with the reason
why it changes nothing; else the exit status is 1.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib.machinery
import importlib.util
import os
import random
import signal
import sys
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import evidence
import notebooks

ROOT = notebooks.ROOT
EXPLAINED = ROOT / "tests" / "mutants.toml"
T = "tests/companion"
# the tests that hold a module (or all modules below it), quickest first; the longest name that fits counts
TESTS: dict[str, list[str]] = {
    "companion.functional": [f"{T}/functional", f"{T}/test_losses.py", f"{T}/test_common.py", f"{T}/test_layers.py"],
    "companion.functional._modes": [f"{T}/training/test_evaluation.py", f"{T}/test_summary.py"],
    "companion.functional.activations": [f"{T}/functional/test_activations.py", f"{T}/test_common.py"],
    "companion.functional._pointwise": [f"{T}/functional/test_activations.py", f"{T}/test_common.py"],
    "companion.functional.shares": [f"{T}/functional/test_shares.py", f"{T}/test_common.py"],
    "companion.functional.affine": [f"{T}/functional/test_affine.py", f"{T}/test_common.py"],
    "companion.functional.conv": [f"{T}/functional/test_conv.py", f"{T}/test_common.py"],
    "companion.functional._windows": [f"{T}/functional/test_conv.py", f"{T}/functional/test_pool.py", f"{T}/test_common.py"],
    "companion.functional.pool": [f"{T}/functional/test_pool.py", f"{T}/test_common.py"],
    "companion.functional.norm": [f"{T}/functional/test_norm.py", f"{T}/test_common.py"],
    "companion.functional._standardise": [f"{T}/functional/test_norm.py", f"{T}/test_common.py"],
    "companion.functional.dropout": [f"{T}/functional/test_dropout.py", f"{T}/test_common.py"],
    "companion.functional.embedding": [f"{T}/functional/test_embedding.py", f"{T}/test_common.py"],
    "companion.functional.attention": [f"{T}/functional/test_attention.py", f"{T}/nn/test_multihead_attention.py", f"{T}/test_common.py"],
    "companion.functional.recurrent": [f"{T}/functional/test_recurrent_cells.py", f"{T}/test_common.py"],
    "companion.functional._cells": [f"{T}/functional/test_recurrent_cells.py", f"{T}/nn/test_recurrent.py"],
    "companion.functional._through_time": [f"{T}/nn/test_recurrent.py"],
    "companion.autograd": [f"{T}/test_autograd.py"],
    "companion.functional.losses": [f"{T}/functional/test_loss_values.py", f"{T}/test_losses.py"],
    "companion.init": [f"{T}/test_init.py"],
    "companion.metrics": [f"{T}/metrics"],
    "companion.optim": [f"{T}/optim"],
    "companion.lr_scheduler": [f"{T}/lr_scheduler"],
    "companion.search": [f"{T}/search"],
    "companion.summary": [f"{T}/test_summary.py"],
    "companion.summary.curvature": [f"{T}/test_curvature.py"],
}  # fmt: skip
SWAPS = [
    "Add_Sub",
    "Sub_Add",
    "Mul_Div",
    "Div_Mul",
    "FloorDiv_Mul",
    "Mod_Mul",
    "Pow_Mul",
    "BitOr_BitAnd",
    "BitAnd_BitOr",
]
COMPARISONS = [
    "Eq_NotEq", "NotEq_Eq", "Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt", "Is_IsNot", "IsNot_Is",
]  # fmt: skip
OPERATORS = [
    *(f"core/ReplaceBinaryOperator_{name}" for name in SWAPS),
    *(f"core/ReplaceComparisonOperator_{name}" for name in COMPARISONS),
    "core/ReplaceUnaryOperator_USub_UAdd", "core/ReplaceUnaryOperator_Delete_Not", "core/AddNot", "core/NumberReplacer",
    "core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue", "core/ReplaceAndWithOr", "core/ReplaceOrWithAnd",
    "core/ReplaceBreakWithContinue", "core/ReplaceContinueWithBreak", "core/ZeroIterationForLoop",
]  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A module with one fault.

    Attributes:
        module: Its name.
        code: Its text with the fault.
        before: The line that was changed, without indentation.
        after: The same line with the fault.
    """

    module: str
    code: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.module}\n    before: {self.before}\n    after:  {self.after}"


def modules(prefixes: list[str]) -> dict[str, Path]:
    """Return the modules that a line of TESTS holds, of those asked for."""
    found = {}
    for path in sorted((ROOT / "companion").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        held = any(name == m or name.startswith(m + ".") for m in TESTS)
        if held and path.name != "__init__.py" and any(name.startswith(p) for p in prefixes or [""]):
            found[name] = path
    return found


def tests_of(module: str) -> list[str]:
    """Return the tests that hold a module."""
    fitting = [m for m in TESTS if module == m or module.startswith(m + ".")]
    return TESTS[max(fitting, key=len)]


def mutants(module: str, source: str, sample: int, seed: int) -> list[Mutant]:
    """Return some of the faults that can be planted, at most one at each place in the text."""
    from cosmic_ray.ast import get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    places: dict[Any, list[tuple[Any, int]]] = defaultdict(list)
    for name in OPERATORS:
        operator = get_operator(name)()
        nodes = [position for node in walk(get_ast(source)) for position in operator.mutation_positions(node)]
        for occurrence, place in enumerate(nodes):
            places[place].append((operator, occurrence))
    rng = random.Random(f"{seed} {module}")
    found: list[Mutant] = []
    for place in rng.sample(sorted(places), len(places)):
        operator, occurrence = rng.choice(places[place])
        code = mutate_code(source, operator, occurrence)
        if code is None or not differs(code, source):
            continue
        changed = [x for x in difflib.ndiff(source.splitlines(), code.splitlines()) if x[0] in "+-"]
        before, after = (" ".join(x[2:].strip() for x in changed if x[0] == sign) for sign in "-+")
        found.append(Mutant(module, code, before, after))
        if len(found) == sample:
            break
    return found


def walk(node: Any) -> Iterator[Any]:
    """Yield the nodes of a syntax tree in the order in which cosmic-ray counts them."""
    yield node
    for child in getattr(node, "children", []):
        yield from walk(child)


def differs(code: str, source: str) -> bool:
    """Say whether a text is still Python and computes something else."""
    try:
        return bare(code) != bare(source)
    except SyntaxError:
        return False


def bare(code: str) -> str:
    """Return what is computed: the syntax tree without annotations, which nobody evaluates."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arguments):  # how an argument may be passed; what it does is the same
            node.args, node.posonlyargs = node.posonlyargs + node.args + node.kwonlyargs, []
            node.defaults += [d for d in node.kw_defaults if d is not None]
            node.kwonlyargs, node.kw_defaults = [], []
        elif isinstance(node, ast.keyword) and node.arg == "strict":  # zip looks whether ours are of one length
            node.value = ast.Constant(None)
    return ast.dump(tree)


def child(mutant: Mutant | None, tests: list[str]) -> int:
    """Fork; there load the faulty text in place of the module and run the tests. Return the process's number."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        os.setsid()
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        sys.stdout = sys.stderr = os.fdopen(silence, "w")
        if mutant:
            plant(mutant)
        import pytest

        loaded = [
            "-W",
            "ignore::pytest.PytestAssertRewriteWarning",
        ]  # hypothesis is there before pytest could rewrite it
        options = [
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "-p",
            "no:benchmark",
            "-m",
            "not slow",
            *loaded,
        ]
        status = int(pytest.main([*options, *tests]))
    finally:
        os._exit(status)


def plant(mutant: Mutant) -> None:
    """Let whoever imports the module get the faulty text."""
    for name in [n for n in sys.modules if n.split(".")[0] == "companion"]:
        del sys.modules[name]
    original = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: Any, fullname: str) -> Any:
        if fullname == mutant.module:
            return compile(mutant.code, self.get_filename(fullname), "exec", dont_inherit=True)
        return original(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def run(jobs: list[tuple[Mutant | None, list[str]]], limits: list[float], workers: int) -> list[bool]:
    """Run each job in its own process, some at a time; return for each whether its tests passed."""
    passed = [False] * len(jobs)
    running: dict[int, tuple[int, float]] = {}
    waiting = list(range(len(jobs)))
    while waiting or running:
        while waiting and len(running) < workers:
            job = waiting.pop(0)
            running[child(*jobs[job])] = job, time.monotonic() + limits[job]
        for process, (job, limit) in list(running.items()):
            done, status = os.waitpid(process, os.WNOHANG)
            if not done and time.monotonic() > limit:
                os.killpg(process, signal.SIGKILL)  # a loop without end is a fault that was noticed
                done, status = os.waitpid(process, 0)
            if done:
                passed[job] = status == 0
                del running[process]
                if passed[job] and jobs[job][0]:  # said at once, so that a run that is broken off has told something
                    print(f"not noticed: {jobs[job][0]}", flush=True)
        time.sleep(0.02)
    return passed


def explained() -> list[dict[str, str]]:
    """Return the faults that change nothing, each with its reason."""
    return tomllib.loads(EXPLAINED.read_text(encoding="utf-8")).get("mutant", []) if EXPLAINED.exists() else []


def preload() -> None:
    """Load what is slow and not under test, once for all processes."""
    import hypothesis
    import numpy  # noqa: F401
    import pytest  # noqa: F401
    import scipy.stats  # noqa: F401
    import sklearn.metrics  # noqa: F401
    import torch
    import torch._dynamo
    import torch._subclasses.fake_tensor

    torch.set_num_threads(1)
    find = [hypothesis.Phase.explicit, hypothesis.Phase.generate]  # a fault need not be made small
    hypothesis.settings.register_profile("mutants", phases=find, deadline=None, database=None)
    hypothesis.settings.load_profile("mutants")


def main() -> None:
    """Plant, test, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sample", type=int, default=12, help="faults for each module")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("module", nargs="*", help="only modules whose names start so")
    options = parser.parse_args()
    if importlib.util.find_spec("cosmic_ray") is None:
        sys.exit("mutants: cosmic-ray is not installed; `make mutants` installs it")
    os.environ.update(notebooks.environment() | {"OMP_NUM_THREADS": "1"})
    os.chdir(ROOT)
    found = modules(options.module)
    if not found:
        sys.exit(f"mutants: no module starts with {' or '.join(options.module)}; try companion.functional")
    planted = [
        m for name, path in found.items() for m in mutants(name, path.read_text("utf-8"), options.sample, options.seed)
    ]
    preload()
    suites = sorted({tuple(tests_of(m.module)) for m in planted})
    seconds = {}
    for suite in suites:
        start = time.monotonic()
        if not run([(None, list(suite))], [600.0], 1)[0]:
            sys.exit(f"mutants: without any fault these tests fail already: {' '.join(suite)}")
        seconds[suite] = time.monotonic() - start
    jobs = [(m, tests_of(m.module)) for m in planted]
    limits = [30 + 5 * seconds[tuple(tests)] for _, tests in jobs]
    alive = [m for m, passed in zip(planted, run(list(jobs), limits, options.workers)) if passed]
    report(planted, alive, whole=not options.module)


def report(planted: list[Mutant], alive: list[Mutant], whole: bool = False) -> None:
    """Say how many faults were noticed, module by module, and which were not; leave with 1 if one has no reason.

    A run over the whole of the numeric core is kept for the page of evidence.
    """
    reasons = {(e["module"], e["before"], e["after"]): e["why"] for e in explained()}
    silent = [m for m in alive if (m.module, m.before, m.after) not in reasons]
    total, lived = Counter(m.module for m in planted), Counter(m.module for m in alive)
    print("module                                       faults  noticed  change nothing")
    for name in total:
        harmless = lived[name] - sum(m.module == name for m in silent)
        print(f"{name:<45}{total[name]:>6}{total[name] - lived[name]:>9}{harmless:>16}")
    print(f"{'all':<45}{len(planted):>6}{len(planted) - len(alive):>9}{len(alive) - len(silent):>16}")
    if whole:
        found: evidence.Record = evidence.setting() | {
            "passed": not silent,
            "modules": len(total),
            "faults": len(planted),
        }
        found |= {"noticed": len(planted) - len(alive), "harmless": len(alive) - len(silent)}
        evidence.keep("mutants", found)
    for mutant in silent:
        print(f"\nnoticed by no test: {mutant}")
    sys.exit(f"mutants: {len(silent)} faults are noticed by no test" if silent else 0)


if __name__ == "__main__":
    main()
