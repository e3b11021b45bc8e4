"""NPZ: the plain arrays, for whatever reads NumPy's files: W3 is that of the third step, `steps` says what they are."""

import io
import json

import numpy as np

from .steps import Affine, Contrast, Distance, Largest, Program, Runs, Scaled, Step, Units, arrays_of


def write(program: Program) -> bytes:
    """An NPZ file of the steps' arrays, of `steps`, a text for each, and of the facts as JSON."""
    words = {"steps": np.array(texts(program)), "facts": np.array(json.dumps(program.facts))}
    return packed(arrays_of(program) | words)


def packed(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays as the bytes of an NPZ file, which has no clock in it."""
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def texts(program: Program) -> list[str]:
    """Each step in the letters of its arrays: `(x - offset1) / scale1`, `x W2 + b2`, `logistic`."""
    return [_text(number, step) for number, step in enumerate(program.steps, 1)]


def _text(number: int, step: Step) -> str:
    match step:
        case Scaled():
            return f"(x - offset{number}) / scale{number}"
        case Affine():
            return f"x W{number} + b{number}"
        case Distance():
            return f"squared distance from centre{number}"
        case Contrast(kind):
            return f"contrast {kind}"
        case Runs(runs):
            return " ".join(f"{name}:{width}" for name, width in runs)
        case Largest(pieces):
            return f"largest of {pieces} pieces"
        case Units(name):
            return name
