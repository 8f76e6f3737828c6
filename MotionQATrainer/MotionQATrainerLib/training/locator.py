"""Train the heart locator on the masks of clean patients, and say how far off it is.

``python -m MotionQATrainerLib.training.locator OUT.safetensors ACDC SUNNYBROOK --split F.json``
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from MotionQALib.heart_locator import GRID, HeartLocator
from MotionQALib.preprocessing import Preprocessing

from ..data.clean_patients import CleanPatient, find_patients

WIDER = Preprocessing(spacing=GRID.spacing, size=GRID.size + 32)
"""Stacks are kept on this grid, so that turned and shifted views have something to show."""

SHIFT = 75.0
"""Largest shift of a view, mm either way along either axis."""


@dataclass(frozen=True)
class Located:
    """A coarse stack (slices, side, side), and where its heart is in mm from the middle."""

    subject: str
    stack: torch.Tensor
    place: torch.Tensor


def examples(patients: Sequence[CleanPatient]) -> list[Located]:
    """Every phase of the patients that has a mask."""
    found = []
    for patient in patients:
        for stack, pixel, heart in patient.left_ventricles():
            middle = (np.array(stack.shape[1:]) - 1) / 2
            coarse = WIDER.resample(torch.from_numpy(stack), pixel).clamp_min(0)
            place = torch.tensor((heart - middle) * pixel, dtype=torch.float32)
            found.append(Located(patient.name, coarse, place))
    return found


def draw(example: Located, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """One view, altered, and the heart's place in its pixels."""
    n = len(example.stack)
    count = int(rng.choice([1, max(1, n // 2), n]))
    first = int(rng.integers(n - count + 1))
    stack = example.stack[first : first + count]
    if rng.uniform() < 0.3:
        stack = stack ** float(np.exp(rng.uniform(-0.5, 0.5)))
    scale = torch.quantile(stack[:, 24:-24:2, 24:-24:2].flatten(), 0.98).clamp_min(1e-6)
    stack = (stack / scale).clamp_max(2)
    if rng.uniform() < 0.5:
        level = float(rng.uniform(0, 0.1))
        stack = (stack + level * torch.randn(stack.shape)).abs()
    view = torch.stack([stack.mean(0), stack.std(0, correction=0), stack[count // 2]])
    angle = rng.integers(4) * np.pi / 2 + rng.normal(0, 0.25)
    size = float(np.exp(rng.normal(0, 0.1)))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn = turn @ np.diag([rng.choice([-1, 1]), 1]) / size  # from the new view to the old, (y, x)
    # Where the heart comes to lie, mm from the middle of the view.
    aim = np.linalg.solve(turn, example.place.numpy()) + rng.uniform(-SHIFT, SHIFT, 2)
    aim = np.clip(aim, -130, 130)
    offset = example.place.numpy() - turn @ aim
    half_old, half_new = (grid.size * grid.spacing / 2 for grid in (WIDER, GRID))
    swap = turn[::-1, ::-1]  # grid_sample counts x before y
    theta = np.concatenate([swap * half_new / half_old, offset[::-1, None] / half_old], axis=1)
    grid = F.affine_grid(
        torch.tensor(theta, dtype=torch.float32)[None], [1, 3, GRID.size, GRID.size],
        align_corners=False,
    )  # fmt: skip
    view = F.grid_sample(view[None], grid, align_corners=False)[0]
    place = torch.tensor(aim / GRID.spacing + (GRID.size - 1) / 2, dtype=torch.float32)
    return view, place


def train(found: Sequence[Located], steps: int, *, batch: int = 16, seed: int = 0) -> HeartLocator:
    """A network trained on the examples: cross-entropy of the heat map, and distance."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = HeartLocator().train()
    adam = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-3)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, 3e-3, total_steps=steps, pct_start=0.1)
    cells = 2 * torch.arange(GRID.size // 2) + 0.5
    for step in range(steps):
        drawn = [draw(found[i], rng) for i in rng.integers(len(found), size=batch)]
        views, places = (torch.stack(part) for part in zip(*drawn, strict=True))
        heat = network.heat(views)
        off = [((cells - places[:, axis, None]) / 2.5).square() for axis in (0, 1)]
        target = (-0.5 * (off[0][:, :, None] + off[1][:, None, :])).flatten(1).softmax(1)
        likelihood = -(target * heat.flatten(1).log_softmax(1)).sum(1).mean()
        distance = (network.place(heat) - places).norm(dim=1).mean()
        loss = likelihood + 0.1 * distance
        adam.zero_grad()
        loss.backward()
        adam.step()
        rate.step()
        if step % 50 == 49:
            off_mm = GRID.spacing * distance.item()
            print(f"step {step + 1}: loss {loss.item():.3f}, {off_mm:.1f} mm", flush=True)
    return network.eval()


def errors(network: HeartLocator, patients: Sequence[CleanPatient], single: bool) -> np.ndarray:
    """Distance in mm from each mask's heart, of whole stacks or of every slice on its own."""
    from MotionQALib.heart_locator import view_of_stack

    distances = []
    for patient in patients:
        for stack, pixel, heart in patient.left_ventricles():
            middle = (np.array(stack.shape[1:]) - 1) / 2
            truth = (heart - middle) * pixel
            whole = torch.from_numpy(stack)
            parts = [whole[i : i + 1] for i in range(len(whole))] if single else [whole]
            views = torch.stack([view_of_stack(part, pixel) for part in parts])
            with torch.inference_mode():
                places = network(views).numpy()
            off = (places - (GRID.size - 1) / 2) * GRID.spacing
            distances += np.hypot(*(off - truth).T).tolist()
    return np.array(distances)


def main() -> None:
    from safetensors.torch import save_file

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("clean", type=Path, nargs="+", help="folders of patients with masks")
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--only", type=Path, nargs="*", help="folders to train on, if not all")
    given = parser.parse_args()
    split = json.loads(given.split.read_text(encoding="utf-8"))
    folders = {folder: find_patients(folder) for folder in given.clean}
    chosen = [
        p for f in (given.only or given.clean) for p in folders[f] if p.name in split["train"]
    ]
    network = train(examples(chosen), given.steps)
    half = {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    save_file(half, str(given.output))
    print(f"Trained on {len(chosen)} patients; {given.output.stat().st_size} bytes.")
    for folder, patients in folders.items():
        held = [p for p in patients if p.name in split["valid"] + split["test"]]
        for single, unit in ((False, "stacks"), (True, "single slices")):
            off = errors(network, held, single)
            if len(off):
                print(
                    f"{folder.name}, {len(held)} held-out patients, {len(off)} {unit}: median "
                    f"{np.median(off):.1f} mm, 95th percentile {np.percentile(off, 95):.1f} mm, "
                    f"largest {off.max():.1f} mm"
                )


if __name__ == "__main__":
    main()
