from __future__ import annotations

import random
from multiprocessing import get_context
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from indexes.generations import beside
from indexes.manifest import FILE, Manifest
from indexes.store.open import opener
from retrievers.panel import Panel
from tests.fakes import TOPICS, WordEncoder, make_passages
from tests.retrievers.conftest import fill
from tests.retrievers.reencoding_child import (
    ADDED,
    BATCH,
    ENCODED,
    SETTING,
    added_text,
    reencode,
    setting,
)

KILLS = 30
PASSAGES = make_passages([f"{text} Part {part}." for text in TOPICS["engines"] for part in range(6)], title="Engines")


def lines(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def check(home: Path) -> int:
    """Open the panel with the encoder that is set: everything is there, as that encoder sees it. Gives how many passages."""
    encoder, total = WordEncoder(setting(home)), 0
    panel = Panel(home / "slices", encoder, opener())
    panel.open()
    assert panel.problems == {}
    texts = {"engines": [p.id for p in PASSAGES]}
    texts["orchard"] = [p.id for p in make_passages(TOPICS["orchard"], title="Orchard")]
    texts["orchard"] += [p.id for p in make_passages([added_text(number) for number in lines(home / ADDED)])]
    for name, ids in texts.items():
        slice_ = panel.experts[name].slice
        assert slice_.manifest.fingerprint == encoder.fingerprint
        assert slice_.store.existing(ids) == set(ids)  # nothing acknowledged is lost
        for found, vectors in slice_.store.scan():
            expected = encoder.encode_passages([passage.searchable for passage in slice_.passages(found)])
            assert np.allclose(vectors, expected, atol=1e-5)  # no mixture
            total += len(found)
    panel.close()
    return total


@pytest.mark.slow
@pytest.mark.timeout(1800)  # it waits for the disk more than it computes
def test_killed_at_any_moment_it_loses_nothing_and_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / SETTING).write_text("words-0")
    panel = Panel(tmp_path / "slices", WordEncoder("words-0"), opener())
    fill(panel, "orchard")
    fill(panel, "engines", PASSAGES)
    panel.close()
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.retrievers.reencoding_child", "indexes.store.edge"])
    rng, kills, ended, number = random.Random(6), 0, 0, 0
    longest, since, moments = 2.0, 0, []
    while kills < KILLS or since:
        target = f"words-{ended + 1}"
        ours, theirs = context.Pipe()
        child = context.Process(target=reencode, args=(tmp_path, target, number, theirs))
        child.start()
        number += 3
        assert ours.poll(60), "the child did not start"
        ours.recv()
        began, spare = monotonic(), kills < KILLS and rng.random() < 0.8
        child.join(rng.uniform(0, longest) if spare else 120)
        took = monotonic() - began
        if child.is_alive():
            child.kill()
            child.join()
            kills, since = kills + 1, since + 1
            moments.append(took)
            check(tmp_path)
            continue
        assert child.exitcode == 0
        longest = max(0.5, min(longest, took * 1.1))
        assert setting(tmp_path) == target
        total = check(tmp_path)
        encoded = sum(lines(tmp_path / ENCODED))
        adding = 3 * (since + 1)
        assert encoded <= total + since * BATCH + adding  # each rerun resumed: at most one batch was encoded twice
        (tmp_path / ENCODED).unlink()
        for folder in (tmp_path / "slices").glob(f"*/{FILE}"):
            assert beside(folder.parent) == []
            present = Manifest.read(folder.parent).generation
            assert {p.name for p in folder.parent.iterdir()} == {FILE, present}
        ended, since = ended + 1, 0
    assert kills == KILLS
    assert ended >= 3
    assert len({round(moment, 2) for moment in moments}) > KILLS / 3
