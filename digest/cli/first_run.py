"""The job of ``digest run``: everything that is due, with progress to watch and links to look at afterwards."""

from dataclasses import dataclass
from itertools import islice
from typing import Any

from digest import bootstrap
from digest.cli.common import bar, console
from digest.cli.pipeline import gathered
from digest.settings import Settings
from digest.store import issues
from digest.store.editors import addresses
from digest.store.newsroom import feeds
from digest.store.subscribers import listed
from digest.workflows import newsroom as newsroom_workflow
from digest.workflows.autopilot import Step, advance, plan_due
from digest.workflows.context import Context
from digest.workflows.deliver import audit
from digest.workflows.gather import FeedOutcome, GatherReport, gather
from digest.workflows.notices import send_notices
from digest.workflows.recover import recover
from digest.workflows.sign_in import make_link
from digest.workflows.subscribe import import_csv


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """What the job did: numbers for programs, words with links for people."""

    issues: tuple[dict[str, Any], ...]
    failed: bool
    words: str

    def as_dict(self) -> dict[str, Any]:
        """One document for ``--json``."""
        return {"ok": not self.failed, "issues": list(self.issues)}


def do_the_job(ctx: Context, settings: Settings, *, quiet: bool) -> JobOutcome:
    """Bring the newsroom into force if there is none, then gather, draft, approve by policy and deliver what is due."""
    recover(ctx)
    if not bootstrap.first_newsroom(ctx, settings):
        _mention_changes(ctx, settings)
    _bring_subscribers(ctx, settings)
    report = _gather(ctx, quiet)
    plan_due(ctx)
    with bar("composing", quiet=quiet) as progress:
        steps = advance(
            ctx, at_once=True, progress=lambda words: progress.update(progress.task_ids[0], description=words)
        )
        progress.update(progress.task_ids[0], description="issues are up to date", total=1, completed=1)
    send_notices(ctx)
    with ctx.db.read() as session:
        known = len(feeds(session))
    if report.feeds == report.failed == known > 0:  # a single broken feed that is due again is no such case
        steps.append(
            Step(0, "no feed could be read: is there a network? `digest feeds list` says what each one did", True)
        )
    return _outcome(ctx, settings, steps)


def _bring_subscribers(ctx: Context, settings: Settings) -> None:
    """A newsroom that brings its own news may bring its readers too (``subscribers.csv``)."""
    path = settings.newsroom_path / "subscribers.csv"
    with ctx.db.read() as session:
        has_readers = next(listed(session), None) is not None
    if settings.is_sample and path.is_file() and not has_readers:
        with path.open(encoding="utf-8", newline="") as file:
            import_csv(ctx, file)


def _mention_changes(ctx: Context, settings: Settings) -> None:
    changes = newsroom_workflow.plan(ctx, bootstrap.newsroom_files(settings))
    if changes:
        console.print(
            f"{settings.newsroom_path} is not what is in force ({len(changes)} changes):"
            " `digest newsroom plan` shows them, `digest newsroom apply` makes them",
            soft_wrap=True,
        )


def _gather(ctx: Context, quiet: bool) -> GatherReport:
    with bar("gathering feeds", quiet=quiet) as progress:

        def show(outcome: FeedOutcome, done: int, total: int) -> None:
            progress.update(progress.task_ids[0], completed=done, total=total, description=f"gathered {outcome.name}")

        report = gather(ctx, due_only=True, progress=show)
        progress.update(progress.task_ids[0], description="feeds are gathered", total=1, completed=1)
    console.print(gathered(report, each=False), soft_wrap=True)
    return report


def _outcome(ctx: Context, settings: Settings, steps: list[Step]) -> JobOutcome:
    with ctx.db.read() as session:
        rows = [(issue, letter) for issue, letter in issues.recent(session, limit=5) if issue.state != "empty"]
        editors = addresses(session)
        active = [each for each in islice(listed(session), 1000) if each.subscription.state == "active"]
    documents = tuple(
        {"issue": issue.id, "newsletter": letter.slug, "state": issue.state, **audit(ctx, issue.id or 0)}
        for issue, letter in rows
    )
    local = f"http://{settings.host}:{settings.port}"
    links = [
        (f"{letter.name} No. {issue.number}", f"{local}/desk/issues/{issue.id}  {issue.state}, {_counts(document)}")
        for (issue, letter), document in zip(rows, documents, strict=True)
    ]
    if not editors:
        links.append(
            ("nobody may sign in", "let yourself in: digest editors add YOU@EXAMPLE.ORG, then digest editors link")
        )
    else:
        links.append(("the desk, signed in once", f"{local}/desk/sign-in/{make_link(ctx, editors[0])}"))
    if active:
        choosy = next((each for each in active if each.choice.topics), active[0])
        token = ctx.signer.sign("preferences", choosy.subscription.id or 0)
        links.append(("one reader's preferences", f"{local}/preferences/{token}"))
    links.append(("sign-up", f"{local}/"))
    links.append(_mails(ctx, settings))
    width = max(len(name) for name, _ in links)
    lines = [f"  {name:<{width}}  {link}" for name, link in links]
    lines += [f"  ! {step.words}" for step in steps if step.failed]
    if ctx.public_url != local:
        lines.append(
            f"\n  Links in the mails begin with {ctx.public_url} (DIGEST_PUBLIC_URL); here the same pages are at {local}."
        )
    return JobOutcome(documents, any(step.failed for step in steps), "\n".join(lines))


def _mails(ctx: Context, settings: Settings) -> tuple[str, str]:
    """Where the mails are: the folder of a Maildir, else the sender's name."""
    scheme, _, path = settings.sender_dsn.partition("://")
    return ("outbox", f"{path}/new") if scheme == "file" else ("mails go by", ctx.sender.name)


def _counts(document: dict[str, Any]) -> str:
    shown = [
        f"{document[state]} {state}"
        for state in ("queued", "sending", "sent", "skipped", "failed", "unknown")
        if document[state]
    ]
    return ", ".join(shown) or "nobody is due yet"
