"""What goes wrong on the way from a likelihood to a loss (exercise 04.2), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from companion.checks.bank import Mistake
from companion.checks.ch04_losses.e2_families import FAMILIES, Family, mean_of
from companion.checks.ch04_losses.e2_spreads import of_gaussian, of_laplace


def mistakes_of(name: str) -> list[Mistake]:
    """Return what goes wrong with any likelihood, and with this one."""
    own: dict[str, Callable[[], list[Mistake]]] = {
        "poisson": _of_poisson,
        "exponential": _of_exponential,
        "gaussian": of_gaussian,
        "laplace": of_laplace,
    }
    return [*_of_all(FAMILIES[name]), *own[name]()]


def _of_all(family: Family) -> list[Mistake]:
    each, density = family.each, family.density

    def multiplied(*args: Any) -> Tensor:
        return -density(*args).prod().log() / len(args[0])

    return [
        Mistake(
            "adds up",
            lambda *args: each(*args).sum(),
            "With a single example your loss is right. With several it is too large, by a factor that is their number.",
            "The logarithm of the likelihood is a sum over the examples. Divided by N it does not grow with the data.",
            "Hand in the same example once and twice. Should the loss of two equal examples differ from that of one?",
        ),
        Mistake(
            "turns the sign",
            mean_of(lambda *args: -each(*args)),
            "Your loss has the right size and the wrong sign: it is highest where the targets are most likely.",
            "This is the log-likelihood itself, which is to be large. A loss is to be small, so a minus stands before it.",
            "Training makes the loss small. Would yours make the targets more likely or less likely?",
        ),
        Mistake(
            "adds up, and turns the sign",
            lambda *args: -each(*args).sum(),
            "Your number has the wrong sign, and it grows with the number of examples.",
            "You return the logarithm of the whole likelihood. What is asked for is minus that, divided by N.",
            "Read the formula of the chapter from left to right. What stands before the sum?",
        ),
        Mistake(
            "computes the density before its logarithm",
            mean_of(lambda *args: -density(*args).log()),
            "Likely targets come out right. Where a target lies far from what the model says, your loss is inf or nan.",
            "Far out the density is too small for float32 and is stored as 0, or one of its factors overflows. Its logarithm "
            "is then lost, although it is an ordinary number.",
            "Take the logarithm of the density on paper, factor by factor. Which exponentials does it undo?",
        ),
        Mistake(
            "multiplies the densities",
            multiplied,
            "With few examples your loss is right. With sixty of them it is infinite, although each alone is likely enough.",
            "A product of sixty small numbers is smaller than anything that float32 can hold, and is stored as 0.",
            "What does the logarithm make of a product? Which of the two, on paper, could be done first?",
        ),
        Mistake(
            "takes the mean before the logarithm",
            lambda *args: -density(*args).mean().log(),
            "With a single example your loss is right, or nearly. With several it is too small: one likely target hides the "
            "others.",
            "The logarithm of a mean is not the mean of the logarithms. The likelihood of independent examples is a product "
            "and not a sum.",
            "Take one likely and one nearly impossible target. What is their product, and what is their mean?",
        ),
        Mistake(
            "forgets the logarithm",
            mean_of(lambda *args: -density(*args)),
            "Your numbers lie between minus the highest density and 0, and impossible targets cost nothing more than unlikely ones.",
            "You return minus the mean of the densities. Without the logarithm a target far out has hardly any slope.",
            "Which function turns a product of probabilities into a sum? Where does it stand in the formula?",
        ),
    ]


def _of_poisson() -> list[Mistake]:
    return [
        Mistake(
            "leaves the factorial out",
            mean_of(lambda f, t: torch.exp(f) - t * f),
            "With counts of 0 and 1 your loss is right. With larger ones it is too small, and may fall below 0.",
            "log t! does not depend on the model, so training would not miss it. But without it the number is no likelihood, "
            "and cannot be compared with another model's.",
            "Which factor of the probability holds t alone? Take its logarithm as well.",
        ),
        Mistake(
            "takes f for the rate",
            mean_of(lambda f, t: f - t * torch.log(f) + torch.lgamma(t + 1)),
            "Your loss is infinite or nan where f is 0 or negative, and wrong elsewhere.",
            "f is put where the rate belongs, and its logarithm is taken once more. A logarithm of a rate may be negative.",
            "The rate is above 0 whatever f is. How do you get it from f, and what is its logarithm?",
        ),
        Mistake(
            "leaves the exponential out",
            mean_of(lambda f, t: f - t * f + torch.lgamma(t + 1)),
            "The term with the count is right, and the first term is not: it may be negative, and a rate never is.",
            "The probability holds the rate itself in its exponent, and f is the logarithm of it.",
            "What is the logarithm of exp(-rate)? Write it with f.",
        ),
        Mistake(
            "adds the count's term",
            mean_of(lambda f, t: torch.exp(f) + t * f + torch.lgamma(t + 1)),
            "With a count of 0 your loss is right. A large count costs more the larger the rate is, which is the wrong way round.",
            "The power of the rate stands above the line, so minus its logarithm is below 0 for rates above 1.",
            "Take minus the logarithm of a power: which sign comes before the exponent?",
        ),
        Mistake(
            "takes the factorial off",
            mean_of(lambda f, t: torch.exp(f) - t * f - torch.lgamma(t + 1)),
            "With counts of 0 and 1 your loss is right. With larger ones it is too small by twice the same term.",
            "The factorial stands below the line. Its logarithm is taken off the log-likelihood, and so comes back with a plus.",
            "Take the logarithm of 1/6, and then minus that. Which sign does log 6 have in the end?",
        ),
        Mistake(
            "shifts the factorial by one",
            mean_of(lambda f, t: torch.exp(f) - t * f + torch.lgamma(t)),
            "With a count of 0 your loss is infinite. Larger counts cost a little too little.",
            "lgamma(t) is the logarithm of the factorial of t - 1. At t = 0 there is none, and the function is infinite.",
            "Print exp(lgamma(t)) for t = 1, 2, 3, 4. Which factorials are these?",
        ),
        Mistake(
            "makes the factorial before its logarithm",
            mean_of(lambda f, t: torch.exp(f) - t * f + torch.exp(torch.lgamma(t + 1)).log()),
            "Small counts come out right. From a count of 35 on your loss is infinite in float32.",
            "The factorial is computed before its logarithm is taken, and 35! is larger than float32 can hold. Its logarithm "
            "is an ordinary number.",
            "Print your factorial for t = 30, 40 and 60. Which function of the task gives its logarithm without making it?",
        ),
        Mistake(
            "rounds the factorial by Stirling",
            mean_of(lambda f, t: torch.exp(f) - t * f + torch.xlogy(t, t) - t),
            "With a count of 0 your loss is right. With others it is too small, by about 1 or 2 each.",
            "t log t - t is only the beginning of log t!. What is left out grows slowly, and for small counts it matters most.",
            "Compare your constant with log 6 at t = 3. The task names a function that gives it exactly.",
        ),
        Mistake(
            "takes the squared error",
            mean_of(lambda f, t: (torch.exp(f) - t).square()),
            "Counts that hit the rate cost nothing in your result, and large rates cost more than they should.",
            "The squared error belongs to a Gaussian with one spread for all. A Poisson with a large rate is wider, and its "
            "probability of the best count is not 1.",
            "Which distribution is in the task? Take minus the logarithm of that one, factor by factor.",
        ),
        Mistake(
            "leaves the factorial out, and turns the sign",
            mean_of(lambda f, t: t * f - torch.exp(f)),
            "Your number is highest where the targets are most likely, and the term that holds t alone is missing.",
            "This is the log-likelihood, which is to be large, and a loss is to be small. And log t! has been dropped, which "
            "training would not notice and a comparison would.",
            "Mend the sign first: what stands before the logarithm in the task? Then look for the factor of the probability "
            "that you dropped.",
        ),
        Mistake(
            "leaves the factorial out, and adds up",
            lambda f, t: (torch.exp(f) - t * f).sum(),
            "Your loss grows with the number of examples, and large counts cost too little.",
            "You return a sum where a mean is asked. And log t! is missing, which training would not notice and a comparison "
            "would.",
            "Mend the reduction first, with two equal examples. Then look for the factor of the probability that you dropped.",
        ),
    ]


def _of_exponential() -> list[Mistake]:
    return [
        Mistake(
            "leaves the rate's own term out",
            mean_of(lambda f, t: torch.exp(f) * t),
            "At a rate of 1 your loss is right. Elsewhere a term is missing, and the smallest loss is at a rate of 0.",
            "The factor before the exponential makes the density add up to 1. Without it the model does best when it says that "
            "nothing ever happens.",
            "Which factor of the density did you not take the logarithm of?",
        ),
        Mistake(
            "takes f for the rate",
            mean_of(lambda f, t: f * t - torch.log(f)),
            "Your loss is infinite or nan where f is 0 or negative, and wrong elsewhere.",
            "f is put where the rate belongs, and its logarithm is taken once more. A logarithm of a rate may be negative.",
            "The rate is above 0 whatever f is. How do you get it from f, and what is its logarithm?",
        ),
        Mistake(
            "leaves the exponential out",
            mean_of(lambda f, t: f * t - f),
            "The term with f alone is right. The one with the time may be negative, and a rate never is.",
            "The density holds the rate itself in its exponent, and f is the logarithm of it.",
            "What is the logarithm of exp(-rate times t)? Write it with f.",
        ),
        Mistake(
            "adds the rate's own term",
            mean_of(lambda f, t: torch.exp(f) * t + f),
            "At a rate of 1 your loss is right. Elsewhere the term that holds f alone has the wrong sign.",
            "The rate stands as a factor before the exponential. Minus the logarithm of a factor above 1 is below 0.",
            "What is minus the logarithm of the rate, written with f?",
        ),
        Mistake(
            "takes the rate for the mean time",
            mean_of(lambda f, t: t * torch.exp(-f) + f),
            "At a rate of 1 your loss is right. Elsewhere it is that of the rate turned over: fast and slow are exchanged.",
            "You divide by the rate where the density multiplies. That is right if the model gives the logarithm of the mean "
            "waiting time, which is 1 divided by the rate.",
            "At a rate of 10 events in a unit of time, how long does one wait? Is a wait of 5 likely then, and what does it cost?",
        ),
        Mistake(
            "leaves the time out",
            mean_of(lambda f, t: torch.exp(f) - f + 0 * t),
            "Your result does not depend on the waiting times at all. With a wait of 1 it is right.",
            "The rate stands alone where the density holds it times t, as in the loss of a count.",
            "Which targets does your loss prefer? Change one of them and call it again.",
        ),
        Mistake(
            "leaves the rate's own term out, and adds up",
            lambda f, t: (torch.exp(f) * t).sum(),
            "Your loss grows with the number of examples, and the term that holds f alone is missing.",
            "You return a sum where a mean is asked. And the factor before the exponential has been dropped.",
            "Mend the reduction first, with two equal examples. Then take the logarithm of the density factor by factor.",
        ),
    ]
