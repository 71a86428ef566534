"""Interactive figures: one ES module each, shown live in a notebook, on a static page, and in words.

Each function returns a :class:`Figure`; as the last line of a cell it shows itself. Nothing here imports a
widget library before a figure is shown in a notebook.
"""

from companion.figures.activations import activation_explorer, softmax_temperature
from companion.figures.aids import dialogue, flashcards, listener, matching, objectives, profile, quiz, tabs
from companion.figures.backprop import backprop_graph, small_change
from companion.figures.challenges import gradient_flow, learning_curves
from companion.figures.convolution import kernel_slide
from companion.figures.descent import batch_noise, descent
from companion.figures.figure import GALLERY, Entry, Figure, modules, page_files
from companion.figures.forward import bump_builder, folded_paper, forward_trace
from companion.figures.losses import sure_and_wrong, two_humps
from companion.figures.neurons import neuron_boundary, perceptron_steps, xor_network
from companion.figures.optimizers import optimizer_race, schedule_designer
from companion.figures.regularization import early_stop, penalty_geometry
from companion.figures.scores import reliability, threshold_metrics
from companion.figures.search import search_race
from companion.figures.splits import split_designer
from companion.figures.surface import loss_surface

__all__ = [
    "GALLERY",
    "Entry",
    "Figure",
    "activation_explorer",
    "backprop_graph",
    "batch_noise",
    "bump_builder",
    "descent",
    "dialogue",
    "early_stop",
    "flashcards",
    "folded_paper",
    "forward_trace",
    "gradient_flow",
    "kernel_slide",
    "learning_curves",
    "listener",
    "loss_surface",
    "matching",
    "modules",
    "neuron_boundary",
    "objectives",
    "optimizer_race",
    "page_files",
    "penalty_geometry",
    "perceptron_steps",
    "profile",
    "quiz",
    "reliability",
    "schedule_designer",
    "search_race",
    "small_change",
    "softmax_temperature",
    "split_designer",
    "sure_and_wrong",
    "tabs",
    "threshold_metrics",
    "two_humps",
    "xor_network",
]
