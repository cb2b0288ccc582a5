"""``digest run``, ``migrate``, ``web``, ``worker``, ``scheduler``."""

import signal
import threading
from typing import Annotated

import typer

from digest import bootstrap
from digest.cli.breaking_off import break_off_later
from digest.cli.common import Json, console, emit, open_service, settings
from digest.cli.crew import Crew, end_with_parent, worker_command
from digest.cli.first_run import do_the_job
from digest.cli.serving import Beat, beating, listening, serve
from digest.engine.jobs import Untold
from digest.workflows.autopilot import collect, plan_due, publish
from digest.workflows.context import Context
from digest.workflows.deliver import THREADS
from digest.workflows.errands import handlers, sweep

LOOK_EVERY = 2
"""Seconds between a worker's looks at what is to be sent: whoever resumes an issue wants to see it go on."""

GATHER_EVERY = 10
"""Seconds between its looks at which sources are due."""


def register(root: typer.Typer) -> None:
    """Add the commands."""
    root.command()(migrate)
    root.command()(run)
    root.command()(web)
    root.command()(worker)
    root.command()(scheduler)


def migrate(as_json: Json = False) -> None:
    """Bring the database up to date."""
    revision = bootstrap.migrated(settings())
    emit(as_json, {"revision": revision}, f"the database is at revision {revision}")


def run(
    once: Annotated[bool, typer.Option("--once", help="Do the job and exit.")] = False, as_json: Json = False
) -> None:
    """Do the whole job: gather, draft, approve by policy, deliver; then serve web, scheduler and worker."""
    with open_service(forks=True) as (ctx, loaded), bootstrap.news_at_hand(ctx, loaded):
        if once:
            outcome = do_the_job(ctx, loaded, quiet=as_json)
            emit(as_json, outcome.as_dict(), f"{outcome.words}\n  The pages open while `digest run` serves them.")
            raise typer.Exit(1 if outcome.failed else 0)
        with listening(loaded.host, loaded.port) as door:  # before anything is sent: a second service ends here
            outcome = do_the_job(ctx, loaded, quiet=as_json)
            console.print(outcome.words, soft_wrap=True)
            serve(
                ctx,
                loaded,
                door,
                Beat(lambda _stop: plan_due(ctx), 60),
                Beat(lambda stop: publish(ctx, stop=stop), LOOK_EVERY),
                Beat(lambda stop: collect(ctx, stop=stop), 60),
            )


def web() -> None:
    """Serve the web pages."""
    with open_service() as (ctx, loaded), listening(loaded.host, loaded.port) as door:
        serve(ctx, loaded, door)


def worker(
    concurrency: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="Connections to the mail server at most, of each process.")
    ] = THREADS,
    processes: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help="Worker processes; one uses one core.")
    ] = 1,
) -> None:
    """Gather, draft and deliver what is due, until stopped. Any number of workers may run, on any number of machines."""
    if processes > 1:
        with open_service():
            pass  # whatever is wrong with the settings is said here, once
        done = _asked_to_stop()
        Crew(worker_command(concurrency), processes).attend(done)
        return
    with open_service(forks=True) as (ctx, loaded), bootstrap.news_at_hand(ctx, loaded):
        end_with_parent()
        if not isinstance(ctx.jobs, Untold):
            _attend(ctx, concurrency)
            return
        posting = Beat(lambda stop: publish(ctx, stop=stop, threads=concurrency), LOOK_EVERY)
        _until_stopped(posting, Beat(lambda stop: collect(ctx, stop=stop), GATHER_EVERY))


def _attend(ctx: Context, concurrency: int) -> None:
    """Do the engine's jobs until SIGINT or SIGTERM, and tell it what it has lost."""
    from digest.engine.distributed import Distributed

    assert isinstance(ctx.jobs, Distributed)
    done = threading.Event()

    def end(*_: object) -> None:
        if not done.is_set():
            done.set()
            break_off_later()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    with beating([Beat(lambda _stop: sweep(ctx), LOOK_EVERY)]):
        ctx.jobs.work(handlers(ctx, done.is_set, concurrency), done)


def scheduler() -> None:
    """Plan the issues whose hour comes, until stopped."""
    with open_service() as (ctx, _loaded):
        _until_stopped(Beat(lambda _stop: plan_due(ctx), 60))


def _until_stopped(*beats: Beat) -> None:
    """Keep the beats in threads until SIGINT or SIGTERM; those at work are asked to stop and waited for."""
    done = _asked_to_stop()
    with beating(beats):
        done.wait()


def _asked_to_stop() -> threading.Event:
    """Set by SIGINT or SIGTERM from now on."""
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    return done
