"""What candidates learn from their own results."""

from fastapi import APIRouter

from app.api.routing import PermissionFirstRoute

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=PermissionFirstRoute)
