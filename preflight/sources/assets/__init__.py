"""Facts from a Cloud Asset export: a file, read once or twice from its start to its end, and no network."""

from preflight.sources.assets.source import AssetsSource, Export, only_project, read_export

__all__ = ["AssetsSource", "Export", "only_project", "read_export"]
