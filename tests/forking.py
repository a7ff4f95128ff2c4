"""The fork server of a test run, which starts the processes of all its platforms."""

from functools import cache

from deploy.local.fork_server import MODULES, ForkServer


@cache
def fork_server() -> ForkServer:
    """Started once for each process that runs tests."""
    server = ForkServer(*MODULES)
    server.start()
    return server
