"""What there is to set: one frozen model a section, with the defaults and the range of every value."""

from __future__ import annotations

from functools import cache as remember
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo

Preset = Literal["fast", "balanced", "thorough"]
Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A frozen group of settings that knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())


class Models(Section):
    """``[models]``: which models are used, and where they are kept."""

    encoder: Name = Field(
        default="all-minilm-l6-v2", description="Encoder: a name from `symposia models list`, or a folder"
    )
    runtime: Literal["int8", "float32", "torch"] = Field(
        default="int8", description="What runs the encoder: ONNX as int8 or float32, or torch, which is slower"
    )
    generator: Name = Field(
        default="qwen2.5-coder-0.5b",
        description="Language model: a name from that list, a folder, a .gguf file, or a hub's org/name fetched before",
    )
    server: str = Field(
        default="",
        description="OpenAI-compatible server that writes instead, such as http://localhost:11434/v1; empty for none",
    )
    server_model: str = Field(default="", description="Name of the model there; empty for its only one")
    server_key: SecretStr = Field(default=SecretStr(""), description="Key of that server; never printed")
    server_timeout: float = Field(
        default=120.0, ge=1, le=3600, description="Seconds to wait for that server's next piece of text"
    )
    server_window: Count = Field(
        default=4096, description="Tokens that the model there reads, prompt and answer together"
    )
    reranker: str = Field(
        default="", description="Cross-encoder that reorders the evidence: a folder or org/name; empty for none"
    )
    entailment: str = Field(
        default="", description="Entailment model that checks citations: a folder or org/name; empty to check by words"
    )
    judge: str = Field(
        default="", description="Entailment model that judges citations in `evaluate-answers`; empty for none"
    )
    cache: str = Field(default="", description="Folder of fetched models; empty for the user's cache folder")
    dtype: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        default="auto", description="Number format of the language model; auto measures once which is fastest"
    )
    threads: int = Field(default=0, ge=0, description="CPU threads; 0 for all cores")

    @property
    def folder(self) -> Path:
        """Where fetched models lie."""
        if self.cache:
            return Path(self.cache)
        from app.models.cache import default_cache

        return default_cache()

    @property
    def held(self) -> tuple[str, ...]:
        """Names of the models that must be here: the encoder and, unless a server writes, the language model."""
        return (self.encoder,) if self.server else (self.encoder, self.generator)

    @property
    def writer(self) -> str:
        """The language model in words: the one held here, or the server's."""
        return f"{self.server_model or 'the model'} at {self.server}" if self.server else self.generator


class Store(Section):
    """``[store]``: where vectors and passages are kept."""

    url: str = Field(default="", description="Qdrant server; empty for the store inside this process")
    api_key: SecretStr = Field(default=SecretStr(""), description="Key of that server; never printed")
    timeout: float = Field(default=10.0, ge=1, le=3600, description="Seconds to wait for that server")
    grpc: bool = Field(default=False, description="Talk gRPC to that server, which is faster for large batches")
    grpc_port: int = Field(default=6334, ge=1, le=65535, description="Its port for gRPC")
    shards: int = Field(default=0, ge=0, description="Parts of a slice in a cluster; 0 leaves it to the server")
    replicas: int = Field(default=0, ge=0, description="Copies of each part; 0 leaves it to the server")
    write_consistency: int = Field(
        default=0, ge=0, description="Copies that must have a write before it counts; 0 leaves it to the server"
    )
    read_consistency: Literal["", "majority", "quorum", "all"] = Field(
        default="", description="Copies that must agree on what is read; empty asks any one"
    )
    sharding: Literal["slice", "expert"] = Field(
        default="slice",
        description="A collection a slice, or one for all with a shard key for each expert (cluster only)",
    )
    hnsw_m: int = Field(default=16, ge=4, le=128, description="Links of a vector in the index; more find more")
    hnsw_ef_construct: int = Field(
        default=100, ge=10, le=2000, description="Neighbours considered when a vector is linked; more take time once"
    )
    hnsw_ef: int = Field(default=256, ge=10, le=10_000, description="Candidates kept while searching; more find more")
    quantization: Literal["none", "int8"] = Field(
        default="none",
        description="int8 searches a quarter of the bytes, then puts what it finds in order by the whole vectors",
    )
    oversampling: float = Field(default=2.0, ge=1, le=100, description="How many times more int8 finds than is wanted")
    payload: Literal["cached", "cold"] = Field(
        default="cached", description="Texts are read into memory ahead, or left on disk until they are wanted"
    )


class Split(Section):
    """``[split]``: how documents become passages."""

    size: Count = Field(default=110, description="Words in a passage, at most")
    overlap: int = Field(default=10, ge=0, description="Words that neighbouring passages share")


class Retrieval(Section):
    """``[retrieval]``: how many experts are asked and how much evidence is kept."""

    passages: Count = Field(default=5, description="Passages of evidence for a question")
    depth: Count = Field(default=50, description="Candidates from each expert, by meaning and again by words")
    mass: Share = Field(default=0.9, description="Probability that the asked experts hold together")
    most_experts: Count = Field(default=3, description="Experts asked for one question, at most")
    skip: Share = Field(default=0.8, description="No retrieval where its probability of being needless reaches this")
    draft: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Share of questions that need sources that may be skipped as surely known; 0 for none",
    )
    merging: Literal["probability", "rrf", "minmax", "zscore", "dbsf", "base"] = Field(
        default="probability", description="How the lists of several experts become one"
    )
    prior: float = Field(default=1.0, ge=0, description="How much the route weighs in that; 0 for not at all")
    floor: Share = Field(default=0.1, description="Evidence below this probability of relevance is dropped")


class Generation(Section):
    """``[generation]``: how the answer is written."""

    policy: Literal["greedy", "cad", "adacad", "coiecd", "cocoa", "arr", "grd", "nwcad", "symposia"] = Field(
        default="adacad", description="Decoding policy"
    )
    alpha: float = Field(default=1.0, ge=0, description="Weight of the contrast with memory, for cad only")
    max_tokens: Count = Field(default=120, description="Tokens in an answer, at most")
    unsupported: Literal["mark", "remove"] = Field(
        default="mark", description="Sentences that the sources do not support: marked, or removed"
    )
    conflicts: bool = Field(
        default=True, description="Ask passages one by one where they may disagree, and show all sides"
    )
    temperature: float = Field(default=0.0, ge=0, description="0 always takes the likeliest token")
    seed: int = Field(default=0, ge=0, description="Seed of sampling, where the temperature is above 0")


class Verdict(Section):
    """``[verdict]``: when to answer, and when a sentence counts as supported."""

    relevance: Share = Field(
        default=0.08, description="Below this relevance of the best evidence: no answer from the sources"
    )
    support: Share = Field(default=0.5, description="A sentence is supported from this degree on")


class Telemetry(Section):
    """``[telemetry]``: what is reported about the questions that are answered. By default nothing leaves this machine."""

    logs: Literal["text", "json"] = Field(default="text", description="How servers write their log, a line a question")
    traces: bool = Field(
        default=False, description="Send OpenTelemetry spans to where OTEL_EXPORTER_OTLP_ENDPOINT says"
    )
    content: bool = Field(default=False, description="Put the text of questions and answers into logs and spans")


class Serve(Section):
    """``[serve]``: the HTTP server."""

    host: Name = Field(default="127.0.0.1", description="Address that the server listens on")
    port: int = Field(default=8000, ge=1, le=65535, description="Port that it listens on")
    without_keys: bool = Field(
        default=False,
        description="Let server and chat serve other machines without keys or login: whoever reaches them may do anything",
    )
    hosts: str = Field(
        default="",
        description="Names, by spaces, that a server without keys answers to besides this machine's; * for any",
    )
    queue: int = Field(default=32, ge=0, description="Questions that may wait for the language model; more are refused")
    largest_body: Count = Field(default=1_000_000, description="Bytes of a request, at most")
    largest_upload: Count = Field(default=50_000_000, description="Bytes of a request that adds documents, at most")
    drain: float = Field(
        default=10.0, ge=0, le=3600, description="Seconds that questions may take to end when the server is stopped"
    )


class Access(Section):
    """``[access]``: who may see and do what. Keys are made with `symposia keys`, and lie in the home folder, as the log does."""

    required: bool = Field(default=False, description="Serve only clients that show a key")
    per_minute: int = Field(
        default=60,
        ge=0,
        description="Requests a minute from one client, in the chat from one person who logged in; 0 for no limit",
    )
    burst: Count = Field(default=20, description="Requests of one client that may come at once")
    audit: bool = Field(default=True, description="Log who did what to audit.jsonl in the home folder")
    audit_questions: bool = Field(default=False, description="Put the text of questions into that log, too")
    login: bool = Field(
        default=False,
        description="Let people into the chat after a login only; people.toml in the home folder says whom",
    )


class Settings(Section):
    """All settings. Paths are absolute when they come from ``load_settings``."""

    home: Path = Field(
        default=Path(".symposia"), description="Folder of slices, conversations, keys, people and the audit log"
    )
    preset: Preset = Field(default="balanced", description="Defaults to start from: fast, balanced or thorough")
    models: Models = Models()
    store: Store = Store()
    split: Split = Split()
    retrieval: Retrieval = Retrieval()
    generation: Generation = Generation()
    verdict: Verdict = Verdict()
    access: Access = Access()
    telemetry: Telemetry = Telemetry()
    serve: Serve = Serve()


@remember
def fields() -> dict[str, FieldInfo]:
    """Every setting by its dotted key (``retrieval.passages``), in the order of the sections."""
    found: dict[str, FieldInfo] = {}
    for name, field in Settings.model_fields.items():
        section = _section(field)
        if section is None:
            found[name] = field
        else:
            found.update({f"{name}.{key}": inner for key, inner in section.model_fields.items()})
    return found


@remember
def sections() -> tuple[str, ...]:
    """Names of the sections, in order."""
    return tuple(name for name, field in Settings.model_fields.items() if _section(field) is not None)


def flatten(settings: Settings) -> dict[str, Any]:
    """Every setting's value by its dotted key."""
    flat: dict[str, Any] = {}
    for dotted in fields():
        section, _, key = dotted.rpartition(".")
        flat[dotted] = getattr(getattr(settings, section) if section else settings, key)
    return flat


def _section(field: FieldInfo) -> type[Section] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None
