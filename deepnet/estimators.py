"""scikit-learn estimators: what `pretrain` and `finetune` make, with their parameters, by scikit-learn's rules.

Parameters have the commands' names, meanings and defaults (`deepnet finetune -h`), but these: `random_state` is the
seed, columns are standardised, `epochs=None` is as many as `deepnet inspect` suggests for so many cases, a `batch_size`
is cut where there are fewer cases, and `start`, the command's --from, may also be a `StackTransformer`, which is
trained first on the same cases. Where a tuple has one value for all layers, the value alone will do.

`model_` is what a model file holds; `save(path)` writes it, for all commands. The same cases, parameters and
random_state give the same bits. Inheritance is what scikit-learn asks for; nothing else of the house has it.
"""

import inspect
import os
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from . import checkpoint, workflows
from .data import in_memory
from .errors import DataError, UsageError
from .extras import extra
from .nn.losses import MARGINS
from .workflows.models import coder
from .workflows.runs import epochs_for

extra("sklearn", "sklearn")

from sklearn.base import (  # noqa: E402
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    RegressorMixin,
    TransformerMixin,
    clone,
)
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.utils import check_random_state  # noqa: E402
from sklearn.utils.metaestimators import available_if  # noqa: E402
from sklearn.utils.multiclass import check_classification_targets  # noqa: E402
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data  # noqa: E402

__all__ = ["AutoencoderTransformer", "DeepNetClassifier", "DeepNetRegressor", "StackTransformer"]

# What the commands say of files, images, tables and the run itself, which an estimator is not asked.
ELSEWHERE = (
    "data", "output", "task", "normal", "teacher", "temperature", "logits", "hard_weight", "jitter", "labels", "label",
    "weight", "ignore", "category", "force", "resume", "dry_run", "seed", "max_time", "stop", "meter",
)  # fmt: skip
LABELS_ONLY = "loss", "label_smoothing", "class_weight"  # what is of classes alone
USUAL = {workflows.pretrain: 10, workflows.finetune: 30}  # epochs of many cases
LISTS = {workflows.pretrain: ("layers",), workflows.finetune: ("layers", "units", "init", "noise", "dropout")}
DEFAULTS = {"layers": (100,), "epochs": None, "scale": "standard"}


def _init(workflow, without=(), **defaults):
    """An `__init__` with the keywords of a workflow, all but those ELSEWHERE and `without`, and with random_state."""
    given = [p for p in inspect.signature(workflow).parameters.values() if p.name not in (*ELSEWHERE, *without)]
    known = {p.name: p.default for p in given} | DEFAULTS | defaults | {"random_state": 0}
    own = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value) for name, value in known.items()]
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)

    def __init__(self, **settings):
        if unknown := [name for name in settings if name not in known]:
            raise TypeError(f"{type(self).__name__} has no parameter {unknown[0]!r}; it has {', '.join(known)}")
        for name, value in (known | settings).items():
            setattr(self, name, value)

    __init__.__signature__ = inspect.Signature([me, *own])
    return __init__


class _Estimator(BaseEstimator):
    """What all have in common: a model, made of cases."""

    def _checked(self, X, y="no_validation", *, reset=False, **more):
        """X as deepnet reads it, bytes or float32, and y, after scikit-learn's checks."""
        return validate_data(self, X, y, reset=reset, dtype=[np.float32, np.uint8], **more)

    def _counted(self, X, y, sample_weight):
        """X, y and weights of the cases that count at all, so that one of weight 0 is as if it were not there."""
        if sample_weight is None:
            return X, y, None
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        kept = weights > 0
        if not kept.any():
            raise ValueError("all sample weights are zero; give some above 0")
        return X[kept], y[kept], weights[kept]

    def _train(self, workflow, X, y=None, weights=None, **more):
        """Run `pretrain` or `finetune` on the cases and keep the model; what they refuse is a ValueError."""
        options = self.get_params(deep=False) | more
        options["seed"] = _seed(options.pop("random_state"))
        if options["epochs"] is None:
            options["epochs"] = epochs_for(len(X), USUAL[workflow])
        if options["batch_size"] is not None:
            options["batch_size"] = np.minimum(options["batch_size"], len(X)).tolist()
        options = {name: _spelled(name, value, name in LISTS[workflow]) for name, value in options.items()}
        data = in_memory(X, y, getattr(self, "feature_names_in_", ()), weights)
        with tempfile.TemporaryDirectory() as folder:
            if options.get("start") is not None:
                options |= {"start": self._started(X, folder), "layers": None}
            path = os.path.join(folder, "model.h5")
            try:
                for record in workflow(data, path, **options):
                    if isinstance(record, workflows.Warned):
                        warnings.warn(record.text, ConvergenceWarning, stacklevel=3)
            except (UsageError, DataError) as refused:
                raise ValueError(str(refused)) from refused
            self.model_ = checkpoint.load(path)
        return self

    def _started(self, X, folder):
        """The path of what the network starts from: a file as it is named, or a stack trained now."""
        if isinstance(self.start, str | os.PathLike):
            return os.fspath(self.start)
        self.start_ = clone(self.start).fit(X)
        path = os.path.join(folder, "stack.h5")
        self.start_.save(path)
        return path

    def _outputs(self, X, give="outputs"):
        """What the model makes of X, checked here for the columns it was fitted on."""
        check_is_fitted(self, "model_")
        return workflows.outputs(self.model_, self._checked(X), give=give)

    def save(self, path):
        """Write the model file, which every command reads; a file that is there is replaced."""
        check_is_fitted(self, "model_")
        checkpoint.save(os.fspath(path), self.model_)


def _seed(random_state):
    """A seed: a whole number as it is, else one that is drawn."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def _spelled(name, value, several):
    """A value as the workflows take it: rates as text, lists as tuples, of `several` a single one too."""
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return tuple(_spelled(name, each, False) for each in value)
    if name in ("learning_rate", "momentum", "valid"):
        value = str(value)
    return (value,) if several else value


class DeepNetClassifier(ClassifierMixin, _Estimator):
    """A network that classifies: `deepnet finetune --task classify`.

    Attributes: `classes_`, `model_`, `start_` where `start` is an estimator. Labels are any that scikit-learn takes;
    `class_weight` is "balanced" or a mapping of them.
    """

    __init__ = _init(workflows.finetune)

    def fit(self, X, y, sample_weight=None):
        """Train on X (N, D), labels y (N,), cases that count by their weights (N,)."""
        X, y = self._checked(X, y, reset=True)
        check_classification_targets(y)
        X, y, weights = self._counted(X, column_or_1d(y, warn=True), sample_weight)
        self.classes_, indices = np.unique(y, return_inverse=True)
        self._train(workflows.finetune, X, indices, weights, class_weight=self._by_index())
        names = tuple(map(str, self.classes_.tolist()))
        if len(set(names)) == len(names):
            self.model_ = replace(self.model_, preparation=replace(self.model_.preparation, classes=names), digest="")
        return self

    def _by_index(self):
        """`class_weight` with the places of the labels; they may name others where they name all that are there."""
        if not isinstance(self.class_weight, Mapping):
            return self.class_weight
        known = self.classes_.tolist()
        strange = [label for label in self.class_weight if label not in known]
        if strange and not all(label in self.class_weight for label in known):
            raise ValueError(f"class_weight names {strange[0]!r}, and the classes are {known}")
        return {str(n): self.class_weight[label] for n, label in enumerate(known) if label in self.class_weight} or None

    @available_if(lambda self: self.loss is None or self.loss.partition(":")[0] not in MARGINS)
    def predict_proba(self, X):
        """The probability (N, classes) of each class."""
        return self._outputs(X)

    @available_if(lambda self: self.loss is not None and self.loss.partition(":")[0] in MARGINS)
    def decision_function(self, X):
        """The margin (N, classes) of each class; of two the difference (N,)."""
        margins = self._outputs(X)
        return margins[:, 1] - margins[:, 0] if margins.shape[1] == 2 else margins

    def predict(self, X):
        """Labels (N,)."""
        best = self._outputs(X).argmax(axis=1)
        return self.classes_[best]


class DeepNetRegressor(RegressorMixin, _Estimator):
    """A network that predicts numbers, one or several a case: `deepnet finetune --task regress`.

    Attributes: `model_`, `start_` where `start` is an estimator.
    """

    __init__ = _init(workflows.finetune, LABELS_ONLY)

    def __sklearn_tags__(self):
        """It predicts several targets too."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X, y, sample_weight=None):
        """Train on X (N, D), numbers y (N,) or (N, T), cases that count by their weights (N,)."""
        X, y = self._checked(X, y, reset=True, multi_output=True, y_numeric=True)
        self._flat = y.ndim == 1
        X, y, weights = self._counted(X, y.astype(np.float64), sample_weight)
        return self._train(workflows.finetune, X, y, weights, task="regress")

    def predict(self, X):
        """Numbers in float64, of the shape that y had."""
        found = self._outputs(X).astype(np.float64)
        return found[:, 0] if self._flat else found


class _Transformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _Estimator):
    """What makes codes of cases."""

    def __sklearn_tags__(self):
        """Codes are float32."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def transform(self, X):
        """Codes (N, units of the code)."""
        return self._outputs(X, "codes")

    def reconstruct(self, X):
        """What the model makes of X, as it was prepared: down again from the codes (N, visible units)."""
        return self._outputs(X, "reconstructions")

    @property
    def _n_features_out(self):
        """Units of the code."""
        return coder(self.model_).network.outputs


class StackTransformer(_Transformer):
    """A stack of machines or autoencoders, trained layer by layer without labels: `deepnet pretrain`.

    Visible units are linear where nothing else is said, so that any columns will do. Attributes: `model_`.
    """

    __init__ = _init(workflows.pretrain, visible="linear")

    def fit(self, X, y=None):
        """Train on X (N, D); y is not looked at."""
        return self._train(workflows.pretrain, self._checked(X, reset=True))


class AutoencoderTransformer(_Transformer):
    """A deep autoencoder, trained as a whole: `deepnet finetune --task reconstruct`.

    `layers` lead down to the code, the last of them. There is a little noise on hidden units where nothing else is
    said, so that a code as wide as the data cannot just copy them. Attributes: `model_`, `start_` where `start` is an
    estimator.
    """

    __init__ = _init(workflows.finetune, LABELS_ONLY, layers=(100, 10), noise=(0.1,))

    def fit(self, X, y=None):
        """Train on X (N, D); y is not looked at."""
        return self._train(workflows.finetune, self._checked(X, reset=True), task="reconstruct")
