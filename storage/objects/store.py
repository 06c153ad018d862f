"""One place in an object store: creates, reads, lists and deletes objects, and checks what it has stored.

All methods raise ObjectStoreRefused (no rights, no bucket, wrong region) and ObjectStoreUnavailable (away, slow); where
they say so, also ObjectExists, ObjectMissing and ObjectChanged.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from schemas.errors import BadInput, MissingKey, ObjectChanged, ObjectMissing
from storage.files import sync_file, sync_folder
from storage.objects.address import StoreAddress, parse_address
from storage.objects.faults import no_s3_answer, object_faults

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Client

CHUNK = 8 * 1024 * 1024
"""Bytes of an object that are read at once."""

_CREDENTIALS = (
    *("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
    *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_SKIP_SIGNATURE"),
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a store, in seconds: for a reading request, for an upload, and for all tries of either."""

    reading: float = 60
    upload: float = 600
    tries: int = 4
    all_tries: float = 60


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object: its name relative to the store's prefix, its size in bytes, and the tag of its version."""

    name: str
    bytes: int
    etag: str | None


class ObjectStore:
    """The objects below one address. Opened by `open_store`; threads may share it."""

    def __init__(self, address: StoreAddress, reading: Client, upload: Client) -> None:
        self.address = address
        self._reading = reading
        self._upload = upload

    def create(self, name: str, data: bytes | Path) -> None:
        """Store an object under a new name. Raises ObjectExists: the name is taken, whatever it holds."""
        self._put(name, data, "create")

    def replace(self, name: str, data: bytes | Path) -> None:
        """Store an object, in place of another one if there is one. Readers see one of the two, as a whole."""
        self._put(name, data, "overwrite")

    def get(self, name: str) -> bytes:
        """A whole object. Raises ObjectMissing."""
        import obstore

        with object_faults(self._where(name)):
            result = obstore.get(self._reading, name)
            self._stored(result.meta)
            return bytes(result.bytes())

    def find(self, name: str) -> bytes | None:
        """A whole object; None if there is none."""
        try:
            return self.get(name)
        except ObjectMissing:
            return None

    def head(self, name: str) -> StoredObject:
        """What the store says about an object. Raises ObjectMissing."""
        import obstore

        with object_faults(self._where(name)):
            return self._stored(obstore.head(self._reading, name))

    def get_range(self, name: str, start: int, length: int, *, etag: str | None = None) -> bytes:
        """The bytes from `start`: `length` of them, or fewer at the end of the object.

        `etag`: only if it is still this version. Raises ObjectMissing; ObjectChanged if it is another version, if
        the object ends before `start`, or if the answer has another length than it says.
        """
        return self._part(name, start, length, etag)[0]

    def download(self, name: str, file: BinaryIO) -> str:
        """Copy an object into `file`. Returns its SHA-256. Raises ObjectMissing, ObjectChanged."""
        sha256, position, size, etag = hashlib.sha256(), 0, self.head(name).bytes, None
        while position < size:
            data, meta = self._part(name, position, CHUNK, etag)
            etag, size, position = meta.etag, meta.bytes, position + len(data)
            sha256.update(data)
            file.write(data)
        return sha256.hexdigest()

    def check(self, name: str, size: int, sha256: str) -> None:
        """Read an object back. Raises ObjectMissing, and ObjectChanged if it is not the one with this SHA-256."""
        with Path(os.devnull).open("wb") as nowhere:
            read = self.download(name, nowhere)
        if read != sha256:
            there = self.head(name).bytes
            raise ObjectChanged(f"{self._where(name)} is not what was uploaded ({there} bytes there, {size} here).")

    def list(self, folder: str = "", *, after: str = "") -> Iterator[StoredObject]:
        """The objects below `folder`, in the order of their names; only those `after` a name."""
        import obstore

        with object_faults(self._where(folder)):
            # Not every store lists in order.
            found = [
                self._stored(item)
                for part in obstore.list(self._reading, folder or None, offset=after or None)
                for item in part
            ]
        if not found:
            self._check_protocol()
        return iter(sorted(found, key=lambda item: item.name))

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects; one that does not exist is none to delete."""
        import obstore

        for name in names:
            try:
                with object_faults(self._where(name)):
                    obstore.delete(self._reading, name)
            except ObjectMissing:
                continue

    def _put(self, name: str, data: bytes | Path, mode: Any) -> None:
        import obstore

        with object_faults(self._where(name)):
            # In one request, also if it is large: only then does the store refuse a name that is taken.
            obstore.put(self._upload, name, data, mode=mode, use_multipart=False)
            if self.address.scheme == "file":
                _sync(Path("/", self.address.prefix, name))

    def _part(self, name: str, start: int, length: int, etag: str | None) -> tuple[bytes, StoredObject]:
        import obstore

        options: Any = {"range": (start, start + length)} | ({"if_match": etag} if etag else {})
        with object_faults(self._where(name)):
            result = obstore.get(self._reading, name, options=options)
            data, meta, (begin, end) = bytes(result.bytes()), self._stored(result.meta), result.range
        if begin != start or len(data) != end - begin or end != min(start + length, meta.bytes):
            raise ObjectChanged(f"{self._where(name)}: the store sent other bytes than those asked for.")
        return data, meta

    def _stored(self, meta: Any) -> StoredObject:
        """Raises ObjectStoreFault for an answer that any web server might give: S3 tells the tag of each object."""
        if self.address.scheme == "s3" and not meta["e_tag"]:
            raise no_s3_answer(self._where(meta["path"]))
        return StoredObject(meta["path"], meta["size"], meta["e_tag"])

    def _check_protocol(self) -> None:
        """An empty list may also be the page of a login, or of another server: then any object seems to exist."""
        with suppress(ObjectMissing):
            self.head("seogo-no-object")

    def _where(self, name: str) -> str:
        return str(self.address.below(name))


def open_store(text: str, patience: Patience | None = None) -> ObjectStore:
    """The store at an address. Sends no request. Raises BadInput, and MissingKey if there are no credentials."""
    address = parse_address(text)
    try:
        import obstore  # noqa: F401
    except ImportError as error:
        raise BadInput(f"{address}: object stores need an extra: pip install 'seogo[store]'.") from error
    match address.scheme:
        case "s3":
            return _open_s3(address, patience or Patience())
        case "file":
            return _open_folder(address)
        case _:
            return _open_memory(address)


def _open_s3(address: StoreAddress, patience: Patience) -> ObjectStore:
    _check_environment(address, os.environ)
    with object_faults(str(address)):
        return ObjectStore(
            address, _s3_client(address, patience, patience.reading), _s3_client(address, patience, patience.upload)
        )


def _check_environment(address: StoreAddress, environment: Mapping[str, str]) -> None:
    if not any(environment.get(name) for name in _CREDENTIALS):
        raise MissingKey(f"{address}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.")
    endpoint = environment.get("AWS_ENDPOINT_URL", environment.get("AWS_ENDPOINT", ""))
    if endpoint.startswith("http://") and environment.get("AWS_ALLOW_HTTP", "").lower() != "true":
        raise BadInput(
            f"{address}: the endpoint is plain http. If data may cross the network unencrypted: AWS_ALLOW_HTTP=true."
        )


def _s3_client(address: StoreAddress, patience: Patience, timeout: float) -> Client:
    return _cached_s3_client(address, patience, timeout, tuple(sorted(_aws(os.environ).items())))


def _aws(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("AWS_")}


@lru_cache(maxsize=16)
def _cached_s3_client(
    address: StoreAddress, patience: Patience, timeout: float, environment: tuple[tuple[str, str], ...]
) -> Client:
    """Kept for its connections. `environment`: what obstore reads from there by itself."""
    from obstore.store import S3Store

    return S3Store(
        address.bucket,
        prefix=address.prefix or None,
        client_options={
            "timeout": timedelta(seconds=timeout),
            "connect_timeout": timedelta(seconds=min(5, timeout)),
            "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true",
        },
        retry_config={"max_retries": patience.tries - 1, "retry_timeout": timedelta(seconds=patience.all_tries)},
    )


def _open_folder(address: StoreAddress) -> ObjectStore:
    from obstore.store import LocalStore

    with object_faults(str(address)):
        client = LocalStore(f"/{address.prefix}", mkdir=True)
    return ObjectStore(address, client, client)


def _open_memory(address: StoreAddress) -> ObjectStore:
    client = _memory(address)
    return ObjectStore(address, client, client)


@cache
def _memory(address: StoreAddress) -> Client:
    """One store for each address, as long as the process lives."""
    from obstore.store import MemoryStore

    return MemoryStore()


def _sync(path: Path) -> None:
    """Flush a file to the disk, and the folders that were made for it."""
    sync_file(path)
    for folder in path.parents:
        sync_folder(folder)
