"""The order of tests by popularity."""

from app.services.unit_of_work import UnitOfWork


async def refresh_popularity(uow: UnitOfWork) -> None:
    """Store how many ranked candidates each published test has now."""
    await uow.popularity.refresh()
