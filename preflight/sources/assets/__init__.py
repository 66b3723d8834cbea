"""Facts from Cloud Asset exports: files, read once or twice from their start to their end, and no network."""

from preflight.sources.assets.source import AssetsSource, Export, only_project, read_export

__all__ = ["AssetsSource", "Export", "only_project", "read_export"]
