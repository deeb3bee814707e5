"""What requests hold, and what responses look like in the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from retrievers.question import LONGEST

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$")]
Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=100)]
Number = float | None

QUESTION = "Which country has the highest mountain of Africa?"


class Body(BaseModel):
    """A request; a field that is not known is an error."""

    model_config = ConfigDict(extra="forbid")


class Before(Body):
    """A question that was asked before, and its answer."""

    question: str = Field(min_length=1, max_length=LONGEST)
    answer: str = Field(max_length=20_000)


class Wished(Body):
    """What is asked, and what has been decided already."""

    question: str = Field(min_length=1, max_length=LONGEST, description="In words.", examples=[QUESTION])
    experts: Names = Field(default=[], description="Ask these, whatever the router says.", examples=[["countries"]])
    forbid: Names = Field(default=[], description="Never ask these.", examples=[[]])
    retrieval: bool | None = Field(
        default=None, description="true to search, false to answer from memory, null to leave it to the gate."
    )
    before: list[Before] = Field(
        default=[],
        max_length=20,
        description="What was asked before, the oldest first: follow-ups are read in its light.",
    )


class AskRequest(Wished):
    """A question for ``/v1/ask``."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"question": QUESTION},
                {"question": QUESTION, "experts": ["countries"], "stream": True},
                {"question": "And how high is it?", "before": [{"question": QUESTION, "answer": "Tanzania."}]},
            ]
        },
    )

    stream: bool = Field(default=False, description="Answer with server-sent events.")
    remember: bool = Field(default=False, description="Keep question and answer in a new conversation.")
    conversation: str | None = Field(
        default=None, max_length=64, description="Go on with this conversation; question and answer are kept in it."
    )

    @model_validator(mode="after")
    def _one_past(self) -> AskRequest:
        if self.conversation is not None and self.before:
            raise ValueError("give either a conversation or what was asked before, not both")
        return self


class RetrieveRequest(Wished):
    """A question for ``/v1/retrieve``."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"question": QUESTION, "passages": 3}, {"question": QUESTION}]}
    )

    passages: int | None = Field(default=None, ge=1, le=100, description="How many at most; null for the setting.")


class TextRequest(Body):
    """A document as text."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "expert": "orchard",
                    "text": "Apple trees blossom in April and carry fruit from August.",
                    "title": "Apple trees",
                    "source": "handbook",
                    "date": "2025-03-01",
                    "description": "Growing fruit.",
                }
            ]
        },
    )

    expert: Name = Field(description="Whose slice it goes to; made where there is none.")
    text: str = Field(min_length=1, max_length=20_000_000)
    title: str = Field(default="", max_length=500)
    source: str = Field(default="", max_length=500, description="Where it is from.")
    date: str = Field(
        default="", max_length=10, pattern=r"^(\d{4}(-\d{2}-\d{2})?)?$", description="ISO 8601, or a year."
    )
    description: str = Field(default="", max_length=500, description="Of an expert that is new.")


class FeedbackRequest(Body):
    """What was thought of an answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"turn": "8f14e45fceea467c8f14e45fceea467c", "helpful": True, "comment": "Just what I needed."}
            ]
        },
    )

    turn: str = Field(min_length=1, max_length=64, description="Id of the turn, as /v1/ask gave it.")
    helpful: bool | None = Field(description="A thumb up, down, or null to take it back.")
    comment: str = Field(default="", max_length=4_000)


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


class AskResponse(BaseModel):
    """An answer, and where it is kept."""

    answer: Answer
    conversation: str | None = Field(description="Id, where it was kept.")
    turn: str | None = Field(description="Id to give feedback on, where it was kept.")
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
    """Whether questions can be answered now."""

    ready: bool
    models: Literal["loaded", "loading", "missing"]
    experts: int = Field(description="Experts that can be asked.")
    broken: int = Field(description="Experts that cannot.")


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
