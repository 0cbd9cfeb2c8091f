#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Field access to tandem's JSON (and the test tools'), in one place.

  session.py FILE ids                 ids of `session list`, one a line
  session.py FILE count               how many sessions
  session.py FILE get PATH...         values, one a line
  session.py FILE has CONDITION...    status 0 when all hold

PATH is dotted, with numbers for list positions and two forms for lists:
`flows.*.fast_packets` yields one value per element, `flows.+.fast_packets`
their sum; `flows{remote=10.77.1.2:6000}` keeps the elements whose field has that
value (and is itself a list, to be followed by one of the two). CONDITION is PATH OP VALUE with OP one of = != > < >= <= ~ (regular
expression); with `*` it must hold for every element, of which there must be one.
FILE may be - for standard input.
"""
import json
import re
import sys


def load(name):
    if name == "-":
        return json.load(sys.stdin)
    with open(name, encoding="utf-8") as f:
        return json.load(f)


def sessions(doc):
    return doc["sessions"]


def streams(doc):
    """The streams of `session show`: dictionaries with the contract's names."""
    return doc.get("streams", [])


def values(doc, path):
    nodes = [doc]
    total = False
    for part in re.findall(r"[^.{}]+|\{[^}]*\}", path):
        if part.startswith("{"):
            name, _, want = part[1:-1].partition("=")
            nodes = [[x for x in n if text(x[name]) == want] for n in nodes]
        elif part in ("*", "+"):
            total = total or part == "+"
            nodes = [x for n in nodes for x in n]
        elif part.lstrip("-").isdigit() and nodes and isinstance(nodes[0], list):
            nodes = [n[int(part)] for n in nodes]
        else:
            nodes = [n[part] for n in nodes]
    return [sum(nodes)] if total else nodes


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def holds(value, op, want):
    if op == "~":
        return re.search(want, text(value)) is not None
    a, b = number(value), number(want)
    if op in ("=", "!="):
        same = text(value) == want or (a is not None and a == b)
        return same == (op == "=")
    if a is None or b is None:
        return False
    return {">": a > b, "<": a < b, ">=": a >= b, "<=": a <= b}[op]


def fulfils(doc, condition):
    m = re.match(r"((?:[\w.*+-]|\{[^}]*\})+?)(!=|>=|<=|=|>|<|~)(.*)$", condition)
    if not m:
        raise SystemExit(f"bad condition: {condition}")
    path, op, want = m.groups()
    try:
        found = values(doc, path)
    except (KeyError, IndexError, TypeError):
        print(f"{path}: not there")
        return False
    bad = [v for v in found if not holds(v, op, want)]
    if bad or not found:
        print(f"{path} is {', '.join(map(text, found)) or 'empty'}, wanted {op} {want}")
    return bool(found) and not bad


def main(argv):
    if len(argv) < 3:
        raise SystemExit(__doc__)
    doc, verb, rest = load(argv[1]), argv[2], argv[3:]
    if verb == "ids":
        for s in sessions(doc):
            print(s["id"])
    elif verb == "count":
        print(len(sessions(doc)))
    elif verb == "get":
        for path in rest:
            for value in values(doc, path):
                print(text(value))
    elif verb == "has":
        return 0 if all([fulfils(doc, c) for c in rest]) else 1
    else:
        raise SystemExit(__doc__)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
