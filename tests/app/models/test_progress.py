from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

from app.models.cache import bytes_below
from app.models.progress import PAUSE, watching


def test_a_growing_folder_is_reported_and_held_to_the_total(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    with watching(tmp_path, "downloading", lambda *row: seen.append(row), before=10, total=25):
        (tmp_path / "half").write_bytes(bytes(8))
        time.sleep(2 * PAUSE)
        (tmp_path / "more").write_bytes(bytes(100))
        time.sleep(2 * PAUSE)
    assert ("downloading", 18, 25) in seen
    assert seen[-1] == ("downloading", 25, 25)


def test_watching_ends_with_its_body_even_when_that_fails(tmp_path: Path) -> None:
    before = threading.active_count()
    try:
        with watching(tmp_path, "downloading", lambda *_: None):
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert threading.active_count() == before


def test_counting_survives_folders_that_come_and_go(tmp_path: Path) -> None:
    (tmp_path / "stays").write_bytes(bytes(5))
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            for number in range(20):
                (tmp_path / f"unpack-{number}" / "deep").mkdir(parents=True, exist_ok=True)
            for number in range(20):
                shutil.rmtree(tmp_path / f"unpack-{number}")

    worker = threading.Thread(target=churn)
    worker.start()
    try:
        assert {bytes_below(tmp_path) for _ in range(200)} == {5}
    finally:
        stop.set()
        worker.join()
