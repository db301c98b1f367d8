"""The adapter of nnpack's numpy engine, and an example to start from: python conformance/adapters/numpy_engine.py

It answers each JSON line on standard input with one on standard output: ../PROTOCOL.md. What is peculiar to the
runtime stands in `Adapter`; the loop below it is the same for every runtime.
"""

import itertools
import json
import sys
import traceback
from pathlib import Path

import numpy as np

import nnpack
from nnpack.errors import FormatError, NnpackError, SelfTestError
from nnpack.ops import OPERATORS

DTYPES = ["float32", "float64", "float16", "bfloat16", "int8", "int32", "int64", "uint8", "bool", "string"]


class Adapter:
    """One method for each request; what it returns is the answer."""

    def __init__(self):
        self.models = {}  # handle -> model
        self.handles = itertools.count(1)

    def hello(self, request):
        return {
            "protocol": 1,
            "name": "nnpack",
            "version": nnpack.__version__,
            "language": "python",
            "spec": [[1, 0]],
            "ops": sorted(OPERATORS),
            "dtypes": DTYPES,
            "features": ["quantization", "nonfinite", "states"],
            "dump": True,
            "selftest": True,
        }

    def load(self, request):
        try:
            model = nnpack.loads(Path(request["model"]).read_bytes())
        except (FormatError, SelfTestError) as error:
            return {"rejected": error.code, "at": error.at, "message": str(error)}
        handle = next(self.handles)
        self.models[handle] = model
        return {"ok": True, "handle": handle}

    def run(self, request):
        model = self.models[request["handle"]]
        arrays = [read(Path(x["path"]), x["dtype"]).reshape(x["shape"]) for x in request["inputs"]]
        names = [value.name for value in model.outputs]
        outputs = []
        for i, (name, y) in enumerate(zip(names, model.predict(arrays, outputs=names), strict=True)):
            path = Path(request["out_dir"]) / str(i)
            path.write_bytes(np.ascontiguousarray(y, y.dtype.newbyteorder("<")).tobytes())
            outputs.append({"name": name, "dtype": y.dtype.name, "shape": list(y.shape), "path": str(path)})
        return {"ok": True, "outputs": outputs}

    def reset(self, request):
        self.models[request["handle"]].reset_states()
        return {"ok": True}

    def dump(self, request):
        nnpack.dump(self.models[request["handle"]], request["path"], allow_nonfinite=True)
        return {"ok": True}

    def selftest(self, request):
        try:
            self.models[request["handle"]].selftest()
        except SelfTestError as error:
            return {"rejected": error.code, "message": str(error)}
        return {"ok": True}

    def unload(self, request):
        self.models.pop(request["handle"])
        return {"ok": True}


def read(path, dtype):
    """The elements of a file; a string is the length of its UTF-8 in four bytes, then its UTF-8."""
    if dtype != "string":
        return np.fromfile(path, np.dtype(dtype).newbyteorder("<"))
    data, strings, at = path.read_bytes(), [], 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        strings.append(data[at + 4 : end].decode())
        at = end
    return np.array(strings, object)


def serve(adapter):
    """Answers requests until `stop` or the end of standard input; a failure is an answer too."""
    for line in sys.stdin:
        request = json.loads(line)
        if request["cmd"] == "stop":
            break
        try:
            answer = getattr(adapter, request["cmd"])(request)
        except (NnpackError, OSError, ValueError, KeyError) as error:
            traceback.print_exc()  # to standard error: standard output is for answers alone
            answer = {"error": f"{type(error).__name__}: {error}"}
        seq = {"seq": request["seq"]} if "seq" in request else {}
        print(json.dumps({**seq, **answer}), flush=True)


if __name__ == "__main__":
    serve(Adapter())
