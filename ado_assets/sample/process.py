"""A sample organization in a process of its own, so that its work does not weigh on the reader's."""

from __future__ import annotations

import json
import subprocess
import sys
from types import TracebackType
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen


class SampleProcess:
    """
    Starts ``python -m ado_assets.sample`` and ends it with the context.

    *base_url* (without the organization) and *organization* are known once entered. The child also ends when this
    process dies, because it watches its standard input.
    """

    def __init__(self, scale: str = "small", seed: int = 7, port: int = 0, organization: str = "sample") -> None:
        self.organization = organization
        self.base_url = ""
        self._command = [sys.executable, "-m", "ado_assets.sample", "--scale", scale, "--seed", str(seed)]
        self._command += ["--port", str(port), "--organization", organization, "--until-input-ends"]
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> SampleProcess:
        self._child = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"the sample organization ended with code {self._child.wait()} before it was ready")
        self.base_url = json.loads(line)["base_url"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.terminate()
            self._child.communicate(timeout=20)

    def _control(self, path: str, method: str, sent: Any = None) -> Any:
        body = None if sent is None else json.dumps(sent).encode()
        with urlopen(Request(f"{self.base_url}/_sample/{path}", body, method=method), timeout=300) as answer:
            return json.load(answer)

    def tick(self, days: int = 1) -> list[str]:
        """Let days pass; return a sentence for each thing that happened."""
        happened: list[str] = self._control(f"tick?days={days}", "POST")["happened"]
        return happened

    def scenario(self, name: str) -> str:
        """Make one named thing happen and return its sentence. Raises urllib's HTTPError (404) for an unknown name."""
        sentence: str = self._control(f"scenario/{quote(name)}", "POST")["happened"][0]
        return sentence

    def scenarios(self) -> list[str]:
        """Return the names of the scenarios."""
        names: list[str] = self._control("scenarios", "GET")["scenarios"]
        return names

    def requests(self) -> list[dict[str, Any]]:
        """Return method, template, status and count of the calls since the last reset."""
        rows: list[dict[str, Any]] = self._control("requests", "GET")["requests"]
        return rows

    def reset_requests(self) -> None:
        """Forget the counts."""
        self._control("requests/reset", "POST")

    def set_faults(self, *rules: dict[str, Any]) -> None:
        """Add rules of misbehaviour, with the properties of ``faults.Rule``. Raises HTTPError (400) for a wrong one."""
        self._control("faults", "POST", list(rules))

    def faults(self) -> dict[str, Any]:
        """Return the rules in force with their counts, and the requests inside pauses by token."""
        state: dict[str, Any] = self._control("faults", "GET")
        return state

    def clear_faults(self) -> None:
        """Behave again, and forget the counts."""
        self._control("faults", "DELETE")
