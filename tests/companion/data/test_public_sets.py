"""Public sets: their registry, and their formats read from small files of the same form."""

import gzip
import io
import re
import tarfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.data import cifar10, fashion_mnist, public
from companion.data.download import Remote
from companion.data.formats import read_cifar, read_idx

REMOTES = [*public.FASHION_MNIST["train"], *public.FASHION_MNIST["test"], public.CIFAR10]
# what the sets' own pages publish, beside the SHA-256 of the registry; here to be compared by whoever has the files
PUBLISHED_MD5 = {
    "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    "cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530",
}


def idx(array):
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.tobytes()


def packed(path, content):
    path.write_bytes(gzip.compress(content))
    return path


def archive(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def test_the_registry_is_complete():
    assert {remote.name for remote in REMOTES} == set(PUBLISHED_MD5)
    assert len({remote.sha256 for remote in REMOTES}) == len(REMOTES)
    for remote in REMOTES:
        assert re.fullmatch(r"[0-9a-f]{64}", remote.sha256)
        assert re.fullmatch(r"https?://\S+", remote.url)
        assert remote.size > 1000
        assert "pickle" not in remote.url
        assert "python" not in remote.url


@settings(max_examples=40, deadline=None, derandomize=True)
@given(shape=st.lists(st.integers(0, 5), max_size=3), seed=st.integers(0, 9))
def test_idx_files_come_back_as_they_were(tmp_path_factory, shape, seed):
    array = np.asarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))
    path = packed(tmp_path_factory.getbasetemp() / "some.gz", idx(array))
    got = read_idx(path)
    assert got.dtype == torch.uint8
    assert torch.equal(got, torch.from_numpy(array))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda c: gzip.compress(c)[:-9], "a whole gzip file, got one that breaks off"),
        (lambda c: b"nothing packed", "a whole gzip file, got one that breaks off"),
        (lambda c: gzip.compress(c[:-1]), "28 bytes, as its head says, got 27"),
        (lambda c: gzip.compress(c + b"x"), "28 bytes, as its head says, got 29"),
        (lambda c: gzip.compress(b"\1" + c[1:]), "an idx file of bytes, beginning 00 00 08, got 01 00 08 03"),
        (lambda c: gzip.compress(c[:2] + b"\x0d" + c[3:]), "an idx file of bytes, beginning 00 00 08, got 00 00 0d 03"),
        (lambda c: gzip.compress(c[:3]), "an idx file of bytes, beginning 00 00 08, got 00 00 08"),
        (lambda c: gzip.compress(c[:9]), "bytes, as its head says, got 9"),
    ],
)
def test_spoilt_idx_files_are_named(tmp_path, spoil, message):
    content = idx(np.arange(12, dtype=np.uint8).reshape(3, 2, 2))
    path = tmp_path / "some.gz"
    path.write_bytes(spoil(content))
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        read_idx(path)
    assert str(caught.value).startswith("read_idx: some.gz expected ")


def records(n, seed=0, size=32):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, n, dtype=np.uint8)
    pictures = rng.integers(0, 256, (n, 3, size, size), dtype=np.uint8)
    content = b"".join(bytes([label]) + picture.tobytes() for label, picture in zip(labels, pictures))
    return labels, pictures, content


def test_cifar_records_come_back_in_the_order_of_the_members(tmp_path):
    (first, one, a), (second, two, b) = records(3), records(2, 1)
    path = archive(tmp_path / "c.tar.gz", {"b.bin": b, "a.bin": a, "data_batch_1": b"a pickle that nobody opens"})
    pictures, labels = read_cifar(path, ("a.bin", "b.bin"))
    assert torch.equal(pictures, torch.from_numpy(np.concatenate([one, two])))
    assert torch.equal(labels, torch.from_numpy(np.concatenate([first, second])))
    small = archive(tmp_path / "s.tar.gz", {"a.bin": records(4, size=5)[2]})
    assert read_cifar(small, ("a.bin",), size=5)[0].shape == (4, 3, 5, 5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (records(2)[2][:-1], "records of 3073 bytes in a.bin, got 6,145 bytes"),
        (b"", "records of 3073 bytes in a.bin, got 0 bytes"),
        (bytes([10]) + records(1)[2][1:], "classes from 0 to 9, got 10"),
    ],
)
def test_spoilt_cifar_records_are_named(tmp_path, content, message):
    path = archive(tmp_path / "c.tar.gz", {"a.bin": content})
    with pytest.raises(ValueError, match=rf"^read_cifar: c.tar.gz expected {message}$"):
        read_cifar(path, ("a.bin",))


def test_spoilt_archives_are_named(tmp_path):
    path = archive(tmp_path / "c.tar.gz", {"a.bin": records(20)[2]})
    with pytest.raises(ValueError, match=r"expected a file b.bin in the archive, got none$"):
        read_cifar(path, ("b.bin",))
    whole = path.read_bytes()
    for cut in (whole[: len(whole) // 2], b"no archive", b""):
        path.write_bytes(cut)
        with pytest.raises(ValueError, match=r"expected a whole .tar.gz archive, got one that breaks off"):
            read_cifar(path, ("a.bin",))


def test_fashion_mnist_is_pictures_and_classes(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    pictures, labels = rng.integers(0, 256, (5, 28, 28), dtype=np.uint8), np.array([9, 0, 3, 3, 1], dtype=np.uint8)
    asked = []

    def found(remote: Remote, *, progress):
        asked.append((remote.name, progress))
        return packed(tmp_path / remote.name, idx(pictures if "images" in remote.name else labels))

    monkeypatch.setattr(public, "fetch", found)
    data = fashion_mnist("test", progress=False)
    assert asked == [("t10k-images-idx3-ubyte.gz", False), ("t10k-labels-idx1-ubyte.gz", False)]
    assert data.X.dtype == torch.float32
    torch.testing.assert_close(data.X.view(-1, 1, 28, 28)[:, 0], torch.from_numpy(pictures) / 255)
    assert data.y.tolist() == labels.tolist()
    assert [data.class_names[i] for i in (0, 1, 9)] == ["T-shirt/top", "trouser", "ankle boot"]
    assert (data.feature_names[0], data.feature_names[29], len(data.class_names)) == ("pixel_0_0", "pixel_1_1", 10)
    assert data.licence == "MIT"
    assert not data.synthetic
    asked.clear()
    fashion_mnist()
    assert asked == [("train-images-idx3-ubyte.gz", True), ("train-labels-idx1-ubyte.gz", True)]
    labels = labels[:4]
    with pytest.raises(ValueError, match=r"labels expected one for each of 5 pictures, got \(4,\)"):
        fashion_mnist("test")


@pytest.mark.parametrize(("part", "count"), [("train", 10), ("test", 1)])
def test_cifar10_reads_the_members_of_its_part(tmp_path, monkeypatch, part, count):
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]
    made = {name: records(2 if "data" in name else 1, seed) for seed, name in enumerate(names)}
    path = archive(tmp_path / "c.tar.gz", {f"cifar-10-batches-bin/{n}": made[n][2] for n in names})
    monkeypatch.setattr(public, "fetch", lambda remote, *, progress: path)
    data = cifar10(part)
    of_part = [made[n] for n in names if ("data" in n) == (part == "train")]
    assert data.X.shape == (count, 3072)
    torch.testing.assert_close(
        data.X.view(-1, 3, 32, 32), torch.from_numpy(np.concatenate([m[1] for m in of_part])) / 255
    )
    assert data.y.tolist() == np.concatenate([m[0] for m in of_part]).tolist()
    assert data.feature_names[1024] == "green_pixel_0_0"
    assert data.class_names[3] == "cat"


@pytest.mark.parametrize("load", [fashion_mnist, cifar10])
def test_without_a_network_one_sentence_says_so(load, monkeypatch, tmp_path):
    monkeypatch.setenv("NEURONS_CACHE", str(tmp_path))
    monkeypatch.setenv("NEURONS_OFFLINE", "1")
    with pytest.raises(OSError, match=r"^fetch: \S+ expected a network, got NEURONS_OFFLINE=1 [^\n]*$"):
        load()
    with pytest.raises(TypeError, match=rf"^{load.__name__}: part expected 'train' or 'test', got int$"):
        load(1)
