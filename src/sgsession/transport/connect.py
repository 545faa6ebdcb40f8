"""connect(): find a site by name, in the places where studios say which they have."""

from __future__ import annotations

import configparser
import os
import sys
import warnings
from collections.abc import Mapping
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import shotgun_api3

from ..errors import ConfigurationError, did_you_mean
from .client import make_client
from .line.secrets import hide_address, hide_arguments

__all__ = ["connect", "profiles_file"]

_ENVIRONMENT = {
    "base_url": "SGSESSION_URL",
    "script_name": "SGSESSION_SCRIPT_NAME",
    "api_key": "SGSESSION_API_KEY",
}
_FALSE = frozenset({"0", "no", "off", "false"})


def connect(name: str | None = None, *args: Any, **kwargs: Any) -> Any:
    """A client of the official class for the site called `name`; sends nothing.

    Asked in this order, and the first that answers wins: entry points of the group
    `shotgun_api3_connect` (called with all arguments; they return a client or None) and
    `shotgun_api3_kwargs` (they return the client's arguments or None), the module
    `shotgun_api3_registry` (its `connect`), a profile of that name in `profiles_file()` (`default`
    without a name), and SGSESSION_URL, SGSESSION_SCRIPT_NAME and SGSESSION_API_KEY in the environment.
    A name that is an address is used with the script and key of the environment.

    Args:
        name: what the studio calls the site; None for its default.
        *args: passed on to entry points and the registry.
        **kwargs: passed on likewise; for a profile or the environment, arguments of the client.

    Raises:
        ConfigurationError: nothing knows that name, or what knows it is incomplete.
    """
    name, kwargs = hide_address(name), hide_arguments(kwargs)
    given = () if name is None else (name,)
    client = _from_entry_points(given, args, kwargs) or _from_registry(given, args, kwargs)
    if client is not None:
        return client
    if name is not None and "://" in name:
        return _from_environment({"base_url": name, **kwargs})
    profiles = _profiles()
    wanted = name or "default"
    if wanted in profiles:
        return make_client(**{**_profile(profiles[wanted], wanted), **kwargs})
    if name is not None:
        raise ConfigurationError(
            f"No site is called {name!r}: no entry point or registry knows it, and {profiles_file()} "
            f"has {'the profiles ' + ', '.join(sorted(profiles)) if profiles else 'no profiles'}."
            f"{did_you_mean(name, profiles)}"
        )
    return _from_environment(kwargs)


def profiles_file() -> Path:
    """Where profiles are read from: SGSESSION_CONFIG, else the user's configuration folder."""
    configured = os.environ.get("SGSESSION_CONFIG")
    if configured:
        return Path(configured)
    if sys.platform == "win32":  # pragma: no cover - Windows only
        return Path(os.environ.get("APPDATA", "~")).expanduser() / "sgsession" / "profiles.ini"
    return Path("~/.config/sgsession/profiles.ini").expanduser()


def _entry_points(group: str) -> Any:
    # Imported here: it costs more than all the rest of this module.
    from importlib.metadata import entry_points

    return entry_points(group=group)


def _from_entry_points(given: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    for point in _entry_points("shotgun_api3_connect"):
        client = point.load()(*given, *args, **kwargs)
        if client is not None:
            return client
    for point in _entry_points("shotgun_api3_kwargs"):
        found = point.load()(*given, *args, **kwargs)
        if found is not None:
            return make_client(**hide_arguments(found))
    return None


def _from_registry(given: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        registry = import_module("shotgun_api3_registry")
    except ModuleNotFoundError as problem:
        if problem.name != "shotgun_api3_registry":
            raise  # it is there, and lacks something itself
        return None
    if not callable(getattr(registry, "connect", None)):
        raise ConfigurationError(f"{registry!r} has no function connect.")
    return registry.connect(*given, *args, **kwargs)


def _from_environment(kwargs: Mapping[str, Any]) -> Any:
    arguments = {key: os.environ[name] for key, name in _ENVIRONMENT.items() if os.environ.get(name)}
    arguments = hide_arguments({**arguments, **kwargs})
    if any(key in arguments for key in ("login", "session_token")):
        arguments.pop("script_name", None)
        arguments.pop("api_key", None)
    elif not all(key in arguments for key in _ENVIRONMENT):
        missing = " and ".join(name for key, name in _ENVIRONMENT.items() if key not in arguments)
        raise ConfigurationError(
            f"No site is configured: set {missing}, or write a profile into {profiles_file()} and name it."
        )
    return make_client(**arguments)


def _profiles() -> Mapping[str, Mapping[str, str]]:
    path = profiles_file()
    # Without a default section, `[default]` is a profile like the others; a key may hold a percent sign.
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        with path.open(encoding="utf-8") as file:
            parser.read_file(file)
            if parser.sections() and os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
                warnings.warn(f"{path} holds keys and others can read it; chmod 600 it.", stacklevel=4)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, configparser.Error) as problem:
        raise ConfigurationError(
            f"{path} cannot be read as profiles: {' '.join(str(problem).split())}."
        ) from None
    return {name: hide_arguments(dict(parser.items(name))) for name in parser.sections()}


def _profile(options: Mapping[str, str], name: str) -> dict[str, Any]:
    """The client's arguments that a profile gives; `url` is short for `base_url`."""
    known = set(signature(shotgun_api3.Shotgun.__init__).parameters) - {"self"}
    arguments: dict[str, Any] = {}
    for option, value in options.items():
        argument = "base_url" if option == "url" else option
        if argument not in known:
            raise ConfigurationError(
                f"{profiles_file()}, profile {name!r}: unknown option {option!r}."
                f"{did_you_mean(option, [*known, 'url'])}"
            )
        is_switch = argument in ("convert_datetimes_to_utc", "connect")
        arguments[argument] = value.lower() not in _FALSE if is_switch else value
    if "base_url" not in arguments:
        raise ConfigurationError(f"{profiles_file()}, profile {name!r}: it has no url.")
    return arguments
