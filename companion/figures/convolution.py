"""Figure of chapter 12: a kernel that slides over a picture."""

from __future__ import annotations

import torch
from torch import Tensor

from companion import functional as F
from companion.data import digits
from companion.figures.controls import Choice, Slider, Steps
from companion.figures.figure import Figure, figure, minus
from companion.figures.svg import table_of

_KERNELS: dict[str, tuple[str, list[list[float]]]] = {
    "vertical": ("vertical edge", [[-1, 0, 1]] * 3),
    "horizontal": ("horizontal edge", [[-1] * 3, [0] * 3, [1] * 3]),
    "outline": ("outline", [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    "sharpen": ("sharpen", [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "blur": ("blur", [[1 / 9] * 3] * 3),
    "copy": ("copy", [[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
}
_PICTURES = {"zero": 0, "one": 1, "seven": 7}  # names of three digits and their rows in the data


def slid(picture: Tensor, kernel: str, stride: int = 1, padding: int = 0) -> Tensor:
    """Return what one of the figure's kernels gives on a picture ``(H, W)``, by the companion's convolution."""
    weight = torch.tensor(_KERNELS[kernel][1], dtype=torch.float64)
    return F.conv2d(picture[None, None].double(), weight[None, None], stride=stride, padding=padding)[0, 0]


@figure("12", "A kernel slides over a picture")
def kernel_slide() -> Figure:
    """Return a kernel sliding over a digit: window, products, sum and output, for six kernels, stride and padding."""
    images = digits().X.view(-1, 8, 8)
    pictures = {name: images[row].long().tolist() for name, row in _PICTURES.items()}
    zero = images[_PICTURES["zero"]]
    out = slid(zero, "vertical")
    start = 13
    row, column = divmod(start, out.shape[1])
    top = int(out.argmax())
    r, c = divmod(top, out.shape[1])
    left, right = (zero[r : r + 3, k].sum().item() for k in (c, c + 2))
    alt = minus(
        "A handwritten zero of 8 × 8 numbers and the kernel for vertical edges. The output has "
        f"{out.shape[0]} × {out.shape[1]} cells from {out.min():.0f} to {out.max():.0f}; the cell in row {row + 1}, column "
        f"{column + 1} is {out[row, column]:.0f}."
    )
    answer = minus(
        f"Where the numbers rise to the right. The largest answer, {out.max():.0f}, stands in row {r + 1}, column {c + 1} of the output: "
        f"the window's left column adds up to {left:.0f}, its right one to {right:.0f}, and the kernel takes their difference. "
        f"Where they fall it gives its lowest, {out.min():.0f}; where all is alike it gives 0."
    )
    return Figure(
        "kernel_slide",
        {"pictures": pictures, "kernels": {name: kernel for name, (_, kernel) in _KERNELS.items()}},
        alt=alt,
        caption="One small table of weights, laid on every place in turn, finds the same thing wherever it stands.",
        controls={
            "picture": Choice("picture", {name: f"digit {name}" for name in _PICTURES}, "zero"),
            "kernel": Choice("kernel", {name: label for name, (label, _) in _KERNELS.items()}, "vertical"),
            "stride": Slider("stride", 1, 3, 1, 1),
            "padding": Slider("padding", 0, 2, 1, 0),
            "place": Steps("place", 99, start, now=out.numel() - 1),
        },
        task="Predict: where on the zero does the kernel for vertical edges give its largest answer? Then slide it there.",
        guesses=("where the numbers rise to the right", "where they fall to the right", "on the thickest stroke"),
        right=0 if right > left else 1,
        answer=answer,
        fallback=table_of(zero.tolist(), "input")
        + table_of(out.tolist(), "output, vertical edge, stride 1, no padding"),
    )
