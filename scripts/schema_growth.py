"""What a JSON Schema takes from those who read by it: within a major version they only grow."""

import json
from collections.abc import Iterator
from typing import Any

WORDS = {"description", "title", "$id", "default"}
"""Of a schema: they say nothing of what fits it."""


def lost(was: Any, now: Any, at: str = "") -> Iterator[str]:
    """What fitted a schema and no longer does, as places in it."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in was.keys() - WORDS:
            if key == "required":
                yield from (f"{at}/required: {name}" for name in sorted(set(now.get(key, ())) - set(was[key])))
            elif key not in now:
                yield f"{at}/{key}"
            else:
                yield from lost(was[key], now[key], f"{at}/{key}")
        if now.get("additionalProperties") is False and was.get("additionalProperties") is not False:
            yield f"{at}/additionalProperties"
        if "required" in now and "required" not in was and "properties" in was:
            yield f"{at}/required: {', '.join(now['required'])}"
    elif isinstance(was, list) and isinstance(now, list):
        kept = [json.dumps(one, sort_keys=True) for one in now]
        if at.endswith(("/anyOf", "/enum", "/prefixItems")):
            yield from (f"{at}: {one}" for one in was if json.dumps(one, sort_keys=True) not in kept)
    elif was != now:
        yield f"{at}: {was!r} is {now!r} now"
