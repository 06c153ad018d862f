"""OpenStack Swift on loopback: a real server that speaks S3. `make object-store` installs it."""

from __future__ import annotations

import getpass
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from tests.support.command import environment

SWIFT = Path(sys.prefix) / "swift"
"""Where `make object-store` installs Swift, by tests/data/swift.lock."""

BUCKET = "seogo-test"
KEY, SECRET = "test:tester", "testing"
STORAGE = ("account", "container", "object")

_DEFAULT = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
devices = {folder}/devices
mount_check = false
swift_dir = {folder}
user = {user}
log_level = ERROR
"""
_STORAGE = """
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
# tempauth wants a cache; without a memcached it works without one.
_PROXY = """
[pipeline:main]
pipeline = catch_errors cache bulk s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:bulk]
use = egg:swift#bulk
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:s3api]
use = egg:swift#s3api
s3_acl = no
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""
_COMMON = """
[swift-hash]
swift_hash_path_prefix = made-up
swift_hash_path_suffix = made-up
[storage-policy:0]
name = default
default = yes
"""


def client_environment(port: int) -> Mapping[str, str]:
    """The environment variables of a client."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
    }


@contextmanager
def swift_server(folder: Path) -> Iterator[int]:
    """A server with one device in `folder`: its port."""
    ports = dict(zip((*STORAGE, "proxy"), _free_ports(4), strict=True))
    (folder / "devices" / "d1").mkdir(parents=True)
    (folder / "swift.conf").write_text(_COMMON)
    _make_rings(folder, ports)
    with ExitStack() as servers:
        for kind, port in ports.items():
            config = folder / f"{kind}-server.conf"
            text = _DEFAULT.format(port=port, folder=folder, user=getpass.getuser())
            config.write_text(text + (_PROXY if kind == "proxy" else _STORAGE.format(kind=kind)))
            servers.enter_context(_running(f"swift-{kind}-server", config))
        _wait_for(ports["proxy"])
        _make_bucket(ports["proxy"])
        yield ports["proxy"]


def _make_bucket(port: int) -> None:
    from obstore import sign
    from obstore.store import S3Store

    store = S3Store(
        BUCKET,
        endpoint=f"http://127.0.0.1:{port}",
        access_key_id=KEY,
        secret_access_key=SECRET,
        region="us-east-1",
        client_options={"allow_http": True},
    )
    address = sign(store, "PUT", "", timedelta(minutes=5))
    request = urllib.request.Request(address, method="PUT")  # noqa: S310 — of our own server
    urllib.request.urlopen(request, timeout=60).close()  # noqa: S310


def _make_rings(folder: Path, ports: Mapping[str, int]) -> None:
    """The maps of what is on which device: all is on one."""
    code = f"""
from swift.common.ring import RingBuilder
for kind, port in {[(kind, ports[kind]) for kind in STORAGE]!r}:
    ring = RingBuilder(1, 1, 0)
    ring.add_dev(dict(region=1, zone=1, ip="127.0.0.1", port=port, device="d1", weight=1))
    ring.rebalance()
    ring.get_ring().save({str(folder)!r} + "/" + kind + ".ring.gz")
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], env=environment(PYTHONPATH=SWIFT), check=True)


@contextmanager
def _running(name: str, config: Path) -> Iterator[None]:
    log = config.with_suffix(".log")
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*_program(name), str(config)], env=environment(PYTHONPATH=SWIFT), stdout=file, stderr=file
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def _program(name: str) -> list[str]:
    return [sys.executable, "-W", "ignore", str(SWIFT / "bin" / name)]


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("Swift did not start")


def _free_ports(number: int) -> list[int]:
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
