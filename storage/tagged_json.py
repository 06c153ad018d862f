"""Values of several types as JSON: an object with the kind of the value as the only key, `{"run_ended": {...}}`.

Every field is written, also one with its default value: what was written must not change when a default does.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import make_dataclass
from functools import reduce
from operator import or_
from typing import Any, Generic, TypeVar

from pydantic import JsonValue, TypeAdapter, ValidationError

T = TypeVar("T")
_JSON: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


class UnknownKind(LookupError):
    """A value of a kind that this version does not know. Its text is the kind."""


class TaggedJson(Generic[T]):
    """Reads and writes values of the types in `kinds`, which are dataclasses, by the name of their kind."""

    def __init__(self, kinds: Mapping[str, type[T]]) -> None:
        self._tagged: dict[type[T], Any] = {
            type_: make_dataclass(f"_{type_.__name__}", [(kind, type_)], frozen=True, slots=True)
            for kind, type_ in kinds.items()
        }
        self._kinds = dict(zip(self._tagged.values(), kinds, strict=True))
        self._any: TypeAdapter[Any] = TypeAdapter(reduce(or_, self._kinds))

    def dump(self, value: T) -> bytes:
        """A value as JSON in UTF-8."""
        return self._any.dump_json(self._tagged[type(value)](value))

    def load(self, data: bytes) -> T:
        """The value in `data`. Raises pydantic's ValidationError, and UnknownKind."""
        try:
            tagged = self._any.validate_json(data)
        except ValidationError:
            self._check_kind(data)
            raise
        value: T = getattr(tagged, self._kinds[type(tagged)])
        return value

    def _check_kind(self, data: bytes) -> None:
        with suppress(ValidationError):
            for kind in _JSON.validate_json(data):
                if kind not in self._kinds.values():
                    raise UnknownKind(kind)
