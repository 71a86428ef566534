"""Importing the companion is quick and silent, and brings nothing heavy with it."""

import subprocess
import sys

import pytest

HEAVY = ("matplotlib", "ipywidgets", "IPython", "anywidget", "sklearn", "scipy", "pandas")
CORE = (
    "errors",
    "random",
    "device",
    "functional",
    "data",
    "summary",
    "nn",
    "optim",
    "lr_scheduler",
    "models",
    "training",
    "search",
)


def run(code):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done


def test_import_companion_loads_not_even_torch_and_prints_nothing():
    done = run("import sys, companion; sys.stderr.write(' '.join(m.partition('.')[0] for m in sys.modules))")
    assert done.stdout == ""
    loaded = set(done.stderr.split())
    assert "companion" in loaded
    assert not loaded & {*HEAVY, "torch", "numpy"}


def test_import_of_the_numeric_core_loads_nothing_heavy_seeds_nothing_and_prints_nothing():
    code = f"""
import random, sys
import numpy, torch
states = random.getstate(), str(numpy.random.get_state()), torch.random.get_rng_state().tolist()
{"; ".join(f"import companion.{name}" for name in CORE)}
assert states == (random.getstate(), str(numpy.random.get_state()), torch.random.get_rng_state().tolist())
assert not torch.cuda.is_initialized()
sys.stderr.write(" ".join(m for m in sys.modules if m in {HEAVY!r}))
"""
    done = run(code)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("name", CORE)
def test_each_module_of_the_core_can_be_imported_first(name):
    assert run(f"import companion.{name}").stdout == ""
