"""Choosing hyperparameters within a budget of trials: spaces to search, three methods, and the Gaussian process behind the third.

Everything minimises. A method gets candidates, an (n, d) tensor of settings in the unit cube, and an objective that takes the number of
a candidate: ``settings = space.points(candidates)``, then ``objective = lambda k: train(**settings[k])``. So the same method runs on
real trainings and on a table of trainings that were recorded.
"""

from companion.search.improvement import expected_improvement
from companion.search.kernels import matern52, squared_exponential
from companion.search.methods import Trials, bayesian, grid_search, random_search
from companion.search.process import GaussianProcess, likeliest_process
from companion.search.space import Axis, Space

__all__ = [
    "Axis",
    "GaussianProcess",
    "Space",
    "Trials",
    "bayesian",
    "expected_improvement",
    "grid_search",
    "likeliest_process",
    "matern52",
    "random_search",
    "squared_exponential",
]
