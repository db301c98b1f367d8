"""A run as JUnit XML, which CI servers show: a suite for each group of cases."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from nnpack.conformance.reports.text import block, broken, format_version, line, log_lines, problem, runtime_name
from nnpack.conformance.results import Result, Run


def junit_xml(run: Run) -> str:
    """One document: what the runtime declared as lacking and what was announced is skipped, not failed."""
    root = Element("testsuites", name=f"nnpack conformance: {runtime_name(run)}")
    groups: dict[str, list[Result]] = {}
    for result in run.results:
        groups.setdefault(result.group, []).append(result)
    _count(root, run.results, run.seconds)
    for name, results in groups.items():
        suite = SubElement(root, "testsuite", name=line(name))
        _count(suite, results, sum(result.seconds for result in results))
        properties = SubElement(suite, "properties")
        for key, value in _properties(run).items():
            SubElement(properties, "property", name=key, value=line(value))
        for result in results:
            _case(suite, run, result)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, "unicode")}\n'


def _properties(run: Run) -> dict[str, str]:
    return {
        **{f"runtime.{key}": value for key, value in run.runtime.items() if key in ("name", "version", "language")},
        "command": run.command,
        "suite": run.suite,
        "format": format_version(run),
        "seed": str(run.seed),
    }


def _count(element: Element, results: Sequence[Result], seconds: float) -> None:
    outcomes = [_outcome(result) for result in results]
    element.set("tests", str(len(outcomes)))
    element.set("failures", str(outcomes.count("failure")))
    element.set("errors", str(outcomes.count("error")))
    element.set("skipped", str(outcomes.count("skipped")))
    element.set("time", f"{seconds:.3f}")


def _outcome(result: Result) -> str:
    """The element that tells what happened; "" where all is right."""
    if result.wanted:
        return "" if result.passed else "skipped"
    return "error" if broken(result) else "failure"


def _case(suite: Element, run: Run, result: Result) -> None:
    case = SubElement(
        suite, "testcase", name=line(result.id), classname=f"nnpack.{result.level}", time=f"{result.seconds:.3f}"
    )
    outcome = _outcome(result)
    if outcome == "skipped":
        reason = f"announced failure: {problem(result)}" if result.expected else f"unsupported: {problem(result)}"
        SubElement(case, "skipped", message=reason)
    elif outcome:
        told = SubElement(case, outcome, message=problem(result), type=result.verdict.value)
        told.text = "\n".join(block(run, result))
    if result.log:
        SubElement(case, "system-err").text = "\n".join(log_lines(result.log))
