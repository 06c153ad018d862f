"""nginx as a child process on a free local port. It serves gzip files for any host name."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_READY_WITHIN = 10.0
_PLACES = f"/usr/sbin{os.pathsep}/usr/local/sbin{os.pathsep}/sbin"

_CONF = """\
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  default_type text/html;
  charset utf-8;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} default_server backlog=512;
    root {site};
    location = /robots.txt {{ default_type text/plain; return 200 "User-agent: *\\nAllow: /\\n"; }}
    location / {{ gzip_static always; gunzip on; }}
  }}
}}
"""


@contextmanager
def nginx(site: Path) -> Iterator[str]:
    """Serve the gzip files below `site` (`…/a.gz` as `/a`) during the block; yields the URL.

    robots.txt allows everything. Raises SystemExit if nginx is not installed or does not start.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}{os.pathsep}{_PLACES}")
    if program is None:
        raise SystemExit("nginx is not installed: install it (Debian: apt-get install nginx-light), then run again.")
    with tempfile.TemporaryDirectory(prefix="seogo-nginx-") as temporary:
        folder, port = Path(temporary), _free_port()
        conf = folder / "nginx.conf"
        # As root, the user of the workers must be set: the default, nobody, cannot read the temporary folder.
        user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
        conf.write_text(_CONF.format(user=user, folder=folder, port=port, site=site.resolve()), encoding="utf-8")
        process = subprocess.Popen([program, "-p", temporary, "-c", str(conf)], stderr=subprocess.DEVNULL)
        try:
            _wait_until_it_listens(process, port, folder / "error.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _READY_WITHIN
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    logged = log.read_text(encoding="utf-8") if log.exists() else "its log is empty"
    raise SystemExit(f"nginx did not start: {logged}")
