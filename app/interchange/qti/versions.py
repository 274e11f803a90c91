"""The versions of QTI that are written, and in what their files differ."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Version:
    """A version of QTI. The trees of all are built alike (`elements.py`)."""

    namespace: str
    schema: str
    """Where the schema of items is."""
    templates: str
    """The start of the addresses of templates of response processing."""
    template_end: str
    resource_type: str
    manifest_namespace: str
    schema_name: str
    schema_version: str
    stimulus_type: str | None = None
    """The type of resources that are passages. QTI 2.1 has none."""
    is_dashed: bool = False
    """Whether names are written as `qti-choice-interaction`."""

    def template(self, name: str) -> str:
        """The address of a template of response processing."""
        return f"{self.templates}/{name}{self.template_end}"


_IMS = "http://www.imsglobal.org"

QTI_21 = Version(
    namespace=f"{_IMS}/xsd/imsqti_v2p1",
    schema=f"{_IMS}/xsd/qti/qtiv2p1/imsqti_v2p1.xsd",
    templates=f"{_IMS}/question/qti_v2p1/rptemplates",
    template_end="",
    resource_type="imsqti_item_xmlv2p1",
    manifest_namespace=f"{_IMS}/xsd/imscp_v1p1",
    schema_name="QTIv2.1 Package",
    schema_version="1.0.0",
)
QTI_22 = Version(
    namespace=f"{_IMS}/xsd/imsqti_v2p2",
    schema=f"{_IMS}/xsd/qti/qtiv2p2/imsqti_v2p2.xsd",
    templates=f"{_IMS}/question/qti_v2p2/rptemplates",
    template_end="",
    resource_type="imsqti_item_xmlv2p2",
    manifest_namespace=f"{_IMS}/xsd/imscp_v1p1",
    schema_name="QTIv2.2 Package",
    schema_version="1.0.0",
    stimulus_type="imsqti_stimulus_xmlv2p2",
)
QTI_30 = Version(
    namespace=f"{_IMS}/xsd/imsqtiasi_v3p0",
    schema="https://purl.imsglobal.org/spec/qti/v3p0/schema/xsd/imsqti_asiv3p0_v1p0.xsd",
    templates="https://purl.imsglobal.org/spec/qti/v3p0/rptemplates",
    template_end=".xml",
    resource_type="imsqti_item_xmlv3p0",
    manifest_namespace=f"{_IMS}/xsd/qti/qtiv3p0/imscp_v1p1",
    schema_name="QTI Package",
    schema_version="3.0.0",
    stimulus_type="imsqti_stimulus_xmlv3p0",
    is_dashed=True,
)
