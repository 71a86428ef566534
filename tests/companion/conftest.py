"""What every test of the companion's numeric core may ask for."""

import pytest
import torch

CUDA = pytest.param(
    "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU")
)


@pytest.fixture(params=["cpu", CUDA])
def device(request):
    return torch.device(request.param)


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


@pytest.fixture(autouse=True)
def _same_numbers_every_time():
    """Seed what draws from PyTorch's global generator, so that a test gives the same result on every run."""
    torch.manual_seed(0)
