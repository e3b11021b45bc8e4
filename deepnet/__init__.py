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

TYPE_CHECKING = False  # which type checkers take for true; `typing` would cost every start some milliseconds
if TYPE_CHECKING:
    from .checkpoint import load as load
    from .workflows.compare import compare as compare
    from .workflows.cross_validate import cross_validate as cross_validate
    from .workflows.doctor import doctor as doctor
    from .workflows.efficiency import efficiency as efficiency
    from .workflows.evaluate import evaluate as evaluate
    from .workflows.export import export as export
    from .workflows.finetune import finetune as finetune
    from .workflows.inspect import inspect as inspect
    from .workflows.outputs import outputs as outputs
    from .workflows.predict import predict as predict
    from .workflows.pretrain import pretrain as pretrain
    from .workflows.records import End as End
    from .workflows.records import Epoch as Epoch
    from .workflows.records import Noted as Noted
    from .workflows.records import Saved as Saved
    from .workflows.records import Start as Start
    from .workflows.records import Warned as Warned
    from .workflows.selfcheck import selfcheck as selfcheck
    from .workflows.verify_resume import verify_resume as verify_resume
    from .workflows.visualize import visualize as visualize
    from .workflows.warmup import warmup as warmup
else:

    def __getattr__(name):
        """Import a name of the Python face when it is first asked for."""
        if name not in _FACE:
            raise AttributeError(f"module 'deepnet' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"deepnet.{_FACE[name]}"), name)


def __dir__():
    """The names of the Python face beside those already imported."""
    return sorted({*globals(), *_FACE})
