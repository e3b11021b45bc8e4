"""Options of `finetune` that keep a network from learning its cases by heart, and hold its weights."""

from typing import Annotated

from . import values
from .options import option

Noise = Annotated[
    str,
    option(
        "Architecture",
        help="Deviation of Gaussian noise added while training (Sietsma and Dow 1991), before dropout: one value for "
        "all hidden layers, or the input's, then each hidden layer's.",
        metavar="X,...",
        parser=values.several(values.number(0)),
    ),
]
NoiseSchedule = Annotated[
    str | None,
    option(
        "Architecture",
        help="Share of --noise that is added, a schedule over epochs: linear:1:0 lets it fade.",
        metavar="SHARE",
    ),
]
Dropout = Annotated[
    str,
    option(
        "Architecture",
        help="Share of units left out while training (Srivastava et al. 2014): one value for all hidden layers, or "
        "the input's, then each hidden layer's.",
        metavar="P,...",
        parser=values.several(values.number(0, 0.99)),
    ),
]
Jitter = Annotated[
    str,
    option(
        "Data",
        help="Move training images by up to this many pixels, up or down, left or right, anew in each epoch.",
        metavar="PIXELS",
        parser=values.integer(0),
    ),
]
BatchNorm = Annotated[
    bool,
    option(
        "Architecture",
        "--batch-norm",
        help="With --layers, normalise what each hidden unit takes in over the minibatch (Ioffe and Szegedy 2015).",
    ),
]
LayerRates = Annotated[
    str | None,
    option(
        "Training",
        help="Factors of the learning rate: each hidden layer's, then the output layer's; 0 freezes.",
        metavar="X,...",
        parser=values.several(values.number(0)),
    ),
]
WeightDecay = Annotated[str, option("Training", help="L2 penalty of weights.", metavar="X", parser=values.number(0))]
L1 = Annotated[str, option("Training", help="L1 penalty of weights.", metavar="X", parser=values.number(0))]
MaxNorm = Annotated[
    str | None,
    option(
        "Training",
        help="Longest incoming weights of a unit, kept after each update (Srivastava et al. 2014): one value, or each "
        "hidden layer's, then the output layer's.",
        metavar="NORM,...",
        parser=values.several(values.positive),
    ),
]
LabelSmoothing = Annotated[
    str,
    option(
        "Training",
        help="Share of a class's target that is spread over all (Szegedy et al. 2016).",
        metavar="SHARE",
        parser=values.number(0, 0.99),
    ),
]
Average = Annotated[
    str | None,
    option(
        "Training",
        help="Validate and save a running mean of the weights, of which this share is kept at each update: 0.999; 1 is "
        "the mean of all (Polyak and Juditsky 1992).",
        metavar="SHARE",
        parser=values.number(0, 1),
    ),
]
Clip = Annotated[
    str | None,
    option(
        "Training",
        help="Largest norm of a gradient; a longer one is shortened to it (Pascanu et al. 2013).",
        metavar="NORM",
        parser=values.positive,
    ),
]
