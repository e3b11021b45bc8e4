"""Deep belief nets and autoencoders on the CPU: the version and the Python face.

The face has the commands' names and options and is imported on first use, so that `import deepnet` costs nothing.
`pretrain`, `finetune`, `cross_validate` (`finetune --cv`) and `efficiency` are generators of records (`Epoch` ...),
which train as far as they are read; `predict` gives pieces of CSV; the others return a dict, what the command prints
with --json. `load` is what a model file holds, `outputs` what it makes of an array of cases. scikit-learn's estimators
are in `deepnet.estimators`.
"""

__version__ = "0.1.0"

_FACE = {
    "pretrain": "workflows",
    "finetune": "workflows",
    "evaluate": "workflows",
    "compare": "workflows",
    "cross_validate": "workflows",
    "efficiency": "workflows",
    "visualize": "workflows",
    "predict": "workflows",
    "inspect": "workflows",
    "export": "workflows",
    "warmup": "workflows",
    "selfcheck": "workflows",
    "verify_resume": "workflows",
    "doctor": "workflows",
    "outputs": "workflows",
    "load": "checkpoint",
    **dict.fromkeys(("Start", "Epoch", "Saved", "Warned", "Noted", "End"), "workflows"),
}
__all__ = ["__version__", *_FACE]


def __getattr__(name):
    """Import a name of the Python face when it is first asked for."""
    if name not in _FACE:
        raise AttributeError(f"module 'deepnet' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"deepnet.{_FACE[name]}"), name)


def __dir__():
    """The names of the Python face beside those already imported."""
    return sorted({*globals(), *_FACE})
