"""Deliver an issue with one helper, in a process that a test ends as it likes: ``python lone_caller.py ISSUE``."""

import sys
from dataclasses import replace

from digest import bootstrap
from digest.settings import load
from digest.workflows.deliver import deliver

if __name__ == "__main__":
    with bootstrap.service(load()) as ctx:
        deliver(replace(ctx, helpers=replace(ctx.helpers, most=2, worthwhile=1)), int(sys.argv[1]))
