"""Build the static site from the executed notebooks: `python tools/build_site.py [--serve]`.

Sources are staged in _build/site_src/ (written only where they changed, so that Sphinx rebuilds only that), with what the site
wants and the notebooks should not carry: folded cells, pages generated from data (glossary, cards, API). Warnings are errors.
"""

from __future__ import annotations

import contextlib
import functools
import html
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import kept
import notebooks
import notices
import pages
import release
import site_server
import video
import yaml

from companion import study

ROOT = notebooks.ROOT
STAGE = ROOT / "_build" / "site_src"
STATIC = ROOT / "_build" / "site_static"
HTML = ROOT / "_build" / "html"
#: What a cell's tag in a notebook means on the site.
TAGS = {"setup": "hide-input", "figure": "hide-input", "aid": "remove-input", "solution": "hide-cell"}


#: Every chapter of the course, so that a link to one that is still to come can be told from a wrong link.
CHAPTERS = [
    "00_start",
    "01_neurons",
    "02_activations",
    "03_forward",
    "04_losses",
    "05_backprop",
    "06_gradient_descent",
    "07_optimizers",
    "08_challenges",
    "09_regularization",
    "10_training",
    "11_metrics",
    "12_convolution",
    "13_recurrent",
    "14_attention",
    "15_autoencoders",
    "16_gans",
    "17_transfer",
    "18_frameworks",
    "19_scale",
    "20_applications",
    "20a_healthcare",
    "20b_finance",
    "20c_retail",
    "20d_transport",
    "20e_language",
    "20f_speech",
    "21_limits",
    "22_fairness",
    "23_explanation",
    "24_privacy",
    "25_energy",
]


def main() -> None:
    """Build, and serve when asked to."""
    stage()
    build()
    index = HTML / "index.html"
    print(f"\nThe book is built. Open {index.relative_to(ROOT)} in a browser, or run: make serve", flush=True)
    if "--serve" in sys.argv:
        serve()


def stage() -> None:
    """Write the sources of the site."""
    sys.path.insert(0, str(ROOT))
    toc = without_drafts(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
    files: dict[str, str | bytes] = {"_toc.yml": yaml.safe_dump(toc, sort_keys=False), "_config.yml": staged_config()}
    files |= pages.generated()
    present = set(listed(toc))
    for name in listed(toc):
        source = next((p for p in (ROOT / f"{name}.ipynb", ROOT / f"{name}.md") if p.exists()), None)
        if source is None:
            if f"{name}.md" not in files:
                sys.exit(f"site: _toc.yml lists {name}, and there is neither {name}.ipynb nor {name}.md")
        elif source.suffix == ".md":
            files[f"{name}.md"] = without_dead_links(source.read_text(encoding="utf-8"), present)
        else:
            files[f"{name}.ipynb"] = published(source, present)
    files["book/redirects.yml"] = (ROOT / "book" / "redirects.yml").read_text(encoding="utf-8")
    files["book/references.bib"] = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    for picture in (ROOT / "book").glob("images/*"):
        files[f"book/images/{picture.name}"] = picture.read_bytes()
    write_all(STAGE, files)
    write_all(STATIC, pages.static_files())


def without_drafts(toc: dict[str, Any]) -> dict[str, Any]:
    """Return the table of contents without the chapters whose aids say `status: draft`."""
    drafts = {c for c in study.chapters() if study.load(c).status == "draft"}

    def keep(entry: dict[str, Any]) -> bool:
        return entry["file"].split("/")[-1][:2] not in drafts

    parts = [{**p, "chapters": [c for c in p["chapters"] if keep(c)]} for p in toc["parts"]]
    return {**toc, "parts": [p for p in parts if p["chapters"]]}


def listed(toc: dict[str, Any]) -> list[str]:
    """Return every page that the table of contents names."""
    names = [toc["root"]]
    for part in toc["parts"]:
        for chapter in part["chapters"]:
            names += [chapter["file"], *(s["file"] for s in chapter.get("sections", []))]
    return names


def staged_config() -> str:
    """Return _config.yml with the folders that are outside the staged sources."""
    config = notebooks.config()
    config["logo"] = str(ROOT / config["logo"])
    sphinx = config["sphinx"]
    sphinx["local_extensions"] = {"sphinx_ext": str(ROOT / "tools")}
    sphinx["config"]["html_static_path"] = [str(ROOT / "site"), str(STATIC)]
    sphinx["config"]["templates_path"] = [str(ROOT / "site" / "templates")]
    sphinx["config"]["html_extra_path"] = [str(ROOT / notices.NOTICES)]
    sphinx["config"]["html_favicon"] = str(ROOT / sphinx["config"]["html_favicon"])
    # A page keeps the stylesheet that it was written with: when looks or hooks change, every page is written anew.
    looks = [
        *sorted((ROOT / "site").glob("*.*")),
        *sorted((ROOT / "site" / "templates").iterdir()),
        *(ROOT / "tools" / f"{n}.py" for n in ("sphinx_ext", "styles")),
        *sorted((ROOT / "tools").glob("site_*.py")),
        *sorted((ROOT / "companion").rglob("*.py")),  # hints, and what the links in code say
    ]
    sphinx["config"]["looks"] = kept.digest([release.version(), *looks, *pages.figure_files().values()])
    sphinx["config"]["films"] = ", ".join(f"{c} {video.key(c)}" for c in video.chapters() if video.current(c))
    # Terms are marked and texts remembered when a page is read: when a chapter's terms or that code change, every page is read anew.
    terms = repr([(a.chapter, t.model_dump()) for a in study.finished() for t in a.terms])
    sphinx["config"]["terms"] = kept.digest([terms, ROOT / "tools" / "site_search.py"])
    return yaml.safe_dump(config, sort_keys=False)


def published(path: Path, present: set[str]) -> str:
    """Return the executed copy of a notebook with the tags that fold cells on the site."""
    if not notebooks.is_current(path):
        sys.exit(
            f"site: {path.relative_to(ROOT)} was not executed since it or the companion changed; run `make notebooks`"
        )
    nb = notebooks.with_outputs(path)
    for cell in nb["cells"]:
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] == "markdown":
            cell["source"] = without_dead_links("".join(cell["source"]), present)
            if path.parent.name == "solutions":  # one statement serves both notebooks; the page says which it is
                cell["source"] = re.sub(r"\A# Exercises\b", "# Solutions", cell["source"])
        if cell["cell_type"] == "code":
            cell["metadata"]["tags"] = [TAGS.get(t, t) for t in tags]
            cell["outputs"] = [o for o in cell["outputs"] if keeps(o)]
    return json.dumps(nb, indent=1, ensure_ascii=False)


def without_dead_links(text: str, present: set[str]) -> str:
    """Return Markdown in which a link to a chapter that is still to come is plain text that says so."""

    def mended(link: re.Match[str]) -> str:
        to_come = link[2] in CHAPTERS and f"book/{link[2]}" not in present
        return f"{link[1]} (to come)" if to_come else link[0]

    return re.sub(r"\[([^\]]+)\]\((?:\.\./book/)?(\w+)\.ipynb(?:#[\w-]+)?\)", mended, text)


def keeps(output: dict[str, Any]) -> bool:
    """Say whether an output belongs on a page without a kernel: live widgets do not, their static default stands beside them."""
    return "application/vnd.jupyter.widget-view+json" not in output.get("data", {})


def write_all(folder: Path, files: dict[str, str | bytes]) -> None:
    """Write files where they differ and remove what is no longer among them."""
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != data:
            target.write_bytes(data)
    for old in folder.rglob("*"):
        if old.is_file() and old.relative_to(folder).as_posix() not in files:
            old.unlink()


def build() -> None:
    """Run Jupyter Book with warnings as errors; afterwards the downloads are the notebooks as they are committed.

    A build on top of an interrupted one can miss targets that are there, so a failure is confirmed by a clean build.
    """
    doctrees = ROOT / "_build" / ".doctrees"
    for page in (HTML / "_modules").rglob("*.html"):  # Sphinx leaves pages of modules that are gone
        module = ROOT / page.relative_to(HTML / "_modules").with_suffix("")
        if page.name != "index.html" and not module.is_dir() and not module.with_suffix(".py").exists():
            page.unlink()
    was_warm = doctrees.exists()
    status = sphinx()
    if status and was_warm:
        shutil.rmtree(doctrees)
        shutil.rmtree(HTML, ignore_errors=True)
        status = sphinx()
    log = ROOT / "_build" / "site.log"
    if status:
        text = log.read_text(encoding="utf-8")
        said = [line for line in text.splitlines() if re.search(r"WARNING|ERROR|Error", line)]
        print("\n".join(said[:60]) or text[-3000:])
        sys.exit(f"site: the build failed; all it said is in {log.relative_to(ROOT)}")
    if wrong := formulas_that_failed():
        sys.exit("site: KaTeX cannot read these formulas:\n" + "\n".join(wrong))
    for folder in notebooks.FOLDERS:
        for page in (HTML / "_sources" / folder).glob("*.ipynb"):
            shutil.copyfile(ROOT / folder / page.name, page)


def formulas_that_failed() -> list[str]:
    """Return page and complaint of each formula that KaTeX set in red instead of refusing to build."""
    return [
        f"{page.relative_to(HTML)}: {html.unescape(title)}"
        for page in sorted(HTML.rglob("*.html"))
        for title in re.findall(r'class="katex-error" title="([^"]*)"', page.read_text(encoding="utf-8"))
    ]


def sphinx() -> int:
    """Run Jupyter Book once and return its exit status; what it says goes to _build/site.log."""
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(STAGE), "--path-output", str(ROOT)]
    command += ["--warningiserror", "--nitpick", "--keep-going", "--quiet"]
    env = {**notebooks.environment(), "PYTHONWARNINGS": "ignore"}
    # A file, not a pipe: KaTeX's server outlives the build and would hold a pipe open.
    with (ROOT / "_build" / "site.log").open("w", encoding="utf-8") as out:
        build = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        status = build.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(build.pid, signal.SIGTERM)
    return status


def serve() -> None:
    """Serve the built site on this machine until interrupted."""
    handler = site_server.below(notebooks.config()["sphinx"]["config"]["html_baseurl"])
    port = int(os.environ.get("PORT", "8000"))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(handler, directory=str(HTML)))
    except OSError:
        sys.exit(f"serve: port {port} is taken; name another: PORT=8001 make serve")
    print(f"Serving http://127.0.0.1:{port}/ (Ctrl+C stops)", flush=True)
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
