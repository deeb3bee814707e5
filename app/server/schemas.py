"""What requests hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from app.conversations.past import MOST
from retrievers.question import LONGEST

Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\W_][\w.\-]*$")]
Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=100)]

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
    retrieval: StrictBool | None = Field(
        default=None, description="true to search, false to answer from memory, null to leave it to the gate."
    )
    before: list[Before] = Field(
        default=[],
        max_length=MOST,
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

    stream: StrictBool = Field(default=False, description="Answer with server-sent events.")
    remember: StrictBool = Field(default=False, description="Keep question and answer in a new conversation.")
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
    replace: StrictBool = Field(
        default=False,
        description="Whether other documents of the expert from the same source go once this one is there.",
    )


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
    helpful: StrictBool | None = Field(description="A thumb up, down, or null to take it back.")
    comment: str = Field(default="", max_length=4_000)
