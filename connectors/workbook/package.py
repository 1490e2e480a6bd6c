"""An .xlsx file as what it is: a zip archive of parts. What is not edited is passed on byte for byte (ADR 0019).

Office Open XML (ECMA-376, part 2): a part names others by relationships in a ``_rels`` folder beside it. Namespaces are
taken from the parts themselves, since there are two editions of them. Entities are never resolved, and what unpacks to
more than `LARGEST` is not unpacked: the file is somebody else's.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass
from typing import Any

from lxml import etree

from connectors.workbook.document import Unreadable

LARGEST = 200_000_000
"""Bytes that a workbook may have when it is unpacked."""

_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_AFTER_CALC = re.compile(
    "oleSize|customWorkbookViews|pivotCaches|smartTag.*|webPublish.*|fileRecoveryPr|revisionPtr|extLst"
)


@dataclass(frozen=True)
class Relation:
    """One part that another names: by an id, as what (``worksheet``, ``table``), and its path in the archive."""

    id: str
    kind: str
    target: str


class Package:
    """The parts of one workbook."""

    def __init__(self, content: bytes) -> None:
        self._archive = zipfile.ZipFile(io.BytesIO(content))
        if sum(info.file_size for info in self._archive.infolist()) > LARGEST:
            raise Unreadable
        self.names = frozenset(self._archive.namelist())
        self._trees: dict[str, Any] = {}
        self._edited: set[str] = set()
        books = [one.target for one in self.related("") if one.kind == "officeDocument"]
        if not books:
            raise Unreadable
        self.book = books[0]

    def related(self, part: str) -> list[Relation]:
        """What a part names; "" stands for the package itself."""
        folder, name = posixpath.split(part)
        path = posixpath.join(folder, "_rels", f"{name}.rels")
        if path not in self.names:
            return []
        found = []
        for one in self.tree(path):
            target = one.get("Target", "")
            where = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            found.append(Relation(one.get("Id", ""), one.get("Type", "").rpartition("/")[2], where))
        return found

    def sheets(self) -> list[tuple[str, str]]:
        """Title and part of every worksheet, in the order of the book."""
        parts = {one.id: one.target for one in self.related(self.book) if one.kind == "worksheet"}
        found = []
        for sheet in self.tree(self.book).iterfind("{*}sheets/{*}sheet"):
            native_id = next((value for key, value in sheet.items() if etree.QName(key).localname == "id"), "")
            if parts.get(native_id) in self.names:
                found.append((sheet.get("name", ""), parts[native_id]))
        return found

    def beside(self, kind: str) -> str:
        """The one part of a kind that the book names (``styles``, ``sharedStrings``), "" if there is none."""
        return next(
            (one.target for one in self.related(self.book) if one.kind == kind and one.target in self.names), ""
        )

    def has(self, folder: str) -> bool:
        """Whether there is anything in a folder of the archive."""
        return any(name.startswith(folder) for name in self.names)

    def tree(self, part: str) -> Any:
        """The root element of a part, parsed once."""
        if part not in self._trees:
            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
            root = etree.fromstring(self._archive.read(part), parser)
            if root.getroottree().docinfo.doctype:
                raise Unreadable  # no office program writes a DTD, and the standard forbids it
            self._trees[part] = root
        return self._trees[part]

    def edit(self, part: str) -> Any:
        """The root element of a part that is going to be changed."""
        self._edited.add(part)
        return self.tree(part)

    def content(self) -> bytes:
        """The archive again, in its old order. Formulas are to be worked out by the next program that opens it."""
        computing = [part for _, part in self.sheets() if _FORMULA.search(self._archive.read(part))]
        for part in computing:
            self._forget_results(part)
        if computing:
            self._calculate_on_load()
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for info in self._archive.infolist():
                edited = info.filename in self._edited
                data = _serialised(self._trees[info.filename]) if edited else self._archive.read(info)
                archive.writestr(info, data, compress_type=info.compress_type)
        return out.getvalue()

    def _forget_results(self, part: str) -> None:
        """Take out what formulas resulted in: LibreOffice believes it, whatever the book says (seen on 7.4.7)."""
        for formula in self.edit(part).iterfind("{*}sheetData/{*}row/{*}c/{*}f"):
            cell = formula.getparent()
            cell.attrib.pop("t", None)
            for result in cell.findall("{*}v"):
                cell.remove(result)

    def _calculate_on_load(self) -> None:
        book = self.edit(self.book)
        found = book.find("{*}calcPr")
        if found is None:
            found = etree.Element(tag(book, "calcPr"))
            place = next((at for at, one in enumerate(book) if _AFTER_CALC.fullmatch(local(one))), len(book))
            book.insert(place, found)
        found.set("fullCalcOnLoad", "1")


def tag(beside: Any, name: str) -> str:
    """The name of an element in the namespace of another."""
    return f"{{{etree.QName(beside).namespace}}}{name}"


def local(element: Any) -> str:
    """The name of an element without its namespace; "" for a comment."""
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


def _serialised(root: Any) -> bytes:
    return bytes(etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8", standalone=True))
