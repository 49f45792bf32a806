"""Puts dagre into the package: the library of npm that lays out graphs on pages, and its licence.

The build does it (setup.py). `python get_dagre.py` does it for those who run the sources. npm gets
the library from the registry that it is set to; what is not the very package that is named here is
not taken. Where it cannot be had, pages show graphs as idsync itself arranged them.
"""

import base64
import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

PACKAGE = "@dagrejs/dagre@3.1.3"
INTEGRITY = (  # of the archive that npm gets, as npm writes it
    "sha512-X4aUTwOReZvthaZWOVHqlJ52/ZdhZFEM4+Lh/uR4Xoo"
    "USLE6p71bcy7MPGzYnNUcNh+nj+i/qJQpCMIdQnSmrg=="
)
FOLDER = Path(__file__).parent / "idsync_cli" / "render" / "html"
_SECONDS = 60


class NotTaken(Exception):
    """The library cannot be had, or is another one."""


def put_dagre(folder: Path = FOLDER) -> None:
    """Put the library and its licence into a folder, unless they are there.

    Raises:
        NotTaken: it cannot be had, or is another one. The folder is as it was.
    """
    library, licence = folder / "dagre.js", folder / "dagre.LICENSE.txt"
    begins = f"/*! {PACKAGE}\n"
    if all(map(Path.is_file, (licence, library))) and library.read_text("utf-8").startswith(begins):
        return
    with TemporaryDirectory() as temporary:
        archive = packed(Path(temporary))
        check(archive)
        with tarfile.open(archive) as members:
            code, terms = (
                _text(members, name) for name in ("package/dist/dagre.min.js", "package/LICENSE")
            )
    lines = [each for each in code.splitlines() if not each.startswith(("/*!", "//#"))]
    licence.write_text(terms, encoding="utf-8")
    library.write_text("\n".join([f"{begins}\n{terms}*/", *lines, ""]), encoding="utf-8")


def packed(folder: Path) -> Path:
    """The package as npm gives it, in a folder.

    Raises:
        NotTaken: there is no npm, or it cannot get the package.
    """
    command = ["npm", "pack", PACKAGE, "--prefer-offline", "--fetch-retries=1", "--silent"]
    command += ["--fetch-retry-mintimeout=1000"]
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=_SECONDS
        )
    except FileNotFoundError:
        raise NotTaken("npm is not installed") from None
    except (OSError, subprocess.SubprocessError) as error:
        raise NotTaken(f"npm cannot get {PACKAGE}: {error}") from error
    [archive] = folder.glob("*.tgz")
    return archive


def check(archive: Path) -> None:
    """Check that a package is the one that is meant.

    Raises:
        NotTaken: it is another one.
    """
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{found}" != INTEGRITY:
        raise NotTaken(
            f"what npm got for {PACKAGE} is not that package: its digest is sha512-{found}"
        )


def _text(members: tarfile.TarFile, name: str) -> str:
    member = members.extractfile(name)
    assert member is not None
    return member.read().decode()


def put_or_say() -> bool:
    """Put the library into the package, or say why it is not there; give whether it is."""
    try:
        put_dagre()
    except (NotTaken, OSError) as error:
        sys.stderr.write(f"Pages show graphs without dagre, which lays them out: {error}\n")
        return False
    return True


if __name__ == "__main__":
    raise SystemExit(0 if put_or_say() else 1)
