"""A program that commits a message with the parts of an API, and ends once it is published."""

import asyncio
import sys
from uuid import UUID

from app.config import get_settings
from app.main import create_app
from app.repositories.realtime.messages import exam_room
from app.services.unit_of_work import unit_of_work
from tests.builders.messages import announcement


async def main(exam_id: UUID) -> None:
    app = create_app(get_settings())
    app.openapi_schema = {}  # Nobody reads the document here, and building it takes a second.
    async with app.router.lifespan_context(app):
        parts = app.state.components
        async with unit_of_work(parts.engine, parts.new_messages) as uow:
            uow.messages.to_everybody(exam_room(exam_id), announcement(1))
        waiting = True
        while waiting:
            async with unit_of_work(parts.engine) as uow:
                waiting = bool(await uow.messages.unpublished(1))
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(main(UUID(sys.argv[1])))
