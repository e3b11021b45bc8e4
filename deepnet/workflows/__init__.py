"""What a user does, one generator or function each; here data, models, training and files meet."""

from ..training import Meter
from .compare import compare
from .cross_validate import cross_validate
from .doctor import doctor
from .efficiency import efficiency
from .evaluate import evaluate
from .export import export
from .finetune import finetune
from .inspect import inspect
from .outputs import outputs
from .predict import predict
from .pretrain import pretrain
from .recipe import recipe
from .records import End, Epoch, Noted, Saved, Start, Warned
from .selfcheck import selfcheck
from .verify_resume import verify_resume
from .visualize import visualize
from .warmup import warmup

__all__ = [
    "End",
    "Epoch",
    "Meter",
    "Noted",
    "Saved",
    "Start",
    "Warned",
    "compare",
    "cross_validate",
    "doctor",
    "efficiency",
    "evaluate",
    "export",
    "finetune",
    "inspect",
    "outputs",
    "predict",
    "pretrain",
    "recipe",
    "selfcheck",
    "verify_resume",
    "visualize",
    "warmup",
]
