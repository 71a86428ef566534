"""Metrics by hand, with scikit-learn's names and edge cases, on tensors of any device.

One number comes back as a Python float (it is printed, compared and stored), several as a tensor on the device
of the arguments. ``*_score`` is better when it is high, ``*_error`` and ``*_loss`` when it is low.

The truth comes first, (y_true, y_pred), as in scikit-learn; :func:`~companion.training.fit` and
:func:`~companion.training.evaluate` call the functions of their ``metrics=`` in this order too. A loss takes
them the other way round: (outputs, targets).
"""

from companion.metrics.areas import average_precision_score, roc_auc_score
from companion.metrics.classification import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    matthews_corrcoef,
    top_k_accuracy_score,
)
from companion.metrics.comparing import corrected_cv_ttest, mcnemar_test, paired_permutation_test
from companion.metrics.curves import auc, precision_recall_curve, roc_curve
from companion.metrics.fscores import f1_score, fbeta_score, precision_score, recall_score
from companion.metrics.intervals import bootstrap_interval, wilson_interval
from companion.metrics.probability import brier_score_loss, calibration_curve, expected_calibration_error, log_loss
from companion.metrics.regression import (
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)

__all__ = [
    "accuracy_score",
    "auc",
    "average_precision_score",
    "balanced_accuracy_score",
    "bootstrap_interval",
    "brier_score_loss",
    "calibration_curve",
    "confusion_matrix",
    "corrected_cv_ttest",
    "expected_calibration_error",
    "f1_score",
    "fbeta_score",
    "log_loss",
    "matthews_corrcoef",
    "mcnemar_test",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "paired_permutation_test",
    "precision_recall_curve",
    "precision_score",
    "r2_score",
    "recall_score",
    "roc_auc_score",
    "roc_curve",
    "root_mean_squared_error",
    "top_k_accuracy_score",
    "wilson_interval",
]
