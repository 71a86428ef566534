"""Fetch what the site serves from other projects: pinned, hash-checked, licence kept.

    python tools/vendor.py            # writes site/vendor/ from npm packages

Only `make vendor` calls this; the files are committed, so nobody else needs npm.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "site" / "vendor"

# The version of KaTeX is the one that sphinxcontrib-katex bundles for rendering at build time.
PACKAGES = {
    "katex": {
        "version": "0.16.22",
        "sha512": "XCHRdUw4lf3SKBaJe4EvgqIuWwkPSo9XoeO8GjQW94Bp7TWv9hNhzZjZ+OH9yf1UmLygb7DIT5GSFQiyt16zYg==",
        "keep": r"package/(LICENSE|dist/katex\.min\.css|dist/fonts/.*\.woff2)$",
    },
}


def fetch(name: str, version: str, sha512: str) -> bytes:
    """Return the package's archive, refused unless its hash is the pinned one."""
    npm = Path(sys.executable).with_name("npm")
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [str(npm), "pack", "--silent", f"{name}@{version}"], cwd=folder, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"vendor: npm could not fetch {name}@{version} (no network?): {done.stderr.strip()[-200:]}")
        archive = next(Path(folder).glob("*.tgz")).read_bytes()
    found = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if found != sha512:
        sys.exit(f"vendor: {name}@{version} has hash {found[:16]}..., expected {sha512[:16]}...; nothing was written")
    return archive


def main() -> None:
    """Write every pinned package's kept files below site/vendor/."""
    listing = {}
    for name, spec in PACKAGES.items():
        archive = fetch(name, spec["version"], spec["sha512"])
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar.getmembers():
                if member.isfile() and re.match(spec["keep"], member.name):
                    stream = tar.extractfile(member)
                    assert stream is not None
                    relative = re.sub(r"^package/(dist/)?", "", member.name)
                    target = VENDOR / name / relative
                    target.parent.mkdir(parents=True, exist_ok=True)
                    data = stream.read()
                    if relative.endswith(".css"):  # only woff2 is kept: every current browser reads it
                        data = re.sub(rb",url\([^)]*\.(?:woff|ttf)\) format\(\"\w+\"\)", b"", data)
                        data = data.replace(b"font-display:block", b"font-display:swap")
                    target.write_bytes(data)
                    listing[f"{name}/{relative}"] = hashlib.sha256(data).hexdigest()
    (VENDOR / "vendor.json").write_text(json.dumps(listing, indent=1, sort_keys=True) + "\n")
    print(f"vendor: {len(listing)} files in {VENDOR.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
