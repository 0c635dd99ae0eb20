"""Workflows whose steps are checkpointed: after a kill they go on from the last finished step.

The one place that knows the engine's library (DBOS). A workflow is named by an id of ours and started at most
once; it is handed only that id, because what a workflow row holds stays in the engine's tables.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass
from typing import Any, TypeVar

from dbos import DBOS, DBOSPortableJSONSerializer, SetWorkflowID, StepOptions

from runtime import logs
from runtime.engine.database import Database

T = TypeVar("T")
Body = Callable[[str], Awaitable[None]]

# Pinned: the default is a hash of the code, and a deploy would leave every running turn behind for ever.
# A workflow whose steps change gets a new name, and the old one stays registered until it is drained.
APPLICATION_VERSION = "1"

# Attempts count dispatches, not guilt: an innocent turn in flight when another kills the process counts too.
# A poison turn is stopped by its own counter, in our turn table, long before this one.
MAX_RECOVERIES = 1000

log = logs.get("engine")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a step that raises is tried again. Waits ``first`` seconds, then twice as long each time."""

    attempts: int = 10
    first: float = 0.2
    factor: float = 2.0


PATIENT = Retry(attempts=20, first=0.2)
"""For steps that touch the database or the disk, which may be gone for minutes and come back."""


class Engine:
    """One a process: register the workflows, launch inside the running loop, close before the loop ends."""

    def __init__(self, database: Database, *, machine: str = "m1") -> None:
        logging.getLogger("dbos").setLevel(logging.CRITICAL)  # what fails is logged here, once, with its id
        self._workflows: dict[str, Callable[[str], Coroutine[Any, Any, None]]] = {}
        DBOS(
            config={
                "name": "proxystaff",
                "system_database_engine": database.engine,
                "executor_id": machine,
                "application_version": APPLICATION_VERSION,
                "serializer": DBOSPortableJSONSerializer(),
                "enable_otlp": False,
                "use_listen_notify": False,
                "log_level": "CRITICAL",
            }
        )

    def register(self, name: str, body: Body) -> None:
        """Before launch. ``body`` gets the id it was started with and calls ``step`` for all it does."""

        async def workflow(id: str) -> None:
            try:
                await body(id)
            except Exception:
                log.exception("workflow.failed", workflow=name, id=id)
                raise

        self._workflows[name] = DBOS.workflow(name=name, max_recovery_attempts=MAX_RECOVERIES)(workflow)

    async def launch(self) -> None:
        """Start, and take up again what the last process left unfinished. On this loop: the workflows
        must run where the agent's subprocesses live."""
        DBOS.launch()

    async def start(self, name: str, id: str) -> None:
        """Start workflow ``name`` under ``id``; nothing happens when it was started before.

        In a context of its own: from within a step the library would take it for a part of that step and refuse.
        """

        async def begin() -> None:
            with SetWorkflowID(id):
                await DBOS.start_workflow_async(self._workflows[name], id)

        await asyncio.get_running_loop().create_task(begin(), context=Context())

    async def step(self, name: str, work: Callable[[], Coroutine[Any, Any, T]], *, retry: Retry | None = None) -> T:
        """Run ``work`` and checkpoint what it returns (JSON: ids and numbers, never content).

        Inside a workflow only. ``work`` runs at least once; after its checkpoint, never again.
        """
        options: StepOptions = {"name": name, "preemptible": True}
        if retry:
            options |= {
                "retries_allowed": True,
                "max_attempts": retry.attempts,
                "interval_seconds": retry.first,
                "backoff_rate": retry.factor,
            }
        return await DBOS.run_step_async(options, work)

    def close(self) -> None:
        """Stop taking work. What is in flight is taken up by the next launch."""
        DBOS.destroy(destroy_registry=True)
