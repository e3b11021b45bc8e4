"""`deepnet evaluate`: options -> `workflows.evaluate`."""

import contextlib
import operator
from typing import Annotated

import typer

from deepnet.errors import RequirementError, UsageError

from . import options as o
from . import teachers as t
from . import values
from .options import option

HELP = """Measure a model on data, with a 95 % interval.

[bold]Examples[/]
  deepnet evaluate net.h5 mnist
  deepnet evaluate coder.h5 mnist --logistic-pca --codes euclidean
  deepnet evaluate small.h5 mnist --teacher net.h5 --require 'error<=0.015'
  deepnet evaluate 3.h5 mnist --normal 3

What is measured depends on the model:
  classifier   error, balanced error, the loss, of two classes the area under
               the ROC curve; with -v classes, confusions
  regressor    RMSE, MAE, R2; with -v by target
  autoencoder  squared error a case, beside PCA of the same width
  stack        reconstruction error beside PCA, and free energy
  one class    squared distance from the centre
--normal measures how well the anomaly scores of predict tell one class, or
several, from the others of a labelled split: the area under the ROC curve.
--teacher sets a classifier beside another: the share of cases that both call
alike, KL(teacher || model) in nats, parameters, bytes, the median seconds that
a case takes alone and among 100, and errors where there are labels.
--logistic-pca sets logistic PCA beside them: the same width, a linear code,
logistic outputs, trained on cross-entropy. On MNIST with a code of 30 that
takes half a minute on two cores; the model's outputs must be logistic.
--codes asks what codes know of labels that they never saw: k-means makes as
many clusters of the cases as there are classes (purity, normalised mutual
information nmi), and each case looks for its 1 and its 10 nearest others
(precision: the share of its class), beside raw data and PCA. Half a minute for
10,000 cases of MNIST.
How the data were scaled is remembered by the model. Cases count alike, also
where it was trained with weights."""

Split = Annotated[
    str | None,
    option(
        "Data",
        help="Which part of the data: train, valid, test.",
        metavar="NAME",
        parser=values.word,
        show_default="test; all cases of data that have no splits",
    ),
]
Passes = Annotated[
    str | None,
    option(
        "Data",
        "--mc",
        help="Measure the mean output of so many passes with dropout and noise at work (Srivastava et al. 2014).",
        metavar="N",
        parser=values.integer(1, 100_000),
    ),
]
Normal = Annotated[
    str | None,
    option(
        "Data",
        help="The classes that are no anomalies: measure the area under the ROC curve.",
        metavar="CLASS,...",
        parser=values.texts,
    ),
]
Require = Annotated[
    str | None,
    option(
        "Output",
        help="Exit with 7 unless the metric keeps the bound, such as error<0.05 or error<5%; several with commas.",
        metavar="METRIC<=X",
        parser=values.several(values.requirement),
    ),
]
LogisticPCA = Annotated[
    bool,
    option("Training", "--logistic-pca", help="Train logistic PCA of the code's width and show its squared error too."),
]
Codes = Annotated[
    o.Distance | None,
    option(
        "Data",
        help=f"Show what codes know of labels, by clusters and nearest cases; the distance: {', '.join(o.DISTANCES)}.",
        metavar="NAME",
    ),
]
_COMPARISONS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq}


def evaluate(
    ctx: typer.Context,
    model: o.Model,
    data: o.Data,
    split: Split = None,
    label: o.Label = None,
    ignore: o.Ignore = None,
    normal: Normal = None,
    mc: Passes = None,
    logistic_pca: LogisticPCA = False,
    codes: Codes = None,
    teacher: t.Beside = None,
    require: Require = None,
    json: o.Json = False,
    verbose: o.Verbose = False,
    quiet: o.Quiet = False,
    config: o.Config = None,
    threads: o.Threads = None,
    debug: o.Debug = False,
):
    """Evaluate, print, and compare with what was required."""
    from . import console, progress, run
    from .signals import Interruption

    rooms = run.workflows(threads)
    meter = rooms.Meter()
    display = progress.choose("auto" if logistic_pca and not quiet else "none", meter, Interruption())
    with contextlib.closing(display):
        facts = rooms.evaluate(
            model,
            data,
            split=split,
            label=label,
            ignore=ignore or (),
            normal=normal or (),
            mc=mc,
            logistic_pca=logistic_pca,
            codes=codes,
            teacher=teacher or (),
            threads=threads,
            meter=meter,
            say=display.start,
        )
    for name, _, _ in require or ():
        _number(facts, name)
    console.result("evaluate", facts, as_json=json, verbose=verbose)
    for name, sign, bound in require or ():
        if not _COMPARISONS[sign](_number(facts, name), bound):
            raise RequirementError(f"{name} is {_number(facts, name):.6g}, required is {name}{sign}{bound:g}")


def _number(facts, name):
    """The metric of a name among the facts."""
    metrics = {
        key: value for key, value in facts.items() if not isinstance(value, str | bool) and hasattr(value, "__float__")
    }
    if name not in metrics:
        raise UsageError(f"--require {name}: this evaluation has no such metric: {values.nearest(name, [*metrics])}")
    return float(metrics[name])
