"""The work of a run, by which its time is foretold: multiplications of a weight with a case's number."""

from dataclasses import dataclass

# What a minibatch costs beside its products (threads, draws, Python), as so many of them: between an idle machine's 20
# million and a busy one's 60, measured on machines of 200-200 to 500-2000.
BESIDE = 30_000_000


@dataclass(frozen=True)
class Work:
    """A stage: epochs of minibatches whose cases take so many `products`; `extra` an epoch, `after` its last one."""

    epochs: int
    cases: int
    batch_size: int
    products: float
    extra: float = 0.0
    after: float = 0.0

    @property
    def case(self) -> float:
        """Of a case that is trained on."""
        return self.products + BESIDE / self.batch_size

    @property
    def epoch(self) -> float:
        """Of an epoch, with what follows it."""
        return self.cases * self.case + self.extra

    @property
    def whole(self) -> float:
        """Of the stage."""
        return self.epochs * self.epoch + self.after

    @property
    def flops(self) -> float:
        """Additions and multiplications of the stage's products."""
        return 2 * (self.epochs * (self.cases * self.products + self.extra) + self.after)
