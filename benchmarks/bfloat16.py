"""`--precision bfloat16` beside our own float32 and torch's autocast, on CPUs that multiply it."""

import backprop
import contest
import contrastive

JOBS = {name: job for name, job in contrastive.JOBS.items() if job["batch"] == 128 or not job["dense"]} | backprop.JOBS


def _page(job):
    return backprop if "widths" in job else contrastive


def _need_bfloat16():
    """Leave the contest on a CPU that does not multiply it."""
    from deepnet.kernels import bfloat16

    if not bfloat16.available():
        raise NotImplementedError


def rounded(job):
    """deepnet in bfloat16."""
    _need_bfloat16()
    return _page(job).ours(job, "bfloat16")


def ours(job):
    """deepnet in float32."""
    return _page(job).ours(job)


def with_torch(job):
    """torch's autocast, of networks."""
    if "widths" not in job:
        raise NotImplementedError
    return backprop.with_torch_bfloat16(job)


def products_alone(job):
    """A step's products and the rounding of what they are given, of networks."""
    _need_bfloat16()
    if "widths" not in job:
        raise NotImplementedError
    return backprop.products_alone(job, "bfloat16")


if __name__ == "__main__":
    contest.main(
        __file__,
        "bfloat16",
        {
            "deepnet bfloat16": rounded,
            "deepnet": ours,
            "torch bfloat16": with_torch,
            backprop.ALONE: products_alone,
        },
        JOBS,
        ours="deepnet bfloat16",
        alone=backprop.ALONE,
        flops=lambda job: _page(job).flops(job),
    )
