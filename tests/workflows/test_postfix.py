"""Through a real Postfix on loopback: what arrives in the mailbox is what was made, to the byte."""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.senders.open import open_sender
from digest.store.database import Database
from digest.workflows.deliver import deliver
from digest.workflows.messages import shown_again
from digest.workflows.reconcile import reconcile
from tests.conftest import Clock  # type: ignore[import-not-found]
from tests.workflows.world import context, publish, reader  # type: ignore[import-not-found]

READERS = 60

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_relay_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = x.example
virtual_mailbox_base = {folder}/box
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
maillog_file = {folder}/data/log
maillog_file_prefixes = {folder}
alias_maps =
alias_database =
local_recipient_maps =
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.log, self._box = port, folder / "data" / "log", folder / "box" / "all" / "new"

    def mails(self, count: int) -> list[bytes]:
        """What lies in the mailbox, when so many are there."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            found = list(self._box.iterdir()) if self._box.is_dir() else []
            if len(found) >= count:
                return [path.read_bytes() for path in found]
            time.sleep(0.05)
        raise AssertionError(f"{len(found)} of {count} mails came")


@pytest.fixture
def postfix() -> Iterator[Postfix]:
    command = shutil.which("postfix", path="/usr/sbin")
    if command is None or os.geteuid() != 0:
        pytest.skip("needs Postfix from the system's packages, and root to start one of our own")
    # Postfix gives its rights up: it needs a folder that others may enter.
    folder = Path(tempfile.mkdtemp(prefix="digest-postfix-"))
    folder.chmod(0o755)
    for name in ("conf", "queue", "data", "box"):
        (folder / name).mkdir()
    nobody = pwd.getpwnam("nobody")
    shutil.chown(folder / "data", "postfix")
    shutil.chown(folder / "box", nobody.pw_uid)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gid = grp.getgrgid(nobody.pw_gid).gr_gid
    (folder / "conf" / "main.cf").write_text(MAIN.format(folder=folder, uid=nobody.pw_uid, gid=gid))
    (folder / "conf" / "master.cf").write_text(MASTER.format(port=port))
    try:
        started = subprocess.run(
            [command, "-c", str(folder / "conf"), "start"], capture_output=True, text=True, timeout=60
        )
        if started.returncode:
            pytest.skip(f"Postfix does not start here: {started.stderr.strip()}")
        yield Postfix(port, folder)
    finally:
        subprocess.run([command, "-c", str(folder / "conf"), "stop"], capture_output=True, timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def test_every_mail_arrives_whole_and_once(sqlite_db: Database, tmp_path: Path, clock: Clock, postfix: Postfix) -> None:
    sender = open_sender(f"smtp://127.0.0.1:{postfix.port}?tls=none&ehlo=client.example&per_connection=7")
    ctx = context(sqlite_db, tmp_path / "var", sender, clock)
    issue = publish(ctx)
    addresses = [f"r{number}@x.example" for number in range(READERS)]
    for number, address in enumerate(addresses):
        reader(ctx, address, *([], ["policy"], ["markets"])[number % 3])
    assert deliver(ctx, issue, threads=3).sent == READERS
    sender.close()
    came = postfix.mails(READERS)
    assert len(came) == READERS
    for address in addresses:
        made = shown_again(ctx, issue, address).replace(b"\r\n", b"\n")
        assert sum(mail.endswith(made) for mail in came) == 1, f"the mail to {address} did not arrive as it was made"
    assert reconcile(ctx, issue, "test", logs=[postfix.log]).left == []
