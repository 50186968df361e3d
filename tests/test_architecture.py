"""The packages keep to their places: who may import whom, and what the top level holds."""

import subprocess
import sys
from pathlib import Path

from importlinter import cli as import_linter

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {"bot", "nlp", "handlers", "storage", "admin_cli", "tests", "pyproject.toml", ".env.example", "README.md"}
DEMANDED_BY_TOOLS = {"Makefile", "LICENSE", "NOTICE", "CHANGELOG.md", ".ci", ".gitignore", ".gitattributes"}


def test_the_import_contracts_hold() -> None:
    assert import_linter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_logo=True) == 0


def test_the_top_level_holds_what_was_agreed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tops = {line.split("/")[0] for line in listed.splitlines()}

    assert tops <= TOP_LEVEL | DEMANDED_BY_TOOLS


def test_the_language_part_is_imported_without_heavy_libraries() -> None:
    code = "import sys, nlp.pipeline; print([m for m in ('underthesea', 'numpy', 'sklearn') if m in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert loaded.strip() == "[]"
