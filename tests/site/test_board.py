"""The picture of TensorBoard: small enough for a page, of the size that its tool photographs."""

import io

import board
import numpy as np
from PIL import Image


def test_stored_picture_is_small_and_has_the_size_of_the_window():
    with Image.open(board.PICTURE) as picture:
        assert picture.size == (board.WIDE, board.HIGH)
    assert board.PICTURE.stat().st_size <= board.MOST_BYTES


def test_packing_keeps_letters_and_lines_and_saves_bytes():
    pixels = np.full((60, 200, 3), 255, np.uint8)
    pixels[::7] = (20, 20, 20)
    pixels[:, 50:53] = (0, 160, 200)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=0)
    data = board.packed(buffer.getvalue())
    assert len(data) < len(buffer.getvalue()) / 10
    again = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert np.abs(again - pixels).max() <= 8
