"""A Gaussian process: a guess of a function between the places where it was seen, with how sure the guess is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from companion.errors import bad_value
from companion.functional._arguments import require_float, require_number, require_shape
from companion.search.kernels import Kernel, matern52, squared_exponential

#: The lengths and the shares of noise among which :func:`likeliest_process` chooses, for points of the unit cube and values of spread 1.
LENGTHS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
NOISES = (1e-4, 1e-3, 1e-2, 0.1, 0.3)
_SWEEPS = 2


class GaussianProcess:
    r"""Guess a function from some of its values: nearby places have similar values, and far from all of them nothing is known.

    .. math:: K_{ij} = \sigma^2 k(x_i, x_j) + \nu \, [i = j], \qquad
              \mu(x) = k_x^\top K^{-1} y, \qquad s(x)^2 = \sigma^2 - k_x^\top K^{-1} k_x

    with :math:`k_x` the vector of :math:`\sigma^2 k(x, x_i)`. Before it has seen anything the guess is 0 everywhere with a
    standard deviation of :math:`\sigma`: bring the values to mean 0 first. K is never inverted; its Cholesky factor L, with
    :math:`K = L L^\top`, gives the same by two triangular systems.

    Args:
        length_scale: how far apart places are that hardly know of each other: one number, or one for each axis.
        variance: :math:`\sigma^2`, how far the function moves around 0.
        noise: :math:`\nu`, the variance of what is added to each value by chance; above 0 it also keeps K well behaved.
        kernel: how alike values are at a distance, :func:`squared_exponential` or :func:`matern52`.

    Attributes:
        X: the places seen, (n, d), float64; None before :meth:`fit`.

    Raises:
        TypeError: If an argument is no number.
        ValueError: If a length scale or the variance is not above 0, or the noise is below 0.

    Source:
        Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, algorithm 2.1.

    >>> process = GaussianProcess(0.5, noise=0.0).fit(torch.tensor([[0.2], [0.8]]), torch.tensor([1.0, -1.0]))
    >>> process.predict(torch.tensor([[0.7]]))  # mean and standard deviation
    (tensor([-0.7280], dtype=torch.float64), tensor([0.1314], dtype=torch.float64))
    """

    def __init__(
        self,
        length_scale: float | Sequence[float],
        *,
        variance: float = 1.0,
        noise: float = 1e-6,
        kernel: Kernel = squared_exponential,
    ) -> None:
        each = list(length_scale) if isinstance(length_scale, Sequence) else [length_scale]
        if not each:
            raise bad_value("GaussianProcess", "length_scale", "one number, or one for each axis", "none")
        for length in each:
            require_number("GaussianProcess", "length_scale", length, positive=True)
        require_number("GaussianProcess", "variance", variance, positive=True)
        require_number("GaussianProcess", "noise", noise, least=0)
        self.length_scale, self.variance, self.noise, self.kernel = tuple(each), variance, noise, kernel
        self.X: Tensor | None = None

    def _covariance(self, A: Tensor, B: Tensor) -> Tensor:
        """Return the covariances of the values at two sets of places: (a, d), (b, d) -> (a, b)."""
        scale = A.new_tensor(self.length_scale)  # one number serves all axes
        apart = (A / scale)[:, None] - (B / scale)[None]  # (a, 1, d) - (1, b, d) -> (a, b, d)
        return self.variance * self.kernel(apart.square().sum(dim=2).sqrt())

    def fit(self, X: Tensor, y: Tensor) -> GaussianProcess:
        """Take in what was seen.

        Args:
            X: places.
            y: the value at each.

        Shape:
            X (n, d) and y (n,), n at least 1.

        Returns:
            Itself.

        Raises:
            TypeError: If an argument is no tensor.
            ValueError: If shapes do not fit, something is not finite, or places lie so near each other that K has no
                Cholesky factor without more noise.
        """
        where = "GaussianProcess.fit"
        X = self._places(where, X)
        require_float(where, "y", y)
        require_shape(where, "y", y, (len(X),), "one value for each place")
        if not len(X):
            raise bad_value(where, "X", "one place or more", "none")
        if not bool(torch.isfinite(y).all()):
            raise bad_value(
                where, "y", "finite values", "nan or infinity", "give a failed trial the worst value there is"
            )
        K = self._covariance(X, X) + self.noise * torch.eye(len(X), dtype=torch.double, device=X.device)
        L, failed = torch.linalg.cholesky_ex(K)
        if failed:
            raise bad_value(where, "noise", "more, as places lie too near each other", self.noise, "1e-6 is usual")
        self.X, self._L, self._y = X, L, y.double()
        self._weights = torch.cholesky_solve(self._y[:, None], L)[:, 0]  # K^-1 y
        return self

    def predict(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Return the guess at each place and its standard deviation, of the function itself: without the noise of a new value.

        Args:
            X: places.

        Shape:
            (m, d) -> (m,) and (m,), float64.

        Raises:
            TypeError: If ``X`` is no tensor.
            ValueError: If nothing was seen yet, or X has other columns or is not finite.
        """
        seen = self._seen("GaussianProcess.predict")
        X = self._places("GaussianProcess.predict", X)
        if X.shape[1] != seen.shape[1]:
            raise bad_value("GaussianProcess.predict", "X", f"{seen.shape[1]} columns, as in fit", X.shape[1])
        across = self._covariance(seen, X)  # (n, m)
        known = (
            torch.linalg.solve_triangular(self._L, across, upper=False).square().sum(dim=0)
        )  # what the places seen explain
        return across.T @ self._weights, (self.variance - known).clamp(min=0).sqrt()

    def log_marginal_likelihood(self) -> float:
        r"""Return how probable the values seen are under this process, as a logarithm: the measure to choose its lengths by.

        .. math:: \log p(y) = -\frac12 y^\top K^{-1} y - \sum_i \log L_{ii} - \frac n2 \log 2\pi

        The first part rewards a good fit; the second charges for functions that could have fitted anything.

        Raises:
            ValueError: If nothing was seen yet.
        """
        seen = self._seen("GaussianProcess.log_marginal_likelihood")
        fit, price = self._y @ self._weights / 2, self._L.diagonal().log().sum()
        return -float(fit + price) - len(seen) / 2 * math.log(2 * math.pi)

    def _seen(self, where: str) -> Tensor:
        if self.X is None:
            raise bad_value(where, "self", "a process that has seen values", "none yet", "call fit(X, y) first")
        return self.X

    def _places(self, where: str, X: Tensor) -> Tensor:
        require_float(where, "X", X)
        lengths = len(self.length_scale)
        if X.ndim != 2 or (lengths > 1 and X.shape[1] != lengths):
            shape = f"(n, {lengths})" if lengths > 1 else "(n, d)"
            raise bad_value(where, "X", f"places, one in each row, shape {shape}", tuple(X.shape))
        if not bool(torch.isfinite(X).all()):
            raise bad_value(where, "X", "finite places", "nan or infinity")
        return X.double()


def likeliest_process(
    X: Tensor,
    y: Tensor,
    *,
    kernel: Kernel = matern52,
    lengths: Sequence[float] = LENGTHS,
    noises: Sequence[float] = NOISES,
) -> GaussianProcess:
    """Return the process, out of a small written-out set, under which the values seen are most probable.

    Each axis gets a length of its own: an axis along which nothing changes gets a long one, and no longer counts. Not all
    combinations are tried (six lengths and five noises make 6480 for four axes), but one axis after the other, twice around.

    Args:
        X: places in the unit cube.
        y: values of mean 0 and standard deviation 1.
        kernel: how alike values are at a distance.
        lengths: the length scales to choose from, for each axis.
        noises: the noises to choose from.

    Shape:
        X (n, d) and y (n,), n at least 1.

    Returns:
        The process, fitted. Of equally probable ones the first that was met.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If there is nothing to choose from, or as :meth:`GaussianProcess.fit`.

    Source:
        Rasmussen and Williams (2006), section 5.4; a length for each axis: section 5.1.

    >>> X = torch.cartesian_prod(torch.linspace(0, 1, 5), torch.linspace(0, 1, 5))
    >>> likeliest_process(X, torch.cos(6 * X[:, 0])).length_scale  # the second axis changes nothing
    (0.4, 3.2)
    """
    if not lengths or not noises:
        raise bad_value(
            "likeliest_process", "lengths and noises", "one of each or more", f"{len(lengths)} and {len(noises)}"
        )

    def process(choice: Sequence[float]) -> GaussianProcess:
        return GaussianProcess(choice[:-1], noise=choice[-1], kernel=kernel).fit(X, y)

    require_float("likeliest_process", "X", X)
    options = [lengths] * (X.shape[1] if X.ndim == 2 else 1) + [noises]
    choice = [values[len(values) // 2] for values in options]
    best = process(choice)
    for _ in range(_SWEEPS):
        for axis, values in enumerate(options):
            for value in values:
                tried = process([*choice[:axis], value, *choice[axis + 1 :]])
                if tried.log_marginal_likelihood() > best.log_marginal_likelihood():
                    best = tried
            choice = [*best.length_scale, best.noise]
    return best
