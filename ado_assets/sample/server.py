"""
The HTTP application of a sample organization and the ways to run it in this process.

Belongs here: checks every call passes (credential, route, version, scope), the control routes under ``/_sample``, and
running it. Does not belong here: any answer of the service.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from email.utils import format_datetime
from functools import lru_cache, partial
from types import TracebackType

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ado_assets.sample import boards_routes, core_routes, discovery, git_routes, pipelines_routes
from ado_assets.sample.auth import require, scopes_of, sign_in, token_of
from ado_assets.sample.fault_answers import deliver, faulty, translate, with_connection
from ado_assets.sample.faults import rule_from
from ado_assets.sample.http import ApiError, Operation, bad_request, json_response, parameters
from ado_assets.sample.routing import Routes
from ado_assets.sample.scale import Scale
from ado_assets.sample.world import World

ROUTE_MODULES = (discovery, core_routes, boards_routes, pipelines_routes, git_routes)
VERSION = re.compile(r"(\d+)\.(\d+)(-preview(?:\.\d+)?)?$")
RELEASED, KNOWN = (7, 1), (7, 2)


def operations() -> list[Operation]:
    """Return every operation the organization answers."""
    return [operation for module in ROUTE_MODULES for operation in module.OPERATIONS]


@lru_cache(maxsize=256)
def refusal_of_version(text: str | None, preview: str | None) -> ApiError | None:
    """Return why a request of api-version *text* is refused, or None. *preview* is what the operation insists on."""
    if not text:
        message = "No api-version was supplied for the request. Supply it in the Accept header or the query."
        return bad_request(message, "VssVersionNotSpecifiedException")
    match = VERSION.match(text)
    if match is None:
        return bad_request(f"The api-version '{text}' is not valid.", "VssInvalidApiVersionException")
    wanted = (int(match[1]), int(match[2]))
    if wanted > KNOWN:
        message = f"The requested REST API version of {text} is out of range for this server (up to 7.2)."
        return bad_request(message, "VssVersionOutOfRangeException")
    if match[3] is None and (preview is not None or wanted > RELEASED):
        message = (
            f'The requested version "{text}" of the resource is under preview. The -preview flag must be supplied in '
            f'the api-version for such requests. For example: "{preview or text + "-preview"}"'
        )
        return bad_request(message, "VssInvalidPreviewVersionException")
    return None


def _version_of(request: Request) -> str | None:
    named = parameters(request).get("api-version")
    if named:
        return named
    _, _, accepted = request.headers.get("accept", "").partition("api-version=")
    return accepted.split(";")[0].split(",")[0].strip() or None


class Service:
    """The ASGI application below the root: checks each call, lets its handler answer, and counts it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.routes = Routes(operations())
        self._date = (world.clock.now(), "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        scope["world"] = self.world
        template, rule = "(no route)", None
        faults, token = self.world.faults, token_of(request.headers.get("authorization", ""))
        faults.arrived(token)
        translate(request, faults)
        try:
            scopes = scopes_of(request)
            if scopes is None:
                response = sign_in()
            else:
                operation = self._find(request)
                template = operation.template
                rule = faults.rule_for(template, self._split(request)[1], token) if faults.rules else None
                answering = partial(self._answer, request, operation, scopes)
                now = self.world.clock.now()
                response = await (faulty(rule, request, faults, now, answering) if rule else answering())
        except ApiError as refusal:
            response = json_response(refusal.body(), refusal.status)
        counted = (request.method, template, response.status_code)
        self.world.requests[counted] = self.world.requests.get(counted, 0) + 1
        response.raw_headers.append((b"date", self._http_date().encode()))
        if rule is None:
            await response(scope, receive, send)
            return
        if rule.retry_after is not None and "retry-after" in response.headers:
            faults.pause(token, rule.retry_after)
        await deliver(rule, response, scope, receive, send)

    def _split(self, request: Request) -> tuple[str, str]:
        """The organization and the path below it, as they were sent."""
        raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
        organization, _, path = raw.decode("latin-1").partition("?")[0].lstrip("/").partition("/")
        return organization, path

    def _find(self, request: Request) -> Operation:
        organization, path = self._split(request)
        if organization.lower() != self.world.organization.lower():
            message = f"VS800075: The organization '{organization}' does not exist."
            raise ApiError(404, "ServiceHostDoesNotExistException", message)
        operation, request.scope["path_params"] = self.routes.find(request.method, path)
        return operation

    async def _answer(self, request: Request, operation: Operation, scopes: frozenset[str]) -> Response:
        if operation.method != "OPTIONS":
            refusal = refusal_of_version(_version_of(request), operation.preview)
            if refusal is not None:
                raise refusal
        require(scopes, operation.scope)
        return await operation.handler(request)

    def _http_date(self) -> str:
        now = self.world.clock.now()
        if self._date != (now, self._date[1]) or not self._date[1]:
            self._date = (now, format_datetime(now, usegmt=True))
        return self._date[1]


async def list_requests(request: Request) -> Response:
    """Answer how often each operation was called, by status, since the last reset."""
    counted: dict[tuple[str, str, int], int] = request.app.state.world.requests
    rows = [
        {"method": method, "template": template, "status": status, "count": count}
        for (method, template, status), count in sorted(counted.items())
    ]
    return JSONResponse({"total": sum(counted.values()), "requests": rows})


async def reset_requests(request: Request) -> Response:
    """Forget the counts."""
    request.app.state.world.requests.clear()
    return JSONResponse({"total": 0})


async def tick(request: Request) -> Response:
    """Let days pass; answer the sentences of what happened."""
    days = request.query_params.get("days", "1")
    if not days.isdigit():
        return JSONResponse({"error": f"days must be a whole number, not {days!r}"}, 400)
    world: World = request.app.state.world
    happened = world.tick(int(days))
    return JSONResponse({"now": world.clock.now().isoformat(), "happened": happened})


async def run_scenario(request: Request) -> Response:
    """Make one named thing happen; answer its sentence, or 404 with the known names."""
    world: World = request.app.state.world
    name = request.path_params["name"]
    if name not in world.scenarios():
        return JSONResponse({"error": f"no scenario {name!r}", "known": world.scenarios()}, 404)
    return JSONResponse({"now": world.clock.now().isoformat(), "happened": [world.run_scenario(name)]})


async def list_scenarios(request: Request) -> Response:
    """Answer the names of the scenarios."""
    return JSONResponse({"scenarios": request.app.state.world.scenarios()})


async def set_faults(request: Request) -> JSONResponse:
    """Add one rule or a list of them (see ``faults.Rule``); answer all in force, or 400 with what is wrong."""
    world: World = request.app.state.world
    try:
        described = await request.json()
        world.faults.set(*map(rule_from, described if isinstance(described, list) else [described]))
    except (ValueError, TypeError) as error:
        return JSONResponse({"error": str(error)}, 400)
    return JSONResponse(world.faults.state())


async def list_faults(request: Request) -> JSONResponse:
    """Answer the rules in force, how often each was applied, and who asked inside a pause."""
    return JSONResponse(request.app.state.world.faults.state())


async def clear_faults(request: Request) -> JSONResponse:
    """End all rules and pauses; answer what had been counted."""
    world: World = request.app.state.world
    counted = world.faults.state()
    world.faults.clear()
    return JSONResponse(counted)


def create_app(world: World) -> Starlette:
    """Return the application that serves *world*, with its control routes."""
    control = [
        Route("/_sample/requests", list_requests),
        Route("/_sample/requests/reset", reset_requests, methods=["POST"]),
        Route("/_sample/tick", tick, methods=["POST"]),
        Route("/_sample/scenario/{name}", run_scenario, methods=["POST"]),
        Route("/_sample/scenarios", list_scenarios),
        Route("/_sample/faults", set_faults, methods=["POST"]),
        Route("/_sample/faults", clear_faults, methods=["DELETE"]),
        Route("/_sample/faults", list_faults),
    ]
    service: ASGIApp = Service(world)
    app = Starlette(routes=[*control, Mount("/", app=service)])
    app.state.world = world
    return app


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(1024)
    return listener


def uvicorn_server(world: World) -> uvicorn.Server:
    """Return a uvicorn server for *world*; the Date header is the organization's, not the machine's."""
    config = uvicorn.Config(
        with_connection(create_app(world)),
        log_level="warning",
        access_log=False,
        date_header=False,
        server_header=False,
        lifespan="off",
    )
    return uvicorn.Server(config)


def serve(world: World, host: str, port: int) -> None:
    """Serve *world* until interrupted."""
    with listen(host, port) as listener:
        uvicorn_server(world).run(sockets=[listener])


class SampleServer:
    """
    A sample organization served by a thread of this process, as a context manager.

    *base_url* leaves out the organization; *world* is there for truth, scenarios and ticks.
    """

    def __init__(self, scale: Scale | str = "tiny", seed: int = 7, port: int = 0, organization: str = "sample") -> None:
        self._listener = listen("127.0.0.1", port)
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.organization = organization
        self.world = World(scale, seed, f"{self.base_url}/{organization}", organization)
        self._server = uvicorn_server(self.world)
        self._thread = threading.Thread(target=self._server.run, args=([self._listener],), daemon=True)

    def __enter__(self) -> SampleServer:
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError(f"the sample organization at {self.base_url} did not start")
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._listener.close()
