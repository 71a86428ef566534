"""What goes wrong with the noise of a batch (exercise 06.4), and what to say about it."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from companion.checks.bank import Mistake

Noise = Callable[[Tensor, int], Tensor]


def _spread(gradients: Tensor) -> Tensor:
    """Return the mean squared distance of a row from the mean row."""
    return (gradients - gradients.mean(dim=0)).square().sum(dim=1).mean()


def _share(gradients: Tensor, size: int) -> float:
    """Return (N - B) / (N - 1), the part that is left because no row is drawn twice."""
    return (len(gradients) - size) / (len(gradients) - 1)


def _of(spread: Callable[[Tensor], Tensor]) -> Noise:
    """Return the right formula with another spread of one example, squared."""
    return lambda gradients, size: (spread(gradients) / size * _share(gradients, size)).sqrt()


def _with(rule: Callable[[Tensor, int, int], Tensor]) -> Noise:
    """Return another formula, of the right spread, the batch and the number of examples."""
    return lambda gradients, size: rule(_spread(gradients), size, len(gradients))


_FACTORS = (
    Mistake(
        "draws with replacement",
        _with(lambda spread, b, n: (spread / b).sqrt()),
        "With a batch of one you are right. The larger the batch, the more your noise is too large, and with all examples it is not 0.",
        "The middle factor is missing. Without it a batch may hold an example twice, and a batch of N need not hold all of them.",
        "How far can the mean of all examples lie from the mean of all examples? Put B = N into your formula.",
    ),
    Mistake(
        "divides the share of what is left by N",
        _with(lambda spread, b, n: (spread / b * (n - b) / n).sqrt()),
        "Your noise is a little too small, and for few examples it shows most.",
        "The factor is (N - B) / (N - 1), and yours is (N - B) / N. With a batch of one it has to be exactly 1.",
        "Put B = 1 into your factor. A batch of one is a single example: by how much should its spread change?",
    ),
    Mistake(
        "divides the sum of squares by N - 1",
        _of(lambda g: g.var(dim=0).sum()),
        "Your noise is a little too large, and for few examples it shows most.",
        "`var` and `std` divide by N - 1 unless told otherwise. The formula has that N - 1 already, in the middle factor, and takes "
        "a plain mean over the rows.",
        "Compute the squared distances of the example: 5, 8 and 17. By what do you divide their sum?",
    ),
    Mistake(
        "forgets the square root",
        _with(lambda spread, b, n: spread / b * (n - b) / (n - 1)),
        "Your number is a mean of squared distances, and a distance is asked for.",
        "The root over the whole formula is missing. Without it the result has the unit of a gradient squared.",
        "In the example everything under the root is 2.5. What is still to be done with it?",
    ),
    Mistake(
        "divides by the batch outside the root",
        _with(lambda spread, b, n: (spread * (n - b) / (n - 1)).sqrt() / b),
        "With a batch of one you are right. With larger ones your noise falls too fast.",
        "The batch stands under the root. Four times the batch halves the noise, and yours would be a quarter of what it was.",
        "Compare batches of 1 and of 4 among very many examples. By what should the noise fall, and by what does yours?",
    ),
    Mistake(
        "leaves the share of what is left outside the root",
        _with(lambda spread, b, n: (spread / b).sqrt() * (n - b) / (n - 1)),
        "With a batch of one and with a batch of all you are right. Between them your noise is too small.",
        "The middle factor belongs under the root, with the other two. You multiply the finished root by it.",
        "How far does the root reach in the formula? Set brackets in your line so that it reaches as far.",
    ),
    Mistake(
        "forgets the size of the batch",
        _with(lambda spread, b, n: (spread * (n - b) / (n - 1)).sqrt()),
        "With a batch of one you are right. With larger ones your noise is too large, by the root of the batch.",
        "The factor 1/B is missing. In a mean of B gradients the errors partly cancel, and this factor says by how much.",
        "Which of the three factors under the root does your code not have?",
    ),
    Mistake(
        "gives the noise of a sum",
        _with(lambda spread, b, n: (spread * b * (n - b) / (n - 1)).sqrt()),
        "With a batch of one you are right. With larger ones your noise is too large, by the size of the batch.",
        "You multiply by B where the formula divides. That is the noise of a sum of B gradients, and a batch gives their mean.",
        "Should a larger batch be more noisy or less? Read off your code which of the two it says.",
    ),
)

_SPREAD = (
    Mistake(
        "averages over the weights as well",
        _of(lambda g: (g - g.mean(dim=0)).square().mean()),
        "With one weight you are right. With P weights your noise is too small, by the root of P.",
        "A squared distance is the sum of the squares along a row. You take the mean of all entries, which divides by P once more.",
        "What is the squared distance of (3, 0) from (1, 2)? Is it 8, or 4?",
    ),
    Mistake(
        "averages the spreads of the weights",
        _of(lambda g: g.std(dim=0, correction=0).mean().square()),
        "With one weight you are right. With more, your number is the mean of the noise in each of them.",
        "A distance over several axes is not the mean of the distances along each: squares are added up, and then comes the root.",
        "How long is the diagonal of a rectangle of 3 by 4? Try the same with the mean of its sides.",
    ),
    Mistake(
        "adds up the spreads of the weights",
        _of(lambda g: g.std(dim=0, correction=0).sum().square()),
        "With one weight you are right. With more, your noise is too large: it adds up what each weight has by itself.",
        "A distance over several axes is not the sum of the distances along each: squares are added up, and then comes the root.",
        "How long is the diagonal of a rectangle of 3 by 4? It is shorter than going round the corner.",
    ),
    Mistake(
        "does not subtract the mean",
        _of(lambda g: g.square().sum(dim=1).mean()),
        "Where all gradients agree you find noise, as if they pointed in all directions.",
        "You square the gradients themselves. The noise is about how far they lie from their mean, however long that is.",
        "Add the same row to all gradients: should a batch become more noisy by that?",
    ),
    Mistake(
        "subtracts one mean from everything",
        _of(lambda g: (g - g.mean()).square().sum(dim=1).mean()),
        "With one weight you are right. With more, even gradients that all agree have noise in your result.",
        "`mean()` without an axis is one number, the mean over all rows and all weights. The full gradient has a mean for each weight.",
        "How many numbers has your mean for the example? It should be (1, 2).",
    ),
    Mistake(
        "takes the mean of each row",
        _of(lambda g: (g - g.mean(dim=1, keepdim=True)).square().sum(dim=1).mean()),
        "With one weight your noise is always 0, and with more it has nothing to do with the batch.",
        "The mean runs along the rows, over the weights of one example. The full gradient is the mean down the rows.",
        "Print the shape of your mean for the example. A gradient has one number for each weight.",
    ),
    Mistake(
        "averages distances and not their squares",
        _of(lambda g: (g - g.mean(dim=0)).norm(dim=1).mean().square()),
        "Where all distances are alike you are right. Elsewhere your noise is a little too small.",
        "The mean of the distances was taken, and squared afterwards. The formula squares first, so that far rows count for more.",
        "For distances of 1 and 3: what is the square of their mean, and what is the mean of their squares?",
    ),
    Mistake(
        "sums over the examples",
        _of(lambda g: (g - g.mean(dim=0)).square().sum()),
        "Your noise is too large, by the root of the number of examples.",
        "The squared distances were added up over all rows. The last factor of the formula is their mean.",
        "In the example the squared distances are 5, 8 and 17. What is done with them before the other two factors?",
    ),
)

_SEVERAL = (
    Mistake(
        "divides by the batch outside the root, and leaves the share of what is left outside the root",
        _with(lambda spread, b, n: spread.sqrt() / b * (n - b) / (n - 1)),
        "With a batch of one and with a batch of all you are right. Between them your noise is far too small.",
        "Two things at once, by one bracket: your root ends after the squared distances. Both factors before them belong under it.",
        "The root in the formula begins at the left end. Compute the example with all three factors under it.",
    ),
    Mistake(
        "draws with replacement, and forgets the size of the batch",
        _with(lambda spread, b, n: spread.sqrt()),
        "Your noise is the same for every size of the batch: it is that of a single example.",
        "Two things at once: neither 1/B nor (N - B) / (N - 1) is there. Both of them make larger batches less noisy.",
        "Which argument of your function has no effect? Where does it stand in the formula?",
    ),
    Mistake(
        "draws with replacement, and divides by the batch outside the root",
        _with(lambda spread, b, n: spread.sqrt() / b),
        "Your noise is the spread of one example divided by B. In the example that fits by chance.",
        "Two things at once: the noise falls with the root of B, as errors cancel in part only. And the middle factor is missing, "
        "which makes it 0 for a batch of all.",
        "In the example (N - B) / (N - 1) is a half, and so is 1/B. Follow the formula with N = 4 and B = 4 on paper.",
        best="a batch of all",
    ),
    Mistake(
        "takes the mean of each row, and forgets the square root",
        lambda gradients, size: (
            (gradients - gradients.mean(dim=1, keepdim=True)).square().sum(dim=1).mean()
            / size
            * _share(gradients, size)
        ),
        "Your number is made of how far the entries of a row lie from that row's mean, squared.",
        "Two things at once: the mean runs along the rows, over the weights of one example, and the root over the whole is missing.",
        "Print your mean for the example. It should be (1, 2), a number for each weight. Then look at the left end of the formula.",
    ),
    Mistake(
        "draws with replacement, and forgets the square root",
        _with(lambda spread, b, n: spread / b),
        "Your number is the mean squared distance divided by the batch, even where the batch holds all examples.",
        "Two things at once: the factor for drawing without replacement is missing, and so is the root over the whole.",
        "Set the root first, with a batch of one. Then ask what should come out for a batch of all.",
    ),
    Mistake(
        "draws with replacement, and divides the sum of squares by N - 1",
        lambda gradients, size: (gradients.var(dim=0).sum() / size).sqrt(),
        "Your noise is that of a sample from endlessly many examples, with `var` as it comes.",
        "Two things at once: `var` divides by N - 1, and the factor (N - B) / (N - 1) is missing.",
        "With a batch of all the noise must be 0: put that right first. Then compare the mean of 5, 8 and 17 with your spread.",
    ),
    Mistake(
        "forgets the square root, and averages over the weights as well",
        lambda gradients, size: (gradients - gradients.mean(dim=0)).square().mean() / size * _share(gradients, size),
        "Your number is a mean of squared entries, and a distance of whole rows is asked for.",
        "Two things at once: the squares of a row were averaged and not added up, and the root is missing.",
        "Compute the squared distance of (3, 0) from (1, 2) on paper. Then follow the formula to its root.",
    ),
)

MISTAKES = (*_FACTORS, *_SPREAD, *_SEVERAL)
