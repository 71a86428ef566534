"""Two old file formats for pictures, read by hand and checked to the last byte."""

from __future__ import annotations

import gzip
import math
import tarfile
import zlib
from pathlib import Path

import torch
from torch import Tensor

from companion.errors import bad_value

_UNSIGNED_BYTES = 8  # the idx code of the only type that pictures and labels use


def read_idx(path: Path) -> Tensor:
    """Read an idx file of bytes, packed by gzip: the format of MNIST and Fashion-MNIST.

    Two bytes 0, one for the type, one for the number of axes, a big-endian 32-bit length for each axis, then the
    numbers row by row.

    Args:
        path: The ``.gz`` file.

    Returns:
        uint8 tensor with the axes that the file names.

    Raises:
        ValueError: If it is packed badly, is no idx file of bytes, or its length is not what it says.

    Source:
        LeCun, Cortes and Burges (1998), The MNIST database of handwritten digits.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (EOFError, OSError, zlib.error) as error:
        raise bad_value("read_idx", path.name, "a whole gzip file", f"one that breaks off ({error})") from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _UNSIGNED_BYTES:
        raise bad_value("read_idx", path.name, "an idx file of bytes, beginning 00 00 08", content[:4].hex(" "))
    start = 4 + 4 * content[3]
    shape = [int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4)]
    if len(content) != start + math.prod(shape):
        expected = f"{start + math.prod(shape):,} bytes, as its head says"
        raise bad_value("read_idx", path.name, expected, f"{len(content):,}")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)[start:].reshape(shape)


def read_cifar(path: Path, members: tuple[str, ...], size: int = 32) -> tuple[Tensor, Tensor]:
    """Read pictures and labels from the archive of CIFAR-10's binary version; its pickles are never opened.

    A record is one byte for the class, then the picture: all red, all green, all blue, each row by row.

    Args:
        path: The ``.tar.gz`` archive.
        members: Names of the files in it, in the order wanted.
        size: Height and width of the pictures.

    Returns:
        Pictures (N, 3, size, size) and classes (N,), both uint8.

    Raises:
        ValueError: If the archive is broken, a member is missing, no whole number of records, or a class is not
            from 0 to 9.

    Source:
        Krizhevsky (2009), Learning multiple layers of features from tiny images.
    """
    record = 1 + 3 * size * size
    parts = []
    try:
        with tarfile.open(path, "r:gz") as archive:
            for name in members:
                member = archive.extractfile(name)
                content = b"" if member is None else member.read()
                if not content or len(content) % record:
                    expected = f"records of {record} bytes in {name}"
                    raise bad_value("read_cifar", path.name, expected, f"{len(content):,} bytes")
                parts.append(torch.frombuffer(bytearray(content), dtype=torch.uint8).reshape(-1, record))
    except KeyError:
        raise bad_value("read_cifar", path.name, f"a file {name} in the archive", "none") from None
    except (EOFError, OSError, tarfile.TarError, zlib.error) as error:
        raise bad_value("read_cifar", path.name, "a whole .tar.gz archive", f"one that breaks off ({error})") from None
    records = torch.cat(parts)
    if int(records[:, 0].max()) > 9:
        raise bad_value("read_cifar", path.name, "classes from 0 to 9", int(records[:, 0].max()))
    return records[:, 1:].reshape(-1, 3, size, size), records[:, 0].clone()
