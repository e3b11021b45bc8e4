"""Deep belief nets and autoencoders on the CPU: the version and the Python face.

The face has the commands' names and options and is imported on first use, so that `import deepnet` costs nothing:
`pretrain` and `finetune` are generators of records, `evaluate` and `visualize` return a dict, `load` what a
model file holds.
"""

__version__ = "0.1.0"

_FACE = {
    "pretrain": "workflows",
    "finetune": "workflows",
    "evaluate": "workflows",
    "visualize": "workflows",
    "load": "checkpoint",
}
__all__ = ["__version__", "evaluate", "finetune", "load", "pretrain", "visualize"]


def __getattr__(name):
    """Import a name of the Python face when it is first asked for."""
    if name not in _FACE:
        raise AttributeError(f"module 'deepnet' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"deepnet.{_FACE[name]}"), name)


def __dir__():
    """The names of the Python face beside those already imported."""
    return sorted({*globals(), *_FACE})
