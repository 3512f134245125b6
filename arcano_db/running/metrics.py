"""Prometheus metrics: the rows of ``arcano.metric`` by prometheus-client, and its alert rules and dashboard.

An extra of this package: ``pip install 'arcano-db[metrics]'``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psycopg
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from arcano_db.calls.client_sync import ArcanoDB
from arcano_db.calls.errors import ArcanoError
from arcano_db.calls.printable import logger

log = logger("arcano_db.metrics")

_FILES = Path(__file__).with_name("monitoring")
ALERT_RULES = _FILES / "alert_rules.yaml"
DASHBOARD = _FILES / "grafana_dashboard.json"


class ArcanoCollector(Collector):
    """Asks the database at each scrape; where that does not answer, ``arcano_up`` is 0 and all there is.

    Attributes:
        dsn: The database, as libpq understands it.
    """

    def __init__(self, dsn: str) -> None:
        """Keep the DSN; nothing is sent yet."""
        self.dsn = dsn

    def describe(self) -> Iterable[Metric]:
        """Nothing: what there is only the database knows, and it is not to be asked when registering."""
        return []

    def collect(self) -> Iterable[Metric]:
        """One family for each name in ``arcano.metric``."""
        up = GaugeMetricFamily("arcano_up", "1: the database answered.")
        families: dict[str, GaugeMetricFamily] = {}
        try:
            with psycopg.connect(
                self.dsn, autocommit=True, connect_timeout=5, application_name="arcano-db metrics"
            ) as connection:
                connection.execute("set statement_timeout = '10s'")
                rows = ArcanoDB(connection).metrics()
        except (psycopg.Error, ArcanoError) as error:
            log.warning("no metrics: %s", str(error).strip())
            up.add_metric([], 0)
            return [up]
        for row in rows:
            family = families.setdefault(
                row.name, GaugeMetricFamily(row.name, row.help, labels=sorted(row.labels))
            )
            family.add_metric([row.labels[name] for name in sorted(row.labels)], row.value)
        up.add_metric([], 1)
        return [up, *families.values()]


def registry(dsn: str) -> CollectorRegistry:
    """A registry with these metrics alone.

    Args:
        dsn: The database, as libpq understands it.
    """
    found = CollectorRegistry()
    found.register(ArcanoCollector(dsn))
    return found
