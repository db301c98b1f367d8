"""The adapter: speaks conformance/PROTOCOL.md.

python conformance/naive [--arithmetic float32] [--sum pairwise]    a conversation
python conformance/naive MODEL [IN… OUT…]                          one call
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from naive import model as runtime
from naive import operators
from naive.arithmetic import FLOAT64, ORDERS, Arithmetic, Float32
from naive.arrays import STORAGE, STRING, Array, elements, pack, unpack
from naive.document import FEATURES
from naive.errors import Failed, Fault, Refused
from naive.model import Model

LONGEST = 1000
"""Characters of a message: an answer must fit into a line."""

FILE_CODES: dict[type[OSError], str] = {
    FileNotFoundError: "file-not-found",
    IsADirectoryError: "file-is-directory",
    PermissionError: "file-not-permitted",
}

COMMANDS = ("hello", "load", "run", "reset", "dump", "selftest", "unload")

REFUSED = 10
FAILED = 1


def read_model(path: str, arithmetic: Arithmetic) -> Model:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise Refused(FILE_CODES.get(type(error), "file-error"), "", "a file that can be read", str(error)) from error
    try:
        return runtime.load(data, arithmetic=arithmetic)
    except MemoryError as error:
        raise Refused("out-of-memory") from error


def read_array(path: str, dtype: str, shape: tuple[int, ...]) -> Array:
    try:
        array = Array(dtype, shape, unpack(dtype, Path(path).read_bytes()))
    except ValueError as error:  # strings that are no UTF-8, or end too soon
        raise Failed("input-type", path, "elements of its dtype", str(error)) from error
    if len(array.data) != elements(shape):
        raise Failed("input-type", path, f"{elements(shape)} elements", f"{len(array.data)}")
    if dtype == "bool" and not set(array.data) <= {0, 1}:
        raise Failed("input-type", path, "bytes of 0 or 1")
    return array


class Conversation:
    """The requests by their names, and the models that they speak of."""

    def __init__(self, arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic
        self.models: dict[int, Model] = {}
        self.loaded = 0

    def answer(self, line: bytes) -> dict[str, Any] | None:
        """The answer to a request; none to `stop`."""
        request: Any = None
        try:
            request = json.loads(line)
            command = request["cmd"]
            if command == "stop":
                return None
            if command not in COMMANDS:
                raise Failed("input-type", "", "a known command", command)
            return identify(request, getattr(self, command)(request))
        except Refused as fault:
            rejected = {"rejected": fault.code, "at": fault.at[:LONGEST], "message": str(fault)[:LONGEST]}
            return identify(request, rejected)
        except Exception as error:  # whatever a request holds, the next one is answered too
            kind = "" if isinstance(error, Fault) else f"{type(error).__name__}: "
            return identify(request, {"error": f"{kind}{error}"[:LONGEST]})

    def hello(self, request: dict[str, Any]) -> dict[str, Any]:
        return {
            "protocol": 1,
            "name": "naive",
            "version": "1.0",
            "language": "python",
            "spec": [[1, 0]],
            "ops": sorted(operators.OPERATORS),
            "dtypes": [*STORAGE, STRING],
            "features": list(FEATURES),
            "dump": True,
            "selftest": True,
        }

    def load(self, request: dict[str, Any]) -> dict[str, Any]:
        model = read_model(request["model"], self.arithmetic)
        self.loaded += 1
        self.models[self.loaded] = model
        return {"ok": True, "handle": self.loaded}

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        model = self.models[request["handle"]]
        inputs = [read_array(x["path"], x["dtype"], tuple(x["shape"])) for x in request["inputs"]]
        names = [x["name"] for x in request["inputs"]]
        if names != [value.name for value in model.document.inputs]:
            raise Failed("input-names", "", "the model's inputs in their order", names)
        start = time.perf_counter_ns()
        outputs = model.run(inputs, self.arithmetic)
        ns = time.perf_counter_ns() - start
        answers = []
        for index, (name, array) in enumerate(zip(model.document.outputs, outputs, strict=True)):
            path = Path(request["out_dir"]) / str(index)
            path.write_bytes(pack(array))
            answers.append({"name": name, "dtype": array.dtype, "shape": list(array.shape), "path": str(path)})
        return {"ok": True, "outputs": answers, "ns": ns}

    def reset(self, request: dict[str, Any]) -> dict[str, Any]:
        self.models[request["handle"]].reset()
        return {"ok": True}

    def dump(self, request: dict[str, Any]) -> dict[str, Any]:
        data = self.models[request["handle"]].dump()
        Path(request["path"]).write_bytes(data)
        return {"ok": True}

    def selftest(self, request: dict[str, Any]) -> dict[str, Any]:
        self.models[request["handle"]].selftest(self.arithmetic)
        return {"ok": True}

    def unload(self, request: dict[str, Any]) -> dict[str, Any]:
        del self.models[request["handle"]]
        return {"ok": True}


def identify(request: Any, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with the request's `seq`, if it has one."""
    seq = request.get("seq") if isinstance(request, dict) else None
    return {"seq": seq, **answer} if isinstance(seq, str) else answer


def converse(conversation: Conversation) -> int:
    for line in sys.stdin.buffer:
        answer = conversation.answer(line)
        if answer is None:
            break
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return 0


def shape_of(path: str) -> tuple[int, ...]:
    """The dimensions at the end of a file's name."""
    return tuple(int(n) for n in path.rpartition(".")[2].split("x"))


def compute_once(path: str, files: Sequence[str], arithmetic: Arithmetic) -> int:
    model = read_model(path, arithmetic)
    if files:
        values, results = model.document.inputs, model.document.outputs
        if len(files) != len(values) + len(results):
            raise Failed("input-number", "", f"{len(values)} inputs and {len(results)} outputs", f"{len(files)} files")
        inputs = [read_array(name, value.dtype, shape_of(name)) for value, name in zip(values, files, strict=False)]
        for array, name in zip(model.run(inputs, arithmetic), files[len(values) :], strict=True):
            Path(name).write_bytes(pack(array))
            sys.stdout.write(" ".join(map(str, (array.dtype, *array.shape))) + "\n")
    return 0


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="naive", description=__doc__)
    parser.add_argument("--arithmetic", choices=("float64", "float32"), default="float64")
    parser.add_argument("--sum", choices=list(ORDERS), default="forward", help="the order of sums in float32")
    parser.add_argument("model", nargs="?", metavar="MODEL")
    parser.add_argument("files", nargs="*", metavar="IN… OUT…")
    options = parser.parse_args(arguments)
    arithmetic: Arithmetic = FLOAT64 if options.arithmetic == "float64" else Float32(options.sum)
    if options.model is None:
        return converse(Conversation(arithmetic))
    try:
        return compute_once(options.model, options.files, arithmetic)
    except Refused as fault:
        sys.stdout.write(f"{fault.code}\n{fault}\n")
        return REFUSED
    except Failed as fault:
        sys.stderr.write(f"{fault}\n")
        return FAILED
