"""A scheduler's look at a world, and what it would tell Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from tests.scenarios.world import World
from worker.watching import Watch


class Watching:
    """Reads when it is told to."""

    def __init__(self, world: World, redis_url: str) -> None:
        self.world = world
        self._watch = Watch(world.services.engine, redis_url)
        self.registry = CollectorRegistry()
        self.registry.register(self._watch.whole)
        self.look()

    def look(self) -> None:
        """Read everything once."""
        self.world.run(self._watch.look())
        self.world.run(self._watch.survey())

    def change(self, *statements: str) -> None:
        """Rows as they should not be."""

        async def execute() -> None:
            async with self.world.services.engine.begin() as connection:
                for statement in statements:
                    await connection.execute(text(statement))

        self.world.run(execute())

    def told(self, name: str) -> dict[str, float]:
        """The samples of one metric that are not 0, by the values of their labels."""
        return {labels: value for labels, value in self.every(name).items() if value}

    def every(self, name: str) -> dict[str, float]:
        """The same with those that are."""
        exposed = generate_latest(self.registry).decode()
        return {
            " ".join(sample.labels.values()): sample.value
            for family in text_string_to_metric_families(exposed)
            for sample in family.samples
            if sample.name == name
        }
