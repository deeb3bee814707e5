"""The card of a training: what was learnt from, what was tried, what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple


class Estimate(NamedTuple):
    """A mean between the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class Source:
    """Where labelled questions came from: a name for people, and how many were usable."""

    name: str
    questions: int


@dataclass(frozen=True, slots=True)
class Line:
    """Mean nDCG@10 of one adapter by dense search over the slice.

    Parameters
    ----------
    adapter
        Its name; ``identity`` for the encoder as it is.
    p
        Of the paired randomisation test against the identity; ``None`` for the identity itself.
    """

    adapter: str
    setting: str
    ndcg: Estimate
    p: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many questions there were.

    Parameters
    ----------
    train, dev, test
        That were used.
    near_test, near_dev
        Removed from the training questions, for they nearly repeat one of test or of dev.
    unmatched
        Left out, for no passage of the slice answers them.
    passages
        In the slice.
    folds
        1 where dev questions train nothing; else each question judges once, and trains in the other folds, of which
        ``train`` and ``near_dev`` are means.
    """

    train: int = 0
    dev: int = 0
    test: int = 0
    near_test: int = 0
    near_dev: int = 0
    unmatched: int = 0
    passages: int = 0
    folds: int = 1


@dataclass(frozen=True, slots=True)
class Card:
    """What a training did.

    Parameters
    ----------
    kind
        Of the adapter that the expert now has by this training; ``identity`` where none was better than none.
    ships
        Whether the expert got a new adapter.
    reason
        Of the decision, in a sentence.
    dev, test
        The identity first. ``dev`` has all candidates; ``test``, where a test split was given, only the adapter that ships.
    kept_off_domain
        Share of the ten best passages of the slice for questions about anything (the background questions) that stay
        among the ten best under the best candidate: 1 where it changes nothing off its domain.
    versions
        Of the packages that matter.
    """

    expert: str
    kind: str
    ships: bool
    reason: str
    sources: tuple[Source, ...]
    sizes: Sizes
    dev: tuple[Line, ...]
    test: tuple[Line, ...] = ()
    kept_off_domain: float = 1.0
    held_out: bool = True
    seed: int = 0
    seconds: float = 0.0
    finished: str = ""
    encoder: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        values = asdict(self)
        for split in ("dev", "test"):
            values[split] = [{**line, "ndcg": line["ndcg"]._asdict()} for line in values[split]]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Card:
        """Inverse of ``to_dict``; names that it does not know, such as the adapter's key, are passed over."""
        known = {each.name for each in fields(cls)}
        found = {name: value for name, value in values.items() if name in known}
        found["sources"] = tuple(Source(**source) for source in found["sources"])
        found["sizes"] = Sizes(**found["sizes"])
        for split in ("dev", "test"):
            found[split] = tuple(Line(**{**line, "ndcg": Estimate(**line["ndcg"])}) for line in found.get(split, ()))
        return cls(**found)

    def notes(self) -> Iterator[str]:
        """What stands around the table, a sentence or two a line."""
        sizes = self.sizes
        if self.sources:
            yield f"Learnt from: {', '.join(f'{source.name} ({source.questions} questions)' for source in self.sources)}."
            yield self._split()
            yield (
                f"Left out of train: {sizes.near_dev} near-duplicates of dev, {sizes.near_test} of test; "
                f"{sizes.unmatched} questions that no passage here answers."
            )
        yield self.reason
        if self.sources:
            yield f"Off its domain: {self.kept_off_domain:.0%} of the ten best passages for questions about anything stay so."

    def _split(self) -> str:
        sizes = self.sizes
        test = f"; {sizes.test} test questions" if sizes.test else ""
        if sizes.folds > 1:
            return (
                f"Each of {sizes.dev} questions judges once and trains in {sizes.folds - 1} of {sizes.folds} folds, "
                f"{sizes.train} in a fold{test}; {sizes.passages} passages."
            )
        held = " held out of them" if self.held_out else ""
        return f"{sizes.train} train and {sizes.dev} dev questions{held}{test}; {sizes.passages} passages."

    def __str__(self) -> str:
        lines = [f"{split} {line.adapter}: {line.ndcg}" for split in ("dev", "test") for line in getattr(self, split)]
        return "\n".join([f"{self.expert}: {self.kind}", *self.notes(), *lines])
