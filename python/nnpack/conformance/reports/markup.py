"""HTML whose texts are escaped, because nothing else can be put into it."""

from __future__ import annotations

import html

from nnpack.errors import printable

VOID = frozenset({"meta"})


class Markup(str):
    """Text that is HTML already. Only this module makes it of anything that is not written down in the package."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str) -> Markup:
    """<tag attributes>children</tag>; children that are no Markup are escaped, and so are all attributes.

    In the name of an attribute an underscore at the end is left out, one inside is a hyphen. An attribute that is "" is
    left out.
    """
    told = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{html.escape(printable(value))}"'
        for name, value in attributes.items()
        if value
    )
    return Markup(f"<{tag}{told}>" if tag in VOID else f"<{tag}{told}>{join(*children)}</{tag}>")


def join(*children: str) -> Markup:
    """Children one behind the other."""
    return Markup(
        "".join(child if isinstance(child, Markup) else html.escape(printable(child), False) for child in children)
    )


def code_spans(text: str) -> Markup:
    """The text, with what stands between backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one backtick has no other
        return join(text)
    return join(*(element("code", part) if i % 2 else part for i, part in enumerate(parts)))
