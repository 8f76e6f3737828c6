"""Measure speed and memory as ratios within one run, and hold them against their bounds.

    python Testing/benchmarks [NAME ...] [--repetitions N] [--threads N] [--json FILE]

Every ratio compares two things measured in turn, so that a machine that is slow or busy slows
both; still, leave the machine alone while it runs. Nothing here is asserted by the tests.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path

import torch
from results import Options, Result, environment, table

from MotionQALib import backbones

NAMES = (
    "assess",
    "seed_route",
    "simulator",
    "training_step",
    "memory",
    "answering",
    "throughput",
    "study_memory",
    "arrival",
    "cine_cost",
    "dicom_reading",
)


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    settings = Options(
        repetitions=options.repetitions,
        backbones=tuple(options.backbone or backbones.BACKBONES),
        device=options.device,
        quick=options.quick,
    )
    results: list[Result] = []
    for name in options.names:
        for result in import_module(name).run(settings):
            print(result.line(), file=sys.stderr, flush=True)
            results.append(result)
    facts = environment(settings)
    print(", ".join(f"{key} {value}" for key, value in facts.items()), end="\n\n")
    print(table(results))
    if options.json:
        content = {"environment": facts, "results": [result.to_dict() for result in results]}
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; by default all")
    add("--repetitions", type=int, default=7, metavar="N", help="pairs measured a ratio (7)")
    add("--backbone", action="append", choices=list(backbones.BACKBONES), help="only these")
    add("--device", default="cpu", help="of assess, simulator and training_step (cpu)")
    add("--threads", type=int, metavar="N", help="of torch; by default as many as it chooses")
    add("--quick", action="store_true", help="tiny inputs: shows that it runs, measures nothing")
    add("--json", type=Path, metavar="FILE", help="write every number there too")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in NAMES]:
        parser.error(f"there is no benchmark {unknown[0]}; choose of {', '.join(NAMES)}")
    if options.repetitions < 1 or (options.threads or 1) < 1:
        parser.error("--repetitions and --threads are at least 1")
    options.names = options.names or list(NAMES)
    return options


if __name__ == "__main__":
    sys.exit(main())
