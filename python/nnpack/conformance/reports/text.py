"""What all reports say of a case, in words. Whatever came from a runtime is made harmless here."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping

from nnpack.conformance.results import Result, Run, Verdict, Worst
from nnpack.errors import printable

LIMIT = 600
"""No single line that a runtime had a part in is longer."""

LOG_LINES = 60


def line(text: str, limit: int = LIMIT) -> str:
    """The text on one line, not endless."""
    whole = printable(" ".join(text[: 4 * limit].split()))
    return whole if len(whole) <= limit and len(text) <= 4 * limit else f"{whole[:limit].rstrip()} …"


def log_lines(text: str, limit: int = LOG_LINES) -> list[str]:
    """The last lines of a log."""
    return [printable(each.rstrip("\r").expandtabs())[:LIMIT] for each in text.rstrip().split("\n")[-limit:]]


def brief(x: float, digits: int = 3) -> str:
    """A number as people write it: 2.1e5."""
    if not math.isfinite(x):
        return "NaN" if math.isnan(x) else "∞" if x > 0 else "−∞"
    if 10**digits - 0.5 <= abs(x) < 9999.5:
        return f"{x:.0f}"
    return re.sub(r"e([+-])0*", lambda found: "e" + found[1].strip("+"), f"{x:.{digits}g}")


def share(use: float) -> str:
    """A part of a tolerance, which is never rounded across 1."""
    if 0.01 <= use < 0.995:
        return f"{use:.2f}"
    return next((text for text in (brief(use, digits) for digits in range(2, 17)) if _over(text) == (use > 1)), "1")


def _over(text: str) -> bool:
    return text == "∞" or (text not in ("NaN", "−∞") and float(text) > 1)


def apart(got: float, want: float) -> tuple[str, str]:
    """Two numbers with as many digits as show that they differ."""
    pairs = ((brief(got, digits), brief(want, digits)) for digits in range(5, 17))
    return next((pair for pair in pairs if pair[0] != pair[1]), (brief(got, 17), brief(want, 17)))


def distance(worst: Worst) -> str:
    """How far an element is from what is expected; "" where that is no finite number."""
    if not math.isfinite(worst.error):
        return ""
    if worst.error <= worst.times * 2**-125:  # no more than the floor of all tolerances is allowed
        return f"off by {brief(worst.error)}, and has to be exact"
    return f"off by {brief(worst.error)} = {share(worst.times)} × tolerance"


def worst_element(worst: Worst) -> str:
    """ "y[0, 2]: got 3.618, want 1.2042, off by 2.41 = 2.1e5 × tolerance" """
    got, want = apart(worst.got, worst.want)
    far = distance(worst)
    return f"{line(worst.at)}: got {got}, want {want}{far and f', {far}'}"


def problem(result: Result) -> str:
    """What is wrong with a case; of an announced failure that is none, that."""
    if result.expected and result.passed:
        return "announced as a failure, and passes"
    message = line(result.message) or result.verdict.value
    return f"announced as a failure, and is unsupported: {message}" if result.expected and result.declared else message


def place(spec: Mapping[str, str]) -> str:
    """Page and section of the specification."""
    return line(f"spec/{spec.get('page', '')}, {spec.get('section', '')}")


def sentence(spec: Mapping[str, str]) -> str:
    """The words of the specification; the cells of a table's row with dots between them."""
    words = line(spec.get("sentence", ""), 2 * LIMIT)
    if not words.startswith("|"):
        return words
    cells = (cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", words))
    return " · ".join(cell for cell in cells if cell)


def about(result: Result) -> str:
    """ "L1; dense@1" """
    operators = result.operators[:4] + (("…",) if len(result.operators) > 4 else ())
    return line("; ".join(part for part in (result.level, ", ".join(operators)) if part))


def repeat(run: Run, result: Result) -> str:
    """The command line that repeats one case."""
    return printable(f"{run.repeat} --case {shlex.quote(result.id)} --seed {run.seed}")


def block(run: Run, result: Result) -> list[str]:
    """A case that did not come out as it should, for people who have to do something about it."""
    return [*told(result), f"  repeat: {repeat(run, result)}"]


def told(result: Result) -> list[str]:
    """A case, what is wrong with it, and what the specification says."""
    lines = [f"{result.verdict.value.upper()} {line(result.id)} [{about(result)}]   {problem(result)}"]
    if result.worst:
        lines.append(f"  worst {worst_element(result.worst)}")
    if result.hint:
        lines.append(f"  {line(result.hint)}")
    if result.spec and not broken(result):
        lines.append(f'  {place(result.spec)}: "{sentence(result.spec)}"')
    return lines


def runtime_name(run: Run) -> str:
    """ "tinynn 0.3" """
    return line(f"{run.runtime.get('name', '')} {run.runtime.get('version', '')}", 120) or "a runtime without a name"


def format_version(run: Run) -> str:
    return ".".join(map(str, run.format))


def broken(result: Result) -> bool:
    """Whether the runtime gave no answer that could be judged."""
    return result.verdict in (Verdict.ERROR, Verdict.CRASH, Verdict.TIMEOUT, Verdict.PROTOCOL)
