#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""aioice against the ICE agent (tests/tools/icepeer), in two network namespaces.

icepeer.py CASE NETNS TOOL ADDRESS: aioice runs here, the tool in NETNS on ADDRESS. Exit status 0
when datagrams went both ways over the pair that both sides say they use.
"""
import asyncio
import sys

import aioice


class Tool:
    """The agent under test, and what it has said."""

    def __init__(self, process):
        self.process = process
        self.selected = {}
        self.events = []
        self.counters = {}
        self.fresh = asyncio.Event()

    @classmethod
    async def start(cls, netns, tool, options, address):
        process = await asyncio.create_subprocess_exec(
            "nsenter", f"--net={netns}", tool, *options, address,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        return cls(process)

    async def description(self):
        told = {"candidates": []}
        while True:
            word, _, value = (await self.line()).partition(" ")
            if word == "end":
                return told
            if word == "candidate":
                told["candidates"].append(value)
            else:
                told[word] = value

    async def line(self):
        line = await asyncio.wait_for(self.process.stdout.readline(), 10)
        if not line:
            raise RuntimeError("the tool has ended")
        return line.decode().strip()

    def tell(self, connection, lite):
        lines = ["lite"] if lite else []
        lines += [f"ufrag {connection.local_username}", f"pwd {connection.local_password}"]
        lines += [f"candidate {c.to_sdp()}" for c in connection.local_candidates]
        self.process.stdin.write("".join(f"{x}\n" for x in lines + ["end"]).encode())

    async def listen(self):
        while line := (await self.process.stdout.readline()).decode().split():
            self.events.append(line)
            if line[0] == "selected":
                self.selected[int(line[1])] = line[2], line[3]
            elif line[0] == "counter":
                self.counters[line[1]] = int(line[2])
            self.fresh.set()

    async def event(self, word, seconds):
        async def wait():
            while not any(e[0] == word for e in self.events):
                self.fresh.clear()
                await self.fresh.wait()
        await asyncio.wait_for(wait(), seconds)

    async def stop(self):
        self.process.stdin.close()
        await asyncio.wait_for(self.process.wait(), 10)


async def connection_of(told, lite, controlling, components, address):
    c = aioice.Connection(ice_controlling=controlling, components=components,
                          use_ipv4=":" not in address, use_ipv6=":" in address)
    c.remote_username, c.remote_password = told["ufrag"], told["pwd"]
    c.remote_is_lite = lite
    await c.gather_candidates()
    for text in told["candidates"]:
        await c.add_remote_candidate(aioice.Candidate.from_sdp(text))
    await c.add_remote_candidate(None)
    return c


def endpoint(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def first_back(connection, sent, component):
    """The other side may have selected its pair a moment later, and drops what comes before."""
    for _ in range(5):
        await connection.sendto(sent, component)
        try:
            return await asyncio.wait_for(connection.recvfrom(), 1)
        except asyncio.TimeoutError:
            pass
    raise asyncio.TimeoutError


async def exchange(connection, tool, components):
    """What is sent comes back, and both sides mean the same pair."""
    for component in range(1, components + 1):
        assert await first_back(connection, b"\x80first", component) == (b"\x80first", component)
        for i in range(10):
            sent = b"\x80%d %d" % (component, i)
            await connection.sendto(sent, component)
            back = await asyncio.wait_for(connection.recvfrom(), 5)
            if back == (b"\x80first", component):  # late, and sent again for that
                back = await asyncio.wait_for(connection.recvfrom(), 5)
            assert back == (sent, component), back
        pair = connection._nominated[component]
        remote = endpoint(*pair.remote_addr)
        assert tool.selected[component][0] == remote, (tool.selected, remote)
        assert tool.selected[component][1].rsplit(":", 1)[1] == str(pair.local_candidate.port)


async def connected(tool, told, case, address):
    c = await connection_of(told, case["lite"], case["theirs"], case["components"], address)
    tool.tell(c, False)
    await asyncio.wait_for(c.connect(), 20)
    await exchange(c, tool, case["components"])
    return c


CASES = {
    "lite": {"lite": True, "theirs": True},
    "full": {"theirs": True},
    "controlling": {"options": ["--controlling"]},
    "conflict": {"options": ["--controlling"], "theirs": True},
    "components": {"options": ["--controlling"], "components": 2},
    "restart": {"options": ["--controlling"], "restart": True},
    "restart-lite": {"lite": True, "theirs": True, "restart": True},
    "consent": {"theirs": True, "lost": True},
    "consent-lite": {"lite": True, "theirs": True, "lost": True},
}


async def run(case, netns, path, address):
    case = {"lite": False, "theirs": False, "components": 1, "options": [], **case}
    options = case["options"] + ["--components", str(case["components"])]
    tool = await Tool.start(netns, path, options + ["--lite"] * case["lite"], address)
    told = await tool.description()
    if case.get("restart"):
        # The new description comes in the midst of events, so nobody else may read them.
        c = await connection_of(told, case["lite"], case["theirs"], 1, address)
        tool.tell(c, False)
        connecting = asyncio.ensure_future(c.connect())
        assert (await tool.line()).startswith("selected")
        await asyncio.wait_for(connecting, 20)
        tool.process.stdin.write(b"restart\n")
        told = await tool.description()
        await c.sendto(b"\x80old", 1)  # the old pair stays until there is a new one
        assert await asyncio.wait_for(c.recvfrom(), 5) == (b"\x80old", 1)
    listening = asyncio.ensure_future(tool.listen())
    c = await connected(tool, told, case, address)
    if case.get("lost"):
        await asyncio.sleep(7)  # a consent check of either side
        await c.close()
        await tool.event("lost", 45)
    await tool.stop()
    await listening
    n = tool.counters
    assert n["bad_auth"] == n["bad_response"] == n["unknown_attribute"] == 0, n
    assert not case["lite"] or n["checks_sent"] == n["consents_sent"] == 0, n
    assert case.get("lost") or not any(e[0] in ("lost", "failed") for e in tool.events)
    if not case.get("lost"):
        await c.close()


asyncio.run(asyncio.wait_for(run(CASES[sys.argv[1]], *sys.argv[2:5]), 100))
