"""A customer of a scenario as the team sees them."""

from datetime import datetime

from console.view import View, read
from db.lookups import find_customers
from dunning.policy import Policy
from tests.scenarios.story import Story


def view_of(story: Story, now: datetime | None = None) -> View:
    """The view of a story's customer; on a test clock `now` does not matter."""

    async def look() -> View:
        async with story.world.services.engine.connect() as connection:
            [found] = await find_customers(connection, story.customer.id)
            return await read(connection, found.id, Policy(), now or story.now)

    return story.world.run(look())
