"""What goes with each loss: activation and link, the form of predictions and targets, optimiser, pitfalls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fastloss._loss import Loss

__all__ = ["ADVICE", "COMMON_PITFALLS", "Advice", "advice_for"]


class Advice(NamedTuple):
    """What goes with a loss.

    `activation` is the function from raw scores to predictions, `link` its inverse; `gives` says what the
    model hands to the loss, `gives_probabilities` the same with ``from_logits=False``.
    """

    activation: str
    link: str
    gives: str
    targets: str
    optimiser: str
    pitfalls: tuple[str, ...] = ()
    gives_probabilities: str = ""


_SMOOTH = "Adam or another adaptive one; for a linear model L-BFGS or Newton's method"
_KINKED = (
    "SGD with momentum and a decreasing learning rate: the gradient jumps at the kink, and does not shrink "
    "near it"
)
_ROBUST = "SGD with momentum; for a linear model L-BFGS"

_REAL_OUTPUT = "real numbers, from a last layer without activation"
_REAL = "real numbers"
_SCORES = "raw scores, from a last layer without activation"
_LABELS = "1 for the positive class, 0 or -1 for the negative one"
_LOG_OUTPUT = "the logarithm of the mean; exp is part of the loss, and exp of the output the prediction"
_EMBEDDINGS = "vectors (n, d) from an embedding layer"
_LOGITS = "raw scores (logits); the {0} is part of the loss, and loss.probabilities(scores) the prediction"
_SIGMOID = _LOGITS.format("sigmoid")
_SOFTMAX = _LOGITS.format("softmax")
_SIGMOID_OUTPUT = "probabilities, from a last layer with a sigmoid"
_SOFTMAX_OUTPUT = "rows of probabilities (n, C), from a last layer with a softmax"
_INDICES = "class indices (n,) from 0 to C-1"
_PROBABILITY_ROWS = "rows of probabilities (n, C)"

_SCALE = (
    "The scale is in the units of the target: set it by the errors' usual size, or standardise the target."
)
_TWICE = "Do not apply the {0} twice: not in the model where the loss has it (from_logits=True)."
_SATURATED = "From probabilities, the tails are lost to rounding and clipped; logits keep them."
_NOT_SQUARED = "Not the squared error here: with a {0} its gradient fades where the prediction is most wrong."
_BOUNDED = "No ReLU or tanh before it: they bound the scores, and with them the probabilities."
_MAE = (
    "The gradient has the same size however small the error: lower the learning rate near the end.",
    "Not differentiable at 0; the gradient there is 0.",
)
_REDESCENDING = (
    _SCALE,
    "Not convex: start from the fit of a convex loss. The Hessian is negative for large errors.",
)
_FOCAL = (
    "alpha and gamma belong together: alpha=0.25 with gamma=2 is the setting of RetinaNet.",
    "It attends to whatever is hard, wrong labels among it.",
    "Its probabilities are not calibrated.",
)

_TWO_COLUMNS = "real numbers (n, 2): the {0}, and the logarithm of the {1}"
_NATURAL = (
    'natural gradient: steps divided by Fisher\'s information, as boosting with curvature "gauss-newton"'
)
_OVERSURE = "The scale can shrink without bound where a model fits its training rows exactly: stop early."

ADVICE: Mapping[str, Advice] = {
    "SquaredError": Advice(
        "none",
        "identity",
        _REAL_OUTPUT,
        _REAL,
        _SMOOTH,
        (
            "Outliers dominate: an error ten times as large counts a hundred times.",
            "Value and gradient grow with the units: standardise features and target, or steps become too "
            "large.",
        ),
    ),
    "HalfSquaredError": Advice("none", "identity", _REAL_OUTPUT, _REAL, _SMOOTH, ("Outliers dominate.",)),
    "AbsoluteError": Advice("none", "identity", _REAL_OUTPUT, _REAL, _KINKED, _MAE),
    "Huber": Advice(
        "none",
        "identity",
        _REAL_OUTPUT,
        _REAL,
        _ROBUST,
        ("delta, where errors begin to be large, is yours to choose.", _SCALE),
    ),
    "SmoothL1": Advice(
        "none",
        "identity",
        _REAL_OUTPUT,
        _REAL,
        _ROBUST,
        ("beta, where errors begin to be large, is yours to choose; beta=0 is the absolute error.", _SCALE),
    ),
    "LogCosh": Advice(
        "none",
        "identity",
        _REAL_OUTPUT,
        _REAL,
        _SMOOTH,
        ("It turns linear at an error of about 1 in the units of the target: standardise the target.",),
    ),
    "PseudoHuber": Advice("none", "identity", _REAL_OUTPUT, _REAL, _SMOOTH, (_SCALE,)),
    "Quantile": Advice(
        "none",
        "identity",
        _REAL_OUTPUT,
        _REAL,
        _KINKED,
        (
            "Quantiles fitted one by one may cross.",
            "The Hessian is 0: second-order methods learn nothing from it.",
        ),
    ),
    "Expectile": Advice(
        "none", "identity", _REAL_OUTPUT, _REAL, _SMOOTH, ("An expectile is not a quantile.",)
    ),
    "SquaredEpsilonInsensitive": Advice(
        "none",
        "identity",
        _REAL_OUTPUT,
        _REAL,
        _SMOOTH,
        (
            "epsilon, the error that does not matter, is yours to choose, in the units of the target.",
            "Outliers dominate, as under the squared error.",
        ),
    ),
    "Cauchy": Advice("none", "identity", _REAL_OUTPUT, _REAL, _ROBUST, _REDESCENDING),
    "Welsch": Advice("none", "identity", _REAL_OUTPUT, _REAL, _ROBUST, _REDESCENDING),
    "Tukey": Advice("none", "identity", _REAL_OUTPUT, _REAL, _ROBUST, _REDESCENDING),
    "Poisson": Advice(
        "exp",
        "log",
        _LOG_OUTPUT,
        "counts, or other numbers not below 0",
        _SMOOTH,
        (
            "Counts that vary more than their mean need their variance from elsewhere.",
            "exp overflows: scale features.",
        ),
    ),
    "Gamma": Advice(
        "exp",
        "log",
        _LOG_OUTPUT,
        "numbers above 0",
        _SMOOTH,
        ("A target of 0 is an error: Tweedie admits it.", "exp overflows: scale features."),
    ),
    "Tweedie": Advice(
        "exp",
        "log",
        _LOG_OUTPUT,
        "numbers not below 0",
        _SMOOTH,
        ("power, between 1 (Poisson) and 2 (Gamma), is yours to choose.", "exp overflows: scale features."),
    ),
    "SquaredLogError": Advice(
        "softplus, or another without negative values",
        "identity",
        "numbers above -1",
        "numbers above -1",
        _SMOOTH,
        ("Predictions of -1 and less are an error.", "Not convex for predictions far above the target."),
    ),
    "AbsolutePercentageError": Advice(
        "none",
        "identity",
        _REAL_OUTPUT,
        "numbers away from 0",
        _KINKED,
        ("Targets near 0 dominate.", "It favours predictions that are too small.", *_MAE),
    ),
    "SymmetricAbsolutePercentageError": Advice(
        "none",
        "identity",
        _REAL_OUTPUT,
        "numbers of one sign, most of them away from 0",
        _KINKED,
        (
            "Not convex, and flat where target and prediction differ in sign: start from another loss's fit.",
            "It favours predictions that are too large.",
            *_MAE,
        ),
    ),
    "EuclideanError": Advice(
        "none",
        "identity",
        "vectors (n, d), from a last layer without activation",
        "vectors (n, d)",
        _ROBUST,
        (
            "Coordinates in different units must be scaled alike.",
            "Its Hessian is not diagonal and is not given.",
        ),
    ),
    "Perceptron": Advice(
        "none",
        "none: the sign of the score is the class",
        _SCORES,
        _LABELS,
        _KINKED,
        (
            "No margin: it generalises less well than the hinge loss.",
            "All scores 0 is a minimum: start elsewhere.",
        ),
    ),
    "Hinge": Advice(
        "none",
        "none: the sign of the score is the class",
        _SCORES,
        _LABELS,
        _KINKED,
        (
            "Scores are no probabilities: calibrate them if you need some.",
            "Without a penalty on the weights the margin means nothing: add L2.",
        ),
    ),
    "SquaredHinge": Advice(
        "none",
        "none: the sign of the score is the class",
        _SCORES,
        _LABELS,
        _SMOOTH,
        ("Scores are no probabilities.", "Outliers count by their square."),
    ),
    "SmoothedHinge": Advice(
        "none",
        "none: the sign of the score is the class",
        _SCORES,
        _LABELS,
        _SMOOTH,
        (
            "Scores are no probabilities.",
            "Without a penalty on the weights the margin means nothing: add L2.",
        ),
    ),
    "Exponential": Advice(
        "none",
        "half the log-odds: the probability is sigmoid(2*score)",
        _SCORES,
        _LABELS,
        "boosting, one weak learner after another",
        ("Very sensitive to noise and outliers: a wrong label costs exponentially.",),
    ),
    "BinaryCrossEntropy": Advice(
        "sigmoid",
        "logit",
        _SIGMOID,
        "0 or 1, or the probability of 1",
        _SMOOTH,
        (_TWICE.format("sigmoid"), _NOT_SQUARED.format("sigmoid"), _SATURATED, _BOUNDED),
        _SIGMOID_OUTPUT,
    ),
    "BinaryFocal": Advice(
        "sigmoid",
        "logit",
        _SIGMOID,
        "0 or 1",
        "Adam or another adaptive one; the Hessian is negative for samples that are badly wrong",
        (*_FOCAL, _TWICE.format("sigmoid")),
        _SIGMOID_OUTPUT,
    ),
    "AsymmetricLoss": Advice(
        "sigmoid",
        "logit",
        _SIGMOID,
        "0 or 1, one for each label",
        "Adam or another adaptive one; the Hessian is negative for samples that are badly wrong",
        (
            "Its probabilities are not calibrated: set a threshold for each label on held-out data.",
            "It attends to hard positives, wrong ones among them; clip drops the easy negatives.",
            _TWICE.format("sigmoid"),
        ),
    ),
    "WassersteinCritic": Advice(
        "none",
        "none: the score is a potential",
        "the critic's raw scores, without activation",
        "1 for real samples, 0 or -1 for generated ones",
        "RMSprop: the target moves, and momentum makes it unsteady",
        (
            "The critic must be Lipschitz: clip its weights, or penalise its gradient.",
            "The generator minimises the same with the label 1 for its own samples.",
            "Its value compares only with values of the same critic.",
        ),
    ),
    "CrossEntropy": Advice(
        "softmax",
        "logarithm, up to a constant a row",
        _SOFTMAX,
        f"{_INDICES}, or {_PROBABILITY_ROWS}",
        _SMOOTH,
        (_TWICE.format("softmax"), _NOT_SQUARED.format("softmax"), _SATURATED, _BOUNDED),
        _SOFTMAX_OUTPUT,
    ),
    "Focal": Advice(
        "softmax",
        "logarithm, up to a constant a row",
        _SOFTMAX,
        f"{_INDICES}; of one-hot rows take labels.argmax(axis=1)",
        "Adam or another adaptive one; the Hessian is negative for samples that are badly wrong",
        (*_FOCAL[1:], _TWICE.format("softmax")),
        _SOFTMAX_OUTPUT,
    ),
    "Poly1CrossEntropy": Advice(
        "softmax",
        "none in closed form: probabilities are shifted towards 0 and 1",
        _SOFTMAX,
        _INDICES,
        _SMOOTH,
        ("epsilon is yours to tune, from -1 up: 0 is the cross-entropy.", _TWICE.format("softmax"), _BOUNDED),
    ),
    "MulticlassHinge": Advice(
        "none",
        "none: the class with the largest score is the prediction",
        "raw scores (n, C), from a last layer without activation",
        f"{_INDICES}; of one-hot rows take labels.argmax(axis=1)",
        _KINKED,
        (
            "Scores are no probabilities.",
            "Without a penalty on the weights the margin means nothing: add L2.",
        ),
    ),
    "KLDivergence": Advice(
        "softmax",
        "logarithm, up to a constant a row",
        _LOGITS.format("softmax").partition(", and")[0],
        f"{_PROBABILITY_ROWS}, the true distribution, given first",
        _SMOOTH,
        (
            "Not symmetric: the first argument is the true distribution.",
            "Infinite where the model gives 0 to what happens.",
            "For normal codes of an autoencoder take GaussianKL, of mean and variance.",
        ),
        _SOFTMAX_OUTPUT,
    ),
    "Entropy": Advice(
        "softmax",
        "logarithm, up to a constant a row",
        _LOGITS.format("softmax").partition(", and")[0],
        "none",
        _SMOOTH,
        (
            "As a penalty of predictions that are too sure it has a negative factor: it is to be large.",
            _TWICE.format("softmax"),
        ),
        _SOFTMAX_OUTPUT,
    ),
    "GaussianKL": Advice(
        "none",
        "none",
        "two arrays (n, d) from the encoder, without activation: means, and logarithms of variances",
        "none",
        "Adam or another adaptive one",
        (
            "Sum both it and the reconstruction over a sample's numbers: beside a mean over pixels it "
            "outweighs them.",
            "Codes may all become the prior: let its factor grow from 0 in the first epochs.",
            "The logarithm is of the variance, not of the standard deviation.",
        ),
    ),
    "JSDivergence": Advice(
        "softmax",
        "logarithm, up to a constant a row",
        _SOFTMAX_OUTPUT,
        _PROBABILITY_ROWS,
        _SMOOTH,
        ("Constant, log 2, with a gradient that says nothing, where the two do not overlap.",),
    ),
    "Wasserstein": Advice(
        "none; softmax for masses",
        "none",
        "positions of samples (m,) or (n, m); or rows of masses, with positions=x where the bins are",
        "the same of the other distribution; the sizes may differ",
        _KINKED,
        (
            "Only on a line: in several dimensions use Sinkhorn.",
            "Scale matters: it is in the units of the positions.",
        ),
    ),
    "Sinkhorn": Advice(
        "none",
        "none",
        "points (n, d)",
        "points (m, d)",
        _SMOOTH,
        (
            "reg is in the units of the cost: scale the points, or set it.",
            "A small reg needs many iterations.",
        ),
    ),
    "EarthMover": Advice(
        "none",
        "none",
        "points (n, d)",
        "points (m, d)",
        _KINKED,
        ("Exact, and slow: the time grows about with the cube of the number of points.",),
    ),
    "Contrastive": Advice(
        "none",
        "none: the distance decides",
        f"two arrays of {_EMBEDDINGS}",
        "1 for pairs that are alike, 0 for the others",
        "Adam or another adaptive one",
        (
            "Pairs beyond the margin teach nothing: look for hard ones.",
            "Elsewhere 1 may stand for unlike pairs: check your labels.",
            "The margin is in the units of the distance: normalise the vectors, or set it.",
        ),
    ),
    "Triplet": Advice(
        "none",
        "none: the distance decides",
        f"three arrays of {_EMBEDDINGS}: anchor, positive, negative",
        "none: the triplets say it",
        "Adam or another adaptive one",
        (
            "Most triplets soon teach nothing: look for hard ones in each batch.",
            "Vectors may all become equal with the hardest ones only: normalise them.",
        ),
    ),
    "CenterLoss": Advice(
        "none",
        "none: the nearest centre decides",
        f"{_EMBEDDINGS}, and the centres (C, d)",
        _INDICES,
        "Adam or another adaptive one for the network; a small step of their own for the centres",
        (
            "By itself it draws everything to one point: add it to a cross-entropy, with a small weight.",
            "The centres are learnt, too: they have a gradient.",
        ),
    ),
    "CosineEmbedding": Advice(
        "none",
        "none: the angle decides",
        f"two arrays of {_EMBEDDINGS}",
        "1 for pairs that are alike, -1 or 0 for the others",
        "Adam or another adaptive one",
        ("The length of a vector has no effect, and a zero vector no direction.",),
    ),
    "NTXent": Advice(
        "none",
        "none: the angle decides",
        f"two arrays of {_EMBEDDINGS}, row i of each from the same thing",
        "none: the batch says it",
        "Adam or another adaptive one, with large batches",
        (
            "Small batches have few others to tell apart.",
            "Two things that are alike in one batch are pushed apart all the same.",
        ),
    ),
    "GaussianNLL": Advice(
        "none",
        "identity for the mean, the logarithm for the standard deviation",
        _TWO_COLUMNS.format("mean", "standard deviation"),
        _REAL,
        _NATURAL,
        (_OVERSURE, "Outliers widen the scale of their neighbours: LaplaceNLL or StudentTNLL for these."),
    ),
    "LaplaceNLL": Advice(
        "none",
        "identity for the median, the logarithm for the scale",
        _TWO_COLUMNS.format("median", "scale, the mean absolute deviation"),
        _REAL,
        _NATURAL,
        (_OVERSURE, "The standard deviation is 1.41 times the scale."),
    ),
    "StudentTNLL": Advice(
        "none",
        "identity for the location, the logarithm for the scale",
        _TWO_COLUMNS.format("location", "scale"),
        _REAL,
        _NATURAL,
        (
            _OVERSURE,
            "df is yours to choose: 4 is usual, 1 the most robust; the Hessian is negative for outliers.",
        ),
    ),
    "MultiQuantile": Advice(
        "none",
        "identity",
        "real numbers (n, k), a column for each level",
        _REAL,
        _KINKED,
        ("Nothing keeps quantiles of other levels from crossing: sort a row where they do.", *_MAE),
    ),
    "ZeroOne": Advice(
        "none",
        "none",
        "classes",
        "classes",
        "none: it has no gradient",
        ("Neither convex nor differentiable: it counts errors, and nothing can be trained by it.",),
    ),
}

#: What goes with losses that no line of `ADVICE` is about, by what they say of themselves.
_GIVES = {
    "numbers": _REAL_OUTPUT,
    "logarithms": _LOG_OUTPUT,
    "probabilities": _SIGMOID_OUTPUT,
    "logit": _SIGMOID,
    "softmax": _SOFTMAX,
    "scores": _SCORES,
}
_TARGETS = {
    "numbers": _REAL,
    "labels": _LABELS,
    "probabilities": "0 or 1, or the probability of 1",
    "classes": _INDICES,
    "distributions": _PROBABILITY_ROWS,
}
_ACTIVATIONS = {"log": "exp", "logit": "sigmoid", "softmax": "softmax"}


def advice_for(loss: Loss) -> Advice:
    """Return what goes with a loss: what is written of it, or what its traits say."""
    if (written := ADVICE.get(type(loss).__name__)) is not None:
        return written
    robust = loss.of_residual and loss.lipschitz
    pitfalls = (_SCALE,) * (loss.scale_parameter is not None)
    if not loss.convex:
        pitfalls += ("Not convex: start from the fit of a convex loss.",)
    return Advice(
        _ACTIVATIONS.get(loss.link, "none"),
        loss.link,
        _GIVES.get(loss.link) or _GIVES[loss.inputs],
        _TARGETS[loss.targets],
        _KINKED if loss.kinked else _ROBUST if robust else _SMOOTH,
        pitfalls,
    )


#: What holds for every loss.
COMMON_PITFALLS = (
    "A small loss on the training data may be overfitting: judge on held-out data, and by the measure that "
    "you report.",
)
