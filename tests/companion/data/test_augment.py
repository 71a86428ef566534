"""Augmentations: what they change and how often, that the original is left alone, and torch, SciPy and NumPy as oracles."""

import inspect
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as native
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from companion import data
from companion.data import augment, mixup
from companion.data.augment import examples
from companion.data.augment.geometry import rotate, window
from companion.random import generator

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)


class Case(NamedTuple):
    """An augmentation with arguments that change nearly every example; its kind of input; what it is given."""

    arguments: tuple = ()
    kind: str = "images"
    floats: bool = False
    has_p: bool = True


CASES = {
    "random_crop": Case((4,), has_p=False),
    "random_flip": Case(),
    "random_shift": Case((3,)),
    "random_rotation": Case((90,), floats=True),
    "random_erase": Case(((2, 3),)),
    "random_noise": Case((0.5,), floats=True),
    "jitter": Case((0.5,), "series", floats=True),
    "scaling": Case((0.5,), "series", floats=True),
    "window_slice": Case((4,), "series", has_p=False),
    "time_shift": Case((3,), "series"),
}
EVERY = pytest.mark.parametrize("name", CASES)
WITH_P = pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.has_p])


def sample(name, n=6, dtype=torch.float64):
    shape = (n, 2, 5, 7) if CASES[name].kind == "images" else (n, 9, 2)
    numbers = torch.arange(1, 1 + int(np.prod(shape)), dtype=torch.float64).reshape(shape)
    return (numbers % 251).to(dtype) if dtype == torch.uint8 else numbers.to(dtype)


def run(name, batch, seed=0, **options) -> torch.Tensor:
    function: Callable = getattr(augment, name)
    return function(batch, *CASES[name].arguments, generator=generator(seed), **options)


def test_every_augmentation_stands_in_the_table_and_is_offered():
    assert {*CASES, "mixup"} == set(augment.__all__)
    assert set(augment.__all__) <= set(data.__all__)
    for name, case in CASES.items():
        parameters = inspect.signature(getattr(augment, name)).parameters
        assert ("p" in parameters) == case.has_p
        assert parameters["generator"].kind is inspect.Parameter.KEYWORD_ONLY


@EVERY
def test_the_generator_decides_and_the_original_stays(name):
    batch = sample(name)
    kept = batch.clone()
    first, again, other = (run(name, batch, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(batch, kept)
    first.zero_()
    assert torch.equal(batch, kept), "the result must not share memory with the original"


@EVERY
def test_without_a_generator_the_global_one_decides(name):
    batch = sample(name)
    torch.manual_seed(5)
    first = getattr(augment, name)(batch, *CASES[name].arguments)
    torch.manual_seed(5)
    assert torch.equal(first, getattr(augment, name)(batch, *CASES[name].arguments))


@WITH_P
def test_p_of_zero_copies_and_p_of_one_changes_what_can_be_changed(name):
    batch = sample(name, 40)
    copied = run(name, batch, p=0)
    assert torch.equal(copied, batch)
    copied.zero_()
    assert batch.abs().sum() > 0
    changed = run(name, batch, p=1)
    moved = (changed != batch).flatten(1).any(1).double().mean()
    # a shift by (0, 0) or a step of 0 changes nothing
    assert moved >= (0.7 if "shift" in name else 1.0)


@WITH_P
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_p_is_the_share_of_changed_examples_each_on_its_own(name, p):
    n = 4000
    batch = sample(name, 1).expand(n, *sample(name, 1).shape[1:])
    possible = (run(name, batch, p=1.0) != batch).flatten(1).any(1).double().mean().item()
    changed = (run(name, batch, p=p) != batch).flatten(1).any(1)
    expected = p * possible
    assert abs(changed.double().mean().item() - expected) < 4 * (expected * (1 - expected) / n) ** 0.5 + 1e-9
    runs = (changed[1:] == changed[:-1]).double().mean().item()  # neighbours agree as often as independent lots do
    same = expected**2 + (1 - expected) ** 2
    assert abs(runs - same) < 6 * (same * (1 - same) / n) ** 0.5


@WITH_P
def test_p_does_not_change_how_much_is_drawn(name):
    left = []
    for p in (0.0, 1.0):
        rng = generator(3)
        getattr(augment, name)(sample(name), *CASES[name].arguments, p=p, generator=rng)
        left.append(torch.rand(3, generator=rng))
    assert torch.equal(*left)


def test_lots_are_the_generators_numbers_stretched_to_the_range():
    batch = torch.zeros(7, 2)
    drawn = torch.rand(7, generator=generator(0))
    torch.testing.assert_close(examples.lots(batch, generator(0), -2, 3), 5 * drawn - 2)
    assert torch.equal(examples.whole_lots(batch, 4, generator(0)), (4 * drawn).long())


def test_p_of_zero_changes_nothing_even_when_the_lot_is_zero(monkeypatch):
    monkeypatch.setattr(examples, "uniform", lambda shape, **_: torch.zeros(shape))
    images = sample("random_flip")
    assert torch.equal(augment.random_flip(images, p=0), images)
    assert torch.equal(augment.random_flip(images, p=1e-9), images.flip(3))


@EVERY
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.uint8])
def test_type_and_shape_stay(name, dtype):
    case = CASES[name]
    if dtype == torch.uint8 and case.floats:
        with pytest.raises(ValueError, match=rf"^{name}: \w+ expected a float tensor, got torch.uint8"):
            run(name, sample(name, dtype=dtype))
        return
    batch = sample(name, dtype=dtype)
    changed = run(name, batch)
    assert changed.dtype == dtype
    assert case.has_p == (changed.shape == batch.shape)
    values = set(changed.double().flatten().tolist())
    if not case.floats:  # these move pixels and make no new values
        assert values <= {*batch.double().flatten().tolist(), 0.0}


@EVERY
def test_non_contiguous_empty_and_single_inputs_are_taken(name):
    batch = sample(name)
    strided = batch.transpose(1, 2).contiguous().transpose(1, 2)
    assert not strided.is_contiguous()
    assert torch.equal(run(name, strided), run(name, batch))
    assert len(run(name, batch[:0])) == 0
    one = torch.ones(1, *[1] * (batch.ndim - 1))
    if "crop" not in name and "slice" not in name:
        assert run(name, one).shape == one.shape


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.kind == "images"])
def test_a_single_image_is_a_batch_of_one(name):
    image = sample(name, 1)
    assert torch.equal(run(name, image[0]), run(name, image)[0])


@EVERY
def test_fake_tensors_on_a_gpu_stay_there(name):
    with FakeTensorMode(), torch.no_grad():
        batch = torch.empty(sample(name).shape, device="cuda")
        for rng in (None, torch.Generator()):
            changed = getattr(augment, name)(batch, *CASES[name].arguments, generator=rng)
            assert changed.device.type == "cuda"


@EVERY
def test_results_are_on_the_device_of_the_examples(name, device):
    batch = sample(name, dtype=torch.float32).to(device)
    torch.testing.assert_close(run(name, batch).cpu(), run(name, batch.cpu()), rtol=1e-4, atol=1e-4)


class Forbidding(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        assert name not in {"grid_sampler_2d", "affine_grid_generator", "roll", "replication_pad1d"}
        return func(*args, **(kwargs or {}))


@EVERY
def test_nothing_is_left_to_a_finished_operation(name):
    with Forbidding():
        assert torch.isfinite(run(name, sample(name))).all()


def uniform_over(counts):
    """Whether counts could come from equally likely cases (once in a million they would not)."""
    return stats.chisquare(counts).pvalue > 1e-6


@PROPERTY
@given(
    h=st.integers(1, 6),
    w=st.integers(1, 6),
    size=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    padding=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_crop_is_a_window_of_the_padded_image(h, w, size, padding, seed):
    images = torch.arange(1.0, 1 + 3 * 2 * h * w).reshape(3, 2, h, w)
    if size[0] > h + 2 * padding or size[1] > w + 2 * padding:
        with pytest.raises(
            ValueError, match=f"random_crop: size expected at most {h + 2 * padding} x {w + 2 * padding}"
        ):
            augment.random_crop(images, size, padding=padding)
        return
    crops = augment.random_crop(images, size, padding=padding, generator=generator(seed))
    padded = native.pad(images, (padding,) * 4)
    windows = padded.unfold(2, size[0], 1).unfold(3, size[1], 1)  # (B, C, rows, columns, h, w)
    for crop, of_image in zip(crops, windows):
        found = (of_image == crop[:, None, None]).flatten(3).all(3).all(0)  # (rows, columns)
        assert found.any()


@pytest.mark.parametrize("padding", [0, 1])
def test_crop_places_are_equally_likely_and_reach_both_ends(padding):
    image = torch.arange(1.0, 21.0).reshape(1, 1, 4, 5)
    windows = native.pad(image, (padding,) * 4)[0, 0].unfold(0, 2, 1).unfold(1, 3, 1).flatten(0, 1)  # (places, 2, 3)
    crops = augment.random_crop(image.expand(8000, -1, -1, -1), (2, 3), padding=padding, generator=generator(0))
    same = (crops == windows).flatten(2).all(2)  # (8000, places)
    assert (same.sum(1) == 1).all()
    assert uniform_over(same.sum(0).numpy())


def test_shift_moves_by_all_distances_alike_and_brings_zeros():
    images = torch.zeros(9000, 1, 7, 9)
    images[:, :, 3, 4] = 1
    moved = augment.random_shift(images, (2, 3), generator=generator(0))
    counts = moved.sum((0, 1))[1:6, 1:8]
    assert counts.sum() == 9000
    assert uniform_over(counts.flatten().numpy())
    full = augment.random_shift(torch.ones(500, 2, 4, 4), (1, 0), generator=generator(1))
    assert set(full.sum((1, 2, 3)).tolist()) == {24.0, 32.0}
    assert torch.equal(augment.random_shift(images, 0), images)


def test_window_beyond_the_image_is_empty_and_inside_it_is_a_slice():
    image = torch.arange(12.0).reshape(1, 1, 3, 4)
    far = torch.tensor([5])
    assert window(image, far, far, 2, 2).sum() == 0
    assert torch.equal(window(image, torch.tensor([1]), torch.tensor([2]), 2, 2), image[..., 1:3, 2:4])
    assert window(image, torch.tensor([-1]), torch.tensor([-2]), 2, 3).tolist() == [[[[0, 0, 0], [0, 0, 0.0]]]]


def test_flip_mirrors_columns():
    images = sample("random_flip")
    assert torch.equal(run("random_flip", images, p=1.0), torch.flip(images, [3]))


@PROPERTY
@given(h=st.integers(1, 8), w=st.integers(1, 8), degrees=st.floats(-180, 180), seed=st.integers(0, 99))
def test_rotation_is_scipys(h, w, degrees, seed):
    image = torch.rand(2, 1, h, w, dtype=torch.float64, generator=generator(seed))
    angles = torch.tensor([degrees, -degrees], dtype=torch.float64)
    turned = rotate(image, angles)
    for i in range(2):
        expected = ndimage.rotate(image[i, 0].numpy(), angles[i].item(), reshape=False, order=1, mode="grid-constant")
        np.testing.assert_allclose(turned[i, 0].numpy(), expected, atol=1e-9)


def test_rotation_by_quarter_turns_is_exact_and_counter_clockwise():
    image = torch.arange(32.0).reshape(2, 1, 4, 4)
    for quarter in (1, 2, 3):
        turned = rotate(image, torch.full((2,), 90.0 * quarter))
        torch.testing.assert_close(turned, torch.rot90(image, quarter, (2, 3)), atol=1e-4, rtol=0)
    assert torch.equal(rotate(image, torch.zeros(2)), image)


@pytest.mark.parametrize("degrees", [20, 90])
def test_angles_are_equally_likely_to_both_sides(degrees):
    ramp = torch.arange(-4.0, 5.0).reshape(1, 1, 9, 1).expand(3000, 1, 9, 9)  # brightness is the row, from the middle
    turned = augment.random_rotation(ramp, degrees, generator=generator(0))
    angles = torch.rad2deg(torch.asin(turned[:, 0, 4, 5].clamp(-1, 1)))
    assert stats.kstest(angles.numpy(), stats.uniform(-degrees, 2 * degrees).cdf).pvalue > 1e-6


def test_rotation_has_the_right_gradient_and_compiles():
    image = torch.rand(2, 1, 3, 4, dtype=torch.float64, generator=generator(0), requires_grad=True)
    angles = torch.tensor([30.0, -70.0])
    assert torch.autograd.gradcheck(lambda x: rotate(x, angles), image)
    torch.testing.assert_close(torch.compile(rotate, backend="eager")(image, angles), rotate(image, angles))


def test_erased_rectangles_have_their_middle_at_any_pixel_alike():
    height, width, (h, w) = 4, 5, (2, 3)
    masks = {}
    for row in range(height):
        for column in range(width):
            mask = torch.ones(height, width)
            top, left = row - h // 2, column - w // 2
            mask[max(0, top) : top + h, max(0, left) : left + w] = 0
            masks[str(mask.tolist())] = 0
    assert len(masks) == height * width
    erased = augment.random_erase(torch.ones(6000, 2, height, width), (h, w), p=1, generator=generator(0))
    assert torch.equal(erased[:, 0], erased[:, 1]), "all channels lose the same pixels"
    for image in erased[:, 0]:
        masks[str(image.tolist())] += 1  # a KeyError is a mask that cannot be
    assert uniform_over(list(masks.values()))


@pytest.mark.parametrize(("name", "shape"), [("random_noise", (20, 3, 20, 20)), ("jitter", (20, 400, 3))])
def test_noise_is_normal_with_the_spread_asked_for(name, shape):
    noise = getattr(augment, name)(torch.full(shape, 2.0), 0.3, generator=generator(0)) - 2
    assert stats.kstest(noise.flatten().numpy(), stats.norm(0, 0.3).cdf).pvalue > 1e-6
    assert noise.flatten().unique().numel() > 0.99 * noise.numel(), "every number has noise of its own"
    assert torch.equal(getattr(augment, name)(torch.ones(shape), 0), torch.ones(shape))


def test_scaling_is_one_factor_for_each_channel_of_each_series():
    series = torch.rand(500, 6, 3, generator=generator(1), dtype=torch.float64) + 1
    factor = augment.scaling(series, 0.2, generator=generator(0)) / series
    torch.testing.assert_close(factor, factor[:, :1].expand_as(factor))
    assert stats.kstest(factor[:, 0].flatten().numpy(), stats.norm(1, 0.2).cdf).pvalue > 1e-6
    assert factor[:, 0].flatten().unique().numel() == 1500


def test_slices_begin_anywhere_alike_and_keep_the_order():
    series = torch.arange(6).reshape(1, 6, 1).expand(4000, 6, 2)
    sliced = augment.window_slice(series, 3, generator=generator(0))
    assert sliced.shape == (4000, 3, 2)
    assert (sliced.diff(dim=1) == 1).all()
    assert uniform_over(torch.bincount(sliced[:, 0, 0]).numpy())
    assert torch.bincount(sliced[:, 0, 0]).shape == (4,)
    assert torch.equal(augment.window_slice(series, 6), series)


def test_time_shift_repeats_the_ends():
    series = torch.arange(5).reshape(1, 5, 1).expand(4000, 5, 2)
    moved = augment.time_shift(series, 2, generator=generator(0))
    padded = np.pad(np.arange(5), 2, mode="edge")
    expected = [padded[k : k + 5].tolist() for k in range(5)]
    counts = [int((moved[:, :, 0] == torch.tensor(row)).all(1).sum()) for row in expected]
    assert sum(counts) == 4000
    assert uniform_over(counts)
    assert torch.equal(moved[..., 0], moved[..., 1])
    far = augment.time_shift(series, 100, generator=generator(0))
    assert set(far.flatten().tolist()) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
def test_mixup_blends_by_beta_and_inputs_as_targets(alpha):
    n, y = 2000, torch.arange(2000) % 3
    X = torch.eye(n, dtype=torch.float64)
    mixed, shares = mixup(X, y, alpha, num_classes=3, generator=generator(0))
    keep = mixed.diagonal()
    partner = (mixed - torch.diag(keep)).argmax(1)
    other = mixed.sum(1) - keep
    torch.testing.assert_close(mixed.sum(1), torch.ones(n, dtype=torch.float64))
    torch.testing.assert_close(shares, mixed @ torch.eye(3, dtype=torch.float64)[y])
    single = other > 1e-12
    assert partner[single].unique().numel() == int(single.sum()), "each is partner once"
    assert stats.kstest(keep[single].numpy(), stats.beta(alpha, alpha).cdf).pvalue > 1e-6
    assert int(single.sum()) > (0.9 * n)


def test_mixup_takes_floats_and_extreme_alpha_and_leaves_the_original():
    X, y = torch.rand(50, 2, 3, generator=generator(0)), torch.rand(50, 1, generator=generator(1))
    kept = X.clone(), y.clone()
    for alpha in (1e-3, 1e4):
        mixed, targets = mixup(X, y, alpha, generator=generator(2))
        assert mixed.shape == X.shape
        assert targets.shape == y.shape
        assert torch.isfinite(mixed).all()
        assert ((targets >= y.min()) & (targets <= y.max())).all()
    assert torch.equal(X, kept[0])
    assert torch.equal(y, kept[1])
    half, _ = mixup(torch.eye(50), y, 1e6, generator=generator(2))
    assert (half.diagonal() - 0.5).abs().lt(0.01).sum() >= 45, "large alpha: half and half"
    assert mixup(X[:0], y[:0])[0].shape == (0, 2, 3)
    alone = mixup(X[:1], y[:1])
    torch.testing.assert_close(alone[0], X[:1])


def test_mixup_follows_its_generator_and_works_on_fake_gpus():
    X, y = torch.rand(8, 2), torch.arange(8)
    first, again, other = (mixup(X, y, num_classes=8, generator=generator(s))[1] for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.dtype == X.dtype
    with FakeTensorMode(), torch.no_grad():
        mixed, shares = mixup(
            torch.rand(4, 2, device="cuda"), torch.zeros(4, dtype=torch.int64, device="cuda"), num_classes=3
        )
        assert mixed.device.type == shares.device.type == "cuda"
        assert shares.shape == (4, 3)


IMAGE, SERIES = torch.rand(2, 1, 4, 4), torch.rand(2, 5, 1)


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (lambda: augment.random_flip(torch.rand(4, 4)), ValueError, "random_flip: images expected images of shape (B, C, H, W) or (C, H, W), at least one pixel each, got (4, 4)"),
        (lambda: augment.random_flip(torch.rand(2, 3, 0, 4)), ValueError, "random_flip: images expected images of shape (B, C, H, W) or (C, H, W), at least one pixel each, got (2, 3, 0, 4)"),
        (lambda: augment.random_flip([1]), TypeError, "random_flip: images expected a tensor, got list; torch.as_tensor(images) makes one"),
        (lambda: augment.random_flip(IMAGE, p=1.5), ValueError, "random_flip: p expected a number from 0 to 1, got 1.5"),
        (lambda: augment.random_crop(IMAGE, 5), ValueError, "random_crop: size expected at most 4 x 4, got 5 x 5; a larger padding makes room"),
        (lambda: augment.random_crop(IMAGE, 0), ValueError, "random_crop: size expected 1 or more, got 0"),
        (lambda: augment.random_crop(IMAGE, 2, padding=-1), ValueError, "random_crop: padding expected 0 or more, got -1"),
        (lambda: augment.random_shift(IMAGE, (1, 2, 3)), ValueError, "random_shift: by expected a whole number or 2 of them, got (1, 2, 3)"),
        (lambda: augment.random_shift(IMAGE, 0.5), TypeError, "random_shift: by expected a whole number, got float"),
        (lambda: augment.random_rotation(IMAGE, 181), ValueError, "random_rotation: degrees expected an angle from 0 to 180, got 181"),
        (lambda: augment.random_rotation(IMAGE, -1), ValueError, "random_rotation: degrees expected an angle from 0 to 180, got -1"),
        (lambda: augment.random_erase(IMAGE, 0), ValueError, "random_erase: size expected 1 or more, got 0"),
        (lambda: augment.random_noise(IMAGE, -0.1), ValueError, "random_noise: std expected a standard deviation, 0 or more, got -0.1"),
        (lambda: augment.jitter(SERIES[0], 0.1), ValueError, "jitter: series expected shape (B, T, C), at least one step, got (5, 1); series.unsqueeze(-1) gives (B, T) its channel"),
        (lambda: augment.jitter(SERIES, float("nan")), ValueError, "jitter: std expected a finite number, got nan"),
        (lambda: augment.scaling(SERIES, -1), ValueError, "scaling: std expected a standard deviation, 0 or more, got -1"),
        (lambda: augment.window_slice(SERIES, 6), ValueError, "window_slice: length expected at most 5 steps, as in the series, got 6"),
        (lambda: augment.time_shift(SERIES, -1), ValueError, "time_shift: by expected 0 or more, got -1"),
        (lambda: mixup(SERIES, torch.zeros(3)), ValueError, "mixup: y expected one target for each example of X, got (3,) beside (2, 5, 1)"),
        (lambda: mixup(SERIES, torch.zeros(2, dtype=torch.int64)), TypeError, "mixup: num_classes expected the number of classes, got NoneType; a batch need not contain all of them"),
        (lambda: mixup(SERIES, torch.tensor([0, 3]), num_classes=3), ValueError, "mixup: y expected class numbers from 0 to 2, got 0 to 3"),
        (lambda: mixup(SERIES, torch.zeros(2), num_classes=3), ValueError, "mixup: num_classes expected None beside float targets, got 3"),
        (lambda: mixup(SERIES, torch.zeros(2, dtype=torch.int32), num_classes=3), ValueError, "mixup: y expected class numbers (int64, shape (B,)) or floats, got torch.int32, (2,)"),
        (lambda: mixup(SERIES, torch.zeros(2), 0), ValueError, "mixup: alpha expected a finite number above 0, got 0"),
        (lambda: mixup(SERIES.long(), torch.zeros(2)), ValueError, "mixup: X expected a float tensor, got torch.int64; X.float() converts it"),
    ],
)  # fmt: skip
def test_what_cannot_be_augmented_is_refused_in_words(run, error, message):
    with pytest.raises(error) as caught:
        run()
    assert str(caught.value) == message
