"""Empty documents of each kind, made here from the smallest XML that the standards allow: OpenDocument 1.3, Office Open XML (ECMA-376, transitional)."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TITLES: Final = {
    "md": "Markdown",
    "txt": "Plain text",
    "csv": "Table (CSV)",
    "odt": "Text document (OpenDocument)",
    "ods": "Spreadsheet (OpenDocument)",
    "odp": "Presentation (OpenDocument)",
    "docx": "Text document (Word)",
    "xlsx": "Spreadsheet (Excel)",
    "pptx": "Presentation (PowerPoint)",
}
"""Extensions of what can be made, with words for people."""

_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OPEN_DOCUMENT: Final = "urn:oasis:names:tc:opendocument:xmlns:"
_OPEN_XML: Final = "http://schemas.openxmlformats.org/"
_RELATION: Final = _OPEN_XML + "officeDocument/2006/relationships"
_PARTS: Final = "application/vnd.openxmlformats-officedocument."


@cache
def blank(ext: str) -> bytes:
    """The bytes of an empty document with this extension; KeyError for one that is not in `TITLES`."""
    make: Mapping[str, Callable[[], bytes]] = {
        "odt": lambda: _open_document("text", "<office:text><text:p/></office:text>"),
        "ods": lambda: _open_document("spreadsheet", _ODS),
        "odp": lambda: _open_document("presentation", _ODP, _ODP_STYLES, _ODP_PAGE),
        "docx": lambda: _zipped(_word()),
        "xlsx": lambda: _zipped(_excel()),
        "pptx": lambda: _zipped(_powerpoint()),
        "md": bytes,
        "txt": bytes,
        "csv": bytes,
    }
    return make[ext]()


def _zipped(parts: Mapping[str, str], first: Mapping[str, str] | None = None) -> bytes:
    """A ZIP of these parts, the same bytes each time; `first` stand at its beginning and are not packed."""
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        for how, each in ((ZIP_STORED, first or {}), (ZIP_DEFLATED, parts)):
            for name, text in each.items():
                entry = ZipInfo(name)
                entry.compress_type, entry.external_attr = how, 0o644 << 16
                archive.writestr(entry, text.encode())
    return packed.getvalue()


# --- OpenDocument

_ODS: Final = '<office:spreadsheet><table:table table:name="Sheet1"><table:table-row><table:table-cell/></table:table-row></table:table></office:spreadsheet>'
_ODP: Final = '<office:presentation><draw:page draw:name="Slide 1" draw:master-page-name="Default"/></office:presentation>'
_ODP_STYLES: Final = (
    '<style:page-layout style:name="P"><style:page-layout-properties fo:page-width="28cm" fo:page-height="15.75cm"'
    ' style:print-orientation="landscape"/></style:page-layout>'
)
_ODP_PAGE: Final = '<style:master-page style:name="Default" style:page-layout-name="P"/>'


def _open_document(kind: str, body: str, automatic: str = "", master: str = "") -> bytes:
    spaces = " ".join(
        f'xmlns:{name}="{_OPEN_DOCUMENT}{name if space is None else space}:1.0"'
        for name, space in (
            ("office", None),
            ("style", None),
            ("text", None),
            ("table", None),
            ("draw", "drawing"),
            ("fo", "xsl-fo-compatible"),
        )
    )
    version = f'{spaces} office:version="1.3"'
    media = f"application/vnd.oasis.opendocument.{kind}"
    files = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{of}"/>'
        for path, of in (("/", media), ("content.xml", "text/xml"), ("styles.xml", "text/xml"))
    )
    styles = f"<office:automatic-styles>{automatic}</office:automatic-styles><office:master-styles>{master}</office:master-styles>"
    return _zipped(
        {
            "content.xml": f"{_XML}<office:document-content {version}><office:body>{body}</office:body></office:document-content>",
            "styles.xml": f"{_XML}<office:document-styles {version}>{styles}</office:document-styles>",
            "META-INF/manifest.xml": f'{_XML}<manifest:manifest xmlns:manifest="{_OPEN_DOCUMENT}manifest:1.0" manifest:version="1.3">'
            f"{files}</manifest:manifest>",
        },
        {"mimetype": media},
    )


# --- Office Open XML


def _types(parts: Mapping[str, str]) -> str:
    overrides = "".join(f'<Override PartName="/{name}" ContentType="{_PARTS}{kind}+xml"/>' for name, kind in parts.items())
    return (
        f'{_XML}<Types xmlns="{_OPEN_XML}package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


def _relations(*targets: tuple[str, str]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATION}/{kind}" Target="{target}"/>' for number, (kind, target) in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="{_OPEN_XML}package/2006/relationships">{listed}</Relationships>'


def _word() -> dict[str, str]:
    size = '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134"'
    margins = ' w:header="709" w:footer="709" w:gutter="0"/></w:sectPr>'
    return {
        "[Content_Types].xml": _types({"word/document.xml": "wordprocessingml.document.main"}),
        "_rels/.rels": _relations(("officeDocument", "word/document.xml")),
        "word/document.xml": f'{_XML}<w:document xmlns:w="{_OPEN_XML}wordprocessingml/2006/main"><w:body><w:p/>{size}{margins}</w:body></w:document>',
    }


def _excel() -> dict[str, str]:
    main = f'xmlns="{_OPEN_XML}spreadsheetml/2006/main"'
    sheets = '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets>'
    return {
        "[Content_Types].xml": _types(
            {"xl/workbook.xml": "spreadsheetml.sheet.main", "xl/worksheets/sheet1.xml": "spreadsheetml.worksheet"}
        ),
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'{_XML}<workbook {main} xmlns:r="{_RELATION}">{sheets}</workbook>',
        "xl/_rels/workbook.xml.rels": _relations(("worksheet", "worksheets/sheet1.xml")),
        "xl/worksheets/sheet1.xml": f"{_XML}<worksheet {main}><sheetData/></worksheet>",
    }


def _powerpoint() -> dict[str, str]:
    spaces = f'xmlns:a="{_OPEN_XML}drawingml/2006/main" xmlns:r="{_RELATION}" xmlns:p="{_OPEN_XML}presentationml/2006/main"'
    tree = '<p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/></p:spTree></p:cSld>'
    follows = "<p:clrMapOvr><a:masterClrMapping/></p:clrMapOvr>"
    names = (
        "bg1 lt1 tx1 dk1 bg2 lt2 tx2 dk2 accent1 accent1 accent2 accent2 accent3 accent3 accent4 accent4 accent5 accent5 accent6 accent6"
    )
    pairs = iter(f"{names} hlink hlink folHlink folHlink".split())
    colours = " ".join(f'{name}="{next(pairs)}"' for name in pairs)
    layouts = '<p:sldLayoutIdLst><p:sldLayoutId id="2147483649" r:id="rId1"/></p:sldLayoutIdLst>'
    lists = '<p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="rId1"/></p:sldMasterIdLst><p:sldIdLst><p:sldId id="256" r:id="rId2"/></p:sldIdLst>'
    sizes = '<p:sldSz cx="12192000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/>'
    kinds = {
        "ppt/presentation.xml": "presentationml.presentation.main",
        "ppt/slides/slide1.xml": "presentationml.slide",
        "ppt/slideLayouts/slideLayout1.xml": "presentationml.slideLayout",
        "ppt/slideMasters/slideMaster1.xml": "presentationml.slideMaster",
        "ppt/theme/theme1.xml": "theme",
    }
    return {
        "[Content_Types].xml": _types(kinds),
        "_rels/.rels": _relations(("officeDocument", "ppt/presentation.xml")),
        "ppt/presentation.xml": f"{_XML}<p:presentation {spaces}>{lists}{sizes}</p:presentation>",
        "ppt/_rels/presentation.xml.rels": _relations(
            ("slideMaster", "slideMasters/slideMaster1.xml"), ("slide", "slides/slide1.xml"), ("theme", "theme/theme1.xml")
        ),
        "ppt/slides/slide1.xml": f"{_XML}<p:sld {spaces}>{tree}{follows}</p:sld>",
        "ppt/slides/_rels/slide1.xml.rels": _relations(("slideLayout", "../slideLayouts/slideLayout1.xml")),
        "ppt/slideLayouts/slideLayout1.xml": f'{_XML}<p:sldLayout {spaces} type="blank">{tree}{follows}</p:sldLayout>',
        "ppt/slideLayouts/_rels/slideLayout1.xml.rels": _relations(("slideMaster", "../slideMasters/slideMaster1.xml")),
        "ppt/slideMasters/slideMaster1.xml": f"{_XML}<p:sldMaster {spaces}>{tree}<p:clrMap {colours}/>{layouts}</p:sldMaster>",
        "ppt/slideMasters/_rels/slideMaster1.xml.rels": _relations(
            ("slideLayout", "../slideLayouts/slideLayout1.xml"), ("theme", "../theme/theme1.xml")
        ),
        "ppt/theme/theme1.xml": _theme(),
    }


def _theme() -> str:
    """Colours, fonts and formats, which no presentation may be without (ECMA-376, part 1, 20.1.6.9)."""
    listed = "dk1 000000 lt1 FFFFFF dk2 1F2937 lt2 F3F4F6 accent1 2563EB accent2 059669 accent3 D97706 accent4 DC2626 accent5 7C3AED accent6 0891B2"
    pairs = iter(f"{listed} hlink 1D4ED8 folHlink 6D28D9".split())
    colours = "".join(f'<a:{name}><a:srgbClr val="{next(pairs)}"/></a:{name}>' for name in pairs)
    fonts = "".join(
        f'<a:{kind}Font><a:latin typeface="Arial"/><a:ea typeface=""/><a:cs typeface=""/></a:{kind}Font>' for kind in ("major", "minor")
    )
    fill = '<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>'
    formats = (
        f"<a:fillStyleLst>{fill * 3}</a:fillStyleLst><a:lnStyleLst>{f'<a:ln>{fill}</a:ln>' * 3}</a:lnStyleLst>"
        f"<a:effectStyleLst>{'<a:effectStyle><a:effectLst/></a:effectStyle>' * 3}</a:effectStyleLst><a:bgFillStyleLst>{fill * 3}</a:bgFillStyleLst>"
    )
    parts = (("clrScheme", colours), ("fontScheme", fonts), ("fmtScheme", formats))
    elements = "".join(f'<a:{kind} name="Plain">{inner}</a:{kind}>' for kind, inner in parts)
    return f'{_XML}<a:theme xmlns:a="{_OPEN_XML}drawingml/2006/main" name="Plain"><a:themeElements>{elements}</a:themeElements></a:theme>'
