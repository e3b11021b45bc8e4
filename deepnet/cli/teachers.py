"""Options of a student: the classifiers that it learns from, or is measured beside, and how it is held to them."""

from typing import Annotated

from . import values
from .options import option

Teacher = Annotated[
    str | None,
    option(
        "Training",
        help="With --task mimic, the trained classifier to learn from; several with commas: their mean.",
        metavar="FILE,...",
        parser=values.texts,
    ),
]
Temperature = Annotated[
    str | None,
    option(
        "Training",
        help="Temperature at which teacher and student are matched (Hinton et al. 2015).",
        metavar="T",
        parser=values.number(),
        show_default="4",
    ),
]
Logits = Annotated[
    bool,
    option("Training", "--logits", help="Match the teacher's logits by squared error (Ba and Caruana 2014)."),
]
HardWeight = Annotated[
    str | None,
    option(
        "Training",
        help="Weight of the loss of labels, where there are some, beside the teacher's (Hinton et al. 2015).",
        metavar="X",
        parser=values.number(0),
        show_default="0.1; 0 with --logits",
    ),
]
Beside = Annotated[
    str | None,
    option(
        "Data",
        "--teacher",
        help="Show how often the model agrees with this classifier, and what both cost; several with commas: their "
        "mean.",
        metavar="FILE,...",
        parser=values.texts,
    ),
]
