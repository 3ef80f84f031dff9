"""``python -m ado_assets.sample``: serve a sample organization and say where in one line of JSON."""

from __future__ import annotations

import argparse
import gc
import json
import sys
import threading

import uvicorn

from ado_assets.sample.scale import SCALES
from ado_assets.sample.server import listen, uvicorn_server
from ado_assets.sample.world import World


def _stop_when_input_ends(server: uvicorn.Server) -> None:
    sys.stdin.read()
    server.should_exit = True


def main() -> None:
    """Parse the command line, build the organization, announce it and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m ado_assets.sample", description=__doc__)
    parser.add_argument("--scale", choices=sorted(SCALES), default="small")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free port")
    parser.add_argument("--organization", default="sample")
    parser.add_argument("--until-input-ends", action="store_true", help="also stop when standard input closes")
    options = parser.parse_args()
    with listen(options.host, options.port) as listener:
        base_url = f"http://{options.host}:{listener.getsockname()[1]}"
        gc.disable()
        world = World(options.scale, options.seed, f"{base_url}/{options.organization}", options.organization)
        gc.freeze()
        gc.enable()
        server = uvicorn_server(world)
        if options.until_input_ends:
            threading.Thread(target=_stop_when_input_ends, args=(server,), daemon=True).start()
        ready = {"base_url": base_url, "organization": options.organization, "scale": options.scale}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        server.run(sockets=[listener])


if __name__ == "__main__":
    main()
