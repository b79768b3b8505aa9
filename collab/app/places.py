"""Where state, root, archive and secret of the settings are, and where the server that runs says that it is."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from collab.errors import Denied
from collab.state import directory as state
from collab.state.secrets import signing_key

if TYPE_CHECKING:
    from collab.settings import Settings
    from collab.state.directory import Directory

CLIENT = Path(__file__).parents[1] / "web" / "client"
"""Where the built web client is."""
_RUNNING = "server.json"


def state_of(settings: Settings) -> Path:
    """Where the state directory of the settings is, or will be."""
    if settings.storage == "cs3":
        return settings.state or state.default(Path("/cs3", settings.cs3_gateway, settings.cs3_root.strip("/")), os.environ)
    return settings.state or state.default(settings.root, os.environ)


def root_of(settings: Settings) -> Path:
    """The folder of this machine that the server works in: the root, or for files in a cloud one in the state, where bodies wait on their way."""
    return state_of(settings) / "spool" if settings.storage == "cs3" else settings.root


def prepared(settings: Settings, *, adopt: bool = False) -> Directory:
    """The state directory of the settings; errors of `collab.state.directory.prepare`, `Denied`."""
    if settings.storage == "cs3":
        try:
            state_of(settings).mkdir(mode=0o700, parents=True, exist_ok=True)
            root_of(settings).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Denied(f"{error.strerror}: {root_of(settings)}") from error
    return state.prepare(root_of(settings), state_of(settings), adopt=adopt)


def present(settings: Settings) -> Directory:
    """The state directory of the settings as it is; errors of `collab.state.directory.existing`."""
    return state.existing(root_of(settings), state_of(settings))


def archive_url(settings: Settings, directory: Directory) -> str:
    """Where the archive is: the setting, or in the state."""
    return settings.archive or f"sqlite:///{directory.archive}"


def secret_of(settings: Settings, directory: Directory) -> bytes:
    """What signs: the setting, or the state's own key."""
    return settings.secret.get_secret_value().encode() if settings.secret else signing_key(directory.path)


def base_address(settings: Settings, port: int) -> str:
    """The address that people use, without a slash at its end."""
    if settings.public_url:
        return settings.public_url
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def running_address(directory: Directory) -> str | None:
    """Where the server of this state said that it is, None when none runs (or was killed before it could say so)."""
    address = _remembered(directory, "address")
    return None if address is None else str(address)


def running_port(directory: Directory) -> int | None:
    """The port on which it said that it listens."""
    port = _remembered(directory, "port")
    return port if isinstance(port, int) else None


def _remembered(directory: Directory, what: str) -> object:
    try:
        return json.loads((directory.path / _RUNNING).read_bytes())[what]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(directory: Directory, address: str, port: int) -> None:
    """Keep for others where the server of this state is."""
    path = directory.path / _RUNNING
    try:
        path.write_text(json.dumps({"address": address, "port": port}), "utf-8")
    except OSError as error:
        logging.getLogger("collab.web").warning("%s cannot be written (%s): `collab login` needs --public-url", path, error.strerror)


def forget(directory: Directory) -> None:
    """The server of this state is gone."""
    (directory.path / _RUNNING).unlink(missing_ok=True)
