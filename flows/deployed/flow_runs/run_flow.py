"""The decorator of the flows: a flow with one task, whose parameters are the fields of a model in parameters.py."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, TypeVar

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.flows import Flow
from pydantic import Field
from pydantic.fields import FieldInfo

from flows.deployed.automations.events import emit_stored, emit_uploads
from flows.deployed.flow_runs.archive_mark import check_archive, keep_mark
from flows.deployed.flow_runs.execution import as_task
from flows.deployed.flow_runs.housekeeping import record_process
from flows.deployed.flow_runs.parameters import ArchiveParameters, checked, run_name

P = TypeVar("P", bound=ArchiveParameters)
Work = Callable[[P], Awaitable[State[Any]]]


def run_flow(form: type[P], *, task: str) -> Callable[[Work[P]], Flow[..., Any]]:
    """Make a flow of a function that takes the parameters as one model. Contradictory ones end the run as BadInput."""

    def decorate(work: Work[P]) -> Flow[..., Any]:
        async def run(**given: Any) -> State[Any]:
            return await as_task(task, partial(_work, work, form, given))

        name = work.__name__
        run.__name__, run.__qualname__, run.__module__ = name, name, work.__module__
        run.__doc__ = f"{work.__doc__}\n\nArgs:\n{_descriptions(form)}"
        run.__signature__ = inspect.Signature([_parameter(*field) for field in form.model_fields.items()])  # type: ignore[attr-defined]
        # Prefect would end a run with wrong parameters by a traceback.
        return flow(name=name, description=work.__doc__, flow_run_name=_before_it_runs, validate_parameters=False)(run)

    return decorate


async def _work(work: Work[P], form: type[P], given: dict[str, Any]) -> State[Any]:
    parameters = checked(form, given)
    archive = parameters.archive_path
    last = await check_archive(archive, create=getattr(parameters, "create", False))
    state = await work(parameters)
    now = await keep_mark(archive, last)
    emit_stored(archive, last, now)
    emit_uploads(archive, now)
    return state


def _descriptions(form: type[ArchiveParameters]) -> str:
    """The descriptions of the parameters, as Prefect reads them from a docstring."""
    return "".join(f"    {name}: {field.description}\n" for name, field in form.model_fields.items())


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    """A field as a parameter of a function, with its bounds."""
    annotation = Annotated[field.annotation, Field(), *field.metadata]  # type: ignore[name-defined]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=annotation)


def _before_it_runs() -> str:
    """Called by Prefect for the name of the run, before it is *Running*."""
    record_process()
    return run_name(str(runtime.flow_run.flow_name), runtime.flow_run.parameters)
