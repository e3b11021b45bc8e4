"""insides: what pictures of a model's layers are made from, filters, favourite inputs, and histograms."""

import numpy as np

from ..nn.ascent import ascend
from ..nn.mixed import unit_of
from ..nn.network import Network
from ..nn.stack import Stack
from . import feeds, models, preparing
from .views import View

SHOWN = 100  # units a layer whose favourite inputs are looked for
BINS = 41
REACH = 0.998  # the share of the values that a histogram's range holds


def filters(view: View):
    """Every layer's filters; deeper ones as linear combinations of those below.

    Those of maxout are its pieces, side by side; for the layers above it counts as their mean, its linear part. What a
    projection of the data does counts as a layer below all. Source: Lee, Ekanadham and Ng 2008, section 4.
    """
    panels = []
    for number, layer, weights in _projected(view):
        pieces = weights.shape[1]
        words = f" of {pieces} pieces" if pieces > 1 else ""
        words += "" if number == 1 else ", projected through the layers below"
        panels.append((f"layer {number}: {layer.outputs} units{words}", weights.T.reshape(-1, len(weights))))
    return panels, view.shape


def _projected(view: View):
    """(number, layer, weights (inputs of a case, pieces, units)) layer by layer, projected to a case's columns."""
    projection = view.model.preparation.projection
    product = None if projection is None else projection.matrix
    for place, number in view.looked_at:
        layer, W = view.model.model.layers[place], view.model.arrays[place]["W"]
        weights = (W if product is None else product @ W).reshape(-1, getattr(layer, "pieces", 1), layer.outputs)
        yield number, layer, weights
        product = weights.mean(axis=1)


def features(view: View):
    """What units above the first layer like best among all cases of one length; begun with their projected filters.

    The length is the mean one of the cases, or without data that of values of a third in [0, 1], else of ones.
    """
    reader, panels = models.whole(view.model), []
    width = reader.network.inputs
    length = float(np.linalg.norm(view.rows(view.seen), axis=1).mean()) if view.cases is not None else _usual(view)
    W = None
    for place, number in view.looked_at:
        layer = view.model.model.layers[place]
        own = view.model.arrays[place]["W"]
        W = (own if W is None else W @ own).reshape(width, -1, layer.outputs).mean(axis=1)
        if number == 1:
            continue
        units = np.unique(np.linspace(0, layer.outputs - 1, min(SHOWN, layer.outputs)).round().astype(int))
        below = Network(reader.network.layers[: place + 1], reader.network.loss)
        liked = ascend(below, reader.parts[: place + 1], units, W.T[units], length)
        words = f"layer {number}: {layer.outputs} units" + (f", {SHOWN} shown" if layer.outputs > SHOWN else "")
        panels.append((words, preparing.directions(view.model.preparation, liked)))
    return panels, view.shape


def _usual(view: View) -> float:
    """The length of an ordinary case, where none is known."""
    model = view.model.model
    unit = model.layers[0].visible if isinstance(model, Stack) else None
    bounded = unit_of(unit).bounded if unit else view.model.preparation.kind in ("auto", "unit")
    return float(np.sqrt(view.model.preparation.width)) * (1 / 3 if bounded else 1)


def histograms(view: View):
    """Of every layer its weights and biases, and with data its activations and, of a network, its gradients."""
    found = []
    layers = view.model.model.layers
    answers = _activations(view) if view.cases is not None else {}
    slopes = _gradients(view) if view.cases is not None and view.task is not None else {}
    places = [i for i in range(len(layers)) if "W" in view.model.arrays[i]]
    for number, place in enumerate(places, 1):
        arrays = view.model.arrays[place]
        values = {"weights": arrays["W"], "biases": arrays.get("b")}
        values |= {"activations": answers.get(place), "weight gradients": slopes.get(place)}
        found.append((f"layer {number}", {name: _counted(v) for name, v in values.items() if v is not None and v.size}))
    return (found,)


def _activations(view: View) -> dict[int, np.ndarray]:
    """Each layer's activations on the cases seen, by its place."""
    reader, x = models.whole(view.model), view.rows(view.seen)
    work = reader.network.workspace(len(x), np.dtype(np.float32))
    reader.network.forward(reader.parts, work, x)
    return {i: w["a"] for i, w in enumerate(work)}


def _gradients(view: View) -> dict[int, np.ndarray]:
    """The gradient of the mean loss of the cases seen for each layer's weights, by its place."""
    objective = models.objective_of(view.model, feeds.network_feed(view.cases, view.model.preparation, view.task))
    objective.at(view.seen, None)
    grad = objective.gradient(models.pack(view.model.model, view.model.arrays))
    return {i: own["W"] for i, own in enumerate(view.model.model.split(grad)) if "W" in own}


def _counted(values: np.ndarray) -> dict:
    """counts (B,) between edges (B + 1,), mean, deviation, how many are not finite; the range leaves extremes out."""
    flat = np.asarray(values, np.float64).ravel()
    kept = flat[np.isfinite(flat)]
    tail = (1 - REACH) / 2
    low, high = np.quantile(kept, [tail, 1 - tail]) if len(kept) else (0.0, 1.0)
    low, high = (low, high) if high > low else (low - 0.5, low + 0.5)
    counts, edges = np.histogram(kept, BINS, (low, high))
    mean, deviation = (float(kept.mean()), float(kept.std())) if len(kept) else (float("nan"),) * 2
    return {"counts": counts, "edges": edges, "mean": mean, "deviation": deviation, "lost": len(flat) - len(kept)}
