"""How long batches and augmentations take beside PyTorch's own means, in one run; nothing is asserted on time."""

import numpy as np
import pytest
import torch
import torch.nn.functional as native
from timing import QUICK
from torch.utils.data import DataLoader, Dataset, TensorDataset

from companion.data import Batches, MappedBatches, random_crop, random_rotation
from companion.random import generator

TABLES = {"1,800 x 64": (1800, 64), "20,000 x 64": (20_000, 64), "20,000 x 784": (20_000, 784)}
IMAGES = {"32": 32, "128": 128, "512": 512}
pytestmark = pytest.mark.usefixtures("one_thread")


def bare_loop(X, y, order):
    """Index by a permutation, with nothing around it."""
    for rows in torch.randperm(len(X), generator=order).split(64):
        yield X[rows], y[rows]


@QUICK
@pytest.mark.parametrize("who", ["ours", "bare loop", "torch"])
@pytest.mark.parametrize("size", TABLES)
def test_one_epoch_of_batches(benchmark, size, who):
    benchmark.group = f"one epoch in batches of 64, {size}"
    n, width = TABLES[size]
    X, y, order = torch.rand(n, width), torch.arange(n), generator(0)
    makers = {
        "ours": lambda: Batches(X, y, batch_size=64, generator=order),
        "bare loop": lambda: bare_loop(X, y, order),
        "torch": lambda: DataLoader(TensorDataset(X, y), batch_size=64, shuffle=True, generator=order),
    }
    total = benchmark(lambda: sum(int(labels.sum()) for _, labels in makers[who]()))
    assert total == n * (n - 1) // 2


class Mapped(Dataset):
    """The usual way: one row of a mapped file at a time."""

    def __init__(self, path):
        self.rows = np.load(path, mmap_mode="r")

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return torch.from_numpy(self.rows[i].copy())


@pytest.mark.parametrize("who", ["ours", "torch"])
def test_one_epoch_of_a_file(benchmark, tmp_path, who):
    benchmark.group = "one epoch in batches of 64 of a mapped file, 20,000 x 784"
    np.save(tmp_path / "X.npy", np.ones((20_000, 784), dtype=np.float32))
    if who == "ours":
        batches = MappedBatches(tmp_path / "X.npy", batch_size=64, block_rows=64, buffer_rows=2048)
        count = benchmark.pedantic(lambda: sum(len(X) for (X,) in batches), rounds=5, warmup_rounds=1)
    else:
        loader = DataLoader(Mapped(tmp_path / "X.npy"), batch_size=64, shuffle=True)
        count = benchmark.pedantic(lambda: sum(len(X) for X in loader), rounds=5, warmup_rounds=1)
    assert count == 20_000


def crop_by_slices(images, padding, rng):
    """Pad and cut image by image."""
    padded = native.pad(images, (padding,) * 4)
    places = torch.randint(2 * padding + 1, (len(images), 2), generator=rng).tolist()
    return torch.stack([p[:, i : i + 32, j : j + 32] for p, (i, j) in zip(padded, places)])


@QUICK
@pytest.mark.parametrize("who", ["ours", "torch"])
@pytest.mark.parametrize("batch", IMAGES)
def test_random_crop(benchmark, batch, who):
    benchmark.group = f"random crop of {batch} colour images, 32 x 32, padding 4"
    images, rng = torch.rand(IMAGES[batch], 3, 32, 32), generator(0)
    ours, theirs = lambda: random_crop(images, 32, padding=4, generator=rng), lambda: crop_by_slices(images, 4, rng)
    assert benchmark(ours if who == "ours" else theirs).shape == images.shape


def rotate_by_grid(images, degrees, rng):
    """Turn by PyTorch's grid sampling."""
    a = torch.deg2rad(degrees * (2 * torch.rand(len(images), generator=rng) - 1))
    theta = torch.stack([a.cos(), -a.sin(), 0 * a, a.sin(), a.cos(), 0 * a], 1).reshape(-1, 2, 3)
    return native.grid_sample(images, native.affine_grid(theta, images.shape, align_corners=False), align_corners=False)


@QUICK
@pytest.mark.parametrize("who", ["ours", "torch"])
@pytest.mark.parametrize("batch", IMAGES)
def test_random_rotation(benchmark, batch, who):
    benchmark.group = f"random rotation of {batch} colour images, 32 x 32"
    images = torch.rand(IMAGES[batch], 3, 32, 32)
    ours = random_rotation(images, 20, generator=generator(0))
    turned = rotate_by_grid(images, 20, generator(0))
    torch.testing.assert_close(ours, turned, rtol=1e-3, atol=1e-3)
    call = {"ours": lambda: random_rotation(images, 20), "torch": lambda: rotate_by_grid(images, 20, None)}[who]
    assert benchmark(call).shape == images.shape
