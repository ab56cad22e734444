"""A real HDFS: the NameNode and the DataNode of Hadoop 2.7, as its jars come with a release of Spark."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import Unavailable, free_port, run, wait_until_ready
from tests.servers.file_servers import USER
from tests.servers.object_stores import ObjectStore

JARS = Path(__file__).parent / "hadoop" / "jars"
_OF_DEBIAN = Path("/usr/share/java")
_PACKAGE = "org.apache.hadoop.hdfs.server"
_OPENED = (
    *("--add-opens=java.base/java.lang=ALL-UNNAMED", "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED"),
    *(f"--add-{how}=java.security.jgss/sun.security.krb5=ALL-UNNAMED" for how in ("opens", "exports")),
)
"""What Hadoop of that age looks into, and Java of today keeps shut."""


@contextmanager
def server() -> Iterator[ObjectStore]:
    """A file system that holds nothing.

    :raises Unavailable: if it is not installed, which is done only where it is asked for.
    """
    if not JARS.is_dir():
        raise Unavailable(
            "no Hadoop: TRACKSPEC_TEST_HADOOP=1 tests/servers/install installs it, which takes 0.5 GB"
        )
    java = shutil.which("java")
    jersey = [str(jar) for kind in ("jersey1-*", "jsr311-api*", "asm*") for jar in _OF_DEBIAN.glob(f"{kind}.jar")]
    if java is None or not jersey:
        raise Unavailable("no Java or no Jersey: tests/servers/install could not install them")
    directory, web = Path(tempfile.mkdtemp(prefix="trackspec-hdfs-")), free_port()
    try:
        _configure(directory, web)
        command = [java, "-Xmx512m", *_OPENED, "-Djava.net.preferIPv4Stack=true", f"-Dhadoop.log.dir={directory}"]
        command += ["-cp", os.pathsep.join([str(directory / "conf"), f"{JARS}/*", *jersey])]
        name_node, data_node = f"{_PACKAGE}.namenode.NameNode", f"{_PACKAGE}.datanode.DataNode"
        run(*command, name_node, "-format", "-force", "-nonInteractive")
        with contextlib.ExitStack() as stack:
            log = stack.enter_context((directory / "log").open("wb"))
            for node in (name_node, data_node):
                process = subprocess.Popen([*command, node], stdout=log, stderr=log)
                stack.callback(process.wait, 30)
                stack.callback(process.kill)
            wait_until_ready(lambda: _require_data_node(web), process, seconds=90)
            settings = {"TRACKSPEC_WEBHDFS_URL": f"http://127.0.0.1:{web}", "HADOOP_USER_NAME": USER}
            yield ObjectStore("hdfs://127.0.0.1", settings)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _configure(directory: Path, web: int) -> None:
    conf = directory / "conf"
    for application in ("hdfs", "datanode"):
        (conf / "webapps" / application / "WEB-INF").mkdir(parents=True)
        (conf / "webapps" / application / "WEB-INF" / "web.xml").write_text("<web-app/>")
    (conf / "webapps" / "static").mkdir()
    settings = {
        "core-site.xml": {"fs.defaultFS": f"hdfs://127.0.0.1:{free_port()}", "hadoop.tmp.dir": str(directory)},
        "hdfs-site.xml": {
            "dfs.namenode.http-address": f"127.0.0.1:{web}",
            "dfs.datanode.address": f"127.0.0.1:{free_port()}",
            "dfs.datanode.ipc.address": f"127.0.0.1:{free_port()}",
            "dfs.datanode.http.address": f"127.0.0.1:{free_port()}",
            "dfs.datanode.hostname": "127.0.0.1",
            "dfs.namenode.datanode.registration.ip-hostname-check": "false",
            "dfs.namenode.name.dir": f"file://{directory}/name",
            "dfs.datanode.data.dir": f"file://{directory}/data",
            "dfs.replication": "1",
            "dfs.permissions.enabled": "false",
            "dfs.webhdfs.enabled": "true",
        },
    }
    for name, items in settings.items():
        properties = "".join(
            f"<property><name>{item}</name><value>{value}</value></property>" for item, value in items.items()
        )
        (conf / name).write_text(f"<configuration>{properties}</configuration>")


def _require_data_node(web: int) -> None:
    """Require that the NameNode has left its safe mode, and knows a DataNode."""
    url = f"http://127.0.0.1:{web}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"
    with urllib.request.urlopen(url, timeout=5) as answer:
        state = json.load(answer)["beans"][0]
    if state["NumLiveDataNodes"] != 1 or state["FSState"] != "Operational":
        raise ConnectionError
