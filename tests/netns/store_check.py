#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Does the store keep what store_client.py was promised? Prints what is missing, or too much."""

import sqlite3
import sys


def main():
    database, promises = sys.argv[1:3]
    state = {}
    # the promises first: what comes while the store is read was stored before it was promised
    with open(promises, encoding="ascii") as f:
        for line in f:
            mark, user = line.split()
            state[user] = mark
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
    stored = {row[0] for row in db.execute("SELECT aor FROM contacts")}
    lost = [u for u, mark in state.items() if mark == "+" and f"sip:{u}@example.test" not in stored]
    risen = [u for u, mark in state.items() if mark == "0" and f"sip:{u}@example.test" in stored]
    kept = sum(1 for mark in state.values() if mark == "+")
    print(f"{kept} kept, {len(lost)} lost, {len(risen)} risen again: {lost[:5]} {risen[:5]}")
    return 1 if lost or risen else 0


if __name__ == "__main__":
    sys.exit(main())
