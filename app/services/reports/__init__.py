"""Reports on tests for their staff: one HTML file with plots (docs/decisions/0070)."""

from app.services.reports.content import ReportMaterial
from app.services.reports.reporting import material, page

__all__ = ["ReportMaterial", "material", "page"]
