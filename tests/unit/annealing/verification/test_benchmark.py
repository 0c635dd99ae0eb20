"""The benchmark runs, says the same for the same seed, and measures every point that is its own."""

import json
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[4] / "scripts" / "benchmarks" / "annealing.py"


def test_the_quick_benchmark_measures_its_points(tmp_path: Path) -> None:
    report = tmp_path / "figures.md"
    points = ["--points", "8.2", "8.3", "8.5"]
    asked = [sys.executable, str(BENCHMARK), *points, "--quick", "--seed", "3", "--json", "--report", str(report)]
    both = [subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    one, other = (json.loads(process.communicate(timeout=300)[0]) for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert one == other
    measured = {figure["point"] for figure in one["figures"] if figure["met"] is not None}
    assert measured == {"8.2", "8.3", "8.5"}
    assert all(figure["n"] > 0 for figure in one["figures"] if figure["met"] is not None)
    text = report.read_text()
    assert text.startswith("## Figures\n\n| point")
    assert all(f"| {figure['what']} " in text for figure in one["figures"])


def test_what_needs_no_played_tenants_is_measured_as_well() -> None:
    asked = [sys.executable, str(BENCHMARK), "--points", "8.1", "8.4", "8.6", "--quick", "--json"]
    figures = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)["figures"]
    assert {figure["point"] for figure in figures} == {"8.1", "8.4", "8.6"}
    assert all(figure["n"] > 0 for figure in figures)
