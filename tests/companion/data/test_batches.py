"""Batches from memory and from files: every row once an epoch, the same order after a resume, little memory."""

import functools
import gc
import json
import operator
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch.utils.data import DataLoader, TensorDataset

from companion.data import Batches, MappedBatches
from companion.random import generator

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
KINDS = ["memory", "file"]
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def rows(n):
    y = torch.arange(n)
    return torch.stack([y * 2.0, -y.float()], 1), y


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Return a maker of batches of either kind over the rows 0 to n - 1."""
    folder = tmp_path_factory.mktemp("arrays")

    def of(kind, n, block_rows=3, buffer_rows=7, **options):
        X, y = rows(n)
        if kind == "memory":
            return Batches(X, y, **options)
        paths = folder / f"X{n}.npy", folder / f"y{n}.npy"
        if not paths[0].exists():
            np.save(paths[0], X.numpy())
            np.save(paths[1], y.numpy())
        return MappedBatches(*paths, block_rows=block_rows, buffer_rows=buffer_rows, **options)

    return of


def order(batches):
    """Run one epoch and return its rows, after checking that X and y still belong together."""
    got = list(batches)
    for X, y in got:
        assert torch.equal(X, torch.stack([y * 2.0, -y.float()], 1))
    return [y.tolist() for _, y in got]


@EVERY_KIND
@PROPERTY
@given(
    n=st.integers(1, 40),
    size=st.integers(1, 12),
    shuffle=st.booleans(),
    drop=st.booleans(),
    block=st.integers(1, 9),
    more=st.integers(0, 20),
    seed=st.integers(0, 9),
)
def test_every_row_comes_once_an_epoch_in_batches_of_the_size_asked_for(
    make, kind, n, size, shuffle, drop, block, more, seed
):
    options = dict(batch_size=size, shuffle=shuffle, drop_last=drop, generator=generator(seed))
    batches = make(kind, n, block, block + more, **options)
    for epoch in range(2):
        assert batches.epoch == epoch
        got = order(batches)
        sizes = [size] * (n // size) + ([n % size] if n % size and not drop else [])
        assert [len(batch) for batch in got] == sizes
        assert len(batches) == len(sizes)
        flat = functools.reduce(operator.iadd, got, [])
        assert len(set(flat)) == len(flat)
        if not drop:
            assert sorted(flat) == list(range(n))
        if not shuffle:
            assert flat == list(range(len(flat)))


@EVERY_KIND
@PROPERTY
@given(
    n=st.integers(2, 30),
    size=st.integers(1, 8),
    before=st.integers(0, 25),
    drop=st.booleans(),
    block=st.integers(1, 5),
    more=st.integers(0, 9),
)
def test_a_resumed_run_goes_on_bit_for_bit(make, kind, n, size, before, drop, block, more):
    options = dict(batch_size=size, drop_last=drop)
    whole = make(kind, n, block, block + more, generator=generator(4), **options)
    expected = [(e, y.tolist()) for e in range(4) for _, y in whole]
    first = make(kind, n, block, block + more, generator=generator(4), **options)
    got, state = [], first.state_dict()
    stream = ((e, y.tolist()) for e in range(4) for _, y in first)
    for item in stream:
        if len(got) == before:
            break
        got.append(item)
        state = first.state_dict()  # after the step on this batch
    second = make(kind, n, block, block + more, generator=generator(99), **options)
    second.load_state_dict(state)
    start = second.epoch
    got += [(e, y.tolist()) for e in range(start, 4) for _, y in second]
    assert got == expected
    assert second.epoch == 4


@EVERY_KIND
def test_a_state_survives_torch_save_and_can_be_taken_twice(make, kind, tmp_path):
    one = make(kind, 11, batch_size=3, generator=generator(0))
    iterator = iter(one)
    next(iterator)
    torch.save(one.state_dict(), tmp_path / "state.pt")
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    other = make(kind, 11, batch_size=3, generator=generator(5))
    other.load_state_dict(state)
    again = other.state_dict()
    assert {k: v for k, v in again.items() if k != "generator"} == {"epoch": 0, "done": 1, "rows": 11, "batch_size": 3}
    assert torch.equal(again["generator"], state["generator"])
    assert order(other) == [y.tolist() for _, y in iterator]


@EVERY_KIND
def test_a_run_may_be_resumed_twice_within_one_epoch(make, kind):
    expected = order(make(kind, 20, batch_size=3, generator=generator(0)))
    got, state = [], None
    for _ in range(3):  # two batches at a time, each in a new process so to speak
        batches = make(kind, 20, batch_size=3, generator=generator(9))
        batches.generator.manual_seed(0)
        if state is not None:
            batches.load_state_dict(state)
        iterator = iter(batches)
        got += [next(iterator)[1].tolist() for _ in range(2)]
        state = batches.state_dict()
        assert state["done"] == len(got)
    assert got == expected[:6]


@EVERY_KIND
def test_between_epochs_the_state_is_the_generators_own(make, kind):
    rng = generator(0)
    batches = make(kind, 8, batch_size=3, generator=rng)
    list(batches)
    assert torch.equal(batches.state_dict()["generator"], rng.get_state())
    assert batches.state_dict()["done"] == 0
    assert batches.state_dict()["epoch"] == 1


@EVERY_KIND
def test_an_epoch_that_was_broken_off_is_begun_anew(make, kind):
    batches = make(kind, 9, batch_size=2, generator=generator(0))
    for _ in batches:
        break
    assert batches.epoch == 0
    assert sorted(functools.reduce(operator.iadd, order(batches), [])) == list(range(9))
    assert batches.epoch == 1


@EVERY_KIND
def test_without_shuffling_no_generator_is_needed_to_resume(make, kind):
    batches = make(kind, 7, batch_size=2, shuffle=False)
    iterator = iter(batches)
    next(iterator)
    other = make(kind, 7, batch_size=2, shuffle=False)
    other.load_state_dict(batches.state_dict())
    assert order(other) == [[2, 3], [4, 5], [6]]
    assert order(other) == [[0, 1], [2, 3], [4, 5], [6]]


@EVERY_KIND
def test_orders_follow_the_generator_and_differ_between_epochs(make, kind):
    one, same, other = (make(kind, 30, batch_size=4, generator=generator(s)) for s in (0, 0, 1))
    first = order(one)
    assert first == order(same)
    assert first != order(other)
    assert first != order(one)
    torch.manual_seed(3)
    loose = order(make(kind, 30, batch_size=4))
    torch.manual_seed(3)
    assert loose == order(make(kind, 30, batch_size=4))


def test_one_epoch_in_memory_is_a_data_loaders_multiset():
    X, y = rows(10)
    ours = sorted(y.tolist() for _, y in Batches(X, y, batch_size=5, shuffle=False))
    theirs = sorted(y.tolist() for _, y in DataLoader(TensorDataset(X, y), batch_size=5))
    assert ours == theirs


@pytest.mark.parametrize(("kind", "block", "buffer"), [("memory", 1, 6), ("file", 1, 6)])
def test_with_single_rows_and_a_full_buffer_every_order_is_equally_likely(make, kind, block, buffer):
    batches = make(kind, 3, block, buffer, batch_size=3, generator=generator(0))
    counts = {}
    for _ in range(1200):
        ((_, y),) = batches
        counts[tuple(y.tolist())] = counts.get(tuple(y.tolist()), 0) + 1
    assert len(counts) == 6
    assert stats.chisquare(list(counts.values())).pvalue > 1e-6


def test_file_shuffling_mixes_within_the_buffer_and_no_further(make):
    batches = make("file", 40, 5, 10, batch_size=10, generator=generator(1))
    seen = order(batches)
    for batch in seen:  # a buffer of two blocks: rows of exactly two blocks
        assert len({row // 5 for row in batch}) == 2
        assert batch != sorted(batch)
    assert [{row // 5 for row in batch} for batch in seen] != [{0, 1}, {2, 3}, {4, 5}, {6, 7}]


def test_batches_are_views_in_order_and_copies_shuffled():
    X, y = rows(6)
    (first, *_) = Batches(X, y, batch_size=2, shuffle=False)
    assert first[0].data_ptr() == X.data_ptr()
    for shuffled, _ in Batches(X, y, batch_size=2):
        shuffled.zero_()
    assert torch.equal(X, rows(6)[0])


def test_x_alone_and_three_tensors_are_taken():
    X, y = rows(5)
    assert [len(b) for b in Batches(X, batch_size=2)] == [1, 1, 1]
    assert [tuple(len(t) for t in b) for b in Batches(X, y, y, batch_size=3)] == [(3, 3, 3), (2, 2, 2)]


def test_batches_stay_on_the_device(device):
    X, y = (t.to(device) for t in rows(5))
    for batch in Batches(X, y, batch_size=2, generator=generator(0)):
        assert all(t.device.type == device.type for t in batch)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8", "float16", "bool"])
@pytest.mark.parametrize("layout", ["C", "F"])
def test_files_of_all_types_and_layouts_come_back_as_they_were(tmp_path, dtype, layout):
    array = np.asarray(np.arange(30).reshape(10, 3) % 2, dtype=dtype, order=layout)
    np.save(tmp_path / "X.npy", array)
    got = torch.cat(
        [X for (X,) in MappedBatches(tmp_path / "X.npy", batch_size=4, shuffle=False, block_rows=3, buffer_rows=4)]
    )
    assert torch.equal(got, torch.from_numpy(np.ascontiguousarray(array)))


MEGABYTE = 2**20
EPOCH = """
import json, resource, sys
from companion.data import MappedBatches
from companion.random import generator
import torch
def peak():
    line = next(l for l in open("/proc/self/status") if l.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
batches = MappedBatches(*sys.argv[1:], batch_size=128, block_rows=64, buffer_rows=2048, generator=generator(0))
seen, before = [], None
for X, y in batches:
    before = before or peak()
    assert bool((X[:, 0] == y).all())
    seen += y.tolist()  # numbers: small tensors that are kept would leave holes between the large ones
seen = torch.tensor(seen)
print(json.dumps({"before": before, "after": peak(), "rows": len(seen), "distinct": len(seen.unique()), "sorted": bool((seen.diff() > 0).all())}))
"""


@pytest.fixture
def large(tmp_path):
    """Write 300 MB of rows, a part at a time; sparse where the file system can."""
    n, width = 76_800, 1024  # 4 kB a row
    X = np.lib.format.open_memmap(tmp_path / "X.npy", mode="w+", dtype=np.float32, shape=(n, width))
    X[:, 0] = np.arange(n)
    X.flush()
    del X
    np.save(tmp_path / "y.npy", np.arange(n))
    yield tmp_path / "X.npy", tmp_path / "y.npy", n
    gc.collect()
    for path in tmp_path.iterdir():
        path.unlink()


def test_an_epoch_over_300_megabytes_allocates_a_twentieth_of_it(large):
    X, y, n = large
    assert X.stat().st_size > 300 * MEGABYTE
    batches = MappedBatches(X, y, batch_size=128, block_rows=64, buffer_rows=1024, generator=generator(0))
    tracemalloc.start()  # NumPy reports its arrays to it
    seen = torch.cat([y for _, y in batches])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert torch.equal(seen.sort().values, torch.arange(n))
    assert peak < 15 * MEGABYTE


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak of resident memory from /proc")
def test_the_whole_process_stays_far_below_the_file(large):
    X, y, n = large
    done = subprocess.run([sys.executable, "-c", EPOCH, str(X), str(y)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["rows"], found["distinct"], found["sorted"]) == (n, n, False)
    assert found["after"] - found["before"] < 60, "resident megabytes, the mapped pages of the file among them"


def test_skipped_batches_are_not_read(large, monkeypatch):
    X, y, _ = large
    batches = MappedBatches(X, y, batch_size=64, block_rows=64, buffer_rows=64, generator=generator(0))
    state = batches.state_dict() | {"done": len(batches) - 1}
    batches.load_state_dict(state)
    read = []
    monkeypatch.setattr(batches, "_read", lambda *a, real=batches._read: read.append(1) or real(*a))
    assert len(list(batches)) == 1
    assert read == [1]


def test_rows_that_are_dropped_are_not_read(make, monkeypatch):
    batches = make("file", 10, 4, 4, batch_size=4, shuffle=False, drop_last=True)
    read = []
    monkeypatch.setattr(batches, "_read", lambda *a, real=batches._read: read.append(1) or real(*a))
    assert order(batches) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert read == [1, 1]


X, Y = rows(4)


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (lambda: Batches(batch_size=2), ValueError, "Batches: tensors expected one tensor or more, got none"),
        (lambda: Batches(X, [1], batch_size=2), TypeError, "Batches: tensors[1] expected a tensor, got list; torch.as_tensor(tensors[1]) makes one"),
        (lambda: Batches(X, Y[:3], batch_size=2), ValueError, "Batches: tensors[1] expected 4 rows, as in the first, got 3"),
        (lambda: Batches(X[:0], batch_size=2), ValueError, "Batches: tensors[0] expected one row or more, got (0, 2)"),
        (lambda: Batches(torch.tensor(1.0), batch_size=2), ValueError, "Batches: tensors[0] expected one row or more, got ()"),
        (lambda: Batches(X, Y.to("meta"), batch_size=2), ValueError, "Batches: tensors[1] expected a tensor on cpu, as the first, got one on meta"),
        (lambda: Batches(X, batch_size=0), ValueError, "Batches: batch_size expected 1 or more, got 0"),
        (lambda: Batches(X, batch_size=2.0), TypeError, "Batches: batch_size expected a whole number, got float"),
        (lambda: Batches(X, batch_size=2, shuffle=1), TypeError, "Batches: shuffle expected True or False, got int"),
        (lambda: Batches(X, batch_size=2, generator=7), TypeError, "Batches: generator expected a torch.Generator, got int; companion.random.generator(0) makes one"),
        (lambda: Batches(X, batch_size=2).state_dict(), ValueError, "Batches.state_dict: generator expected one of its own, got none; pass generator= to make the order repeatable"),
        (lambda: MappedBatches(batch_size=2), ValueError, "MappedBatches: paths expected one file or more, got none"),
        (lambda: MappedBatches("no.npy", batch_size=2), ValueError, "MappedBatches: paths expected files that exist, got no no.npy"),
        (lambda: MappedBatches("no.npy", batch_size=2, block_rows=9, buffer_rows=8), ValueError, "MappedBatches: buffer_rows expected 9 or more, got 8"),
    ],
)  # fmt: skip
def test_what_makes_no_batches_is_refused_in_words(run, error, message):
    with pytest.raises(error) as caught:
        run()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": 5}, "state expected rows 4, as here, got 5; it belongs to other batches"),
        ({"batch_size": 3}, "state expected batch_size 2, as here, got 3; it belongs to other batches"),
        ({"generator": None}, "state expected a generator's state, as here, got none; it belongs to other batches"),
        (None, "state expected what state_dict returned, got none of batch_size, done, epoch, generator, rows"),
    ],
)
def test_a_state_of_other_batches_is_refused(change, message):
    batches = Batches(X, Y, batch_size=2, generator=generator(0))
    state = {} if change is None else batches.state_dict() | change
    with pytest.raises(ValueError) as caught:
        batches.load_state_dict(state)
    assert str(caught.value) == f"Batches.load_state_dict: {message}"
    plain = Batches(X, Y, batch_size=2, shuffle=False)
    with pytest.raises(ValueError, match="expected no generator, as here, got one"):
        plain.load_state_dict(batches.state_dict())


class Harmful:
    """What a pickle could do when it is read."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('a pickle was opened')",))


def test_files_that_are_no_arrays_are_refused_and_pickles_never_opened(tmp_path):
    good = tmp_path / "good.npy"
    np.save(good, np.arange(100.0))
    files = {
        "pickle.npy": lambda p: np.save(p, np.array([Harmful()], dtype=object), allow_pickle=True),
        "cut.npy": lambda p: p.write_bytes(good.read_bytes()[:-8]),
        "text.npy": lambda p: p.write_text("1, 2, 3"),
        "empty.npy": lambda p: p.write_bytes(b""),
    }
    for name, write in files.items():
        write(tmp_path / name)
        with pytest.raises(
            ValueError, match=rf"^MappedBatches: paths expected complete .npy files of numbers, got {name}"
        ):
            MappedBatches(tmp_path / name, batch_size=2)
    np.savez(tmp_path / "two.npz", a=np.arange(3), b=np.arange(3))
    with pytest.raises(ValueError, match=r"two.npz, an archive of several arrays"):
        MappedBatches(tmp_path / "two.npz", batch_size=2)
    np.save(tmp_path / "none.npy", np.zeros((0, 3)))
    with pytest.raises(ValueError, match=r"arrays with one row or more, got none in none.npy"):
        MappedBatches(tmp_path / "none.npy", batch_size=2)
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    with pytest.raises(ValueError, match=r"numbers that a tensor can hold, got <U1 in words.npy; array.astype"):
        MappedBatches(tmp_path / "words.npy", batch_size=2)
    np.save(tmp_path / "short.npy", np.arange(99))
    with pytest.raises(ValueError, match=r"100 rows in short.npy, as in good.npy, got 99"):
        MappedBatches(good, tmp_path / "short.npy", batch_size=2)
