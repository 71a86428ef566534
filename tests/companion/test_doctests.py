"""The examples in the docstrings of the whole package, run and compared."""

import doctest
import importlib
import pkgutil

import pytest

import companion

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(companion.__path__, "companion.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_give_what_they_say(name):
    module = importlib.import_module(name)
    examples = [test for test in doctest.DocTestFinder(exclude_empty=True).find(module, name) if test.examples]
    for test in examples:
        assert len(test.examples) <= 4, f"{test.name} has more than four lines of example"
        runner = doctest.DocTestRunner(verbose=False)
        output = []
        runner.run(test, out=output.append)
        assert not runner.failures, "".join(output)


def test_every_public_function_of_the_core_has_an_example():
    from companion import (
        autograd,
        data,
        functional,
        init,
        lr_scheduler,
        metrics,
        models,
        optim,
        random,
        search,
        summary,
        training,
    )

    without = [
        f"{module.__name__}.{name}"
        for module, names in [
            (functional, functional.__all__),
            (autograd, autograd.__all__),
            (init, init.__all__),
            (metrics, metrics.__all__),
            (data, [n for n in data.__all__ if n not in ("Dataset", "Fold", "Split")]),
            (models, [n for n in models.__all__ if n not in ("PerceptronHistory", "PerceptronStep")]),
            (summary, [n for n in summary.__all__ if n not in ("Row", "Signal", "Signals", "Summary")]),
            (random, ["generator", "seed_everything"]),
            (search, [n for n in search.__all__ if n != "Trials"]),
            (training, [n for n in training.__all__ if n not in ("History", "Run")]),
            (optim, [n for n in optim.__all__ if n != "Optimizer"]),
            (lr_scheduler, [n for n in lr_scheduler.__all__ if n not in ("LRScheduler", "RangeTest")]),
        ]
        for name in names
        if ">>>" not in getattr(module, name).__doc__
    ]
    assert without == []
