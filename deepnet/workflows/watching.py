"""A doctor in the loop: looks at a run after an epoch, at what the epoch has left anyway, and says each finding once.

It draws nothing and changes nothing that training reads, so a run that is looked at has the bits of one that is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from .findings import FINDINGS, first
from .records import Noted
from .vitals import Figures

MOST = 3  # notes of a run
OFTEN, LOOKS = 5, 20  # looked at are the first epochs, then about so many of a stage


@dataclass
class Watch:
    """What was said so far in a run; it goes with a run that is cut.

    `before`: theta at the course's places before the last update of an epoch that is still to be measured.
    """

    said: list[str] = field(default_factory=list)
    before: np.ndarray | None = None

    @staticmethod
    def taken_from(state: dict[str, np.ndarray]) -> "Watch":
        """What `packed` put among the arrays of a cut run, taken out of them."""
        words = state.pop("said", np.zeros(0, np.uint8)).tobytes().decode("ascii", "replace").split(",")
        return Watch([name for name in words if name in FINDINGS], state.pop("before", None))

    def packed(self) -> dict[str, np.ndarray]:
        """The arrays to save; none where nothing was said, nor is to be measured."""
        said = {"said": np.frombuffer(",".join(self.said).encode(), np.uint8)} if self.said else {}
        return said if self.before is None else said | {"before": self.before}

    def take(self, places: np.ndarray | None) -> np.ndarray | None:
        """`before`, once; None where it is not one of these places."""
        found, self.before = self.before, None
        if found is None or places is None or (found.shape, found.dtype) != (places.shape, np.float32):
            return None
        return found

    @property
    def told(self) -> dict[str, list[str]]:
        """What a result has of it."""
        return {"notes": list(self.said)} if self.said else {}

    def notes(self, found: Figures) -> Iterator[Noted]:
        """What a user should know of these figures, if it is new: one thing at a time, causes first."""
        new = first(found, self.said) if len(self.said) < MOST else None
        if new is not None:
            name, words = new
            self.said.append(name)
            yield Noted(name, FINDINGS[name].sentence.format(**words), words)


def due(epoch: int, epochs: int) -> bool:
    """Whether a stage is looked at after this epoch."""
    return epoch <= OFTEN or epoch % max(1, epochs // LOOKS) == 0
