"""Where the pictures of a user lie: a file is there wholly or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import UUID

from arcano_db.calls.rows import JobId, UserId


class Storage:
    """The pictures of one user, each named by its job."""

    def __init__(self, folder: Path, user_id: UserId) -> None:
        """Nothing is made yet.

        Args:
            folder: Of all users.
            user_id: Whose pictures. ValueError: it is no uuid, and could name any file.
        """
        self._folder = folder / str(UUID(str(user_id)))

    def before(self, job_id: JobId) -> Path:
        """The picture that was uploaded; ValueError: no uuid."""
        return self._folder / f"{UUID(str(job_id))}.before"

    def after(self, job_id: JobId) -> Path:
        """The enlarged one; ValueError: no uuid."""
        return self._folder / f"{UUID(str(job_id))}.png"

    @contextmanager
    def writing(self, path: Path) -> Iterator[IO[bytes]]:
        """A file that takes its place at the end of the block; an error leaves nothing behind."""
        self._folder.mkdir(exist_ok=True)
        part = tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False)  # noqa: SIM115
        try:
            with part:
                yield part
            Path(part.name).replace(path)
        finally:
            Path(part.name).unlink(missing_ok=True)
