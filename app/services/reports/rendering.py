"""The page of a report: one HTML file with its style and figures, without scripts and without the network."""

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from app.services.reports.composing import compose
from app.services.reports.content import ReportContent, ReportItem, ReportMaterial
from app.services.reports.drawing import Drawing
from app.services.reports.plots import (
    curve_frame,
    curves_of_test,
    difference_plot,
    distribution,
    item_map,
    item_plot,
    option_frame,
    option_plot,
)

_ENVIRONMENT = Environment(
    loader=PackageLoader("app.services.reports", "."),
    autoescape=True,  # texts of authors are escaped
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class _DrawnItem:
    item: ReportItem
    options: Drawing | None
    curve: Drawing | None


def make_page(material: ReportMaterial) -> bytes:
    """The report as HTML. Run it in a child process: it imports matplotlib and draws two plots a question."""
    return render(compose(material))


def render(content: ReportContent) -> bytes:
    """The page of a composed report."""
    options, curves = option_frame(content.groups), curve_frame()
    items = [_DrawnItem(item, option_plot(item, options), item_plot(item, curves)) for item in content.items]
    page = _ENVIRONMENT.get_template("report.html").render(
        content=content,
        distribution=distribution(content) if content.scores else None,
        map=item_map(content.items) if any(item.facility is not None for item in content.items) else None,
        curves=curves_of_test(content),
        differences=difference_plot(content.differences),
        items=items,
    )
    return page.encode()
