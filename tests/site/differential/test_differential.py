"""SQLite, PostgreSQL and a naive evaluator written from wire.md give the same answers to the same questions.

Random in each run; a failure names its seed. `DIFFERENTIAL_SEED=n` asks the questions of that seed again, and
`DIFFERENTIAL_CASES=n` asks so many.
"""

from __future__ import annotations

import ast
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sgsession.site.queries import conditions

from ..postgresql import Server
from . import naive
from .comparing import expected
from .generation.productions import random_production
from .generation.questions import random_question
from .judging import Sites, judging
from .naive.filters import parse
from .naive.operands import OPERATORS
from .naive.production import Production
from .naive.refusals import Refused
from .shrinking import described, smaller_production, smaller_question
from .sites import PostgresqlSites, SqliteSites

pytestmark = pytest.mark.sqlite("it compares both databases by itself")

SEED = int(os.environ.get("DIFFERENTIAL_SEED", time.time_ns() % 10**9))
# 20,000 take five minutes of a core; each run asks others, so CI asks a quarter and `--long` all of them.
CASES = int(os.environ.get("DIFFERENTIAL_CASES", 5_000))
CASES_WHEN_LONG = 20_000
# Questions to one production: to load it costs as much as some twenty of them.
QUESTIONS = 500
# wire.md 9.5.
SUMMARIES = [
    "record_count", "count", "sum", "maximum", "minimum", "average", "earliest", "latest", "percentage",
    "status_percentage", "status_percentage_as_float", "status_list", "checked", "unchecked",
]  # fmt: skip
GROUPINGS = [
    "exact", "tens", "hundreds", "thousands", "tensofthousands", "hundredsofthousands", "millions", "day", "week",
    "month", "quarter", "year", "clustered_date", "oneday", "fivedays", "entitytype", "firstletter",
]  # fmt: skip
# Tests, so that none runs into the time limit of a test.
PARTS = 20


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> list[Sites]:
    """What makes sites in SQLite and, where a server can be started, in PostgreSQL."""
    found: list[Sites] = [SqliteSites(tmp_path_factory.mktemp("differential"))]
    # Where none can start outside CI, `test_postgresql_is_among_the_sites` is skipped by name and says why.
    with suppress(pytest.skip.Exception):
        found.append(PostgresqlSites(request.getfixturevalue("postgresql")))
    return found


def agree(kinds: Sequence[Sites], seed: int, questions: int) -> None:
    """Ask one random production so many questions; fail with the smallest case of the first disagreement."""
    chance = random.Random(seed)
    production = random_production(chance)
    with judging(kinds, production) as judge:
        for _ in range(questions):
            question = random_question(chance, production)
            if judge.verdict(question):
                question = smaller_question(question, judge.verdict)
                break
        else:
            return

    def verdict(production: Production) -> str:
        with judging(kinds, production) as judge:
            return judge.verdict(question)

    production = smaller_production(production, verdict)
    with judging(kinds, production) as judge:
        question = smaller_question(question, judge.verdict)
        pytest.fail(described(production, question, judge.verdict(question), seed), pytrace=False)


def seeds(part: int, cases: int) -> list[tuple[int, int]]:
    """(seed, number of questions) of each production of a part."""
    each = cases // PARTS
    counts = [QUESTIONS] * (each // QUESTIONS) + ([each % QUESTIONS] if each % QUESTIONS else [])
    return [(SEED + part + PARTS * number, count) for number, count in enumerate(counts)]


# A second or two for 100 questions; the time is for making a failing case small.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_answer_is_the_evaluators(
    kinds: list[Sites], part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows, order, values, pages, summaries, groups and refusals, of 5,000 random questions in all."""
    # Productions are small: so that thousands of linked rows, and all but a few, are among the cases, too.
    monkeypatch.setattr(conditions, "FEW", (1000, 0, 2)[part % 3])
    for seed, questions in seeds(part, CASES):
        agree(kinds, seed, questions)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_answer_of_very_many_is_the_evaluators(kinds: list[Sites], part: int) -> None:
    """The same with 20,000 questions."""
    for seed, questions in seeds(part, CASES_WHEN_LONG):
        agree(kinds, seed, questions)


def test_postgresql_is_among_the_sites(kinds: list[Sites], postgresql: Server) -> None:
    """Where a server can be started, both databases are asked."""
    assert [kind.name for kind in kinds] == ["SQLite", "PostgreSQL"]


def test_the_questions_reach_everything() -> None:
    """Every operator of every data type, every kind of summary and grouping; enough rows found, some refusals."""
    chance = random.Random(SEED)
    asked: Counter[tuple[str, str]] = Counter()
    results: Counter[str] = Counter()
    for _ in range(10):
        production = random_production(chance)
        for _ in range(1_500):
            question = random_question(chance, production)
            params = question.params
            asked.update(operators(params["type"], params["filters"]))
            asked.update(("summary", each["type"]) for each in params.get("summaries", []))
            asked.update(("grouping", each["type"]) for each in params.get("grouping", []))
            wanted = expected(production, question.method, params)
            results[
                "refused" if isinstance(wanted, Refused) else "found" if any(wanted.values()) else "empty"
            ] += 1
    missing = [(kind, name) for kind, names in OPERATORS.items() for name in names if not asked[kind, name]]
    missing += [("summary", name) for name in SUMMARIES if not asked["summary", name]]
    missing += [("grouping", name) for name in GROUPINGS if not asked["grouping", name]]
    assert missing == [], f"seed {SEED}"
    assert results["found"] > 0.4 * results.total(), (results, SEED)
    assert results["refused"] > 0.01 * results.total(), (results, SEED)


def operators(entity_type: str, node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(data type, operator) of each condition that is not refused."""
    if "path" in node:
        with suppress(Refused):
            yield parse(entity_type, node["path"]).field.data_type, node["relation"]
    for each in node.get("conditions", []):
        yield from operators(entity_type, each)


def test_the_evaluator_knows_nothing_of_the_site() -> None:
    """Its modules import the standard library and each other, and nothing else."""
    for path in Path(naive.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith(("sgsession", "tests")) for alias in node.names), path
            elif isinstance(node, ast.ImportFrom):
                assert node.level <= 1, (path, node.module)
                assert not (node.module or "").startswith(("sgsession", "tests")), path
