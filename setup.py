"""Compiles the modules that pyproject.toml names under tool.idsync, where that can be done.

The compiled modules lie beside their sources, which are used wherever these are not there: without
a C compiler, if mypyc fails, or with IDSYNC_PURE=1 in the environment. Whatever is built also has
what get_dagre.py can get.
"""

import os
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - pip asks for the metadata before it compares
    raise SystemExit(
        "idsync needs Python 3.11 or later; this is Python {}.{}.".format(*sys.version_info[:2])
    )

import tomllib

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

sys.path.insert(0, str(Path(__file__).parent))  # pip does not look here by itself
from get_dagre import put_or_say


class BuildWithDagre(build_py):
    """Builds what is not compiled, with dagre."""

    def run(self) -> None:
        """Build it."""
        put_or_say()
        super().run()


class PackWithDagre(sdist):
    """Packs the sources, with dagre."""

    def run(self) -> None:
        """Pack them."""
        put_or_say()
        super().run()


class BuildOrNot(build_ext):
    """Builds every compiled module, or none."""

    def run(self) -> None:
        """Build them."""
        try:
            super().run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the sources do
            _say(error)
            for output in map(Path, super().get_outputs()):
                output.unlink(missing_ok=True)
            self.extensions = []


def _extensions() -> list[Extension]:
    only_describes = {"egg_info", "dist_info", "sdist"} & set(sys.argv[1:])
    if only_describes or os.environ.get("IDSYNC_PURE") == "1":
        return []
    settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    files = [name.replace(".", "/") + ".py" for name in settings["tool"]["idsync"]["compiled"]]
    try:
        from mypyc.build import mypycify

        # What is installed must not matter: no settings, no packages besides this one, and no
        # complaint of a module that is only imported; the checks run mypy on everything.
        options = ["--config-file=", "--no-site-packages", "--ignore-missing-imports"]
        options += ["--follow-imports=silent", *files]
        made: list[Extension] = mypycify(options, opt_level="3", multi_file=False)
        for each in made:  # a warning of another compiler is no reason to go without
            each.extra_compile_args = [it for it in each.extra_compile_args if it != "-Werror"]
            # gcc looks up every line that it might warn of, from the start of a file of 60 MB: that
            # took longer than everything else together. What is compiled stays the same.
            each.extra_compile_args.append("-Wno-misleading-indentation")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, the sources do
        _say(error)
        return []
    return made


def _say(error: BaseException) -> None:
    print(f"idsync is not compiled, and runs slower: {error}", file=sys.stderr)  # noqa: T201


setup(
    cmdclass={"build_ext": BuildOrNot, "build_py": BuildWithDagre, "sdist": PackWithDagre},
    ext_modules=_extensions(),
)
