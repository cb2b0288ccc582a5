"""Deliver an issue with one helper, in a process that a test ends as it likes: ``python lone_caller.py ISSUE``."""

import sys
from dataclasses import replace

from digest.cli.common import open_service
from digest.workflows.deliver import deliver

if __name__ == "__main__":
    with open_service(forks=True) as (ctx, _settings):
        deliver(replace(ctx, helpers=replace(ctx.helpers, most=2, worthwhile=1)), int(sys.argv[1]))
