"""The coverage-guided fuzzer over the readers of requests, profiles, configurations and scenarios.

`scripts/fuzz.sh` runs it. What must hold of an input stands in `tests/input_properties.py`. Each
target is a process of its own, two at a time; it begins with the fixtures, and goes on after a
finding with another seed until its time is up. A finding is made as small as can be and put into
`fixtures/fuzz`, where `tests/test_fuzz.py` tries it ever after.
"""

import argparse
import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("requests", "profiles", "configuration", "scenarios")
MOST_FINDINGS = 10
INTERRUPTED = 72
"""What the fuzzer ends with when somebody else ends it."""

MOST_BYTES = 4000
LIMITS = (f"-max_len={MOST_BYTES}", "-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1")


@dataclass
class Result:
    """What became of one target."""

    inputs: int = 0
    covered: int = 0
    findings: list[str] = field(default_factory=list)


def available() -> bool:
    """Whether the fuzzer is installed."""
    return find_spec("atheris") is not None


def fuzz(target: str, seconds: float, corpus: Path, chance: Random) -> Result:
    """Fuzz one target, and begin again behind every finding."""
    properties = import_module("tests.input_properties")
    result = Result()
    until = time.monotonic() + seconds
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in properties.seeds(target):
        if len(seed) > MOST_BYTES:
            break  # the longest come last
        (corpus / _digest(seed)).write_bytes(seed)
    while (left := until - time.monotonic()) > 1 and len(result.findings) < MOST_FINDINGS:
        with TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "scripts.fuzz", "--inside", target, str(corpus)]
            command += [*LIMITS, f"-max_total_time={int(left)}", f"-artifact_prefix={folder}/"]
            command += [f"-seed={chance.getrandbits(31) + 1}"]
            ran = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
            said = ran.stderr.decode(errors="replace") + ran.stdout.decode(errors="replace")
            result.inputs += sum(map(int, re.findall(r"number_of_executed_units: (\d+)", said)))
            result.covered = max([result.covered, *map(int, re.findall(r"cov: (\d+)", said))])
            for crash in Path(folder).iterdir():
                _keep(target, crash.read_bytes(), said, result, properties)
                _put_aside(crash.read_bytes(), corpus)
            if ran.returncode == INTERRUPTED:
                print(f"{target}: interrupted before its time was up", file=sys.stderr)
                break
            if ran.returncode and not any(Path(folder).iterdir()):
                result.findings.append(f"{target}: ended with {ran.returncode}\n{said[-2000:]}")
                break
    return result


def _keep(target: str, data: bytes, said: str, result: Result, properties: Any) -> None:
    fault = properties.fault_of(target, data)
    small = properties.smallest(target, data) if fault else data
    place = properties.FOUND / target / _digest(small)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(small)
    what = properties.fault_of(target, small) or f"no fault outside of the fuzzer\n{said[-2000:]}"
    result.findings.append(f"{target}: {place.relative_to(ROOT)}: {what}")
    print(f"FOUND: {result.findings[-1]}", file=sys.stderr, flush=True)


def _put_aside(data: bytes, corpus: Path) -> None:
    """The corpus must not begin with what is known to fail."""
    (corpus / _digest(data)).unlink(missing_ok=True)


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()


def inside(target: str, arguments: list[str]) -> None:
    """Run the fuzzer itself; it never returns."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["idsync_cli"]):
        properties = import_module("tests.input_properties")

    def one(data: bytes) -> None:
        properties.hold(target, data)

    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()


def main() -> int:
    """Fuzz all targets, and say what came of it."""
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(prog="fuzz.sh", description="Fuzz the readers of files.")
    parser.add_argument("seconds", nargs="?", type=float, default=60.0, help="for each target")
    parser.add_argument("--target", choices=NAMES, action="append")
    parser.add_argument("--corpus", type=Path, default=ROOT / "build" / "fuzz" / "corpus")
    parser.add_argument("--seed", default=str(secrets.randbits(63)))
    options = parser.parse_args()
    if not available():
        print("the fuzzer, atheris, is not installed; sh scripts/fuzz.sh installs it")
        return 2
    targets = options.target or list(NAMES)
    with ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as two:
        results = list(
            two.map(
                lambda name: fuzz(
                    name, options.seconds, options.corpus / name, Random(f"{options.seed}:{name}")
                ),
                targets,
            )
        )
    counts = Counter({name: each.inputs for name, each in zip(targets, results, strict=True)})
    findings = [finding for each in results for finding in each.findings]
    for name, each in zip(targets, results, strict=True):
        print(f"{each.inputs:>12,}  inputs to {name}, {each.covered:,} places reached")
    print(f"{len(findings):>12,}  findings")
    print("\n".join(findings))
    print(json.dumps({"inputs": counts, "findings": findings}))
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
