"""The pixels of DICOM files: read where they lie, or decoded by whatever decoder is there."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from .dicom_header import StoredFile
from .streams import DEFLATE_LIMIT
from .volume_error import cut_short, display_name, refusal

PACKAGES = {"2000": "pylibjpeg-openjpeg", "JPEG-LS": "pyjpegls"}
"""What decodes a compression, by a word of its name; GDCM knows them all."""


def check_room(file: StoredFile) -> None:
    """Compare what the header promises with the file's size, before that much is allocated."""
    frames = max(1, int(file.number("NumberOfFrames", 1)))
    bits = int(file.number("BitsAllocated", 8))
    rows, columns = int(file.number("Rows")), int(file.number("Columns"))
    wanted = rows * columns * frames * bits // 8
    syntax = file.syntax
    packed = syntax is not None and (syntax.is_compressed or syntax.is_deflated)
    available = file.size * (DEFLATE_LIMIT if packed else 1)
    if wanted > available:
        raise cut_short(file.path, wanted, available)


def pixels_of(file: StoredFile) -> np.ndarray:
    """(frames, rows, columns) as they are stored: no scaling, overlays masked, white is high."""
    shape = (-1, int(file.number("Rows")), int(file.number("Columns")))
    pixels = _as_stored(file)
    if pixels is None:
        pixels = np.asarray(_decode(file)).reshape(shape)
    pixels = _without_overlay(file, pixels.reshape(shape))
    if file.text("PhotometricInterpretation").upper() == "MONOCHROME1":
        return _inverted(file, pixels)
    return pixels


def raw_bytes(file: StoredFile) -> bytes:
    """The pixel data's bytes as the file has them, to be compared."""
    from pydicom import dcmread

    if file.offset is not None:
        with file.path.open("rb") as stream:
            stream.seek(file.offset)
            return stream.read()
    return dcmread(file.path, force=True).get("PixelData") or b""


def _as_stored(file: StoredFile) -> np.ndarray | None:
    """Uncompressed pixels straight from the file; None where only pydicom knows how."""
    bits = int(file.number("BitsAllocated", 0))
    if file.offset is None or bits not in (8, 16, 32):
        return None
    syntax = file.syntax
    implicit = syntax is None or syntax.is_implicit_VR
    big = syntax is not None and not syntax.is_little_endian
    count = file.number("Rows") * file.number("Columns") * max(1, file.number("NumberOfFrames", 1))
    wanted = int(count) * bits // 8
    with file.path.open("rb") as stream:
        stream.seek(file.offset)
        head = stream.read(8 if implicit else 12)
        order = "big" if big else "little"
        tag = (int.from_bytes(head[:2], order), int.from_bytes(head[2:4], order))
        length = int.from_bytes(head[4:8] if implicit else head[8:12], order)
        if tag != (0x7FE0, 0x0010) or (syntax is None and head[4:6] in (b"OW", b"OB")):
            return None
        if length == 0xFFFFFFFF or length < wanted:
            return None
        data = stream.read(wanted)
    if len(data) < wanted:
        raise cut_short(file.path, wanted, len(data))
    signed = file.number("PixelRepresentation", 0) == 1
    dtype = np.dtype(f"{'>' if big else '<'}{'i' if signed else 'u'}{bits // 8}")
    pixels = np.frombuffer(data, dtype=dtype)
    if not pixels.dtype.isnative:
        pixels = pixels.astype(dtype.newbyteorder("="))
    return pixels


def _without_overlay(file: StoredFile, pixels: np.ndarray) -> np.ndarray:
    """Leave out bits above those stored, where old files keep drawings, and extend the sign."""
    allocated = int(file.number("BitsAllocated", 16))
    stored = int(file.number("BitsStored", allocated))
    high = int(file.number("HighBit", stored - 1))
    if pixels.dtype.kind not in "iu" or not 0 < stored < allocated or not stored <= high + 1:
        return pixels
    if pixels.dtype.itemsize * 8 != allocated or high >= allocated:
        return pixels
    up, down = allocated - 1 - high, allocated - stored
    lowest, highest = int(pixels.min()), int(pixels.max())
    signed = pixels.dtype.kind == "i"
    fits = -(1 << stored - 1) <= lowest and highest < 1 << stored - 1
    if down == up and (fits if signed else highest < 1 << stored):
        return pixels  # as nearly all files are
    # Shifted left until the stored bits are the highest, then back, which repeats the sign.
    return (pixels << pixels.dtype.type(up)) >> pixels.dtype.type(down)


def _inverted(file: StoredFile, pixels: np.ndarray) -> np.ndarray:
    """MONOCHROME1 stores white as 0: turn it about the middle of the stored range."""
    if pixels.dtype.kind not in "iu":
        return pixels.max() - pixels
    bits = int(file.number("BitsStored", 8 * pixels.dtype.itemsize))
    total = -1 if pixels.dtype.kind == "i" else (1 << bits) - 1
    return (total - pixels.astype(np.int64)).astype(pixels.dtype)


def _decode(file: StoredFile) -> np.ndarray:
    from pydicom import dcmread
    from pydicom.pixels import get_decoder
    from pydicom.uid import ImplicitVRLittleEndian

    path = file.path
    data = dcmread(path, force=True)
    if not any(key in data for key in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise refusal(path, "holds no pixels; export the series again.")
    if "TransferSyntaxUID" not in data.file_meta:
        data.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    syntax = data.file_meta.TransferSyntaxUID
    if syntax.is_compressed:
        try:
            available = get_decoder(syntax).is_available
        except NotImplementedError:
            raise refusal(
                path, f"is compressed as {syntax.name}, a film; export it uncompressed."
            ) from None
        if not available:
            decoder = _other_decoder()
            if decoder is not None:
                return decoder(file)
            package = next(
                (p for word, p in PACKAGES.items() if word in syntax.name), "python-gdcm"
            )
            both = f"pylibjpeg {package}" if package.startswith("pylibjpeg-") else package
            raise refusal(
                path,
                f"is compressed as {syntax.name}, which needs the Python package {package}; "
                f"install it (pip install {both}) or export the series uncompressed.",
            )
    try:
        return data.pixel_array
    except (MemoryError, OSError):
        raise
    except Exception as error:
        name = display_name(path)
        how = syntax.name if syntax.is_compressed else "no image"
        raise refusal(
            path, f"has pixels that cannot be decoded ({how}); copy or export {name} again."
        ) from error


def _other_decoder() -> Callable[[StoredFile], np.ndarray] | None:
    """SimpleITK, where it is loaded already as in Slicer, which brings it: it has GDCM inside."""
    simple_itk = sys.modules.get("SimpleITK")
    if simple_itk is None:
        return None

    def decode(file: StoredFile) -> np.ndarray:
        image = simple_itk.ReadImage(str(file.path))
        values = simple_itk.GetArrayFromImage(image)
        slope = file.number("RescaleSlope", 1.0) or 1.0
        intercept = file.number("RescaleIntercept", 0.0)
        if (slope, intercept) != (1.0, 0.0):  # it has scaled already
            values = np.rint((values - intercept) / slope).astype(np.int32)
        if file.text("PhotometricInterpretation").upper() == "MONOCHROME1":
            values = _inverted(file, values)  # and turned black to white
        return values

    return decode
