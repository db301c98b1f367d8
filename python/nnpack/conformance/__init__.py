"""Proves a runtime, in any language, with the cases of conformance/: suite, runtimes, judging, running, reports."""
