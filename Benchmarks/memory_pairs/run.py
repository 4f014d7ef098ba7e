#!/usr/bin/env python3
"""Two versions of the replay memory in one process, in turn: draws, updates, snapshots, offers, and what an item takes.

    Benchmarks/memory_pairs/run.py REVISION [--items 1280000] [--pairs 60]

REVISION is any that git knows; it is compared with the sources as they are. Rates of separate processes drift by a quarter, which
is more than what is to be seen here. Both have to understand the calls in Side.swift.
"""

import argparse
import io
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

PACKAGE = """// swift-tools-version: 6.1
import PackageDescription
let swift: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
]
let package = Package(name: "Pairs", platforms: [.macOS(.v15)], targets: [
  .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3"), .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash"),
  .target(name: "OnePassCore", swiftSettings: swift),
  .target(name: "ReplayBefore", dependencies: ["OnePassCore", "CSQLite", "CXXHash"], swiftSettings: swift),
  .target(name: "ReplayAfter", dependencies: ["OnePassCore", "CSQLite", "CXXHash"], swiftSettings: swift),
  .executableTarget(name: "Pairs", dependencies: ["OnePassCore", "ReplayBefore", "ReplayAfter"], swiftSettings: swift),
])
"""

# Bytes of a file, first label, side of bare pixels.
CASES = {"files of 1 KB": (1024, 0, 0), "files of 1 KB, labels from 1,024": (1024, 1024, 0), "pixels, 32 x 32": (0, 0, 32)}


def sources(folder, revision):
    """A package of both versions."""
    (folder / "Package.swift").write_text(PACKAGE)
    target = folder / "Sources"
    without_pages = shutil.ignore_patterns("*.docc")
    for name in ["OnePassCore", "CSQLite", "CXXHash"]:
        shutil.copytree(ROOT / "Sources" / name, target / name, ignore=without_pages)
    shutil.copytree(ROOT / "Sources" / "OnePassReplay", target / "ReplayAfter", ignore=without_pages)
    archive = subprocess.run(["git", "archive", revision, "Sources/OnePassReplay"], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder / "before", filter="data")
    shutil.copytree(folder / "before/Sources/OnePassReplay", target / "ReplayBefore", ignore=without_pages)
    (target / "Pairs").mkdir()
    shutil.copy(HERE / "Pairs.swift", target / "Pairs")
    side = (HERE / "Side.swift").read_text()
    for name in ["Before", "After"]:
        text = side.replace("ReplaySide", f"Replay{name}").replace("SideMemory", f"{name}Memory")
        (target / "Pairs" / f"{name}.swift").write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revision")
    parser.add_argument("--items", type=int, default=1_280_000)
    parser.add_argument("--pairs", type=int, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="onepass-pairs.") as temporary:
        folder = Path(temporary)
        sources(folder, arguments.revision)
        subprocess.run(["swift", "build", "-c", "release", "-debug-info-format", "none", "--quiet"], cwd=folder, check=True)
        for case, (payload, first, side) in CASES.items():
            print(f"{case}, {arguments.items:,} items", flush=True)
            numbers = [arguments.items, payload, first, side, arguments.pairs]
            subprocess.run([folder / ".build/release/Pairs", *map(str, numbers)], check=True)


main()
