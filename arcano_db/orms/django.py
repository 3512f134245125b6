"""The columns of an attached job table for a model of Django's: ``class Job(JobColumns): ...``."""

from __future__ import annotations

from typing import Any

from django.db import models


def _column(kind: type[models.Field[Any, Any]]) -> Any:
    return kind(null=True, blank=True, editable=False)


class JobColumns(models.Model):
    """The columns that attaching adds; ``id``, ``user``, ``status`` and ``created_at`` are the model's own.

    The package writes them: an app reads them, and sets none but the session, the cost and the charge.
    """

    session_id = _column(models.TextField)
    task_id = _column(models.TextField)
    position = _column(models.IntegerField)
    waited_in_queue = _column(models.BooleanField)
    user_credit_cost = _column(models.IntegerField)
    credits_charged = _column(models.BooleanField)
    credits_refunded = _column(models.BooleanField)
    started_at = _column(models.DateTimeField)
    completed_at = _column(models.DateTimeField)
    heartbeat_at = _column(models.DateTimeField)
    attempt = _column(models.IntegerField)
    orphan_exempt = _column(models.BooleanField)
    api_account = _column(models.TextField)
    error_message = _column(models.TextField)

    class Meta:
        """It has no table of its own."""

        abstract = True
