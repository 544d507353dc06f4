"""A report that every CI server reads: JUnit's XML, a test suite for each implementation in a role."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Final

from tunnel_conformance.records import Outcome, Run, Verdict
from tunnel_conformance.report.expect import Expectations
from tunnel_conformance.report.marks import counts_against
from tunnel_conformance.report.matrix import label
from tunnel_conformance.report.words import told

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, escaped or not."""


def junit(runs: Sequence[Run], expectations: Expectations) -> bytes:
    """The whole file. What is known to fail stands in it as skipped, with the reason."""
    root = ET.Element("testsuites", name="tunnel-conformance")
    for run in runs:
        _suite(root, run, expectations)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _suite(root: ET.Element, run: Run, expectations: Expectations) -> None:
    name = _text(f"{run.header.subject} as {run.header.role}")
    suite = ET.SubElement(
        root, "testsuite", name=name, timestamp=_text(run.header.started), time=f"{run.footer.seconds:.3f}"
    )
    for verdict in run.verdicts:
        _test(suite, name, run, verdict, expectations)
    suite.set("tests", str(len(run.verdicts)))
    for counter, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(counter, str(len(suite.findall(f"testcase/{tag}"))))


def _test(suite: ET.Element, classname: str, run: Run, verdict: Verdict, expectations: Expectations) -> None:
    test = ET.SubElement(
        suite, "testcase", classname=classname, name=_text(label(verdict)), time=f"{verdict.seconds:.3f}"
    )
    story = _text("\n".join(told(verdict, run.header.subject)))
    known = expectations.known(run.header, verdict)
    if known is not None:
        ET.SubElement(test, "skipped", message=_text(f"known: {known.reason}"))
    elif not counts_against(verdict):
        if verdict.outcome in (Outcome.NOT_TESTABLE, Outcome.NOT_APPLICABLE):
            ET.SubElement(test, "skipped", message=_text(f"{verdict.outcome.value}: {verdict.note}"))
    else:
        tag = "error" if verdict.outcome in (Outcome.ERROR, Outcome.HARNESS) else "failure"
        told_short = _text(f"{verdict.outcome.value}: expected {verdict.expected}, got {verdict.got}")
        ET.SubElement(test, tag, type=verdict.outcome.value, message=told_short).text = story
    if verdict.outcome is not Outcome.PASS:
        ET.SubElement(test, "system-out").text = story


def _text(text: str) -> str:
    return _FORBIDDEN.sub("", text)
