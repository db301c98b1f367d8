"""The suite's JSON Schemas: its manifest, its cases, the messages of the protocol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match


class Schemas:
    """The schemas in a folder, each made ready when it is first used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._validators: dict[str, Draft202012Validator] = {}

    def fault(self, name: str, item: Any) -> tuple[str, str] | None:
        """What `item` should be, and what is wrong with it; None where nothing is.

        Args:
            name: "manifest", "case", or a message such as "load_answer".
            item: as JSON is decoded.
        """
        error = best_match(self._validator(name).iter_errors(item))
        if error is None:
            return None
        where = "".join(f"/{step}" for step in error.absolute_path)
        return f"a {name.replace('_', ' ')} as the schema has it", error.message[:300] + (
            f" at {where}" if where else ""
        )

    def _validator(self, name: str) -> Draft202012Validator:
        if name not in self._validators:
            whole = name in ("manifest", "case")
            path = self.folder / f"{name if whole else 'message'}.schema.json"
            contents = json.loads(path.read_text("utf-8"))
            if not whole:
                contents = {"$ref": f"#/$defs/{name}", "$defs": contents["$defs"]}
            self._validators[name] = Draft202012Validator(contents)
        return self._validators[name]
