from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from indexes.passage import Document
from indexes.readers.files import read
from indexes.readers.problem import Problem

Reading = Callable[[Path], tuple[list[Document], list[Problem]]]


@pytest.fixture
def reading() -> Reading:
    def everything(path: Path) -> tuple[list[Document], list[Problem]]:
        problems: list[Problem] = []
        return list(read(path, on_problem=problems.append)), problems

    return everything


@pytest.fixture
def one(reading: Reading) -> Callable[[Path], Document]:
    def only(path: Path) -> Document:
        documents, problems = reading(path)
        assert not problems
        assert len(documents) == 1
        return documents[0]

    return only


SCRIPTS = {
    "latin": "Der Urlaub beträgt dreißig Tage. Er wird im Januar gutgeschrieben.",
    "cyrillic": "Отпуск составляет тридцать дней. Он начисляется в январе.",
    "chinese": "年假为三十天。假期在一月记入账户。",
    "arabic": "مدة الإجازة ثلاثون يوما. هل تضاف في يناير؟ نعم.",
    "hindi": "छुट्टी तीस दिनों की है। यह जनवरी में जोड़ी जाती है।",
}


@pytest.fixture(params=sorted(SCRIPTS))
def script(request: pytest.FixtureRequest) -> str:
    return SCRIPTS[request.param]
