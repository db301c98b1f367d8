"""The reports of a run, as files: JSON Lines, JUnit XML, a page, a badge."""

from __future__ import annotations

import sys

from nnpack.conformance.reports.badge import badge_svg
from nnpack.conformance.reports.jsonl import json_lines
from nnpack.conformance.reports.junit import junit_xml
from nnpack.conformance.reports.page import html_page
from nnpack.conformance.results import Run
from nnpack.format import files


def write(
    run: Run, jsonl: str | None = None, junit: str | None = None, html: str | None = None, badge: str | None = None
) -> None:
    """Writes the reports that have a path.

    Args:
        run: what came out.
        jsonl: for JSON Lines, conformance/schema/result.schema.json; "-" is standard output.
        junit: for JUnit XML.
        html: for a page.
        badge: for an SVG badge.

    Raises:
        FileError: one of them cannot be written; those before it are.
    """
    if jsonl == "-":
        sys.stdout.write(json_lines(run))
        jsonl = None
    for path, report in ((jsonl, json_lines), (junit, junit_xml), (html, html_page), (badge, badge_svg)):
        if path is not None:
            with files.replacing(path) as temporary:
                files.write(temporary, [report(run).encode()])
