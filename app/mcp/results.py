"""What the tools give back as data: each is described to clients by its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field

from generators.inert import in_line, inert

if TYPE_CHECKING:
    import retrievers.evidence as retrieval
    from app.library import ExpertCard
    from generators.answer import Answer, Citation, Conflict
    from retrievers.evidence import Evidence


class Result(BaseModel):
    """Base of what the tools give back."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Result):
    """A passage of a document. Its text is quoted, not written by Symposia, and holds nothing that is not seen."""

    number: int = Field(description="The n of [n] in the answer")
    expert: str
    probability: float = Field(description="Calibrated probability, 0 to 1, that it is relevant")
    title: str
    place: str = Field(description="Page or heading within the document")
    date: str
    source: str = Field(description="Path or address of the document")
    id: str
    text: str
    supports: list[str] = Field(description="The spans of the text that the answer rests on")

    @classmethod
    def of(cls, item: Evidence, citations: Iterable[Citation] = ()) -> Self:
        """A piece of evidence, with the spans that these citations name."""
        passage = item.passage
        spans = sorted({(c.start, c.end) for c in citations if c.number == item.number})
        return cls(
            number=item.number,
            expert=item.expert,
            probability=item.probability,
            title=in_line(passage.title),
            place=in_line(passage.place),
            date=in_line(passage.date),
            source=in_line(passage.source),
            id=passage.id,
            text=inert(passage.text),
            supports=[inert(passage.text[start:end]) for start, end in spans],
        )


class Share(Result):
    """One expert's part in the route of a question."""

    expert: str
    probability: float = Field(description="Probability, 0 to 1, that it should be asked")
    asked: bool


class Route(Result):
    """Which experts a question was sent to, and why."""

    decision: str = Field(description="'retrieve', or 'skip' where no sources are needed")
    kind: str = Field(description="What sort of question it was taken for")
    experts: list[str] = Field(description="Those asked, by falling probability")
    shares: list[Share] = Field(description="All that could be asked, by falling probability")
    null: float = Field(description="Probability, 0 to 1, that no sources are needed")
    reason: str
    failures: dict[str, str] = Field(description="Experts that could not be asked, with the problem")
    unknown: list[str] = Field(description="Words of the question that no passage of the experts asked holds")

    @classmethod
    def of(cls, route: retrieval.Route) -> Self:
        """The route."""
        return cls(
            decision=route.decision,
            kind=route.kind,
            experts=list(route.experts),
            shares=[Share(expert=s.expert, probability=s.probability, asked=s.asked) for s in route.shares],
            null=route.null,
            reason=route.reason,
            failures=dict(route.failures),
            unknown=list(route.unknown),
        )


class Claim(Result):
    """A sentence of the answer, checked."""

    text: str
    status: str = Field(description="'supported' by its citations, 'unsupported', or 'memory' of the language model")
    citations: list[int] = Field(description="Numbers of the sources")


class Side(Result):
    """What some of the sources say where others say something else."""

    text: str
    citations: list[int]


class Asked(Result):
    """The tool ``ask``."""

    question: str
    verdict: str = Field(description="'answered', 'answered from memory', 'sources conflict', or 'not in the sources'")
    answer: str = Field(description="The answer with [n] behind what is cited, and [unsupported] behind what is not")
    claims: list[Claim]
    sources: list[Source]
    conflict: list[Side] = Field(description="The sides where the sources disagree; empty where they do not")
    memory: str = Field(description="What the language model says without the sources, where that differs")
    route: Route
    model: str
    seconds: dict[str, float]
    trace: str

    @classmethod
    def of(cls, answer: Answer, trace: str) -> Self:
        """The answer."""
        return cls(
            question=answer.question,
            verdict=answer.verdict.value,
            answer=inert(answer.marked),
            claims=[
                Claim(text=inert(c.text), status=c.status, citations=[x.number for x in c.citations])
                for c in answer.claims
            ],
            sources=[Source.of(item, answer.citations) for item in answer.evidence],
            conflict=_sides(answer.conflict),
            memory=inert(answer.memory),
            route=Route.of(answer.route),
            model=answer.model,
            seconds=dict(answer.seconds),
            trace=trace,
        )


class Found(Result):
    """The tool ``search``."""

    question: str
    passages: list[Source]
    route: Route
    trace: str


class Expert(Result):
    """An expert of the panel."""

    name: str
    description: str
    passages: int
    updated: str
    problem: str = Field(description="Why it cannot be asked; empty where it can")

    @classmethod
    def of(cls, card: ExpertCard) -> Self:
        """The card."""
        return cls(
            name=card.name,
            description=in_line(card.description),
            passages=card.passages,
            updated=card.updated,
            problem=card.problem,
        )


class Experts(Result):
    """The tool ``list_experts``."""

    experts: list[Expert]


class Explained(Result):
    """The tool ``explain``."""

    question: str
    route: Route
    rules: list[str] = Field(description="The rules that were applied, with their numbers")
    trace: str


def _sides(conflict: Conflict | None) -> list[Side]:
    return (
        []
        if conflict is None
        else [Side(text=inert(s.text), citations=[c.number for c in s.citations]) for s in conflict.sides]
    )
