"""What the worker does with a job of the Upscaler: the picture, twice as wide and twice as high."""

from __future__ import annotations

import time
from pathlib import Path

from PIL import Image, ImageOps

from arcano_db.demo.upscaler.storage import Storage
from arcano_db.running.working import WorkJob

_MOST_PIXELS = 16_000_000


def enlarge(folder: Path, seconds: float, job: WorkJob) -> None:
    """Enlarge the job's picture, and keep the result beside it.

    Args:
        folder: Where the pictures are.
        seconds: How long to take at least: a big model would.
        job: The job.

    Raises:
        ValueError: It is too large.
        PIL.UnidentifiedImageError: It is no picture.
    """
    until = time.monotonic() + seconds
    assert job.user_id is not None
    storage = Storage(folder, job.user_id)
    with Image.open(storage.before(job.job_id)) as found:
        if found.width * found.height > _MOST_PIXELS:
            raise ValueError(f"the picture has more than {_MOST_PIXELS:,} pixels")
        picture = ImageOps.exif_transpose(found).convert("RGBA")
    size = (picture.width * job["scale"], picture.height * job["scale"])
    with storage.writing(storage.after(job.job_id)) as part:
        picture.resize(size, Image.Resampling.LANCZOS).save(part, "PNG")
    time.sleep(max(0.0, until - time.monotonic()))
