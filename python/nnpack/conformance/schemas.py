"""The suite's JSON Schemas: its manifest, its cases, the messages of the protocol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource


class Schemas:
    """The schemas in a folder, each made ready when it is first used."""

    def __init__(self, folder: Path) -> None:
        self._contents = {
            path.name.partition(".")[0]: json.loads(path.read_text("utf-8")) for path in folder.glob("*.schema.json")
        }
        resources = ((each["$id"], Resource.from_contents(each)) for each in self._contents.values())
        self._registry: Registry[Any] = Registry().with_resources(resources)
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
            file, entry = (name, "") if name in self._contents else ("message", f"#/$defs/{name}")
            reference = {"$ref": f"{self._contents[file]['$id']}{entry}"}
            self._validators[name] = Draft202012Validator(reference, registry=self._registry)
        return self._validators[name]
