"""A real Firefox, Debian's, fetched as any user, and spoken to in WebDriver BiDi."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers import until
from servers import unpacked_debian, unpacked_environment
from websockets.sync.client import ClientConnection, connect


class Firefox:
    """A running browser without a window."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.call("session.new", capabilities={})

    def call(self, method: str, **parameters: Any) -> Any:
        """A command of WebDriver BiDi, and its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=30))
            if message.get("id") == number:
                assert message["type"] == "success", message
                return message["result"]

    def new_page(self) -> FirefoxPage:
        return FirefoxPage(self, self.call("browsingContext.create", type="tab")["context"])


class FirefoxPage:
    """A tab, with as much of Playwright's page as the tests here need."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self._browser = browser
        self._context = context

    def goto(self, address: str) -> None:
        self._browser.call("browsingContext.navigate", context=self._context, url=address, wait="complete")

    def reload(self) -> None:
        self._browser.call("browsingContext.reload", context=self._context, wait="complete")

    def evaluate(self, function: str, argument: None = None) -> Any:
        """Call a function in the page, and answer the string, number or truth that comes of it."""
        result = self._browser.call(
            "script.callFunction",
            functionDeclaration=function,
            target={"context": self._context},
            awaitPromise=True,
            userActivation=True,
        )
        assert result["type"] == "success", result
        return result["result"].get("value")

    def choose(self, selector: str, file: Path) -> None:
        """Give a file to an input, as a user does."""
        found = self._browser.call(
            "browsingContext.locateNodes", context=self._context, locator={"type": "css", "value": selector}
        )
        element = {"sharedId": found["nodes"][0]["sharedId"]}
        self._browser.call("input.setFiles", context=self._context, element=element, files=[str(file)])

    def close(self) -> None:
        self._browser.call("browsingContext.close", context=self._context)


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    with unpacked_debian("firefox-esr", dependencies=True) as folder, (profile / "log").open("w") as log:
        program = folder / "usr" / "lib" / "firefox-esr" / "firefox-esr"
        options = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        process = subprocess.Popen(
            [program, *options],
            env={**unpacked_environment(folder), "HOME": str(profile)},
            stdout=log,
            stderr=log,
        )
        try:
            address = until(lambda: re.search("BiDi listening on (.*)", (profile / "log").read_text()))[1]
            with connect(f"{address}/session", max_size=None, proxy=None) as socket:
                yield Firefox(socket)
        finally:
            process.kill()
            process.wait()
