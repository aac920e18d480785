"""What the site holds besides the pages in docs/: files of the repository that they link to, shown as pages.

MkDocs runs it (`hooks` in mkdocs.yml). So the same links lead somewhere in the repository and on the site.
"""

import logging
import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
"""Pages of the site that lie at the top of the repository, where people look for them."""
HOME = {"README.md": "index.md", "docs": "index.md"}
LINK = re.compile(r"(?<=\]\()(?!\w+:)(?P<path>[^)\s#]+)(?P<anchor>#[^)\s]*)?(?=\))")
REMOTE = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=[\"']?(?P<address>https?://[^\"'\s>]+)")
LANGUAGES = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".py": "python", ".sql": "sql", ".toml": "toml"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the repository's top, and a page for each file that any page links to."""
    for name, uri in PAGES.items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / name)))
    sources = [*(ROOT / name for name in PAGES), *DOCS.glob("*.md")]
    shown = sorted({linked for source in sources for linked in _linked(source)})
    while shown:
        path = shown.pop()
        uri = _uri(path)
        if uri.startswith("files/") and files.get_file_from_path(uri) is None:
            files.append(File.generated(config, uri, content=_shown(path), inclusion=InclusionLevel.NOT_IN_NAV))
            shown += _within(path) if path.is_dir() else []
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Have links that leave docs/ lead to the site's own pages."""
    uri = page.file.src_uri
    if uri.startswith("files/"):
        return markdown
    source = next((ROOT / name for name, one in PAGES.items() if one == uri), DOCS / uri)

    def anew(link: re.Match[str]) -> str:
        return os.path.relpath(_uri((source.parent / link["path"]).resolve()), Path(uri).parent) + (
            link["anchor"] or ""
        )

    return LINK.sub(anew, markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Warn of what a page would fetch from elsewhere; with --strict that fails."""
    for found in REMOTE.finditer(output):
        logging.getLogger("mkdocs.hooks").warning("%s fetches %s", page.file.src_uri, found["address"])
    return output


def _linked(source: Path) -> list[Path]:
    targets = [(source.parent / link["path"]).resolve() for link in LINK.finditer(source.read_text(encoding="utf-8"))]
    return [target for target in targets if target.exists()]


def _uri(path: Path) -> str:
    """Return where a path of the repository is on the site."""
    within = path.relative_to(ROOT).as_posix()
    if path.parent == DOCS:
        return path.name
    return PAGES.get(within) or HOME.get(within) or f"files/{within}.md"


def _within(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))


def _shown(path: Path) -> str:
    """Return the page of a file, or of a folder."""
    name = path.relative_to(ROOT).as_posix()
    head = f"---\nsearch: {{exclude: true}}\ntitle: {name}\n---\n\n# {name}\n\n"
    if path.is_dir():
        return head + "".join(f"- [{one.name}]({path.name}/{one.name}.md)\n" for one in _within(path))
    return f"{head}````{LANGUAGES.get(path.suffix, 'text')}\n{path.read_text(encoding='utf-8').rstrip()}\n````\n"
