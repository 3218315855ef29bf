"""Form parameters: nested keys in, checked values out. Unknown parameters are refused, as Stripe refuses them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from sandbox.errors import Json, refused_parameter

STRING = "string"
TEXT = "text"  # a long string
INTEGER = "integer"
BOOLEAN = "boolean"
METADATA = "metadata"
URL = "url"
ANYTHING = "anything"  # accepted because Stripe accepts it, and without effect here

Spec = Mapping[str, Any]  # name -> one of the words above, a tuple of choices, a nested Spec, or [Spec]

_NAME = re.compile(r"[^\[\]]+(\[[^\[\]]*\]){0,8}\Z")  # so deep and no deeper
_KEY = re.compile(r"\[([^\[\]]*)\]")
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+\Z")  # it is written into a page's Content-Security-Policy
_SPACE = re.compile(r"[\x00-\x20\x7f]")
_INTEGER = re.compile(r"-?[0-9]{1,18}\Z")


def nest(pairs: Iterable[tuple[str, str]]) -> Json:
    """`a[b][0]=x` pairs to nested dicts and lists."""
    root: Json = {}
    for name, value in pairs:
        if not _NAME.match(name):
            raise refused_parameter(f"Invalid parameter: {name[:100]}", name[:100])
        head = name.split("[", 1)[0]
        path = [head, *_KEY.findall(name[len(head) :])]
        node = root
        for position, step in enumerate(path):
            key = step or str(len(node))  # `expand[]=x` takes the next free place
            if position == len(path) - 1:
                node[key] = value
                break
            child = node.setdefault(key, {})
            if not isinstance(child, dict):
                raise refused_parameter(f"Invalid parameter: {name}", head)
            node = child
    return {name: _lists(value) for name, value in root.items()}


def _lists(value: Any) -> Any:
    """A dict whose keys are 0..n-1 becomes a list."""
    if not isinstance(value, dict):
        return value
    children = {key: _lists(child) for key, child in value.items()}
    places = [str(place) for place in range(len(children))]
    if children and set(children) == set(places):
        return [children[place] for place in places]
    return children


def check(given: Mapping[str, Any], spec: Spec, within: str = "") -> Json:
    """The parameters of `given` converted as `spec` says; raises `ApiError` 400 for what does not fit."""
    checked: Json = {}
    for name, value in given.items():
        path = f"{within}[{name}]" if within else name
        if name not in spec:
            raise refused_parameter(f"Received unknown parameter: {path}", path, "parameter_unknown")
        if value is not None:
            checked[name] = _one(value, spec[name], path)
    return checked


def _one(value: Any, kind: Any, path: str) -> Any:
    if isinstance(kind, Mapping):
        if not isinstance(value, Mapping):
            raise refused_parameter(f"Invalid object: {path}", path)
        return check(value, kind, path)
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise refused_parameter(f"Invalid array: {path}", path)
        return [_one(item, kind[0], f"{path}[{place}]") for place, item in enumerate(value)]
    if isinstance(kind, tuple):
        if value not in kind:
            raise refused_parameter(f"Invalid {path}: must be one of {', '.join(kind)}", path)
        return value
    if kind == ANYTHING:
        return value
    return _CONVERTERS[kind](value, path)


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise refused_parameter(f"Invalid string: {path}", path)
    if len(value) > 5000:
        raise refused_parameter(f"Invalid string: {path} is longer than 5000", path)
    return value


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str) or "\x00" in value or len(value) > 20_000:
        raise refused_parameter(f"Invalid string: {path} is text of up to 20000 characters", path)
    return value


def _integer(value: Any, path: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.match(value):
        return int(value)
    raise refused_parameter(f"Invalid integer: {value}", path, "parameter_invalid_integer")


def _boolean(value: Any, path: str) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise refused_parameter(f"Invalid boolean: {value}", path)


def _metadata(value: Any, path: str) -> dict[str, str]:
    if value == "":
        return {}
    if isinstance(value, list):  # keys that are all numbers were taken for places of a list
        value = {str(place): item for place, item in enumerate(value)}
    if not isinstance(value, Mapping) or len(value) > 50:
        raise refused_parameter(f"Invalid metadata: {path} takes at most 50 keys", path)
    for key, text in value.items():
        if not isinstance(text, str) or len(key) > 40 or len(text) > 500:
            raise refused_parameter("Metadata keys have up to 40 characters, values up to 500", f"{path}[{key}]")
    return {key: text for key, text in value.items() if text != ""}


def _url(value: Any, path: str) -> str:
    text = _string(value, path)
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if text and (parts.scheme not in ("http", "https") or not _HOST.match(parts.netloc) or _SPACE.search(text)):
        raise refused_parameter(f"Not a valid URL: {path}", path, "url_invalid")
    return text


_CONVERTERS = {STRING: _string, TEXT: _text, INTEGER: _integer, BOOLEAN: _boolean, METADATA: _metadata, URL: _url}


def require(params: Json, *names: str) -> None:
    """400 `parameter_missing` unless each name is there and not empty."""
    for name in names:
        if params.get(name) in (None, "", [], {}):
            raise refused_parameter(f"Missing required param: {name}.", name, "parameter_missing")
