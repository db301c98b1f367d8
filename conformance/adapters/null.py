"""Runtimes that compute nothing: none may reach a level. python conformance/adapters/null.py NAME

accepts    takes every file and answers zeros of the right dtype and shape as far as it can guess: those of the input
refuses    refuses every file
zeros      takes every file that starts as one should, and answers zeros
echo       answers its first input
silent     takes every file and answers no output
crashes    ends at the first file
sleeps     never answers about a file
confused   answers another request
babbles    writes what is no JSON
twice      answers each request twice
lacking    declares nothing, and refuses every file for it
careless   declares nothing, and takes every file
hungry     takes as much memory as it gets
"""

import json
import shutil
import sys
import time
from pathlib import Path

CASES = Path(__file__).parents[1] / "cases"


def everything():
    """All that the suite's files require."""
    manifest = json.loads((CASES.parent / "manifest.json").read_bytes())
    return sorted({item for case in manifest["cases"] for item in case["requires"]})


def hello(name):
    required = [] if name in ("lacking", "careless") else everything()
    names = {
        kind: [item.partition(":")[2] for item in required if item.startswith(kind)]
        for kind in ("op", "dtype", "feature")
    }
    ops = [op for op in names["op"] if op.partition("@")[2].isdigit()]
    return {
        "protocol": 1,
        "name": f"null-{name}",
        "version": "0",
        "language": "python",
        "spec": [[1, 0]],
        "ops": ops,
        "dtypes": names["dtype"],
        "features": names["feature"],
        "dump": name == "echo",
        "selftest": name in ("accepts", "echo"),
    }


def load(name, request):
    path = Path(request["model"])
    if name == "crashes":
        sys.exit(3)
    if name == "sleeps":
        time.sleep(3600)
    if name == "hungry":
        hoard = []
        while True:
            hoard.append(bytearray(2**24))
            time.sleep(0.001)
    starts = path.read_bytes()[:8] == b"\x95\xa6nnpack"
    if name in ("refuses", "lacking") or (name == "zeros" and not starts):
        return {"rejected": "requires-unknown" if name == "lacking" else "wrong-magic"}
    return {"ok": True, "handle": str(path)}


def run(name, request):
    if name == "silent":
        return {"ok": True, "outputs": []}
    x = request["inputs"][0]
    path = Path(request["out_dir"]) / "0"
    data = Path(x["path"]).read_bytes()
    path.write_bytes(data if name == "echo" else bytes(len(data)))
    return {"ok": True, "outputs": [{**x, "path": str(path)}]}


def answer(name, request):
    cmd = request["cmd"]
    if cmd == "hello":
        return hello(name)
    if cmd == "load":
        return load(name, request)
    if cmd == "run":
        return run(name, request)
    if cmd == "dump":
        shutil.copyfile(request["handle"], request["path"])
    return {"ok": True}


def main(name):
    for line in sys.stdin:
        request = json.loads(line)
        if request["cmd"] == "stop":
            break
        told = answer(name, request)
        if "seq" in request:
            told["seq"] = "another" if name == "confused" else request["seq"]
        text = "good morning" if name == "babbles" and request["cmd"] != "hello" else json.dumps(told)
        for _ in range(2 if name == "twice" else 1):
            print(text, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
