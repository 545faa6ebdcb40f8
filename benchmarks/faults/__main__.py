"""Three clients under the same faults; prints the matrix and writes docs/faults.md.

    python -m benchmarks.faults [--keep FOLDER] [--page docs/faults.md] [--seed N]

Needs `pip install -e .[site,dev]`, and PyPI for the other two clients.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from .clients import NAMES, Client
from .matrix import FAULTS, Ground, cells
from .page import Results, page
from .sharing import reads_of_a_pool, shared

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


def measured(folder: Path, seed: int) -> Results:
    """Let each client meet all faults, be shared and be forked."""
    results = Results(seed, {})
    with closing(Ground(folder)) as ground:
        for name in NAMES:
            with closing(Client(name, folder)) as client:
                results.versions[name] = client.version
                for cell in cells(client, ground, FAULTS):
                    print(f"{name}: {cell.operation}, {cell.fault.name}, {cell.how}: {cell}", flush=True)
                    results.cells.append(cell)
                for each in shared(client, ground, seed):
                    print(each, flush=True)
                    results.shared.append(each)
                if name == "sgsession":
                    results.ratios = reads_of_a_pool(client, ground)
    return results


def main() -> None:
    """Measure, write the page, and fail if the own client has a bad cell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="keep the environments in this folder, for the next time")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the page is written")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        results = measured(folder, arguments.seed)
    text = page(results)
    arguments.page.write_text(text, encoding="utf-8")
    print(text)
    bad = [cell for cell in results.of("sgsession") if cell.is_bad]
    wrong = [each for each in results.shared if each.client == "sgsession" and (each.wrong or each.hung)]
    if bad or wrong:
        sys.exit(f"sgsession: {len(bad)} bad cells, {len(wrong)} situations with wrong answers")


if __name__ == "__main__":
    main()
