"""``symposia bench``: measure speed and size on the demo panel, and decoding policies on NQ-Swap."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.cli.output import Output
    from evaluation.report import Table

BEIR = Path("beir")
RAMDOCS = Path("qa", "ramdocs-dev", "ramdocs.jsonl")


class Part(StrEnum):
    """The two parts of the questions of ``bench decoding`` and ``bench follow-ups``."""

    report = "report"
    tune = "tune"


def _shared() -> Path:
    """Where the benchmark data lie, unless they are named."""
    return Path(os.environ.get("SYMPOSIA_DATA", "../shared/data"))


bench = typer.Typer(help="Measure speed, size and decoding.", no_args_is_help=True)


@bench.command("speed")
def speed(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Measure speed and memory on the demo panel, beside their targets. The exit code is 1 where one is missed."""
    from app.bench.speed import run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    document = run(invocation.load().settings, output)
    if as_json:
        output.document(document)
    if not document["ok"]:
        raise typer.Exit(1)


@bench.command("decoding")
def decoding(
    ctx: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of qa and beir; else $SYMPOSIA_DATA or ../shared/data.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Questions in each slice.")] = 300,
    timed: Annotated[int, typer.Option(min=1, help="Questions on which each policy is timed alone.")] = 30,
    seed: Annotated[int, typer.Option(help="Seed of their draw.")] = 0,
    part: Annotated[Part, typer.Option(help="The questions to ask: policies are tuned on the others.")] = Part.report,
    out: Annotated[
        Path | None, typer.Option(help="Folder of what was said; else below the home.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare decoding policies where the context is right against memory, right with it, and wrong. May be interrupted."""
    from app.bench.decoding import Plan, run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    settings = invocation.load().settings
    folder = data or _shared()
    plan = Plan(folder, limit, timed, seed, "tune" if part is Part.tune else "report")
    target = out or settings.home / "benchmarks" / "decoding"
    with output.progress("decoding") as update:
        found = run(settings, plan, target, lambda what, done, total: update(f"{what}: {done} of {total or '?'}"))
    if as_json:
        output.document(found.to_dict())
        return
    for table in (*found.slices.values(), found.summary):
        rows = [(row.name, str(row.n), *map(row.cell, table.measures)) for row in table.rows]
        output.table(("system", "n", *table.measures), rows, title=table.title)
    for note in found.summary.notes:
        output.show(note)


@bench.command("retrieval")
def retrieval(
    ctx: typer.Context,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="BEIR folders; else the six below $SYMPOSIA_DATA or ../shared/data.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for runs and scores; else below the home.", show_default=False)
    ] = None,
    language: Annotated[int, typer.Option(min=0, help="Questions of each set that the language model routes.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Compare experts under each router with one encoder over the same pooled corpus. Takes about half an hour at first."""
    from app.bench.retrieval.run import run
    from app.bench.retrieval.sets import POOLED_SIX
    from app.bench.retrieval.show import show

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    settings = invocation.load().settings
    data = _shared() / BEIR
    given = folders or [data / name for name in POOLED_SIX]
    target = out or settings.home / "benchmarks" / "retrieval" / "runs"
    with output.progress("retrieval") as update:
        outcome = run(
            settings,
            given,
            out=target,
            language_questions=language,
            report=lambda what, done, total: update(f"{what}: {done} of {total}"),
        )
    if as_json:
        output.document(outcome.to_dict())
        return
    show(outcome, output)
    output.show(f"Runs and per-question scores: {target}. Draw them: symposia compare {target}/* --out FOLDER")


@bench.command("overhead")
def overhead(
    ctx: typer.Context,
    panel: Annotated[
        Path | None,
        typer.Option(help="Folder of slices; else the retrieval benchmark's, or the demo's.", show_default=False),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="BEIR folder whose test questions are asked; may be repeated.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Questions, at most.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of their draw.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Measure what routing and search cost a question, beside LlamaIndex's retrievers over the same vectors."""
    from app.bench.overhead import run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    document = run(invocation.load().settings, output, panel, data or [], n=limit, seed=seed)
    if as_json:
        output.document(document)


@bench.command("defaults")
def defaults(
    ctx: typer.Context,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="BEIR folders; else the six below $SYMPOSIA_DATA or ../shared/data.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fit the numbers that every panel starts with again: the router's weights and the calibration of untrained experts."""
    from dataclasses import asdict

    from app.bench.retrieval.sets import POOLED_SIX
    from app.bench.retrieval.weights import fit_defaults
    from retrievers.calibration import RELEVANCE
    from retrievers.scorers import Familiarity

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    data = _shared() / BEIR
    with output.progress("fitting") as update:
        fitted = fit_defaults(
            invocation.load().settings,
            folders or [data / name for name in POOLED_SIX],
            report=lambda what, done, total: update(f"{what}: {done} of {total}"),
        )
    found = {"router": fitted.router.weights, "relevance": asdict(fitted.relevance) if fitted.relevance else {}}
    used = {"router": Familiarity().weights, "relevance": asdict(RELEVANCE)}
    if as_json:
        output.document({"questions": fitted.questions, "fitted": found, "default": used})
        return
    rows = [
        (f"{part} {name}", f"{value:.3f}", f"{used[part][name]:.3f}")
        for part, values in found.items()
        for name, value in values.items()
    ]
    output.table(("number", "fitted", "default"), rows, title=f"{fitted.questions} development questions")


@bench.command("conflicts")
def conflicts(
    ctx: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(help="ramdocs.jsonl; else below $SYMPOSIA_DATA or ../shared/data.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of what was said; else below the home.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Questions, at most.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of their draw.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Compare showing all sides where sources disagree with one answer from all of them."""
    from app.bench.conflicts import run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    settings, file = invocation.load().settings, data or _shared() / RAMDOCS
    folder = out or settings.home / "benchmarks" / "conflicts"
    with output.progress("conflicts") as update:
        table = run(settings, file, folder, n=limit, seed=seed, on_progress=update)
    if as_json:
        output.document(table.to_dict())
        return
    output.table(("system", "n", *table.measures), table.narrow(), title=table.title)
    for note in table.notes:
        output.show(note)


@bench.command("abstention")
def abstention(
    ctx: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with beir/ and qa/; else $SYMPOSIA_DATA or ../shared/data.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for pictures and numbers; else below the home.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=2, help="Questions of each set or part, at most.", show_default=False)
    ] = None,
    fit: Annotated[bool, typer.Option("--fit", help="Fit the weights of the confidence again instead.")] = False,
    model: Annotated[bool, typer.Option("--model/--no-model", help="Ask the language model too.")] = True,
    seed: Annotated[int, typer.Option(help="Of the draw and the resampling.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Compare who knows when not to answer: answerable questions against others, with the risk-coverage curves."""
    from app.bench.abstention.run import run
    from app.bench.abstention.show import show, show_fitted
    from app.bench.abstention.weights import PER_PART, fit_defaults

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    settings = invocation.load().settings
    folder = data or _shared()
    target = out or settings.home / "benchmarks" / "abstention" / "figures"
    with output.progress("abstention") as update:

        def report(what: str, done: int, total: int) -> None:
            update(f"{what}: {done} of {total}")

        if fit:
            fitted = fit_defaults(settings, folder, per_part=limit or PER_PART, model=model, seed=seed, report=report)
        else:
            outcome = run(settings, folder, target, limit=limit, model=model, seed=seed, report=report)
    if as_json:
        output.document(fitted.to_dict() if fit else outcome.to_dict())
    elif fit:
        show_fitted(fitted, output)
    else:
        show(outcome, output)


@bench.command("citations")
def citations(
    ctx: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with beir/ and qa/; else $SYMPOSIA_DATA or ../shared/data.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of what was measured; else below the home.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Questions of each set, at most; 0 for all planned.")] = 0,
    minutes: Annotated[float, typer.Option(min=0, help="Stop measuring after so long; call again to go on.")] = 60.0,
    model: Annotated[bool, typer.Option("--model/--no-model", help="Ask the language model too.")] = True,
    fit: Annotated[bool, typer.Option("--fit", help="Fit what judges the pairs again instead.")] = False,
    seed: Annotated[int, typer.Option(help="Of the draw and the resampling.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Compare our citations with marks that the model prints and with embedding similarity, against gold passages."""
    from app.bench.citations.show import measure, refit

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    settings = invocation.load().settings
    folder = data or _shared()
    kept = out or settings.home / "benchmarks" / "citations"
    if fit:
        refit(settings, folder, kept, output, minutes)
    else:
        measure(settings, folder, kept, output, limit=limit, minutes=minutes, model=model, seed=seed)


@bench.command("gate")
def gate(
    ctx: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with beir/ and qa/; else $SYMPOSIA_DATA or ../shared/data.", show_default=False),
    ] = None,
    panel: Annotated[
        Path | None,
        typer.Option(help="Folder of slices; else the retrieval benchmark's, or the demo's.", show_default=False),
    ] = None,
    domain: Annotated[int, typer.Option(min=1, help="Test questions of each slice, at most.")] = 200,
    trivia: Annotated[int, typer.Option(min=1, help="Questions of each set of trivia.")] = 300,
    fit: Annotated[int, typer.Option(min=1, help="Questions that the thresholds are fitted on.")] = 200,
    answers: Annotated[int, typer.Option(min=1, help="Questions of each set answered with and without sources.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the draws and the resampling.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Measure what the gate saves: small talk, sums and known trivia against domain questions."""
    from app.bench.gate.run import Sizes, run
    from app.bench.retrieval.sets import POOLED_SIX

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    folder = data or _shared()
    beir = [folder / BEIR / name for name in POOLED_SIX]
    sizes = Sizes(domain, trivia, fit, answers, seed)
    with output.progress("gate") as update:
        tables = run(invocation.load().settings, panel, beir, folder / "qa", sizes, report=update)
    _show(output, tables, as_json=as_json)


@bench.command("follow-ups")
def follow_ups(
    ctx: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with beir/ and qa/; else $SYMPOSIA_DATA or ../shared/data.", show_default=False),
    ] = None,
    part: Annotated[
        Part, typer.Option(help="Which half of the conversations: the rules were made on the other.")
    ] = Part.report,
    limit: Annotated[int | None, typer.Option(min=2, help="Turns of each set, at most.", show_default=False)] = None,
    model: Annotated[bool, typer.Option("--model/--no-model", help="Ask the language model too.")] = True,
    seed: Annotated[int, typer.Option(help="Of the draw and the resampling.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Compare what a search finds for the last turn of a conversation: as typed, as understood, and as people rewrote it."""
    from app.bench.follow_ups import run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    with output.progress("follow-ups") as update:
        tables = run(
            invocation.load().settings,
            data or _shared(),
            part="tune" if part is Part.tune else "report",
            limit=limit,
            model=model,
            seed=seed,
            report=lambda what, done, total: update(f"{what}: {done} of {total}"),
        )
    _show(output, tables, as_json=as_json)


@bench.command("add")
def add(
    ctx: typer.Context,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="BEIR folders; else the six below $SYMPOSIA_DATA or ../shared/data.", show_default=False),
    ] = None,
    passages: Annotated[int, typer.Option(min=0, help="How many are added twice, in all; 0 for all there are.")] = 0,
    timed: Annotated[int, typer.Option(min=8, help="Passages of one repetition beside the bare encoder.")] = 2000,
    repetitions: Annotated[int, typer.Option(min=0, help="Of that; 0 leaves it out.")] = 5,
    memory: Annotated[int, typer.Option(min=0, help="Passages added to measure memory; 0 leaves it out.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the draws and the resampling.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Measure what adding costs: a second time, beside the bare encoder, and in memory. The exit code is 1 where it is too much."""
    from app.bench.adding import Plan, run
    from app.bench.adding_show import show
    from app.bench.retrieval.sets import POOLED_SIX

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    data = _shared() / BEIR
    chosen = tuple(folders or [data / name for name in POOLED_SIX])
    plan = Plan(chosen, passages, timed, repetitions, memory, seed)
    with output.progress("adding") as update:
        found = run(invocation.load().settings, plan, update)
    if as_json:
        output.document(found.to_dict())
    else:
        show(found, output)
    if not found.ok:
        raise typer.Exit(1)


@bench.command("serve")
def serve(
    ctx: typer.Context,
    url: Annotated[str, typer.Option(help="Of the server.")] = "http://127.0.0.1:8000",
    questions: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="File with one question a line; else the demo's.", show_default=False
        ),
    ] = None,
    clients: Annotated[int, typer.Option(min=1, max=256, help="Clients at once.")] = 8,
    each: Annotated[int, typer.Option(min=1, help="Questions of each, one after the other.")] = 50,
    key: Annotated[str, typer.Option(help="Key, where the server asks for one.", show_default=False)] = "",
    seed: Annotated[int, typer.Option(help="Of the draw and the resampling.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Ask a running server many questions at once. The exit code is 1 where an answer is missing or is another's."""
    from app.bench.serve import run
    from app.demo.questions import read_questions

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    if questions is None:
        asked = [question.question for question in read_questions()]
    else:
        asked = [line.strip() for line in questions.read_text(encoding="utf-8").splitlines() if line.strip()]
    with output.progress("asking") as update:
        found = run(
            url.rstrip("/"),
            asked,
            clients=clients,
            each=each,
            key=key,
            seed=seed,
            report=lambda done, total: update(f"asked {done} of {total}"),
        )
    if as_json:
        output.document(found.to_dict())
    else:
        rows = [
            (name, str(found.n), f"{value.value:.2f}", value.ends)
            for name, value in (("p50", found.p50), ("p95", found.p95))
        ]
        output.table(("seconds", "n", "value", "95 % interval"), rows, title=f"{found.clients} clients at once")
        output.show(f"{found.per_minute:.1f} answers a minute; {len(found.wrong)} wrong or missing.", *found.wrong[:10])
    if found.wrong:
        raise typer.Exit(1)


@bench.command("scale")
def scale(
    ctx: typer.Context,
    points: Annotated[int, typer.Option(min=1000, help="Passages in our store and in FAISS.")] = 100_000,
    rival_points: Annotated[int, typer.Option(min=1000, help="Of these, in the slower systems.")] = 20_000,
    questions: Annotated[int, typer.Option(min=1, help="Questions of each kind.")] = 200,
    only: Annotated[
        list[str] | None, typer.Option(help="A system by name; may be repeated. Else all.", show_default=False)
    ] = None,
    limit: Annotated[float, typer.Option(min=1, help="Seconds to build one system, and to search it.")] = 3600.0,
    seed: Annotated[int, typer.Option(help="Of the passages and questions.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder to build in; else that for temporary files.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure search in many passages, beside qdrant-client's local mode, LlamaIndex's default store and FAISS flat."""
    from app.bench.scale.run import HEADER, NOTES, Plan, run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    plan = Plan(points, rival_points, seed=seed, questions=questions, limit=limit, only=tuple(only or ()))
    with output.progress("scale") as update:
        found = run(plan, out, update)
    if as_json:
        output.document({"systems": [each.to_dict() for each in found], "notes": list(NOTES)})
        return
    output.table(HEADER, [each.cells() for each in found], title=f"{questions} questions, seed {seed}")
    for note in NOTES:
        output.show(note)


def _show(output: Output, tables: Sequence[Table], *, as_json: bool) -> None:
    if as_json:
        output.document({"tables": [table.to_dict() for table in tables]})
        return
    for table in tables:
        output.table(("system", "n", *table.measures), table.narrow(), title=table.title)
        for note in table.notes:
            output.show(note)
