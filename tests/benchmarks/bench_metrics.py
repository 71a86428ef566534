"""How long the metrics take beside scikit-learn's, in one run; nothing is asserted on time."""

import pytest
import sklearn.metrics as library
import torch

from companion import metrics
from companion.random import generator

SIZES = {"1e3": 10**3, "1e5": 10**5, "1e7": 10**7}
CASES = {
    "confusion_matrix": ("classes", {}),
    "f1_score": ("classes", {"average": "macro"}),
    "roc_auc_score": ("scores", {}),
}


@pytest.fixture(scope="module")
def cases():
    """Return the answers of each kind and size, made once."""
    made = {}
    for size, n in SIZES.items():
        g = generator(0)
        made["classes", size] = torch.randint(10, (n,), generator=g), torch.randint(10, (n,), generator=g)
        made["scores", size] = torch.randint(2, (n,), generator=g), torch.rand(n, generator=g)
    return made


@pytest.mark.parametrize("who", ["ours", "scikit-learn"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CASES)
def test_metric(benchmark, cases, name, size, who):
    benchmark.group = f"{name} of {size} samples"
    kind, options = CASES[name]
    true, answer = cases[kind, size]
    theirs = torch.as_tensor(getattr(library, name)(true.numpy(), answer.numpy(), **options))
    if who == "ours":
        found = benchmark.pedantic(
            lambda: getattr(metrics, name)(true, answer, **options), rounds=3 if size == "1e7" else 20, warmup_rounds=1
        )
    else:
        a, b = true.numpy(), answer.numpy()
        found = benchmark.pedantic(
            lambda: getattr(library, name)(a, b, **options), rounds=3 if size == "1e7" else 20, warmup_rounds=1
        )
    torch.testing.assert_close(torch.as_tensor(found), theirs, rtol=1e-9, atol=1e-12, check_dtype=False)
