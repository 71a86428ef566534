"""The choice of the device, on pretended machines."""

import pytest
import torch

from companion import device as module
from companion.device import pick


@pytest.fixture
def machine(monkeypatch):
    """Return a function that pretends a machine with so many CUDA GPUs, with or without MPS."""
    monkeypatch.delenv("NEURONS_DEVICE", raising=False)

    def pretend(cuda=0, mps=False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return pretend


@pytest.mark.parametrize(
    ("cuda", "mps", "chosen"), [(0, False, "cpu"), (0, True, "mps"), (1, False, "cuda"), (2, True, "cuda")]
)
def test_pick_prefers_cuda_then_mps_then_the_cpu(machine, cuda, mps, chosen):
    machine(cuda, mps)
    assert pick() == torch.device(chosen)


@pytest.mark.parametrize("name", ["cpu", "mps", "cuda", "cuda:0", "cuda:1"])
def test_pick_follows_the_argument_and_the_environment(machine, monkeypatch, name):
    machine(cuda=2, mps=True)
    assert pick(name) == torch.device(name)
    monkeypatch.setenv(module.VARIABLE, name)
    assert pick() == torch.device(name)


def test_pick_lets_the_argument_win_over_the_environment(machine, monkeypatch):
    machine(cuda=1)
    monkeypatch.setenv("NEURONS_DEVICE", "cuda")
    assert pick("cpu") == torch.device("cpu")


def test_pick_takes_an_empty_variable_as_unset(machine, monkeypatch):
    machine()
    monkeypatch.setenv("NEURONS_DEVICE", "")
    assert pick() == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "tpu", "CPU", "cpu:1", ""])
def test_pick_refuses_what_this_machine_has_not(machine, name):
    machine()
    with pytest.raises(ValueError) as caught:
        pick(name)
    assert str(caught.value) == (
        f"pick: name expected one of this machine's devices, cpu, got {name!r}; pick() takes the fastest that is there"
    )


def test_pick_refuses_a_gpu_beyond_the_last(machine):
    machine(cuda=2)
    with pytest.raises(ValueError, match="cuda or cuda:0 or cuda:1 or cpu, got 'cuda:2'"):
        pick("cuda:2")


def test_pick_names_the_variable_when_that_is_wrong(machine, monkeypatch):
    machine()
    monkeypatch.setenv("NEURONS_DEVICE", "gpu")
    with pytest.raises(
        ValueError, match=r"^pick: NEURONS_DEVICE expected one of this machine's devices, cpu, got 'gpu'"
    ):
        pick()
