"""What a series consists of: a small JSON file beside its partitions, replaced in one step.

A segment that the manifest does not name does not exist for readers, so an import becomes visible whole or not at all.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from workstation.history.durable import json_file, read_versioned, write_all_durably
from workstation.history.segments import Segment, Source

MANIFEST_NAME = "manifest.json"
MANIFEST_VERSION = 1


class Retired(msgspec.Struct, frozen=True, kw_only=True):
    """A file whose rows are in another one since `at_ns`; readers that began before may still have it open."""

    path: str
    at_ns: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Segments in the order in which rows of equal time follow one another, and every source taken in."""

    version: int = MANIFEST_VERSION
    segments: tuple[Segment, ...] = ()
    sources: tuple[Source, ...] = ()
    retired: tuple[Retired, ...] = ()

    def source(self, content_hash: str) -> Source | None:
        """What was taken in with that content; None where nothing was."""
        return next((source for source in self.sources if source.content_hash == content_hash), None)


def load_manifest(folder: Path) -> Manifest:
    """The manifest of a series; empty where nothing was stored. Raises HistoryCorrupt, naming the file."""
    return read_versioned(folder / MANIFEST_NAME, Manifest, MANIFEST_VERSION) or Manifest()


def save_manifests(manifests: Mapping[Path, Manifest]) -> None:
    """Each series (by its folder) has its new manifest in one step; all of them when this returns."""
    write_all_durably({folder / MANIFEST_NAME: json_file(manifest) for folder, manifest in manifests.items()})
