"""The badge: an SVG for a README, with the version of the format, the levels, and how many cases are right."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from nnpack.conformance.results import Run

GREEN, RED, GREY, DARK = "#1a7f37", "#cf222e", "#6a737d", "#3c4148"
"""White letters on each of them have a contrast of more than 4.5 : 1."""

PADDING = 7

_WIDTHS = {"ijl": 3.02, " ft": 3.87, "./·": 4.5, "rs": 5.2, "L": 6.1, "ceknopuv": 6.75, "0123456789": 6.99, "+": 9.0}
_WIDTH = {letter: width for letters, width in _WIDTHS.items() for letter in letters}
"""What each letter of a badge takes in Verdana of 11 pixels."""


def badge_svg(run: Run) -> str:
    """Green where a level is reached and nothing failed, red where something failed, else grey."""
    text = run.badge
    label, _, message = text.partition(" · ")
    color = RED if run.failures else GREEN if run.reached else GREY
    left, right = (round(_width(part) + 2 * PADDING) for part in (label, message))
    width = left + right
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label={quoteattr(text)}>
  <title>{escape(text)}</title>
  <clipPath id="round"><rect width="{width}" height="20" rx="3"/></clipPath>
  <g clip-path="url(#round)">
    <rect width="{left}" height="20" fill="{DARK}"/>
    <rect x="{left}" width="{right}" height="20" fill="{color}"/>
  </g>
  <g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" text-rendering="geometricPrecision">
    {_word(label, PADDING)}
    {_word(message, left + PADDING)}
  </g>
</svg>
"""


def _word(text: str, x: int) -> str:
    return f'<text x="{x}" y="14" textLength="{_width(text):.1f}" aria-hidden="true">{escape(text)}</text>'


def _width(text: str) -> float:
    return sum(_WIDTH.get(letter, 7.0) for letter in text)
