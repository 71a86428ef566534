"""The repository's address stands in _config.yml; this writes it where files must repeat it (`--check` only compares).

In a text file the address is marked by its form: https://github.com/OWNER/NAME, and OWNER/NAME in launch links.
"""

from __future__ import annotations

import re
import sys

import notebooks

FILES = ("README.md", "book/00_start.ipynb", "CITATION.cff", "CONTRIBUTING.md", "pyproject.toml")
FORMS = (
    r"(https://github\.com/)[\w-]+/[\w-]+",
    r"(colab\.research\.google\.com/github/)[\w-]+/[\w-]+",
    r"(mybinder\.org/v2/gh/)[\w-]+/[\w-]+",
)


def rewritten(text: str, slug: str) -> str:
    """Return a text with the repository's owner and name in every known form."""
    for form in FORMS:
        text = re.sub(form, rf"\g<1>{slug}", text)
    return text


def main() -> None:
    """Write or compare."""
    slug = notebooks.config()["repository"]["url"].removeprefix("https://github.com/")
    wrong = []
    for name in FILES:
        path = notebooks.ROOT / name
        text = path.read_text(encoding="utf-8")
        new = rewritten(text, slug)
        if new != text:
            wrong.append(name)
            if "--check" not in sys.argv:
                path.write_text(new, encoding="utf-8")
    site = notebooks.config()["sphinx"]["config"]["html_theme_options"]["repository_url"]
    if site != notebooks.config()["repository"]["url"]:
        sys.exit(
            "address: _config.yml holds two different repository addresses; make html_theme_options.repository_url equal to repository.url"
        )
    if wrong and "--check" in sys.argv:
        sys.exit(f"address: another repository address than _config.yml's in {', '.join(wrong)}: run `make normalise`")
    print(f"address: {slug} everywhere")


if __name__ == "__main__":
    main()
