"""The C runtime: the whole conformance suite, as different compilers and machines run it; fuzzing; what it links."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from documents import document, layer, packed, tensor
from nnpack.converters.c import amalgamation
from nnpack.format.document import State, Value
from nnpack.ops import OPERATORS

ROOT = Path(__file__).parents[1]
C = ROOT / "c"

SANITIZERS = "-O1 -g -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all"

BUILDS = {
    "gcc": ("gcc", "-O3", "", ""),
    "clang": ("clang", "-O3 -march=native", "", "--lean"),
    "sanitizers": ("clang", SANITIZERS, "", ""),
    "arm-small": ("arm-linux-gnueabihf-gcc", "-Os -static", "qemu-arm", ""),
    "big-endian": ("powerpc-linux-gnu-gcc", "-O2 -static", "qemu-ppc", "--lean"),
}
"""name -> compiler, its flags, what runs its programs, options of the adapter."""

SLOW = 8
"""How much longer than a runtime of its own machine an emulated or instrumented one may take."""


def require(*programs):
    missing = [program for program in programs if program and not shutil.which(program)]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: make packages")


def make(target, folder, **variables):
    given = [f"{name}={value}" for name, value in variables.items()]
    done = subprocess.run(
        ["make", "-C", str(C), f"OUT={folder}", *given, target], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


def conformance(command, tmp_path, *options):
    """Runs the suite against a runtime; what it says of it."""
    report = tmp_path / "results.jsonl"
    arguments = ["conformance", "run", "--runtime", command, "--quiet", "--seed", "1", "--json", str(report), *options]
    done = subprocess.run([sys.executable, "-m", "nnpack", *arguments], capture_output=True, text=True, check=False)
    results = [json.loads(line) for line in report.read_text().splitlines()]
    cases = [result["result"] for result in results if "result" in result]
    return done, cases


def test_every_operator_is_there():
    assert set(amalgamation.operators()) == {op.partition("@")[0] for op in OPERATORS}


@pytest.mark.parametrize("name", BUILDS)
def test_suite(name, tmp_path):
    """Every case of every level."""
    compiler, flags, emulator, option = BUILDS[name]
    require("make", compiler, emulator)
    make("adapter", tmp_path, CC=compiler, CFLAGS=flags)
    command = " ".join(filter(None, [emulator, str(tmp_path / "adapter"), option]))
    done, cases = conformance(command, tmp_path, "--timeout", str(10 * SLOW), "--memory", "4096")
    wrong = [case["id"] for case in cases if case["verdict"] != "pass"]
    assert done.returncode == 0, f"{wrong[:20]}\n{done.stdout[-3000:]}"
    assert len(cases) > 5000
    assert wrong == []
    refused = [case for case in cases if case["kind"] == "reject"]
    other = {case["id"] for case in refused if case["received_code"] != case["code"]}
    assert other <= {"tensors/order-permuted"}  # which has two faults, the other of which is met first


def test_suite_of_one_file(tmp_path):
    """The runtime as `nnpack convert` writes it, with all operators, behind the same adapter."""
    require("make", "cc")
    make("adapter", tmp_path)
    (tmp_path / "nnp.h").write_text(amalgamation.header())
    operators = amalgamation.operators()
    (tmp_path / "nnp.c").write_text(amalgamation.runtime(operators, float64=True, states=True, storage=True))
    objects = [tmp_path / "conformance" / f"{name}.o" for name in ("adapter", "json")]
    objects.append(tmp_path / "src" / "nnp_file.o")
    command = ["cc", "-std=c99", "-O1", "nnp.c", *map(str, objects), "-lm", "-o", "one"]
    subprocess.run(command, cwd=tmp_path, check=True)
    done, cases = conformance(str(tmp_path / "one"), tmp_path)
    assert done.returncode == 0, done.stdout[-3000:]
    assert {case["verdict"] for case in cases} == {"pass"}


def test_suite_one_shot(tmp_path):
    """The adapter as one program for one call; states are what that form cannot carry."""
    require("make", "cc")
    make("adapter", tmp_path)
    done, cases = conformance(
        str(tmp_path / "adapter"), tmp_path, "--one-shot", "--level", "L1", "--op", "dense", "--op", "softmax"
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert {case["verdict"] for case in cases} == {"pass"}


def test_fresh_cases(tmp_path):
    require("make", "cc")
    make("adapter", tmp_path)
    command = ["conformance", "fuzz", "--runtime", str(tmp_path / "adapter"), "--seed", "11", "--cases", "5", "--quiet"]
    done = subprocess.run([sys.executable, "-m", "nnpack", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_files_json_readme_and_examples(tmp_path):
    require("make", "cc", "c++")
    make("test", tmp_path)


def test_fuzz(tmp_path):
    """Any bytes, a minute for loading, a minute for loading and running; FUZZ_SECONDS says otherwise."""
    require("make", "clang", "tar")
    make("fuzz", tmp_path, FUZZ_SECONDS=os.environ.get("FUZZ_SECONDS", "60"))


def test_outputs_that_are_states_and_inputs(tmp_path):
    """Each call answers what they are in this call: the state before it, which the next call no longer is."""
    require("make", "cc")
    make("adapter", tmp_path, CFLAGS="-O1")
    x, v = Value("x", "float32", ("batch", 1)), Value("s", "float32", ("batch", 1))
    layers = [layer("v", "add", ["x", "s"], ("batch", 1))]
    state = State(v, "v", "initial")
    doc = document(layers, [tensor("initial", np.array([7], np.float32))], [x], ["s", "v", "x"], states=(state,))
    (tmp_path / "m.nnpack").write_bytes(packed(doc))
    np.array([[1]], "<f4").tofile(tmp_path / "x")
    (tmp_path / "out").mkdir()
    given = {"name": "x", "dtype": "float32", "shape": [1, 1], "path": str(tmp_path / "x")}
    run = {"cmd": "run", "seq": "2", "handle": 1, "out_dir": str(tmp_path / "out"), "inputs": [given]}
    told = []
    with subprocess.Popen(
        [str(tmp_path / "adapter")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as adapter:

        def ask(request):
            adapter.stdin.write(json.dumps(request) + "\n")
            adapter.stdin.flush()
            return json.loads(adapter.stdout.readline())

        ask({"cmd": "hello", "protocol": 1, "suite": "1.0.0"})
        run["handle"] = ask({"cmd": "load", "seq": "1", "model": str(tmp_path / "m.nnpack")})["handle"]
        for _ in range(3):
            told.append([float(np.fromfile(y["path"], "<f4")[0]) for y in ask(run)["outputs"]])
        adapter.stdin.write('{"cmd": "stop"}\n')
        adapter.stdin.close()
    assert told == [[7, 8, 1], [8, 9, 1], [9, 10, 1]]


def test_families_can_be_left_out(tmp_path):
    """What is not built in is refused, and declared as missing; all else passes."""
    require("make", "cc")
    make("adapter", tmp_path, CONFIG="-DNNP_ALL=0 -DNNP_CONVOLUTION=1 -DNNP_MESSAGES=0", CFLAGS="-O1")
    done, cases = conformance(str(tmp_path / "adapter"), tmp_path, "--declared")
    assert done.returncode == 0, done.stdout[-3000:]
    groups = {case["id"].partition("/")[0] for case in cases}
    assert {"dense", "conv", "softmax"} <= groups
    assert not {"max_pool", "lstm"} & groups


LIBM = {
    *("acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1"),
    *("fabs", "floor", "fmod", "hypot", "log", "log10", "log1p", "log2", "pow", "rint", "sin", "sinh", "sqrt", "tan"),
    *("tanh", "trunc", "fmax", "fmin", "fma"),
}
STRING_H = {"memchr", "memcmp", "memcpy", "memmove", "memset", "strchr", "strcspn", "strlen"}


def test_core_needs_nothing_but_libm_and_string_h(tmp_path):
    """No allocator, no input or output, no exit, no memory that is written to but the caller's."""
    require("make", "cc", "nm", "size")
    make("lib", tmp_path, CFLAGS="-Os -fno-pie")
    objects = [path for path in (tmp_path / "src").rglob("*.o") if path.stem != "nnp_file"]
    assert len(objects) > 25
    listed = subprocess.run(["nm", "-u", *map(str, objects)], capture_output=True, text=True, check=True).stdout
    foreign = {name for name in re.findall(r"U (\w+)", listed) if not name.startswith("nnp_")}
    plain = {name.removesuffix("f") if name.removesuffix("f") in LIBM else name for name in foreign}
    assert plain - LIBM - STRING_H - {"_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail", "__cpu_model"} == set()
    symbols = subprocess.run(["nm", *map(str, objects)], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^\w+ [bBdDC] .*$", symbols, re.M) == []


def test_cmake_and_pkg_config(tmp_path):
    require("cmake", "pkg-config", "cc")
    source = '#include "nnp.h"\n#include <stdio.h>\nint main(void) { puts(nnp_status_code(NNP_SHAPE)); return 0; }\n'
    (tmp_path / "main.c").write_text(source)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(user C)\nfind_package(nnp REQUIRED)\n"
        "add_executable(user main.c)\ntarget_link_libraries(user nnp::nnp)\n"
    )
    prefix, run = tmp_path / "prefix", {"cwd": tmp_path, "check": True, "capture_output": True, "text": True}
    subprocess.run(["cmake", "-S", str(C), "-B", "build", f"-DCMAKE_INSTALL_PREFIX={prefix}"], **run)
    subprocess.run(["cmake", "--build", "build", "--target", "install", "-j", "2"], **run)
    subprocess.run(["cmake", "-S", ".", "-B", "user", f"-DCMAKE_PREFIX_PATH={prefix}"], **run)
    subprocess.run(["cmake", "--build", "user"], **run)
    assert subprocess.run([str(tmp_path / "user" / "user")], **run).stdout == "shape\n"
    found = os.pathsep.join(map(str, prefix.rglob("pkgconfig")))
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "nnp"], env={**os.environ, "PKG_CONFIG_PATH": found}, **run
    ).stdout.split()
    subprocess.run(["cc", "main.c", *flags, "-lm", "-o", "by-pkg-config"], **run)
    assert subprocess.run([str(tmp_path / "by-pkg-config")], **run).stdout == "shape\n"
