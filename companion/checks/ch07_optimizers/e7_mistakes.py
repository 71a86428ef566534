"""What goes wrong when slopes are clipped by their norm (exercise 07.7), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from companion.checks.bank import Mistake
from companion.checks.ch07_optimizers.lists import Tensors

Clip = Callable[[Tensors, float], tuple[Tensors, Tensor]]


def squares_of(slopes: Tensors) -> Tensor:
    """Return the sum of the squares of all slopes."""
    return torch.stack([g.square().sum() for g in slopes]).sum()


def norm_of(slopes: Tensors) -> Tensor:
    """Return the length of all slopes together."""
    return squares_of(slopes).sqrt()


def share(norm: Tensor, most: float) -> Tensor:
    """Return by what the slopes are multiplied: by 1 where they are short enough."""
    return torch.where(norm > most, most / norm, torch.ones_like(norm))


def rule(
    norm: Callable[[Tensors], Tensor] = norm_of,
    factor: Callable[[Tensor, float], Tensor] = share,
    *,
    told: Callable[[Tensors, Tensors, Tensor], Tensor] = lambda old, new, norm: norm,
) -> Clip:
    """Return a clipping by other rules.

    Args:
        norm: the length of the slopes.
        factor: by what all of them are multiplied, from that length and the largest allowed.
        told: what is handed back as the norm, from the old slopes, the new ones and that length.
    """

    def clip(slopes: Tensors, max_norm: float) -> tuple[Tensors, Tensor]:
        length = norm(slopes)
        new = [factor(length, max_norm) * g for g in slopes]
        return new, told(slopes, new, length)

    return clip


def _one_by_one(factor: Callable[[Tensor, float], Tensor]) -> Clip:
    return lambda slopes, most: ([factor(g.square().sum().sqrt(), most) * g for g in slopes], norm_of(slopes))


def _by_value(slopes: Tensors, max_norm: float) -> tuple[Tensors, Tensor]:
    return [g.clamp(-max_norm, max_norm) for g in slopes], norm_of(slopes)


def _by_plain_numbers(slopes: Tensors, max_norm: float) -> tuple[Tensors, Tensor]:
    norm = norm_of(slopes)
    factor = min(1.0, max_norm / norm.item())
    return [factor * g for g in slopes], norm


def _in_place(slopes: Tensors, max_norm: float) -> tuple[Tensors, Tensor]:
    norm = norm_of(slopes)
    for g in slopes:
        g.mul_(share(norm, max_norm))
    return slopes, norm


def _to_zero(slopes: Tensors, max_norm: float) -> tuple[Tensors, Tensor]:
    norm = norm_of(slopes)
    return [torch.zeros_like(g) if norm > max_norm else g.clone() for g in slopes], norm


def _each_row(slopes: Tensors, max_norm: float) -> tuple[Tensors, Tensor]:
    def row(g: Tensor) -> Tensor:
        norm = g.norm(dim=-1, keepdim=True) if g.dim() else g.abs()
        return share(norm, max_norm) * g

    return [row(g) for g in slopes], norm_of(slopes)


def _first_only(slopes: Tensors, max_norm: float) -> tuple[Tensors, Tensor]:
    norm = norm_of(slopes)
    return [share(norm, max_norm) * slopes[0], *slopes[1:]], norm


def _of_the_first(slopes: Tensors) -> Tensor:
    return slopes[0].square().sum().sqrt()


def _in_turn(slopes: Tensors, max_norm: float) -> tuple[Tensors, Tensor]:
    total, new = torch.zeros_like(squares_of(slopes)), []
    for g in slopes:
        total = total + g.square().sum()
        new.append(share(total.sqrt(), max_norm) * g)
    return new, total.sqrt()


_LENGTH = (
    Mistake(
        "takes a norm for each tensor",
        _one_by_one(share),
        "Each of your tensors is made shorter by itself, by its own norm. Together they may still be too long.",
        "A tensor that is short enough keeps its length while another loses half: so the direction of the whole is turned.",
        "How many norms does your code compute, and how many does the formula have?",
    ),
    Mistake(
        "divides each tensor by its own norm",
        _one_by_one(lambda norm, most: 1 / norm),
        "Each of your tensors has the length 1, whatever it was before and whatever `max_norm` is.",
        "That leaves of a tensor its direction alone. A tensor with tiny slopes then counts as much as one with large slopes, and a tensor "
        "of zeros gives nan.",
        "Which length should a tensor keep if all slopes together are short enough? And where is the limit in your code?",
    ),
    Mistake(
        "takes a norm for each row",
        _each_row,
        "Each row of your tables is made shorter by itself.",
        "A `dim` in the norm keeps the rows apart. The squares of all entries of all tensors go into one sum.",
        "What is the shape of your norm? It should have no axes at all.",
    ),
    Mistake(
        "cuts every entry by itself",
        _by_value,
        "No entry of yours is larger than `max_norm`, and the direction of the slopes has been turned.",
        "That is clipping by value: large entries are cut and small ones are kept. By norm all are multiplied by one factor.",
        "In which ratio do the two entries (3, 4) stand after your clipping at 1, and in which should they?",
    ),
    Mistake(
        "adds up the norms of the tensors",
        rule(lambda slopes: torch.stack([g.square().sum().sqrt() for g in slopes]).sum()),
        "Your norm is too large where there is more than one tensor: it is the sum of their norms.",
        "Lengths at right angles do not add up: 3 and 4 make 5. Their squares add up, and the root comes last.",
        "What is the norm of the two tensors [3] and [4], and what is that of the one tensor [3, 4]?",
    ),
    Mistake(
        "takes the mean of the norms",
        rule(lambda slopes: torch.stack([g.square().sum().sqrt() for g in slopes]).mean()),
        "Your norm is the mean over the tensors, so that more tensors do not make it larger.",
        "All slopes make up one long vector, however it is cut into tensors. Its length is the root of the sum of all squares.",
        "Cut a tensor of the example into two. Should the norm change?",
    ),
    Mistake(
        "takes the mean of the squares",
        rule(lambda slopes: (squares_of(slopes) / sum(g.numel() for g in slopes)).sqrt()),
        "Your norm is too small, and the more weights there are the smaller it is.",
        "A mean of squares is the size of a typical slope. The norm is the length of all of them, and takes their sum.",
        "By which number do you divide before the root, and is it in the formula?",
    ),
    Mistake(
        "forgets the root",
        rule(squares_of),
        "Your norm is the sum of squares: the root is missing. Long slopes become much shorter than `max_norm`.",
        "A length of 10 has squares that add up to 100. Divided by that the slopes end at a tenth of the length they should have.",
        "What is the norm of (3, 4), and what does your code make of it?",
    ),
    Mistake(
        "adds up sizes in place of squares",
        rule(lambda slopes: torch.stack([g.abs().sum() for g in slopes]).sum()),
        "Your norm is the sum of the sizes of all slopes. It is too large wherever more than one entry is not 0.",
        "That is another norm, the one with the number 1. The length of an arrow is the root of the sum of squares.",
        "How far is it from (0, 0) to (3, 4) in a straight line?",
    ),
    Mistake(
        "takes the largest entry for the norm",
        rule(lambda slopes: torch.stack([g.abs().max() if g.numel() else g.new_zeros(()) for g in slopes]).max()),
        "Your norm is the largest entry alone, and all the others have no part in it.",
        "That is the norm with the number infinity. Many entries that are not large each can make a long arrow together.",
        "How long is a vector of a hundred entries that are all 1?",
    ),
    Mistake(
        "takes the norm of the longest tensor",
        rule(lambda slopes: torch.stack([g.square().sum().sqrt() for g in slopes]).max()),
        "Your norm is that of the longest tensor alone.",
        "Many tensors of the same length are longer together than each of them. All their squares belong into one sum.",
        "What is the norm of the two tensors [3] and [4]: 4, or more?",
    ),
    Mistake(
        "takes the norm of the first tensor alone",
        rule(_of_the_first),
        "Your norm is that of the first tensor. What the others hold does not matter to it.",
        "Your code looks at place 0 alone, or a `return` ends the loop in its first round.",
        "Change an entry of the last tensor. Should the norm change, and does yours?",
    ),
    Mistake(
        "clips while it is still adding up",
        _in_turn,
        "Your last tensor and the norm are right. Earlier tensors are multiplied by a factor of the squares so far.",
        "Two things happen in one loop. The factor is known when all squares are in, and not before.",
        "How many loops does it take: one to add up, and then?",
    ),
)

_FACTOR = (
    Mistake(
        "makes short slopes longer",
        rule(factor=lambda norm, most: most / norm),
        "Slopes that were short enough have been made longer: all of yours end with exactly the length `max_norm`.",
        "Clipping is an upper limit. Near the bottom slopes are short, and steps are to be short there.",
        "What should come back if the norm is 2 and `max_norm` is 5?",
    ),
    Mistake(
        "makes all slopes of length 1",
        rule(factor=lambda norm, most: 1 / norm),
        "Your slopes all end with the length 1, whatever `max_norm` is.",
        "They are divided by their norm, and the limit is not asked about, neither as a factor nor as a condition.",
        "Where does `max_norm` stand in your code?",
    ),
    Mistake(
        "makes long slopes of length 1",
        rule(factor=lambda norm, most: torch.where(norm > most, 1 / norm, torch.ones_like(norm))),
        "Slopes that are too long end with the length 1, and not with `max_norm`.",
        "The condition is right. Divided by their norm the slopes have the length 1, and they still have to be multiplied by the limit.",
        "How long should a slope of length 10 be after a clipping at 2?",
    ),
    Mistake(
        "divides by the limit",
        rule(factor=lambda norm, most: torch.where(norm > most, torch.ones_like(norm) / most, torch.ones_like(norm))),
        "Slopes that are too long are divided by `max_norm`, so that a larger limit makes them shorter.",
        "To end at the limit they have to be multiplied by it, and divided by their own norm.",
        "Which length is left of 10 at a limit of 2? And at a limit of 0.5?",
    ),
    Mistake(
        "multiplies by the limit",
        rule(factor=lambda norm, most: torch.where(norm > most, torch.full_like(norm, most), torch.ones_like(norm))),
        "Slopes that are too long are multiplied by `max_norm`, whatever their own length is.",
        "The factor is a fraction, and its lower half is missing: the norm. Only divided by it do the slopes come to the length of the limit.",
        "What becomes of a slope of length 10 at a limit of 2, and what should become of it?",
    ),
    Mistake(
        "turns the fraction round",
        rule(factor=lambda norm, most: torch.where(norm > most, norm / most, torch.ones_like(norm))),
        "Slopes that are too long have been made longer still.",
        "The factor is norm over limit, and it is above 1 exactly where the slopes are too long.",
        "Should the factor be above 1 or below, if the norm is 10 and the limit 2?",
    ),
    Mistake(
        "takes the root of the factor",
        rule(factor=lambda norm, most: share(norm, most).sqrt()),
        "Slopes that are too long become shorter, and not short enough: they still are above the limit.",
        "A root was taken of the factor. The norm is a length already, so that limit over norm is the factor as it is.",
        "Compute the norm of what you return. Is it at most `max_norm`?",
    ),
    Mistake(
        "throws long slopes away",
        _to_zero,
        "Slopes that are too long have all become 0, so that no step is taken.",
        "Some trainings do skip a bad batch. Clipping keeps the direction, and shortens the step.",
        "In which direction do your slopes point after the clipping?",
    ),
    Mistake(
        "stops where all slopes are 0",
        _by_plain_numbers,
        "Where all slopes are 0 your function stops with a division by 0. Everywhere else you are right.",
        "Limit over norm is computed before anybody asks whether it is needed. Plain numbers of Python do not divide by 0.",
        "Ask first whether the norm is above the limit. Is a norm of 0 ever?",
        best="slopes that are all 0",
    ),
    Mistake(
        "gives nan where all slopes are 0",
        rule(factor=lambda norm, most: torch.minimum(norm, torch.full_like(norm, most)) / norm),
        "Where all slopes are 0 yours are nan. Everywhere else you are right.",
        "The norm is 0 there, and 0 divided by 0 is no number. One such batch would make nan of all weights.",
        "Which way through your code does not divide, if the norm is not above the limit?",
        best="slopes that are all 0",
    ),
)

_BACK = (
    Mistake(
        "tells the norm after the clipping",
        rule(told=lambda old, new, norm: norm_of(new)),
        "Your slopes are right. The norm that you hand back is that of the new ones.",
        "After the clipping it is never above the limit, and says nothing. The one before tells when a batch was bad.",
        "Which list stands in your norm when it is computed, the old one or the new one?",
    ),
    Mistake(
        "hands back the factor and not the norm",
        lambda slopes, max_norm: (rule()(slopes, max_norm)[0], share(norm_of(slopes), max_norm)),
        "Your slopes are right. What you hand back beside them is a share, and not a length.",
        "The caller wants to know how long the slopes were. A factor of 1 hides whether they were short or nearly too long.",
        "Which of your names holds the length of the slopes? Is it behind your `return`?",
    ),
    Mistake(
        "hands back the two in the other order",
        lambda slopes, max_norm: rule()(slopes, max_norm)[::-1],
        "Slopes and norm are both right, and they come in the wrong order.",
        "The caller writes `slopes, norm = clip(...)`, and would take a number for the list of slopes.",
        "Which of the two does the task name first?",
    ),
    Mistake(
        "writes into the slopes that came in",
        _in_place,
        "The numbers are right, and the caller's own slopes have been clipped with them.",
        "PyTorch's function does so on purpose, and its name ends in `_` to say it. Here the old slopes are still needed.",
        "Which line changes a tensor that came in? `factor * g` makes a new one, `g *= factor` does not.",
    ),
    Mistake(
        "clips the first tensor only",
        _first_only,
        "Your norm and your first tensor are right. All other tensors come back as they were.",
        "The factor is the same for all, and it is applied once. Then one tensor is short, and the direction is another one.",
        "In how many tensors does your result differ from what came in?",
    ),
    Mistake(
        "forgets the root, and makes short slopes longer",
        rule(squares_of, lambda norm, most: most / norm),
        "Your norm is a sum of squares, and all slopes are divided by it, the short ones too.",
        "Two things at once: the root of the norm is missing, and nobody asks whether the slopes are too long at all.",
        "Set the norm right with (3, 4), where it is 5. Then ask what should happen at a limit of 10.",
    ),
)

MISTAKES = (*_LENGTH, *_FACTOR, *_BACK)
