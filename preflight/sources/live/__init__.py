"""The live source: Google Cloud's own APIs, read through Google's official clients.

Importing this loads no client: that happens when it collects.
"""

from preflight.sources.live.settings import LiveSettings, Scope
from preflight.sources.live.source import LiveSource
from preflight.sources.live.trace import TracedCall

__all__ = ["LiveSettings", "LiveSource", "Scope", "TracedCall"]
