"""Values of several types as JSON: an object with the kind of the value as the only key, `{"run_ended": {...}}`.

Every field is written, also one with its default value: what was written must not change when a default does.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import make_dataclass
from functools import cached_property, reduce
from operator import or_
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

T = TypeVar("T")


class UnknownKind(LookupError):
    """A value of a kind that this version does not know. Its text is the kind."""


class TaggedJson(Generic[T]):
    """Reads and writes values of the types in `kinds`, which are dataclasses, by the name of their kind."""

    def __init__(self, kinds: Mapping[str, type[T]]) -> None:
        self._types = dict(kinds)
        self._kinds = {type_: kind for kind, type_ in kinds.items()}

    def dump(self, value: T) -> bytes:
        """A value as JSON in UTF-8."""
        return to_json({self._kinds[type(value)]: value}, inf_nan_mode="null")

    def load(self, data: bytes) -> T:
        """The value in `data`. Raises pydantic's ValidationError, and UnknownKind."""
        try:
            tagged = self._any.validate_json(data)
        except ValidationError:
            self._check_kind(data)
            raise
        (kind,) = tagged.__dataclass_fields__
        value: T = getattr(tagged, kind)
        return value

    @cached_property
    def _any(self) -> TypeAdapter[Any]:
        # Made when it is first needed, because that takes time and many runs only write.
        tagged = [make_dataclass(f"_{kind}", [(kind, type_)], slots=True) for kind, type_ in self._types.items()]
        return TypeAdapter(reduce(or_, tagged))

    def _check_kind(self, data: bytes) -> None:
        found = None
        with suppress(ValueError):
            found = from_json(data)
        if isinstance(found, dict) and (unknown := [kind for kind in found if kind not in self._types]):
            raise UnknownKind(unknown[0])
