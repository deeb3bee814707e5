"""What clients of OpenAI send and read: the fields that mean something here. Any other is accepted and has no effect."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from app.server.schemas import QUESTION, Names
from app.server.shapes import Answer

MODEL = "symposia"


class Part(BaseModel):
    """One part of a message; only text is read."""

    type: str
    text: str | None = None


class Message(BaseModel):
    """One message. What a system or developer message says has no effect: Symposia's instructions are its own."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def said(self) -> str:
        """The message's text."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or [] if part.type == "text" and part.text)


class StreamOptions(BaseModel):
    """Options of a stream."""

    include_usage: StrictBool = False


class CompletionRequest(BaseModel):
    """A request for ``/v1/chat/completions``."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}]},
                {
                    "model": f"{MODEL}/countries",
                    "stream": True,
                    "messages": [
                        {"role": "user", "content": QUESTION},
                        {"role": "assistant", "content": "Tanzania. [1]"},
                        {"role": "user", "content": "And how high is it?"},
                    ],
                },
            ]
        }
    )

    model: str = Field(
        default=MODEL, max_length=200, description="`symposia`, or `symposia/EXPERT` to ask that expert alone."
    )
    messages: Annotated[list[Message], Field(min_length=1, max_length=1000)]
    stream: StrictBool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = Field(default=None, description="One answer is given.")
    experts: Names = Field(default=[], description="Extension: ask these, whatever the router says.")
    forbid: Names = Field(default=[], description="Extension: never ask these.")
    retrieval: StrictBool | None = Field(default=None, description="Extension: search or not, whatever the gate says.")


class Cited(BaseModel):
    """A source that is cited as ``[number]``."""

    number: int
    expert: str
    title: str
    source: str
    place: str
    date: str
    document_id: str
    passage_id: str
    quotes: list[str] = Field(description="The spans that support what cites it.")
    probability: float


class Extension(BaseModel):
    """What OpenAI's format has no field for."""

    verdict: str
    citations: list[Cited]
    answer: Answer
    trace: str


class Said(BaseModel):
    """The answer as a message."""

    role: Literal["assistant"]
    content: str
    refusal: None


class Choice(BaseModel):
    """The one choice."""

    index: Literal[0]
    message: Said
    finish_reason: Literal["stop"]
    logprobs: None


class Usage(BaseModel):
    """Tokens: those of the question and of the answer as words and marks, which is what can be counted for any model."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    """An answer as OpenAI's clients read it."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    symposia: Extension


class Model(BaseModel):
    """A name that can be asked."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class Models(BaseModel):
    """All names that can be asked."""

    object: Literal["list"]
    data: list[Model]


Chunk = dict[str, Any]
