"""What is installed in this environment is what lies here: processes of idsync run the former."""

import sysconfig
from filecmp import cmp
from pathlib import Path

import pytest

from tests import compiled

ROOT = Path(__file__).parent.parent
MEND = "run sh scripts/setup.sh dev"


def files(root: Path) -> dict[str, Path]:
    """The files of the package below a folder, but for what a build adds to them."""
    return {
        str(path.relative_to(root)): path
        for path in (root / "idsync_cli").rglob("*")
        if path.is_file()
        and path.suffix not in (".pyc", ".so")
        and path.stem.split(".")[0] != "dagre"
    }


def test_the_installed_copy_is_that_of_the_sources() -> None:
    folders = {Path(sysconfig.get_path(name)) for name in ("platlib", "purelib")}
    installed = {name: path for folder in folders for name, path in files(folder).items()}
    sources = files(ROOT)
    assert installed.keys() == sources.keys(), MEND
    differ = [
        name for name, path in sources.items() if not cmp(path, installed[name], shallow=False)
    ]
    assert differ == [], MEND


@pytest.mark.parametrize("module", compiled.modules())
def test_what_is_to_be_compiled_is_there(module: str) -> None:
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
