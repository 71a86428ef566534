"""What goes wrong with bias and variance (exercise 08.6), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from companion.checks.bank import Mistake

Parts = tuple[Tensor, Tensor, Tensor]
Decomposition = Callable[[Tensor, Tensor, float], Parts]
Part = Callable[[Tensor, Tensor], Tensor]


def _bias2(p: Tensor, t: Tensor) -> Tensor:
    return (p.mean(dim=0) - t).square().mean()


def _variance(p: Tensor, t: Tensor) -> Tensor:
    return p.var(dim=0, correction=0).mean()


def _parts(
    bias2: Part = _bias2,
    variance: Part = _variance,
    noise: Callable[[float], float] = lambda noise: noise**2,
    error: Callable[[Tensor, Tensor, float], Tensor] = lambda bias2, variance, noise: bias2 + variance + noise,
) -> Decomposition:
    """Return the decomposition with another part, another share of the noise, or other parts put together otherwise."""

    def bias_variance(predictions: Tensor, truth: Tensor, sigma: float) -> Parts:
        b, v = bias2(predictions, truth), variance(predictions, truth)
        return b, v, error(b, v, noise(sigma))

    return bias_variance


def _summed(factor: float) -> Decomposition:
    """Return the decomposition with sums over the points, multiplied by a factor."""

    def bias_variance(predictions: Tensor, truth: Tensor, noise: float) -> Parts:
        n = factor * len(truth)
        b, v = n * _bias2(predictions, truth), n * _variance(predictions, truth)
        return b, v, b + v + noise**2

    return bias_variance


_BIAS = (
    Mistake(
        "averages the bias before it is squared",
        _parts(bias2=lambda p, t: (p.mean(dim=0) - t).mean().square()),
        "Where the models miss upwards at one point and downwards at another, your squared bias is too small.",
        "The mean over the points is taken first, and misses to both sides cancel. A square comes before the "
        "mean so that they cannot.",
        "In the example the bias is 2 and -1. What is the mean of 4 and 1, and what is the square of the mean?",
    ),
    Mistake(
        "squares the mean size of the bias",
        _parts(bias2=lambda p, t: (p.mean(dim=0) - t).abs().mean().square()),
        "Your squared bias is too small wherever the models miss some points by more than others.",
        "You square the mean of the sizes. A mean of squares gives large misses more weight, and is never smaller.",
        "In the example: is it the square of (2 + 1) / 2, or the mean of 4 and 1?",
    ),
    Mistake(
        "takes the mean size of the bias",
        _parts(bias2=lambda p, t: (p.mean(dim=0) - t).abs().mean()),
        "Your first number has the unit of a prediction. Asked for is a square.",
        "The sizes of the misses are averaged, without a square. Such a number cannot be added to a variance.",
        "Follow the units: if predictions are in metres, in what is the variance, and in what is your bias?",
    ),
    Mistake(
        "returns the bias without its square",
        _parts(bias2=lambda p, t: (p.mean(dim=0) - t).mean()),
        "Your first number can be negative: it says how far too high the models lie over all points.",
        "Misses to both sides cancel in it, and it is no square. Asked for is the mean of the squared misses, "
        "point by point.",
        "Can a sum of squares be negative? Where in your first line does the square stand?",
    ),
    Mistake(
        "takes the error of every model for the bias",
        _parts(bias2=lambda p, t: (p - t).square().mean()),
        "Your squared bias is too large, by exactly the variance, which is then counted twice.",
        "You compare each model with the truth. The bias is what is left when the models are averaged first.",
        "How many numbers should be compared with the truth at one point: M of them, or one?",
    ),
    Mistake(
        "takes the middle model for the mean",
        _parts(bias2=lambda p, t: (p.median(dim=0).values - t).square().mean()),
        "With some inputs your squared bias is right, and mostly it is not: a median stands in it.",
        "With the median the parts do not add up. The decomposition is about means, as squares belong to means.",
        "What is the mean of 4, 4 and 1 in the example, and what is their median?",
    ),
    Mistake(
        "averages over the points in place of the models",
        _parts(bias2=lambda p, t: (p.mean(dim=1, keepdim=True) - t).square().mean()),
        "Your squared bias compares the mean of each model over all points with the truth.",
        "The mean runs along the rows, over different points. What all models have in common is found point by "
        "point, down a column.",
        "Write the shape behind your mean. How many numbers should it have: one for each model, or one for each point?",
    ),
)

_VARIANCE = (
    Mistake(
        "takes the variance over the points",
        _parts(variance=lambda p, t: p.var(dim=1, correction=0).mean()),
        "For a single model your variance is not 0. You measure how far the predictions of one model lie from "
        "point to point.",
        "That is the shape of the curve and no fault of a model. The variance asks how the models differ at the same point.",
        "Models that all agree have no variance, however bent their curve is. Over which axis does yours run?",
    ),
    Mistake(
        "takes the variance of all predictions",
        _parts(variance=lambda p, t: p.var(correction=0)),
        "For a single model your variance is not 0. All M times N predictions were thrown into one heap.",
        "The heap mixes two things: how models differ, and how points differ. The mean that is taken off has to "
        "be that of the point.",
        "Print the shape of the mean that your variance takes off. One number for everything, or one for each point?",
    ),
    Mistake(
        "divides by M - 1",
        _parts(variance=lambda p, t: p.var(dim=0).mean()),
        "Your variance is a little too large, and for a single model there is none.",
        "`var` and `std` divide by M - 1 unless told otherwise. Then the three parts do not add up to the error "
        "of these M models.",
        "Which argument of `var` sets what is divided by? Compare with the 1/M in the formula.",
    ),
    Mistake(
        "forgets to square the distances",
        _parts(variance=lambda p, t: (p - p.mean(dim=0)).mean()),
        "Your variance is 0 in every case, or a rounding error.",
        "Distances from a mean add up to 0: what lies above it and what lies below cancel. The square is what "
        "keeps them apart.",
        "Add up 1, 1 and -2. What becomes of them when they are squared first?",
    ),
    Mistake(
        "forgets to take off the mean",
        _parts(variance=lambda p, t: p.square().mean()),
        "For models that all agree your variance is not 0: it is the mean square of all predictions.",
        "The distance from the mean prediction is to be squared, and you square the prediction itself.",
        "Add 100 to all predictions and to the truth. Should the variance change? Does yours?",
    ),
    Mistake(
        "takes the standard deviation",
        _parts(variance=lambda p, t: p.std(dim=0, correction=0).mean()),
        "Your second number has the unit of a prediction: it is the mean of standard deviations.",
        "A variance is a mean of squares. Without the squares it cannot be added to the squared bias.",
        "Follow the units: if predictions are in metres, in what is each of your three numbers?",
    ),
    Mistake(
        "squares the mean of the standard deviations",
        _parts(variance=lambda p, t: p.std(dim=0, correction=0).mean().square()),
        "Your variance is too small wherever the models differ more at some points than at others.",
        "The standard deviations are averaged and then squared. The mean over the points belongs to the squares.",
        "In the example the variances are 2/3 and 2. What is their mean, and in which order do you get there?",
    ),
    Mistake(
        "measures the variance around the truth",
        _parts(variance=lambda p, t: (p - t).square().mean()),
        "Your variance is too large, by exactly the squared bias, which is then counted twice.",
        "You take off the truth, and the mean prediction should be taken off. Models that all make the same miss "
        "have no variance.",
        "Let all models say 3 where 1 is true. How far do they lie from one another?",
    ),
    Mistake(
        "measures the variance of the mean prediction",
        _parts(variance=lambda p, t: p.mean(dim=0).var(correction=0)),
        "For models that all agree your variance is not 0.",
        "You average the models first and look how the result changes from point to point. What differs between "
        "models is gone by then.",
        "In which order come the two steps: average over the points, and look at the spread of the models?",
    ),
)

_ERROR = (
    Mistake(
        "forgets the noise",
        _parts(noise=lambda noise: 0.0),
        "Bias and variance are right. Your error is the one against the truth, and not against new targets.",
        "A new target is the truth plus noise. A model that knows the truth exactly still misses it by the noise.",
        "Let bias and variance be 0. What is the mean squared error when targets scatter with the standard deviation 2?",
    ),
    Mistake(
        "adds the noise without a square",
        _parts(noise=lambda noise: noise),
        "Bias and variance are right. Your error takes the standard deviation of the noise for its variance.",
        "`noise` has the unit of a target, and the other two parts have its square. What is added has to be a variance.",
        "What is the variance of a noise with the standard deviation 0.5?",
    ),
    Mistake(
        "takes the noise off",
        _parts(noise=lambda noise: -(noise**2)),
        "Bias and variance are right. Your error becomes smaller the more noise there is.",
        "Nobody can predict the noise of a new target, so that it comes on top of what the models do wrong.",
        "With which targets is a model's error larger: with clean ones, or with noisy ones?",
    ),
    Mistake(
        "averages the noise over the models",
        lambda p, t, noise: (b := _bias2(p, t), v := _variance(p, t), b + v + noise**2 / len(p)),
        "For a single model your error is right. With more of them the noise is too small in it.",
        "The models do not share one new target among them: whichever model is drawn meets the whole noise.",
        "Does the noise of a new target depend on how many models have been trained before?",
    ),
    Mistake(
        "takes the error of the averaged model",
        _parts(error=lambda bias2, variance, noise: bias2 + noise),
        "Bias and variance are right. In your error the variance is missing.",
        "That is the error of a model which says the mean of all M. Asked for is one of the models, drawn by chance.",
        "Why is it a good idea to average several models? Which of the three parts does it take away?",
    ),
    Mistake(
        "adds up over the points",
        _summed(1.0),
        "Your bias and your variance are too large, by the number of points.",
        "A sum over the points grows with how many there are. Here it is a mean over the points, so that it can be compared.",
        "Ask about every point twice. Should the squared bias double? Does yours?",
    ),
    Mistake(
        "takes half of the sum over the points",
        _summed(0.5),
        "With two points you are right. With others your bias and your variance are off by a factor, half of the number of points.",
        "The half belongs to a loss, where it cancels the 2 of the slope. Here it makes a mean of a sum only if there are two points.",
        "Take a single point at which the models miss by 2 on average. What is the squared bias, and what is it in yours?",
    ),
    Mistake(
        "returns the variance first, and forgets the noise",
        lambda p, t, noise: (v := _variance(p, t), b := _bias2(p, t), b + v),
        "Your first two numbers are right and exchanged, and your error is the one against the truth, without noise.",
        "Two things at once: the squared bias comes first in the result, and a new target scatters around the truth.",
        "Compare your last line with the names that the task returns. Then look for the place at which `noise` is used.",
    ),
    Mistake(
        "returns the variance first",
        lambda p, t, noise: (v := _variance(p, t), b := _bias2(p, t), b + v + noise**2),
        "Your three numbers are right, and the first two are exchanged.",
        "The check takes the results by their place, and the task puts the squared bias first.",
        "Compare your last line with the line of the task that names what is returned.",
    ),
    Mistake(
        "divides by M - 1, and forgets the noise",
        _parts(variance=lambda p, t: p.var(dim=0).mean(), noise=lambda noise: 0.0),
        "Your squared bias is right. Your variance is a little too large, with a single model it is none, and your error has no noise.",
        "Two things at once: `var` divides by M - 1 unless told otherwise, and a new target scatters around the truth.",
        "Set the variance right with the example, 1.3333. Then look for the place at which `noise` is used.",
    ),
    Mistake(
        "divides by M - 1, and adds the noise without a square",
        _parts(variance=lambda p, t: p.var(dim=0).mean(), noise=lambda noise: noise),
        "Your squared bias is right. Your variance is a little too large, and in your error the noise has no square.",
        "Two things at once: `var` divides by M - 1 unless told otherwise, and a standard deviation was added to variances.",
        "Set the variance right with the example, 1.3333. Then look at the unit of each term of your error.",
    ),
)

MISTAKES = (*_BIAS, *_VARIANCE, *_ERROR)
