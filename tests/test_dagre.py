"""The build puts dagre, which lays out graphs, into the package, and goes on where it cannot."""

import base64
import hashlib
import os
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
WHERE = Path("idsync_cli") / "render" / "html"
FILES = ("pyproject.toml", "setup.py", "get_dagre.py", "MANIFEST.in", "README.md", "LICENSE")
BUILT = ("dagre.js", "dagre.LICENSE.txt")
GET: dict[str, Any] = runpy.run_path(str(ROOT / "get_dagre.py"), run_name="get_dagre")


def tree(folder: Path) -> Path:
    """The sources alone: without what was built of them."""
    left_out = shutil.ignore_patterns("__pycache__", "*.so", *BUILT)
    shutil.copytree(ROOT / "idsync_cli", folder / "idsync_cli", ignore=left_out)
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    return folder


def put(folder: Path, path: str | None = None) -> "subprocess.CompletedProcess[str]":
    """Put dagre into a copy of the sources, where commands are looked for along a path."""
    (folder / WHERE).mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "get_dagre.py", folder)
    environment = {**os.environ, **({} if path is None else {"PATH": path})}
    return subprocess.run(
        [sys.executable, folder / "get_dagre.py"],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip


@pytest.fixture(name="fetched", scope="module")
def the_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the library, as npm gave it here and now."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("dagre")
    done = put(folder)
    if "npm cannot get" in done.stderr:
        pytest.skip(done.stderr)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder / WHERE


def test_the_library_has_its_licence_beside_it_and_in_it(fetched: Path) -> None:
    assert sorted(each.name for each in fetched.iterdir()) == sorted(BUILT)
    terms = (fetched / "dagre.LICENSE.txt").read_text("utf-8")
    code = (fetched / "dagre.js").read_text("utf-8")
    assert "Permission is hereby granted, free of charge" in terms
    assert code.startswith(f"/*! {GET['PACKAGE']}\n\n{terms}*/\n")
    assert "sourceMappingURL" not in code  # which would be asked for
    for each in ("</script", "<!--", "http://", "https://", "eval(", "Function("):
        assert each not in code


def test_what_is_there_is_not_got_again(fetched: Path, tmp_path: Path) -> None:
    shutil.copytree(fetched, tmp_path / WHERE)
    assert put(tmp_path, path=str(tmp_path)).returncode == 0
    library = tmp_path / WHERE / "dagre.js"
    library.write_text(library.read_text("utf-8").replace("@3.", "@2.", 1), "utf-8")
    assert put(tmp_path, path=str(tmp_path)).returncode == 1  # an older one would be replaced


def test_without_npm_it_is_said_in_a_line(tmp_path: Path) -> None:
    done = put(tmp_path, path=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Pages show graphs without dagre, which lays them out: npm is not installed\n"
    )
    assert not list((tmp_path / WHERE).iterdir())


def test_where_npm_reaches_no_registry_it_is_said_in_a_line(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    shutil.copy(ROOT / "get_dagre.py", tmp_path)
    (tmp_path / WHERE).mkdir(parents=True)
    nowhere = {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_cache": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, tmp_path / "get_dagre.py"],
        capture_output=True, text=True, check=False, env={**os.environ, **nowhere},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"npm cannot get {GET['PACKAGE']}: " in done.stderr
    assert not list((tmp_path / WHERE).iterdir())


def test_another_package_under_its_name_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "package" / "dist").mkdir(parents=True)
    for name in ("LICENSE", "dist/dagre.min.js"):
        (tmp_path / "package" / name).write_text("alert(1)")
    archive = tmp_path / "another.tgz"
    with tarfile.open(archive, "w:gz") as members:
        members.add(tmp_path / "package", "package")
    (tmp_path / "npm").write_text(f"#!/bin/sh\n/bin/cp {archive} .\n")
    (tmp_path / "npm").chmod(0o755)
    done = put(tmp_path / "tree", path=str(tmp_path))
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert done.returncode == 1
    assert done.stderr.endswith(f"is not that package: its digest is sha512-{digest}\n")
    assert not list((tmp_path / "tree" / WHERE).iterdir())


def built(folder: Path, what: str, environment: Mapping[str, str]) -> tuple[set[str], str]:
    """What a wheel or an archive of the sources holds, and what was said as it was built."""
    tools = Path(sys.prefix) / ".tools" / "build"
    if not tools.is_dir():
        pytest.skip("there is no setuptools to build with: see scripts/setup.sh")
    build = f"from setuptools import build_meta as b; print(b.build_{what}({str(folder)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", build], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "IDSYNC_PURE": "1", "PYTHONPATH": str(tools), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    file = folder / done.stdout.splitlines()[-1]
    if what == "wheel":
        with zipfile.ZipFile(file) as members:
            return set(members.namelist()), done.stderr
    with tarfile.open(file) as archive:
        return {each.partition("/")[2] for each in archive.getnames()}, done.stderr


def test_wheel_and_sources_have_it_and_the_wheel_of_these_sources_needs_no_npm(
    fetched: Path, tmp_path: Path
) -> None:
    names = {str(WHERE / each) for each in BUILT}
    packed, _ = built(tree(tmp_path / "one"), "sdist", {})
    assert names | {"get_dagre.py", "setup.py"} <= packed
    [archive] = (tmp_path / "one").glob("*.tar.gz")
    with tarfile.open(archive) as members:
        members.extractall(tmp_path / "two", filter="data")
    [unpacked] = (tmp_path / "two").iterdir()
    in_wheel, said = built(unpacked, "wheel", {"PATH": str(tmp_path)})
    assert names <= in_wheel
    assert "get_dagre.py" not in in_wheel
    assert "without dagre" not in said


def test_without_npm_a_wheel_is_built_all_the_same(tmp_path: Path) -> None:
    in_wheel, said = built(tree(tmp_path / "one"), "wheel", {"PATH": str(tmp_path)})
    assert "npm is not installed" in said
    assert str(WHERE / "graph.js") in in_wheel
    assert not {str(WHERE / each) for each in BUILT} & in_wheel
