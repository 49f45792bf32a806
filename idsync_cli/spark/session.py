"""A session of Spark, for the command."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Final

from idsync_cli.errors import UsageFault
from idsync_cli.spark.reading import are_small

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_IS_SUBMITTED: Final = "PYSPARK_GATEWAY_PORT"
"""Is in the environment of a script that spark-submit runs."""

_OF_A_SHORT_LIFE: Final = (
    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:InitialRAMPercentage=12 -XX:NewRatio=1"
)
"""What Java is started with on this machine for small files: most of its time would go into
compiling well what then runs for seconds, and into a heap that grows as it is needed.
`spark.driver.extraJavaOptions` overrides it."""

_TASKS_OF_A_CORE: Final = 8
"""So many that no core is without work for long when the last ones end."""

_NEEDED: Final = "pandas", "pyarrow.parquet"


def session(master: str | None, files: Sequence[str]) -> "SparkSession":
    """The session at hand, or a new one: at a master, or else on all cores of this machine.

    `files` are what it is for.

    Raises:
        UsageFault: PySpark or Java is missing.
    """
    try:
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
        from pyspark.sql.utils import is_remote
    except ImportError:
        raise UsageFault(
            "Spark is not installed here; install it with: pip install 'idsync[spark]' (it needs "
            "Java 17, too)"
        ) from None
    builder = SparkSession.builder.appName("idsync")
    if _IS_SUBMITTED not in os.environ:
        # Workers would take another Python, and the driver would look up its own host name.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        if master is None or master.startswith("local"):
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
            partitions = _TASKS_OF_A_CORE * (os.cpu_count() or 1)
            builder = builder.config("spark.sql.shuffle.partitions", partitions)
            builder = builder.config("spark.ui.showConsoleProgress", "false")
            builder = builder.config("spark.python.unix.domain.socket.enabled", "true")  # is faster
            if are_small(files):
                builder = builder.config("spark.driver.defaultJavaOptions", _OF_A_SHORT_LIFE)
    if master is not None:
        builder = builder.master(master)
    Thread(target=_import_ahead, daemon=True).start()
    try:
        found = builder.getOrCreate()
    except PySparkRuntimeError as error:
        if "JAVA_GATEWAY_EXITED" in str(error):
            raise UsageFault(
                "Spark could not start Java; it needs Java 17: on Debian and Ubuntu "
                "apt-get install openjdk-17-jre-headless"
            ) from None
        raise
    if _IS_SUBMITTED not in os.environ and not is_remote():
        found.sparkContext.setLogLevel("ERROR")  # of warnings there are many, and none is news
    return found


def _import_ahead() -> None:
    """Import what a job needs in this process while Java starts: it takes more than a second."""
    for name in _NEEDED:
        with suppress(ImportError):  # whoever needs it says so
            import_module(name)
