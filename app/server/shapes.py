"""What responses look like in the OpenAPI document: what the dataclasses' ``to_dict`` give."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

Number = float | None


class Share(BaseModel):
    """One expert's part in a route."""

    expert: str
    probability: float
    asked: bool


class Route(BaseModel):
    """Which experts a question was sent to, and why."""

    decision: Literal["retrieve", "skip"]
    kind: Literal["domain", "chitchat", "arithmetic", "about"]
    experts: list[str]
    shares: list[Share]
    null: float = Field(description="Probability that no retrieval is needed.")
    reason: str
    failures: dict[str, str]
    unknown: list[str] = Field(description="Words that no passage of the experts asked holds.")


class Passage(BaseModel):
    """A piece of a document."""

    id: str
    document_id: str
    text: str
    title: str
    source: str
    key: str
    start: int
    end: int
    place: str
    date: str
    metadata: dict[str, str]


class Evidence(BaseModel):
    """A passage that an expert found."""

    number: int = Field(description="The n of [n].")
    part: int
    expert: str
    probability: float = Field(description="Calibrated probability of relevance.")
    scores: dict[str, Number]
    passage: Passage


class Citation(BaseModel):
    """A checked link from a sentence to the span of a passage that supports it."""

    number: int
    start: int
    end: int
    contrast: Number
    support: Number


class Claim(BaseModel):
    """One sentence of an answer."""

    text: str
    start: int
    end: int
    status: Literal["supported", "unsupported", "memory"]
    divergence: Number
    citations: list[Citation]


class Side(BaseModel):
    """One of the answers that the sources give."""

    text: str
    citations: list[Citation]


class Conflict(BaseModel):
    """Sources that answer a question differently."""

    question: str
    sides: list[Side]


class Answer(BaseModel):
    """An answer with everything that is needed to check it."""

    question: str = Field(description="As it was answered: a follow-up stands for itself here.")
    text: str
    marked: str = Field(description="The text with [n] behind what is cited and [unsupported] behind what is not.")
    verdict: Literal["answered", "answered from memory", "sources conflict", "not in the sources"]
    claims: list[Claim]
    evidence: list[Evidence]
    route: Route
    model: str
    policy: str
    signals: dict[str, Number]
    seconds: dict[str, float]
    conflict: Conflict | None
    memory: str


class Unrecorded(BaseModel):
    """Why an answer was not kept, and what to do about it."""

    problem: str
    fix: str


class AskResponse(BaseModel):
    """An answer, and where it is kept."""

    answer: Answer
    conversation: str | None = Field(description="Id, where it was kept.")
    turn: str | None = Field(description="Id to give feedback on, where it was kept.")
    unrecorded: Unrecorded | None = Field(description="Where it was to be kept, and could not be.")
    trace: str


class RetrieveResponse(BaseModel):
    """The route and the evidence of a question."""

    route: Route
    evidence: list[Evidence]
    seconds: float
    trace: str


class Expert(BaseModel):
    """One expert; ``problem`` is empty where it can be asked."""

    name: str
    description: str
    passages: int
    encoder: str
    updated: str
    problem: str


class Experts(BaseModel):
    """All experts that the key sees, by name."""

    experts: list[Expert]


class Document(BaseModel):
    """One document of an expert."""

    id: str
    title: str
    source: str
    key: str
    date: str
    passages: int


class Documents(BaseModel):
    """Some of an expert's documents, by title."""

    total: int
    offset: int
    documents: list[Document]


class Unread(BaseModel):
    """A file that was not added."""

    path: str
    reason: str
    fix: str


class Added(BaseModel):
    """What adding did."""

    expert: str
    documents: int
    passages: int
    embedded: int
    problems: list[Unread]
    seconds: float
    new: int
    unchanged: int
    replaced: int
    stopped: bool
    removed: int
    reused: int
    withheld: list[Unread]
    repeated: int


class Conversation(BaseModel):
    """A conversation without its turns."""

    id: str
    title: str
    began: str
    changed: str
    turns: int


class Conversations(BaseModel):
    """The conversations of whoever asks, the last changed first."""

    conversations: list[Conversation]


class Turn(BaseModel):
    """One question with its answer."""

    id: str
    conversation: str
    asked: str
    at: str
    helpful: bool | None
    comment: str
    answer: Answer


class Turns(BaseModel):
    """A conversation's turns in order."""

    turns: list[Turn]


class Health(BaseModel):
    """The process lives."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """Whether requests may be sent here now."""

    ready: bool
    models: Literal["loaded", "loading", "missing"]
    experts: int | None = Field(description="Experts that can be asked; null where keys are asked for.")
    broken: int | None = Field(description="Experts that cannot; null likewise.")


class Problem(BaseModel):
    """What is wrong, and what to do about it."""

    problem: str
    fix: str
    type: str
    trace: str


class Error(BaseModel):
    """Any request that failed."""

    error: Problem


class OpenAiProblem(Problem):
    """What is wrong, with the fields that clients of OpenAI read."""

    message: str
    param: Any
    code: str


class OpenAiError(BaseModel):
    """Any request that failed below the paths of OpenAI."""

    error: OpenAiProblem
