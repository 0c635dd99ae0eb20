"""Where the parts meet. Read ``build`` to know what the process is made of, and ``routes`` for what it answers."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from runtime import __version__, logs, metrics
from runtime.agent import isolation
from runtime.agent.gateway import Gateway, Limits
from runtime.agent.opening import open_gateway
from runtime.agent.pool import Sessions
from runtime.agent.questions import Questions
from runtime.agent.toolbox import Toolbox
from runtime.annealing.assembling import assemble
from runtime.annealing.loop import Loop
from runtime.background import beside
from runtime.channels import api, sending, telegram, whatsapp
from runtime.channels.base import WhatsAppKeys
from runtime.channels.outgoing import OutgoingApi
from runtime.channels.telegram import TelegramApi
from runtime.channels.whatsapp import WhatsAppApi
from runtime.engine.database import Database
from runtime.engine.durable import Engine
from runtime.engine.lease import Lease
from runtime.errors import Unavailable
from runtime.learning.clock import RUN, Clock
from runtime.learning.runner import Runner
from runtime.metrics import Metrics
from runtime.settings import Settings
from runtime.tenant.registry import Tenants
from runtime.tenant.secrets import Keys
from runtime.turns import tool_routes
from runtime.turns.attachments import Attachments, Outgoing
from runtime.turns.board import Board
from runtime.turns.commands import Commands, Strangers, note
from runtime.turns.delivery import Delivery
from runtime.turns.desk import Desk
from runtime.turns.edits import Edits
from runtime.turns.ending import Ending
from runtime.turns.erasing import Places, finish_erasures
from runtime.turns.errand import Errand
from runtime.turns.intake import ERRAND, TURN, Intake
from runtime.turns.lanes import Lanes
from runtime.turns.polling import Polling, introduce
from runtime.turns.post import Post
from runtime.turns.providing import providers
from runtime.turns.records import Records
from runtime.turns.recovery import recover
from runtime.turns.speaking import Speaking
from runtime.turns.triage import Way
from runtime.turns.turn import Turn
from runtime.words import TenantId
from shared_tools.catalog import TOOLS

log = logs.get("app")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The parts of a running process that others ask for."""

    settings: Settings
    tenants: Tenants
    database: Database
    gateway: Gateway
    sessions: Sessions
    intake: Intake
    desk: Desk
    metrics: Metrics
    operator: SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class Agents:
    """The agent's room of one process."""

    gateway: Gateway
    sessions: Sessions
    questions: Questions


@asynccontextmanager
async def agents(settings: Settings, tenants: Tenants, counted: Metrics) -> AsyncIterator[Agents]:
    """Sessions behind their gateway, until the block ends. Raises Refused, ConfigFault, Broken."""
    model = settings.file.model
    gateway = open_gateway(settings, limits=lambda tenant: _limits(tenants, tenant), metrics=counted)
    try:
        sessions = Sessions(
            settings.file.sessions,
            gateway=gateway,
            isolation=_isolation(settings, tenants),
            var=settings.var,
            model=model.name,
            toolbox=Toolbox(TOOLS, providers(lambda tenant: tenants.get(tenant).folder, settings.index)),
        )
        questions = Questions(gateway=gateway, model=model.name, small=model.small)
        async with sessions:
            yield Agents(gateway=gateway, sessions=sessions, questions=questions)
    finally:
        await gateway.aclose()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Runtime]:
    """Everything but the sockets: takes the lease, recovers what was left unfinished, works until the block ends.

    Raises Refused (served already, or the machine cannot confine the agent), ConfigFault, Broken.
    """
    async with AsyncExitStack() as stack:
        lease = Lease(settings.var)
        lease.take()
        stack.callback(lease.release)
        file = settings.file
        Keys.of(settings).fernet()  # without the key every webhook would be refused, and nobody would know why
        counted = Metrics()
        tenants = Tenants(settings.tenants, Keys.of(settings))
        database = Database(file.engine.database, settings.var)
        stack.callback(database.close)
        await asyncio.to_thread(finish_erasures, Places(database, settings.var), tenants)
        engine = Engine(database)
        agent = await stack.enter_async_context(agents(settings, tenants, counted))
        gateway, sessions = agent.gateway, agent.sessions
        http = await stack.enter_async_context(sending.open_http())
        telegram_api = TelegramApi(http, file.telegram.api_base, counted)
        post = Post(
            tenants, telegram_api, WhatsAppApi(http, file.whatsapp.api_base, counted), OutgoingApi(http, counted)
        )
        board, lanes, records = Board(), Lanes(), Records(tenants)
        speaking = Speaking(database, partial(engine.start, ERRAND))
        edits = Edits(database=database, tenants=tenants, records=records, lanes=lanes)
        runner = Runner(
            database=database,
            engine=engine,
            tenants=tenants,
            sessions=sessions,
            records=records,
            lanes=lanes,
            folders=settings.var / "runs",
            budgets=file.memory.given,
        )
        clock = Clock(
            database=database,
            engine=engine,
            tenants=tenants,
            runner=runner,
            timeout_hours=file.sessions.timeout_hours,
            budgets=file.memory.given,
        )
        annealing = assemble(
            Loop(
                database=database,
                tenants=tenants,
                records=records,
                lanes=lanes,
                sessions=sessions,
                questions=agent.questions,
            ),
            engine,
            settings.var / "plays" / "loop",
            busy=lanes.is_busy,
        )
        ending = Ending(database=database, sessions=sessions, ended=clock.ended)
        turn = Turn(
            database=database,
            engine=engine,
            tenants=tenants,
            sessions=sessions,
            post=post,
            speaking=speaking,
            attachments=Attachments(post),
            outgoing=Outgoing(settings.var / "outgoing"),
            delivery=Delivery(database, post, records.settled),
            records=records,
            edits=edits,
            ending=ending,
            lanes=lanes,
            board=board,
            metrics=counted,
            quiet=lambda _tenant, channel: 0.0 if channel == api.CHANNEL else file.sessions.coalesce_seconds,
        )
        intake = Intake(
            database=database,
            engine=engine,
            tenants=tenants,
            lanes=lanes,
            board=board,
            metrics=counted,
            reported=records.reported,
        )
        operator = SecretStr(secrets.token_urlsafe(32))
        desk = Desk(
            tenants=tenants,
            intake=intake,
            sessions=sessions,
            keys=WhatsAppKeys(file.whatsapp.app_secret, file.whatsapp.verify_token),
            bots=telegram_api.bot,
            operator=operator,
        )
        commands = Commands(
            database=database,
            tenants=tenants,
            sessions=sessions,
            gateway=gateway,
            records=records,
            lanes=lanes,
            ending=ending,
            undo_improvement=annealing.undo,
        )
        errand = Errand(
            database=database,
            engine=engine,
            tenants=tenants,
            delivery=turn.delivery,
            post=post,
            speaking=speaking,
            records=records,
            lanes=lanes,
            board=board,
            acts={Way.COMMAND: commands, Way.PAIRING: Strangers(database), Way.NOTE: note},
        )
        engine.register(TURN, turn)
        engine.register(ERRAND, errand)
        engine.register(RUN, runner)
        await recover(database, tenants, records, edits)
        await engine.launch()
        stack.callback(engine.close)
        await stack.enter_async_context(beside(intake.sweep()))
        await stack.enter_async_context(beside(edits.run()))
        await stack.enter_async_context(beside(clock.run()))
        await stack.enter_async_context(beside(annealing.clock.run()))
        stack.push_async_callback(intake.close)
        if file.telegram.mode == "polling":
            # Lines that are held open for a minute each would starve what is sent.
            lines = await stack.enter_async_context(sending.open_http())
            polled = TelegramApi(lines, file.telegram.api_base, counted)
            polling = Polling(database, tenants, polled, intake)
            await stack.enter_async_context(beside(polling.run()))
        else:
            await stack.enter_async_context(beside(introduce(tenants, telegram_api)))
        yield Runtime(
            settings=settings,
            tenants=tenants,
            database=database,
            gateway=gateway,
            sessions=sessions,
            intake=intake,
            desk=desk,
            metrics=counted,
            operator=operator,
        )


def routes(runtime: Runtime) -> list[BaseRoute]:
    """Everything the process answers over HTTP."""

    async def health(_request: Request) -> Response:
        try:
            depth, age = await runtime.intake.standing()
        except Unavailable as fault:
            return JSONResponse({"status": "down", "version": __version__, "problem": fault.problem}, status_code=503)
        found = {"queue_depth": depth, "oldest_unanswered_seconds": round(age, 1)}
        model = runtime.settings.file.model.upstream
        return JSONResponse({"status": "ok", "version": __version__, "model": model, **found})

    async def show_metrics(_request: Request) -> Response:
        await runtime.intake.standing()
        runtime.metrics.warm_sessions.set(runtime.sessions.stats().warm)
        return Response(runtime.metrics.render(), media_type=metrics.CONTENT_TYPE)

    return [
        Route("/health", health, methods=["GET"]),
        Route("/metrics", show_metrics, methods=["GET"]),
        *telegram.routes(runtime.desk, bot_of=runtime.desk.telegram_bot),
        *whatsapp.routes(runtime.desk, groups=runtime.settings.file.whatsapp.groups),
        *api.routes(runtime.desk),
        *tool_routes.routes(runtime.desk.tenant_of_key, runtime.settings.index),
    ]


def application(runtime: Runtime) -> Starlette:
    return Starlette(routes=routes(runtime))


def _isolation(settings: Settings, tenants: Tenants) -> isolation.Isolation:
    bwrap = isolation.find_bwrap()
    chosen = isolation.decide(
        settings.file.isolation,
        bwrap=bwrap,
        tenants=len(tenants.all()),
        platform=sys.platform,
        trouble=isolation.trial(bwrap) if bwrap else "",
    )
    if not isinstance(chosen, isolation.Bwrap):
        log.warning("isolation.weak", kind=type(chosen).__name__, next=isolation.INSTALL)
    return chosen


def _limits(tenants: Tenants, tenant: TenantId) -> Limits:
    config = tenants.get(tenant).config
    return Limits(usd_per_day=config.limits.usd_per_day, zone=config.zone)
