"""outputs: what a model makes of an array of cases, in memory."""

import numpy as np

from .. import data
from ..checkpoint import Checkpoint
from ..errors import UsageError
from ..nn.stack import Stack
from . import feeds, models, sources

READERS = {"outputs": models.whole, "codes": models.coder, "reconstructions": models.reconstructor}


def outputs(model: Checkpoint, inputs, *, give="outputs") -> np.ndarray:
    """float32 (N, outputs) of inputs (N, D), cases as they were before training: bytes or floats.

    Of a classifier a probability (or margin) a class, of a regressor numbers, of an autoencoder reconstructions of
    the prepared cases, of a stack its top layer. `give` may name codes or reconstructions in their place.
    """
    if give not in READERS:
        raise UsageError(f"give={give!r}: no such outputs; ask for one of {', '.join(READERS)}")
    given = data.in_memory(inputs)
    sources.check_width(given, model.preparation, "the model")
    cases, reader = given.splits["train"], READERS[give](model)
    found = reader.all(feeds.visible_feed(cases.inputs, model.preparation), len(cases))
    p = model.preparation
    numbers = give == "outputs" and not isinstance(model.model, Stack)
    if numbers and sources.task_of(model.model.loss, p) == "regress":
        found = found * p.target_scale + p.target_offset
    return found
