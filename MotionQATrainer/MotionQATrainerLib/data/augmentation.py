"""Changes to a slice that leave its score as it is, drawn anew at every step, on whole batches.

What differs between scanners, sites and patients, and says nothing of breathing: orientation,
position, matrix size, field of view, contrast, brightness, coil shading, noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the changes; 0 switches one off.

    Parameters
    ----------
    rotation : degrees, either way, beside the quarter turns and flips
    scale : relative change of size, either way
    shift : pixels, either way
    far, farthest : chance of a larger shift, and how many pixels either way, where the crops reach
        that far: the heart may lie off the middle, or may have been missed
    blur : chance that a slice is shown as acquired with larger pixels
    coarsest : largest factor by which the pixels grow
    sharp_cut : share of those whose k-space is cut hard, so that edges ring (Gibbs)
    smooth, smoothest : chance of a Gaussian blur, and its largest standard deviation in pixels
    gamma : contrast exponent from 1 / (1 + gamma) to 1 + gamma
    shading : strength of a smooth coil shading
    noise : largest standard deviation of Rician noise, of the bright signal
    frame : chance that a slice's field of view ends within the crop
    """

    rotation: float = 20.0
    scale: float = 0.15
    shift: float = 10.0
    far: float = 0.2
    farthest: float = 44.0
    blur: float = 0.3
    coarsest: float = 2.4
    sharp_cut: float = 0.3
    smooth: float = 0.15
    smoothest: float = 1.3
    gamma: float = 0.5
    shading: float = 0.4
    noise: float = 0.04
    frame: float = 0.15

    def __call__(
        self,
        crops: torch.Tensor,
        size: int,
        generator: torch.Generator,
        share: tuple[int, slice] | None = None,
    ) -> torch.Tensor:
        """Crops (n, side, side) to altered ones (n, size, size), float32; side >= size.

        ``share``: the crops are that slice of so many, each of which is altered as among all.
        """
        draw = _Draw(*(share or (len(crops), slice(None))), crops.device, generator)
        crops = crops.to(torch.float32)
        images = self._turned(crops, size, draw)
        images = self._coarsened(images, draw)
        bright = images.flatten(1).amax(1).clamp_min(1e-6)[:, None, None]
        images = (images / bright).clamp_min(0)
        exponent = torch.exp(draw.either(1.0) * torch.log1p(torch.tensor(self.gamma)))
        images = images ** exponent[:, None, None]
        images = images * self._shade(size, draw)
        level = (draw.unit() * self.noise * (draw.unit() < 0.6))[:, None, None]
        noise = draw.normal(2, size, size)
        images = torch.hypot(images + level * noise[:, 0], level * noise[:, 1])
        return self._framed(images, size, draw)

    def _turned(self, crops: torch.Tensor, size: int, draw: _Draw) -> torch.Tensor:
        """Flip, turn, scale and shift in one interpolation."""
        side = crops.shape[-1]
        quarter = torch.floor(draw.unit() * 4) * (torch.pi / 2)
        angle = quarter + torch.deg2rad(draw.either(self.rotation))
        scale = torch.exp(draw.either(1.0) * torch.log1p(torch.tensor(self.scale)))
        flip = torch.where(draw.unit() < 0.5, -1.0, 1.0)
        cosine, sine = torch.cos(angle) / scale, torch.sin(angle) / scale
        reach = torch.where(draw.unit() < self.far, self.farthest, self.shift)
        reach = reach.clamp_max(max(self.shift, (side - size) / 2))
        shift = torch.stack([draw.either(1.0), draw.either(1.0)], dim=1) * reach[:, None] * 2 / side
        turn = torch.stack(
            [
                torch.stack([flip * cosine, -sine], dim=1),
                torch.stack([flip * sine, cosine], dim=1),
            ],
            dim=1,
        ) * (size / side)
        theta = torch.cat([turn, shift[:, :, None]], dim=2)
        grid = F.affine_grid(theta, [len(crops), 1, size, size], align_corners=False)
        return F.grid_sample(crops[:, None], grid, align_corners=False)[:, 0]

    def _coarsened(self, images: torch.Tensor, draw: _Draw) -> torch.Tensor:
        """Show some slices as a coarser acquisition matrix would have: k-space cut and padded."""
        factor = 1 + (self.coarsest - 1) * draw.unit() * (draw.unit() < self.blur)
        width = self.smoothest * draw.unit() * (draw.unit() < self.smooth)
        # A soft edge: scanners filter k-space too; a hard cut rings, and not all filter.
        edge = torch.where(draw.unit() < self.sharp_cut, 500.0, 80.0)
        chosen = torch.nonzero((factor > 1.02) | (width > 0.1)).flatten()
        if not len(chosen):
            return images
        size = images.shape[-1]
        kspace = torch.fft.rfft2(images[chosen])
        limit, edge = 0.5 / factor[chosen][:, None, None], edge[chosen][:, None, None]
        vertical = torch.fft.fftfreq(size, device=images.device).abs()[None, :, None]
        horizontal = torch.fft.rfftfreq(size, device=images.device)[None, None, :]
        whole = factor[chosen][:, None, None] <= 1.02
        keep = torch.sigmoid((limit - vertical) * edge) * torch.sigmoid((limit - horizontal) * edge)
        keep = torch.where(whole, torch.ones_like(keep), keep)
        narrow = -2 * (torch.pi * width[chosen][:, None, None]) ** 2
        keep = keep * torch.exp(narrow * (vertical**2 + horizontal**2))
        images = images.clone()
        images[chosen] = torch.fft.irfft2(kspace * keep, s=(size, size))
        return images

    def _shade(self, size: int, draw: _Draw) -> torch.Tensor:
        coarse = draw.normal(1, 3, 3) * self.shading / 2
        smooth = F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True)
        return torch.exp(smooth[:, 0])

    def _framed(self, images: torch.Tensor, size: int, draw: _Draw) -> torch.Tensor:
        """Black out what lies beyond a narrower field of view, on one side pair."""
        width = torch.where(draw.unit() < self.frame, 0.05 + 0.13 * draw.unit(), 0.0) * size
        across = draw.unit() < 0.5
        place = torch.arange(size, device=images.device, dtype=torch.float32)
        kept = (place >= width[:, None]) & (place <= size - 1 - width[:, None])
        mask = torch.where(across[:, None, None], kept[:, :, None], kept[:, None, :])
        return images * mask


class _Draw:
    """Random numbers for one batch, all from one generator on the CPU, so that runs repeat.

    They are drawn for the whole batch of ``count`` even where only a share of it is there.
    """

    def __init__(
        self, count: int, share: slice, device: torch.device, generator: torch.Generator
    ) -> None:
        self.count, self.share = count, share
        self.device = device
        self.generator = generator

    def unit(self) -> torch.Tensor:
        return torch.rand(self.count, generator=self.generator)[self.share].to(self.device)

    def either(self, limit: float) -> torch.Tensor:
        return (2 * self.unit() - 1) * limit

    def normal(self, *shape: int) -> torch.Tensor:
        """Normal numbers, (share, *shape)."""
        drawn = torch.randn(self.count, *shape, generator=self.generator)
        return drawn[self.share].to(self.device)
