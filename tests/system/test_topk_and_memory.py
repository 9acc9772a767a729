"""The largest of many numbers, and memory that goes back to the system."""

import subprocess
import sys

import pytest
import torch

from app.system.topk import largest
from tests.support.server import ROOT


@pytest.mark.parametrize("width", [8192, 2048, 1024, 1000, 40])
def test_the_largest_are_those_that_a_sort_finds(width: int) -> None:
    rows = torch.randn(3, 5, width, generator=torch.Generator().manual_seed(1))
    rows[0, 0, 32:64] += 100  # a whole stretch of them
    whole = rows.sort(-1, descending=True)
    for count in (32, 5, 1):
        values, indices = largest(rows, count)
        assert torch.equal(values, whole.values[..., :count]) and torch.equal(indices, whole.indices[..., :count])


def test_freed_memory_goes_back() -> None:
    """Blocks of 1 MB with something small between them, which glibc alone would keep."""
    script = (
        "import sys; from app.system.memory import release_memory, limit_retained_memory; from pathlib import Path\n"
        "def held(): return int(Path('/proc/self/statm').read_text().split()[1]) * 4 // 1024\n"
        "took, before = limit_retained_memory(), held()\n"
        "large, small = [], []\n"
        "for _ in range(300): large.append(bytearray(10**6)); small.append(bytearray(1000))\n"
        "full = held(); del large; release_memory()\n"
        "print(took, full - before, held() - before)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    took, full, left = done.stdout.split()
    if took != "True":
        pytest.skip("another C library than glibc")
    assert int(full) > 250 and int(left) < 30


@pytest.mark.parametrize("width", [8192, 40])
def test_the_largest_of_a_single_row_are_found_too(width: int) -> None:
    row = torch.randn(width, generator=torch.Generator().manual_seed(2))
    row[3:9] = -torch.inf
    whole = row.sort(-1, descending=True)
    for count in (32, 1):
        values, indices = largest(row, count)
        assert torch.equal(values, whole.values[:count]) and torch.equal(indices, whole.indices[:count])
