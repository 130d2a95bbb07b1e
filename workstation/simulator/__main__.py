"""`python -m workstation.simulator --out data/sample --seed 20240501`: generates the sample data."""

import argparse
from pathlib import Path

from workstation.simulator.sample import SAMPLE_SEED, write_sample


def main() -> None:
    """Writes the sample and prints each series with its rows and bytes."""
    parser = argparse.ArgumentParser(prog="python -m workstation.simulator", description="Generate the sample data.")
    parser.add_argument("--out", type=Path, required=True, help="a new or empty folder")
    parser.add_argument("--seed", type=int, default=SAMPLE_SEED, help="same seed, same data (default %(default)s)")
    arguments = parser.parse_args()
    datasets = write_sample(arguments.out, arguments.seed).datasets()
    for one in datasets:
        name = f"{one.kind} {one.venue} {one.symbol} {one.interval or ''}".rstrip()
        print(f"{name:40} {one.rows:9,} rows {one.bytes:11,} bytes")
    total = sum(path.stat().st_size for path in arguments.out.rglob("*") if path.is_file())
    print(f"{'all files in ' + str(arguments.out):40} {sum(one.rows for one in datasets):9,} rows {total:11,} bytes")


if __name__ == "__main__":
    main()
