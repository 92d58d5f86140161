"""A historian by o6 (open62541), without security: `python o6_historian.py PORT`.

Serves the variables `Results/Score` (Double), `Results/Alarm` (Int32) and `Results/Reason` (String), stored only by
HistoryUpdate. o6 without a licence ends its process after ten minutes.
"""

import asyncio
import sys

import o6

TAGS = {"Results/Score": 0.0, "Results/Alarm": o6.Int32(0), "Results/Reason": "", "Results/Locked": 0.0}


async def serve(port: int) -> None:
    """Until the process is killed."""
    server = o6.Server(port=port)
    server.config.setHistoryDatabase(maxNodes=10, capacity=5_000, maxResponseSize=100)
    for name, value in TAGS.items():
        await server.addVariable(
            name,
            server.objectsNode,
            value,
            nodeId=f"ns=1;s={name}",
            historizing=False if name == "Results/Locked" else o6.History(capacity=5_000, strategy="manual"),
        )
    async with server:
        print("ready", flush=True)  # noqa: T201 - to the test
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
